//! A category that a person has, from when to when.

use crate::{
    id::{PersonId, PersonStatusId},
    kinds::Category,
};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "person_status")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PersonStatusId,
    pub person_id: PersonId,
    pub category: Category,
    pub valid_from: Date,
    /// Inclusive.
    pub valid_to: Option<Date>,
    /// From this day on the status is there but pays nothing.
    pub suspended_on: Option<Date>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::person::Entity",
        from = "Column::PersonId",
        to = "super::person::Column::Id"
    )]
    Person,
}

impl Related<super::person::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Person.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
