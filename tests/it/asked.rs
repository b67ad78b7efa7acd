//! No list of numbers can be walked: a partner asks for so many different people and cards in a day, and so often for one.

use chrono::TimeDelta;
use entity::kinds::Category;
use entity::{CardNumber, NationalId};
use onestop::access::{Bounds, Slice};
use onestop::error::Error;

use crate::harness::District;
use crate::harness::district::{HOSPITAL, OTHER_HOSPITAL, Resident, SHOP};
use crate::harness::hospital::bill;

async fn bounded(district: &District, code: &str, bounds: Bounds) -> Slice {
    let token = district.partner(code).await.token;
    district.gate.clone().bounded(bounds).enter(&token).await.unwrap()
}

/// Whether a patient was found; nothing when the door is shut.
async fn check(slice: &Slice, number: &str, name: &str) -> Option<bool> {
    let number = NationalId::parse(number).unwrap();
    match slice.desk().unwrap().patient(&number, name).await {
        Ok(found) => Some(found.is_some()),
        Err(Error::Throttled { .. }) => None,
        Err(error) => panic!("{error:?}"),
    }
}

async fn check_of(slice: &Slice, patient: &Resident) -> Option<bool> {
    check(slice, &patient.national_id, &patient.name).await
}

#[tokio::test]
async fn a_hospital_asks_for_so_many_different_patients_in_a_day() {
    let district = District::new().await;
    let mut people = Vec::new();
    for name in ["李小明", "王小红", "张小华"] {
        people.push(district.person(name, &[]).await);
    }
    let slice = bounded(&district, HOSPITAL, Bounds { patients: 2, ..Bounds::default() }).await;
    assert_eq!(check_of(&slice, &people[0]).await, Some(true));
    assert_eq!(check_of(&slice, &people[1]).await, Some(true));
    assert_eq!(check_of(&slice, &people[2]).await, None, "one too many");
    assert_eq!(
        check(&slice, "419999197001010014", "无名氏").await,
        None,
        "who is not there is answered alike"
    );
    assert_eq!(check_of(&slice, &people[0]).await, Some(true), "who was asked for is answered on");
    district.wait(TimeDelta::days(1));
    assert_eq!(check_of(&slice, &people[2]).await, Some(true));
}

#[tokio::test]
async fn a_hospital_asks_so_often_for_one_patient_in_an_hour_and_settles_all_the_same() {
    let district = District::with_medical_assistance().await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let hospital = district.partner(HOSPITAL).await;
    for _ in 0..60 {
        hospital.coverage(&patient.national_id, &patient.name, None).await.fine();
    }
    let shut = hospital.coverage(&patient.national_id, &patient.name, None).await;
    assert_eq!(shut.error(), "THROTTLED");
    assert_eq!(shut.body["errors"][0]["extensions"]["retryAfter"], serde_json::json!(3600));
    assert_eq!(hospital.preview(&bill(&patient)).await.error(), "THROTTLED", "a preview is a check, too");
    hospital.settle(&bill(&patient)).await.done("settle");
    let elsewhere = district.partner(OTHER_HOSPITAL).await;
    elsewhere.coverage(&patient.national_id, &patient.name, None).await.fine();
    district.wait(TimeDelta::hours(1));
    hospital.coverage(&patient.national_id, &patient.name, None).await.fine();
}

#[tokio::test]
async fn a_shop_asks_for_so_many_different_cards_in_a_day() {
    let district = District::new().await;
    let [first, second] = [district.card("1.00").await, district.card("2.00").await];
    let slice = bounded(&district, SHOP, Bounds { cards: 1, ..Bounds::default() }).await;
    let balance = async |number: &str| {
        let number = CardNumber::parse(number).unwrap();
        match slice.card_at_the_counter(&number).await {
            Ok(card) => Some(card.is_some()),
            Err(Error::Throttled { .. }) => None,
            Err(error) => panic!("{error:?}"),
        }
    };
    assert_eq!(balance(&first).await, Some(true));
    assert_eq!(balance(&second).await, None);
    let unknown = CardNumber::compose(2016, 102, 9, 7).unwrap().expose().to_owned();
    assert_eq!(balance(&unknown).await, None, "who is not there is answered alike");
    assert_eq!(balance(&first).await, Some(true));
    district.wait(TimeDelta::days(1));
    assert_eq!(balance(&second).await, Some(true));
}
