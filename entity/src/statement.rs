//! What one partner is owed for one month out of one fund (对账单).

use crate::{
    fen::Fen,
    id::{PartnerId, StatementId},
    kinds::{FundSource, StatementStatus},
};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "statement")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StatementId,
    pub partner_id: PartnerId,
    pub fund: FundSource,
    /// `YYYY-MM`, in China Standard Time.
    pub month: String,
    pub status: StatementStatus,
    /// Number of lines when it was confirmed; before that the entries tell.
    pub count: Option<i64>,
    /// Sum of the originals when it was confirmed.
    pub gross: Option<Fen>,
    /// Sum of reversals and refunds when it was confirmed.
    pub reversed: Option<Fen>,
    pub confirmed_at: Option<DateTimeUtc>,
    pub paid_at: Option<DateTimeUtc>,
    /// The bank's number of the payment.
    pub bank_reference: Option<String>,
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
