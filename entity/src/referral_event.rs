//! A step that a referral took.

use crate::{
    id::{PartnerId, ReferralEventId, ReferralId},
    kinds::ReferralStatus,
    sealed::Sealed,
};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "referral_event")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ReferralEventId,
    pub referral_id: ReferralId,
    pub at: DateTimeUtc,
    pub status: ReferralStatus,
    pub actor_id: PartnerId,
    pub note_sealed: Option<Sealed>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::referral::Entity",
        from = "Column::ReferralId",
        to = "super::referral::Column::Id"
    )]
    Referral,
}

impl Related<super::referral::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Referral.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
