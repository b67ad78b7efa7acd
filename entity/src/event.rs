//! Something that happened to a thing, told to one partner that it concerns; nothing personal stands in it.

use crate::id::{EventId, PartnerId};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EventId,
    /// Who is told.
    pub partner_id: PartnerId,
    /// e.g. `settlement.settled`
    pub kind: String,
    /// The outside id of the thing.
    pub subject: String,
    pub at: DateTimeUtc,
    /// Its place in the feed, given once it is committed; a later one is never lower.
    pub position: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
