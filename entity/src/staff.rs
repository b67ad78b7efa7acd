//! A member of staff of the bureau: a person who acts in its name.

use crate::id::{PartnerId, StaffId};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "staff")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StaffId,
    pub partner_id: PartnerId,
    /// Unique: the number on the person's badge.
    pub code: String,
    pub name: String,
    /// Role words, separated by spaces: duties that may meet in one person.
    pub roles: String,
    /// The territory that the person works for: an area code within the partner's.
    pub area: String,
    pub created_at: DateTimeUtc,
    /// Since then none of the person's tokens is good.
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
