//! What was made to agree with itself by hand, but not with what the server signed.

use chrono::TimeDelta;
use entity::id::{RedemptionId, SettlementId};
use sea_orm::{ConnectionTrait, Statement};

use super::{LATER_KEY, PAYMENT_KEY, SETTLED_KEY, SOLD_KEY, Summer, named, named_so, sql, sql_of};
use crate::harness::District;
use crate::harness::database::postgres;
use crate::harness::district::{BUREAU, HOSPITAL, SHOP};

/// Sets a member of the kept answers.
fn set_member(member: &str, value: &str, which: &str) -> String {
    let answer = match postgres() {
        Some(_) => format!("jsonb_set(answer, '{{{member}}}', to_jsonb({value}))"),
        None => format!("json_set(answer, '$.{member}', {value})"),
    };
    format!("UPDATE operation SET answer = {answer} WHERE {which}")
}

fn without_receipt(key: &str) -> String {
    let answer = match postgres() {
        Some(_) => "answer - 'receipt'",
        None => "json_remove(answer, '$.receipt')",
    };
    format!("UPDATE operation SET answer = {answer} WHERE key = '{key}'")
}

/// The one text that a statement answers.
pub(super) async fn text(district: &District, sql: &str) -> String {
    let connection = district.database.look().await;
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let row = connection.query_one_raw(statement).await.unwrap().unwrap();
    connection.close().await.unwrap();
    row.try_get_by_index(0).unwrap()
}

impl Summer {
    async fn receipt_of(&self, key: &str) -> String {
        text(&self.district, &format!("SELECT answer ->> 'receipt' FROM operation WHERE key = '{key}'")).await
    }

    /// A hundred yuan more of July's settlement, in every place in which it stands.
    async fn enlarge(&self) {
        let id = sql::<SettlementId>(&self.settled_later);
        let calculation = match postgres() {
            Some(_) => {
                "jsonb_set(jsonb_set(calculation, '{assistance}', to_jsonb(assistance + 10000)), \
                 '{personal_burden}', to_jsonb(personal_burden - 10000))"
            }
            None => {
                "json_set(calculation, '$.assistance', assistance + 10000, '$.personal_burden', personal_burden - 10000)"
            }
        };
        let medical = sql_of(self.district.medical);
        for change in [
            format!(
                "UPDATE settlement SET calculation = {calculation}, assistance = assistance + 10000, \
                 personal_burden = personal_burden - 10000 WHERE id = {id}"
            ),
            format!("UPDATE settlement_part SET paid = paid + 10000 WHERE settlement_id = {id}"),
            format!(
                "UPDATE entry SET amount = amount + CASE WHEN amount < 0 THEN -10000 ELSE 10000 END \
                 WHERE posting_id = {id}"
            ),
            format!(
                "UPDATE entitlement_use SET used = used + 10000 WHERE person_id = {}",
                sql_of(self.patients[2].id)
            ),
            format!(
                "UPDATE budget_share SET available = available - 10000 \
                 WHERE programme_id = {medical} AND year = 2016 AND number = 0"
            ),
        ] {
            self.district.falsify(&change).await;
        }
    }
}

#[tokio::test]
async fn a_forgery_that_agrees_with_itself_differs_from_its_receipt() {
    let summer = Summer::new().await;
    let district = &summer.district;
    let row = format!("{} {LATER_KEY}", summer.partner(HOSPITAL).await);
    summer.enlarge().await;
    let findings = district.audit().await;
    assert_eq!(named(&findings), named_so(&[("receipt.amount", &row)]));
    assert_eq!((findings[0].found.as_str(), findings[0].expected.as_str()), ("4790.00", "4690.00"));

    let receipt = summer.receipt_of(LATER_KEY).await;
    let which = format!("key = '{LATER_KEY}'");
    for rubbish in ["rubbish", "", "a.b.c", &receipt[..receipt.len() - 2]] {
        district.falsify(&set_member("receipt", &format!("CAST('{rubbish}' AS text)"), &which)).await;
        let findings = district.audit().await;
        assert_eq!(named(&findings), named_so(&[("receipt.signature", &row)]), "{rubbish}");
    }
    district.falsify(&set_member("receipt", "12", &which)).await;
    assert_eq!(named(&district.audit().await), named_so(&[("receipt.signature", &row)]));
    district.falsify(&without_receipt(LATER_KEY)).await;
    assert_eq!(named(&district.audit().await), named_so(&[("receipt.missing", &row)]));
    // The receipt of another settlement, of the amount that it was before.
    let other = summer.receipt_of(SETTLED_KEY).await;
    district.falsify(&set_member("receipt", &format!("CAST('{other}' AS text)"), &which)).await;
    let both = [("receipt.act", row.as_str()), ("receipt.amount", &row)];
    assert_eq!(named(&district.audit().await), named_so(&both));
}

#[tokio::test]
async fn every_act_of_money_without_its_receipt_is_found() {
    let summer = Summer::new().await;
    let district = &summer.district;
    district.wait(TimeDelta::seconds(1));
    summer.shop.void("sold later").await.done("voidOperation");
    summer.shop.void("never arrived").await.done("voidOperation");
    district.seal().await;
    assert_eq!(district.audit().await, []);
    for mutation in [
        "settle",
        "reverseSettlement",
        "redeemAidCard",
        "refundRedemption",
        "payStatement",
        "appropriate",
        "voidOperation",
    ] {
        let key = format!(
            "SELECT key FROM operation WHERE mutation = '{mutation}' AND answer ->> 'receipt' IS NOT NULL LIMIT 1"
        );
        let key = text(district, &key).await;
        let receipt = summer.receipt_of(&key).await;
        district.falsify(&without_receipt(&key)).await;
        let findings = district.audit().await;
        assert_eq!(findings.len(), 1, "{mutation}: {findings:?}");
        assert_eq!(findings[0].kind, "receipt.missing", "{mutation}");
        assert!(findings[0].row.ends_with(&format!(" {key}")), "{}", findings[0].row);
        let which = format!("key = '{key}'");
        district.falsify(&set_member("receipt", &format!("CAST('{receipt}' AS text)"), &which)).await;
    }
    assert_eq!(district.audit().await, []);
}

#[tokio::test]
async fn an_act_that_is_not_the_one_of_its_receipt_is_found() {
    let summer = Summer::new().await;
    let district = &summer.district;
    let row = format!("{} {SOLD_KEY}", summer.partner(SHOP).await);
    let which = format!("key = '{SOLD_KEY}'");
    // Another sale's result: its ledger tells of another moment.
    let set = |result: &str| set_member("result", &format!("CAST('{result}' AS text)"), &which);
    district.falsify(&set(&summer.sold_later)).await;
    let findings = district.audit().await;
    let told = findings.iter().find(|finding| finding.kind == "receipt.act").unwrap();
    assert_eq!(told.row, row);
    assert_eq!(
        (told.found.as_str(), told.expected.as_str()),
        (format!("result {}", summer.sold_later).as_str(), format!("result {}", summer.sold).as_str())
    );
    let amount = findings.iter().find(|finding| finding.kind == "receipt.amount").unwrap();
    assert_eq!((amount.found.as_str(), amount.expected.as_str()), ("nothing", "20.00"));
    assert!(findings.iter().any(|finding| finding.kind == "receipt.posting"));
    district.falsify(&set(&summer.sold)).await;

    let row = format!("{} {PAYMENT_KEY}", summer.partner(BUREAU).await);
    let bureau = sql_of(district.partner_id(BUREAU).await);
    let set = |code: &str| format!("UPDATE partner SET code = '{code}' WHERE id = {bureau}");
    district.falsify(&set("OTHER")).await;
    assert!(named(&district.audit().await).contains(&("receipt.act".to_owned(), row)));
    district.falsify(&set(BUREAU)).await;
    assert_eq!(district.audit().await, []);
}

#[tokio::test]
async fn money_that_moved_when_nobody_acted_is_found() {
    let summer = Summer::new().await;
    let district = &summer.district;
    let id = sql::<RedemptionId>(&summer.sold_later);
    let posting = super::posting_of(&summer.sold_later);
    let row = format!("{} sold later", summer.partner(SHOP).await);
    let at = |from: &str| {
        format!(
            "UPDATE entry SET posted_at = (SELECT posted_at FROM entry WHERE {from} LIMIT 1) WHERE posting_id = {id}"
        )
    };
    let of_payment = format!("operation_key = '{PAYMENT_KEY}'");
    let moved = [("receipt.posting", posting.as_str()), ("receipt.amount", row.as_str())];
    let mend = format!(
        "UPDATE entry SET posted_at = (SELECT at FROM operation WHERE key = 'sold later') WHERE posting_id = {id}"
    );
    district.finds(&at(&of_payment), &mend, &moved).await;
    assert_eq!(district.audit().await, []);
}

#[tokio::test]
async fn a_calculation_that_says_something_else_than_its_settlement_is_found() {
    let summer = Summer::new().await;
    let district = &summer.district;
    let settled = &summer.settled;
    let id = sql::<SettlementId>(settled);
    let set = |member: &str, value: &str| {
        let changed = match postgres() {
            Some(_) => format!("jsonb_set(calculation, '{{{member}}}', to_jsonb({value}))"),
            None => format!("json_set(calculation, '$.{member}', {value})"),
        };
        format!("UPDATE settlement SET calculation = {changed} WHERE id = {id}")
    };
    for (member, column) in [("assistance", "assistance"), ("personal_burden", "personal_burden")] {
        for wrong in [format!("{column} + 1"), "CAST('much' AS text)".to_owned()] {
            let told = [("settlement.calculation", settled.as_str())];
            district.finds(&set(member, &wrong), &set(member, column), &told).await;
        }
    }
    let burden =
        |by: i64| format!("UPDATE settlement SET personal_burden = personal_burden + ({by}) WHERE id = {id}");
    let both = [("settlement.calculation", settled.as_str()), ("settlement.burden", settled)];
    district.finds(&burden(-100), &burden(100), &both).await;
    for column in [
        "total_cost",
        "basic_insurance_paid",
        "serious_illness_insurance_paid",
        "other_funds_paid",
        "commercial_insurance_paid",
        "hospital_waiver",
        "other_assistance_paid",
    ] {
        let add = |by: i64| format!("UPDATE settlement SET {column} = {column} + ({by}) WHERE id = {id}");
        district.finds(&add(1), &add(-1), &[("settlement.burden", settled)]).await;
    }
    assert_eq!(district.audit().await, []);
}
