//! Comparing a partner's own lines with what it is owed.

use chrono::TimeDelta;
use entity::kinds::Category;
use serde_json::{Value, json};

use crate::harness::district::{HOSPITAL, OTHER_HOSPITAL, SHOP};
use crate::harness::hospital::bill;
use crate::harness::till::sale;
use crate::harness::{District, Partner, Reply};

async fn settled_under(district: &District, hospital: &Partner, key: &str) -> String {
    let patient = district.person("李小明", &[Category::Dibao]).await;
    hospital.settle_under(key, &bill(&patient)).await.done("settle").text("settle.settlement.id")
}

fn differences(reply: &Reply) -> Vec<Value> {
    reply.at("reconcile.differences").as_array().unwrap().clone()
}

fn difference(
    key: &str,
    result: &str,
    ours: Option<&str>,
    theirs: Option<&str>,
    remedy: Option<&str>,
) -> Value {
    json!({ "key": key, "result": result, "ours": ours, "theirs": theirs, "remedy": remedy })
}

#[tokio::test]
async fn a_hospitals_day_is_compared_act_by_act() {
    let district = District::with_medical_assistance().await;
    let hospital = district.partner(HOSPITAL).await;
    for key in ["same", "other amount", "not named", "undone by them"] {
        settled_under(&district, &hospital, key).await;
    }
    for key in ["undone", "undone by us", "undone and named"] {
        hospital.reverse(&settled_under(&district, &hospital, key).await).await.done("reverseSettlement");
    }
    settled_under(&district, &district.partner(OTHER_HOSPITAL).await, "another's").await;
    let lines = [
        ("same", "5040.00"),
        ("other amount", "5040.01"),
        ("undone by them", "0.00"),
        ("undone by us", "5040.00"),
        ("undone and named", "0.00"),
        ("never came", "12.00"),
        ("refused by both", "0.00"),
    ];
    let reply = hospital.reconcile("2016-06-15", "2016-06-15", &lines).await.done("reconcile");
    let expected = [
        difference("never came", "ONLY_THEIRS", None, Some("12.00"), Some("settle")),
        difference("not named", "ONLY_OURS", Some("5040.00"), None, Some("voidOperation")),
        difference("other amount", "AMOUNT_DIFFERS", Some("5040.00"), Some("5040.01"), None),
        difference(
            "undone by them",
            "REVERSED_ONE_SIDE",
            Some("5040.00"),
            Some("0.00"),
            Some("reverseSettlement"),
        ),
        difference("undone by us", "REVERSED_ONE_SIDE", Some("0.00"), Some("5040.00"), None),
    ];
    assert_eq!(differences(&reply), expected);
    assert_eq!(reply.at("reconcile.agreed"), &Value::Bool(false));
    assert_eq!(reply.at("reconcile.matched"), &json!(3));
}

#[tokio::test]
async fn a_till_closes_its_day_after_refunds() {
    let district = District::new().await;
    let shop = district.partner(SHOP).await;
    let card = district.card("200.00").await;
    let mut sold = Vec::new();
    for (key, receipt) in [("one", "R1"), ("two", "R2"), ("three", "R3")] {
        let mut sale = sale(&card, "20.00", receipt);
        sale["key"] = key.into();
        sold.push(shop.redeem(sale).await.done("redeemAidCard").text("redeemAidCard.redemption.id"));
    }
    shop.refund(&sold[0], Some("5.00")).await.done("refundRedemption");
    shop.void("three").await.done("voidOperation");
    let agreed = shop.reconcile("2016-06-15", "2016-06-15", &[("one", "15.00"), ("two", "20.00")]).await;
    assert_eq!(agreed.done("reconcile").at("reconcile.agreed"), &Value::Bool(true));
    let reply = shop.reconcile("2016-06-15", "2016-06-15", &[("one", "20.00"), ("two", "19.00")]).await;
    let expected = [
        difference("one", "AMOUNT_DIFFERS", Some("15.00"), Some("20.00"), None),
        difference("two", "AMOUNT_DIFFERS", Some("20.00"), Some("19.00"), Some("refundRedemption")),
    ];
    assert_eq!(differences(&reply), expected);
}

#[tokio::test]
async fn an_act_belongs_to_its_own_day_in_china_also_when_it_is_undone_later() {
    let district = District::with_medical_assistance().await;
    let hospital = district.partner(HOSPITAL).await;
    district.set_time("2016-06-15T15:59:59Z");
    let first = settled_under(&district, &hospital, "the fifteenth").await;
    district.set_time("2016-06-15T16:00:00Z");
    settled_under(&district, &hospital, "the sixteenth").await;
    district.wait(TimeDelta::days(3));
    hospital.reverse(&first).await.done("reverseSettlement");
    let fifteenth = hospital.reconcile("2016-06-15", "2016-06-15", &[]).await.done("reconcile");
    assert_eq!(fifteenth.at("reconcile.agreed"), &Value::Bool(true), "undone, so it may be left out");
    let sixteenth = hospital.reconcile("2016-06-16", "2016-06-16", &[("the sixteenth", "5040.00")]).await;
    assert_eq!(sixteenth.done("reconcile").at("reconcile.agreed"), &Value::Bool(true));
    let both = hospital.reconcile("2016-06-01", "2016-06-30", &[]).await;
    assert_eq!(differences(&both).len(), 1);
}

#[tokio::test]
async fn a_comparison_that_makes_no_sense_is_refused() {
    let district = District::new().await;
    let shop = district.partner(SHOP).await;
    for (from, to, lines, code, field) in [
        ("2016-06-16", "2016-06-15", &[][..], "DATE_OUT_OF_RANGE", "from"),
        ("2015-06-15", "2016-06-15", &[][..], "DATE_OUT_OF_RANGE", "to"),
        ("2016-06-15", "2016-06-15", &[("a", "1.00"), ("a", "1.00")][..], "INVALID", "lines.1.key"),
    ] {
        let reply = shop.reconcile(from, to, lines).await;
        assert_eq!(reply.refusals_at("reconcile"), [(code.to_owned(), field.to_owned())]);
    }
    assert_eq!(shop.reconcile("2015-06-16", "2016-06-15", &[]).await.done("reconcile").error(), "");
    assert_eq!(district.database.requests().await, 0, "it takes no key");
}

#[tokio::test]
async fn three_thousand_lines_go_in_one_call_and_no_more() {
    let district = District::new().await;
    let shop = district.partner(SHOP).await;
    let keys: Vec<String> = (0..3_001).map(|number| format!("{number:0>128}")).collect();
    let lines: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), "1234567890.12")).collect();
    let reply = shop.reconcile("2016-06-15", "2016-06-15", &lines[..3_000]).await.done("reconcile");
    assert_eq!(differences(&reply).len(), 3_000);
    assert_eq!(shop.reconcile("2016-06-15", "2016-06-15", &lines).await.error(), "BAD_USER_INPUT");
}

#[tokio::test]
async fn more_differences_than_an_answer_holds_are_for_an_upload() {
    let district = District::new().await;
    let shop = district.partner(SHOP).await;
    district.statement_of(SHOP, 3_001, |_, _| {}).await;
    let reply = shop.reconcile("2016-06-15", "2016-06-15", &[]).await;
    assert_eq!(reply.refusals_at("reconcile"), [("INVALID".to_owned(), "to".to_owned())]);
    assert_eq!(reply.at("reconcile.differences"), &json!([]));
}
