//! No register can be walked: a door is shut to whoever is wrong too often, for what is right, too.

use chrono::TimeDelta;
use entity::kinds::Category;
use serde_json::json;

use crate::harness::district::{HOSPITAL, OTHER_HOSPITAL, OTHER_SHOP, SHOP};
use crate::harness::hospital::bill;
use crate::harness::till::sale;
use crate::harness::{Bill, District};

/// A well-formed number of a card that nobody has.
fn unknown_card(serial: u32) -> String {
    entity::CardNumber::compose(2016, 102, 9, serial).unwrap().expose().to_owned()
}

#[tokio::test]
async fn a_shop_that_guesses_card_numbers_is_stopped() {
    let district = District::new().await;
    let card = district.card("100.00").await;
    let shop = district.partner(SHOP).await;
    for serial in 0..29 {
        assert!(shop.card(&unknown_card(serial)).await.fine().at("aidCard").is_null());
    }
    let sold = shop.redeem(sale(&unknown_card(99), "1.00", "R0")).await.fine();
    assert_eq!(sold.refusals("redeemAidCard"), ["NOT_FOUND"]);
    let shut = shop.card(&card).await;
    assert_eq!(shut.error(), "THROTTLED");
    assert_eq!(shut.body["errors"][0]["extensions"]["retryAfter"], json!(600));
    let sale = sale(&card, "1.00", "R1");
    assert_eq!(shop.redeem(sale.clone()).await.error(), "THROTTLED", "for the right number, too");
    let other = district.partner(OTHER_SHOP).await;
    assert_eq!(other.balance(&card).await, "100.00", "another shop is not concerned");
    district.wait(TimeDelta::minutes(10));
    shop.redeem(sale).await.done("redeemAidCard");
    assert_eq!(shop.balance(&card).await, "99.00");
}

#[tokio::test]
async fn a_shop_that_guesses_slowly_is_stopped_for_the_day() {
    let district = District::new().await;
    let card = district.card("100.00").await;
    let shop = district.partner(SHOP).await;
    for serial in 0..300 {
        if serial % 30 == 0 {
            district.wait(TimeDelta::minutes(10));
        }
        assert!(shop.card(&unknown_card(serial)).await.fine().at("aidCard").is_null());
    }
    district.wait(TimeDelta::minutes(11));
    assert_eq!(shop.card(&card).await.error(), "THROTTLED");
    district.wait(TimeDelta::days(1));
    assert_eq!(shop.balance(&card).await, "100.00");
}

#[tokio::test]
async fn a_hospital_that_guesses_the_name_to_a_number_is_stopped_for_that_number() {
    let district = District::with_medical_assistance().await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let other = district.person("王小红", &[Category::Dibao]).await;
    let hospital = district.partner(HOSPITAL).await;
    for guess in 0..8 {
        let reply = hospital.coverage(&patient.national_id, &format!("李{guess}"), None).await.fine();
        assert_eq!(reply.at("coverage.reason"), &json!("NOT_FOUND"));
    }
    let misnamed = Bill::of(&patient.national_id, "李小红");
    assert_eq!(hospital.settle(&misnamed).await.fine().refusals("settle"), ["NOT_FOUND"]);
    assert_eq!(hospital.preview(&misnamed).await.fine().refusals("settlementPreview"), ["NOT_FOUND"]);
    let right = bill(&patient);
    assert_eq!(hospital.coverage(&patient.national_id, &patient.name, None).await.error(), "THROTTLED");
    assert_eq!(hospital.preview(&right).await.error(), "THROTTLED");
    assert_eq!(hospital.settle(&right).await.error(), "THROTTLED");
    let covered = hospital.coverage(&other.national_id, &other.name, None).await.fine();
    assert_eq!(covered.at("coverage.covered"), &json!(true), "other patients do not wait for it");
    let elsewhere = district.partner(OTHER_HOSPITAL).await;
    assert_eq!(
        elsewhere.coverage(&patient.national_id, &patient.name, None).await.fine().at("coverage.covered"),
        &json!(true)
    );
    district.wait(TimeDelta::days(1));
    hospital.settle(&right).await.done("settle");
}

#[tokio::test]
async fn without_a_patient_nothing_is_told_of_other_hospitals() {
    let district = District::with_medical_assistance().await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let (hospital, other) = (district.partner(HOSPITAL).await, district.partner(OTHER_HOSPITAL).await);
    let posted = bill(&patient).with("insurerSettlementId", "SETL-1").with("invoiceNumber", "INV-1");
    hospital.settle(&posted).await.done("settle");
    let of_nobody = Bill::of("419999197001010014", "无名氏")
        .with("insurerSettlementId", "SETL-1")
        .with("invoiceNumber", "INV-1");
    assert_eq!(other.preview(&of_nobody).await.fine().refusals("settlementPreview"), ["NOT_FOUND"]);
    let mut own = hospital.preview(&of_nobody).await.fine().refusals("settlementPreview");
    own.sort();
    assert_eq!(own, ["DUPLICATE_STAY", "DUPLICATE_STAY", "NOT_FOUND"], "its own numbers it knows");
}
