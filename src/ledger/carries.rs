//! Statements that come to less than nothing.

use entity::kinds::{Account, PostingKind};
use entity::{Fen, statement};

use super::posting::{About, Posting};
use super::statements;
use crate::access::Act;
use crate::error::Result;

/// Posts that what a month came to below zero, a positive amount, goes into the next open one. Each side names the other month.
pub async fn carried(act: &mut Act, row: &statement::Model, lacking: Fen) -> Result<()> {
    let next = statements::open_after(act, row).await?;
    let about = About {
        book: row.fund,
        kind: PostingKind::CarryForward,
        source: next.id.into(),
        reference: Some(next.month),
    };
    let mut posting = Posting::new(act, act.new_id(), about);
    posting.credit(Account::Payable, lacking, |entry| {
        entry.partner_id = Some(row.partner_id);
        entry.statement_id = Some(row.id);
    })?;
    posting.debit(Account::Payable, lacking, |entry| {
        entry.partner_id = Some(row.partner_id);
        entry.statement_id = Some(next.id);
        entry.source_id = row.id.into();
        entry.reference = Some(row.month.clone());
    })?;
    posting.post(act)
}
