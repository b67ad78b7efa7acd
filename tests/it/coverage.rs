//! `coverage`: who is covered, by what, and how much is left.

use entity::kinds::{Category, DeductibleMode};
use entity::person_status;
use serde_json::{Value, json};

use crate::harness::district::{HOSPITAL, OTHER_HOSPITAL, Resident, day, fen, new_id};
use crate::harness::hospital::bill;
use crate::harness::{District, Policy};

fn refused(reason: &str, patient_name: Value) -> Value {
    json!({ "covered": false, "reason": reason, "patientName": patient_name, "entitlements": [] })
}

async fn lay_status(district: &District, person: &Resident, change: impl FnOnce(&mut person_status::Model)) {
    let mut status = person_status::Model {
        id: new_id(),
        person_id: person.id,
        category: Category::Dibao,
        valid_from: day("2015-01-01"),
        valid_to: None,
        suspended_on: None,
    };
    change(&mut status);
    district.lay::<person_status::Entity>(vec![status]).await;
}

#[tokio::test]
async fn a_name_that_does_not_match_answers_like_an_unknown_number() {
    let district = District::with_medical_assistance().await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let hospital = district.partner(HOSPITAL).await;
    let unknown = hospital.coverage("419999197001010014", "李小明", None).await.fine();
    let mismatch = hospital.coverage(&patient.national_id, "李晓明", None).await.fine();
    assert_eq!(unknown.at("coverage"), &refused("NOT_FOUND", Value::Null));
    assert_eq!(unknown.body, mismatch.body);
    for no_name in ["", " ", "·"] {
        let nobody = hospital.coverage(&patient.national_id, no_name, None).await.fine();
        assert_eq!(nobody.body, unknown.body, "{no_name:?}");
    }
    let covered = hospital.coverage(&patient.national_id, "李小明", None).await.fine();
    assert_eq!(covered.at("coverage.covered"), &json!(true));
    assert_eq!(covered.at("coverage.reason"), &Value::Null);
}

#[tokio::test]
async fn names_are_compared_without_spaces_in_one_width_and_one_middle_dot() {
    let district = District::with_medical_assistance().await;
    let uyghur = district.person("买买提·吐尔逊", &[Category::Dibao]).await;
    let latin = district.person("Anna Li", &[Category::Dibao]).await;
    let hospital = district.partner(HOSPITAL).await;
    for name in
        ["买买提·吐尔逊", " 买买提 • 吐尔逊 ", "买买提・吐尔逊", "买买提．吐尔逊", "买买提.吐\u{3000}尔逊"]
    {
        let reply = hospital.coverage(&uyghur.national_id, name, None).await.fine();
        assert_eq!(reply.at("coverage.covered"), &json!(true), "{name:?}");
        assert_eq!(reply.text("coverage.patientName"), "买*****逊", "{name:?}");
    }
    for name in ["Anna Li", "ＡｎｎａＬｉ", "ANNA\u{3000}LI"] {
        let reply = hospital.coverage(&latin.national_id, name, None).await.fine();
        assert_eq!(reply.at("coverage.covered"), &json!(true), "{name:?}");
    }
    for name in ["买买提吐尔逊", "买买提", "Anna L"] {
        for person in [&uyghur, &latin] {
            let reply = hospital.coverage(&person.national_id, name, None).await.fine();
            assert_eq!(reply.at("coverage.reason"), &json!("NOT_FOUND"), "{name:?}");
        }
    }
}

#[tokio::test]
async fn an_id_number_is_judged_before_anybody_is_looked_up() {
    let district = District::with_medical_assistance().await;
    let patient = district.person_who("李小明", &[Category::Dibao], |_| {}).await;
    let hospital = district.partner(HOSPITAL).await;
    let mistyped = format!("{}{}", &patient.national_id[..16], "99");
    for number in [mistyped.as_str(), "41999919500101", "", "419999195013010014"] {
        let reply = hospital.coverage(number, "李小明", None).await;
        assert_eq!(reply.error(), "BAD_USER_INPUT", "{number:?}: {}", reply.body);
        assert!(!reply.body.to_string().contains("李小明"), "{}", reply.body);
    }
}

#[tokio::test]
async fn why_somebody_known_is_not_covered() {
    let district = District::with_medical_assistance().await;
    let hospital = district.partner(HOSPITAL).await;
    let shown = json!("李*明");

    let uncovered = district.person("李小明", &[Category::LowIncome]).await;
    let reply = hospital.coverage(&uncovered.national_id, &uncovered.name, None).await.fine();
    assert_eq!(reply.at("coverage"), &refused("NOT_COVERED", shown.clone()));

    let suspended = district.person("李小明", &[]).await;
    lay_status(&district, &suspended, |status| status.suspended_on = Some(day("2016-06-15"))).await;
    let reply = hospital.coverage(&suspended.national_id, &suspended.name, None).await.fine();
    assert_eq!(reply.at("coverage"), &refused("SUSPENDED", shown.clone()));
    let eve = hospital.coverage(&suspended.national_id, &suspended.name, Some("2016-06-14")).await.fine();
    assert_eq!(eve.at("coverage.covered"), &json!(true), "the day before the suspension");

    let lost = district.person("李小明", &[]).await;
    lay_status(&district, &lost, |status| status.valid_to = Some(day("2016-06-14"))).await;
    let reply = hospital.coverage(&lost.national_id, &lost.name, None).await.fine();
    assert_eq!(reply.at("coverage"), &refused("NOT_COVERED", shown.clone()));
    let last = hospital.coverage(&lost.national_id, &lost.name, Some("2016-06-14")).await.fine();
    assert_eq!(last.at("coverage.covered"), &json!(true), "the last day counts");

    let dead = district
        .person_who("李小明", &[Category::Dibao], |person| person.deceased_on = Some(day("2016-06-14")))
        .await;
    let reply = hospital.coverage(&dead.national_id, &dead.name, None).await.fine();
    assert_eq!(reply.at("coverage"), &refused("DECEASED", shown.clone()));
    let alive = hospital.coverage(&dead.national_id, &dead.name, Some("2016-06-14")).await.fine();
    assert_eq!(alive.at("coverage.covered"), &json!(true), "admitted on the day of death");

    let covered = district.person("李小明", &[Category::Dibao]).await;
    let reply = hospital.coverage(&covered.national_id, &covered.name, Some("2014-12-31")).await.fine();
    assert_eq!(reply.at("coverage"), &refused("NO_POLICY_IN_FORCE", shown));
}

#[tokio::test]
async fn a_hospital_without_an_agreement_cannot_settle() {
    let district = District::with_medical_assistance().await;
    district
        .database
        .change(&format!(
            "UPDATE agreement SET valid_to = '2016-05-31' WHERE partner_id = (SELECT id FROM partner WHERE code = '{HOSPITAL}')"
        ))
        .await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let hospital = district.partner(HOSPITAL).await;
    let reply = hospital.coverage(&patient.national_id, &patient.name, None).await.fine();
    assert_eq!(reply.at("coverage"), &refused("NO_AGREEMENT", json!("李*明")));
    let last_day = hospital.coverage(&patient.national_id, &patient.name, Some("2016-05-31")).await.fine();
    assert_eq!(last_day.at("coverage.covered"), &json!(true));
    let other = district.partner(OTHER_HOSPITAL).await;
    let reply = other.coverage(&patient.national_id, &patient.name, None).await.fine();
    assert_eq!(reply.at("coverage.covered"), &json!(true), "the other hospital's agreement goes on");
}

#[tokio::test]
async fn every_programme_that_covers_is_listed_in_stacking_order() {
    let district = District::new().await;
    district.policy(Policy::medical(&district).annual_cap("30000.00")).await;
    district.policy(Policy::veterans(&district).rate(3500)).await;
    let patient = district.person("李小明", &[Category::Dibao, Category::EntitledVeteran]).await;
    let hospital = district.partner(HOSPITAL).await;
    let reply = hospital.coverage(&patient.national_id, &patient.name, None).await.fine();
    let entitlement = |code: &str, cap: Value| {
        json!({
            "programme": { "code": code },
            "policyVersion": { "validFrom": "2015-01-01" },
            "deductibleLeft": "0.00",
            "annualCap": cap,
            "usedThisYear": "0.00",
            "capLeft": cap,
        })
    };
    assert_eq!(
        reply.at("coverage.entitlements"),
        &json!([
            entitlement("VETERAN_REIMBURSEMENT", Value::Null),
            entitlement("MEDICAL_ASSISTANCE", json!("30000.00")),
        ])
    );
}

#[tokio::test]
async fn what_is_left_follows_settlements_and_reversals_of_every_hospital() {
    let district = District::new().await;
    let annual = Policy::medical(&district).annual_cap("6000.00").change(|version| {
        version.deductible_mode = DeductibleMode::Annual;
        version.deductible = fen("500.00");
    });
    district.policy(annual).await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let hospital = district.partner(HOSPITAL).await;
    let other = district.partner(OTHER_HOSPITAL).await;
    let left =
        |of_deductible: &str, used: &str, of_cap: &str| (json!(of_deductible), json!(used), json!(of_cap));
    assert_eq!(other.left(&patient, "2016-06-15").await, left("500.00", "0.00", "6000.00"));

    let small = bill(&patient).all_in_scope("300.00").stay("2016-03-01", "2016-03-02");
    let first = hospital.settle(&small).await.done("settle");
    assert_eq!(first.text("settle.settlement.assistance"), "0.00");
    assert_eq!(other.left(&patient, "2016-06-15").await, left("200.00", "0.00", "6000.00"));

    let second = hospital.settle(&bill(&patient)).await.done("settle");
    assert_eq!(second.text("settle.settlement.assistance"), "4900.00");
    assert_eq!(other.left(&patient, "2016-06-15").await, left("0.00", "4900.00", "1100.00"));

    other.preview(&bill(&patient).stay("2016-06-01", "2016-06-02")).await.fine();
    assert_eq!(other.left(&patient, "2016-06-15").await, left("0.00", "4900.00", "1100.00"));

    hospital.reverse(&second.text("settle.settlement.id")).await.done("reverseSettlement");
    assert_eq!(other.left(&patient, "2016-06-15").await, left("200.00", "0.00", "6000.00"));
    hospital.reverse(&first.text("settle.settlement.id")).await.done("reverseSettlement");
    assert_eq!(other.left(&patient, "2016-06-15").await, left("500.00", "0.00", "6000.00"));
}

#[tokio::test]
async fn another_year_has_a_cap_of_its_own() {
    let district = District::new().await;
    district.policy(Policy::medical(&district).annual_cap("6000.00")).await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let hospital = district.partner(HOSPITAL).await;
    hospital.settle(&bill(&patient).stay("2015-12-20", "2015-12-31")).await.done("settle");
    let used = |used: &str, left: &str| (json!("0.00"), json!(used), json!(left));
    assert_eq!(hospital.left(&patient, "2015-12-31").await, used("5040.00", "960.00"));
    assert_eq!(hospital.left(&patient, "2016-01-01").await, used("0.00", "6000.00"));
}

#[tokio::test]
async fn a_deductible_per_stay_is_always_left_and_no_cap_is_null() {
    let district = District::new().await;
    let per_stay = Policy::medical(&district).change(|version| {
        version.deductible_mode = DeductibleMode::PerStay;
        version.deductible = fen("800.00");
    });
    district.policy(per_stay).await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let hospital = district.partner(HOSPITAL).await;
    assert_eq!(hospital.left(&patient, "2016-06-15").await, (json!("800.00"), json!("0.00"), Value::Null));
    let settled = hospital.settle(&bill(&patient)).await.done("settle");
    assert_eq!(settled.text("settle.settlement.assistance"), "4480.00");
    assert_eq!(hospital.left(&patient, "2016-06-15").await, (json!("800.00"), json!("4480.00"), Value::Null));
}
