//! A person passed from one partner to another.

use crate::{
    fen::Fen,
    id::{ConsentId, PartnerId, PersonId, ProgrammeId, ReferralId},
    kinds::ReferralStatus,
    sealed::Sealed,
};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "referral")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ReferralId,
    /// Unique; short, readable on the phone.
    pub number: String,
    pub sender_id: PartnerId,
    pub receiver_id: PartnerId,
    pub programme_id: Option<ProgrammeId>,
    pub reason_sealed: Sealed,
    /// The person of the register, when number and name both matched.
    pub person_id: Option<PersonId>,
    pub stated_name_sealed: Sealed,
    pub stated_national_id_sealed: Sealed,
    pub stated_birth_year: i32,
    pub stated_phone_sealed: Option<Sealed>,
    pub consent_id: Option<ConsentId>,
    /// As last set; a request that is due reads as EXPIRED before the job has written it.
    pub status: ReferralStatus,
    pub requested_at: DateTimeUtc,
    pub due_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub outcome_sealed: Option<Sealed>,
    pub amount_granted: Option<Fen>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::person::Entity",
        from = "Column::PersonId",
        to = "super::person::Column::Id"
    )]
    Person,
    #[sea_orm(
        belongs_to = "super::consent::Entity",
        from = "Column::ConsentId",
        to = "super::consent::Column::Id"
    )]
    Consent,
}

impl Related<super::person::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Person.def()
    }
}

impl Related<super::consent::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Consent.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
