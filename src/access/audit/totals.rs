//! What the books come to, and how many rows there are.

use std::collections::BTreeMap;

use entity::Fen;
use entity::kinds::{Account, FundSource, PostingKind};
use sea_orm::{ConnectionTrait, DatabaseTransaction, FromQueryResult, Statement};
use serde::Serialize;

use super::{Finding, Told};
use crate::error::{Error, Result};

/// A fund's book.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Book {
    pub fund: FundSource,
    /// Given to programmes.
    #[serde(serialize_with = "yuan")]
    pub appropriated: Fen,
    /// Spent by them.
    #[serde(serialize_with = "yuan")]
    pub spent: Fen,
    /// Owed to partners by now.
    #[serde(serialize_with = "yuan")]
    pub owed: Fen,
    /// Paid to them.
    #[serde(serialize_with = "yuan")]
    pub paid: Fen,
    /// What cards can still buy.
    #[serde(serialize_with = "yuan")]
    pub on_cards: Fen,
    /// Came back from cards that no longer serve.
    #[serde(serialize_with = "yuan")]
    pub recovered: Fen,
}

fn yuan<S: serde::Serializer>(amount: &Fen, to: S) -> std::result::Result<S::Ok, S::Error> {
    to.collect_str(&amount.to_yuan())
}

#[derive(FromQueryResult)]
struct Summed {
    account: Account,
    kind: PostingKind,
    amount: i64,
}

/// Both books; one that does not come to zero is reported.
pub(super) async fn books(snapshot: &DatabaseTransaction, told: &mut Told<'_>) -> Result<Vec<Book>> {
    let sql = "SELECT book, account, kind, CAST(SUM(amount) AS bigint) AS amount FROM entry GROUP BY book, account, kind";
    let statement = Statement::from_string(snapshot.get_database_backend(), sql);
    let rows = snapshot.query_all_raw(statement).await?;
    let mut sums: Vec<(FundSource, Summed)> = Vec::new();
    for row in &rows {
        sums.push((row.try_get("", "book")?, Summed::from_query_result(row, "")?));
    }
    let mut books = Vec::new();
    for fund in FundSource::ALL.iter().copied() {
        let of = |wanted: &dyn Fn(&Summed) -> bool| {
            let amounts = sums.iter().filter(|(book, sum)| *book == fund && wanted(sum));
            Fen::checked_sum(amounts.map(|(_, sum)| Fen::new(sum.amount))).ok_or_else(too_large)
        };
        let on = |account| of(&|sum| sum.account == account);
        let credit = |account| on(account)?.negated().ok_or_else(too_large);
        let sum = of(&|_| true)?;
        if sum != Fen::ZERO {
            told.finding(Finding {
                kind: "book.sum",
                table: "entry",
                row: fund.word().to_owned(),
                found: sum.to_yuan().to_string(),
                expected: Fen::ZERO.to_yuan().to_string(),
                means: "The book does not sum to zero.",
                warning: false,
            });
        }
        books.push(Book {
            fund,
            appropriated: credit(Account::Appropriation)?,
            spent: on(Account::Spending)?,
            owed: credit(Account::Payable)?,
            paid: of(&|sum| sum.account == Account::Payable && sum.kind == PostingKind::Payment)?,
            on_cards: credit(Account::Card)?,
            recovered: credit(Account::Recovery)?,
        });
    }
    Ok(books)
}

fn too_large() -> Error {
    Error::internal("a book beyond 64 bits of fen")
}

const TABLES: [&str; 14] = [
    "entry",
    "settlement",
    "settlement_part",
    "entitlement_use",
    "aid_card",
    "redemption",
    "refund",
    "budget_share",
    "statement",
    "operation",
    "event",
    "audit_record",
    "seal",
    "policy_version",
];

/// How many rows each table has that was looked at.
pub(super) async fn rows(snapshot: &DatabaseTransaction) -> Result<BTreeMap<String, i64>> {
    let counts = TABLES.map(|table| format!("SELECT '{table}' AS name, COUNT(*) AS rows FROM {table}"));
    let statement = Statement::from_string(snapshot.get_database_backend(), counts.join(" UNION ALL "));
    let rows = snapshot.query_all_raw(statement).await?;
    rows.iter().map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))).collect()
}
