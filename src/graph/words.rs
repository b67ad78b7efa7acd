//! The enums of the contract, mirrored from the words that columns hold.

use std::collections::BTreeSet;

use async_graphql::Enum;

/// The words of a list, each once, however often a client repeats it.
pub fn distinct<W: Into<C>, C: Ord>(words: Vec<W>) -> BTreeSet<C> {
    words.into_iter().map(Into::into).collect()
}

/// What a partner is, which decides what it may see and do.
#[derive(Enum, Copy, Clone, Eq, PartialEq)]
#[graphql(remote = "entity::kinds::PartnerKind")]
pub enum PartnerKind {
    /// The district civil-affairs bureau (民政局).
    Bureau,
    /// A sub-district office (街道) or community.
    SubdistrictOffice,
    Hospital,
    /// The disabled persons' federation (残联).
    DisabilityFederation,
    /// The charity federation (慈善总会).
    CharityFederation,
    /// A charity supermarket (慈善爱心超市).
    CharitySupermarket,
    HomeCareProvider,
}

/// One per group of operations.
#[derive(Enum, Copy, Clone, Eq, PartialEq)]
#[graphql(remote = "entity::kinds::Scope")]
pub enum Scope {
    /// `coverage`, `settlementPreview`. Hospitals.
    CoverageRead,
    /// `settlement`, `settlements`. Hospitals, the bureau.
    SettlementRead,
    /// `settle`, `reverseSettlement`, voiding `settle`. Hospitals.
    SettlementWrite,
    /// `aidCard`, `redemption`, `redemptions`. Charity supermarkets, the charity federation, the bureau.
    CardRead,
    /// `redeemAidCard`, `refundRedemption`, and voiding them. Charity supermarkets.
    CardRedeem,
    /// `referral`, `referrals`, `consents`. The bureau, sub-district offices, hospitals, federations, home-care providers.
    ReferralRead,
    /// `requestReferral` and every step of a referral, and voiding a request. The same partners.
    ReferralWrite,
    /// `recordConsent`, `withdrawConsent`. The same partners.
    ConsentWrite,
    /// `statement`, `statements`, `reconcile`, downloads and uploads of lines. Whoever is owed money, and the funds' owners.
    StatementRead,
    /// `confirmStatement`. Hospitals, charity supermarkets, home-care providers.
    StatementConfirm,
    /// `payStatement`. The bureau for fiscal money, the charity federation for charity money.
    StatementPay,
    /// `budgets`. The bureau for fiscal money, the charity federation for charity money.
    BudgetRead,
    /// `appropriate`. The bureau for fiscal money, the charity federation for charity money.
    BudgetWrite,
    /// `events`. Every kind of partner.
    EventRead,
    /// `auditTrail`, `looksAtPerson`, `ledger`, and downloads. Auditors, with a token of the bureau that may do nothing else.
    AuditRead,
    /// `Settlement.unmaskedPatient`, `Referral.unmaskedPerson`. The bureau.
    PersonUnmask,
    /// `clients`, `staffMembers`. Administrators and auditors of the bureau's staff; no system.
    AdministrationRead,
    /// Registering, suspending and resuming partners, clients, agreements and staff. Administrators of the bureau's staff; no system.
    AdministrationWrite,
}

/// Whose money it is; the two are never added up.
#[derive(Enum, Copy, Clone, Eq, PartialEq)]
#[graphql(remote = "entity::kinds::FundSource")]
pub enum FundSource {
    /// Public money of the bureau.
    Fiscal,
    /// Donated money of the charity federation.
    Charity,
}

/// How a rate is applied to the eligible amount.
#[derive(Enum, Copy, Clone, Eq, PartialEq)]
#[graphql(remote = "entity::kinds::RateForm")]
pub enum RateForm {
    /// One rate for all of it.
    Flat,
    /// The rate of the band in which it lies, for all of it.
    Band,
    /// Each band's rate for the part that lies in that band.
    Marginal,
}

/// How often the deductible is taken.
#[derive(Enum, Copy, Clone, Eq, PartialEq)]
#[graphql(remote = "entity::kinds::DeductibleMode")]
pub enum DeductibleMode {
    None,
    PerStay,
    /// Once per person, year and cap group.
    Annual,
}

#[derive(Enum, Copy, Clone, Eq, PartialEq)]
#[graphql(remote = "entity::kinds::SettlementStatus")]
pub enum SettlementStatus {
    Settled,
    Reversed,
}

#[derive(Enum, Copy, Clone, Eq, PartialEq)]
#[graphql(remote = "entity::kinds::SettlementChannel")]
pub enum SettlementChannel {
    /// At the hospital's discharge desk (一站式).
    OneStop,
    /// At the bureau's own window.
    Window,
}

#[derive(Enum, Copy, Clone, Eq, PartialEq)]
#[graphql(remote = "entity::kinds::AidCardStatus")]
pub enum AidCardStatus {
    /// Handed out, not yet activated.
    Issued,
    Active,
    /// Held back, e.g. reported lost (挂失).
    Frozen,
    /// Past its last day.
    Expired,
    Cancelled,
    /// A new card has its balance (补卡).
    Replaced,
}

/// What an aid card may be spent on.
#[derive(Enum, Copy, Clone, Eq, PartialEq)]
#[graphql(remote = "entity::kinds::GoodsCategory")]
pub enum GoodsCategory {
    GrainAndOil,
    Food,
    Clothing,
    Bedding,
    Household,
    Hygiene,
    Stationery,
}

#[derive(Enum, Copy, Clone, Eq, PartialEq)]
#[graphql(remote = "entity::kinds::RedemptionStatus")]
pub enum RedemptionStatus {
    Redeemed,
    PartlyRefunded,
    Refunded,
}

#[derive(Enum, Copy, Clone, Eq, PartialEq)]
#[graphql(remote = "entity::kinds::ReferralStatus")]
pub enum ReferralStatus {
    /// Waiting for the receiver's answer.
    Requested,
    /// The receiver took it on (受理).
    Accepted,
    /// The receiver works on it (办理中).
    InProgress,
    /// The receiver waits for something (挂起).
    OnHold,
    /// Done, with an outcome (办结).
    Completed,
    /// The receiver refused it, with a reason (退回).
    Declined,
    /// Taken on, but it came to nothing.
    Failed,
    /// Withdrawn by either side before it was done.
    Cancelled,
    /// Nobody answered in time.
    Expired,
}

/// A fact about a person that a consent may open to its receiver.
#[derive(Enum, Copy, Clone, Eq, PartialEq)]
#[graphql(remote = "entity::kinds::ConsentField")]
pub enum ConsentField {
    /// The identity number, masked.
    IdNumber,
    Phone,
    Address,
    /// Disability class and grade, and the certificate's number with its identity part masked.
    Disability,
    Health,
    /// Monthly income of the person.
    Income,
}

/// Civilian disability classes.
#[derive(Enum, Copy, Clone, Eq, PartialEq)]
#[graphql(remote = "entity::kinds::DisabilityClass")]
pub enum DisabilityClass {
    Visual,
    Hearing,
    Speech,
    Physical,
    Intellectual,
    Mental,
    Multiple,
}

#[derive(Enum, Copy, Clone, Eq, PartialEq)]
#[graphql(remote = "entity::kinds::StatementStatus")]
pub enum StatementStatus {
    /// Lines still join it.
    Open,
    /// The partner agreed to its net; it does not change any more.
    Confirmed,
    /// The fund's owner paid it.
    Paid,
}

#[derive(Enum, Copy, Clone, Eq, PartialEq)]
#[graphql(remote = "entity::kinds::OperationStatus")]
pub enum OperationStatus {
    /// Done.
    Succeeded,
    /// Refused for the business reasons in `userErrors`; nothing was done.
    Rejected,
    /// Undone, or blocked before it arrived, by `voidOperation`.
    Voided,
}

/// How a client proves at the token endpoint who it is.
#[derive(Enum, Copy, Clone, Eq, PartialEq)]
#[graphql(remote = "entity::kinds::ClientAuthentication")]
pub enum ClientAuthentication {
    /// `client_secret_basic` or `client_secret_post`: a secret that the server makes and shows once.
    ClientSecret,
    /// `private_key_jwt` (RFC 7523): an assertion signed with a key of its own, Ed25519 or P-256.
    PrivateKeyJwt,
}

/// A duty. Clerk and decider may meet in one person; no other two may.
#[derive(Enum, Copy, Clone, Eq, PartialEq)]
#[graphql(remote = "entity::kinds::Role")]
pub enum Role {
    /// Prepares: takes applications and works on referrals.
    Clerk,
    /// Decides, and appropriates.
    Decider,
    /// Pays.
    Paymaster,
    /// Reads everything, also the trail, and changes nothing.
    Auditor,
    /// Registers partners, clients and staff, and suspends them.
    Administrator,
}
