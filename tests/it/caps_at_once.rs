//! Many at once: a cap, a stay and a number serve once, whoever comes first.

use entity::kinds::{Category, DeductibleMode};
use futures_util::future::join_all;
use serde_json::json;

use crate::harness::district::{HOSPITAL, OTHER_HOSPITAL, fen};
use crate::harness::hospital::bill;
use crate::harness::partner::Partner;
use crate::harness::{District, Policy, Reply};

async fn hospitals(district: &District) -> [Partner; 2] {
    [district.partner(HOSPITAL).await, district.partner(OTHER_HOSPITAL).await]
}

async fn sum(district: &District, of: &str) -> i64 {
    district
        .database
        .number(&format!("SELECT CAST(coalesce(sum({of}), 0) AS bigint) FROM entitlement_use"))
        .await
}

/// How many did it; the others must have been refused for this reason alone.
fn done(replies: &[Reply], field: &str, reason: (&str, &str)) -> usize {
    let refused = vec![(reason.0.to_owned(), reason.1.to_owned())];
    replies
        .iter()
        .filter(|reply| match reply.refusals_at(field) {
            none if none.is_empty() => true,
            some => {
                assert_eq!(some, refused, "{}", reply.body);
                false
            }
        })
        .count()
}

#[tokio::test]
async fn sixteen_bills_at_once_pay_the_cap_together_and_not_a_fen_more() {
    let district = District::new().await;
    district.policy(Policy::medical(&district).annual_cap("20000.01")).await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let hospitals = hospitals(&district).await;
    let bills: Vec<_> = (0..16)
        .map(|month| {
            let day = format!("2016-0{}-{:02}", 1 + month % 5, 1 + month);
            bill(&patient).stay(&day, &day)
        })
        .collect();
    let asked = bills.iter().enumerate().map(|(place, bill)| hospitals[place % 2].settle(bill));
    let replies = join_all(asked).await;
    let mut paid: Vec<String> = replies
        .into_iter()
        .map(|reply| reply.done("settle").text("settle.settlement.assistance"))
        .filter(|paid| paid != "0.00")
        .collect();
    paid.sort();
    assert_eq!(paid, ["4880.01", "5040.00", "5040.00", "5040.00"]);
    assert_eq!(sum(&district, "used").await, 2_000_001);
    let posted = "SELECT CAST(sum(assistance) AS bigint) FROM settlement";
    assert_eq!(district.database.number(posted).await, 2_000_001);
    assert_eq!(district.database.rows("settlement").await, 16);
    assert_eq!(hospitals[0].left(&patient, "2016-06-15").await.2, json!("0.00"));
}

#[tokio::test]
async fn two_bills_at_once_take_the_deductible_once() {
    let district = District::new().await;
    let annual = Policy::medical(&district).change(|version| {
        version.deductible_mode = DeductibleMode::Annual;
        version.deductible = fen("500.00");
    });
    district.policy(annual).await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let [one, other] = hospitals(&district).await;
    let (first, second) = (bill(&patient), bill(&patient).stay("2016-05-10", "2016-05-11"));
    let (first, second) = futures_util::future::join(one.settle(&first), other.settle(&second)).await;
    let mut paid = [first, second].map(|reply| reply.done("settle").text("settle.settlement.assistance"));
    paid.sort();
    assert_eq!(paid, ["4690.00", "5040.00"]);
    assert_eq!(sum(&district, "deductible_used").await, 50_000);
}

#[tokio::test]
async fn of_overlapping_stays_at_once_one_settles() {
    let district = District::with_medical_assistance().await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let hospitals = hospitals(&district).await;
    let bills: Vec<_> =
        (1..=8).map(|day| bill(&patient).stay(&format!("2016-05-0{day}"), "2016-05-10")).collect();
    let asked = bills.iter().enumerate().map(|(place, bill)| hospitals[place % 2].settle(bill));
    let replies = join_all(asked).await;
    assert_eq!(done(&replies, "settle", ("OVERLAPPING_STAY", "bill.admittedOn")), 1);
    assert_eq!(district.database.rows("settlement").await, 1);
    assert_eq!(sum(&district, "used").await, 504_000);
}

#[tokio::test]
async fn an_insurer_settlement_posted_at_once_for_several_people_is_paid_once() {
    let district = District::with_medical_assistance().await;
    let hospitals = hospitals(&district).await;
    let mut bills = Vec::new();
    for _ in 0..8 {
        let patient = district.person("李小明", &[Category::Dibao]).await;
        bills.push(bill(&patient).with("insurerSettlementId", "JS-ONE"));
    }
    let asked = bills.iter().enumerate().map(|(place, bill)| hospitals[place % 2].settle(bill));
    let replies = join_all(asked).await;
    assert_eq!(done(&replies, "settle", ("DUPLICATE_STAY", "bill.insurerSettlementId")), 1);
    assert_eq!(district.database.rows("settlement").await, 1);
    assert_eq!(district.database.rows("settlement_part").await, 1);
    assert_eq!(sum(&district, "used").await, 504_000);
    assert_eq!(district.database.requests().await, 8);
}

#[tokio::test]
async fn an_invoice_posted_at_once_for_several_people_is_paid_once_at_each_hospital() {
    let district = District::with_medical_assistance().await;
    let hospitals = hospitals(&district).await;
    let mut bills = Vec::new();
    for _ in 0..8 {
        let patient = district.person("李小明", &[Category::Dibao]).await;
        bills.push(bill(&patient).with("invoiceNumber", "FP-ONE"));
    }
    let asked = bills.iter().enumerate().map(|(place, bill)| hospitals[place % 2].settle(bill));
    let replies = join_all(asked).await;
    assert_eq!(done(&replies, "settle", ("DUPLICATE_STAY", "bill.invoiceNumber")), 2);
    assert_eq!(district.database.rows("settlement").await, 2);
    assert_eq!(sum(&district, "used").await, 1_008_000);
}

#[tokio::test]
async fn a_settlement_reversed_many_times_at_once_gives_back_once() {
    let district = District::new().await;
    district.policy(Policy::medical(&district).annual_cap("30000.00")).await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let [hospital, _] = hospitals(&district).await;
    let kept = bill(&patient).all_in_scope("1000.00").stay("2016-01-01", "2016-01-02");
    hospital.settle(&kept).await.done("settle");
    let id = hospital.settle(&bill(&patient)).await.done("settle").text("settle.settlement.id");
    let replies = join_all((0..16).map(|_| hospital.reverse(&id))).await;
    assert_eq!(done(&replies, "reverseSettlement", ("ALREADY_REVERSED", "settlementId")), 1);
    assert_eq!(sum(&district, "used").await, 70_000);
}

#[tokio::test]
async fn settling_and_reversing_at_once_keep_the_account_right() {
    let district = District::new().await;
    district.policy(Policy::medical(&district).annual_cap("12000.00")).await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let [hospital, other] = hospitals(&district).await;
    let mut posted = Vec::new();
    for month in 1..=4 {
        let stay = bill(&patient).stay(&format!("2016-0{month}-01"), &format!("2016-0{month}-05"));
        posted.push(hospital.settle(&stay).await.done("settle").text("settle.settlement.id"));
    }
    let bills: Vec<_> = (1..=4)
        .map(|month| bill(&patient).stay(&format!("2016-0{month}-05"), &format!("2016-0{month}-09")))
        .collect();
    let reversals = join_all(posted.iter().map(|id| hospital.reverse(id)));
    let settlements = join_all(bills.iter().map(|bill| other.settle(bill)));
    let (reversals, settlements) = futures_util::future::join(reversals, settlements).await;
    for reply in reversals {
        reply.done("reverseSettlement");
    }
    for reply in settlements {
        reply.done("settle");
    }
    let live = "SELECT CAST(coalesce(sum(assistance), 0) AS bigint) FROM settlement WHERE status = 'SETTLED'";
    let live = district.database.number(live).await;
    assert_eq!(sum(&district, "used").await, live);
    assert!(live <= 1_200_000, "{live}");
}
