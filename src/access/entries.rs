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

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use entity::kinds::Account;
    use uuid::Uuid;

    use super::*;

    fn entry(posting: u128, book: FundSource, amount: i64) -> entry::Model {
        entry::Model {
            posting_id: PostingId::from(Uuid::from_u128(posting)),
            number: 0,
            book,
            account: Account::Treasury,
            kind: PostingKind::Payment,
            amount: Fen::new(amount),
            programme_id: None,
            year: None,
            partner_id: None,
            aid_card_id: None,
            person_id: None,
            cap_group: None,
            statement_id: None,
            source_id: Uuid::nil(),
            corrects: None,
            operation_key: String::new(),
            reference: None,
            acted_at: DateTime::UNIX_EPOCH,
            posted_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_posting_balances_in_one_book() {
        use FundSource::{Charity, Fiscal};
        let judged = |of: &[(u128, FundSource, i64)]| {
            check(&of.iter().map(|(id, book, amount)| entry(*id, *book, *amount)).collect::<Vec<_>>())
        };
        assert_eq!(judged(&[(1, Fiscal, 5), (1, Fiscal, -3), (1, Fiscal, -2)]), Ok(()));
        assert_eq!(judged(&[]), Err("a posting without entries"));
        assert_eq!(judged(&[(1, Fiscal, 5), (1, Fiscal, -4)]), Err("a posting that does not balance"));
        assert_eq!(judged(&[(1, Fiscal, 5), (1, Charity, -5)]), Err("a posting in two books"));
        assert_eq!(judged(&[(1, Fiscal, 5), (2, Fiscal, -5)]), Err("two postings at once"));
        let beyond = [(1, Fiscal, i64::MAX), (1, Fiscal, 1), (1, Fiscal, i64::MIN)];
        assert_eq!(judged(&beyond), Err("a posting beyond 64 bits of fen"));
    }
}
