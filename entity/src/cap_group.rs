//! A dated cap group: programmes that share one annual cap and deductible, and how they stack (DOMAIN.md §3 step 2).

use crate::kinds::Stacking;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "cap_group")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub code: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub valid_from: Date,
    /// Inclusive.
    pub valid_to: Option<Date>,
    pub stacking: Stacking,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
