//! Door: people in the clear. Never a bare person: a settlement or a referral that the viewer holds leads to them. What is shown is
//! written down before it is shown, and when it cannot be written nothing is.

use std::collections::HashMap;

use entity::id::{PersonId, ReferralId, SettlementId};
use entity::kinds::{ConsentField, Scope};
use entity::{consent, person, referral, referral_party, settlement};
use sea_orm::ColumnTrait;
use uuid::Uuid;

use super::disclosure::standing;
use super::doors::ReferralRow;
use super::slice::Slice;
use crate::error::{Error, Result};
use crate::page::{padded, type_id};

/// A person in the clear: as much as tells one person from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clear {
    pub name: String,
    pub id_number: String,
}

impl Slice {
    /// The patients of settlements that the viewer sees, by the settlement.
    pub async fn unmask_patients(
        &self,
        settlements: Vec<SettlementId>,
        purpose: &str,
    ) -> Result<HashMap<Uuid, Clear>> {
        self.demand(Scope::PersonUnmask)?;
        let held = self.select::<settlement::Entity>()?;
        let (connection, query) = held.only(settlement::Column::Id.is_in(padded(settlements))).into_parts();
        let mut rows = query.find_also_related(person::Entity).all(&connection).await?;
        rows.retain(|(_, person)| person.as_ref().is_none_or(|person| person.forgotten_at.is_none()));
        if rows.is_empty() {
            return Ok(HashMap::new());
        }
        let subjects: Vec<String> = rows.iter().map(|(row, _)| type_id(row.id)).collect();
        let people: Vec<PersonId> = rows.iter().map(|(row, _)| row.person_id).collect();
        self.unmasks(Scope::PersonUnmask, Some(purpose), &subjects, &people).await?;
        let clear = |(row, person): (settlement::Model, Option<person::Model>)| {
            let person = person.ok_or_else(|| Error::internal("a settlement without its person"))?;
            let id_number =
                self.keys.open(person::Column::NationalIdSealed, person.id, &person.national_id_sealed)?;
            let name = self.keys.open(person::Column::NameSealed, person.id, &person.name_sealed)?;
            Ok((row.id.into(), Clear { name, id_number }))
        };
        rows.into_iter().map(clear).collect()
    }

    /// The people of referrals that the viewer sees and whose consent opens their numbers, by the referral. The consents are judged
    /// again once the look is written down: one that was withdrawn meanwhile shows nothing.
    pub async fn unmask_referred(
        &self,
        referrals: Vec<ReferralId>,
        purpose: &str,
    ) -> Result<HashMap<Uuid, Clear>> {
        self.demand(Scope::PersonUnmask)?;
        let rows = self.opened(&referrals).await?;
        if rows.is_empty() {
            return Ok(HashMap::new());
        }
        let subjects: Vec<String> = rows.iter().map(|row| type_id(row.referral.id)).collect();
        let people: Vec<PersonId> = rows.iter().filter_map(|row| row.referral.person_id).collect();
        self.unmasks(Scope::PersonUnmask, Some(purpose), &subjects, &people).await?;
        let written = |row: &ReferralRow| subjects.contains(&type_id(row.referral.id));
        let clear = |row: ReferralRow| {
            let row = row.referral;
            let sealed = &row.stated_national_id_sealed;
            let id_number = self.keys.open(referral::Column::StatedNationalIdSealed, row.id, sealed)?;
            // Of somebody who was forgotten there is none any more.
            let there = !id_number.is_empty();
            let name = self.keys.open(referral::Column::StatedNameSealed, row.id, &row.stated_name_sealed)?;
            Ok(there.then(|| (row.id.into(), Clear { name, id_number })))
        };
        self.opened(&referrals)
            .await?
            .into_iter()
            .filter(written)
            .map(clear)
            .filter_map(Result::transpose)
            .collect()
    }

    async fn opened(&self, referrals: &[ReferralId]) -> Result<Vec<ReferralRow>> {
        let wanted = referral_party::Column::ReferralId.is_in(padded(referrals.to_vec()));
        let mut rows = self.referrals_of(wanted.into()).await?;
        rows.retain(|row| {
            let fields = standing(row).map_or("", |consent: &consent::Model| consent.fields.as_str());
            fields.split(' ').any(|field| field == ConsentField::IdNumber.word())
        });
        Ok(rows)
    }
}
