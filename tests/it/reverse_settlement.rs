//! `reverseSettlement`, and how settlements are found again.

use chrono::TimeDelta;
use entity::id::SettlementId;
use entity::kinds::{Category, DeductibleMode};
use serde_json::{Value, json};

use crate::harness::district::{HOSPITAL, OTHER_HOSPITAL, fen, new_id};
use crate::harness::hospital::{SETTLEMENT, bill};
use crate::harness::partner::{Partner, new_key};
use crate::harness::{District, Policy, Reply};

fn id_of(reply: &Reply) -> String {
    reply.text("settle.settlement.id")
}

async fn used(district: &District) -> (i64, i64) {
    let sum =
        |column: &str| format!("SELECT CAST(coalesce(sum({column}), 0) AS bigint) FROM entitlement_use");
    (district.database.number(&sum("used")).await, district.database.number(&sum("deductible_used")).await)
}

#[tokio::test]
async fn a_reversal_restores_cap_and_deductible_to_the_fen() {
    let district = District::new().await;
    let policy = Policy::medical(&district).annual_cap("4000.00").change(|version| {
        version.deductible_mode = DeductibleMode::Annual;
        version.deductible = fen("500.00");
    });
    district.policy(policy).await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let hospital = district.partner(HOSPITAL).await;
    let kept = bill(&patient).all_in_scope("100.33").stay("2016-01-01", "2016-01-02");
    hospital.settle(&kept).await.done("settle");
    assert_eq!(used(&district).await, (0, 10_033));
    let settled = hospital.settle(&bill(&patient)).await.done("settle");
    assert_eq!(used(&district).await, (400_000, 50_000));
    district.wait(TimeDelta::minutes(5));
    let reversed = hospital.reverse(&id_of(&settled)).await.done("reverseSettlement");
    assert_eq!(used(&district).await, (0, 10_033));
    let mut expected = settled.at("settle.settlement").clone();
    expected.as_object_mut().unwrap().remove("calculation");
    expected["status"] = json!("REVERSED");
    expected["reversedAt"] = json!("2016-06-15T02:05:00.000000Z");
    expected["reversalReason"] = json!("billed twice");
    assert_eq!(reversed.at("reverseSettlement.settlement"), &expected);
    assert_eq!(reversed.at("reverseSettlement.replayed"), &json!(false));
}

#[tokio::test]
async fn a_settlement_is_reversed_once() {
    let district = District::with_medical_assistance().await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let hospital = district.partner(HOSPITAL).await;
    let id = id_of(&hospital.settle(&bill(&patient)).await.done("settle"));
    let input = json!({ "key": new_key(), "settlementId": id, "reason": "billed twice" });
    let shape = format!("settlement {{ {SETTLEMENT} }}");
    let first = hospital.act("reverseSettlement", input.clone(), &shape).await.done("reverseSettlement");
    let again = hospital.act("reverseSettlement", input, &shape).await.done("reverseSettlement");
    assert_eq!(again.at("reverseSettlement.replayed"), &json!(true));
    assert_eq!(again.at("reverseSettlement.settlement"), first.at("reverseSettlement.settlement"));
    let anew = hospital.reverse(&id).await.fine();
    assert_eq!(anew.refusals_at("reverseSettlement"), [("ALREADY_REVERSED".into(), "settlementId".into())]);
    assert_eq!(anew.at("reverseSettlement.settlement"), &Value::Null);
    assert_eq!(used(&district).await, (0, 0));
}

#[tokio::test]
async fn another_hospitals_settlement_is_not_there() {
    let district = District::with_medical_assistance().await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let hospital = district.partner(HOSPITAL).await;
    let other = district.partner(OTHER_HOSPITAL).await;
    let id = id_of(&hospital.settle(&bill(&patient)).await.done("settle"));
    let absent = onestop::page::type_id(new_id::<SettlementId>());
    let of_another_type = id.replace("settlement_", "redemption_");
    let theirs = other.reverse(&id).await.fine();
    assert_eq!(theirs.refusals_at("reverseSettlement"), [("NOT_FOUND".into(), "settlementId".into())]);
    for nothing in [absent.as_str(), of_another_type.as_str(), "", "settlement_x"] {
        assert_eq!(other.reverse(nothing).await.body, theirs.body, "{nothing:?}");
    }
    let found = hospital.settlement(json!({ "id": id })).await.fine();
    assert_eq!(found.text("settlement.status"), "SETTLED");
    assert_eq!(used(&district).await, (504_000, 0));
}

#[tokio::test]
async fn a_reversal_says_why_and_by_whom() {
    let district = District::with_medical_assistance().await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let hospital = district.partner(HOSPITAL).await;
    let id = id_of(&hospital.settle(&bill(&patient)).await.done("settle"));
    for reason in ["", "  ", &"长".repeat(501)] {
        let input =
            json!({ "key": new_key(), "settlementId": id, "reason": reason, "operator": { "code": "" } });
        let reply = hospital.act("reverseSettlement", input, "settlement { id }").await.fine();
        let expected = [("INVALID".into(), "operator.code".into()), ("INVALID".into(), "reason".into())];
        assert_eq!(reply.refusals_at("reverseSettlement"), expected);
    }
    assert_eq!(hospital.settlement(json!({ "id": id })).await.fine().text("settlement.status"), "SETTLED");
    let input = json!({ "key": new_key(), "settlementId": id, "reason": "长".repeat(500) });
    hospital.act("reverseSettlement", input, "settlement { id }").await.done("reverseSettlement");
}

#[tokio::test]
async fn later_stays_that_the_cap_had_cut_are_marked_and_not_changed() {
    let district = District::new().await;
    district.policy(Policy::medical(&district).annual_cap("12000.00")).await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let neighbour = district.person("王小红", &[Category::Dibao]).await;
    let hospital = district.partner(HOSPITAL).await;
    let other = district.partner(OTHER_HOSPITAL).await;
    let mut ids = Vec::new();
    for (asked, patient, month) in [
        (&hospital, &patient, "2015-11"),
        (&hospital, &patient, "2016-01"),
        (&hospital, &patient, "2016-02"),
        (&other, &patient, "2016-03"),
        (&other, &patient, "2016-04"),
        (&hospital, &neighbour, "2016-03"),
    ] {
        let stay = bill(patient).stay(&format!("{month}-01"), &format!("{month}-10"));
        district.wait(TimeDelta::minutes(1));
        ids.push(id_of(&asked.settle(&stay).await.done("settle")));
    }
    let seen = async |asked: &Partner, id: &str| {
        let found = asked.settlement(json!({ "id": id })).await.fine();
        (found.at("settlement.recalculationDue").clone(), found.text("settlement.assistance"))
    };
    hospital.reverse(&ids[2]).await.done("reverseSettlement");
    for (place, due, assistance) in [
        (0, false, "5040.00"),
        (1, false, "5040.00"),
        (2, false, "5040.00"),
        (3, true, "1920.00"),
        (4, true, "0.00"),
        (5, false, "5040.00"),
    ] {
        let asked = if place == 3 || place == 4 { &other } else { &hospital };
        assert_eq!(seen(asked, &ids[place]).await, (json!(due), assistance.into()), "stay {place}");
    }
    let left = hospital.left(&patient, "2016-06-15").await;
    assert_eq!(left, (json!("0.00"), json!("6960.00"), json!("5040.00")));
}

#[tokio::test]
async fn a_stay_cut_before_the_reversed_one_was_settled_is_not_marked() {
    let district = District::new().await;
    district.policy(Policy::medical(&district).annual_cap("5040.00")).await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let hospital = district.partner(HOSPITAL).await;
    let first = id_of(&hospital.settle(&bill(&patient)).await.done("settle"));
    district.wait(TimeDelta::minutes(1));
    let cut = id_of(&hospital.settle(&bill(&patient).stay("2016-02-01", "2016-02-02")).await.done("settle"));
    district.wait(TimeDelta::minutes(1));
    let last = bill(&patient).stay("2016-03-01", "2016-03-02");
    let last = id_of(&hospital.settle(&last).await.done("settle"));
    hospital.reverse(&last).await.done("reverseSettlement");
    for id in [&first, &cut] {
        let found = hospital.settlement(json!({ "id": id })).await.fine();
        assert_eq!(found.at("settlement.recalculationDue"), &json!(false));
    }
}

#[tokio::test]
async fn after_its_reversal_a_bill_can_be_posted_again_and_found_every_way() {
    let district = District::with_medical_assistance().await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let hospital = district.partner(HOSPITAL).await;
    let posted = bill(&patient);
    let (first_key, second_key) = (new_key(), new_key());
    let first = id_of(&hospital.settle_under(&first_key, &posted).await.done("settle"));
    let ways = |id: &str, key: &str| {
        [
            json!({ "id": id }),
            json!({ "invoiceNumber": posted.0["invoiceNumber"] }),
            json!({ "insurerSettlementId": posted.0["insurerSettlementId"] }),
            json!({ "key": key }),
        ]
    };
    let find = async |by: Value| {
        let found = hospital.settlement(by).await.fine();
        (found.text("settlement.id"), found.text("settlement.status"))
    };
    for by in ways(&first, &first_key) {
        assert_eq!(find(by).await, (first.clone(), "SETTLED".into()));
    }
    district.wait(TimeDelta::minutes(1));
    hospital.reverse(&first).await.done("reverseSettlement");
    for by in ways(&first, &first_key) {
        assert_eq!(find(by).await, (first.clone(), "REVERSED".into()));
    }
    district.wait(TimeDelta::minutes(1));
    let second = id_of(&hospital.settle_under(&second_key, &posted).await.done("settle"));
    assert_ne!(second, first);
    for by in ways(&second, &second_key) {
        assert_eq!(find(by).await, (second.clone(), "SETTLED".into()));
    }
    assert_eq!(find(json!({ "id": first })).await, (first.clone(), "REVERSED".into()));
    assert_eq!(find(json!({ "key": first_key })).await, (first.clone(), "REVERSED".into()));
    district.wait(TimeDelta::minutes(1));
    hospital.reverse(&second).await.done("reverseSettlement");
    let by_invoice = json!({ "invoiceNumber": posted.0["invoiceNumber"] });
    assert_eq!(find(by_invoice).await, (second.clone(), "REVERSED".into()), "the newest of the dead");
    let other = district.partner(OTHER_HOSPITAL).await;
    for by in ways(&second, &second_key) {
        assert_eq!(other.settlement(by).await.fine().at("settlement"), &Value::Null);
    }
    let two_ways = json!({ "id": first, "key": first_key });
    assert_ne!(hospital.settlement(two_ways).await.error(), "");
}

#[tokio::test]
async fn settlements_are_listed_newest_first_and_filtered() {
    let district = District::with_medical_assistance().await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let hospital = district.partner(HOSPITAL).await;
    let other = district.partner(OTHER_HOSPITAL).await;
    let mut ids = Vec::new();
    for month in ["2016-01", "2016-02", "2016-03"] {
        let stay = bill(&patient).stay(&format!("{month}-01"), &format!("{month}-10"));
        ids.push(id_of(&hospital.settle(&stay).await.done("settle")));
        district.wait(TimeDelta::hours(1));
    }
    other.settle(&bill(&patient).stay("2016-04-01", "2016-04-10")).await.done("settle");
    hospital.reverse(&ids[1]).await.done("reverseSettlement");
    let list = async |filter: Value| {
        let query = "query($f: SettlementFilter) { settlements(filter: $f) { totalCount nodes { id } } }";
        let reply = hospital.ask(query, json!({ "f": filter })).await.fine();
        let nodes = reply.at("settlements.nodes").as_array().unwrap().clone();
        assert_eq!(reply.at("settlements.totalCount"), &json!(nodes.len()));
        let place = |node: &Value| ids.iter().position(|id| node["id"] == json!(id)).unwrap();
        nodes.iter().map(place).collect::<Vec<_>>()
    };
    for (filter, expected) in [
        (Value::Null, vec![2, 1, 0]),
        (json!({}), vec![2, 1, 0]),
        (json!({ "status": ["SETTLED"] }), vec![2, 0]),
        (json!({ "status": ["REVERSED"] }), vec![1]),
        (json!({ "status": ["SETTLED", "REVERSED"] }), vec![2, 1, 0]),
        (json!({ "status": [] }), vec![]),
        (json!({ "dischargedFrom": "2016-02-10" }), vec![2, 1]),
        (json!({ "dischargedFrom": "2016-02-11" }), vec![2]),
        (json!({ "dischargedTo": "2016-02-10" }), vec![1, 0]),
        (json!({ "dischargedTo": "2016-02-09" }), vec![0]),
        (json!({ "settledFrom": "2016-06-15T03:00:00Z" }), vec![2, 1]),
        (json!({ "settledTo": "2016-06-15T11:00:00+08:00" }), vec![0]),
        (json!({ "settledFrom": "2016-06-15T02:00:00Z", "settledTo": "2016-06-15T04:00:00Z" }), vec![1, 0]),
        (json!({ "status": ["SETTLED"], "dischargedTo": "2016-02-10" }), vec![0]),
    ] {
        assert_eq!(list(filter.clone()).await, expected, "{filter}");
    }
    for (filter, code) in [
        (json!({ "status": ["PAID"] }), "GRAPHQL_VALIDATION_FAILED"),
        (json!({ "patient": "李小明" }), "GRAPHQL_VALIDATION_FAILED"),
        (json!({ "dischargedFrom": "2016-02-30" }), "BAD_USER_INPUT"),
        (json!({ "settledFrom": "yesterday" }), "BAD_USER_INPUT"),
    ] {
        let query = "query($f: SettlementFilter) { settlements(filter: $f) { nodes { id } } }";
        let reply = hospital.ask(query, json!({ "f": filter })).await;
        assert_eq!(reply.error(), code, "{filter}: {}", reply.body);
        assert!(reply.at("settlements").is_null());
    }
}
