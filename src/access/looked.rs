//! Door: the auditor's way from anything to the person it is about, and to who looked at them.

use entity::id::{AidCardId, AuditRecordId, PersonId, ReferralId, SettlementId};
use entity::kinds::Scope;
use entity::{aid_card, audit_record, look, referral, settlement};
use sea_orm::{ColumnTrait, EntityTrait};

use super::slice::Slice;
use crate::error::Result;
use crate::page::{Page, Paged, key_of, padded};

impl Slice {
    /// The person that an id names, or whom a settlement, a referral or an aid card is for.
    async fn person_of(&self, subject: &str) -> Result<Option<PersonId>> {
        let connection = self.database.reader();
        if let Some(id) = key_of::<SettlementId>(subject) {
            let row = settlement::Entity::find_by_id(id).one(&connection).await?;
            return Ok(row.map(|row| row.person_id));
        }
        if let Some(id) = key_of::<ReferralId>(subject) {
            let row = referral::Entity::find_by_id(id).one(&connection).await?;
            return Ok(row.and_then(|row| row.person_id));
        }
        if let Some(id) = key_of::<AidCardId>(subject) {
            let row = aid_card::Entity::find_by_id(id).one(&connection).await?;
            return Ok(row.map(|row| row.person_id));
        }
        Ok(key_of::<PersonId>(subject))
    }

    /// A page of the audit records that concern a person, newest first: looks, and acts that wrote something of theirs. Nothing for
    /// an id that leads to nobody.
    pub async fn looks_at_person(
        &self,
        subject: &str,
        page: &Page,
    ) -> Result<Option<Paged<audit_record::Model>>> {
        self.demand(Scope::AuditRead)?;
        let Some(person) = self.person_of(subject).await? else { return Ok(None) };
        let looks = self
            .select::<look::Entity>()?
            .only(look::Column::PersonId.eq(person))
            .page(page, look::Column::RecordId, |row| row.record_id)
            .await?;
        let ids: Vec<AuditRecordId> = looks.rows.iter().map(|(_, row)| row.record_id).collect();
        let mut records = match ids.is_empty() {
            true => Vec::new(),
            false => {
                self.select::<audit_record::Entity>()?
                    .only(audit_record::Column::Id.is_in(padded(ids)))
                    .all()
                    .await?
            }
        };
        let rows = looks.rows.into_iter().filter_map(|(cursor, row)| {
            let place = records.iter().position(|record| record.id == row.record_id)?;
            Some((cursor, records.swap_remove(place)))
        });
        Ok(Some(Paged {
            rows: rows.collect(),
            has_previous: looks.has_previous,
            has_next: looks.has_next,
            total: looks.total,
        }))
    }
}
