//! Value given back from a redemption.

use crate::{
    fen::Fen,
    id::{AidCardId, PartnerId, RedemptionId, RefundId},
    sealed::Sealed,
};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "refund")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RefundId,
    pub redemption_id: RedemptionId,
    pub supermarket_id: PartnerId,
    pub operation_key: String,
    pub amount: Fen,
    /// The card that got it; absent: it went back to the fund.
    pub credited_card_id: Option<AidCardId>,
    pub reason_sealed: Sealed,
    pub refunded_at: DateTimeUtc,
    pub voided_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::redemption::Entity",
        from = "Column::RedemptionId",
        to = "super::redemption::Column::Id"
    )]
    Redemption,
}

impl Related<super::redemption::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Redemption.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
