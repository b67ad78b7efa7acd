//! The feed: everything that happened in a partner's slice, in an order that never skips what committed late.

use chrono::TimeDelta;
use entity::kinds::{Category, Scope};
use sea_orm::{ConnectionTrait, TransactionTrait};
use serde_json::{Value, json};

use crate::harness::district::{BUREAU, CF, DPF, HOSPITAL, OFFICE, OTHER_HOSPITAL, PARTNERS, SHOP};
use crate::harness::hospital::bill;
use crate::harness::referring::request;
use crate::harness::{District, Partner, Town};

impl Partner {
    async fn kinds(&self) -> Vec<String> {
        let feed = self.feed(100, None).await;
        let nodes = feed["nodes"].as_array().unwrap();
        nodes.iter().map(|node| node["kind"].as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test]
async fn every_step_is_told_to_whom_it_concerns_and_to_nobody_else() {
    let district = District::with_medical_assistance().await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let (hospital, shop) = (district.partner(HOSPITAL).await, district.partner(SHOP).await);
    let settled = hospital.settle(&bill(&patient)).await.done("settle").text("settle.settlement.id");
    district.wait(TimeDelta::milliseconds(1));
    hospital.reverse(&settled).await.done("reverseSettlement");
    let card = district.card("200.00").await;
    district.wait(TimeDelta::milliseconds(1));
    let sold = shop.sell(&card, "20.00", "R1").await;
    district.wait(TimeDelta::milliseconds(1));
    shop.refund_under("refund", &sold, Some("5.00")).await.done("refundRedemption");
    district.wait(TimeDelta::milliseconds(1));
    shop.void("refund").await.done("voidOperation");
    let office = district.partner(OFFICE).await;
    district.wait(TimeDelta::milliseconds(1));
    let referral = office.refer(request(DPF, &patient)).await;
    assert_eq!(hospital.kinds().await, Vec::<String>::new(), "nothing has its place yet");
    district.gate.number_events().await.unwrap();
    assert_eq!(hospital.kinds().await, ["settlement.settled", "settlement.reversed"]);
    let of_shop = ["redemption.redeemed", "redemption.refunded", "redemption.refund_voided"];
    assert_eq!(shop.kinds().await, of_shop);
    assert_eq!(office.kinds().await, ["referral.requested"]);
    assert_eq!(district.partner(OTHER_HOSPITAL).await.kinds().await, Vec::<String>::new());
    let without = |kinds: Vec<String>| {
        let founding = ["budget.appropriated", "aid_cards.issued"];
        kinds.into_iter().filter(|kind| !founding.contains(&kind.as_str())).collect::<Vec<_>>()
    };
    let of_bureau = ["settlement.settled", "settlement.reversed", "referral.requested"];
    assert_eq!(without(district.partner(BUREAU).await.kinds().await), of_bureau);
    assert_eq!(without(district.partner(CF).await.kinds().await), of_shop);
    let subject = |feed: &Value, place: usize| feed["nodes"][place]["subject"].clone();
    let seen = hospital.feed(1, None).await;
    assert_eq!(subject(&seen, 0), json!({ "__typename": "Settlement", "id": settled }));
    let seen = district.partner(DPF).await.feed(1, None).await;
    let referral_id = subject(&seen, 0)["id"].clone();
    assert!(referral_id.as_str().unwrap().starts_with("referral_"), "{referral}");
}

#[tokio::test]
async fn a_refused_act_and_a_replay_tell_nothing() {
    let district = District::with_medical_assistance().await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let hospital = district.partner(HOSPITAL).await;
    let posted = bill(&patient);
    hospital.settle_under("once", &posted).await.done("settle");
    hospital.settle_under("once", &posted).await.done("settle");
    assert_eq!(hospital.settle(&posted).await.refusals("settle").len(), 3);
    district.gate.number_events().await.unwrap();
    assert_eq!(hospital.kinds().await, ["settlement.settled"]);
}

#[tokio::test]
async fn the_feed_goes_on_from_any_cursor() {
    let district = District::new().await;
    let shop = district.partner(SHOP).await;
    let card = district.card("200.00").await;
    for number in 0..5 {
        shop.sell(&card, "1.00", &format!("R{number}")).await;
        district.wait(TimeDelta::milliseconds(1));
        district.gate.number_events().await.unwrap();
    }
    let whole = shop.feed(100, None).await;
    let all = whole["nodes"].as_array().unwrap();
    assert_eq!((all.len(), &whole["pageInfo"]["hasNextPage"]), (5, &Value::Bool(false)));
    let mut after: Option<String> = None;
    let mut read = Vec::new();
    loop {
        let page = shop.feed(2, after.as_deref()).await;
        read.extend(page["nodes"].as_array().unwrap().clone());
        after = page["pageInfo"]["endCursor"].as_str().map(str::to_owned);
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(&read, all);
    let beyond = shop.feed(10, after.as_deref()).await;
    assert_eq!(beyond["nodes"], json!([]));
    let query = "{ events(after: \"nonsense\") { nodes { kind } } }";
    assert_eq!(shop.ask(query, json!({})).await.error(), "BAD_USER_INPUT");
}

/// An act that began earlier and commits later than others must not be skipped by who has read those others.
#[tokio::test]
async fn what_commits_late_comes_after_what_was_read() {
    let district = District::new().await;
    let shop = district.partner(SHOP).await;
    let card = district.card("200.00").await;
    shop.sell(&card, "1.00", "R1").await;
    district.gate.number_events().await.unwrap();
    let read = shop.feed(100, None).await;
    let cursor = read["pageInfo"]["endCursor"].as_str().unwrap().to_owned();
    // The late one, as it would stand there: with a time before that of what was read.
    let look = district.database.look().await;
    let late = look.begin().await.unwrap();
    late.execute_unprepared(
        "INSERT INTO event (id, partner_id, kind, subject, at) \
         SELECT token.id, event.partner_id, 'late', event.subject, '2016-01-01 00:00:00+00:00' \
         FROM event CROSS JOIN (SELECT id FROM token LIMIT 1) AS token \
         WHERE event.kind = 'redemption.redeemed' LIMIT 1",
    )
    .await
    .unwrap();
    late.commit().await.unwrap();
    district.gate.number_events().await.unwrap();
    let more = shop.feed(100, Some(&cursor)).await;
    let kinds: Vec<&Value> = more["nodes"].as_array().unwrap().iter().map(|node| &node["kind"]).collect();
    assert!(kinds.len() <= 1, "{more}");
    let everybody =
        district.database.number("SELECT COUNT(*) FROM event WHERE kind = 'late' AND position > 2").await;
    assert_eq!(everybody, 1, "its place is behind everything that had one");
}

#[tokio::test]
async fn two_who_number_at_once_give_no_place_twice() {
    let town = Town::new().await;
    let gate = &town.district.gate;
    let numbered = tokio::join!(gate.number_events(), gate.number_events(), gate.number_events());
    for _ in 0..3 {
        // Whoever found its places taken tries again.
        let _ = (&numbered.0, &numbered.1, &numbered.2);
        let _ = gate.number_events().await;
    }
    let database = &town.district.database;
    let rows = database.rows("event").await;
    assert!(rows > 30);
    assert_eq!(database.number("SELECT COUNT(DISTINCT position) FROM event").await, rows);
    assert_eq!(database.number("SELECT CAST(MAX(position) AS bigint) FROM event").await, rows);
}

#[tokio::test]
async fn nothing_personal_stands_in_the_feed() {
    let town = Town::new().await;
    town.district.gate.number_events().await.unwrap();
    for (code, _, _) in PARTNERS {
        let feed = town.partner(code).feed(100, None).await.to_string();
        for personal in ["李", "419999", "王", &town.card] {
            assert!(!feed.contains(personal), "{code}");
        }
    }
}

#[tokio::test]
async fn a_subject_that_the_token_may_not_read_is_null() {
    let district = District::with_medical_assistance().await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let hospital = district.partner(HOSPITAL).await;
    hospital.settle(&bill(&patient)).await.done("settle");
    district.gate.number_events().await.unwrap();
    let follower = district.partner_with(HOSPITAL, &[Scope::EventRead]).await;
    let feed = follower.feed(10, None).await;
    assert_eq!(feed["nodes"][0]["kind"], "settlement.settled");
    assert_eq!(feed["nodes"][0]["subject"], Value::Null);
}
