//! Personal data at rest: sealed bytes, and the keyed digests that find them. Neither prints what it holds.

use std::fmt;

use sea_orm::{DbErr, DeriveValueType, TryFromU64};

/// Encrypted bytes; only the holder of the key opens them, for the column and the row that they were sealed for.
#[derive(Clone, PartialEq, Eq, DeriveValueType)]
pub struct Sealed(pub Vec<u8>);

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(…)")
    }
}

/// A keyed hash: equal for equal inputs, and nothing more.
#[derive(Clone, PartialEq, Eq, Hash, DeriveValueType)]
pub struct Digest(pub Vec<u8>);

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(…)")
    }
}

impl TryFromU64 for Digest {
    fn try_from_u64(_: u64) -> Result<Self, DbErr> {
        Err(DbErr::ConvertFromU64("Digest"))
    }
}
