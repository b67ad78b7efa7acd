//! A person in the bureau's register.

use crate::{
    fen::Fen,
    id::PersonId,
    kinds::DisabilityClass,
    sealed::{Digest, Sealed},
};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "person")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PersonId,
    pub national_id_sealed: Sealed,
    /// Unique: one row per number.
    pub national_id_hash: Digest,
    /// Unique: number and name in one, how a partner's desk finds a person. A wrong name finds nothing, as fast as a wrong number.
    pub desk_hash: Digest,
    pub name_sealed: Sealed,
    pub birth_date: Date,
    /// First six digits of the area where the person lives.
    pub district: String,
    /// First nine.
    pub subdistrict: Option<String>,
    /// All twelve.
    pub community: Option<String>,
    pub phone_sealed: Option<Sealed>,
    pub address_sealed: Option<Sealed>,
    pub disability_class: Option<DisabilityClass>,
    /// 1 (most severe) to 4.
    pub disability_grade: Option<i32>,
    pub disability_certificate_sealed: Option<Sealed>,
    pub health_sealed: Option<Sealed>,
    pub monthly_income: Option<Fen>,
    pub deceased_on: Option<Date>,
    pub created_at: DateTimeUtc,
    /// When everything that told who it is was taken away.
    pub forgotten_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(has_many = "super::person_status::Entity")]
    PersonStatus,
}

impl Related<super::person_status::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::PersonStatus.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
