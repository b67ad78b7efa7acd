//! That an audit record concerns a person: one row per act or look and person, never changed.

use crate::id::{AuditRecordId, PersonId};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "look")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub person_id: PersonId,
    /// Grows with time.
    #[sea_orm(primary_key, auto_increment = false)]
    pub record_id: AuditRecordId,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
