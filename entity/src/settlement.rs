//! A second reimbursement that was posted.

use crate::{
    fen::Fen,
    id::{PartnerId, PersonId, SettlementId},
    kinds::{SettlementChannel, SettlementStatus},
    sealed::Sealed,
};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "settlement")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SettlementId,
    pub hospital_id: PartnerId,
    pub person_id: PersonId,
    pub operation_key: String,
    pub status: SettlementStatus,
    pub channel: SettlementChannel,
    /// Masked.
    pub patient_name: String,
    pub admission_number: String,
    /// One live settlement each per hospital.
    pub invoice_number: String,
    /// One live settlement each.
    pub insurer_settlement_id: String,
    pub encounter_id: Option<String>,
    pub admitted_on: Date,
    pub discharged_on: Date,
    pub total_cost: Fen,
    pub fully_self_paid: Fen,
    pub over_limit_self_paid: Fen,
    pub upfront_self_paid: Fen,
    pub in_scope: Fen,
    pub basic_insurance_paid: Fen,
    pub serious_illness_insurance_paid: Fen,
    pub other_funds_paid: Fen,
    pub commercial_insurance_paid: Fen,
    pub hospital_waiver: Fen,
    pub other_assistance_paid: Fen,
    pub assistance: Fen,
    pub personal_burden: Fen,
    /// The whole trace.
    pub calculation: Json,
    pub settled_at: DateTimeUtc,
    pub reversed_at: Option<DateTimeUtc>,
    pub reversal_reason_sealed: Option<Sealed>,
    pub recalculation_due: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::partner::Entity",
        from = "Column::HospitalId",
        to = "super::partner::Column::Id"
    )]
    Hospital,
    #[sea_orm(
        belongs_to = "super::person::Entity",
        from = "Column::PersonId",
        to = "super::person::Column::Id"
    )]
    Person,
}

impl Related<super::partner::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Hospital.def()
    }
}

impl Related<super::person::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Person.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
