//! `redeemAidCard`: what a till may take from a card, and why not.

use chrono::TimeDelta;
use entity::kinds::{AidCardStatus, Category};
use entity::redemption;
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::harness::District;
use crate::harness::district::{OTHER_SHOP, SHOP, day, fen, new_id};
use crate::harness::partner::Partner;
use crate::harness::till::sale;

/// Posts a redemption that is refused: these reasons, and the card, the redemptions and the refunds stay as they were.
async fn refused(district: &District, shop: &Partner, sale: Value, reasons: &[(&str, &str)]) {
    let state = "SELECT CAST(coalesce(sum(balance), 0) AS bigint) FROM aid_card";
    let before = (district.database.number(state).await, district.database.rows("redemption").await);
    let reply = shop.redeem(sale).await.fine();
    let expected: Vec<(String, String)> =
        reasons.iter().map(|(code, path)| ((*code).into(), (*path).into())).collect();
    assert_eq!(reply.refusals_at("redeemAidCard"), expected, "{}", reply.body);
    assert_eq!(reply.at("redeemAidCard.redemption"), &Value::Null);
    assert_eq!(reply.at("redeemAidCard.card"), &Value::Null);
    let after = (district.database.number(state).await, district.database.rows("redemption").await);
    assert_eq!(after, before);
}

fn lines(of: &[(&str, &str)]) -> Value {
    let line = |(category, amount): &(&str, &str)| json!({ "category": category, "description": "goods", "amount": amount });
    of.iter().map(line).collect()
}

fn with_lines(mut sale: Value, of: &[(&str, &str)]) -> Value {
    sale["lines"] = lines(of);
    sale
}

#[tokio::test]
async fn a_redemption_carries_what_was_posted() {
    let district = District::new().await;
    let card = district.card("200.00").await;
    let shop = district.partner(SHOP).await;
    let mut sale = with_lines(sale(&card, "49.90", "R1"), &[("FOOD", "40.00"), ("HYGIENE", "9.90")]);
    sale["agentName"] = json!("王建国");
    sale["operator"] = json!({ "code": "T1" });
    let reply = shop.redeem(sale.clone()).await.done("redeemAidCard");
    let mut redemption = reply.at("redeemAidCard.redemption").clone();
    let id = redemption.as_object_mut().unwrap().remove("id").unwrap();
    assert!(id.as_str().unwrap().starts_with("redemption_"), "{id}");
    let masked = format!("*************{}", &card[13..]);
    assert_eq!(
        redemption,
        json!({
            "status": "REDEEMED",
            "key": sale["key"],
            "supermarket": { "code": SHOP },
            "cardNumber": masked,
            "receiptNumber": "R1",
            "amount": "49.90",
            "refunded": "0.00",
            "balanceAfter": "150.10",
            "redeemedAt": "2016-06-15T02:00:00.000000Z",
        })
    );
    assert_eq!(reply.text("redeemAidCard.card.balance"), "150.10");
    assert_eq!(reply.text("redeemAidCard.card.number"), masked);
    assert_eq!(shop.balance(&card).await, "150.10");
    let look = district.database.look().await;
    let kept = redemption::Entity::find().one(&look).await.unwrap().unwrap();
    look.close().await.unwrap();
    let (column, agent) = (redemption::Column::AgentNameSealed, kept.agent_name_sealed.as_ref());
    let agent = district.gate.keys().open_some(column, kept.id, agent).unwrap();
    assert_eq!(agent.as_deref(), Some("王建国"));
}

#[tokio::test]
async fn a_card_can_be_spent_to_the_last_fen() {
    let district = District::new().await;
    let card = district.card("200.00").await;
    let shop = district.partner(SHOP).await;
    shop.sell(&card, "199.99", "R1").await;
    refused(&district, &shop, sale(&card, "0.02", "R2"), &[("INSUFFICIENT_BALANCE", "amount")]).await;
    shop.sell(&card, "0.01", "R3").await;
    assert_eq!(shop.balance(&card).await, "0.00");
    refused(&district, &shop, sale(&card, "0.01", "R4"), &[("INSUFFICIENT_BALANCE", "amount")]).await;
}

#[tokio::test]
async fn a_card_that_does_not_serve() {
    let district = District::new().await;
    let shop = district.partner(SHOP).await;
    for (status, code) in [
        (AidCardStatus::Issued, "CARD_NOT_ACTIVATED"),
        (AidCardStatus::Frozen, "CARD_FROZEN"),
        (AidCardStatus::Expired, "CARD_EXPIRED"),
        (AidCardStatus::Cancelled, "CARD_CANCELLED"),
        (AidCardStatus::Replaced, "CARD_REPLACED"),
    ] {
        let card = district.card_that("200.00", |card| card.status = status).await;
        refused(&district, &shop, sale(&card, "10.00", "R1"), &[(code, "cardNumber")]).await;
        let more_than_it_has = sale(&card, "200.01", "R1");
        refused(&district, &shop, more_than_it_has, &[(code, "cardNumber")]).await;
    }
}

#[tokio::test]
async fn a_card_serves_through_its_last_day_in_china() {
    let district = District::new().await;
    let card = district.card_that("200.00", |card| card.expires_on = day("2016-06-15")).await;
    let shop = district.partner(SHOP).await;
    district.set_time("2016-06-15T15:59:59Z");
    shop.sell(&card, "10.00", "R1").await;
    district.set_time("2016-06-15T16:00:00Z");
    refused(&district, &shop, sale(&card, "10.00", "R1"), &[("CARD_EXPIRED", "cardNumber")]).await;
}

#[tokio::test]
async fn a_number_is_checked_before_it_is_looked_up() {
    let district = District::new().await;
    let card = district.card("200.00").await;
    let shop = district.partner(SHOP).await;
    let last = card.as_bytes()[16] - b'0';
    let mistyped = format!("{}{}", &card[..16], (last + 1) % 10);
    for number in
        [mistyped.as_str(), "", "2016102001000001", "20161020010000015 ", "２０１６１０２００１００００１５"]
    {
        refused(&district, &shop, sale(number, "10.00", "R1"), &[("NOT_FOUND", "cardNumber")]).await;
    }
    refused(&district, &shop, sale("20161020010000015", "10.00", "R1"), &[("NOT_FOUND", "cardNumber")]).await;
}

#[tokio::test]
async fn a_card_limited_to_categories_needs_lines_of_these() {
    let district = District::new().await;
    let limited =
        |card: &mut entity::aid_card::Model| card.allowed_categories = Some("FOOD GRAIN_AND_OIL".into());
    let card = district.card_that("200.00", limited).await;
    let shop = district.partner(SHOP).await;
    let post = |amount: &str| sale(&card, amount, "R1");
    let not_allowed = "CATEGORY_NOT_ALLOWED";
    refused(&district, &shop, post("30.00"), &[(not_allowed, "lines")]).await;
    let mixed = with_lines(post("30.00"), &[("FOOD", "10.00"), ("CLOTHING", "10.00"), ("HYGIENE", "10.00")]);
    let places = [(not_allowed, "lines.1.category"), (not_allowed, "lines.2.category")];
    refused(&district, &shop, mixed, &places).await;
    let allowed = with_lines(post("30.00"), &[("FOOD", "10.00"), ("GRAIN_AND_OIL", "20.00")]);
    shop.redeem(allowed).await.done("redeemAidCard");
    assert_eq!(shop.balance(&card).await, "170.00");
}

#[tokio::test]
async fn lines_add_up_to_the_amount() {
    let district = District::new().await;
    let card = district.card("200.00").await;
    let shop = district.partner(SHOP).await;
    let post = |of: &[(&str, &str)]| with_lines(sale(&card, "30.00", "R1"), of);
    for wrong in [&[("FOOD", "29.99")][..], &[("FOOD", "30.00"), ("FOOD", "0.01")]] {
        refused(&district, &shop, post(wrong), &[("AMOUNTS_DO_NOT_ADD_UP", "lines")]).await;
    }
    refused(&district, &shop, post(&[]), &[("INVALID", "lines")]).await;
    let with_nothing = post(&[("FOOD", "30.00"), ("FOOD", "0.00")]);
    refused(&district, &shop, with_nothing, &[("INVALID", "lines.1.amount")]).await;
    shop.redeem(post(&[("FOOD", "29.99"), ("CLOTHING", "0.01")])).await.done("redeemAidCard");
}

#[tokio::test]
async fn nothing_is_no_amount() {
    let district = District::new().await;
    let card = district.card("200.00").await;
    let shop = district.partner(SHOP).await;
    refused(&district, &shop, sale(&card, "0.00", "R1"), &[("INVALID", "amount")]).await;
    for amount in ["-1.00", "1.001", "1"] {
        let reply = shop.redeem(sale(&card, amount, "R1")).await;
        assert_eq!(reply.error(), "BAD_USER_INPUT", "{amount}: {}", reply.body);
    }
    assert_eq!(shop.balance(&card).await, "200.00");
}

#[tokio::test]
async fn a_receipt_number_serves_once_a_shop_and_day_in_china() {
    let district = District::new().await;
    let (card, another) = (district.card("200.00").await, district.card("200.00").await);
    let shop = district.partner(SHOP).await;
    let other = district.partner(OTHER_SHOP).await;
    district.set_time("2016-06-15T15:59:59Z");
    shop.sell(&card, "10.00", "R1").await;
    for card in [&card, &another] {
        refused(&district, &shop, sale(card, "10.00", "R1"), &[("DUPLICATE_RECEIPT", "receiptNumber")]).await;
    }
    other.sell(&card, "10.00", "R1").await;
    district.wait(TimeDelta::seconds(1));
    shop.sell(&card, "10.00", "R1").await;
    assert_eq!(shop.balance(&card).await, "170.00");
}

#[tokio::test]
async fn a_monthly_limit_counts_every_shop_and_what_was_refunded() {
    let district = District::new().await;
    let card = district.card_that("200.00", |card| card.monthly_limit = Some(fen("100.00"))).await;
    let shop = district.partner(SHOP).await;
    let other = district.partner(OTHER_SHOP).await;
    let beyond = [("PERIOD_LIMIT_EXCEEDED", "amount")];
    refused(&district, &shop, sale(&card, "100.01", "R0"), &beyond).await;
    let first = shop.sell(&card, "60.00", "R1").await;
    refused(&district, &other, sale(&card, "40.01", "R1"), &beyond).await;
    other.sell(&card, "40.00", "R1").await;
    refused(&district, &shop, sale(&card, "0.01", "R2"), &beyond).await;
    shop.refund(&first, Some("20.00")).await.done("refundRedemption");
    refused(&district, &other, sale(&card, "20.01", "R2"), &beyond).await;
    other.sell(&card, "20.00", "R2").await;
    district.set_time("2016-06-30T15:59:59Z");
    refused(&district, &shop, sale(&card, "0.01", "R3"), &beyond).await;
    district.set_time("2016-06-30T16:00:00Z");
    shop.sell(&card, "100.00", "R3").await;
    assert_eq!(shop.balance(&card).await, "0.00");
}

#[tokio::test]
async fn a_shop_needs_an_agreement_for_the_cards_programme_today() {
    let district = District::new().await;
    let ended = format!(
        "UPDATE agreement SET valid_to = '2016-06-15' WHERE partner_id = (SELECT id FROM partner WHERE code = '{SHOP}')"
    );
    district.database.change(&ended).await;
    let card = district.card("200.00").await;
    let other_programme =
        district.card_that("200.00", |card| card.programme_id = district.charity_illness).await;
    let shop = district.partner(SHOP).await;
    let id = shop.sell(&card, "10.00", "R1").await;
    refused(&district, &shop, sale(&other_programme, "10.00", "R2"), &[("NO_AGREEMENT", "cardNumber")]).await;
    district.set_time("2016-06-15T16:00:00Z");
    refused(&district, &shop, sale(&card, "10.00", "R2"), &[("NO_AGREEMENT", "cardNumber")]).await;
    shop.refund(&id, None).await.done("refundRedemption");
}

#[tokio::test]
async fn everything_wrong_with_a_sale_is_said_at_once() {
    let district = District::new().await;
    let limited = |card: &mut entity::aid_card::Model| {
        card.allowed_categories = Some("FOOD".into());
        card.monthly_limit = Some(fen("100.00"));
    };
    let card = district.card_that("200.00", limited).await;
    let shop = district.partner(SHOP).await;
    shop.redeem(with_lines(sale(&card, "10.00", "R1"), &[("FOOD", "10.00")])).await.done("redeemAidCard");
    let mut all_wrong = with_lines(sale(&card, "200.00", "  "), &[("CLOTHING", "199.00")]);
    all_wrong["agentName"] = json!("");
    all_wrong["operator"] = json!({ "code": "" });
    let reasons = [
        ("INVALID", "operator.code"),
        ("INVALID", "receiptNumber"),
        ("INVALID", "agentName"),
        ("AMOUNTS_DO_NOT_ADD_UP", "lines"),
        ("INSUFFICIENT_BALANCE", "amount"),
        ("CATEGORY_NOT_ALLOWED", "lines.0.category"),
        ("PERIOD_LIMIT_EXCEEDED", "amount"),
    ];
    refused(&district, &shop, all_wrong, &reasons).await;
    let beyond_and_printed = with_lines(sale(&card, "95.00", "R1"), &[("FOOD", "95.00")]);
    let reasons = [("PERIOD_LIMIT_EXCEEDED", "amount"), ("DUPLICATE_RECEIPT", "receiptNumber")];
    refused(&district, &shop, beyond_and_printed, &reasons).await;
    let too_much_and_printed = with_lines(sale(&card, "500.00", "R1"), &[("FOOD", "500.00")]);
    let reasons = [
        ("INSUFFICIENT_BALANCE", "amount"),
        ("PERIOD_LIMIT_EXCEEDED", "amount"),
        ("DUPLICATE_RECEIPT", "receiptNumber"),
    ];
    refused(&district, &shop, too_much_and_printed, &reasons).await;
}

#[tokio::test]
async fn a_shop_looks_its_redemptions_up() {
    let district = District::new().await;
    let card = district.card("200.00").await;
    let shop = district.partner(SHOP).await;
    let other = district.partner(OTHER_SHOP).await;
    let post = sale(&card, "10.00", "R1");
    let id = shop.redeem(post.clone()).await.done("redeemAidCard").text("redeemAidCard.redemption.id");
    for by in [json!({ "id": id }), json!({ "key": post["key"] })] {
        assert_eq!(shop.redemption(by.clone()).await.fine().text("redemption.id"), id);
        assert_eq!(other.redemption(by).await.fine().at("redemption"), &Value::Null);
    }
    let absent = onestop::page::type_id(new_id::<entity::id::RedemptionId>());
    for by in [json!({ "id": absent }), json!({ "id": "x" }), json!({ "key": "none" })] {
        assert_eq!(shop.redemption(by).await.fine().at("redemption"), &Value::Null);
    }
    district.set_time("2016-06-16T02:00:00Z");
    let later = shop.sell(&card, "20.00", "R2").await;
    shop.refund(&later, None).await.done("refundRedemption");
    let list = async |filter: Value| {
        let query = "query($f: RedemptionFilter) { redemptions(filter: $f) { nodes { id } } }";
        let reply = shop.ask(query, json!({ "f": filter })).await.fine();
        let nodes = reply.at("redemptions.nodes").as_array().unwrap().clone();
        nodes.iter().map(|node| node["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(list(json!({})).await, [later.clone(), id.clone()]);
    assert_eq!(list(json!({ "receiptNumber": "R1" })).await, std::slice::from_ref(&id));
    assert_eq!(list(json!({ "status": ["REFUNDED"] })).await, std::slice::from_ref(&later));
    assert_eq!(list(json!({ "status": ["REDEEMED", "PARTLY_REFUNDED"] })).await, std::slice::from_ref(&id));
    assert_eq!(list(json!({ "status": [] })).await, Vec::<String>::new());
    assert_eq!(list(json!({ "redeemedFrom": "2016-06-16T02:00:00Z" })).await, [later]);
    assert_eq!(list(json!({ "redeemedTo": "2016-06-16T02:00:00Z" })).await, [id]);
    let unknown = shop.ask("{ redemptions(filter: { status: [LOST] }) { nodes { id } } }", json!({})).await;
    assert_eq!(unknown.error(), "GRAPHQL_VALIDATION_FAILED", "{}", unknown.body);
    let federation = district.partner(crate::harness::district::CF).await;
    assert_eq!(
        federation.ask("{ redemptions { totalCount } }", json!({})).await.fine().at("redemptions.totalCount"),
        &json!(2)
    );
}

#[tokio::test]
async fn the_holder_is_not_named_to_the_till() {
    let district = District::new().await;
    let holder = district.person("欧阳小明", &[Category::Orphan]).await;
    let card = district
        .card_that("200.00", |card| {
            card.person_id = holder.id;
            card.holder_name = onestop::rules::person_name::masked(&holder.name);
        })
        .await;
    let shop = district.partner(SHOP).await;
    let reply = shop.redeem(sale(&card, "10.00", "R1")).await.done("redeemAidCard");
    assert_eq!(reply.text("redeemAidCard.card.holderName"), "欧**明");
    for secret in [holder.name.as_str(), holder.national_id.as_str(), card.as_str()] {
        assert!(!reply.body.to_string().contains(secret), "{}", reply.body);
    }
}
