//! The rule of the second reimbursement, told by examples (DOMAIN.md §3).

mod faults;
mod limits;
mod property;
mod rates;
mod stacking;
mod steps;
mod worked;

use entity::id::{PolicyVersionId, ProgrammeId};
use entity::kinds::{DeductibleMode, RateForm, Stacking};
use entity::{BasisPoints, Fen};
use uuid::Uuid;

use super::*;

const YEAR: i32 = 2016;

/// An amount in yuan.
fn yuan(amount: &str) -> Fen {
    Fen::from_yuan(amount.parse().unwrap()).unwrap()
}

/// A rate in per cent.
fn percent(rate: i32) -> BasisPoints {
    BasisPoints::new(rate * 100).unwrap()
}

/// The bill of the worked values: N = 7,200.
fn worked_bill() -> Bill {
    Bill {
        total_cost: yuan("20000"),
        fully_self_paid: yuan("1500"),
        over_limit_self_paid: yuan("300"),
        upfront_self_paid: yuan("1200"),
        in_scope: yuan("17000"),
        basic_insurance_paid: yuan("9800"),
        ..Bill::default()
    }
}

/// A bill that insurance paid nothing of, wholly in scope.
fn bill_of(in_scope: &str) -> Bill {
    Bill { total_cost: yuan(in_scope), in_scope: yuan(in_scope), ..Bill::default() }
}

/// A flat rate, no deductible, no caps.
fn flat(rate: i32) -> Policy {
    Policy {
        form: RateForm::Flat,
        bands: vec![Band { from: Fen::ZERO, below: None, rate: percent(rate) }],
        deductible_mode: DeductibleMode::None,
        deductible: Fen::ZERO,
        per_stay_cap: None,
        annual_cap: None,
        includes_upfront: false,
    }
}

/// 60 % below 5,000, 80 % from there.
fn two_bands(form: RateForm) -> Policy {
    let edge = yuan("5000");
    Policy {
        form,
        bands: vec![
            Band { from: Fen::ZERO, below: Some(edge), rate: percent(60) },
            Band { from: edge, below: None, rate: percent(80) },
        ],
        ..flat(0)
    }
}

impl Policy {
    fn capped(self, annual_cap: &str) -> Self {
        Self { annual_cap: Some(yuan(annual_cap)), ..self }
    }

    fn capped_per_stay(self, cap: &str) -> Self {
        Self { per_stay_cap: Some(yuan(cap)), ..self }
    }

    fn annual_deductible(self, deductible: &str) -> Self {
        Self { deductible_mode: DeductibleMode::Annual, deductible: yuan(deductible), ..self }
    }

    fn per_stay_deductible(self, deductible: &str) -> Self {
        Self { deductible_mode: DeductibleMode::PerStay, deductible: yuan(deductible), ..self }
    }
}

/// The source of the `number`th programme.
fn source(number: u128) -> Source {
    Source {
        programme: ProgrammeId::from(Uuid::from_u128(number)),
        policy_version: PolicyVersionId::from(Uuid::from_u128(1000 + number)),
    }
}

/// The policies as programmes 1, 2, … in that order.
fn candidates(policies: impl IntoIterator<Item = Policy>) -> Vec<Candidate> {
    (1..)
        .zip(policies)
        .map(|(order, policy)| Candidate {
            source: source(u128::try_from(order).unwrap()),
            policy,
            order,
            benefit_year: YEAR,
        })
        .collect()
}

fn purse(stacking: Stacking, policies: impl IntoIterator<Item = Policy>) -> Purse {
    Purse {
        cap_group: "MEDICAL".to_owned(),
        stacking,
        candidates: candidates(policies),
        used: BTreeMap::from([(YEAR, Used::default())]),
    }
}

impl Purse {
    fn named(self, cap_group: &str) -> Self {
        Self { cap_group: cap_group.to_owned(), ..self }
    }

    fn with_used(mut self, year: i32, cap: &str, deductible: &str) -> Self {
        self.used.insert(year, Used { cap: yuan(cap), deductible: yuan(deductible) });
        self
    }
}

/// What a single policy pays, nothing having been used.
fn alone(bill: &Bill, policy: Policy) -> Calculation {
    calculate(bill, &[purse(Stacking::BestOf, [policy])]).unwrap()
}

fn paid(calculation: &Calculation) -> Vec<Fen> {
    calculation.parts.iter().map(|part| part.paid).collect()
}

/// The part's value of a step, if the part has that step.
fn value<'a>(part: &'a Part, code: &str) -> Option<&'a str> {
    part.steps.iter().find(|step| step.code.to_string() == code).map(|step| step.value.as_str())
}
