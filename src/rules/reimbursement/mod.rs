//! The second reimbursement (二次报销): what the programmes that apply pay of a discharge bill after insurance.
//!
//! DOMAIN.md §3 steps 4–8, and the amounts of step 1. Whole fen and exact decimals only; each part is rounded
//! once, half-up, to the fen. The caller brings the programmes that apply (step 2), the benefit year of each
//! (step 3) and what was used before, read in the transaction that will write the result (step 9).

mod bill;
mod part;
mod policy;
mod trace;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use entity::Fen;
use entity::id::{PolicyVersionId, ProgrammeId};
use entity::kinds::Stacking;
use serde::{Deserialize, Serialize};

pub use bill::{Bill, BillFault};
pub use part::Part;
pub use policy::{Band, Policy, PolicyFault};
pub use trace::{Step, StepCode, UnknownStepCode};

use part::{Standing, Stay};

/// The programme and the dated version of its rule that a part was computed with (DOMAIN.md §3: the version's
/// id is stored with the result).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Source {
    pub programme: ProgrammeId,
    pub policy_version: PolicyVersionId,
}

/// One programme that applies to this person and stay (DOMAIN.md §3 step 2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub source: Source,
    pub policy: Policy,
    /// The place in the cap group: lower comes first when sequential, and wins a tie when best-of.
    pub order: i32,
    /// The year of the policy's basis date, whole for a stay over New Year (DOMAIN.md §3 step 3).
    pub benefit_year: i32,
}

/// What a person had of one cap group in one benefit year before this stay: settlements minus reversals over
/// all channels, in fen (DOMAIN.md §3 step 7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// Paid, which counts against the annual cap.
    pub cap: Fen,
    /// Applied in `ANNUAL` mode, which counts against the annual deductible.
    pub deductible: Fen,
}

/// One dated cap group: how its programmes stack, which of them apply, and what was used before
/// (DOMAIN.md §3 step 2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purse {
    pub cap_group: String,
    pub stacking: Stacking,
    pub candidates: Vec<Candidate>,
    /// By benefit year. The year of every candidate must be there: nothing used is a zero, never an absence.
    pub used: BTreeMap<i32, Used>,
}

/// What a stay gets (DOMAIN.md §3 step 8).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calculation {
    /// The sum of what the parts pay, in fen.
    pub assistance: Fen,
    /// T − B − M − C − X − H − G − `assistance`, in fen, never negative.
    pub personal_burden: Fen,
    /// In the order in which they were computed.
    pub parts: Vec<Part>,
}

/// Why nothing can be computed. Only `Bill` is the caller's to mend; the rest are faults of the bureau's
/// data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CalculationError {
    /// The amounts contradict each other (DOMAIN.md §3 step 1).
    Bill(Vec<BillFault>),
    /// A stored policy version cannot be computed with.
    Policy { source: Source, faults: Vec<PolicyFault> },
    /// Nothing says what was used in a candidate's benefit year: refused, never taken as 0.
    UsageMissing { cap_group: String, benefit_year: i32 },
    /// More was given back than was ever used, which would enlarge the cap.
    UsageNegative { cap_group: String, benefit_year: i32 },
    /// One cap group came in two purses, so that its cap would count twice.
    CapGroupTwice { cap_group: String },
    /// A sum is beyond 64 bits of fen.
    Overflow,
}

impl std::fmt::Display for CalculationError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bill(faults) => write!(f, "the bill contradicts itself: {faults:?}"),
            Self::Policy { source, faults } => {
                write!(f, "policy version {:?} cannot be computed with: {faults:?}", source.policy_version)
            }
            Self::UsageMissing { cap_group, benefit_year } => {
                write!(f, "what was used of cap group {cap_group} in {benefit_year} is not known")
            }
            Self::UsageNegative { cap_group, benefit_year } => {
                write!(f, "what was used of cap group {cap_group} in {benefit_year} is negative")
            }
            Self::CapGroupTwice { cap_group } => write!(f, "cap group {cap_group} came twice"),
            Self::Overflow => f.write_str("a sum does not fit 64 bits of fen"),
        }
    }
}

impl std::error::Error for CalculationError {}

/// What the given programmes pay of a bill (DOMAIN.md §3 steps 4–8).
///
/// - Cap groups are taken in the order given; each starts from the base that those before it left, so that
///   two programmes never pay the same fen (step 9).
/// - `SEQUENTIAL`: every candidate in its order gives a part, also when it pays nothing. Later parts see the
///   cap and the deductible that earlier parts of their group took.
/// - `BEST_OF`: every candidate is computed alone; the one that pays most after caps is the only part, even
///   if it pays nothing. Ties go to the lower order, then to the earlier in the list (step 2).
/// - Without candidates nothing is paid and there are no parts; refusing such a stay is the caller's.
pub fn calculate(bill: &Bill, purses: &[Purse]) -> Result<Calculation, CalculationError> {
    check(bill, purses)?;
    let mut stay = Stay::new(bill);
    let mut parts = Vec::new();
    for purse in purses {
        let mut standing = Standing::new(purse);
        let mut candidates: Vec<&Candidate> = purse.candidates.iter().collect();
        candidates.sort_by_key(|candidate| candidate.order);
        match purse.stacking {
            Stacking::Sequential => {
                for candidate in candidates {
                    let part = part::compute(&stay, &standing, candidate)?;
                    standing.take(&part)?;
                    stay.take(&part)?;
                    parts.push(part);
                }
            }
            Stacking::BestOf => {
                if let Some(part) = best(&stay, &standing, &candidates)? {
                    stay.take(&part)?;
                    parts.push(part);
                }
            }
        }
    }
    Ok(Calculation { assistance: stay.paid(), personal_burden: stay.own_burden_left()?, parts })
}

/// The part that pays most, the first of equals.
fn best(
    stay: &Stay<'_>,
    standing: &Standing<'_>,
    candidates: &[&Candidate],
) -> Result<Option<Part>, CalculationError> {
    let mut best: Option<Part> = None;
    for candidate in candidates {
        let part = part::compute(stay, standing, candidate)?;
        if best.as_ref().is_none_or(|best| part.paid > best.paid) {
            best = Some(part);
        }
    }
    Ok(best)
}

fn check(bill: &Bill, purses: &[Purse]) -> Result<(), CalculationError> {
    let faults = bill.faults();
    if !faults.is_empty() {
        return Err(CalculationError::Bill(faults));
    }
    let mut groups = BTreeSet::new();
    for purse in purses {
        if !groups.insert(purse.cap_group.as_str()) {
            return Err(CalculationError::CapGroupTwice { cap_group: purse.cap_group.clone() });
        }
        for candidate in &purse.candidates {
            check_candidate(purse, candidate)?;
        }
    }
    Ok(())
}

fn check_candidate(purse: &Purse, candidate: &Candidate) -> Result<(), CalculationError> {
    let faults = candidate.policy.faults();
    if !faults.is_empty() {
        return Err(CalculationError::Policy { source: candidate.source, faults });
    }
    let (cap_group, benefit_year) = (purse.cap_group.clone(), candidate.benefit_year);
    match purse.used.get(&benefit_year) {
        None => Err(CalculationError::UsageMissing { cap_group, benefit_year }),
        Some(used) if used.cap.is_negative() || used.deductible.is_negative() => {
            Err(CalculationError::UsageNegative { cap_group, benefit_year })
        }
        Some(_) => Ok(()),
    }
}
