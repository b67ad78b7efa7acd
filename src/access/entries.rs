//! The ledger's entries as acts write them: gathered while the act works, checked, and written in one go at its commit.

use entity::Fen;
use entity::id::{PartnerId, PostingId};
use entity::kinds::{FundSource, PostingKind};
use entity::{entry, statement};
use sea_orm::sea_query::LockType;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::act::Act;
use crate::error::{Error, Result};

impl Act {
    /// Posts a set of entries with the act. They stand in one book and sum to zero, or nothing is done at all.
    pub fn post(&mut self, posting: Vec<entry::Model>) -> Result<()> {
        check(&posting).map_err(Error::internal)?;
        self.entries.extend(posting);
        Ok(())
    }

    pub(super) async fn write_entries(&mut self) -> Result<()> {
        let entries = std::mem::take(&mut self.entries);
        self.write_all::<entry::Entity>(&entries).await
    }

    /// Door: the whole posting of a row that the viewer holds, for posting its correction.
    pub async fn posting_of(&self, posting: PostingId, kind: PostingKind) -> Result<Vec<entry::Model>> {
        Ok(entry::Entity::find()
            .filter(entry::Column::PostingId.eq(posting))
            .filter(entry::Column::Kind.eq(kind))
            .order_by_asc(entry::Column::Number)
            .all(&self.executor())
            .await?)
    }

    /// The viewer's statements of a fund from a month on, oldest first. Until the act ends nobody confirms them: whoever does
    /// waits, and whoever comes after a confirmation sees it.
    pub async fn hold_statements(
        &self,
        partner: PartnerId,
        fund: FundSource,
        from: &str,
    ) -> Result<Vec<statement::Model>> {
        Ok(statement::Entity::find()
            .filter(statement::Column::PartnerId.eq(partner))
            .filter(statement::Column::Fund.eq(fund))
            .filter(statement::Column::Month.gte(from))
            .order_by_asc(statement::Column::Month)
            .lock(LockType::KeyShare)
            .all(&self.executor())
            .await?)
    }
}

fn check(posting: &[entry::Model]) -> Result<(), &'static str> {
    let Some(first) = posting.first() else { return Err("a posting without entries") };
    if posting.iter().any(|entry| entry.book != first.book) {
        return Err("a posting in two books");
    }
    if posting.iter().any(|entry| entry.posting_id != first.posting_id) {
        return Err("two postings at once");
    }
    match Fen::checked_sum(posting.iter().map(|entry| entry.amount)) {
        Some(Fen::ZERO) => Ok(()),
        Some(_) => Err("a posting that does not balance"),
        None => Err("a posting beyond 64 bits of fen"),
    }
}
