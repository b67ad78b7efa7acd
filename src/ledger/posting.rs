//! How a posting is put together.

use entity::id::{PostingId, StatementId};
use entity::kinds::{Account, FundSource, PostingKind};
use entity::{Fen, entry};
use uuid::Uuid;

use crate::access::Act;
use crate::error::{Error, Result};

/// A posting under way.
pub(super) struct Posting {
    entries: Vec<entry::Model>,
    blank: entry::Model,
}

/// What a posting is about.
pub(super) struct About {
    pub(super) book: FundSource,
    pub(super) kind: PostingKind,
    pub(super) source: Uuid,
    pub(super) reference: Option<String>,
}

impl Posting {
    /// A posting of the act's own time and key.
    pub(super) fn new(act: &Act, id: PostingId, about: About) -> Self {
        let blank = entry::Model {
            posting_id: id,
            number: 0,
            book: about.book,
            account: Account::Treasury,
            kind: about.kind,
            amount: Fen::ZERO,
            programme_id: None,
            year: None,
            partner_id: None,
            aid_card_id: None,
            person_id: None,
            cap_group: None,
            statement_id: None,
            source_id: about.source,
            corrects: None,
            operation_key: act.key().to_owned(),
            reference: about.reference,
            acted_at: act.now(),
            posted_at: act.now(),
        };
        Self { entries: Vec::new(), blank }
    }

    /// A posting that takes back another, or a part of it: it keeps the original's key, reference and time.
    pub(super) fn correcting(act: &Act, id: PostingId, kind: PostingKind, original: &entry::Model) -> Self {
        let about = About {
            book: original.book,
            kind,
            source: original.source_id,
            reference: original.reference.clone(),
        };
        let mut posting = Self::new(act, id, about);
        posting.blank.corrects = Some(original.posting_id);
        posting.blank.operation_key.clone_from(&original.operation_key);
        posting.blank.acted_at = original.acted_at;
        posting
    }

    /// A positive amount on the left of the account.
    pub(super) fn debit(
        &mut self,
        account: Account,
        amount: Fen,
        detail: impl FnOnce(&mut entry::Model),
    ) -> Result<()> {
        let mut entry = entry::Model {
            number: i32::try_from(self.entries.len()).map_err(|_| Error::internal("a posting too long"))?,
            account,
            amount,
            ..self.blank.clone()
        };
        detail(&mut entry);
        self.entries.push(entry);
        Ok(())
    }

    /// A positive amount on the right of the account.
    pub(super) fn credit(
        &mut self,
        account: Account,
        amount: Fen,
        detail: impl FnOnce(&mut entry::Model),
    ) -> Result<()> {
        let less = amount.negated().ok_or_else(|| Error::internal("an amount beyond 64 bits"))?;
        self.debit(account, less, detail)
    }

    /// The other side of an entry of the original; what is owed moves into another statement.
    pub(super) fn mirror(&mut self, entry: &entry::Model, statement: StatementId) -> Result<()> {
        self.credit(entry.account, entry.amount, |new| {
            new.programme_id = entry.programme_id;
            new.year = entry.year;
            new.partner_id = entry.partner_id;
            new.aid_card_id = entry.aid_card_id;
            new.person_id = entry.person_id;
            new.cap_group.clone_from(&entry.cap_group);
            new.statement_id = entry.statement_id.map(|_| statement);
        })
    }

    pub(super) fn post(self, act: &mut Act) -> Result<()> {
        act.post(self.entries)
    }
}
