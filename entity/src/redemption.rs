//! An aid card redeemed for goods.

use crate::{
    fen::Fen,
    id::{AidCardId, PartnerId, RedemptionId},
    kinds::RedemptionStatus,
    sealed::Sealed,
};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "redemption")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RedemptionId,
    pub supermarket_id: PartnerId,
    pub aid_card_id: AidCardId,
    pub operation_key: String,
    pub status: RedemptionStatus,
    /// Unique per shop and day.
    pub receipt_number: String,
    /// In China Standard Time.
    pub receipt_day: Date,
    pub amount: Fen,
    pub refunded: Fen,
    pub balance_after: Fen,
    pub card_last_four: String,
    pub lines: Option<Json>,
    /// Who shopped for a frail holder.
    pub agent_name_sealed: Option<Sealed>,
    pub redeemed_at: DateTimeUtc,
    /// Undone as if it had never arrived; its receipt number is free again.
    pub voided_at: Option<DateTimeUtc>,
    /// When something was last given back, or a refund undone.
    pub refunded_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::partner::Entity",
        from = "Column::SupermarketId",
        to = "super::partner::Column::Id"
    )]
    Supermarket,
    #[sea_orm(
        belongs_to = "super::aid_card::Entity",
        from = "Column::AidCardId",
        to = "super::aid_card::Column::Id"
    )]
    AidCard,
}

impl Related<super::partner::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Supermarket.def()
    }
}

impl Related<super::aid_card::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::AidCard.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
