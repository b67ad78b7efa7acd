//! Aid cards: what is put on them, what supermarkets are owed for goods, and what comes back.

use entity::id::{PartnerId, PostingId, ProgrammeId, StatementId};
use entity::kinds::{Account, FundSource, PostingKind};
use entity::{Fen, aid_card, entry, redemption, refund};
use uuid::Uuid;

use super::posting::{About, Posting};
use super::statements;
use crate::access::Act;
use crate::error::{Error, Result};
use crate::rules::calendar::china_year;

/// Posts the issue of cards of one programme; false when its budget of this year does not suffice, and then the act must not go on.
pub async fn issued(act: &mut Act, programme: ProgrammeId, cards: &[aid_card::Model]) -> Result<bool> {
    let year = china_year(act.now());
    let total = Fen::checked_sum(cards.iter().map(|card| card.face_value))
        .ok_or_else(|| Error::internal("cards beyond 64 bits of fen"))?;
    if !act.draw_budget(programme, year, total).await? {
        return Ok(false);
    }
    let about = About {
        book: book_of(act, programme).await?,
        kind: PostingKind::CardIssue,
        source: programme.into(),
        reference: None,
    };
    let mut posting = Posting::new(act, act.new_id(), about);
    posting.debit(Account::Spending, total, |entry| {
        entry.programme_id = Some(programme);
        entry.year = Some(year);
    })?;
    for card in cards {
        posting.credit(Account::Card, card.face_value, |entry| entry.aid_card_id = Some(card.id))?;
    }
    posting.post(act)?;
    Ok(true)
}

/// Posts a redemption.
pub async fn redeemed(act: &mut Act, row: &redemption::Model, card: &aid_card::Model) -> Result<()> {
    let book = book_of(act, card.programme_id).await?;
    let statement = statements::open(act, row.supermarket_id, book, act.now()).await?;
    let about = About {
        book,
        kind: PostingKind::Redemption,
        source: row.id.into(),
        reference: Some(row.receipt_number.clone()),
    };
    let mut posting = Posting::new(act, PostingId::from(Uuid::from(row.id)), about);
    posting.credit(Account::Payable, row.amount, owed_to(row.supermarket_id, statement))?;
    posting.debit(Account::Card, row.amount, |entry| entry.aid_card_id = Some(card.id))?;
    posting.post(act)
}

/// Posts a refund of a redemption: to the card that was credited, else to the programme.
pub async fn refunded(act: &mut Act, row: &redemption::Model, refund: &refund::Model) -> Result<()> {
    let original = redemption_posting(act, row).await?;
    let statement = statements::open(act, row.supermarket_id, original.book, original.acted_at).await?;
    let id = PostingId::from(Uuid::from(refund.id));
    let mut posting = Posting::correcting(act, id, PostingKind::Refund, &original);
    posting.debit(Account::Payable, refund.amount, owed_to(row.supermarket_id, statement))?;
    match refund.credited_card_id {
        Some(card) => {
            posting.credit(Account::Card, refund.amount, |entry| entry.aid_card_id = Some(card))?;
        }
        None => {
            let programme = act.programme_of_card(row).await?;
            let year = china_year(act.now());
            posting.credit(Account::Recovery, refund.amount, |entry| {
                entry.programme_id = Some(programme);
                entry.year = Some(year);
            })?;
        }
    }
    posting.post(act)
}

/// Takes a refund's posting back.
pub async fn refund_undone(act: &mut Act, row: &redemption::Model, refund: &refund::Model) -> Result<()> {
    let original = act.posting_of(PostingId::from(Uuid::from(refund.id)), PostingKind::Refund).await?;
    let first = original.first().ok_or_else(|| Error::internal("a refund without a posting"))?;
    let statement = statements::open(act, row.supermarket_id, first.book, first.acted_at).await?;
    let mut posting = Posting::correcting(act, act.new_id(), PostingKind::Refund, first);
    for entry in &original {
        posting.mirror(entry, statement)?;
    }
    posting.post(act)
}

async fn redemption_posting(act: &Act, row: &redemption::Model) -> Result<entry::Model> {
    let posting = act.posting_of(PostingId::from(Uuid::from(row.id)), PostingKind::Redemption).await?;
    posting.into_iter().next().ok_or_else(|| Error::internal("a redemption without a posting"))
}

fn owed_to(supermarket: PartnerId, statement: StatementId) -> impl FnOnce(&mut entry::Model) {
    move |entry| {
        entry.partner_id = Some(supermarket);
        entry.statement_id = Some(statement);
    }
}

async fn book_of(act: &Act, programme: ProgrammeId) -> Result<FundSource> {
    let reference = act.slice().directory().reference().await?;
    let programme = reference.programme(programme);
    Ok(programme.ok_or_else(|| Error::internal("a card of a programme that is not there"))?.fund)
}
