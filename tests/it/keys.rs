//! Idempotency: one key, one effect, one answer.

use entity::kinds::{Category, Scope};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::harness::District;
use crate::harness::district::{HOSPITAL, OTHER_HOSPITAL, OTHER_SHOP, SHOP};
use crate::harness::hospital::bill;
use crate::harness::partner::{Partner, new_key};
use crate::harness::till::sale;

/// A value as it is written in a document, members in reverse order.
fn written(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members: Vec<_> =
                members.iter().rev().map(|(name, value)| format!("{name}: {}", written(value))).collect();
            format!("{{ {} }}", members.join(", "))
        }
        other => other.to_string(),
    }
}

const REUSED: &str = "KEY_REUSED";

fn key_refused(code: &str) -> [(String, String); 1] {
    [(code.into(), "key".into())]
}

#[tokio::test]
async fn the_same_input_gives_the_same_answer_however_it_is_written() {
    let district = District::with_medical_assistance().await;
    for _ in 0..3 {
        district.person("李小明", &[]).await;
    }
    let patient = district.person("李小明", &[Category::Dibao]).await;
    assert!(patient.national_id.ends_with('X'));
    let hospital = district.partner(HOSPITAL).await;
    let input = json!({ "key": new_key(), "bill": bill(&patient).0 });
    let first = hospital.settle_with(input.clone()).await.done("settle");
    assert_eq!(first.at("settle.replayed"), &json!(false));
    let mut spelled_out = input.clone();
    spelled_out["expectedAssistance"] = Value::Null;
    spelled_out["operator"] = Value::Null;
    spelled_out["bill"]["encounterId"] = Value::Null;
    for amount in [
        "seriousIllnessInsurancePaid",
        "otherFundsPaid",
        "commercialInsurancePaid",
        "hospitalWaiver",
        "otherAssistancePaid",
    ] {
        spelled_out["bill"][amount] = json!("0.00");
    }
    spelled_out["bill"]["thirdPartyLiable"] = json!(false);
    let mut lower_case = input.clone();
    lower_case["bill"]["patient"]["nationalId"] = json!(patient.national_id.to_lowercase());
    let shape = "settlement { id } replayed userErrors { code }";
    let literal = format!("mutation Post {{ settle(input: {}) {{ {shape} }} }}", written(&input));
    let by_parts = format!(
        "mutation($bill: BillInput!, $key: IdempotencyKey!) {{ settle(input: {{ bill: $bill, key: $key }}) {{ {shape} }} }}"
    );
    let parts = json!({ "key": input["key"], "bill": input["bill"] });
    for again in [
        hospital.settle_with(input.clone()).await,
        hospital.settle_with(spelled_out).await,
        hospital.settle_with(lower_case).await,
        hospital.ask(&literal, json!({})).await,
        hospital.ask(&by_parts, parts).await,
    ] {
        let again = again.done("settle");
        assert_eq!(again.at("settle.replayed"), &json!(true));
        assert_eq!(again.at("settle.settlement.id"), first.at("settle.settlement.id"));
    }
    assert_eq!(district.database.rows("settlement").await, 1);
    assert_eq!(district.database.requests().await, 1);
}

#[tokio::test]
async fn another_input_under_the_same_key_does_nothing() {
    let district = District::with_medical_assistance().await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let another = district.person("王小红", &[Category::Dibao]).await;
    let hospital = district.partner(HOSPITAL).await;
    let key = new_key();
    let posted = bill(&patient);
    hospital.settle_under(&key, &posted).await.done("settle");
    let told = json!({ "key": key, "bill": posted.0, "expectedAssistance": "5040.00" });
    let by_somebody = json!({ "key": key, "bill": posted.0, "operator": { "code": "C1" } });
    for reply in [
        hospital.settle_under(&key, &bill(&another)).await,
        hospital.settle_under(&key, &posted.clone().with("hospitalWaiver", "0.01")).await,
        hospital.settle_with(told).await,
        hospital.settle_with(by_somebody).await,
    ] {
        let reply = reply.fine();
        assert_eq!(reply.refusals_at("settle"), key_refused(REUSED));
        assert_eq!(reply.at("settle.settlement"), &Value::Null);
        assert_eq!(reply.at("settle.replayed"), &json!(false));
    }
    assert_eq!(district.database.rows("settlement").await, 1);
    assert_eq!(hospital.left(&another, "2016-06-15").await.1, json!("0.00"));
    let again = hospital.settle_under(&key, &posted).await.done("settle");
    assert_eq!(again.at("settle.replayed"), &json!(true), "the first answer is still there");
}

#[tokio::test]
async fn a_key_serves_one_mutation() {
    let district = District::with_medical_assistance().await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let hospital = district.partner(HOSPITAL).await;
    let key = new_key();
    let id = hospital.settle_under(&key, &bill(&patient)).await.done("settle").text("settle.settlement.id");
    let input = json!({ "key": key, "settlementId": id, "reason": "billed twice" });
    let reply = hospital.act("reverseSettlement", input, "settlement { id }").await.fine();
    assert_eq!(reply.refusals_at("reverseSettlement"), key_refused(REUSED));
    let found = hospital.settlement(json!({ "id": id })).await.fine();
    assert_eq!(found.text("settlement.status"), "SETTLED");
    assert_eq!(hospital.left(&patient, "2016-06-15").await.1, json!("5040.00"));
    let shop = district.partner(SHOP).await;
    let card = district.card("200.00").await;
    let sold = shop.sell(&card, "50.00", "R1").await;
    let refund = new_key();
    shop.refund_under(&refund, &sold, Some("10.00")).await.done("refundRedemption");
    let mut post = sale(&card, "20.00", "R2");
    post["key"] = json!(refund);
    assert_eq!(shop.redeem(post).await.fine().refusals_at("redeemAidCard"), key_refused(REUSED));
    assert_eq!(shop.balance(&card).await, "160.00");
}

#[tokio::test]
async fn every_partner_has_keys_of_its_own() {
    let district = District::with_medical_assistance().await;
    let hospital = district.partner(HOSPITAL).await;
    let other = district.partner(OTHER_HOSPITAL).await;
    let key = new_key();
    for asked in [&hospital, &other] {
        let patient = district.person("李小明", &[Category::Dibao]).await;
        let reply = asked.settle_under(&key, &bill(&patient)).await.done("settle");
        assert_eq!(reply.at("settle.replayed"), &json!(false));
    }
    assert_eq!(district.database.rows("settlement").await, 2);
    let result = async |asked: &Partner| asked.operation(&key).await.fine().text("operation.result.id");
    assert_ne!(result(&hospital).await, result(&other).await);
}

#[tokio::test]
async fn a_refusal_is_an_answer_that_is_kept() {
    let district = District::with_medical_assistance().await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let hospital = district.partner(HOSPITAL).await;
    let posted = bill(&patient).stay("2016-06-01", "2016-06-16");
    let key = new_key();
    let refused = hospital.settle_under(&key, &posted).await.fine();
    assert_eq!(refused.refusals("settle"), ["DATE_OUT_OF_RANGE"]);
    district.set_time("2016-06-20T02:00:00Z");
    let again = hospital.settle_under(&key, &posted).await.fine();
    assert_eq!(again.at("settle.replayed"), &json!(true));
    assert_eq!(again.at("settle.userErrors"), refused.at("settle.userErrors"));
    assert_eq!(
        again.text("settle.userErrors.0.message"),
        "dischargedOn must not be after today, 2016-06-15."
    );
    assert_eq!(district.database.rows("settlement").await, 0);
    hospital.settle(&posted).await.done("settle");
    let still = hospital.settle_under(&key, &posted).await.fine();
    assert_eq!(still.at("settle.userErrors"), refused.at("settle.userErrors"));
}

#[tokio::test]
async fn what_is_wrong_with_the_request_itself_burns_no_key() {
    let district = District::with_medical_assistance().await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let hospital = district.partner(HOSPITAL).await;
    let key = new_key();
    let bad = hospital.settle_under(&key, &bill(&patient).with("totalCost", "20000.001")).await;
    assert_eq!(bad.error(), "BAD_USER_INPUT");
    let reading = district.partner_with(HOSPITAL, &[Scope::CoverageRead, Scope::SettlementRead]).await;
    let forbidden = reading.settle_under(&key, &bill(&patient)).await;
    assert_eq!(forbidden.error(), "FORBIDDEN");
    assert_eq!(forbidden.body["errors"][0]["extensions"]["scope"], json!("SETTLEMENT_WRITE"));
    assert_eq!(hospital.operation(&key).await.fine().at("operation"), &Value::Null);
    assert_eq!(district.database.requests().await, 0);
    let reply = hospital.settle_under(&key, &bill(&patient)).await.done("settle");
    assert_eq!(reply.at("settle.replayed"), &json!(false));
    for key in ["", " ", "键", &"k".repeat(129)] {
        assert_eq!(hospital.settle_under(key, &bill(&patient)).await.error(), "BAD_USER_INPUT", "{key:?}");
    }
}

#[tokio::test]
async fn a_replay_shows_the_settlement_as_it_is_now() {
    let district = District::with_medical_assistance().await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let hospital = district.partner(HOSPITAL).await;
    let (key, posted) = (new_key(), bill(&patient));
    let first = hospital.settle_under(&key, &posted).await.done("settle");
    hospital.reverse(&first.text("settle.settlement.id")).await.done("reverseSettlement");
    let again = hospital.settle_under(&key, &posted).await.done("settle");
    assert_eq!(again.at("settle.replayed"), &json!(true));
    assert_eq!(again.at("settle.settlement.id"), first.at("settle.settlement.id"));
    assert_eq!(again.text("settle.settlement.status"), "REVERSED");
    assert_eq!(district.database.rows("settlement").await, 1, "a replay settles nothing anew");
}

#[tokio::test]
async fn twenty_identical_settlements_at_once_are_one() {
    let district = District::with_medical_assistance().await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let hospital = district.partner(HOSPITAL).await;
    let input = json!({ "key": new_key(), "bill": bill(&patient).0 });
    let replies = join_all((0..20).map(|_| hospital.settle_with(input.clone()))).await;
    let fresh = replies.iter().filter(|reply| reply.at("settle.replayed") == &json!(false)).count();
    assert_eq!(fresh, 1);
    let first = replies[0].clone().done("settle").at("settle.settlement").clone();
    for reply in replies {
        assert_eq!(reply.done("settle").at("settle.settlement"), &first);
    }
    assert_eq!(district.database.rows("settlement").await, 1);
    assert_eq!(hospital.left(&patient, "2016-06-15").await.1, json!("5040.00"));
}

#[tokio::test]
async fn twenty_identical_sales_at_once_are_one() {
    let district = District::new().await;
    let card = district.card("200.00").await;
    let shop = district.partner(SHOP).await;
    let other = district.partner(OTHER_SHOP).await;
    let post = sale(&card, "30.00", "R1");
    let replies = join_all((0..20).map(|_| shop.redeem(post.clone()))).await;
    let fresh = replies.iter().filter(|reply| reply.at("redeemAidCard.replayed") == &json!(false)).count();
    assert_eq!(fresh, 1);
    let first = replies[0].clone().done("redeemAidCard").at("redeemAidCard.redemption").clone();
    for reply in replies {
        assert_eq!(reply.done("redeemAidCard").at("redeemAidCard.redemption"), &first);
    }
    assert_eq!(other.balance(&card).await, "170.00");
    let id = first["id"].as_str().unwrap();
    let key = new_key();
    let replies = join_all((0..20).map(|_| shop.refund_under(&key, id, Some("5.00")))).await;
    for reply in &replies {
        let reply = reply.clone().done("refundRedemption");
        assert_eq!(reply.text("refundRedemption.redemption.refunded"), "5.00");
    }
    let fresh = replies.iter().filter(|reply| reply.at("refundRedemption.replayed") == &json!(false)).count();
    assert_eq!(fresh, 1);
    assert_eq!(other.balance(&card).await, "175.00");
}

#[tokio::test]
async fn a_sale_sent_again_after_the_card_was_emptied_or_a_day_later_gives_its_first_answer() {
    let district = District::new().await;
    let card = district.card("200.00").await;
    let shop = district.partner(SHOP).await;
    let post = sale(&card, "120.00", "R1");
    let first = shop.redeem(post.clone()).await.done("redeemAidCard");
    let again = shop.redeem(post.clone()).await.done("redeemAidCard");
    assert_eq!(again.at("redeemAidCard.redemption"), first.at("redeemAidCard.redemption"));
    shop.sell(&card, "80.00", "R2").await;
    district.set_time("2016-06-17T02:00:00Z");
    district.database.change("UPDATE aid_card SET balance = 50000").await;
    let later = shop.redeem(post).await.done("redeemAidCard");
    assert_eq!(later.at("redeemAidCard.replayed"), &json!(true));
    assert_eq!(later.at("redeemAidCard.redemption"), first.at("redeemAidCard.redemption"));
    assert_eq!(later.text("redeemAidCard.card.balance"), "500.00");
    assert_eq!(district.database.rows("redemption").await, 2);
}

#[tokio::test]
async fn a_partner_learns_what_became_of_its_own_keys() {
    let district = District::with_medical_assistance().await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let hospital = district.partner(HOSPITAL).await;
    let other = district.partner(OTHER_HOSPITAL).await;
    let (done, refused, voided, never) = (new_key(), new_key(), new_key(), new_key());
    let id = hospital.settle_under(&done, &bill(&patient)).await.done("settle").text("settle.settlement.id");
    hospital.settle_under(&refused, &bill(&patient)).await.fine();
    let void = new_key();
    hospital.void_under(&void, &voided).await.done("voidOperation");
    let at = "2016-06-15T02:00:00.000000Z";
    let operation = async |key: &str| hospital.operation(key).await.fine().at("operation").clone();
    assert_eq!(
        operation(&done).await,
        json!({ "key": done, "mutation": "settle", "status": "SUCCEEDED", "at": at, "voidedBy": null,
            "result": { "id": id }, "userErrors": [] })
    );
    assert_eq!(
        operation(&refused).await,
        json!({ "key": refused, "mutation": "settle", "status": "REJECTED", "at": at, "voidedBy": null, "result": null,
            "userErrors": [{ "code": "OVERLAPPING_STAY", "field": ["bill", "admittedOn"],
                "message": "The stay overlaps another one of this person that is already settled." }] })
    );
    let blocked = operation(&voided).await;
    assert_eq!(blocked["status"], json!("VOIDED"));
    assert_eq!(blocked["voidedBy"], json!(void));
    assert_eq!(operation(&void).await["mutation"], json!("voidOperation"));
    assert_eq!(operation(&never).await, Value::Null);
    for key in [&done, &refused, &voided, &void, &never] {
        assert_eq!(other.operation(key).await.fine().at("operation"), &Value::Null);
    }
}
