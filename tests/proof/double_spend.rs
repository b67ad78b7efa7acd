//! Many tills at the same cards at once: no card pays more than it has.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::join_all;
use rand::seq::SliceRandom;
use rand::{SeedableRng, rngs::StdRng};
use serde_json::json;

use crate::book::{Asked, Book};
use crate::ground::{Ground, Many};
use crate::size;

const TILLS: usize = 64;
/// A card has 100.00 and is asked for 10.00 so often.
const TRIES: usize = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_tills_spend_each_card_to_the_last_fen_and_no_further() {
    let _alone = size::alone().await;
    let cards = size::of(25, 100);
    let many = Many { hospitals: 0, shops: 8, patients: 0, cards, balance: "100.00" };
    let ground = Ground::lay(many).await;
    let mut program = ground.program();
    program.start().await;
    let book = Arc::new(Book::default());
    let shops = ground.shops(&program.url);
    let mut tries: Vec<usize> = (0..cards * TRIES).map(|number| number % cards).collect();
    tries.shuffle(&mut StdRng::seed_from_u64(1));
    let each = tries.len().div_ceil(TILLS);
    let working = tries.chunks(each).enumerate().map(|(till, tries)| {
        let (shop, book) = (shops[till % shops.len()].clone(), Arc::clone(&book));
        let cards: Vec<(usize, String)> =
            tries.iter().map(|card| (*card, ground.cards[*card].clone())).collect();
        tokio::spawn(async move {
            let mut taken = Vec::new();
            for (number, (card, card_number)) in cards.into_iter().enumerate() {
                let key = format!("{till}-{number}");
                let input =
                    json!({ "key": key, "cardNumber": card_number, "amount": "10.00", "receiptNumber": key });
                let reply = shop.insist(&book, &Asked { mutation: "redeemAidCard", input }).await;
                match reply.refusals("redeemAidCard").as_slice() {
                    [] => taken.push(card),
                    refused => assert_eq!(refused, ["INSUFFICIENT_BALANCE"]),
                }
            }
            taken
        })
    });
    let mut per_card: HashMap<usize, usize> = HashMap::new();
    for taken in join_all(working).await {
        for card in taken.unwrap() {
            *per_card.entry(card).or_default() += 1;
        }
    }
    assert_eq!(per_card.len(), cards);
    assert!(per_card.values().all(|times| *times == 10), "{per_card:?}");
    ground.check(&book).await;
}
