//! A dated version of a second-reimbursement programme's rule (DOMAIN.md §3).

use crate::{
    fen::Fen,
    id::{PolicyVersionId, ProgrammeId},
    kinds::{Category, DeductibleMode, RateForm, StayDate},
};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "policy_version")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PolicyVersionId,
    pub programme_id: ProgrammeId,
    pub valid_from: Date,
    /// Inclusive.
    pub valid_to: Option<Date>,
    /// Whom it covers.
    pub category: Category,
    /// The date of the stay on which the category is judged.
    pub category_date: StayDate,
    /// The date of the stay that names the benefit year.
    pub year_date: StayDate,
    pub form: RateForm,
    /// `[{from, below, rate}]` in fen and basis points.
    pub bands: Json,
    pub deductible_mode: DeductibleMode,
    pub deductible: Fen,
    pub per_stay_cap: Option<Fen>,
    pub annual_cap: Option<Fen>,
    /// Whether 先行自付 counts into the base.
    pub includes_upfront: bool,
    pub cap_group: String,
    pub stacking_order: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::programme::Entity",
        from = "Column::ProgrammeId",
        to = "super::programme::Column::Id"
    )]
    Programme,
}

impl Related<super::programme::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Programme.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
