//! A client: one system of a partner that asks for access tokens (RFC 6749 §1.1).

use crate::id::{ClientId, PartnerId};
use crate::kinds::ClientAuthentication;
use crate::sealed::Digest;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "client")]
pub struct Model {
    /// Outside, as a TypeID, the `client_id`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ClientId,
    pub partner_id: PartnerId,
    /// What its partner calls it, e.g. `billing`.
    pub name: String,
    pub authentication: ClientAuthentication,
    /// A keyed hash; the secret itself is kept nowhere.
    pub secret_hash: Option<Digest>,
    /// The secret before the last rotation, good until then.
    pub previous_secret_hash: Option<Digest>,
    pub previous_secret_until: Option<DateTimeUtc>,
    /// Its public keys, a JSON Web Key Set (RFC 7517).
    pub keys: Option<Json>,
    /// What it may ask for: scope words, separated by spaces.
    pub scopes: String,
    /// Whether its tokens are bound to a key that it proves with each use (RFC 9449).
    pub sender_constrained: bool,
    /// Whether it may only send documents that were registered for it.
    pub documents_trusted: bool,
    pub created_at: DateTimeUtc,
    /// Since then it gets no token, and none of its tokens is good.
    pub suspended_at: Option<DateTimeUtc>,
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
