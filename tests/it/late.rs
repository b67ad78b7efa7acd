//! What takes too long is told so, and goes on; what one partner asks for too much of keeps nobody else waiting.

use std::time::{Duration, Instant};

use onestop::http::running::Share;
use onestop::http::{App, Settings};
use sea_orm::{ConnectionTrait, DatabaseTransaction, TransactionTrait};
use serde_json::{Value, json};

use crate::harness::District;
use crate::harness::district::{OTHER_SHOP, SHOP};
use crate::harness::till::sale;

/// Holds every card, and on SQLite the right to write.
async fn hold_cards(district: &District) -> DatabaseTransaction {
    let other = district.database.look().await.begin().await.unwrap();
    other.execute_unprepared("UPDATE aid_card SET balance = balance").await.unwrap();
    other
}

#[tokio::test]
async fn an_act_that_is_not_answered_in_time_goes_on() {
    let district = District::new().await;
    let card = district.card("100.00").await;
    let settings = Settings { request_time: Duration::from_millis(500), ..Settings::default() };
    let url = district.serve_beside(App::new(district.gate.clone()).set(settings)).await;
    let (shop, impatient) = (district.partner(SHOP).await, district.partner(SHOP).await.at(&url));
    let sale = sale(&card, "1.00", "R1");
    let held = hold_cards(&district).await;
    let sell = "mutation($input: RedeemAidCardInput!) { redeemAidCard(input: $input) { replayed } }";
    let asked = impatient.post("application/json", sell, json!({ "input": sale }));
    let late = asked.send().await.unwrap();
    assert_eq!((late.status().as_u16(), &late.headers()["retry-after"]), (503, &"5".parse().unwrap()));
    let late: Value = late.json().await.unwrap();
    assert_eq!(late["errors"][0]["extensions"]["code"], "UNAVAILABLE");
    assert!(late["errors"][0]["message"].as_str().unwrap().contains("operation(key)"), "{late}");
    held.rollback().await.unwrap();
    let began = Instant::now();
    while shop.balance(&card).await != "99.00" {
        assert!(began.elapsed() < Duration::from_secs(20), "it was cut off");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let again = shop.redeem(sale).await.done("redeemAidCard");
    assert_eq!(again.at("redeemAidCard.replayed"), &json!(true));
    assert_eq!(shop.balance(&card).await, "99.00");
}

#[tokio::test]
async fn a_partner_that_asks_for_very_much_at_once_keeps_nobody_else_waiting() {
    let district = District::new().await;
    let card = district.card("100.00").await;
    let share = Share { patience: Duration::from_millis(300), ..Share::default() };
    let url =
        district.serve_beside(App::new(district.gate.clone()).set(Settings { share, ..Settings::default() }));
    let url = url.await;
    let (greedy, other) =
        (district.partner(SHOP).await.at(&url), district.partner(OTHER_SHOP).await.at(&url));
    let held = hold_cards(&district).await;
    let sales = (0..50).map(|number| {
        let (greedy, sale) = (greedy.clone(), sale(&card, "1.00", &format!("R{number}")));
        tokio::spawn(async move { greedy.redeem(sale).await })
    });
    let sales: Vec<_> = sales.collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let began = Instant::now();
    assert_eq!(other.balance(&card).await, "100.00");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert!(sales.iter().any(|sale| !sale.is_finished()), "those that run still wait");
    tokio::time::sleep(Duration::from_secs(1)).await;
    held.rollback().await.unwrap();
    let (mut done, mut throttled) = (0, 0);
    for sale in sales {
        let reply = sale.await.unwrap();
        match (reply.status, reply.error().as_str()) {
            (200, "") => done += 1,
            (429, "THROTTLED") => throttled += 1,
            _ => panic!("{}", reply.body),
        }
    }
    assert_eq!((done, throttled), (6, 44));
    assert_eq!(district.partner(SHOP).await.balance(&card).await, "94.00");
}
