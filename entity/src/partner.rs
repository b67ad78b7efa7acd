//! A partner: an organisation that calls the API, or the bureau itself.

use crate::{id::PartnerId, kinds::PartnerKind};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "partner")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PartnerId,
    /// Unique, stable and human: `H41999900153`, `SM-RUHELU`.
    pub code: String,
    pub kind: PartnerKind,
    pub name: String,
    /// The territory it belongs to: an area code, whose prefixes are the territories around it (DOMAIN.md §7).
    pub area: String,
    pub created_at: DateTimeUtc,
    /// Since then none of its tokens is good.
    pub suspended_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
