//! Who did or looked at what, when and from where: one row per act and per look, never changed but for its place under a seal.

use crate::{
    id::{AuditRecordId, PartnerId, TokenId},
    kinds::{AuditOutcome, Scope},
    sealed::Digest,
};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_record")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AuditRecordId,
    pub at: DateTimeUtc,
    pub partner_id: PartnerId,
    /// The client: the token that was presented.
    pub token_id: TokenId,
    pub operator_code: Option<String>,
    pub scope: Scope,
    /// The mutation; for a look the field that was asked, which is its purpose.
    pub act: String,
    pub outcome: AuditOutcome,
    /// Outside ids of what it is about, separated by spaces.
    pub subject: Option<String>,
    pub operation_key: Option<String>,
    /// SHA-256 of the rows before the act changed them; none when it only added.
    pub before_digest: Option<Digest>,
    /// SHA-256 of the rows that the act wrote.
    pub after_digest: Option<Digest>,
    /// The address of the client's end of the connection.
    pub origin: Option<String>,
    /// The seal that covers it, and its place under it.
    pub seal_number: Option<i64>,
    pub place: Option<i32>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
