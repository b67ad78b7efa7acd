//! One typed key per table: a UUIDv7 in the database, a TypeID such as `settlement_01h…` outside.

use sea_orm::{DbErr, DeriveValueType, TryFromU64};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What every typed key can do.
pub trait Key: Copy + From<Uuid> + Into<Uuid> {
    /// The prefix of the TypeID.
    const PREFIX: &'static str;
}

macro_rules! keys {
    ($($name:ident $prefix:literal),* $(,)?) => {$(
        #[doc = concat!("Key of one `", $prefix, "`.")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, DeriveValueType)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl From<Uuid> for $name {
            fn from(value: Uuid) -> Self {
                Self(value)
            }
        }

        impl From<$name> for Uuid {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl TryFromU64 for $name {
            fn try_from_u64(_: u64) -> Result<Self, DbErr> {
                Err(DbErr::ConvertFromU64(stringify!($name)))
            }
        }

        impl Key for $name {
            const PREFIX: &'static str = $prefix;
        }
    )*};
}

keys! {
    AgreementId "agreement",
    AidCardId "aid_card",
    AuditRecordId "audit_record",
    ClientId "client",
    ConsentId "consent",
    EventId "event",
    OperationId "operation",
    PartnerId "partner",
    PersonId "person",
    PersonStatusId "person_status",
    PolicyVersionId "policy_version",
    PostingId "posting",
    ProgrammeId "programme",
    RedemptionId "redemption",
    ReferralEventId "referral_event",
    ReferralId "referral",
    RefundId "refund",
    SettlementId "settlement",
    SettlementPartId "settlement_part",
    StaffId "staff",
    StatementId "statement",
    TokenId "token",
}
