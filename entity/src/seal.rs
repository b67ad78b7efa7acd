//! A signed seal over the audit records since the last one.

use crate::sealed::Digest;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "seal")]
pub struct Model {
    /// From 1, without gaps.
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i64,
    /// How many audit records it covers.
    pub records: i64,
    /// The hash of the seal before; of the first seal, zeros.
    pub previous: Digest,
    /// SHA-256 of `previous`, number, time, and every record in order.
    pub hash: Digest,
    /// Ed25519, of `hash`.
    pub signature: Vec<u8>,
    /// Which key signed.
    pub key_id: String,
    pub at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
