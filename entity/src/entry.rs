//! One side of a posting in the ledger: written once, never changed. The entries of a posting sum to zero in one book.

use crate::{
    fen::Fen,
    id::{AidCardId, PartnerId, PersonId, PostingId, ProgrammeId, StatementId},
    kinds::{Account, FundSource, PostingKind},
};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "entry")]
pub struct Model {
    /// Of an original posting the key of the row that it accounts for.
    #[sea_orm(primary_key, auto_increment = false)]
    pub posting_id: PostingId,
    /// Its place in the posting, from 0.
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i32,
    /// Whose money it is.
    pub book: FundSource,
    pub account: Account,
    pub kind: PostingKind,
    /// Debit is positive, credit negative.
    pub amount: Fen,
    pub programme_id: Option<ProgrammeId>,
    /// The budget's year; of an entitlement the benefit year.
    pub year: Option<i32>,
    /// The partner to whom something is owed.
    pub partner_id: Option<PartnerId>,
    pub aid_card_id: Option<AidCardId>,
    pub person_id: Option<PersonId>,
    pub cap_group: Option<String>,
    /// The partner's statement in which it stands.
    pub statement_id: Option<StatementId>,
    /// The settlement, redemption, programme or statement that it is about.
    pub source_id: Uuid,
    /// The posting that this one corrects.
    pub corrects: Option<PostingId>,
    /// The partner's key of the original act.
    pub operation_key: String,
    /// Invoice, receipt or bank reference.
    pub reference: Option<String>,
    /// When the original act happened.
    pub acted_at: DateTimeUtc,
    pub posted_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
