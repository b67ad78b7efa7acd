//! A programme's year: appropriated, spent, and never exceeded.

use entity::kinds::Category;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::harness::district::{BUREAU, CF, HOSPITAL, OTHER_HOSPITAL, PLENTY};
use crate::harness::hospital::bill;
use crate::harness::partner::new_key;
use crate::harness::{District, Partner, Reply};

const BUDGET: &str = "budget { programme { code } year appropriated spent available }";

impl Partner {
    async fn appropriate(&self, programme: &str, year: i32, amount: &str) -> Reply {
        let input = json!({ "key": new_key(), "programmeCode": programme, "year": year, "amount": amount });
        self.act("appropriate", input, BUDGET).await
    }

    /// Of each programme: code, appropriated, spent, available.
    async fn budgets(&self, year: i32) -> Vec<[String; 4]> {
        let query =
            "query($year: Int!) { budgets(year: $year) { programme { code } appropriated spent available } }";
        let reply = self.ask(query, json!({ "year": year })).await.fine();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let row = |row: &Value| {
            [
                text(&row["programme"]["code"]),
                text(&row["appropriated"]),
                text(&row["spent"]),
                text(&row["available"]),
            ]
        };
        reply.at("budgets").as_array().unwrap().iter().map(row).collect()
    }
}

/// A district in 2019, for which nothing is appropriated yet.
async fn without_budgets() -> District {
    let district = District::with_medical_assistance().await;
    district.set_time("2019-06-15T02:00:00Z");
    district
}

fn medical(appropriated: &str, spent: &str, available: &str) -> [String; 4] {
    ["MEDICAL_ASSISTANCE", appropriated, spent, available].map(str::to_owned)
}

#[tokio::test]
async fn a_settlement_that_exceeds_the_year_is_refused_and_does_nothing() {
    let district = without_budgets().await;
    let bureau = district.partner(BUREAU).await;
    let hospital = district.partner(HOSPITAL).await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let other = district.person("王小红", &[Category::Dibao]).await;
    assert_eq!(hospital.preview(&bill(&patient)).await.refusals("settlementPreview"), ["BUDGET_EXHAUSTED"]);
    assert_eq!(hospital.settle(&bill(&patient)).await.refusals("settle"), ["BUDGET_EXHAUSTED"]);
    let given = bureau.appropriate("MEDICAL_ASSISTANCE", 2019, "5040.00").await.done("appropriate");
    assert_eq!(given.text("appropriate.budget.available"), "5040.00");
    hospital.preview(&bill(&patient)).await.done("settlementPreview");
    hospital.settle(&bill(&patient)).await.done("settle");
    assert_eq!(bureau.budgets(2019).await, [medical("5040.00", "5040.00", "0.00")]);
    let refused = hospital.settle(&bill(&other)).await;
    assert_eq!(refused.refusals_at("settle"), [("BUDGET_EXHAUSTED".to_owned(), "bill".to_owned())]);
    for table in ["settlement", "settlement_part", "entitlement_use"] {
        assert_eq!(district.database.rows(table).await, 1, "{table}");
    }
}

#[tokio::test]
async fn one_fen_less_than_is_due_does_not_suffice() {
    let district = without_budgets().await;
    let hospital = district.partner(HOSPITAL).await;
    let bureau = district.partner(BUREAU).await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    bureau.appropriate("MEDICAL_ASSISTANCE", 2019, "5039.99").await.done("appropriate");
    assert_eq!(hospital.settle(&bill(&patient)).await.refusals("settle"), ["BUDGET_EXHAUSTED"]);
    bureau.appropriate("MEDICAL_ASSISTANCE", 2019, "0.01").await.done("appropriate");
    hospital.settle(&bill(&patient)).await.done("settle");
}

#[tokio::test]
async fn what_is_taken_back_can_be_spent_again_in_its_own_year() {
    let district = without_budgets().await;
    let bureau = district.partner(BUREAU).await;
    let hospital = district.partner(HOSPITAL).await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    bureau.appropriate("MEDICAL_ASSISTANCE", 2019, "6000.00").await.done("appropriate");
    let settled = hospital.settle(&bill(&patient)).await.done("settle");
    district.set_time("2020-01-02T02:00:00Z");
    let hospital = district.partner(HOSPITAL).await;
    hospital.reverse(&settled.text("settle.settlement.id")).await.done("reverseSettlement");
    let bureau = district.partner(BUREAU).await;
    assert_eq!(bureau.budgets(2019).await, [medical("6000.00", "0.00", "6000.00")]);
    assert_eq!(bureau.budgets(2020).await, Vec::<[String; 4]>::new());
}

#[tokio::test]
async fn each_fund_is_appropriated_by_its_owner_alone() {
    let district = without_budgets().await;
    let (bureau, charity) = (district.partner(BUREAU).await, district.partner(CF).await);
    for (owner, programme) in [(&bureau, "CHARITY_CARD"), (&charity, "MEDICAL_ASSISTANCE"), (&bureau, "NONE")]
    {
        let refused = owner.appropriate(programme, 2019, "1.00").await;
        assert_eq!(
            refused.refusals_at("appropriate"),
            [("NOT_FOUND".to_owned(), "programmeCode".to_owned())]
        );
    }
    charity.appropriate("CHARITY_CARD", 2019, "1.00").await.done("appropriate");
    assert_eq!(bureau.budgets(2019).await, Vec::<[String; 4]>::new());
    assert_eq!(charity.budgets(2019).await.len(), 1);
    assert_eq!(bureau.budgets(2016).await[0], medical(PLENTY, "0.00", PLENTY));
}

#[tokio::test]
async fn an_appropriation_that_makes_no_sense_is_refused() {
    let district = without_budgets().await;
    let bureau = district.partner(BUREAU).await;
    for (year, amount, refusal) in [
        (2019, "0.00", ("INVALID", "amount")),
        (2017, "1.00", ("DATE_OUT_OF_RANGE", "year")),
        (2025, "1.00", ("DATE_OUT_OF_RANGE", "year")),
    ] {
        let refused = bureau.appropriate("MEDICAL_ASSISTANCE", year, amount).await;
        let (code, field) = refusal;
        assert_eq!(refused.refusals_at("appropriate"), [(code.to_owned(), field.to_owned())], "{year}");
    }
    let key = new_key();
    let input = json!({ "key": key, "programmeCode": "MEDICAL_ASSISTANCE", "year": 2019, "amount": "7.00" });
    bureau.act("appropriate", input.clone(), BUDGET).await.done("appropriate");
    let again = bureau.act("appropriate", input, BUDGET).await.done("appropriate");
    assert_eq!(again.at("appropriate.replayed"), &Value::Bool(true));
    assert_eq!(bureau.budgets(2019).await, [medical("7.00", "0.00", "7.00")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hundreds_at_once_spend_the_year_and_not_a_fen_more() {
    let district = without_budgets().await;
    let bureau = district.partner(BUREAU).await;
    // 40 of 120 can be paid, and a rest stays that pays nobody.
    bureau.appropriate("MEDICAL_ASSISTANCE", 2019, "206639.99").await.done("appropriate");
    let hospitals = [district.partner(HOSPITAL).await, district.partner(OTHER_HOSPITAL).await];
    let mut bills = Vec::new();
    for _ in 0..120 {
        bills.push(bill(&district.person("李小明", &[Category::Dibao]).await));
    }
    let asked = bills.iter().enumerate().map(async |(place, bill)| {
        let key = new_key();
        loop {
            // Whoever waited too long for the right to write asks again, under the same key.
            let reply = hospitals[place % 2].settle_under(&key, bill).await;
            if reply.error() != "UNAVAILABLE" {
                return reply;
            }
        }
    });
    let replies = join_all(asked).await;
    let refused = replies.iter().filter(|reply| reply.refusals("settle") == ["BUDGET_EXHAUSTED"]).count();
    let paid = replies.into_iter().filter(|reply| reply.refusals("settle").is_empty()).count();
    assert_eq!((paid, refused), (40, 80));
    assert_eq!(bureau.budgets(2019).await, [medical("206639.99", "201600.00", "5039.99")]);
    assert_eq!(district.database.rows("settlement").await, 40);
}
