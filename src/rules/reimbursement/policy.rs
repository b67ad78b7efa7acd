//! The parameters of one dated version of a programme's rule, and what makes them unusable.

use entity::kinds::{DeductibleMode, RateForm};
use entity::{BasisPoints, Fen};
use serde::{Deserialize, Serialize};

/// A rate for eligible amounts A with `from` ≤ A < `below`, in fen (DOMAIN.md §3 step 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Band {
    pub from: Fen,
    /// The first amount that is no longer in the band; nothing when the band is open.
    pub below: Option<Fen>,
    pub rate: BasisPoints,
}

/// One dated version's parameters, as the calculation needs them (DOMAIN.md §3 steps 4–7). Amounts in fen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How the rates are applied to A (step 6).
    pub form: RateForm,
    /// Ascending from 0, the last one open; exactly one when `FLAT`.
    pub bands: Vec<Band>,
    /// How often the deductible is taken (step 5).
    pub deductible_mode: DeductibleMode,
    /// 起付线; without effect in mode `NONE`.
    pub deductible: Fen,
    /// The most that this programme pays for one stay; nothing when there is no such cap.
    pub per_stay_cap: Option<Fen>,
    /// 封顶线 per (person, year, cap group); nothing when there is no such cap.
    pub annual_cap: Option<Fen>,
    /// Whether P, the upfront self-paid amount, belongs to the base (step 4).
    pub includes_upfront: bool,
}

/// Why a policy version cannot be computed with. Bands are counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyFault {
    /// There is no band.
    BandsMissing,
    /// A flat rate needs exactly one band.
    FlatWithSeveralBands { count: usize },
    /// A band starts elsewhere than where the one before it ends (the first: than at 0): a gap or an overlap.
    BandStartsElsewhere { band: usize, expected: Fen, actual: Fen },
    /// A band ends where it starts, or before.
    BandEmpty { band: usize },
    /// A band before the last one is open.
    BandOpenTooEarly { band: usize },
    /// The last band ends, so that amounts from `below` on have no rate.
    LastBandClosed { below: Fen },
    /// A rate is below 0 or above 1.
    RateOutOfRange { band: usize, points: i32 },
    /// A deductible or cap is below 0; the field is spelled as in the contract.
    Negative { field: &'static str, actual: Fen },
}

impl PolicyFault {
    /// The contract's field that is at fault, e.g. `bands`.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Negative { field, .. } => field,
            _ => "bands",
        }
    }
}

impl Policy {
    /// Everything that makes this version unusable; none when it can be computed with (DOMAIN.md §3 steps
    /// 5–7).
    pub fn faults(&self) -> Vec<PolicyFault> {
        let mut faults = self.band_faults();
        if self.form == RateForm::Flat && self.bands.len() > 1 {
            faults.push(PolicyFault::FlatWithSeveralBands { count: self.bands.len() });
        }
        let amounts = [
            ("deductible", Some(self.deductible)),
            ("perStayCap", self.per_stay_cap),
            ("annualCap", self.annual_cap),
        ];
        for (field, amount) in amounts {
            if let Some(actual) = amount.filter(|amount| amount.is_negative()) {
                faults.push(PolicyFault::Negative { field, actual });
            }
        }
        faults
    }

    fn band_faults(&self) -> Vec<PolicyFault> {
        let Some(last) = self.bands.last() else {
            return vec![PolicyFault::BandsMissing];
        };
        let mut faults = Vec::new();
        let mut expected = Some(Fen::ZERO);
        for (band, Band { from, below, rate }) in (1..).zip(self.bands.iter().copied()) {
            if let Some(expected) = expected.filter(|expected| *expected != from) {
                faults.push(PolicyFault::BandStartsElsewhere { band, expected, actual: from });
            }
            if below.is_some_and(|below| below <= from) {
                faults.push(PolicyFault::BandEmpty { band });
            }
            if below.is_none() && band < self.bands.len() {
                faults.push(PolicyFault::BandOpenTooEarly { band });
            }
            // Stored bands are read without the check of `BasisPoints::new`.
            if BasisPoints::new(rate.get()).is_none() {
                faults.push(PolicyFault::RateOutOfRange { band, points: rate.get() });
            }
            expected = below;
        }
        faults.extend(last.below.map(|below| PolicyFault::LastBandClosed { below }));
        faults
    }

    /// The band of an eligible amount: `from` ≤ A < `below`.
    pub(super) fn band_of(&self, eligible: Fen) -> Option<&Band> {
        self.bands
            .iter()
            .find(|band| band.from <= eligible && band.below.is_none_or(|below| eligible < below))
    }
}
