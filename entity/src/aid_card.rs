//! A charity supermarket aid card: stored value for one holder.

use crate::{
    fen::Fen,
    id::{AidCardId, PersonId, ProgrammeId},
    kinds::AidCardStatus,
    sealed::Digest,
};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "aid_card")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AidCardId,
    /// Unique: how a card is found. The number itself is not kept.
    pub number_hash: Digest,
    pub last_four: String,
    pub person_id: PersonId,
    /// Masked.
    pub holder_name: String,
    pub programme_id: ProgrammeId,
    pub status: AidCardStatus,
    pub face_value: Fen,
    pub balance: Fen,
    pub issued_on: Date,
    /// Last day on which it can be used.
    pub expires_on: Date,
    /// Goods categories, separated by spaces; absent: all.
    pub allowed_categories: Option<String>,
    /// Most that may be redeemed in a calendar month.
    pub monthly_limit: Option<Fen>,
    pub replaced_by: Option<AidCardId>,
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
        belongs_to = "super::programme::Entity",
        from = "Column::ProgrammeId",
        to = "super::programme::Column::Id"
    )]
    Programme,
}

impl Related<super::person::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Person.def()
    }
}

impl Related<super::programme::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Programme.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
