use serde::{Deserialize, Serialize};

/// Machine-readable codes, as in the contract.
#[derive(async_graphql::Enum, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[graphql(name = "UserErrorCode")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Code {
    /// It does not exist, or is not the viewer's: the two look alike.
    NotFound,
    /// The patient has no category that any programme covers on the date of the policy.
    NotCovered,
    /// No service agreement of this partner for the programme was in force on the act's own date.
    NoAgreement,
    /// No version of the programme's policy was in force on the discharge date.
    NoPolicyInForce,
    /// The patient's entitlement is suspended.
    Suspended,
    /// The patient died before admission.
    Deceased,
    /// A third party is liable for the cost.
    ThirdPartyLiable,
    AmountsDoNotAddUp,
    /// An amount that the caller stated is not the one that is due.
    AmountDiffers,
    DateOutOfRange,
    /// Another live settlement has this invoice or insurer settlement number.
    DuplicateStay,
    /// Another live settlement of this person covers some of the same days.
    OverlappingStay,
    /// What is appropriated for the programme's year does not suffice.
    BudgetExhausted,
    AlreadyReversed,
    /// The month of a statement must be over before it is confirmed.
    MonthNotOver,
    /// A statement is confirmed once.
    AlreadyConfirmed,
    /// A statement is paid after its partner has confirmed it.
    NotConfirmed,
    /// A statement is paid once.
    AlreadyPaid,
    /// The key was used before, for another input.
    KeyReused,
    /// The key was voided; it can never be used again.
    KeyVoided,
    NotVoidable,
    CardNotActivated,
    CardFrozen,
    CardExpired,
    CardCancelled,
    CardReplaced,
    InsufficientBalance,
    CategoryNotAllowed,
    PeriodLimitExceeded,
    DuplicateReceipt,
    RefundExceedsRedemption,
    /// The referral's state does not allow this step to this side.
    IllegalTransition,
    ConsentRequired,
    /// Something else in the input is not right; the message says what.
    Invalid,
}
