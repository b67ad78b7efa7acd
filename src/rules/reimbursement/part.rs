//! What one programme pays of a stay, step by step.

use std::collections::BTreeMap;

use entity::kinds::{DeductibleMode, RateForm};
use entity::{BasisPoints, Fen};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::trace::Trace;
use super::{Band, Bill, CalculationError, Candidate, PolicyFault, Purse, Source, Step, StepCode, Used};

/// What one programme pays of a stay, and how it came about (DOMAIN.md §3 steps 4–8). Amounts in fen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    pub source: Source,
    pub cap_group: String,
    /// The year whose cap and deductible count (step 3).
    pub benefit_year: i32,
    /// N: what insurance, others and earlier parts of this stay left of the in-scope cost (step 4).
    pub base: Fen,
    /// What the deductible took of N: never more than N, nor than what was left of it (step 5).
    pub deductible_applied: Fen,
    /// What counts against the annual deductible: `deductible_applied` in mode `ANNUAL`, else 0.
    pub annual_deductible_applied: Fen,
    /// A = N − `deductible_applied` (step 5).
    pub eligible_amount: Fen,
    /// The rate applied to all of A, the first band's when A is 0; nothing when `MARGINAL` spread A over
    /// several bands (step 6).
    pub rate: Option<BasisPoints>,
    /// raw: A at its rate, rounded once, before caps (step 6).
    pub computed: Fen,
    /// What was left of the annual cap before this part; nothing when there is no annual cap (step 7).
    pub cap_left_before: Option<Fen>,
    /// What the programme pays (step 7).
    pub paid: Fen,
    /// The calculation trace (step 8).
    pub steps: Vec<Step>,
}

/// A stay while its parts are computed one after the other.
pub(super) struct Stay<'a> {
    bill: &'a Bill,
    /// What earlier parts paid; nothing before the first part.
    paid_earlier: Option<Fen>,
}

impl<'a> Stay<'a> {
    pub(super) fn new(bill: &'a Bill) -> Self {
        Self { bill, paid_earlier: None }
    }

    /// What the parts so far paid.
    pub(super) fn paid(&self) -> Fen {
        self.paid_earlier.unwrap_or_default()
    }

    /// Counts a part as paid.
    pub(super) fn take(&mut self, part: &Part) -> Result<(), CalculationError> {
        self.paid_earlier = Some(add(self.paid(), part.paid)?);
        Ok(())
    }

    /// T − B − M − C − X − H − G − what earlier parts paid (DOMAIN.md §3 step 7).
    pub(super) fn own_burden_left(&self) -> Result<Fen, CalculationError> {
        Ok(self.bill.total_cost.less(self.covered()?))
    }

    /// N = max(0, S [+ P] − B − M − C − X − H − G − what earlier parts paid) (DOMAIN.md §3 step 4).
    fn base(&self, includes_upfront: bool) -> Result<Fen, CalculationError> {
        let upfront = if includes_upfront { self.bill.upfront_self_paid } else { Fen::ZERO };
        Ok(add(self.bill.in_scope, upfront)?.less(self.covered()?))
    }

    fn covered(&self) -> Result<Fen, CalculationError> {
        add(self.bill.paid_by_others().ok_or(CalculationError::Overflow)?, self.paid())
    }
}

/// What is used of one cap group while the parts of a stay are computed.
pub(super) struct Standing<'a> {
    cap_group: &'a str,
    used: BTreeMap<i32, Used>,
    per_stay_deductible_used: Fen,
}

impl<'a> Standing<'a> {
    pub(super) fn new(purse: &'a Purse) -> Self {
        Self { cap_group: &purse.cap_group, used: purse.used.clone(), per_stay_deductible_used: Fen::ZERO }
    }

    /// Counts a part as used.
    pub(super) fn take(&mut self, part: &Part) -> Result<(), CalculationError> {
        let used = self.used.entry(part.benefit_year).or_default();
        used.cap = add(used.cap, part.paid)?;
        used.deductible = add(used.deductible, part.annual_deductible_applied)?;
        let per_stay = part.deductible_applied.less(part.annual_deductible_applied);
        self.per_stay_deductible_used = add(self.per_stay_deductible_used, per_stay)?;
        Ok(())
    }

    fn used_in(&self, benefit_year: i32) -> Result<Used, CalculationError> {
        self.used.get(&benefit_year).copied().ok_or_else(|| CalculationError::UsageMissing {
            cap_group: self.cap_group.to_owned(),
            benefit_year,
        })
    }
}

/// What a candidate pays of what is left of the stay (DOMAIN.md §3 steps 4–8).
pub(super) fn compute(
    stay: &Stay<'_>,
    standing: &Standing<'_>,
    candidate: &Candidate,
) -> Result<Part, CalculationError> {
    let policy = &candidate.policy;
    let benefit_year = candidate.benefit_year;
    let used = standing.used_in(benefit_year)?;
    let mut trace = Trace::of(stay.bill, stay.paid_earlier);
    trace.year(benefit_year);

    let base = stay.base(policy.includes_upfront)?;
    trace.base(base, policy.includes_upfront);

    let deductible_left = deductible_left(standing, used, candidate, &mut trace);
    let deductible_applied = base.min(deductible_left);
    let eligible_amount = base.less(deductible_left);
    trace.amount(StepCode::DeductibleApplied, "min(N, DEDUCTIBLE_LEFT)", deductible_applied);
    trace.amount(StepCode::EligibleAmount, "max(0, N − DEDUCTIBLE_LEFT)", eligible_amount);

    let (rate, computed) = rated(candidate, eligible_amount, &mut trace)?;

    if let Some(cap) = policy.per_stay_cap {
        trace.given(StepCode::PerStayCap, cap);
    }
    let cap_left_before = policy.annual_cap.map(|cap| cap.less(used.cap));
    if let (Some(cap), Some(left)) = (policy.annual_cap, cap_left_before) {
        trace.given(StepCode::AnnualCap, cap);
        trace.given(StepCode::AnnualCapUsed, used.cap);
        trace.amount(StepCode::AnnualCapLeft, "max(0, ANNUAL_CAP − ANNUAL_CAP_USED)", left);
    }
    let own_burden_left = stay.own_burden_left()?;
    trace.own_burden_left(own_burden_left);

    let paid = limited(computed, eligible_amount, policy.per_stay_cap, cap_left_before, own_burden_left);
    trace.paid(paid, policy.per_stay_cap.is_some(), cap_left_before.is_some());
    let personal_burden = own_burden_left.less(paid);
    trace.amount(StepCode::PersonalBurden, "OWN_BURDEN_LEFT − PAID", personal_burden);

    let annual = policy.deductible_mode == DeductibleMode::Annual;
    Ok(Part {
        source: candidate.source,
        cap_group: standing.cap_group.to_owned(),
        benefit_year,
        base,
        deductible_applied,
        annual_deductible_applied: if annual { deductible_applied } else { Fen::ZERO },
        eligible_amount,
        rate,
        computed,
        cap_left_before,
        paid,
        steps: trace.into_steps(),
    })
}

/// pay = min(raw, A, per-stay cap, annual cap left, own burden left) (DOMAIN.md §3 step 7). A cap that does
/// not exist does not limit.
pub(super) fn limited(
    computed: Fen,
    eligible_amount: Fen,
    per_stay_cap: Option<Fen>,
    annual_cap_left: Option<Fen>,
    own_burden_left: Fen,
) -> Fen {
    [Some(eligible_amount), per_stay_cap, annual_cap_left, Some(own_burden_left)]
        .into_iter()
        .flatten()
        .fold(computed, Fen::min)
}

/// What is left of the deductible (DOMAIN.md §3 step 5): per (person, year, cap group) when annual, per
/// (stay, cap group) when per stay. The two modes are counted apart.
fn deductible_left(standing: &Standing<'_>, used: Used, candidate: &Candidate, trace: &mut Trace) -> Fen {
    let deductible = candidate.policy.deductible;
    let (code, formula, used) = match candidate.policy.deductible_mode {
        DeductibleMode::None => {
            trace.given(StepCode::DeductibleLeft, Fen::ZERO);
            return Fen::ZERO;
        }
        DeductibleMode::PerStay => (
            StepCode::PerStayDeductible,
            "max(0, PER_STAY_DEDUCTIBLE − DEDUCTIBLE_USED)",
            standing.per_stay_deductible_used,
        ),
        DeductibleMode::Annual => {
            (StepCode::AnnualDeductible, "max(0, ANNUAL_DEDUCTIBLE − DEDUCTIBLE_USED)", used.deductible)
        }
    };
    let left = deductible.less(used);
    trace.given(code, deductible);
    trace.given(StepCode::DeductibleUsed, used);
    trace.amount(StepCode::DeductibleLeft, formula, left);
    left
}

/// raw and, when one rate applies to all of A, that rate (DOMAIN.md §3 step 6).
fn rated(
    candidate: &Candidate,
    eligible: Fen,
    trace: &mut Trace,
) -> Result<(Option<BasisPoints>, Fen), CalculationError> {
    let policy = &candidate.policy;
    let band = policy.band_of(eligible).ok_or_else(|| CalculationError::Policy {
        source: candidate.source,
        faults: vec![PolicyFault::BandsMissing],
    })?;
    let reached: Vec<&Band> = policy.bands.iter().filter(|band| band.from < eligible).collect();
    if policy.form == RateForm::Marginal && reached.len() > 1 {
        return Ok((None, marginal(&reached, eligible, trace)?));
    }
    // At a marginal band's end the next band has a slice of nothing: all of A is still in the first one.
    let band = match (policy.form, reached.first()) {
        (RateForm::Marginal, Some(first)) => first,
        _ => band,
    };
    trace.rate(band, policy.form);
    let computed = round(eligible.at(band.rate))?;
    trace.amount(StepCode::Computed, "round(A × RATE)", computed);
    Ok((Some(band.rate), computed))
}

/// The slices of A in the bands that it reaches: summed unrounded, rounded once.
fn marginal(reached: &[&Band], eligible: Fen, trace: &mut Trace) -> Result<Fen, CalculationError> {
    let mut sum = Decimal::ZERO;
    let mut codes = Vec::new();
    for (number, band) in (1..).zip(reached) {
        let end = band.below.map_or(eligible, |below| below.min(eligible));
        let slice = end.less(band.from).at(band.rate);
        sum = sum.checked_add(slice).ok_or(CalculationError::Overflow)?;
        trace.band(number, band, slice);
        codes.push(StepCode::Band(number).to_string());
    }
    let computed = round(sum)?;
    trace.amount(StepCode::Computed, format!("round({})", codes.join(" + ")), computed);
    Ok(computed)
}

fn add(a: Fen, b: Fen) -> Result<Fen, CalculationError> {
    a.checked_add(b).ok_or(CalculationError::Overflow)
}

fn round(fen: Decimal) -> Result<Fen, CalculationError> {
    Fen::round_half_up(fen).ok_or(CalculationError::Overflow)
}
