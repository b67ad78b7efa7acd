//! That a person agreed that a partner may receive facts about them.

use crate::{
    id::{ConsentId, PartnerId},
    sealed::{Digest, Sealed},
};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "consent")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ConsentId,
    pub recorder_id: PartnerId,
    pub receiver_id: PartnerId,
    pub national_id_hash: Digest,
    pub name_sealed: Sealed,
    /// Consent fields, separated by spaces.
    pub fields: String,
    pub purpose: String,
    pub wording_version: String,
    pub given_on: Date,
    pub recorded_at: DateTimeUtc,
    pub withdrawn_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::partner::Entity",
        from = "Column::ReceiverId",
        to = "super::partner::Column::Id"
    )]
    Receiver,
}

impl Related<super::partner::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Receiver.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
