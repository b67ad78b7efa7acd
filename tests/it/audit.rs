//! `onestop audit`: a district in which everything is right, and in which one thing was changed by hand.

mod books;
mod command;
mod receipts;
mod requests;
mod trail;

use std::collections::BTreeSet;

use chrono::TimeDelta;
use entity::id::{AidCardId, Key};
use entity::kinds::{Category, DeductibleMode};
use onestop::access::{Finding, Head, Summary, counting};
use onestop::page::{key_of, type_id};
use sea_orm::ConnectionTrait;
use serde_json::json;
use uuid::Uuid;

use crate::harness::database::postgres;
use crate::harness::district::{BUREAU, CF, HOSPITAL, OTHER_SHOP, Resident, SHOP, fen};
use crate::harness::hospital::bill;
use crate::harness::partner::new_key;
use crate::harness::till::sale;
use crate::harness::{District, Partner, Policy, Town};

impl District {
    async fn audit(&self) -> Vec<Finding> {
        self.audit_with(None).await.0
    }

    async fn audit_with(&self, kept: Option<&Head>) -> (Vec<Finding>, Summary) {
        let mut findings = Vec::new();
        let summary = self
            .gate
            .audit(kept.map_or(&[], std::slice::from_ref), &mut |finding| findings.push(finding))
            .await
            .unwrap();
        (findings, summary)
    }

    /// Everything under seals.
    async fn seal(&self) {
        while self.gate.seal_records().await.unwrap() > 0 {}
    }

    /// Runs statements that nothing protects against.
    async fn falsify(&self, sql: &str) {
        let unprotected = match postgres() {
            Some(_) => "SET session_replication_role = replica; \
                        ALTER TABLE aid_card DROP CONSTRAINT IF EXISTS ck_aid_card_balance; \
                        ALTER TABLE budget_share DROP CONSTRAINT IF EXISTS ck_budget_share_available"
                .to_owned(),
            None => {
                let kept = [
                    "entry_update",
                    "entry_delete",
                    "seal_update",
                    "seal_delete",
                    "audit_record_content",
                    "audit_record_again",
                    "audit_record_delete",
                ];
                let dropped = kept.map(|name| format!("DROP TRIGGER IF EXISTS tr_{name}"));
                format!(
                    "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; {}",
                    dropped.join("; ")
                )
            }
        };
        let connection = self.database.look().await;
        connection.execute_unprepared(&format!("{unprotected}; {sql}")).await.unwrap();
        connection.close().await.unwrap();
    }

    /// Fails unless this change by hand is found, and nothing else; then mends it.
    async fn finds(&self, change: &str, mend: &str, expected: &[(&str, &str)]) {
        self.falsify(change).await;
        assert_eq!(named(&self.audit().await), named_so(expected), "{change}");
        self.falsify(mend).await;
    }

    /// The outside id of the posting of an appropriation.
    async fn posting_under(&self, key: &str) -> String {
        let connection = self.database.look().await;
        let sql = format!("SELECT posting_id FROM entry WHERE operation_key = '{key}' AND number = 0");
        let statement = sea_orm::Statement::from_string(connection.get_database_backend(), sql);
        let row = connection.query_one_raw(statement).await.unwrap().unwrap();
        let id: Uuid = row.try_get_by_index(0).unwrap();
        connection.close().await.unwrap();
        type_id(entity::id::PostingId::from(id))
    }
}

fn named(findings: &[Finding]) -> BTreeSet<(String, String)> {
    findings.iter().map(|finding| (finding.kind.to_owned(), finding.row.clone())).collect()
}

fn named_so(expected: &[(&str, &str)]) -> BTreeSet<(String, String)> {
    expected.iter().map(|(kind, row)| ((*kind).to_owned(), (*row).to_owned())).collect()
}

/// An outside id as it stands in SQL.
fn sql<K: Key>(id: &str) -> String {
    let uuid: Uuid = key_of::<K>(id).unwrap().into();
    sql_of(uuid)
}

fn sql_of(id: impl Into<Uuid>) -> String {
    let id: Uuid = id.into();
    match postgres() {
        Some(_) => format!("'{id}'"),
        None => format!("x'{}'", id.simple()),
    }
}

/// June of a hospital and a supermarket, agreed to in July, the hospital's paid; and one act more of each in July.
struct Summer {
    district: District,
    hospital: Partner,
    shop: Partner,
    /// Of June: one that stands, one that was reversed.
    settled: String,
    reversed: String,
    patients: [Resident; 3],
    /// Of June, with a refund; and its card.
    sold: String,
    refund: String,
    card: AidCardId,
    /// Of July.
    settled_later: String,
    sold_later: String,
    paid: String,
    agreed: String,
}

const SETTLED_KEY: &str = "settled";
const LATER_KEY: &str = "settled later";
const SOLD_KEY: &str = "sold";
const PAYMENT_KEY: &str = "payment";

impl Summer {
    async fn new() -> Self {
        let district = District::new().await;
        let policy = Policy::medical(&district).annual_cap("30000.00").change(|policy| {
            policy.deductible_mode = DeductibleMode::Annual;
            policy.deductible = fen("500.00");
        });
        district.policy(policy).await;
        let (hospital, shop) = (district.partner(HOSPITAL).await, district.partner(SHOP).await);
        let mut patients = Vec::new();
        for name in ["李小明", "王小红", "张三"] {
            patients.push(district.person(name, &[Category::Dibao]).await);
        }
        let patients: [Resident; 3] = patients.try_into().unwrap();
        let settle = async |key: &str, patient: &Resident| {
            district.wait(TimeDelta::seconds(1));
            hospital.settle_under(key, &bill(patient)).await.done("settle").text("settle.settlement.id")
        };
        let settled = settle(SETTLED_KEY, &patients[0]).await;
        let reversed = settle("to be reversed", &patients[1]).await;
        hospital.reverse(&reversed).await.done("reverseSettlement");
        district.seal().await;
        let (number, card) = district.card_number_and_id("200.00", |_| {}).await;
        let sell = async |key: &str, receipt: &str| {
            district.wait(TimeDelta::seconds(1));
            let mut sale = sale(&number, "20.00", receipt);
            sale["key"] = key.into();
            shop.redeem(sale).await.done("redeemAidCard").text("redeemAidCard.redemption.id")
        };
        let sold = sell(SOLD_KEY, "R1").await;
        shop.refund_under("refund", &sold, Some("5.00")).await.done("refundRedemption");
        let refund = refund_under(&district, "refund").await;
        district.seal().await;
        district.set_time("2016-07-05T02:00:00Z");
        let settled_later = settle(LATER_KEY, &patients[2]).await;
        let sold_later = sell("sold later", "R2").await;
        let agree = async |partner: &Partner, net: &str| {
            partner
                .confirm("2016-06", net)
                .await
                .done("confirmStatement")
                .text("confirmStatement.statement.id")
        };
        let paid = agree(&hospital, "4690.00").await;
        let agreed = agree(&shop, "15.00").await;
        let input = json!({ "key": PAYMENT_KEY, "statementId": paid, "bankReference": "B1" });
        district
            .partner(BUREAU)
            .await
            .act("payStatement", input, "statement { id }")
            .await
            .done("payStatement");
        district.seal().await;
        Self {
            district,
            hospital,
            shop,
            settled,
            reversed,
            patients,
            sold,
            refund,
            card,
            settled_later,
            sold_later,
            paid,
            agreed,
        }
    }

    /// The outside id of a partner.
    async fn partner(&self, code: &str) -> String {
        type_id(self.district.partner_id(code).await)
    }

    fn budget(&self, programme: entity::id::ProgrammeId) -> String {
        format!("{} 2016", type_id(programme))
    }

    fn cap_of(&self, patient: usize) -> String {
        format!("{} 2016 MEDICAL", type_id(self.patients[patient].id))
    }
}

async fn refund_under(district: &District, key: &str) -> String {
    let connection = district.database.look().await;
    let statement = sea_orm::Statement::from_string(
        connection.get_database_backend(),
        format!("SELECT id FROM refund WHERE operation_key = '{key}'"),
    );
    let row = connection.query_one_raw(statement).await.unwrap().unwrap();
    let id: Uuid = row.try_get_by_index(0).unwrap();
    connection.close().await.unwrap();
    type_id(entity::id::RefundId::from(id))
}

fn posting_of(id: &str) -> String {
    let uuid = onestop::page::uuid_of(id).unwrap();
    type_id(entity::id::PostingId::from(uuid))
}

/// Voids in every order, refunds to another card and to none, refusals, late reversals, payments.
async fn everything_that_is_done(town: &Town) {
    let district = &town.district;
    let (hospital, shop, bureau) = (town.partner(HOSPITAL), town.partner(SHOP), town.partner(BUREAU));
    let (federation, other_shop) = (town.partner(CF), town.partner(OTHER_SHOP));
    let step = || district.wait(TimeDelta::milliseconds(7));
    let patient = district.person("赵一", &[Category::Dibao, Category::EntitledVeteran]).await;
    let stranger = district.person("钱二", &[]).await;
    hospital.settle_under("V1", &bill(&patient)).await.done("settle");
    step();
    hospital.void("V1").await.done("voidOperation");
    hospital.void("never arrived").await.done("voidOperation");
    assert_eq!(
        hospital.settle_under("never arrived", &bill(&patient)).await.refusals("settle"),
        ["KEY_VOIDED"]
    );
    step();
    hospital.settle_under("V2", &bill(&patient)).await.done("settle");
    assert_eq!(hospital.settle_under("V3", &bill(&stranger)).await.refusals("settle"), ["NOT_COVERED"]);
    hospital.void("V3").await.done("voidOperation");
    let card = district.card("100.00").await;
    let sell = async |key: &str, till: &Partner, card: &str| {
        district.wait(TimeDelta::milliseconds(7));
        let mut sale = sale(card, "30.00", &new_key());
        sale["key"] = key.into();
        till.redeem(sale).await.done("redeemAidCard").text("redeemAidCard.redemption.id")
    };
    // A refund that is voided, a sale that is voided after a refund, and that refund voided as well.
    let first = sell("S1", shop, &card).await;
    shop.refund_under("F1", &first, Some("10.00")).await.done("refundRedemption");
    step();
    shop.void("F1").await.done("voidOperation");
    let second = sell("S2", shop, &card).await;
    shop.refund_under("F2", &second, Some("10.00")).await.done("refundRedemption");
    shop.void("S2").await.done("voidOperation");
    shop.void("F2").await.done("voidOperation");
    let third = sell("S3", other_shop, &card).await;
    other_shop.refund_under("F3", &third, None).await.done("refundRedemption");
    other_shop.void("S3").await.done("voidOperation");
    assert_eq!(
        shop.redeem(sale(&card, "500.00", "much")).await.refusals("redeemAidCard"),
        ["INSUFFICIENT_BALANCE"]
    );
    // What comes back to a card that was replaced, and to none.
    let (lost, lost_id) = district.card_number_and_id("50.00", |_| {}).await;
    let (_, new_id) = district.card_number_and_id("0.01", |_| {}).await;
    let on_lost = sell("S4", shop, &lost).await;
    district.replace_card(lost_id, new_id).await;
    shop.refund(&on_lost, Some("7.00")).await.done("refundRedemption");
    let ending = district.card_that("50.00", |card| card.expires_on = "2016-06-30".parse().unwrap()).await;
    let on_ending = sell("S5", shop, &ending).await;
    // July: June is agreed to and paid, and then some of it is taken back.
    district.set_time("2016-07-02T02:00:00Z");
    shop.refund_under("F5", &on_ending, Some("3.00")).await.done("refundRedemption");
    let late = "query { settlements(first: 100) { nodes { id status } } }";
    let (_, _, _, owed) = hospital.totals("2016-06").await;
    let paid = hospital.confirm("2016-06", &owed).await.done("confirmStatement");
    bureau.pay(&paid.text("confirmStatement.statement.id"), "B1").await.done("payStatement");
    let (_, _, _, owed) = shop.totals("2016-06").await;
    let paid = shop.confirm("2016-06", &owed).await.done("confirmStatement");
    federation.pay(&paid.text("confirmStatement.statement.id"), "B2").await.done("payStatement");
    let all = hospital.ask(late, json!({})).await.fine();
    for settlement in all.at("settlements.nodes").as_array().unwrap() {
        if settlement["status"] == "SETTLED" {
            step();
            hospital.reverse(settlement["id"].as_str().unwrap()).await.done("reverseSettlement");
        }
    }
    shop.refund(&first, None).await.done("refundRedemption");
    hospital.coverage(&patient.national_id, &patient.name, None).await.fine();
    district.gate.write_looks().await.unwrap();
}

#[tokio::test]
async fn nothing_differs_after_everything_that_can_be_done() {
    let town = Town::new().await;
    assert_eq!(town.district.audit().await, []);
    everything_that_is_done(&town).await;
    town.district.seal().await;
    let (findings, summary) = town.district.audit_with(None).await;
    assert_eq!(findings, []);
    assert!(summary.seals > 1 && summary.head.is_some());
    assert_eq!(summary.rows["audit_record"], summary.sealed_records);
    assert_eq!(summary.rows["entry"], town.district.database.rows("entry").await);
}

#[tokio::test]
async fn the_books_are_summed_up() {
    let summer = Summer::new().await;
    let (findings, summary) = summer.district.audit_with(None).await;
    assert_eq!(findings, []);
    let books: Vec<Vec<String>> = summary
        .books
        .iter()
        .map(|book| {
            let amounts =
                [book.appropriated, book.spent, book.owed, book.paid, book.on_cards, book.recovered];
            amounts.iter().map(|amount| amount.to_yuan().to_string()).collect()
        })
        .collect();
    let fiscal = ["6000000000.00", "9380.00", "4690.00", "4690.00", "0.00", "0.00"];
    let charity = ["6000000000.00", "200.00", "35.00", "0.00", "165.00", "0.00"];
    assert_eq!(books, [fiscal, charity]);
}

#[tokio::test]
async fn an_audit_takes_the_same_statements_however_much_there_is() {
    let town = Town::new().await;
    let count = async || counting(town.district.audit()).await.1;
    let before = count().await;
    everything_that_is_done(&town).await;
    town.district.seal().await;
    assert_eq!(count().await, before);
    assert!(before < 25, "{before}");
}

#[tokio::test]
async fn an_audit_beside_writers_sees_one_moment() {
    let summer = Summer::new().await;
    let district = &summer.district;
    let patients =
        futures_util::future::join_all((0..12).map(|_| district.person("李小明", &[Category::Dibao]))).await;
    let (done, mut stop) = tokio::sync::watch::channel(false);
    let writing = async {
        for patient in &patients {
            let id = summer.hospital.settle(&bill(patient)).await.done("settle").text("settle.settlement.id");
            let card = district.card("10.00").await;
            let sold = summer.shop.sell(&card, "4.00", &new_key()).await;
            summer.shop.refund(&sold, Some("1.00")).await.done("refundRedemption");
            summer.hospital.reverse(&id).await.done("reverseSettlement");
            district.seal().await;
        }
        done.send(true).unwrap();
    };
    let auditing = async {
        let mut audits = 0;
        while !*stop.borrow_and_update() {
            assert_eq!(district.audit().await, []);
            audits += 1;
            tokio::task::yield_now().await;
        }
        audits
    };
    let ((), audits) = tokio::join!(writing, auditing);
    assert!(audits > 3, "{audits}");
    assert_eq!(district.audit().await, []);
}
