//! The ledger of a period.

use entity::entry;
use entity::id::PostingId;
use sea_orm::{ColumnTrait, ExprTrait};

use super::csv::{self, if_any, plain, text};
use super::period::Period;
use super::{Pieces, ROWS_AT_A_TIME, next, pages};
use crate::access::Slice;
use crate::error::Result;
use crate::graph::scalars::{DateTime, Money};
use crate::page::{first_key_after, first_key_at, type_id};

/// One line per entry, named as the fields of `Posting` and `LedgerEntry`. The entries of a posting stand together, and sum to
/// 0.00.
const COLUMNS: &[&str] = &[
    "postedAt",
    "postingId",
    "book",
    "kind",
    "corrects",
    "operationKey",
    "reference",
    "account",
    "amount",
    "programmeId",
    "year",
    "partnerId",
    "aidCardId",
    "statementId",
];

/// A posting, and the place in it.
type Place = (PostingId, i32);

/// The entries of the ledger, oldest posting first.
pub fn ledger(slice: Slice, period: Period) -> Pieces {
    pages(COLUMNS, move |after| page(slice.clone(), period, after))
}

async fn page(slice: Slice, period: Period, after: Option<Place>) -> Result<(Vec<u8>, Option<Place>)> {
    use entry::Column::{Number, PostedAt, PostingId as Id};
    let from = after.map_or(first_key_at(period.from), |(posting, _)| posting);
    let rows = slice
        .ledger()?
        .only(Id.gte(from))
        .only(Id.lt(first_key_after::<PostingId>(period.before)))
        .only(PostedAt.gte(period.from))
        .only(PostedAt.lt(period.before))
        .only_if(after.map(|(posting, number)| Id.gt(posting).or(Number.gt(number))))
        .oldest_first(Id)
        .oldest_first(Number)
        .limit(ROWS_AT_A_TIME)
        .all()
        .await?;
    let mut lines = Vec::new();
    for row in &rows {
        let cells = [
            plain(DateTime(row.posted_at).written()),
            plain(type_id(row.posting_id)),
            plain(row.book.word()),
            plain(row.kind.word()),
            if_any(row.corrects.map(type_id)),
            text(&row.operation_key),
            text(row.reference.as_deref().unwrap_or_default()),
            plain(row.account.word()),
            plain(Money(row.amount).written()),
            if_any(row.programme_id.map(type_id)),
            if_any(row.year.map(|year| year.to_string())),
            if_any(row.partner_id.map(type_id)),
            if_any(row.aid_card_id.map(type_id)),
            if_any(row.statement_id.map(type_id)),
        ];
        csv::write(&mut lines, cells);
    }
    Ok((lines, next(&rows, |row| (row.posting_id, row.number))))
}
