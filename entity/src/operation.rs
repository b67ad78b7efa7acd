//! A request that was answered: its key, what was asked, and the answer, kept for ever.

use crate::{
    id::{OperationId, PartnerId, TokenId},
    kinds::{OperationStatus, Scope},
    sealed::Digest,
};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "operation")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OperationId,
    pub partner_id: PartnerId,
    /// Unique per partner.
    pub key: String,
    pub mutation: String,
    /// The scope that it took.
    pub scope: Scope,
    pub request_hash: Digest,
    pub status: OperationStatus,
    pub answer: Json,
    /// Key of the void that blocks this key.
    pub voided_by: Option<String>,
    pub operator_code: Option<String>,
    pub operator_name: Option<String>,
    pub token_id: TokenId,
    pub at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::partner::Entity",
        from = "Column::PartnerId",
        to = "super::partner::Column::Id"
    )]
    Partner,
}

impl Related<super::partner::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Partner.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
