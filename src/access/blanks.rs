//! What stands in each column that tells who somebody is, once they are forgotten. Amounts, days of money, ids and the partners' own
//! numbers for papers are no such columns: the vouchers are kept.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use entity::{
    Digest, Sealed, aid_card, consent, person, redemption, referral, referral_event, refund, settlement,
};
use sea_orm::{ColumnTrait, Set, Unchanged};
use uuid::Uuid;

use super::keys::Keys;
use crate::error::Result;

/// In place of a name.
pub const NOBODY: &str = "已匿名";
/// In place of what somebody wrote.
pub const NOTHING: &str = "已删除";

/// The blanks of one person.
pub(super) struct Blanks<'a> {
    keys: &'a Keys,
    /// In place of the digest of the number; the person's consents keep to it.
    number: Digest,
}

/// A digest of nothing: no number and no name leads to it.
fn of_nobody() -> Digest {
    Digest(rand::random::<[u8; 32]>().to_vec())
}

/// The first day of a day's year.
fn year_of(day: NaiveDate) -> NaiveDate {
    NaiveDate::from_ymd_opt(day.year(), 1, 1).unwrap_or(day)
}

impl<'a> Blanks<'a> {
    pub(super) fn new(keys: &'a Keys) -> Self {
        Self { keys, number: of_nobody() }
    }

    /// What is left is the year of birth and the district. The sub-district, the disability and the day of death
    /// go, too: with the days of a stay they would still tell one person from others.
    pub(super) fn person(&self, row: &person::Model, at: DateTime<Utc>) -> Result<person::ActiveModel> {
        Ok(person::ActiveModel {
            id: Unchanged(row.id),
            national_id_sealed: Set(self.keys.seal(person::Column::NationalIdSealed, row.id, "")?),
            national_id_hash: Set(self.number.clone()),
            desk_hash: Set(of_nobody()),
            name_sealed: Set(self.keys.seal(person::Column::NameSealed, row.id, NOBODY)?),
            birth_date: Set(year_of(row.birth_date)),
            subdistrict: Set(None),
            community: Set(None),
            phone_sealed: Set(None),
            address_sealed: Set(None),
            disability_class: Set(None),
            disability_grade: Set(None),
            disability_certificate_sealed: Set(None),
            health_sealed: Set(None),
            monthly_income: Set(None),
            deceased_on: Set(row.deceased_on.map(year_of)),
            forgotten_at: Set(Some(at)),
            ..Default::default()
        })
    }

    pub(super) fn settlement(&self, row: &settlement::Model) -> Result<settlement::ActiveModel> {
        Ok(settlement::ActiveModel {
            id: Unchanged(row.id),
            patient_name: Set(NOBODY.into()),
            reversal_reason_sealed: Set(self.instead(
                settlement::Column::ReversalReasonSealed,
                row.id,
                row.reversal_reason_sealed.as_ref(),
                NOTHING,
            )?),
            ..Default::default()
        })
    }

    pub(super) fn aid_card(&self, row: &aid_card::Model) -> Result<aid_card::ActiveModel> {
        Ok(aid_card::ActiveModel {
            id: Unchanged(row.id),
            holder_name: Set(NOBODY.into()),
            ..Default::default()
        })
    }

    pub(super) fn redemption(&self, row: &redemption::Model) -> Result<redemption::ActiveModel> {
        Ok(redemption::ActiveModel {
            id: Unchanged(row.id),
            agent_name_sealed: Set(self.instead(
                redemption::Column::AgentNameSealed,
                row.id,
                row.agent_name_sealed.as_ref(),
                NOBODY,
            )?),
            ..Default::default()
        })
    }

    pub(super) fn refund(&self, row: &refund::Model) -> Result<refund::ActiveModel> {
        let reason = self.keys.seal(refund::Column::ReasonSealed, row.id, NOTHING)?;
        Ok(refund::ActiveModel { id: Unchanged(row.id), reason_sealed: Set(reason), ..Default::default() })
    }

    pub(super) fn consent(&self, row: &consent::Model) -> Result<consent::ActiveModel> {
        Ok(consent::ActiveModel {
            id: Unchanged(row.id),
            national_id_hash: Set(self.number.clone()),
            name_sealed: Set(self.keys.seal(consent::Column::NameSealed, row.id, NOBODY)?),
            purpose: Set(NOTHING.into()),
            ..Default::default()
        })
    }

    pub(super) fn referral(&self, row: &referral::Model) -> Result<referral::ActiveModel> {
        Ok(referral::ActiveModel {
            id: Unchanged(row.id),
            stated_name_sealed: Set(self.keys.seal(referral::Column::StatedNameSealed, row.id, NOBODY)?),
            stated_national_id_sealed: Set(self.keys.seal(
                referral::Column::StatedNationalIdSealed,
                row.id,
                "",
            )?),
            stated_phone_sealed: Set(None),
            reason_sealed: Set(self.keys.seal(referral::Column::ReasonSealed, row.id, NOTHING)?),
            outcome_sealed: Set(self.instead(
                referral::Column::OutcomeSealed,
                row.id,
                row.outcome_sealed.as_ref(),
                NOTHING,
            )?),
            ..Default::default()
        })
    }

    pub(super) fn referral_event(&self, row: &referral_event::Model) -> Result<referral_event::ActiveModel> {
        Ok(referral_event::ActiveModel {
            id: Unchanged(row.id),
            note_sealed: Set(self.instead(
                referral_event::Column::NoteSealed,
                row.id,
                row.note_sealed.as_ref(),
                NOTHING,
            )?),
            ..Default::default()
        })
    }

    /// What was written stays to have been written.
    fn instead<C: ColumnTrait>(
        &self,
        column: C,
        row: impl Into<Uuid>,
        before: Option<&Sealed>,
        instead: &str,
    ) -> Result<Option<Sealed>> {
        self.keys.seal_some(column, row, before.map(|_| instead))
    }
}
