//! A GraphQL document that was registered for a client.

use crate::id::ClientId;
use crate::sealed::Digest;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "trusted_document")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub client_id: ClientId,
    /// SHA-256 of its text, byte for byte.
    #[sea_orm(primary_key, auto_increment = false)]
    pub digest: Digest,
    /// What it is called, e.g. its file's name.
    pub name: String,
    pub registered_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
