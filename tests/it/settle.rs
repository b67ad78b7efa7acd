//! `settle` and `settlementPreview`: what is paid, to the fen, and how it is explained.

use entity::kinds::{Category, DeductibleMode, RateForm, Stacking, StayDate};
use serde_json::{Value, json};

use crate::harness::district::{HOSPITAL, OTHER_HOSPITAL, Resident, day, fen};
use crate::harness::hospital::bill;
use crate::harness::partner::new_key;
use crate::harness::{Bill, District, Policy, Reply};

async fn dibao(district: &District) -> Resident {
    district.person("李小明", &[Category::Dibao]).await
}

/// Settles the bill of DOMAIN.md §3 for a fresh patient; what is paid and what is left to the patient.
async fn worked(district: &District, change: impl FnOnce(Bill) -> Bill) -> (String, String) {
    let patient = dibao(district).await;
    let reply = district.partner(HOSPITAL).await.settle(&change(bill(&patient))).await.done("settle");
    amounts(&reply)
}

fn amounts(reply: &Reply) -> (String, String) {
    (reply.text("settle.settlement.assistance"), reply.text("settle.settlement.personalBurden"))
}

fn paid(assistance: &str, personal_burden: &str) -> (String, String) {
    (assistance.into(), personal_burden.into())
}

fn part(reply: &Reply, field: &str) -> Value {
    reply.at("settle.settlement.calculation.parts.0")[field].clone()
}

#[tokio::test]
async fn seventy_per_cent_of_what_insurance_left() {
    let district = District::new().await;
    district.policy(Policy::medical(&district).annual_cap("30000.00")).await;
    assert_eq!(worked(&district, |bill| bill).await, paid("5040.00", "5160.00"));
}

#[tokio::test]
async fn the_cap_pays_what_is_left_of_it_to_the_fen() {
    let district = District::new().await;
    district.policy(Policy::medical(&district).annual_cap("30000.00")).await;
    let patient = dibao(&district).await;
    let hospital = district.partner(HOSPITAL).await;
    let large = bill(&patient).all_in_scope("38571.43").stay("2016-02-01", "2016-02-20");
    let first = hospital.settle(&large).await.done("settle");
    assert_eq!(amounts(&first), paid("27000.00", "11571.43"));
    let second = hospital.settle(&bill(&patient)).await.done("settle");
    assert_eq!(amounts(&second), paid("3000.00", "7200.00"));
    assert_eq!(part(&second, "computed"), json!("5040.00"));
    assert_eq!(part(&second, "capLeftBefore"), json!("3000.00"));
    let readmitted = bill(&patient).stay("2016-05-10", "2016-05-12");
    let third = hospital.settle(&readmitted).await.done("settle");
    assert_eq!(amounts(&third), paid("0.00", "10200.00"));
    assert_eq!(part(&third, "capLeftBefore"), json!("0.00"));
}

#[tokio::test]
async fn an_annual_deductible_is_taken_once_a_year() {
    let district = District::new().await;
    let annual = Policy::medical(&district).change(|version| {
        version.deductible_mode = DeductibleMode::Annual;
        version.deductible = fen("500.00");
    });
    district.policy(annual).await;
    let patient = dibao(&district).await;
    let hospital = district.partner(HOSPITAL).await;
    let first = hospital.settle(&bill(&patient)).await.done("settle");
    assert_eq!(amounts(&first), paid("4690.00", "5510.00"));
    assert_eq!(part(&first, "deductibleApplied"), json!("500.00"));
    assert_eq!(part(&first, "eligibleAmount"), json!("6700.00"));
    let other = district.partner(OTHER_HOSPITAL).await;
    let second = other.settle(&bill(&patient).stay("2016-05-20", "2016-05-21")).await.done("settle");
    assert_eq!(amounts(&second), paid("5040.00", "5160.00"));
    let last_year = bill(&patient).stay("2015-05-20", "2015-05-21");
    let third = hospital.settle(&last_year).await.done("settle");
    assert_eq!(amounts(&third), paid("4690.00", "5510.00"));
}

#[tokio::test]
async fn a_deductible_per_stay_is_taken_every_time() {
    let district = District::new().await;
    let per_stay = Policy::medical(&district).change(|version| {
        version.deductible_mode = DeductibleMode::PerStay;
        version.deductible = fen("500.00");
    });
    district.policy(per_stay).await;
    let patient = dibao(&district).await;
    let hospital = district.partner(HOSPITAL).await;
    for stay in ["2016-05-01", "2016-05-02"] {
        let reply = hospital.settle(&bill(&patient).stay(stay, stay)).await.done("settle");
        assert_eq!(amounts(&reply), paid("4690.00", "5510.00"));
    }
}

const BANDS: [(&str, Option<&str>, i32); 2] = [("0.00", Some("5000.00"), 6000), ("5000.00", None, 8000)];

#[tokio::test]
async fn marginal_rates_spread_over_the_bands() {
    let district = District::new().await;
    district.policy(Policy::medical(&district).bands(RateForm::Marginal, &BANDS)).await;
    assert_eq!(worked(&district, |bill| bill).await, paid("4760.00", "5440.00"));
    assert_eq!(worked(&district, |bill| bill.all_in_scope("5000.00")).await, paid("3000.00", "2000.00"));
}

#[tokio::test]
async fn a_band_applies_to_all_of_the_amount_from_its_lower_edge_on() {
    let district = District::new().await;
    district.policy(Policy::medical(&district).bands(RateForm::Band, &BANDS)).await;
    assert_eq!(worked(&district, |bill| bill).await, paid("5760.00", "4440.00"));
    assert_eq!(worked(&district, |bill| bill.all_in_scope("4999.99")).await, paid("2999.99", "2000.00"));
    assert_eq!(worked(&district, |bill| bill.all_in_scope("5000.00")).await, paid("4000.00", "1000.00"));
}

#[tokio::test]
async fn half_a_fen_is_rounded_up_once() {
    let district = District::with_medical_assistance().await;
    assert_eq!(worked(&district, |bill| bill.all_in_scope("1.15")).await, paid("0.81", "0.34"));
    assert_eq!(worked(&district, |bill| bill.all_in_scope("0.05")).await, paid("0.04", "0.01"));
    assert_eq!(worked(&district, |bill| bill.all_in_scope("0.01")).await, paid("0.01", "0.00"));
}

#[tokio::test]
async fn everything_that_others_paid_lowers_the_base() {
    let district = District::with_medical_assistance().await;
    let others = |bill: Bill| {
        bill.with("seriousIllnessInsurancePaid", "1000.00")
            .with("otherFundsPaid", "500.00")
            .with("commercialInsurancePaid", "300.00")
            .with("hospitalWaiver", "200.00")
            .with("otherAssistancePaid", "100.00")
    };
    assert_eq!(worked(&district, others).await, paid("3570.00", "4530.00"));
    let insured = |bill: Bill| bill.with("basicInsurancePaid", "18000.00");
    assert_eq!(worked(&district, insured).await, paid("0.00", "2000.00"));
}

#[tokio::test]
async fn upfront_costs_and_the_cap_per_stay_are_the_policys() {
    let district = District::new().await;
    let policy = Policy::medical(&district).change(|version| {
        version.includes_upfront = true;
        version.per_stay_cap = Some(fen("6000.00"));
    });
    district.policy(policy).await;
    assert_eq!(worked(&district, |bill| bill).await, paid("5880.00", "4320.00"));
    assert_eq!(worked(&district, |bill| bill.all_in_scope("10000.00")).await, paid("6000.00", "4000.00"));
}

async fn veteran_on_dibao(district: &District) -> Resident {
    district.person("王建国", &[Category::EntitledVeteran, Category::Dibao]).await
}

#[tokio::test]
async fn sequential_stacking_pays_the_second_of_what_the_first_left() {
    let district = District::new().await;
    district.policy(Policy::veterans(&district).rate(3500)).await;
    district.policy(Policy::medical(&district)).await;
    district.stacking(Stacking::Sequential).await;
    let patient = veteran_on_dibao(&district).await;
    let reply = district.partner(HOSPITAL).await.settle(&bill(&patient)).await.done("settle");
    assert_eq!(amounts(&reply), paid("5796.00", "4404.00"));
    let parts = reply.at("settle.settlement.calculation.parts").as_array().unwrap();
    let of = |field: &str| parts.iter().map(|part| part[field].clone()).collect::<Vec<_>>();
    assert_eq!(of("paid"), ["2520.00", "3276.00"]);
    assert_eq!(of("base"), ["7200.00", "4680.00"]);
    assert_eq!(
        parts.iter().map(|part| part["programme"]["code"].clone()).collect::<Vec<_>>(),
        ["VETERAN_REIMBURSEMENT", "MEDICAL_ASSISTANCE"]
    );
}

#[tokio::test]
async fn without_a_rule_the_programme_that_pays_most_after_caps_pays_alone() {
    let district = District::new().await;
    district.policy(Policy::veterans(&district).rate(3500)).await;
    district.policy(Policy::medical(&district).annual_cap("6000.00")).await;
    let patient = veteran_on_dibao(&district).await;
    let hospital = district.partner(HOSPITAL).await;
    let first = hospital.settle(&bill(&patient)).await.done("settle");
    assert_eq!(amounts(&first), paid("5040.00", "5160.00"));
    assert_eq!(part(&first, "programme"), json!({ "code": "MEDICAL_ASSISTANCE" }));
    assert_eq!(first.at("settle.settlement.calculation.parts").as_array().unwrap().len(), 1);
    let second = hospital.settle(&bill(&patient).stay("2016-05-10", "2016-05-20")).await.done("settle");
    assert_eq!(amounts(&second), paid("2520.00", "7680.00"));
    assert_eq!(part(&second, "programme"), json!({ "code": "VETERAN_REIMBURSEMENT" }));
}

#[tokio::test]
async fn a_tie_goes_to_the_lower_order() {
    let district = District::new().await;
    district.policy(Policy::medical(&district)).await;
    district.policy(Policy::veterans(&district).rate(7000)).await;
    let patient = veteran_on_dibao(&district).await;
    let reply = district.partner(HOSPITAL).await.settle(&bill(&patient)).await.done("settle");
    assert_eq!(part(&reply, "programme"), json!({ "code": "VETERAN_REIMBURSEMENT" }));
}

#[tokio::test]
async fn the_version_in_force_on_the_discharge_date_is_used_and_named() {
    let district = District::new().await;
    let old =
        Policy::medical(&district).rate(6000).change(|version| version.valid_to = Some(day("2015-12-31")));
    let new = Policy::medical(&district).change(|version| version.valid_from = day("2016-01-01"));
    let old_id = onestop::page::type_id(district.policy(old).await);
    let new_id = onestop::page::type_id(district.policy(new).await);
    let hospital = district.partner(HOSPITAL).await;
    for (admitted, discharged, assistance, id) in [
        ("2015-12-20", "2015-12-31", "4320.00", old_id.as_str()),
        ("2015-12-20", "2016-01-01", "5040.00", new_id.as_str()),
    ] {
        let patient = dibao(&district).await;
        let reply = hospital.settle(&bill(&patient).stay(admitted, discharged)).await.done("settle");
        assert_eq!(reply.text("settle.settlement.assistance"), assistance);
        assert_eq!(part(&reply, "policyVersion")["id"], json!(id));
    }
}

#[tokio::test]
async fn a_stay_over_new_year_belongs_whole_to_the_year_that_the_policy_names() {
    for (year_date, year, used_then, used_later) in
        [(StayDate::Discharge, 2016, "0.00", "5040.00"), (StayDate::Admission, 2015, "5040.00", "0.00")]
    {
        let district = District::new().await;
        let policy = Policy::medical(&district).annual_cap("6000.00");
        district.policy(policy.change(|version| version.year_date = year_date)).await;
        let patient = dibao(&district).await;
        let hospital = district.partner(HOSPITAL).await;
        let reply = hospital.settle(&bill(&patient).stay("2015-12-20", "2016-01-05")).await.done("settle");
        assert_eq!(part(&reply, "benefitYear"), json!(year));
        assert_eq!(hospital.left(&patient, "2015-12-31").await.1, json!(used_then));
        assert_eq!(hospital.left(&patient, "2016-01-05").await.1, json!(used_later));
    }
}

#[tokio::test]
async fn a_settlement_carries_what_was_posted() {
    let district = District::with_medical_assistance().await;
    let patient = dibao(&district).await;
    let hospital = district.partner(HOSPITAL).await;
    let key = new_key();
    let posted = bill(&patient);
    let reply = hospital.settle_under(&key, &posted).await.done("settle");
    let mut settlement = reply.at("settle.settlement").clone();
    let fields = settlement.as_object_mut().unwrap();
    fields.remove("calculation");
    let id = fields.remove("id").unwrap();
    assert!(id.as_str().unwrap().starts_with("settlement_"), "{id}");
    assert_eq!(
        settlement,
        json!({
            "status": "SETTLED",
            "channel": "ONE_STOP",
            "key": key,
            "hospital": { "code": HOSPITAL },
            "patientName": "李*明",
            "admissionNumber": posted.0["admissionNumber"],
            "invoiceNumber": posted.0["invoiceNumber"],
            "insurerSettlementId": posted.0["insurerSettlementId"],
            "admittedOn": "2016-05-01",
            "dischargedOn": "2016-05-10",
            "totalCost": "20000.00",
            "assistance": "5040.00",
            "personalBurden": "5160.00",
            "settledAt": "2016-06-15T02:00:00.000000Z",
            "reversedAt": null,
            "reversalReason": null,
            "recalculationDue": false,
        })
    );
    assert_eq!(reply.at("settle.replayed"), &json!(false));
    assert_eq!(reply.at("settle.calculation"), &Value::Null);
}

#[tokio::test]
async fn a_preview_writes_nothing_and_equals_the_settlement() {
    let district = District::new().await;
    district.policy(Policy::veterans(&district).rate(3500)).await;
    district.policy(Policy::medical(&district).bands(RateForm::Marginal, &BANDS).annual_cap("9000.00")).await;
    district.stacking(Stacking::Sequential).await;
    let patient = veteran_on_dibao(&district).await;
    let hospital = district.partner(HOSPITAL).await;
    let posted = bill(&patient);
    let preview = hospital.preview(&posted).await.done("settlementPreview");
    for table in ["settlement", "settlement_part", "entitlement_use"] {
        assert_eq!(district.database.rows(table).await, 0, "{table}");
    }
    assert_eq!(district.database.requests().await, 0);
    let told = preview.text("settlementPreview.calculation.assistance");
    let input = json!({ "key": new_key(), "bill": posted.0, "expectedAssistance": told });
    let settled = hospital.settle_with(input).await.done("settle");
    assert_eq!(settled.at("settle.settlement.calculation"), preview.at("settlementPreview.calculation"));
    assert_eq!(settled.text("settle.settlement.assistance"), told);
    for (table, rows) in [("settlement", 1), ("settlement_part", 2), ("entitlement_use", 1)] {
        assert_eq!(district.database.rows(table).await, rows, "{table}");
    }
    assert_eq!(district.database.requests().await, 1);
}

#[tokio::test]
async fn an_amount_that_is_not_due_is_refused_with_what_is_and_so_is_its_replay() {
    let district = District::with_medical_assistance().await;
    let patient = dibao(&district).await;
    let hospital = district.partner(HOSPITAL).await;
    for told in ["5040.01", "5039.99", "0.00"] {
        let input = json!({ "key": new_key(), "bill": bill(&patient).0, "expectedAssistance": told });
        let refused = hospital.settle_with(input.clone()).await.fine();
        assert_eq!(refused.refusals_at("settle"), [("AMOUNT_DIFFERS".into(), "expectedAssistance".into())]);
        assert_eq!(refused.at("settle.settlement"), &Value::Null);
        assert_eq!(refused.text("settle.calculation.assistance"), "5040.00");
        assert_eq!(refused.text("settle.calculation.personalBurden"), "5160.00");
        assert_eq!(refused.at("settle.replayed"), &json!(false));
        let again = hospital.settle_with(input).await.fine();
        assert_eq!(again.at("settle.replayed"), &json!(true));
        assert_eq!(again.at("settle.calculation"), refused.at("settle.calculation"));
        assert_eq!(again.at("settle.userErrors"), refused.at("settle.userErrors"));
    }
    assert_eq!(district.database.rows("settlement").await, 0);
    assert_eq!(district.database.rows("entitlement_use").await, 0);
    let input = json!({ "key": new_key(), "bill": bill(&patient).0, "expectedAssistance": "5040.00" });
    hospital.settle_with(input).await.done("settle");
}

#[tokio::test]
async fn the_calculation_is_explained_step_by_step_in_both_languages() {
    let district = District::new().await;
    district.policy(Policy::medical(&district).annual_cap("3000.00")).await;
    let patient = dibao(&district).await;
    let hospital = district.partner(HOSPITAL).await;
    let query = "query($bill: BillInput!) { settlementPreview(bill: $bill) {
        calculation { parts { rate steps { code label formula value } } } userErrors { code } } }";
    let variables = json!({ "bill": bill(&patient).0 });
    let steps = |reply: &Reply| {
        let steps = reply.at("settlementPreview.calculation.parts.0.steps").as_array().unwrap().clone();
        let text = |step: &Value, field: &str| step[field].as_str().unwrap().to_owned();
        steps
            .iter()
            .map(|step| (text(step, "code"), text(step, "label"), text(step, "formula"), text(step, "value")))
            .collect::<Vec<_>>()
    };
    let english = steps(&hospital.ask_in("en", query, variables.clone()).await.fine());
    let chinese = steps(&hospital.ask_in("zh-CN", query, variables).await.fine());
    let find = |steps: &[(String, String, String, String)], code: &str| {
        steps
            .iter()
            .find(|step| step.0 == code)
            .unwrap_or_else(|| panic!("no step {code}: {steps:?}"))
            .clone()
    };
    let others = " − B − M − C − X − H − G";
    for (code, label, label_zh, formula, value) in [
        ("T", "Total cost", "医疗费总额", "F + O + P + S", "20000.00"),
        ("S", "In scope", "政策范围内", "", "17000.00"),
        ("B", "Basic insurance paid", "统筹支付", "", "9800.00"),
        ("YEAR", "Benefit year", "待遇年度", "", "2016"),
        ("N", "Base", "救助基数", &format!("max(0, S{others})"), "7200.00"),
        ("A", "Eligible amount", "可救助金额", "max(0, N − DEDUCTIBLE_LEFT)", "7200.00"),
        ("RATE", "Rate", "救助比例", "", "0.7000"),
        ("ANNUAL_CAP", "Annual cap", "年度封顶线", "", "3000.00"),
        (
            "ANNUAL_CAP_LEFT",
            "Annual cap left",
            "年度剩余额度",
            "max(0, ANNUAL_CAP − ANNUAL_CAP_USED)",
            "3000.00",
        ),
        ("PAID", "Assistance paid", "救助支付", "min(RAW, A, ANNUAL_CAP_LEFT, OWN_BURDEN_LEFT)", "3000.00"),
        (
            "PERSONAL_BURDEN",
            "Personal burden after this part",
            "救助后个人负担",
            "OWN_BURDEN_LEFT − PAID",
            "7200.00",
        ),
    ] {
        let step = |label: &str| (code.to_owned(), label.to_owned(), formula.to_owned(), value.to_owned());
        assert_eq!(find(&english, code), step(label));
        assert_eq!(find(&chinese, code), step(label_zh));
    }
    assert_eq!(find(&english, "RAW").3, "5040.00");
    assert_eq!(english.len(), chinese.len());
}
