//! Statements that are paid.

use entity::Fen;
use entity::kinds::{Account, PostingKind};
use entity::statement;

use super::posting::{About, Posting};
use crate::access::Act;
use crate::error::Result;

/// Posts the payment of what a statement comes to; below zero, what the partner paid back.
pub fn paid(act: &mut Act, row: &statement::Model, net: Fen, bank_reference: &str) -> Result<()> {
    let about = About {
        book: row.fund,
        kind: PostingKind::Payment,
        source: row.id.into(),
        reference: Some(bank_reference.to_owned()),
    };
    let mut posting = Posting::new(act, act.new_id(), about);
    posting.debit(Account::Payable, net, |entry| {
        entry.partner_id = Some(row.partner_id);
        entry.statement_id = Some(row.id);
    })?;
    posting.credit(Account::Treasury, net, |_| {})?;
    posting.post(act)
}
