//! Requests that left something else than they answered.

use onestop::page::type_id;

use super::{LATER_KEY, PAYMENT_KEY, SETTLED_KEY, SOLD_KEY, Summer, named, named_so, sql_of};
use crate::harness::district::{BUREAU, HOSPITAL, OTHER_SHOP, SHOP};

#[tokio::test]
async fn a_request_without_what_it_did_and_what_nobody_asked_for_are_found() {
    let summer = Summer::new().await;
    let district = &summer.district;
    let hospital = summer.partner(HOSPITAL).await;
    let set = |status: &str| format!("UPDATE operation SET status = '{status}' WHERE key = '{SETTLED_KEY}'");
    let row = format!("{hospital} {SETTLED_KEY}");
    let kinds = ["operation.settlement", "operation.record", "operation.refusal"];
    district.finds(&set("REJECTED"), &set("SUCCEEDED"), &kinds.map(|kind| (kind, row.as_str()))).await;

    let row = format!("{} {SOLD_KEY}", summer.partner(SHOP).await);
    let other = format!("{} {SOLD_KEY}", summer.partner(OTHER_SHOP).await);
    let set = |shop| {
        format!("UPDATE redemption SET supermarket_id = {} WHERE operation_key = '{SOLD_KEY}'", sql_of(shop))
    };
    let [to, from] = [OTHER_SHOP, SHOP].map(|code| district.partner_id(code));
    let (to, from) = (to.await, from.await);
    let moved = [
        ("redemption.entries", summer.sold.as_str()),
        ("operation.redemption", row.as_str()),
        ("operation.redemption", other.as_str()),
    ];
    district.finds(&set(to), &set(from), &moved).await;

    let set =
        |key: &str| format!("UPDATE refund SET operation_key = '{key}' WHERE operation_key LIKE 'refund%'");
    let shop = summer.partner(SHOP).await;
    let (row, other) = (format!("{shop} refund"), format!("{shop} refund 2"));
    let moved = [("operation.refund", row.as_str()), ("operation.refund", other.as_str())];
    district.finds(&set("refund 2"), &set("refund"), &moved).await;

    let bureau = summer.partner(BUREAU).await;
    let appropriation = district.posting_under("MEDICAL_ASSISTANCE-2017").await;
    for (mutation, key, kind) in [
        ("payStatement", PAYMENT_KEY, "operation.payment"),
        ("appropriate", "MEDICAL_ASSISTANCE-2017", "operation.appropriation"),
    ] {
        let set = |from: &str, to: &str| {
            format!("UPDATE operation SET key = '{to}' WHERE key = '{from}' AND mutation = '{mutation}'")
        };
        let rows = [format!("{bureau} {key}"), format!("{bureau} other")];
        let mut expected = vec![
            (kind, key),
            (kind, "other"),
            ("operation.record", rows[0].as_str()),
            ("operation.record", rows[1].as_str()),
            ("receipt.act", rows[1].as_str()),
        ];
        if mutation == "appropriate" {
            expected.extend([("receipt.amount", rows[1].as_str()), ("receipt.posting", &appropriation)]);
        }
        district.finds(&set(key, "other"), &set("other", key), &expected).await;
    }
    let issued = "SELECT COUNT(*) FROM operation WHERE mutation = 'issueAidCards'";
    assert_eq!(district.database.number(issued).await, 1);
    let set = |from: &str, to: &str| {
        format!("UPDATE operation SET status = '{to}' WHERE mutation = 'issueAidCards' AND status = '{from}'")
    };
    district.falsify(&set("SUCCEEDED", "REJECTED")).await;
    let kinds: Vec<&str> = district.audit().await.iter().map(|finding| finding.kind).collect();
    assert_eq!(kinds, ["operation.record", "operation.refusal", "operation.card_issue"]);
    district.falsify(&set("REJECTED", "SUCCEEDED")).await;
    assert_eq!(district.audit().await, []);
}

#[tokio::test]
async fn an_act_of_which_nobody_was_told_is_found() {
    let summer = Summer::new().await;
    let district = &summer.district;
    let hospital = district.partner_id(HOSPITAL).await;
    let set = |from: &str, to: &str| {
        format!(
            "UPDATE event SET kind = '{to}' WHERE kind = '{from}' AND partner_id = {} AND subject = '{}'",
            sql_of(hospital),
            summer.settled_later
        )
    };
    let row = format!("{} settlement.settled 2016-07-05T02:00:01.000000Z", type_id(hospital));
    let kind = "settlement.settled";
    district.finds(&set(kind, "other"), &set("other", kind), &[("event.missing", &row)]).await;
    assert_eq!(district.audit().await, []);
}

#[tokio::test]
async fn an_act_without_a_record_and_a_record_that_was_rewritten_are_found() {
    let summer = Summer::new().await;
    let district = &summer.district;
    let last = district.database.number("SELECT MAX(number) FROM seal").await;
    let set = |from: &str, to: &str| {
        format!("UPDATE audit_record SET act = '{to}' WHERE act = '{from}' AND operation_key = '{LATER_KEY}'")
    };
    let record = super::trail::record_under(district, LATER_KEY).await;
    let seal = last.to_string();
    let rewritten = [("seal.hash", seal.as_str()), ("record.act", record.as_str())];
    district.finds(&set("settle", "coverage"), &set("coverage", "settle"), &rewritten).await;
    assert_eq!(district.audit().await, []);

    district.falsify(&format!("DELETE FROM audit_record WHERE operation_key = '{LATER_KEY}'")).await;
    let row = format!("{} {LATER_KEY}", summer.partner(HOSPITAL).await);
    let gone = [("seal.records", seal.as_str()), ("operation.record", row.as_str())];
    assert_eq!(named(&district.audit().await), named_so(&gone));
}
