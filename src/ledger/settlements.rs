//! Second reimbursements: what a programme spends, a hospital is owed, and a person uses of a year's cap.

use entity::id::{PostingId, StatementId};
use entity::kinds::{Account, FundSource, PostingKind};
use entity::{entry, settlement, settlement_part};
use uuid::Uuid;

use super::posting::{About, Posting};
use super::statements;
use crate::access::Act;
use crate::error::{Error, Result};
use crate::rules::calendar::china_year;

/// Posts a settlement; false when a programme's budget of this year does not suffice, and then the act must not go on.
pub async fn settled(
    act: &mut Act,
    row: &settlement::Model,
    parts: &[settlement_part::Model],
) -> Result<bool> {
    let year = china_year(act.now());
    let mut spending: Vec<_> = parts.iter().filter(|part| part.paid.is_positive()).collect();
    // All who draw on two budgets do so in the same order.
    spending.sort_by_key(|part| part.programme_id);
    for part in &spending {
        if !act.draw_budget(part.programme_id, year, part.paid).await? {
            return Ok(false);
        }
    }
    let book = book_of(act, parts).await?;
    let statement = statements::open(act, row.hospital_id, book, act.now()).await?;
    let about = About {
        book,
        kind: PostingKind::Settlement,
        source: row.id.into(),
        reference: Some(row.invoice_number.clone()),
    };
    let mut posting = Posting::new(act, PostingId::from(Uuid::from(row.id)), about);
    posting.credit(Account::Payable, row.assistance, owed_to(row, statement))?;
    for part in &spending {
        posting.debit(Account::Spending, part.paid, |entry| {
            entry.programme_id = Some(part.programme_id);
            entry.year = Some(year);
        })?;
    }
    for part in &spending {
        let used = |entry: &mut entry::Model| {
            entry.person_id = Some(part.person_id);
            entry.year = Some(part.benefit_year);
            entry.cap_group = Some(part.cap_group.clone());
        };
        posting.debit(Account::Entitlement, part.paid, used)?;
        posting.credit(Account::EntitlementTotal, part.paid, |entry| {
            entry.year = Some(part.benefit_year);
            entry.cap_group = Some(part.cap_group.clone());
        })?;
    }
    posting.post(act)?;
    Ok(true)
}

fn owed_to(row: &settlement::Model, statement: StatementId) -> impl FnOnce(&mut entry::Model) {
    let hospital = row.hospital_id;
    move |entry| {
        entry.partner_id = Some(hospital);
        entry.statement_id = Some(statement);
    }
}

/// The book of the programmes that pay; the parts of one settlement have the same.
async fn book_of(act: &Act, parts: &[settlement_part::Model]) -> Result<FundSource> {
    let reference = act.slice().directory().reference().await?;
    let mut book = None;
    for part in parts {
        let programme = reference
            .programme(part.programme_id)
            .ok_or_else(|| Error::internal("a settlement of a programme that is not there"))?;
        if book.is_some_and(|book| book != programme.fund) {
            return Err(Error::internal("programmes of two funds in one settlement"));
        }
        book = Some(programme.fund);
    }
    Ok(book.unwrap_or(FundSource::Fiscal))
}

/// Takes a settlement's posting back, whole.
pub async fn reversed(act: &mut Act, row: &settlement::Model) -> Result<()> {
    let original = act.posting_of(PostingId::from(Uuid::from(row.id)), PostingKind::Settlement).await?;
    let first = original.first().ok_or_else(|| Error::internal("a settlement without a posting"))?;
    for entry in original.iter().filter(|entry| entry.account == Account::Spending) {
        let (Some(programme), Some(year)) = (entry.programme_id, entry.year) else {
            return Err(Error::internal("spending without a budget"));
        };
        act.return_to_budget(programme, year, entry.amount).await?;
    }
    let statement = statements::open(act, row.hospital_id, first.book, first.acted_at).await?;
    let mut posting = Posting::correcting(act, act.new_id(), PostingKind::Reversal, first);
    for entry in &original {
        posting.mirror(entry, statement)?;
    }
    posting.post(act)
}
