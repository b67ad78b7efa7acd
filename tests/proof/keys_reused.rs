//! A key used again for something else is refused; another partner's key of the same letters is its own.

use std::sync::Arc;

use crate::book::{Asked, Book};
use crate::ground::{Ground, Many};
use crate::life::{Life, World};
use crate::size;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_means_one_input_of_one_partner() {
    let _alone = size::alone().await;
    let keys = size::of(150, 1000);
    let many = Many { hospitals: 2, shops: 2, patients: 100, cards: 50, balance: "9999.00" };
    let ground = Ground::lay(many).await;
    let mut program = ground.program();
    program.start().await;
    let (book, world) = (Book::default(), Arc::new(World::of(&ground)));
    let (hospitals, shops) = (ground.hospitals(&program.url), ground.shops(&program.url));
    let (mut at_desk, mut at_till) = (Life::new(Arc::clone(&world), 1, true), Life::new(world, 1, false));
    for number in 0..keys {
        // Equal keys at the hospitals and the shops: each partner's are its own.
        let (settle, redeem) = (at_desk.spend(), at_till.spend());
        for desks in [&hospitals, &shops] {
            let asked = if desks[0].partner == hospitals[0].partner { &settle } else { &redeem };
            let first = desks[0].insist(&book, asked).await;
            // The one who spends second may find the card or the stay taken, never the key.
            let other = elsewhere(asked, number);
            let second = desks[1].insist(&book, &other).await;
            for reply in [&first, &second] {
                assert!(!reply.refusals(asked.mutation).contains(&"KEY_REUSED".to_owned()), "{}", reply.body);
            }
            let changed = desks[0].insist(&book, &with_another_amount(asked)).await;
            assert_eq!(changed.refusals(asked.mutation), ["KEY_REUSED"]);
            let void = serde_json::json!({
                "key": asked.key(), "operationKey": format!("{number}-never"), "reason": "no answer",
            });
            let void = Asked { mutation: "voidOperation", input: void };
            let voided = desks[0].insist(&book, &void).await;
            assert_eq!(voided.refusals("voidOperation"), ["KEY_REUSED"]);
            let again = desks[0].insist(&book, asked).await;
            assert_eq!(again.at(asked.mutation)["replayed"], true);
        }
    }
    ground.check(&book).await;
}

fn with_another_amount(asked: &Asked) -> Asked {
    let mut changed = asked.clone();
    match asked.mutation {
        "settle" => {
            changed.input["bill"]["totalCost"] = "0.01".into();
            changed.input["bill"]["inScope"] = "0.01".into();
        }
        _ => changed.input["amount"] = "0.01".into(),
    }
    changed
}

/// The same under the same key, for what is still free elsewhere.
fn elsewhere(asked: &Asked, number: usize) -> Asked {
    let mut other = asked.clone();
    if asked.mutation == "settle" {
        let day = chrono::NaiveDate::from_ymd_opt(2024, 1, 1).unwrap()
            + chrono::Days::new(u64::try_from(number).unwrap() % 600);
        for date in ["admittedOn", "dischargedOn"] {
            other.input["bill"][date] = day.to_string().into();
        }
        other.input["bill"]["insurerSettlementId"] = format!("JS-elsewhere-{number}").into();
    }
    other
}
