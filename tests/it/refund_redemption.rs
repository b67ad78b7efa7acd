//! `refundRedemption`: what comes back, how often, and where it goes.

use entity::kinds::AidCardStatus;
use serde_json::{Value, json};

use crate::harness::District;
use crate::harness::district::{OTHER_SHOP, SHOP, day, new_id};
use crate::harness::partner::{Partner, new_key};
use crate::harness::till::sale;

async fn balances(district: &District) -> i64 {
    district.database.number("SELECT CAST(coalesce(sum(balance), 0) AS bigint) FROM aid_card").await
}

/// Asks for a refund that is refused; nothing changes.
async fn refused(district: &District, shop: &Partner, id: &str, amount: Option<&str>, reason: (&str, &str)) {
    let before = (balances(district).await, district.database.rows("refund").await);
    let reply = shop.refund(id, amount).await.fine();
    assert_eq!(reply.refusals_at("refundRedemption"), [(reason.0.into(), reason.1.into())], "{}", reply.body);
    assert_eq!(reply.at("refundRedemption.redemption"), &Value::Null);
    assert_eq!(reply.at("refundRedemption.card"), &Value::Null);
    assert_eq!((balances(district).await, district.database.rows("refund").await), before);
}

const TOO_MUCH: (&str, &str) = ("REFUND_EXCEEDS_REDEMPTION", "amount");
const NOT_FOUND: (&str, &str) = ("NOT_FOUND", "redemptionId");

#[tokio::test]
async fn a_part_then_the_rest_and_never_more() {
    let district = District::new().await;
    let card = district.card("200.00").await;
    let shop = district.partner(SHOP).await;
    let id = shop.sell(&card, "80.00", "R1").await;
    refused(&district, &shop, &id, Some("80.01"), TOO_MUCH).await;
    let part = shop.refund(&id, Some("30.00")).await.done("refundRedemption");
    assert_eq!(part.text("refundRedemption.redemption.status"), "PARTLY_REFUNDED");
    assert_eq!(part.text("refundRedemption.redemption.refunded"), "30.00");
    assert_eq!(part.text("refundRedemption.redemption.amount"), "80.00");
    assert_eq!(part.text("refundRedemption.redemption.balanceAfter"), "120.00");
    assert_eq!(part.text("refundRedemption.card.balance"), "150.00");
    refused(&district, &shop, &id, Some("50.01"), TOO_MUCH).await;
    let rest = shop.refund(&id, None).await.done("refundRedemption");
    assert_eq!(rest.text("refundRedemption.redemption.status"), "REFUNDED");
    assert_eq!(rest.text("refundRedemption.redemption.refunded"), "80.00");
    assert_eq!(rest.text("refundRedemption.card.balance"), "200.00");
    refused(&district, &shop, &id, None, TOO_MUCH).await;
    refused(&district, &shop, &id, Some("0.01"), TOO_MUCH).await;
}

#[tokio::test]
async fn an_amount_and_a_reason_that_say_something() {
    let district = District::new().await;
    let card = district.card("200.00").await;
    let shop = district.partner(SHOP).await;
    let id = shop.sell(&card, "80.00", "R1").await;
    refused(&district, &shop, &id, Some("0.00"), ("INVALID", "amount")).await;
    let input = json!({ "key": new_key(), "redemptionId": id, "amount": "90.00", "reason": " ", "operator": { "code": "" } });
    let reply = shop.act("refundRedemption", input, "redemption { id }").await.fine();
    let places =
        reply.refusals_at("refundRedemption").into_iter().map(|(code, path)| format!("{code} {path}"));
    assert_eq!(
        places.collect::<Vec<_>>(),
        ["INVALID operator.code", "INVALID reason", "REFUND_EXCEEDS_REDEMPTION amount"]
    );
    let negative = shop.refund(&id, Some("-1.00")).await;
    assert_eq!(negative.error(), "BAD_USER_INPUT");
    assert_eq!(shop.balance(&card).await, "120.00");
}

#[tokio::test]
async fn another_shops_redemption_is_not_there() {
    let district = District::new().await;
    let card = district.card("200.00").await;
    let shop = district.partner(SHOP).await;
    let other = district.partner(OTHER_SHOP).await;
    let id = shop.sell(&card, "80.00", "R1").await;
    let absent = onestop::page::type_id(new_id::<entity::id::RedemptionId>());
    let of_another_type = id.replace("redemption_", "settlement_");
    for nothing in [id.as_str(), absent.as_str(), of_another_type.as_str(), "", "x"] {
        refused(&district, &other, nothing, None, NOT_FOUND).await;
    }
    let body = |id: &str| {
        let id = id.to_owned();
        let other = other.clone();
        async move { other.refund(&id, None).await.body }
    };
    assert_eq!(body(&id).await, body(&absent).await);
    shop.refund(&id, None).await.done("refundRedemption");
}

#[tokio::test]
async fn a_replaced_card_passes_its_refund_on() {
    let district = District::new().await;
    let newest = district.card_number_and_id("0.00", |_| {}).await;
    let between = district
        .card_number_and_id("0.00", |card| {
            card.status = AidCardStatus::Replaced;
            card.replaced_by = Some(newest.1);
        })
        .await;
    let card = district.card_number_and_id("200.00", |_| {}).await;
    let shop = district.partner(SHOP).await;
    let id = shop.sell(&card.0, "80.00", "R1").await;
    district.replace_card(card.1, between.1).await;
    let reply = shop.refund(&id, Some("30.00")).await.done("refundRedemption");
    assert_eq!(reply.text("refundRedemption.redemption.refunded"), "30.00");
    assert_eq!(reply.text("refundRedemption.card.balance"), "120.00", "the card that was redeemed");
    assert_eq!(shop.balance(&newest.0).await, "30.00");
    assert_eq!(shop.balance(&between.0).await, "0.00");
}

#[tokio::test]
async fn an_expired_or_cancelled_card_gives_its_refund_to_the_fund() {
    let district = District::new().await;
    let expiring = district.card_that("200.00", |card| card.expires_on = day("2016-06-15")).await;
    let cancelled = district.card_number_and_id("200.00", |_| {}).await;
    let shop = district.partner(SHOP).await;
    let of_the_expired = shop.sell(&expiring, "80.00", "R1").await;
    let of_the_cancelled = shop.sell(&cancelled.0, "80.00", "R2").await;
    district.set_time("2016-06-15T16:00:00Z");
    district
        .database
        .change("UPDATE aid_card SET status = 'CANCELLED' WHERE expires_on > '2016-06-15'")
        .await;
    for (id, card) in [(of_the_expired, &expiring), (of_the_cancelled, &cancelled.0)] {
        let reply = shop.refund(&id, None).await.done("refundRedemption");
        assert_eq!(reply.text("refundRedemption.redemption.status"), "REFUNDED");
        assert_eq!(reply.text("refundRedemption.redemption.refunded"), "80.00");
        assert_eq!(reply.text("refundRedemption.card.balance"), "120.00");
        assert_eq!(shop.balance(card).await, "120.00");
    }
    let to_the_fund = "SELECT count(*) FROM refund WHERE credited_card_id IS NULL AND amount = 8000";
    assert_eq!(district.database.number(to_the_fund).await, 2);
}

#[tokio::test]
async fn a_frozen_card_takes_its_refund() {
    let district = District::new().await;
    let card = district.card("200.00").await;
    let shop = district.partner(SHOP).await;
    let id = shop.sell(&card, "80.00", "R1").await;
    district.database.change("UPDATE aid_card SET status = 'FROZEN'").await;
    let reply = shop.refund(&id, None).await.done("refundRedemption");
    assert_eq!(reply.text("refundRedemption.card.balance"), "200.00");
    assert_eq!(reply.text("refundRedemption.card.status"), "FROZEN");
}

#[tokio::test]
async fn a_partial_refund_that_is_sent_again_is_done_once() {
    let district = District::new().await;
    let card = district.card("200.00").await;
    let shop = district.partner(SHOP).await;
    let id = shop.sell(&card, "80.00", "R1").await;
    let key = new_key();
    let first = shop.refund_under(&key, &id, Some("30.00")).await.done("refundRedemption");
    for _ in 0..2 {
        let again = shop.refund_under(&key, &id, Some("30.00")).await.done("refundRedemption");
        assert_eq!(again.at("refundRedemption.replayed"), &json!(true));
        assert_eq!(again.at("refundRedemption.redemption"), first.at("refundRedemption.redemption"));
    }
    let other = shop.refund_under(&key, &id, Some("20.00")).await.fine();
    assert_eq!(other.refusals_at("refundRedemption"), [("KEY_REUSED".into(), "key".into())]);
    let as_a_sale = json!({ "key": key, "cardNumber": card, "amount": "1.00", "receiptNumber": "R2" });
    assert_eq!(shop.redeem(as_a_sale).await.fine().refusals("redeemAidCard"), ["KEY_REUSED"]);
    assert_eq!(shop.balance(&card).await, "150.00");
    assert_eq!(district.database.rows("refund").await, 1);
}

#[tokio::test]
async fn refunds_at_once_never_exceed_the_redemption() {
    let district = District::new().await;
    let card = district.card("200.00").await;
    let shop = district.partner(SHOP).await;
    let id = shop.sell(&card, "100.00", "R1").await;
    let replies = futures_util::future::join_all((0..16).map(|_| shop.refund(&id, Some("30.00")))).await;
    let done = replies.iter().filter(|reply| reply.refusals("refundRedemption").is_empty()).count();
    assert_eq!(done, 3);
    for reply in replies.iter().filter(|reply| !reply.refusals("refundRedemption").is_empty()) {
        assert_eq!(reply.refusals("refundRedemption"), ["REFUND_EXCEEDS_REDEMPTION"]);
    }
    assert_eq!(shop.balance(&card).await, "190.00");
    let redemption = shop.redemption(json!({ "id": id })).await.fine();
    assert_eq!(redemption.text("redemption.refunded"), "90.00");
    let kept = "SELECT CAST(sum(amount) AS bigint) FROM refund";
    assert_eq!(district.database.number(kept).await, 9000);
    shop.refund(&id, None).await.done("refundRedemption");
    assert_eq!(shop.balance(&card).await, "200.00");
}

#[tokio::test]
async fn sixty_four_tills_at_once_take_no_more_than_a_card_has() {
    let district = District::new().await;
    let card = district.card("100.00").await;
    let shops = [district.partner(SHOP).await, district.partner(OTHER_SHOP).await];
    let tills = (0..64).map(|till| shops[till % 2].redeem(sale(&card, "10.00", &format!("R{till}"))));
    let replies = futures_util::future::join_all(tills).await;
    let mut left: Vec<String> = Vec::new();
    for reply in &replies {
        match reply.refusals("redeemAidCard").as_slice() {
            [] => left.push(reply.text("redeemAidCard.redemption.balanceAfter")),
            refusals => assert_eq!(refusals, ["INSUFFICIENT_BALANCE"]),
        }
    }
    left.sort();
    let mut expected: Vec<String> = (0..10).map(|tens| format!("{}.00", tens * 10)).collect();
    expected[0] = "0.00".into();
    expected.sort();
    assert_eq!(left, expected, "ten of them, each with a balance of its own");
    assert_eq!(shops[0].balance(&card).await, "0.00");
    assert_eq!(district.database.rows("redemption").await, 10);
    let taken = "SELECT CAST(sum(amount) AS bigint) FROM redemption";
    assert_eq!(district.database.number(taken).await, 10_000);
}
