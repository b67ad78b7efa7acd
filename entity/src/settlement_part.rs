//! A programme's share of a settlement.

use crate::{
    fen::Fen,
    id::{PersonId, PolicyVersionId, ProgrammeId, SettlementId, SettlementPartId},
};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "settlement_part")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SettlementPartId,
    pub settlement_id: SettlementId,
    pub person_id: PersonId,
    pub programme_id: ProgrammeId,
    pub policy_version_id: PolicyVersionId,
    pub cap_group: String,
    pub benefit_year: i32,
    /// What it took of the annual deductible.
    pub deductible_counted: Fen,
    pub paid: Fen,
    /// The annual cap kept it from paying more.
    pub capped: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::settlement::Entity",
        from = "Column::SettlementId",
        to = "super::settlement::Column::Id"
    )]
    Settlement,
}

impl Related<super::settlement::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Settlement.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
