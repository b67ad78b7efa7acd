//! A token that may only write still reads what its own acts wrote, and nothing else.

use entity::kinds::{Category, Scope};
use serde_json::json;

use crate::harness::district::{CF, DPF, HOSPITAL, OFFICE, SHOP};
use crate::harness::partner::new_key;
use crate::harness::{Bill, District};

#[tokio::test]
async fn a_hospital_that_may_only_settle_reverses_and_asks_again() {
    let district = District::with_medical_assistance().await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let hospital = district.partner_with(HOSPITAL, &[Scope::SettlementWrite]).await;
    let input = json!({ "key": new_key(), "bill": Bill::of(&patient.national_id, &patient.name).0 });
    let first = hospital.act("settle", input.clone(), "settlement { id assistance }").await.done("settle");
    let again = hospital.act("settle", input, "settlement { id assistance }").await.done("settle");
    assert_eq!(again.at("settle.settlement"), first.at("settle.settlement"));
    assert_eq!(again.at("settle.replayed"), &json!(true));
    let id = first.text("settle.settlement.id");
    let reversal = json!({ "key": new_key(), "settlementId": id, "reason": "wrong invoice" });
    let reversed = hospital.act("reverseSettlement", reversal, "settlement { status }").await;
    assert_eq!(reversed.done("reverseSettlement").text("reverseSettlement.settlement.status"), "REVERSED");
    let list = hospital.ask("{ settlements { nodes { id } } }", json!({})).await;
    assert_eq!(list.error(), "FORBIDDEN");
    assert_eq!(list.body["errors"][0]["extensions"]["scope"], json!("SETTLEMENT_READ"));
    assert!(list.at("settlements").is_null());
}

#[tokio::test]
async fn a_hospital_that_may_only_write_voids_what_it_wrote_of_either_kind() {
    let district = District::with_medical_assistance().await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let hospital = district.partner_with(HOSPITAL, &[Scope::SettlementWrite, Scope::ReferralWrite]).await;
    let (settled, requested) = (new_key(), new_key());
    let bill = json!({ "key": settled, "bill": Bill::of(&patient.national_id, &patient.name).0 });
    hospital.act("settle", bill, "settlement { id }").await.done("settle");
    let request = json!({
        "key": requested, "receiver": { "code": DPF }, "reason": "wheelchair",
        "person": { "nationalId": patient.national_id, "name": patient.name },
    });
    hospital.act("requestReferral", request, "referral { id }").await.done("requestReferral");
    for (key, kind) in [(settled, "Settlement"), (requested, "Referral")] {
        let void = json!({ "key": new_key(), "operationKey": key, "reason": "no answer came" });
        let voided = hospital.act("voidOperation", void, "operation { status result { __typename } }").await;
        let operation = json!({ "status": "VOIDED", "result": { "__typename": kind } });
        assert_eq!(voided.done("voidOperation").at("voidOperation.operation"), &operation);
        let asked = "query($key: IdempotencyKey!) { operation(key: $key) { status result { __typename } } }";
        let known = hospital.ask(asked, json!({ "key": key })).await.fine();
        assert_eq!(known.at("operation"), &operation, "whoever may act may learn what became of it");
    }
}

#[tokio::test]
async fn an_owner_that_may_only_appropriate_is_told_the_budget() {
    let district = District::new().await;
    let owner = district.partner_with(CF, &[Scope::BudgetWrite]).await;
    let input = json!({ "key": new_key(), "programmeCode": "CHARITY_CARD", "year": 2016, "amount": "5.00" });
    let given = owner.act("appropriate", input, "budget { year }").await.done("appropriate");
    assert_eq!(given.at("appropriate.budget.year"), &json!(2016));
    assert_eq!(owner.ask("{ budgets(year: 2016) { year } }", json!({})).await.error(), "FORBIDDEN");
}

#[tokio::test]
async fn a_till_that_may_only_redeem_refunds_and_asks_again() {
    let district = District::new().await;
    let card = district.card("200.00").await;
    let till = district.partner_with(SHOP, &[Scope::CardRedeem]).await;
    let input = json!({ "key": new_key(), "cardNumber": card, "amount": "50.00", "receiptNumber": "R1" });
    let sold = till.act("redeemAidCard", input.clone(), "redemption { id } card { balance }").await;
    let id = sold.done("redeemAidCard").text("redeemAidCard.redemption.id");
    let again = till.act("redeemAidCard", input, "redemption { id } card { balance }").await;
    assert_eq!(again.done("redeemAidCard").text("redeemAidCard.card.balance"), "150.00");
    let refund = json!({ "key": new_key(), "redemptionId": id, "reason": "broken" });
    let refunded = till.act("refundRedemption", refund, "card { balance }").await;
    assert_eq!(refunded.done("refundRedemption").text("refundRedemption.card.balance"), "200.00");
    let look = till.ask("query($n: String!) { aidCard(number: $n) { balance } }", json!({ "n": card })).await;
    assert_eq!(look.error(), "FORBIDDEN");
}

#[tokio::test]
async fn a_federation_that_may_only_take_steps_sees_what_they_made() {
    let district = District::new().await;
    let person = district.person("王小红", &[]).await;
    let office = district.partner_with(OFFICE, &[Scope::ReferralWrite]).await;
    let federation = district.partner_with(DPF, &[Scope::ReferralWrite]).await;
    let request = json!({
        "key": new_key(), "receiver": { "code": DPF }, "reason": "wheelchair",
        "person": { "nationalId": person.national_id, "name": person.name },
    });
    let shape = "referral { id status events(first: 5) { nodes { status } } }";
    let sent = office.act("requestReferral", request, shape).await.done("requestReferral");
    let step = json!({ "key": new_key(), "referralId": sent.text("requestReferral.referral.id") });
    let accepted = federation.act("acceptReferral", step, shape).await.done("acceptReferral");
    assert_eq!(accepted.at("acceptReferral.referral.events.nodes").as_array().unwrap().len(), 2);
    assert_eq!(federation.ask("{ referrals { nodes { id } } }", json!({})).await.error(), "FORBIDDEN");
}
