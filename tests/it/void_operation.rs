//! `voidOperation`: a request of unknown outcome is undone, or never happens; its key never answers anything else again.

use entity::kinds::Category;
use serde_json::{Value, json};

use crate::harness::district::{DPF, HOSPITAL, OFFICE, OTHER_HOSPITAL, OTHER_SHOP, SHOP, day};
use crate::harness::hospital::bill;
use crate::harness::partner::{Partner, new_key};
use crate::harness::till::sale;
use crate::harness::{Bill, District, Policy, Reply};

fn key_voided() -> [(String, String); 1] {
    [("KEY_VOIDED".into(), "key".into())]
}

async fn district() -> District {
    let district = District::new().await;
    district.policy(Policy::medical(&district).annual_cap("30000.00")).await;
    district
}

async fn late(hospital: &Partner, key: &str, bill: &Bill) {
    let reply = hospital.settle_under(key, bill).await.fine();
    assert_eq!(reply.refusals_at("settle"), key_voided());
    assert_eq!(reply.at("settle.settlement"), &Value::Null);
    assert_eq!(reply.at("settle.calculation"), &Value::Null);
    assert_eq!(reply.at("settle.replayed"), &json!(false));
}

fn refused(reply: Reply, code: &str) {
    let reply = reply.fine();
    assert_eq!(reply.refusals_at("voidOperation"), [(code.into(), "operationKey".into())], "{}", reply.body);
    assert_eq!(reply.at("voidOperation.operation"), &Value::Null);
}

#[tokio::test]
async fn a_settlement_that_was_executed_is_reversed() {
    let district = district().await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let hospital = district.partner(HOSPITAL).await;
    let (key, void, posted) = (new_key(), new_key(), bill(&patient));
    let id = hospital.settle_under(&key, &posted).await.done("settle").text("settle.settlement.id");
    let reply = hospital.void_under(&void, &key).await.done("voidOperation");
    let operation = json!({ "key": key, "mutation": "settle", "status": "VOIDED", "voidedBy": void,
        "result": { "id": id }, "userErrors": [] });
    assert_eq!(reply.at("voidOperation.operation"), &operation);
    assert_eq!(reply.at("voidOperation.replayed"), &json!(false));
    let found = hospital.settlement(json!({ "id": id })).await.fine();
    assert_eq!(found.text("settlement.status"), "REVERSED");
    assert_eq!(found.text("settlement.reversalReason"), "no answer");
    assert_eq!(hospital.left(&patient, "2016-06-15").await.2, json!("30000.00"));
    late(&hospital, &key, &posted).await;
    late(&hospital, &key, &bill(&patient)).await;
    hospital.settle(&posted).await.done("settle");
    late(&hospital, &key, &posted).await;
}

#[tokio::test]
async fn a_settlement_that_had_not_arrived_never_happens() {
    let district = district().await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let hospital = district.partner(HOSPITAL).await;
    let (key, void, posted) = (new_key(), new_key(), bill(&patient));
    let reply = hospital.void_under(&void, &key).await.done("voidOperation");
    let operation = reply.at("voidOperation.operation").clone();
    assert_eq!(operation["key"], json!(key));
    assert_eq!(operation["status"], json!("VOIDED"));
    assert_eq!(operation["voidedBy"], json!(void));
    assert_eq!(operation["result"], Value::Null);
    late(&hospital, &key, &posted).await;
    late(&hospital, &key, &posted).await;
    for table in ["settlement", "settlement_part", "entitlement_use"] {
        assert_eq!(district.database.rows(table).await, 0, "{table}");
    }
    hospital.settle(&posted).await.done("settle");
}

#[tokio::test]
async fn a_refused_request_stays_refused_and_its_key_is_blocked() {
    let district = district().await;
    let hospital = district.partner(HOSPITAL).await;
    let (key, void) = (new_key(), new_key());
    let posted = Bill::of("419999197001010014", "李小明");
    assert_eq!(hospital.settle_under(&key, &posted).await.fine().refusals("settle"), ["NOT_FOUND"]);
    let reply = hospital.void_under(&void, &key).await.done("voidOperation");
    let operation = json!({ "key": key, "mutation": "settle", "status": "REJECTED", "voidedBy": void,
        "result": null, "userErrors": [{ "code": "NOT_FOUND" }] });
    assert_eq!(reply.at("voidOperation.operation"), &operation);
    late(&hospital, &key, &posted).await;
}

#[tokio::test]
async fn a_request_is_voided_once_however_often_it_is_asked() {
    let district = district().await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let hospital = district.partner(HOSPITAL).await;
    let (done, coming) = (new_key(), new_key());
    hospital.settle_under(&done, &bill(&patient)).await.done("settle");
    for key in [&done, &coming] {
        let (first, second) = (new_key(), new_key());
        let voided = hospital.void_under(&first, key).await.done("voidOperation");
        let again = hospital.void_under(&first, key).await.done("voidOperation");
        assert_eq!(again.at("voidOperation.replayed"), &json!(true));
        assert_eq!(again.at("voidOperation.operation"), voided.at("voidOperation.operation"));
        let anew = hospital.void_under(&second, key).await.done("voidOperation");
        assert_eq!(anew.at("voidOperation.replayed"), &json!(false));
        assert_eq!(anew.text("voidOperation.operation.voidedBy"), first);
        let other = hospital.void_under(&first, &new_key()).await.fine();
        assert_eq!(other.refusals_at("voidOperation"), [("KEY_REUSED".into(), "key".into())]);
    }
    assert_eq!(hospital.left(&patient, "2016-06-15").await.1, json!("0.00"));
}

#[tokio::test]
async fn voids_and_reversals_cannot_be_voided() {
    let district = district().await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let hospital = district.partner(HOSPITAL).await;
    let (key, void) = (new_key(), new_key());
    hospital.void_under(&void, &key).await.done("voidOperation");
    refused(hospital.void(&void).await, "NOT_VOIDABLE");
    late(&hospital, &key, &bill(&patient)).await;
    let id = hospital.settle(&bill(&patient)).await.done("settle").text("settle.settlement.id");
    let reversal = new_key();
    let input = json!({ "key": reversal, "settlementId": id, "reason": "billed twice" });
    hospital.act("reverseSettlement", input.clone(), "settlement { id }").await.done("reverseSettlement");
    refused(hospital.void(&reversal).await, "NOT_VOIDABLE");
    let again = hospital.act("reverseSettlement", input, "settlement { id }").await.done("reverseSettlement");
    assert_eq!(again.at("reverseSettlement.replayed"), &json!(true));
    assert_eq!(hospital.operation(&reversal).await.fine().text("operation.status"), "SUCCEEDED");
}

#[tokio::test]
async fn a_void_has_a_key_of_its_own_and_a_reason() {
    let district = district().await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let hospital = district.partner(HOSPITAL).await;
    let own = new_key();
    refused(hospital.void_under(&own, &own).await, "INVALID");
    let (done, also_done) = (new_key(), new_key());
    hospital.settle_under(&done, &bill(&patient)).await.done("settle");
    hospital.settle_under(&also_done, &bill(&patient).stay("2016-05-10", "2016-05-11")).await.done("settle");
    let blank = json!({ "key": new_key(), "operationKey": done, "reason": " " });
    let reply = hospital.act("voidOperation", blank, "operation { key }").await.fine();
    assert_eq!(reply.refusals_at("voidOperation"), [("INVALID".into(), "reason".into())]);
    let reply = hospital.void_under(&also_done, &done).await.fine();
    assert_eq!(reply.refusals_at("voidOperation"), [("KEY_REUSED".into(), "key".into())]);
    for key in [&done, &also_done] {
        assert_eq!(hospital.operation(key).await.fine().text("operation.status"), "SUCCEEDED");
    }
    assert_eq!(hospital.left(&patient, "2016-06-15").await.1, json!("10080.00"));
}

#[tokio::test]
async fn another_partners_key_is_blocked_among_ones_own_and_nowhere_else() {
    let district = district().await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let hospital = district.partner(HOSPITAL).await;
    let other = district.partner(OTHER_HOSPITAL).await;
    let (key, posted) = (new_key(), bill(&patient));
    let id = hospital.settle_under(&key, &posted).await.done("settle").text("settle.settlement.id");
    let theirs = other.void(&key).await.done("voidOperation");
    let never_seen = other.void(&new_key()).await.done("voidOperation");
    let without_keys = |reply: &Reply| {
        let mut operation = reply.at("voidOperation.operation").clone();
        for field in ["key", "voidedBy"] {
            operation.as_object_mut().unwrap().remove(field);
        }
        operation
    };
    assert_eq!(without_keys(&theirs), without_keys(&never_seen));
    let found = hospital.settlement(json!({ "id": id })).await.fine();
    assert_eq!(found.text("settlement.status"), "SETTLED");
    let again = hospital.settle_under(&key, &posted).await.done("settle");
    assert_eq!(again.at("settle.replayed"), &json!(true));
    late(&other, &key, &bill(&patient)).await;
}

#[tokio::test]
async fn a_settlement_reversed_meanwhile_is_only_blocked() {
    let district = district().await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let hospital = district.partner(HOSPITAL).await;
    let (key, posted) = (new_key(), bill(&patient));
    let id = hospital.settle_under(&key, &posted).await.done("settle").text("settle.settlement.id");
    hospital.reverse(&id).await.done("reverseSettlement");
    hospital.void(&key).await.done("voidOperation");
    let found = hospital.settlement(json!({ "id": id })).await.fine();
    assert_eq!(found.text("settlement.reversalReason"), "billed twice");
    assert_eq!(hospital.left(&patient, "2016-06-15").await.2, json!("30000.00"));
    late(&hospital, &key, &posted).await;
}

#[tokio::test]
async fn a_sale_is_given_back_whole_or_never_made() {
    let district = District::new().await;
    let card = district.card("200.00").await;
    let shop = district.partner(SHOP).await;
    let post = sale(&card, "80.00", "R1");
    let key = post["key"].as_str().unwrap();
    let id = shop.redeem(post.clone()).await.done("redeemAidCard").text("redeemAidCard.redemption.id");
    shop.refund(&id, Some("30.00")).await.done("refundRedemption");
    let reply = shop.void(key).await.done("voidOperation");
    assert_eq!(reply.text("voidOperation.operation.status"), "VOIDED");
    assert_eq!(reply.text("voidOperation.operation.result.id"), id);
    assert_eq!(shop.balance(&card).await, "200.00");
    let redemption = shop.redemption(json!({ "id": id })).await.fine();
    assert_eq!(redemption.text("redemption.status"), "REFUNDED");
    assert_eq!(redemption.text("redemption.refunded"), "80.00");
    let coming = sale(&card, "10.00", "R2");
    shop.void(coming["key"].as_str().unwrap()).await.done("voidOperation");
    for late in [post, coming] {
        let reply = shop.redeem(late).await.fine();
        assert_eq!(reply.refusals_at("redeemAidCard"), key_voided());
        assert_eq!(reply.at("redeemAidCard.card"), &Value::Null);
    }
    assert_eq!(shop.balance(&card).await, "200.00");
    assert_eq!(district.database.rows("redemption").await, 1);
}

#[tokio::test]
async fn a_till_whose_sale_was_voided_rings_up_the_same_receipt_again() {
    let district = District::new().await;
    let card = district.card("200.00").await;
    let shop = district.partner(SHOP).await;
    let sale =
        |key: &str| json!({ "key": key, "cardNumber": card, "amount": "30.00", "receiptNumber": "R1" });
    shop.redeem(sale("lost")).await.done("redeemAidCard");
    shop.void("lost").await.done("voidOperation");
    assert_eq!(shop.balance(&card).await, "200.00");
    shop.redeem(sale("again")).await.done("redeemAidCard");
    assert_eq!(shop.redeem(sale("twice")).await.refusals("redeemAidCard"), ["DUPLICATE_RECEIPT"]);
    assert_eq!(shop.balance(&card).await, "170.00");
}

#[tokio::test]
async fn a_sale_from_a_card_that_has_expired_goes_back_to_the_fund() {
    let district = District::new().await;
    let card = district.card_that("200.00", |card| card.expires_on = day("2016-06-15")).await;
    let shop = district.partner(SHOP).await;
    let post = sale(&card, "80.00", "R1");
    shop.redeem(post.clone()).await.done("redeemAidCard");
    district.set_time("2016-06-16T02:00:00Z");
    shop.void(post["key"].as_str().unwrap()).await.done("voidOperation");
    assert_eq!(shop.balance(&card).await, "120.00");
    let to_the_fund = "SELECT count(*) FROM refund WHERE credited_card_id IS NULL AND amount = 8000";
    assert_eq!(district.database.number(to_the_fund).await, 1);
}

#[tokio::test]
async fn a_refund_is_taken_back_or_never_made() {
    let district = District::new().await;
    let card = district.card("200.00").await;
    let shop = district.partner(SHOP).await;
    let id = shop.sell(&card, "80.00", "R1").await;
    let (first, second, coming) = (new_key(), new_key(), new_key());
    shop.refund_under(&first, &id, Some("30.00")).await.done("refundRedemption");
    shop.refund_under(&second, &id, None).await.done("refundRedemption");
    let state = async || {
        let found = shop.redemption(json!({ "id": id })).await.fine();
        (found.text("redemption.status"), found.text("redemption.refunded"), shop.balance(&card).await)
    };
    let is = |status: &str, refunded: &str, balance: &str| (status.into(), refunded.into(), balance.into());
    assert_eq!(state().await, is("REFUNDED", "80.00", "200.00"));
    shop.void(&first).await.done("voidOperation");
    assert_eq!(state().await, is("PARTLY_REFUNDED", "50.00", "170.00"));
    shop.void(&second).await.done("voidOperation");
    assert_eq!(state().await, is("REDEEMED", "0.00", "120.00"));
    shop.void(&coming).await.done("voidOperation");
    for (key, amount) in [(&first, Some("30.00")), (&second, None), (&coming, None)] {
        let reply = shop.refund_under(key, &id, amount).await.fine();
        assert_eq!(reply.refusals_at("refundRedemption"), key_voided());
        assert_eq!(reply.at("refundRedemption.redemption"), &Value::Null);
    }
    assert_eq!(state().await, is("REDEEMED", "0.00", "120.00"));
    shop.refund(&id, None).await.done("refundRedemption");
    assert_eq!(state().await, is("REFUNDED", "80.00", "200.00"));
}

#[tokio::test]
async fn a_refund_that_was_spent_cannot_be_taken_back() {
    let district = District::new().await;
    let card = district.card("100.00").await;
    let shop = district.partner(SHOP).await;
    let other = district.partner(OTHER_SHOP).await;
    let id = shop.sell(&card, "80.00", "R1").await;
    let key = new_key();
    shop.refund_under(&key, &id, None).await.done("refundRedemption");
    let spent = other.sell(&card, "20.01", "R1").await;
    refused(shop.void(&key).await, "INSUFFICIENT_BALANCE");
    assert_eq!(shop.operation(&key).await.fine().text("operation.status"), "SUCCEEDED");
    let again = shop.refund_under(&key, &id, None).await.done("refundRedemption");
    assert_eq!(again.at("refundRedemption.replayed"), &json!(true));
    assert_eq!(shop.balance(&card).await, "79.99");
    other.refund(&spent, Some("0.01")).await.done("refundRedemption");
    shop.void(&key).await.done("voidOperation");
    assert_eq!(shop.balance(&card).await, "0.00");
}

#[tokio::test]
async fn a_sale_and_its_refund_are_both_voided_in_either_order() {
    let district = District::new().await;
    let shop = district.partner(SHOP).await;
    for (receipt, sale_first) in [("R1", true), ("R2", false)] {
        let card = district.card("200.00").await;
        let post = sale(&card, "80.00", receipt);
        let (sold, refund) = (post["key"].as_str().unwrap().to_owned(), new_key());
        let id = shop.redeem(post).await.done("redeemAidCard").text("redeemAidCard.redemption.id");
        shop.refund_under(&refund, &id, Some("30.00")).await.done("refundRedemption");
        let keys = if sale_first { [&sold, &refund] } else { [&refund, &sold] };
        for key in keys {
            shop.void(key).await.done("voidOperation");
            assert_eq!(shop.operation(key).await.fine().text("operation.status"), "VOIDED");
        }
        assert_eq!(shop.balance(&card).await, "200.00", "sale first: {sale_first}");
        let found = shop.redemption(json!({ "id": id })).await.fine();
        assert_eq!(found.text("redemption.refunded"), "80.00");
        assert_eq!(found.text("redemption.status"), "REFUNDED");
    }
    let standing = "SELECT CAST(sum(amount) AS bigint) FROM refund WHERE voided_at IS NULL";
    assert_eq!(district.database.number(standing).await, 16_000);
}

#[tokio::test]
async fn a_void_under_the_key_of_a_refund_does_nothing() {
    let district = District::new().await;
    let card = district.card("200.00").await;
    let shop = district.partner(SHOP).await;
    let id = shop.sell(&card, "50.00", "R1").await;
    let post = sale(&card, "80.00", "R2");
    shop.redeem(post.clone()).await.done("redeemAidCard");
    let key = new_key();
    shop.refund_under(&key, &id, Some("10.00")).await.done("refundRedemption");
    let reply = shop.void_under(&key, post["key"].as_str().unwrap()).await.fine();
    assert_eq!(reply.refusals_at("voidOperation"), [("KEY_REUSED".into(), "key".into())]);
    assert_eq!(shop.balance(&card).await, "80.00");
}

fn request(key: &str, national_id: &str) -> Value {
    json!({
        "key": key,
        "receiver": { "code": DPF },
        "person": { "nationalId": national_id, "name": "王小红" },
        "reason": "wheelchair",
    })
}

#[tokio::test]
async fn a_referral_that_was_requested_is_cancelled_until_it_is_completed() {
    let district = District::new().await;
    let person = district.person("王小红", &[]).await;
    let office = district.partner(OFFICE).await;
    let federation = district.partner(DPF).await;
    let step = async |step: &str, id: &str| {
        let mut input = json!({ "key": new_key(), "referralId": id });
        if step == "completeReferral" {
            input["outcome"] = json!("given");
        }
        federation.act(step, input, "referral { status }").await.done(step);
    };
    for (steps, voidable) in [
        (&[][..], true),
        (&["acceptReferral", "startReferral"], true),
        (&["acceptReferral", "startReferral", "completeReferral"], false),
    ] {
        let key = new_key();
        let input = request(&key, &person.national_id);
        let requested =
            office.act("requestReferral", input.clone(), "referral { id }").await.done("requestReferral");
        let id = requested.text("requestReferral.referral.id");
        for taken in steps {
            step(taken, &id).await;
        }
        let reply = office.void(&key).await;
        match voidable {
            true => drop(reply.done("voidOperation")),
            false => refused(reply, "ILLEGAL_TRANSITION"),
        }
        let query = "query($id: ID!) { referral(by: { id: $id }) { status } }";
        let found = office.ask(query, json!({ "id": id })).await.fine();
        assert_eq!(found.text("referral.status"), if voidable { "CANCELLED" } else { "COMPLETED" });
        let late = office.act("requestReferral", input, "referral { id }").await.fine();
        match voidable {
            true => assert_eq!(late.refusals_at("requestReferral"), key_voided()),
            false => assert_eq!(late.at("requestReferral.replayed"), &json!(true)),
        }
    }
    let rows = district.database.rows("referral").await;
    let coming = new_key();
    office.void(&coming).await.done("voidOperation");
    let input = request(&coming, &person.national_id);
    let late = office.act("requestReferral", input, "referral { id }").await.fine();
    assert_eq!(late.refusals_at("requestReferral"), key_voided());
    assert_eq!(district.database.rows("referral").await, rows);
}
