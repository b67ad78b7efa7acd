//! What stands in each column that tells who somebody is, once they are forgotten. Amounts, days of money, ids and the partners' own
//! numbers for papers are no such columns: the vouchers are kept.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use entity::{Digest, aid_card, consent, person, redemption, referral, referral_event, refund, settlement};
use sea_orm::{Set, Unchanged};

use super::disclosure::column;
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
            national_id_sealed: Set(self.keys.seal(column::NATIONAL_ID, "")?),
            national_id_hash: Set(self.number.clone()),
            desk_hash: Set(of_nobody()),
            name: Set(NOBODY.into()),
            birth_date: Set(year_of(row.birth_date)),
            subdistrict: Set(None),
            community: Set(None),
            phone_sealed: Set(None),
            address: Set(None),
            disability_class: Set(None),
            disability_grade: Set(None),
            disability_certificate_sealed: Set(None),
            health: Set(None),
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
            reversal_reason: Set(nothing_of(row.reversal_reason.as_ref())),
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
            agent_name: Set(row.agent_name.as_ref().map(|_| NOBODY.to_owned())),
            ..Default::default()
        })
    }

    pub(super) fn refund(&self, row: &refund::Model) -> Result<refund::ActiveModel> {
        Ok(refund::ActiveModel { id: Unchanged(row.id), reason: Set(NOTHING.into()), ..Default::default() })
    }

    pub(super) fn consent(&self, row: &consent::Model) -> Result<consent::ActiveModel> {
        Ok(consent::ActiveModel {
            id: Unchanged(row.id),
            national_id_hash: Set(self.number.clone()),
            name: Set(NOBODY.into()),
            purpose: Set(NOTHING.into()),
            ..Default::default()
        })
    }

    pub(super) fn referral(&self, row: &referral::Model) -> Result<referral::ActiveModel> {
        Ok(referral::ActiveModel {
            id: Unchanged(row.id),
            stated_name: Set(NOBODY.into()),
            stated_national_id_sealed: Set(self.keys.seal(column::NATIONAL_ID, "")?),
            stated_phone_sealed: Set(None),
            reason: Set(NOTHING.into()),
            outcome: Set(nothing_of(row.outcome.as_ref())),
            ..Default::default()
        })
    }

    pub(super) fn referral_event(&self, row: &referral_event::Model) -> Result<referral_event::ActiveModel> {
        Ok(referral_event::ActiveModel {
            id: Unchanged(row.id),
            note: Set(nothing_of(row.note.as_ref())),
            ..Default::default()
        })
    }
}

/// What was written stays to have been written.
fn nothing_of(text: Option<&String>) -> Option<String> {
    text.map(|_| NOTHING.to_owned())
}
