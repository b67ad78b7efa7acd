//! What requests cost: each answer tells it, and who has spent everything waits.

use chrono::TimeDelta;
use onestop::access::Rate;
use onestop::http::App;
use serde_json::{Value, json};

use crate::harness::district::{OFFICE, OTHER_OFFICE, SHOP};
use crate::harness::partner::Partner;
use crate::harness::till::sale;
use crate::harness::{District, Reply};

const VIEWER: &str = "{ viewer { partner { code } } }";

/// A second server of the district, whose clients have buckets of another size.
async fn with_rate(district: &District, capacity: u64, per_second: u64) -> String {
    let gate = district.gate.clone().with_rate(Rate { capacity, per_second });
    district.serve_beside(App::new(gate)).await
}

fn cost(reply: &Reply) -> (u64, u64, u64) {
    let part = |name: &str| reply.extensions["cost"][name].as_u64().unwrap();
    (part("requested"), part("actual"), part("left"))
}

async fn spend(partner: &Partner, query: &str) -> Reply {
    partner.ask(query, json!({})).await
}

#[tokio::test]
async fn every_answer_tells_what_it_cost() {
    let district = District::new().await;
    let url = with_rate(&district, 1_000, 10).await;
    let card = district.card("100.00").await;
    let shop = district.partner(SHOP).await.at(&url);
    let viewer = spend(&shop, VIEWER).await.fine();
    assert_eq!(
        viewer.extensions,
        json!({ "cost": { "requested": 3, "actual": 3, "left": 997, "capacity": 1_000, "perSecond": 10 } })
    );
    let page = spend(&shop, "{ redemptions(first: 100) { nodes { id amount } } }").await.fine();
    assert_eq!(cost(&page), (301, 2, 995), "an empty page costs what it came to");
    assert_eq!(cost(&spend(&shop, "{ nonsense }").await), (1, 1, 994));
    assert_eq!(cost(&spend(&shop, "{").await), (1, 1, 993));
    let sold = shop.redeem(sale(&card, "1.00", "R1")).await.done("redeemAidCard");
    let (requested, actual, left) = cost(&sold);
    assert!(
        actual >= 11 && actual <= requested,
        "an act costs more than its fields: {actual} of {requested}"
    );
    assert_eq!(left, 993 - actual);
    district.wait(TimeDelta::milliseconds(500));
    assert_eq!(cost(&spend(&shop, VIEWER).await).2, 993 - actual + 5 - 3);
    district.wait(TimeDelta::hours(1));
    assert_eq!(cost(&spend(&shop, VIEWER).await).2, 997, "a bucket is full, and not more");
}

#[tokio::test]
async fn who_has_spent_everything_waits_and_nothing_of_it_ran() {
    let district = District::new().await;
    let url = with_rate(&district, 100, 10).await;
    let card = district.card("100.00").await;
    let shop = district.partner(SHOP).await.at(&url);
    while spend(&shop, VIEWER).await.status == 200 {}
    let refused = shop.post("application/json", VIEWER, json!({})).send().await.unwrap();
    assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (429, &"1".parse().unwrap()));
    let refused: Value = refused.json().await.unwrap();
    assert_eq!(refused["errors"][0]["extensions"]["code"], "THROTTLED");
    assert!(refused.get("data").is_none());
    let sale = sale(&card, "1.00", "R1");
    assert_eq!(shop.redeem(sale.clone()).await.error(), "THROTTLED");
    assert_eq!(district.partner(SHOP).await.balance(&card).await, "100.00");
    let other = district.partner(OTHER_OFFICE).await.at(&url);
    spend(&other, VIEWER).await.fine();
    district.wait(TimeDelta::seconds(10));
    let done = shop.redeem(sale).await.done("redeemAidCard");
    assert_eq!(done.at("redeemAidCard.replayed"), &json!(false), "the key was not used up");
}

#[tokio::test]
async fn a_miss_at_a_door_costs_more_than_what_it_asked() {
    let district = District::new().await;
    let url = with_rate(&district, 1_000, 1).await;
    let shop = district.partner(SHOP).await.at(&url);
    let unknown = entity::CardNumber::compose(2016, 102, 9, 1).unwrap().expose().to_owned();
    let missed = shop.card(&unknown).await.fine();
    let (_, actual, left) = cost(&missed);
    assert_eq!(left, 1_000 - actual - 50);
}

#[tokio::test]
async fn a_stream_costs_its_weight_when_it_begins() {
    let district = District::new().await;
    let url = with_rate(&district, 100, 1).await;
    let office = district.partner(OFFICE).await.at(&url);
    let open = "subscription { events { cursor at kind } }";
    let begun = office.post("text/event-stream", open, json!({})).send().await.unwrap();
    assert_eq!(begun.status(), 200);
    drop(begun);
    assert_eq!(cost(&spend(&office, VIEWER).await), (3, 3, 36), "a page of events");
    let refused = office.post("text/event-stream", open, json!({})).send().await.unwrap();
    assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (429, &"25".parse().unwrap()));
}
