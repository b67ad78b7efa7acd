//! Money as whole fen, and rates as whole basis points: exact on every database.

use rust_decimal::{Decimal, RoundingStrategy};
use sea_orm::DeriveValueType;
use serde::{Deserialize, Serialize};

/// An amount in fen (1 yuan = 100 fen). There are no operators: arithmetic is checked and says what it does.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, DeriveValueType,
)]
#[serde(transparent)]
pub struct Fen(i64);

/// Why an amount cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FenError {
    /// More than two decimals of a yuan.
    FractionOfFen,
    /// Beyond what 64 bits of fen hold.
    Overflow,
}

impl Fen {
    pub const ZERO: Fen = Fen(0);

    pub const fn new(fen: i64) -> Self {
        Self(fen)
    }

    pub const fn get(self) -> i64 {
        self.0
    }

    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// From an amount in yuan; a fraction of a fen is refused, never rounded.
    pub fn from_yuan(yuan: Decimal) -> Result<Self, FenError> {
        let fen = yuan.checked_mul(Decimal::ONE_HUNDRED).ok_or(FenError::Overflow)?;
        if !fen.fract().is_zero() {
            return Err(FenError::FractionOfFen);
        }
        i64::try_from(fen).map(Self).map_err(|_| FenError::Overflow)
    }

    /// The amount in yuan, always with two decimals.
    pub fn to_yuan(self) -> Decimal {
        Decimal::new(self.0, 2)
    }

    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The amount with the other sign.
    pub fn negated(self) -> Option<Self> {
        self.0.checked_neg().map(Self)
    }

    /// The sum, or nothing when it does not fit.
    pub fn checked_sum(amounts: impl IntoIterator<Item = Self>) -> Option<Self> {
        amounts.into_iter().try_fold(Self::ZERO, Self::checked_add)
    }

    /// `self − other`, but never below zero: what is left of an allowance.
    pub fn less(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0).max(0))
    }

    /// This amount at a rate, unrounded, in fen. Exact: |fen| < 2^63 times four decimals fits a `Decimal`.
    pub fn at(self, rate: BasisPoints) -> Decimal {
        Decimal::from(self.0) * rate.share()
    }

    /// The one place where money is rounded: half-up (away from zero), to the fen.
    pub fn round_half_up(fen: Decimal) -> Option<Self> {
        i64::try_from(fen.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero)).ok().map(Self)
    }
}

/// A share in basis points: 7,000 is 70 %.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, DeriveValueType,
)]
#[serde(transparent)]
pub struct BasisPoints(i32);

impl BasisPoints {
    /// A share between 0 and 1, else nothing.
    pub const fn new(points: i32) -> Option<Self> {
        if points >= 0 && points <= 10_000 { Some(Self(points)) } else { None }
    }

    pub const fn get(self) -> i32 {
        self.0
    }

    /// The share as a decimal with four places, e.g. 0.7000.
    pub fn share(self) -> Decimal {
        Decimal::new(i64::from(self.0), 4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yuan_and_fen_convert_exactly() {
        let yuan: Decimal = "90071992547409.93".parse().unwrap();
        assert_eq!(Fen::from_yuan(yuan), Ok(Fen::new(9_007_199_254_740_993)));
        assert_eq!(Fen::new(504_000).to_yuan().to_string(), "5040.00");
        assert_eq!(Fen::new(-5).to_yuan().to_string(), "-0.05");
    }

    #[test]
    fn a_fraction_of_a_fen_is_refused() {
        assert_eq!(Fen::from_yuan("0.005".parse().unwrap()), Err(FenError::FractionOfFen));
        assert_eq!(Fen::from_yuan("1.500".parse().unwrap()), Ok(Fen::new(150)));
        assert_eq!(Fen::from_yuan(Decimal::MAX), Err(FenError::Overflow));
    }

    #[test]
    fn rounding_is_half_up_to_the_fen() {
        let rate = BasisPoints::new(7000).unwrap();
        assert_eq!(Fen::round_half_up(Fen::new(115).at(rate)), Some(Fen::new(81)), "binary floats get 80");
        let half = BasisPoints::new(5000).unwrap();
        assert_eq!(Fen::round_half_up(Fen::new(1).at(half)), Some(Fen::new(1)));
        assert_eq!(Fen::round_half_up(Fen::new(3).at(half)), Some(Fen::new(2)));
    }

    #[test]
    fn what_is_left_is_never_negative() {
        assert_eq!(Fen::new(300).less(Fen::new(500)), Fen::ZERO);
        assert_eq!(Fen::new(500).less(Fen::new(300)), Fen::new(200));
        assert_eq!(Fen::new(i64::MAX).checked_add(Fen::new(1)), None);
    }

    #[test]
    fn a_rate_is_between_nothing_and_all() {
        assert!(BasisPoints::new(-1).is_none());
        assert!(BasisPoints::new(10_001).is_none());
        assert_eq!(BasisPoints::new(7000).unwrap().share().to_string(), "0.7000");
    }
}
