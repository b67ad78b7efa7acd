//! Nouns: one file per type of the contract, what can be read.

pub mod agreement;
pub mod aid_card;
pub mod audit;
pub mod budget;
pub mod calculation;
pub mod client;
pub mod connection;
pub mod consent;
pub mod coverage;
pub mod event;
pub mod node;
pub mod operation;
pub mod partner;
pub mod programme;
pub mod redemption;
pub mod referral;
pub mod referral_event;
pub mod referred_person;
pub mod scalars;
pub mod settlement;
pub mod settlement_preview;
pub mod staff;
pub mod statement;
pub mod text;
pub mod unmasking;
pub mod user_error;
pub mod viewer;
pub mod words;

use async_graphql::{Context, MergedObject};

use crate::access::Slice;
use crate::error::{Error, Result};
use crate::language::Language;

/// The viewer's slice, which the handler put into the request.
pub fn slice<'a>(ctx: &Context<'a>) -> Result<&'a Slice> {
    ctx.data_opt::<Slice>().ok_or(Error::Unauthenticated)
}

/// The language of messages for people.
pub fn language(ctx: &Context<'_>) -> Language {
    ctx.data_opt::<Language>().copied().unwrap_or_default()
}

pub use event::Subscription;

/// What can be read.
#[derive(MergedObject, Default)]
pub struct Query(
    viewer::ViewerQuery,
    node::NodeQuery,
    operation::OperationQuery,
    partner::PartnerQuery,
    coverage::CoverageQuery,
    settlement_preview::SettlementPreviewQuery,
    settlement::SettlementQuery,
    aid_card::AidCardQuery,
    redemption::RedemptionQuery,
    referral::ReferralQuery,
    statement::StatementQuery,
    budget::BudgetQuery,
    event::EventQuery,
    audit::AuditQuery,
    client::ClientQuery,
    staff::StaffQuery,
);
