//! Statements of a month: what stands in them, how they are agreed to, and how they are paid.

use chrono::TimeDelta;
use entity::kinds::{Category, Scope};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::harness::district::{BUREAU, CF, HOSPITAL, OTHER_HOSPITAL, SHOP};
use crate::harness::hospital::bill;
use crate::harness::{District, Partner};

/// A patient settled by a hospital: the settlement's id.
async fn settled(district: &District, hospital: &Partner) -> String {
    let patient = district.person("李小明", &[Category::Dibao]).await;
    district.wait(TimeDelta::milliseconds(1));
    hospital.settle(&bill(&patient)).await.done("settle").text("settle.settlement.id")
}

fn totals(count: i64, gross: &str, reversed: &str, net: &str) -> (i64, String, String, String) {
    (count, gross.into(), reversed.into(), net.into())
}

fn line(kind: &str, amount: &str) -> (String, String) {
    (kind.into(), amount.into())
}

#[tokio::test]
async fn a_month_holds_what_was_done_and_what_was_taken_back() {
    let district = District::with_medical_assistance().await;
    let hospital = district.partner(HOSPITAL).await;
    let first = settled(&district, &hospital).await;
    settled(&district, &hospital).await;
    settled(&district, &district.partner(OTHER_HOSPITAL).await).await;
    district.wait(TimeDelta::milliseconds(1));
    hospital.reverse(&first).await.done("reverseSettlement");
    assert_eq!(hospital.totals("2016-06").await, totals(3, "10080.00", "5040.00", "5040.00"));
    let lines = [line("SETTLEMENT", "5040.00"), line("SETTLEMENT", "5040.00"), line("REVERSAL", "-5040.00")];
    assert_eq!(hospital.lines("2016-06").await, lines);
    let reply = hospital.statement("2016-06").await.fine();
    assert_eq!(reply.at("statement.lines.totalCount"), &json!(3));
    let node = |place: usize| reply.at(&format!("statement.lines.nodes.{place}")).clone();
    assert_eq!(node(2)["source"], json!({ "__typename": "Settlement", "id": first }));
    assert_eq!((&node(2)["key"], &node(2)["reference"]), (&node(0)["key"], &node(0)["reference"]));
    assert_eq!(hospital.statement("2016-05").await.fine().at("statement"), &Value::Null);
}

#[tokio::test]
async fn a_month_ends_at_midnight_in_china() {
    let district = District::with_medical_assistance().await;
    let hospital = district.partner(HOSPITAL).await;
    district.set_time("2016-06-30T15:59:59Z");
    settled(&district, &hospital).await;
    district.set_time("2016-06-30T16:00:00Z");
    settled(&district, &hospital).await;
    for month in ["2016-06", "2016-07"] {
        assert_eq!(hospital.totals(month).await, totals(1, "5040.00", "0.00", "5040.00"), "{month}");
    }
}

#[tokio::test]
async fn acts_tell_the_month_in_which_they_are_owed() {
    let district = District::with_medical_assistance().await;
    let (hospital, shop) = (district.partner(HOSPITAL).await, district.partner(SHOP).await);
    let first = settled(&district, &hospital).await;
    settled(&district, &hospital).await;
    let card = district.card("200.00").await;
    let sold = shop.sell(&card, "30.00", "R1").await;
    let query = "{ settlements { nodes { statement { month status net } } } }";
    let listed = hospital.ask(query, json!({})).await.fine();
    let june = json!({ "statement": { "month": "2016-06", "status": "OPEN", "net": "10080.00" } });
    assert_eq!(listed.at("settlements.nodes"), &json!([june, june]));
    let query = "query($id: ID!) { node(id: $id) { ... on Redemption { statement { id fund net } } } }";
    let reply = shop.ask(query, json!({ "id": sold })).await.fine();
    assert_eq!(reply.at("node.statement.net"), &json!("30.00"));
    assert_eq!(reply.at("node.statement.fund"), &json!("CHARITY"));
    let id = reply.text("node.statement.id");
    let query = "query($id: ID!) { node(id: $id) { ... on Statement { month count } } }";
    let seen = shop.ask(query, json!({ "id": id })).await.fine();
    assert_eq!(seen.at("node"), &json!({ "month": "2016-06", "count": 1 }));
    assert_eq!(hospital.ask(query, json!({ "id": id })).await.fine().at("node"), &Value::Null);
    assert!(first.starts_with("settlement_"));
}

#[tokio::test]
async fn a_month_is_confirmed_once_it_is_over_with_its_own_net() {
    let district = District::with_medical_assistance().await;
    let hospital = district.partner(HOSPITAL).await;
    settled(&district, &hospital).await;
    assert_eq!(hospital.confirm("2016-06", "5040.00").await.refusals("confirmStatement"), ["MONTH_NOT_OVER"]);
    district.set_time("2016-06-30T15:59:59Z");
    assert_eq!(hospital.confirm("2016-06", "5040.00").await.refusals("confirmStatement"), ["MONTH_NOT_OVER"]);
    district.set_time("2016-06-30T16:00:00Z");
    let wrong = hospital.confirm("2016-06", "5040.01").await;
    assert_eq!(wrong.refusals_at("confirmStatement"), [("AMOUNT_DIFFERS".to_owned(), "net".to_owned())]);
    assert!(wrong.text("confirmStatement.userErrors.0.message").contains("5040.00"));
    assert_eq!(hospital.confirm("2016-05", "0.00").await.refusals("confirmStatement"), ["NOT_FOUND"]);
    let done = hospital.confirm_under("agreed", "2016-06", "5040.00").await.done("confirmStatement");
    assert_eq!(done.text("confirmStatement.statement.status"), "CONFIRMED");
    let again = hospital.confirm_under("agreed", "2016-06", "5040.00").await.done("confirmStatement");
    assert_eq!(again.at("confirmStatement.replayed"), &Value::Bool(true));
    let twice = hospital.confirm("2016-06", "5040.00").await;
    assert_eq!(twice.refusals("confirmStatement"), ["ALREADY_CONFIRMED"]);
}

#[tokio::test]
async fn what_is_taken_back_after_the_confirmation_stands_in_the_next_open_month() {
    let district = District::with_medical_assistance().await;
    let hospital = district.partner(HOSPITAL).await;
    let first = settled(&district, &hospital).await;
    district.set_time("2016-07-02T02:00:00Z");
    hospital.reverse(&settled(&district, &hospital).await).await.done("reverseSettlement");
    hospital.confirm("2016-06", "5040.00").await.done("confirmStatement");
    district.set_time("2016-09-02T02:00:00Z");
    let hospital = district.partner(HOSPITAL).await;
    hospital.confirm("2016-07", "0.00").await.done("confirmStatement");
    hospital.reverse(&first).await.done("reverseSettlement");
    assert_eq!(hospital.totals("2016-06").await, totals(1, "5040.00", "0.00", "5040.00"), "as agreed");
    assert_eq!(hospital.totals("2016-08").await, totals(1, "0.00", "5040.00", "-5040.00"));
    assert_eq!(hospital.lines("2016-08").await, [line("REVERSAL", "-5040.00")]);
    assert_eq!(hospital.statement("2016-09").await.fine().at("statement"), &Value::Null);
}

#[tokio::test]
async fn before_the_confirmation_a_reversal_joins_its_originals_month() {
    let district = District::with_medical_assistance().await;
    let hospital = district.partner(HOSPITAL).await;
    let first = settled(&district, &hospital).await;
    district.set_time("2016-07-02T02:00:00Z");
    hospital.reverse(&first).await.done("reverseSettlement");
    assert_eq!(hospital.totals("2016-06").await, totals(2, "5040.00", "5040.00", "0.00"));
}

#[tokio::test]
async fn refunds_and_voids_stand_in_the_shops_month() {
    let district = District::new().await;
    let shop = district.partner(SHOP).await;
    let card = district.card("200.00").await;
    let sold = shop.sell(&card, "80.00", "R1").await;
    district.wait(TimeDelta::milliseconds(1));
    shop.refund_under("refund", &sold, Some("30.00")).await.done("refundRedemption");
    assert_eq!(shop.totals("2016-06").await, totals(2, "80.00", "30.00", "50.00"));
    district.wait(TimeDelta::milliseconds(1));
    shop.void("refund").await.done("voidOperation");
    assert_eq!(shop.totals("2016-06").await, totals(3, "80.00", "0.00", "80.00"));
    let lines = [line("REDEMPTION", "80.00"), line("REFUND", "-30.00"), line("REFUND", "30.00")];
    assert_eq!(shop.lines("2016-06").await, lines);
}

#[tokio::test]
async fn the_owner_of_the_fund_pays_a_confirmed_month_once() {
    let district = District::with_medical_assistance().await;
    let (bureau, charity) = (district.partner(BUREAU).await, district.partner(CF).await);
    let hospital = district.partner(HOSPITAL).await;
    settled(&district, &hospital).await;
    let id = hospital.statement("2016-06").await.fine().text("statement.id");
    assert_eq!(bureau.pay(&id, "BANK-1").await.refusals("payStatement"), ["NOT_CONFIRMED"]);
    district.set_time("2016-07-02T02:00:00Z");
    hospital.confirm("2016-06", "5040.00").await.done("confirmStatement");
    assert_eq!(charity.pay(&id, "BANK-1").await.refusals("payStatement"), ["NOT_FOUND"]);
    let query =
        "{ statements(filter: { status: [CONFIRMED], month: \"2016-06\" }) { totalCount nodes { id net } } }";
    let waiting = json!({ "totalCount": 1, "nodes": [{ "id": id, "net": "5040.00" }] });
    assert_eq!(bureau.ask(query, json!({})).await.fine().at("statements"), &waiting);
    assert_eq!(charity.ask(query, json!({})).await.fine().at("statements.totalCount"), &json!(0));
    let paid = bureau.pay(&id, "BANK-1").await.done("payStatement");
    assert_eq!(paid.text("payStatement.statement.status"), "PAID");
    assert_eq!(paid.text("payStatement.statement.bankReference"), "BANK-1");
    assert_eq!(bureau.pay(&id, "BANK-2").await.refusals("payStatement"), ["ALREADY_PAID"]);
    assert_eq!(hospital.totals("2016-06").await, totals(1, "5040.00", "0.00", "5040.00"));
    assert_eq!(hospital.lines("2016-06").await.len(), 1, "a payment is no line");
    let owed = "SELECT CAST(COALESCE(SUM(amount), 0) AS bigint) FROM entry WHERE account = 'PAYABLE'";
    assert_eq!(district.database.number(owed).await, 0);
}

#[tokio::test]
async fn the_bureau_sees_charity_statements_and_does_not_pay_them() {
    let district = District::new().await;
    let (bureau, charity, shop) =
        (district.partner(BUREAU).await, district.partner(CF).await, district.partner(SHOP).await);
    let card = district.card("200.00").await;
    shop.sell(&card, "80.00", "R1").await;
    district.set_time("2016-07-02T02:00:00Z");
    let id =
        shop.confirm("2016-06", "80.00").await.done("confirmStatement").text("confirmStatement.statement.id");
    let query = "query($id: ID!) { node(id: $id) { id } }";
    assert_eq!(bureau.ask(query, json!({ "id": id })).await.fine().text("node.id"), id);
    assert_eq!(bureau.pay(&id, "BANK-1").await.refusals("payStatement"), ["NOT_FOUND"]);
    charity.pay(&id, "BANK-1").await.done("payStatement");
}

/// Acts and the confirmation at the same moment: whatever comes after it stands in the next month.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_confirmation_holds_for_what_comes_at_the_same_moment() {
    let district = District::with_medical_assistance().await;
    let hospital = district.partner(HOSPITAL).await;
    let mut posted = Vec::new();
    for _ in 0..8 {
        posted.push(settled(&district, &hospital).await);
    }
    district.set_time("2016-07-02T02:00:00Z");
    let reversals = join_all(posted.iter().map(|id| hospital.reverse(id)));
    let confirmations = async {
        // The net is whatever it is by then; one of these is right at some moment.
        loop {
            let (_, _, _, net) = hospital.totals("2016-06").await;
            let reply = hospital.confirm("2016-06", &net).await;
            if reply.refusals("confirmStatement").is_empty() {
                return net;
            }
        }
    };
    let (reversed, net) = tokio::join!(reversals, confirmations);
    for reply in reversed {
        reply.done("reverseSettlement");
    }
    let (count, _, _, agreed) = hospital.totals("2016-06").await;
    assert_eq!(agreed, net);
    let june = hospital.lines("2016-06").await.len();
    assert_eq!(i64::try_from(june).unwrap(), count, "the frozen totals are those of the lines");
    let july = hospital.lines("2016-07").await.len();
    assert_eq!(june + july, 16);
}

#[tokio::test]
async fn lines_lead_to_what_the_token_may_read() {
    let district = District::with_medical_assistance().await;
    let hospital = district.partner(HOSPITAL).await;
    settled(&district, &hospital).await;
    let clerk = district.partner_with(HOSPITAL, &[Scope::StatementRead]).await;
    let lines = "{ statement(month: \"2016-06\") { net lines { nodes { key amount reference } } } }";
    assert_eq!(
        clerk.ask(lines, json!({})).await.fine().at("statement.lines.nodes").as_array().unwrap().len(),
        1
    );
    let sources = "{ statement(month: \"2016-06\") { lines { nodes { source { ... on Settlement { patientName } } } } } }";
    let refused = clerk.ask(sources, json!({})).await;
    assert_eq!(refused.error(), "FORBIDDEN");
    assert!(!refused.body.to_string().contains('李'), "{}", refused.body);
}
