//! The three jobs, once each, from end to end.

use entity::kinds::Category;
use serde_json::json;

use crate::harness::district::{DPF, HOSPITAL, OFFICE, SHOP};
use crate::harness::partner::new_key;
use crate::harness::{Bill, District};

#[tokio::test]
async fn a_hospital_settles_at_discharge() {
    let district = District::with_medical_assistance().await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let hospital = district.partner(HOSPITAL).await;
    let coverage = hospital
        .ask(
            "query($id: NationalId!, $name: String!) { coverage(nationalId: $id, name: $name) { covered reason patientName entitlements { programme { code } capLeft usedThisYear } } }",
            json!({ "id": patient.national_id, "name": patient.name }),
        )
        .await
        .fine();
    assert_eq!(coverage.at("coverage.covered"), &json!(true));
    assert_eq!(coverage.at("coverage.patientName"), &json!("李*明"));
    let input = json!({ "key": new_key(), "bill": Bill::of(&patient.national_id, &patient.name).0, "expectedAssistance": "5040.00" });
    let settled = hospital
        .act("settle", input.clone(), "settlement { id assistance personalBurden hospital { code } calculation { parts { paid steps { code label formula value } } } }")
        .await
        .done("settle");
    assert_eq!(settled.text("settle.settlement.assistance"), "5040.00");
    assert_eq!(settled.text("settle.settlement.personalBurden"), "5160.00");
    let again = hospital.act("settle", input, "settlement { id }").await.done("settle");
    assert_eq!(again.at("settle.replayed"), &json!(true));
    assert_eq!(again.text("settle.settlement.id"), settled.text("settle.settlement.id"));
}

#[tokio::test]
async fn a_shop_redeems_a_card() {
    let district = District::new().await;
    let card = district.card("200.00").await;
    let shop = district.partner(SHOP).await;
    let seen = shop
        .ask(
            "query($n: String!) { aidCard(number: $n) { balance status holderName number } }",
            json!({ "n": card }),
        )
        .await
        .fine();
    assert_eq!(seen.text("aidCard.balance"), "200.00");
    let input = json!({ "key": new_key(), "cardNumber": card, "amount": "49.90", "receiptNumber": "R1" });
    let redeemed = shop
        .act("redeemAidCard", input, "redemption { id balanceAfter } card { balance }")
        .await
        .done("redeemAidCard");
    assert_eq!(redeemed.text("redeemAidCard.redemption.balanceAfter"), "150.10");
    let input = json!({ "key": new_key(), "redemptionId": redeemed.text("redeemAidCard.redemption.id"), "reason": "returned" });
    let refunded = shop
        .act("refundRedemption", input, "redemption { status refunded } card { balance }")
        .await
        .done("refundRedemption");
    assert_eq!(refunded.text("refundRedemption.card.balance"), "200.00");
}

#[tokio::test]
async fn an_office_refers_a_person_to_the_federation() {
    let district = District::new().await;
    let person = district.person("王小红", &[]).await;
    let office = district.partner(OFFICE).await;
    let federation = district.partner(DPF).await;
    let input = json!({
        "key": new_key(),
        "receiver": { "code": DPF },
        "person": { "nationalId": person.national_id, "name": person.name },
        "reason": "wheelchair",
    });
    let requested = office
        .act(
            "requestReferral",
            input,
            "referral { id number status person { name idNumber area } allowedSteps }",
        )
        .await
        .done("requestReferral");
    let id = requested.text("requestReferral.referral.id");
    let seen = federation
        .ask("{ referrals(first: 5) { totalCount nodes { id status person { name area idNumber } events(first: 3) { nodes { status actor { code } } } allowedSteps } } }", json!({}))
        .await
        .fine();
    assert_eq!(seen.text("referrals.nodes.0.id"), id);
    for (step, input) in [
        ("acceptReferral", json!({ "key": new_key(), "referralId": id })),
        ("startReferral", json!({ "key": new_key(), "referralId": id })),
        ("completeReferral", json!({ "key": new_key(), "referralId": id, "outcome": "given" })),
    ] {
        federation.act(step, input, "referral { status }").await.done(step);
    }
    let ended = federation.ask("query($id: ID!) { referral(by: { id: $id }) { status outcome person { name } events { nodes { status } } } }", json!({ "id": id })).await.fine();
    assert_eq!(ended.text("referral.status"), "COMPLETED");
    assert!(ended.at("referral.person").is_null());
}
