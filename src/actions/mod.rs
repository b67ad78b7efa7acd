//! Verbs: one file per act, what can be done.

pub mod accept_referral;
pub mod appropriate;
pub mod cancel_referral;
pub mod complete_referral;
pub mod confirm_statement;
pub mod decline_referral;
pub mod end_agreement;
pub mod expire_referral;
pub mod fail_referral;
pub mod hold_referral;
pub mod issue_aid_cards;
pub mod operator;
pub mod pay_statement;
pub mod reconcile;
pub mod record_consent;
pub mod redeem_aid_card;
pub mod referral_step;
pub mod refund_redemption;
pub mod register_agreement;
pub mod register_client;
pub mod register_documents;
pub mod register_partner;
pub mod register_staff;
pub mod request_referral;
pub mod resume;
pub mod reverse_settlement;
pub mod rotate_client_secret;
pub mod settle;
pub mod start_referral;
pub mod suspend;
pub mod void_operation;
pub mod withdraw_consent;

use async_graphql::MergedObject;

/// What can be done.
#[derive(MergedObject, Default)]
pub struct Mutation(
    settle::Settle,
    reverse_settlement::ReverseSettlement,
    redeem_aid_card::RedeemAidCard,
    refund_redemption::RefundRedemption,
    void_operation::VoidOperation,
    request_referral::RequestReferral,
    accept_referral::AcceptReferral,
    decline_referral::DeclineReferral,
    start_referral::StartReferral,
    hold_referral::HoldReferral,
    complete_referral::CompleteReferral,
    fail_referral::FailReferral,
    cancel_referral::CancelReferral,
    record_consent::RecordConsent,
    withdraw_consent::WithdrawConsent,
    reconcile::Reconcile,
    confirm_statement::ConfirmStatement,
    pay_statement::PayStatement,
    appropriate::Appropriate,
    Administration,
);

/// What administrators of the bureau can do.
#[derive(MergedObject, Default)]
pub struct Administration(
    register_partner::RegisterPartner,
    register_agreement::RegisterAgreement,
    end_agreement::EndAgreement,
    register_client::RegisterClient,
    rotate_client_secret::RotateClientSecret,
    register_documents::RegisterDocuments,
    register_staff::RegisterStaff,
    suspend::Suspend,
    resume::Resume,
);
