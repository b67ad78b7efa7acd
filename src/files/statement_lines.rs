//! The lines of a statement.

use entity::id::{PostingId, StatementId};
use entity::{entry, statement};
use sea_orm::ColumnTrait;

use super::csv::{self, plain, text};
use super::{Pieces, ROWS_AT_A_TIME, next, pages, word};
use crate::access::Slice;
use crate::error::Result;
use crate::graph::scalars::{DateTime, Money};
use crate::graph::statement::{line_kind, owed, source_of};
use crate::page::key_of;

/// Named as the fields of `StatementLine`: when it was posted (UTC), the key of the original act, the invoice or receipt number,
/// the kind, the signed amount in yuan, and the id of the settlement or redemption (of a carried
/// line, of the other statement).
const COLUMNS: &[&str] = &["at", "key", "reference", "kind", "amount", "sourceId"];

/// A statement by its outside id, when the viewer sees it, and what its file is called.
pub async fn find(slice: &Slice, id: &str) -> Result<Option<(StatementId, String)>> {
    let Some(id) = key_of::<StatementId>(id) else { return Ok(None) };
    let found = slice.select::<statement::Entity>()?.only(statement::Column::Id.eq(id)).one().await?;
    let Some(row) = found else { return Ok(None) };
    let partner = slice.directory().partner(row.partner_id).await?;
    let fund = row.fund.word().to_ascii_lowercase();
    Ok(Some((row.id, format!("statement-{}-{}-{fund}.csv", partner.code, row.month))))
}

/// The lines of a statement that the viewer sees, oldest first.
pub fn lines(slice: Slice, statement: StatementId) -> Pieces {
    pages(COLUMNS, move |after| page(slice.clone(), statement, after))
}

async fn page(
    slice: Slice,
    statement: StatementId,
    after: Option<PostingId>,
) -> Result<(Vec<u8>, Option<PostingId>)> {
    let rows = slice
        .lines_of(statement)?
        .only_if(after.map(|after| entry::Column::PostingId.gt(after)))
        .oldest_first(entry::Column::PostingId)
        .limit(ROWS_AT_A_TIME)
        .all()
        .await?;
    let mut lines = Vec::new();
    for row in &rows {
        let cells = [
            plain(DateTime(row.posted_at).written()),
            text(&row.operation_key),
            text(row.reference.as_deref().unwrap_or_default()),
            plain(word(line_kind(row.kind)?)),
            plain(Money(owed(row)?).written()),
            plain(source_of(row)),
        ];
        csv::write(&mut lines, cells);
    }
    Ok((lines, next(&rows, |row| row.posting_id)))
}
