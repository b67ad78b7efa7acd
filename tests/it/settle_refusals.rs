//! `settle` and `settlementPreview`: why nothing is paid. Every refusal leaves everything as it was.

use entity::kinds::{Category, StayDate};
use entity::person_status;
use serde_json::{Value, json};

use crate::harness::district::{HOSPITAL, OTHER_HOSPITAL, Resident, day, new_id};
use crate::harness::hospital::bill;
use crate::harness::partner::{Partner, new_key};
use crate::harness::{Bill, District, Policy};

async fn written(district: &District) -> [i64; 3] {
    let mut rows = [0; 3];
    for (place, table) in ["settlement", "settlement_part", "entitlement_use"].into_iter().enumerate() {
        rows[place] = district.database.rows(table).await;
    }
    rows
}

/// Posts a bill that is refused, and asks for its preview: the same reasons at the same places, and nothing is written but
/// the kept answer.
async fn refused(district: &District, hospital: &Partner, bill: &Bill, reasons: &[(&str, &str)]) {
    let before = written(district).await;
    let operations = district.database.requests().await;
    let expected: Vec<(String, String)> =
        reasons.iter().map(|(code, path)| ((*code).into(), format!("bill.{path}"))).collect();
    let preview = hospital.preview(bill).await.fine();
    assert_eq!(preview.refusals_at("settlementPreview"), expected, "{}", preview.body);
    assert_eq!(preview.at("settlementPreview.calculation"), &Value::Null);
    assert_eq!(district.database.requests().await, operations, "a preview keeps nothing");
    let settled = hospital.settle(bill).await.fine();
    assert_eq!(settled.refusals_at("settle"), expected, "{}", settled.body);
    assert_eq!(settled.at("settle.settlement"), &Value::Null);
    assert_eq!(settled.at("settle.calculation"), &Value::Null);
    assert_eq!(settled.at("settle.replayed"), &json!(false));
    assert_eq!(written(district).await, before);
    assert_eq!(district.database.requests().await, operations + 1, "the refusal is kept");
}

async fn dibao(district: &District) -> Resident {
    district.person("李小明", &[Category::Dibao]).await
}

#[tokio::test]
async fn amounts_that_contradict_each_other() {
    let district = District::with_medical_assistance().await;
    let patient = dibao(&district).await;
    let hospital = district.partner(HOSPITAL).await;
    let add_up = "AMOUNTS_DO_NOT_ADD_UP";
    for (field, amount, path) in [
        ("totalCost", "20000.01", "totalCost"),
        ("totalCost", "19999.99", "totalCost"),
        ("inScope", "17000.01", "totalCost"),
        ("fullySelfPaid", "1499.99", "totalCost"),
        ("overLimitSelfPaid", "0.00", "totalCost"),
        ("upfrontSelfPaid", "1200.01", "totalCost"),
        ("basicInsurancePaid", "20000.01", "basicInsurancePaid"),
        ("seriousIllnessInsurancePaid", "10200.01", "seriousIllnessInsurancePaid"),
        ("otherFundsPaid", "10200.01", "otherFundsPaid"),
        ("commercialInsurancePaid", "10200.01", "commercialInsurancePaid"),
        ("hospitalWaiver", "10200.01", "hospitalWaiver"),
        ("otherAssistancePaid", "10200.01", "otherAssistancePaid"),
    ] {
        refused(&district, &hospital, &bill(&patient).with(field, amount), &[(add_up, path)]).await;
    }
    let paid_in_full = bill(&patient).with("commercialInsurancePaid", "10200.00");
    let reply = hospital.settle(&paid_in_full).await.done("settle");
    assert_eq!(reply.text("settle.settlement.personalBurden"), "0.00");
}

#[tokio::test]
async fn a_bill_of_nothing() {
    let district = District::with_medical_assistance().await;
    let patient = dibao(&district).await;
    let hospital = district.partner(HOSPITAL).await;
    let nothing = bill(&patient).all_in_scope("0.00");
    refused(&district, &hospital, &nothing, &[("INVALID", "totalCost")]).await;
}

#[tokio::test]
async fn the_sentence_says_both_sums() {
    let district = District::with_medical_assistance().await;
    let patient = dibao(&district).await;
    let hospital = district.partner(HOSPITAL).await;
    let query = "query($bill: BillInput!) { settlementPreview(bill: $bill) { userErrors { message } } }";
    let variables = json!({ "bill": bill(&patient).with("totalCost", "20000.01").0 });
    let english = hospital.ask_in("en", query, variables.clone()).await.fine();
    assert_eq!(
        english.text("settlementPreview.userErrors.0.message"),
        "totalCost 20000.01 must equal fullySelfPaid + overLimitSelfPaid + upfrontSelfPaid + inScope = 20000.00."
    );
    let chinese = hospital.ask_in("zh-CN", query, variables).await.fine();
    assert_eq!(
        chinese.text("settlementPreview.userErrors.0.message"),
        "医疗费总额 20000.01 应等于全自费、超限价自费、先行自付与政策范围内之和 20000.00。"
    );
}

#[tokio::test]
async fn dates_that_cannot_be() {
    let district = District::with_medical_assistance().await;
    let patient = dibao(&district).await;
    let hospital = district.partner(HOSPITAL).await;
    let stay = |from: &str, to: &str| bill(&patient).stay(from, to);
    let out_of_range = "DATE_OUT_OF_RANGE";
    refused(&district, &hospital, &stay("2016-05-11", "2016-05-10"), &[(out_of_range, "admittedOn")]).await;
    refused(&district, &hospital, &stay("2016-06-01", "2016-06-16"), &[(out_of_range, "dischargedOn")]).await;
    district.set_time("2016-06-15T15:59:59Z");
    refused(&district, &hospital, &stay("2016-06-01", "2016-06-16"), &[(out_of_range, "dischargedOn")]).await;
    district.set_time("2016-06-15T16:00:00Z");
    hospital.settle(&stay("2016-06-01", "2016-06-16")).await.done("settle");
}

#[tokio::test]
async fn an_invoice_has_one_live_settlement_per_hospital() {
    let district = District::with_medical_assistance().await;
    let (patient, another) = (dibao(&district).await, dibao(&district).await);
    let hospital = district.partner(HOSPITAL).await;
    let first = bill(&patient);
    hospital.settle(&first).await.done("settle");
    let invoice = first.0["invoiceNumber"].clone();
    let same = bill(&another).with("invoiceNumber", invoice);
    refused(&district, &hospital, &same, &[("DUPLICATE_STAY", "invoiceNumber")]).await;
    let other = district.partner(OTHER_HOSPITAL).await;
    other.settle(&same).await.done("settle");
}

#[tokio::test]
async fn an_insurer_settlement_has_one_live_settlement_at_all() {
    let district = District::with_medical_assistance().await;
    let (patient, another) = (dibao(&district).await, dibao(&district).await);
    let first = bill(&patient);
    district.partner(HOSPITAL).await.settle(&first).await.done("settle");
    let insurer_id = first.0["insurerSettlementId"].clone();
    let same = bill(&another).with("insurerSettlementId", insurer_id);
    for code in [HOSPITAL, OTHER_HOSPITAL] {
        let hospital = district.partner(code).await;
        refused(&district, &hospital, &same, &[("DUPLICATE_STAY", "insurerSettlementId")]).await;
    }
}

#[tokio::test]
async fn stays_of_one_person_do_not_overlap() {
    let district = District::with_medical_assistance().await;
    let (patient, another) = (dibao(&district).await, dibao(&district).await);
    let hospital = district.partner(HOSPITAL).await;
    let other = district.partner(OTHER_HOSPITAL).await;
    hospital.settle(&bill(&patient).stay("2016-05-01", "2016-05-10")).await.done("settle");
    for (from, to) in [
        ("2016-05-01", "2016-05-10"),
        ("2016-04-20", "2016-05-02"),
        ("2016-05-09", "2016-05-20"),
        ("2016-05-03", "2016-05-03"),
        ("2016-04-01", "2016-06-01"),
        ("2016-05-01", "2016-05-01"),
    ] {
        for asked in [&hospital, &other] {
            let overlapping = bill(&patient).stay(from, to);
            refused(&district, asked, &overlapping, &[("OVERLAPPING_STAY", "admittedOn")]).await;
        }
    }
    other.settle(&bill(&another).stay("2016-05-01", "2016-05-10")).await.done("settle");
    other.settle(&bill(&patient).stay("2016-05-10", "2016-05-12")).await.done("settle");
    other.settle(&bill(&patient).stay("2016-04-20", "2016-05-01")).await.done("settle");
}

#[tokio::test]
async fn a_one_day_stay_takes_its_day() {
    let district = District::with_medical_assistance().await;
    let patient = dibao(&district).await;
    let hospital = district.partner(HOSPITAL).await;
    let one_day = || bill(&patient).stay("2016-05-10", "2016-05-10");
    hospital.settle(&one_day()).await.done("settle");
    refused(&district, &hospital, &one_day(), &[("OVERLAPPING_STAY", "admittedOn")]).await;
    let from_that_day = bill(&patient).stay("2016-05-10", "2016-05-12");
    refused(&district, &hospital, &from_that_day, &[("OVERLAPPING_STAY", "admittedOn")]).await;
    hospital.settle(&bill(&patient).stay("2016-05-11", "2016-05-11")).await.done("settle");
    hospital.settle(&bill(&patient).stay("2016-05-01", "2016-05-10")).await.done("settle");
}

#[tokio::test]
async fn an_agreement_is_judged_on_the_discharge_date() {
    let district = District::with_medical_assistance().await;
    let of_the_hospital = format!("partner_id = (SELECT id FROM partner WHERE code = '{HOSPITAL}')");
    let ended = format!(
        "UPDATE agreement SET valid_from = '2016-05-01', valid_to = '2016-05-10' WHERE {of_the_hospital}"
    );
    district.database.change(&ended).await;
    let of_the_other = format!(
        "DELETE FROM agreement WHERE partner_id = (SELECT id FROM partner WHERE code = '{OTHER_HOSPITAL}')"
    );
    district.database.change(&of_the_other).await;
    let patient = dibao(&district).await;
    let hospital = district.partner(HOSPITAL).await;
    let missing = [("NO_AGREEMENT", "dischargedOn")];
    refused(&district, &hospital, &bill(&patient).stay("2016-05-10", "2016-05-11"), &missing).await;
    refused(&district, &hospital, &bill(&patient).stay("2016-04-20", "2016-04-30"), &missing).await;
    let last_month = bill(&patient).stay("2016-04-30", "2016-05-10");
    hospital.settle(&last_month).await.done("settle");
    let other = district.partner(OTHER_HOSPITAL).await;
    refused(&district, &other, &bill(&patient).stay("2016-05-10", "2016-05-11"), &missing).await;
}

#[tokio::test]
async fn an_agreement_for_another_programme_is_none() {
    let district = District::with_medical_assistance().await;
    district.policy(Policy::veterans(&district).rate(3500)).await;
    let medical = "DELETE FROM agreement WHERE programme_id = (SELECT id FROM programme WHERE code = 'MEDICAL_ASSISTANCE')";
    district.database.change(medical).await;
    let hospital = district.partner(HOSPITAL).await;
    let patient = dibao(&district).await;
    refused(&district, &hospital, &bill(&patient), &[("NO_AGREEMENT", "dischargedOn")]).await;
    let veteran = district.person("王建国", &[Category::EntitledVeteran, Category::Dibao]).await;
    let reply = hospital.settle(&bill(&veteran)).await.done("settle");
    assert_eq!(reply.text("settle.settlement.assistance"), "2520.00");
}

#[tokio::test]
async fn a_patient_must_be_known_by_number_and_name() {
    let district = District::with_medical_assistance().await;
    let patient = dibao(&district).await;
    let hospital = district.partner(HOSPITAL).await;
    hospital.settle(&bill(&patient)).await.done("settle");
    let unknown = Bill::of("419999197001010014", "李小明");
    let mismatch = Bill::of(&patient.national_id, "李晓明");
    for nobody in [&unknown, &mismatch] {
        refused(&district, &hospital, nobody, &[("NOT_FOUND", "patient")]).await;
    }
    let one = hospital.settle(&unknown).await;
    let other = hospital.settle(&mismatch).await;
    assert_eq!(one.body, other.body, "a mismatch tells nothing of the person's stays");
}

async fn with_status(district: &District, change: impl FnOnce(&mut person_status::Model)) -> Resident {
    let person = district.person("李小明", &[]).await;
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
    person
}

#[tokio::test]
async fn a_patient_must_be_covered() {
    let district = District::with_medical_assistance().await;
    let hospital = district.partner(HOSPITAL).await;
    let uncovered = district.person("李小明", &[Category::LowIncome, Category::EntitledVeteran]).await;
    refused(&district, &hospital, &bill(&uncovered), &[("NOT_COVERED", "patient")]).await;
    let suspended = with_status(&district, |status| status.suspended_on = Some(day("2016-05-10"))).await;
    refused(&district, &hospital, &bill(&suspended), &[("SUSPENDED", "patient")]).await;
    let suspended_later =
        with_status(&district, |status| status.suspended_on = Some(day("2016-05-11"))).await;
    hospital.settle(&bill(&suspended_later)).await.done("settle");
    for (died, covered) in [("2016-04-30", false), ("2016-05-01", true), ("2016-05-10", true)] {
        let patient = district
            .person_who("李小明", &[Category::Dibao], |person| person.deceased_on = Some(day(died)))
            .await;
        match covered {
            true => drop(hospital.settle(&bill(&patient)).await.done("settle")),
            false => refused(&district, &hospital, &bill(&patient), &[("DECEASED", "patient")]).await,
        }
    }
}

#[tokio::test]
async fn a_third_party_pays_for_itself() {
    let district = District::with_medical_assistance().await;
    let patient = dibao(&district).await;
    let hospital = district.partner(HOSPITAL).await;
    let accident = bill(&patient).with("thirdPartyLiable", true);
    refused(&district, &hospital, &accident, &[("THIRD_PARTY_LIABLE", "thirdPartyLiable")]).await;
}

#[tokio::test]
async fn no_version_in_force_is_never_nothing_due() {
    let district = District::new().await;
    let policy = Policy::medical(&district).change(|version| {
        version.valid_from = day("2016-01-01");
        version.valid_to = Some(day("2016-05-31"));
    });
    district.policy(policy).await;
    let patient = dibao(&district).await;
    let hospital = district.partner(HOSPITAL).await;
    for (from, to) in [("2015-12-01", "2015-12-31"), ("2016-05-20", "2016-06-01")] {
        let stay = bill(&patient).stay(from, to);
        refused(&district, &hospital, &stay, &[("NO_POLICY_IN_FORCE", "dischargedOn")]).await;
    }
    hospital.settle(&bill(&patient).stay("2015-12-20", "2016-01-01")).await.done("settle");
    hospital.settle(&bill(&patient).stay("2016-05-20", "2016-05-31")).await.done("settle");
}

#[tokio::test]
async fn the_category_is_judged_on_the_date_that_the_policy_names() {
    for (date, gained_meanwhile, lost_meanwhile) in
        [(StayDate::Discharge, true, false), (StayDate::Admission, false, true)]
    {
        let district = District::new().await;
        district.policy(Policy::medical(&district).change(|version| version.category_date = date)).await;
        let hospital = district.partner(HOSPITAL).await;
        let gained = with_status(&district, |status| status.valid_from = day("2016-05-05")).await;
        let lost = with_status(&district, |status| status.valid_to = Some(day("2016-05-05"))).await;
        for (patient, covered) in [(gained, gained_meanwhile), (lost, lost_meanwhile)] {
            match covered {
                true => drop(hospital.settle(&bill(&patient)).await.done("settle")),
                false => refused(&district, &hospital, &bill(&patient), &[("NOT_COVERED", "patient")]).await,
            }
        }
    }
}

#[tokio::test]
async fn everything_wrong_with_a_bill_is_said_at_once() {
    let district = District::with_medical_assistance().await;
    let patient = dibao(&district).await;
    let hospital = district.partner(HOSPITAL).await;
    let first = bill(&patient);
    hospital.settle(&first).await.done("settle");
    let all_wrong = first
        .clone()
        .with("admissionNumber", "  ")
        .with("encounterId", "x".repeat(65))
        .with("totalCost", "100.00")
        .with("basicInsurancePaid", "200.00")
        .with("thirdPartyLiable", true);
    let reasons = [
        ("INVALID", "admissionNumber"),
        ("INVALID", "encounterId"),
        ("AMOUNTS_DO_NOT_ADD_UP", "totalCost"),
        ("AMOUNTS_DO_NOT_ADD_UP", "basicInsurancePaid"),
        ("THIRD_PARTY_LIABLE", "thirdPartyLiable"),
        ("DUPLICATE_STAY", "invoiceNumber"),
        ("DUPLICATE_STAY", "insurerSettlementId"),
        ("OVERLAPPING_STAY", "admittedOn"),
    ];
    refused(&district, &hospital, &all_wrong, &reasons).await;
    let nobody = Bill::of("419999197001010014", "李小明")
        .stay("2016-06-20", "2016-06-19")
        .with("invoiceNumber", first.0["invoiceNumber"].clone());
    let reasons = [
        ("DATE_OUT_OF_RANGE", "admittedOn"),
        ("DATE_OUT_OF_RANGE", "dischargedOn"),
        ("DUPLICATE_STAY", "invoiceNumber"),
        ("NOT_FOUND", "patient"),
    ];
    refused(&district, &hospital, &nobody, &reasons).await;
}

#[tokio::test]
async fn an_operator_is_stated_with_a_code() {
    let district = District::with_medical_assistance().await;
    let patient = dibao(&district).await;
    let hospital = district.partner(HOSPITAL).await;
    let operator = json!({ "code": " ", "name": "x".repeat(65) });
    let input =
        json!({ "key": new_key(), "bill": bill(&patient).with("totalCost", "1.00").0, "operator": operator });
    let reply = hospital.settle_with(input).await.fine();
    let places = reply.refusals_at("settle").into_iter().map(|(code, path)| format!("{code} {path}"));
    assert_eq!(
        places.collect::<Vec<_>>(),
        [
            "INVALID operator.code",
            "INVALID operator.name",
            "AMOUNTS_DO_NOT_ADD_UP bill.totalCost",
            "AMOUNTS_DO_NOT_ADD_UP bill.basicInsurancePaid",
        ]
    );
    let input =
        json!({ "key": new_key(), "bill": bill(&patient).0, "operator": { "code": "C07", "name": "张三" } });
    hospital.settle_with(input).await.done("settle");
    let kept = "SELECT count(*) FROM operation WHERE status = 'SUCCEEDED' AND operator_code = 'C07' AND operator_name = '张三'";
    assert_eq!(district.database.number(kept).await, 1);
}

#[tokio::test]
async fn what_a_scalar_can_judge_is_a_graphql_error_and_writes_nothing() {
    let district = District::with_medical_assistance().await;
    let patient = dibao(&district).await;
    let hospital = district.partner(HOSPITAL).await;
    for (field, value) in [
        ("totalCost", "-1.00"),
        ("totalCost", "20000.001"),
        ("totalCost", "20000"),
        ("admittedOn", "2016-02-30"),
        ("dischargedOn", "10.05.2016"),
    ] {
        let reply = hospital.settle(&bill(&patient).with(field, value)).await;
        assert_eq!(reply.error(), "BAD_USER_INPUT", "{field} {value}: {}", reply.body);
    }
    assert_eq!(written(&district).await, [0; 3]);
    assert_eq!(district.database.requests().await, 0);
}
