//! What a programme may spend in a year.

use entity::kinds::{Account, PostingKind};
use entity::{Fen, programme};

use super::posting::{About, Posting};
use crate::access::Act;
use crate::error::Result;

/// Posts an appropriation, which adds to what the year has.
pub async fn appropriated(act: &mut Act, programme: &programme::Model, year: i32, amount: Fen) -> Result<()> {
    act.add_to_budget(programme.id, year, amount).await?;
    let about = About {
        book: programme.fund,
        kind: PostingKind::Appropriation,
        source: programme.id.into(),
        reference: None,
    };
    let mut posting = Posting::new(act, act.new_id(), about);
    posting.debit(Account::Treasury, amount, |_| {})?;
    posting.credit(Account::Appropriation, amount, |entry| {
        entry.programme_id = Some(programme.id);
        entry.year = Some(year);
    })?;
    posting.post(act)
}
