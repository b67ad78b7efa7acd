//! Tables and value types: one file per table. No queries, no rules.

pub mod agreement;
pub mod aid_card;
pub mod budget_share;
pub mod cap_group;
pub mod card_number;
pub mod consent;
pub mod disability_certificate;
pub mod entitlement_use;
pub mod entry;
pub mod fen;
pub mod id;
pub mod kinds;
pub mod lease;
pub mod national_id;
pub mod operation;
pub mod partner;
pub mod person;
pub mod person_status;
pub mod policy_version;
pub mod programme;
pub mod redemption;
pub mod referral;
pub mod referral_event;
pub mod referral_party;
pub mod refund;
pub mod sealed;
pub mod settlement;
pub mod settlement_part;
pub mod statement;
pub mod token;

pub use card_number::CardNumber;
pub use disability_certificate::DisabilityCertificate;
pub use fen::{BasisPoints, Fen, FenError};
pub use national_id::NationalId;
pub use sealed::{Digest, Sealed};
