//! The closed sets of words that columns hold, spelled in the database as in the contract.

use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};

macro_rules! words {
    ($($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident $word:literal),* $(,)? })*) => {$(
        $(#[$meta])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, EnumIter, DeriveActiveEnum,
        )]
        #[sea_orm(rs_type = "String", db_type = "Text")]
        pub enum $name {
            $($(#[$vmeta])* #[sea_orm(string_value = $word)] #[serde(rename = $word)] $variant,)*
        }

        impl $name {
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word of the contract.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            /// The value that a word names.
            pub fn of_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.word() == word)
            }
        }
    )*};
}

words! {
    /// What a token may do: one word per group of operations.
    Scope {
        CoverageRead "COVERAGE_READ",
        SettlementRead "SETTLEMENT_READ",
        SettlementWrite "SETTLEMENT_WRITE",
        CardRead "CARD_READ",
        CardRedeem "CARD_REDEEM",
        ReferralRead "REFERRAL_READ",
        ReferralWrite "REFERRAL_WRITE",
        ConsentWrite "CONSENT_WRITE",
        StatementRead "STATEMENT_READ",
        StatementConfirm "STATEMENT_CONFIRM",
        StatementPay "STATEMENT_PAY",
        BudgetRead "BUDGET_READ",
        BudgetWrite "BUDGET_WRITE",
        EventRead "EVENT_READ",
        AuditRead "AUDIT_READ",
        PersonUnmask "PERSON_UNMASK",
        AdministrationRead "ADMINISTRATION_READ",
        AdministrationWrite "ADMINISTRATION_WRITE",
    }
    /// How a client proves at the token endpoint who it is (RFC 7591 `token_endpoint_auth_method`).
    ClientAuthentication {
        /// A secret that the server made: `client_secret_basic` or `client_secret_post`.
        ClientSecret "CLIENT_SECRET",
        /// An assertion signed with a key of its own (RFC 7523).
        PrivateKeyJwt "PRIVATE_KEY_JWT",
    }
    /// A duty of a member of staff.
    Role {
        Clerk "CLERK",
        Decider "DECIDER",
        Paymaster "PAYMASTER",
        Auditor "AUDITOR",
        Administrator "ADMINISTRATOR",
    }
    /// What a partner is, which decides what it may see and do (DOMAIN.md §1).
    PartnerKind {
        Bureau "BUREAU",
        SubdistrictOffice "SUBDISTRICT_OFFICE",
        Hospital "HOSPITAL",
        DisabilityFederation "DISABILITY_FEDERATION",
        CharityFederation "CHARITY_FEDERATION",
        CharitySupermarket "CHARITY_SUPERMARKET",
        HomeCareProvider "HOME_CARE_PROVIDER",
    }
    /// Whose money a programme spends; the two ledgers are never added up.
    FundSource {
        Fiscal "FISCAL",
        Charity "CHARITY",
    }
    /// A status of a person that opens programmes.
    Category {
        Dibao "DIBAO",
        ExtremePoverty "EXTREME_POVERTY",
        LowIncome "LOW_INCOME",
        Orphan "ORPHAN",
        LoneElder "LONE_ELDER",
        EmptyNestElder "EMPTY_NEST_ELDER",
        EntitledVeteran "ENTITLED_VETERAN",
        WarOrTestVeteran "WAR_OR_TEST_VETERAN",
    }
    /// How a rate is applied (DOMAIN.md §3 step 6).
    RateForm {
        Flat "FLAT",
        Band "BAND",
        Marginal "MARGINAL",
    }
    /// How often a deductible is taken (DOMAIN.md §3 step 5).
    DeductibleMode {
        None "NONE",
        PerStay "PER_STAY",
        Annual "ANNUAL",
    }
    /// A date of the stay.
    StayDate {
        Admission "ADMISSION",
        Discharge "DISCHARGE",
    }
    /// What happens when several programmes of one cap group apply (DOMAIN.md §3 step 2).
    Stacking {
        BestOf "BEST_OF",
        Sequential "SEQUENTIAL",
    }
    SettlementStatus {
        Settled "SETTLED",
        Reversed "REVERSED",
    }
    /// Where a second reimbursement was paid.
    SettlementChannel {
        OneStop "ONE_STOP",
        Window "WINDOW",
    }
    AidCardStatus {
        Issued "ISSUED",
        Active "ACTIVE",
        Frozen "FROZEN",
        Expired "EXPIRED",
        Cancelled "CANCELLED",
        Replaced "REPLACED",
    }
    /// What an aid card may be spent on; never cash.
    GoodsCategory {
        GrainAndOil "GRAIN_AND_OIL",
        Food "FOOD",
        Clothing "CLOTHING",
        Bedding "BEDDING",
        Household "HOUSEHOLD",
        Hygiene "HYGIENE",
        Stationery "STATIONERY",
    }
    RedemptionStatus {
        Redeemed "REDEEMED",
        PartlyRefunded "PARTLY_REFUNDED",
        Refunded "REFUNDED",
    }
    ReferralStatus {
        Requested "REQUESTED",
        Accepted "ACCEPTED",
        InProgress "IN_PROGRESS",
        OnHold "ON_HOLD",
        Completed "COMPLETED",
        Declined "DECLINED",
        Failed "FAILED",
        Cancelled "CANCELLED",
        Expired "EXPIRED",
    }
    /// What a partner is to a referral.
    ReferralSide {
        Sender "SENDER",
        Receiver "RECEIVER",
        /// The bureau in whose territory it happens: it sees, and takes no step.
        Overseer "OVERSEER",
    }
    /// A fact about a person that a consent may open to its receiver.
    ConsentField {
        IdNumber "ID_NUMBER",
        Phone "PHONE",
        Address "ADDRESS",
        Disability "DISABILITY",
        Health "HEALTH",
        Income "INCOME",
    }
    /// Civilian disability classes of the disability certificate.
    DisabilityClass {
        Visual "VISUAL",
        Hearing "HEARING",
        Speech "SPEECH",
        Physical "PHYSICAL",
        Intellectual "INTELLECTUAL",
        Mental "MENTAL",
        Multiple "MULTIPLE",
    }
    OperationStatus {
        Succeeded "SUCCEEDED",
        Rejected "REJECTED",
        Voided "VOIDED",
    }
    /// What an entry of the ledger is booked on (DOMAIN.md §2, §4).
    Account {
        /// What was appropriated for a programme's year.
        Appropriation "APPROPRIATION",
        /// The fund's money, from which appropriations come and out of which partners are paid.
        Treasury "TREASURY",
        /// What a programme has spent of a year.
        Spending "SPENDING",
        /// What a partner is owed.
        Payable "PAYABLE",
        /// What an aid card can still buy.
        Card "CARD",
        /// What a person has used of a benefit year's cap.
        Entitlement "ENTITLEMENT",
        /// The other side of all entitlements.
        EntitlementTotal "ENTITLEMENT_TOTAL",
        /// What came back to a programme because it could not go back to whom it was for.
        Recovery "RECOVERY",
    }
    /// What a posting accounts for.
    PostingKind {
        Settlement "SETTLEMENT",
        Reversal "REVERSAL",
        Redemption "REDEMPTION",
        Refund "REFUND",
        CardIssue "CARD_ISSUE",
        Appropriation "APPROPRIATION",
        Payment "PAYMENT",
        /// What a month came to below zero, moved into a later one.
        CarryForward "CARRY_FORWARD",
    }
    StatementStatus {
        Open "OPEN",
        Confirmed "CONFIRMED",
        Paid "PAID",
    }
    /// How what an audit record tells of ended.
    AuditOutcome {
        /// An act that was done.
        Done "DONE",
        /// An act that was refused; nothing was done.
        Refused "REFUSED",
        /// Personal data were looked at, masked.
        Looked "LOOKED",
        /// Personal data were shown in the clear, as a consent allows.
        Unmasked "UNMASKED",
    }
}
