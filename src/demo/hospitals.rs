//! Second reimbursements of 2016 (DOMAIN.md §2 rows 15 and 3): bills for which the example policies pay exactly these sums.

use chrono::Days;
use entity::kinds::Category;
use entity::{BasisPoints, Fen, person, person_status};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::district::{HOSPITAL_153, HOSPITALS};
use super::people::{Invented, People};
use super::{Desks, Progress, china_time, day_of_2016, done};
use crate::access::LoadingGate;
use crate::actions::settle::{SettleInput, settle};
use crate::error::{Error, Result};
use crate::graph::scalars::{Date, IdempotencyKey, Money, NationalId};
use crate::graph::settlement_preview::{BillInput, PatientInput};
use crate::rules::reimbursement::Bill;

/// 95 veterans, 103,700.00 yuan.
const VETERANS: (usize, i64) = (95, 10_370_000);
/// 10 patients at two hospitals, 11,210.00 yuan.
const ONE_STOP: (usize, i64) = (10, 1_121_000);
const VETERANS_RATE: i32 = 3500;
const MEDICAL_RATE: i32 = 7000;

/// On minimum living allowance since the year began, without a stay so far.
pub(super) async fn patient_of_the_readme(
    loading: &LoadingGate,
    people: &mut People,
    rng: &mut ChaCha8Rng,
) -> Result<()> {
    let first = day_of_2016(0);
    let patient = people.of_the_readme(loading.gate().keys(), 0, china_time(first, 9, 0))?;
    let status = patient.has(rng, Category::Dibao, first);
    loading.lay::<person::Entity>(vec![patient.row]).await?;
    loading.lay::<person_status::Entity>(vec![status]).await
}

/// Amounts by chance that sum to a total exactly.
fn split(rng: &mut ChaCha8Rng, count: usize, total: i64) -> Vec<i64> {
    let weights: Vec<i64> = (0..count).map(|_| rng.random_range(40..190)).collect();
    let sum: i64 = weights.iter().sum();
    let mut amounts: Vec<i64> = weights.iter().map(|weight| total * weight / sum).collect();
    let rest = total - amounts.iter().sum::<i64>();
    if let Some(last) = amounts.last_mut() {
        *last += rest;
    }
    amounts
}

/// The smallest eligible amount for which a flat rate pays exactly this much.
fn base_for(paid: Fen, rate: BasisPoints) -> Result<Fen> {
    let near = paid.get() * 10_000 / i64::from(rate.get());
    (near - 3..=near + 3)
        .map(Fen::new)
        .find(|base| Fen::round_half_up(base.at(rate)) == Some(paid))
        .ok_or_else(|| Error::internal("a rate that does not reach every fen"))
}

/// A plausible bill that leaves this much of the in-scope cost after insurance.
pub(super) fn plausible_bill(rng: &mut ChaCha8Rng, base: Fen) -> Bill {
    let per_cent = |amount: i64, share: i64| Fen::new(amount * share / 100);
    let insured = rng.random_range(50..68);
    let basic = per_cent(base.get() * 100 / (100 - insured), insured).get();
    let serious = if rng.random_range(0..4) == 0 { basic / 10 } else { 0 };
    let in_scope = base.get() + basic + serious;
    let fully_self_paid = per_cent(in_scope, rng.random_range(2..9));
    let over_limit_self_paid = per_cent(in_scope, rng.random_range(0..3));
    let upfront_self_paid = per_cent(in_scope, rng.random_range(3..8));
    Bill {
        total_cost: Fen::new(
            in_scope + fully_self_paid.get() + over_limit_self_paid.get() + upfront_self_paid.get(),
        ),
        fully_self_paid,
        over_limit_self_paid,
        upfront_self_paid,
        in_scope: Fen::new(in_scope),
        basic_insurance_paid: Fen::new(basic),
        serious_illness_insurance_paid: Fen::new(serious),
        other_funds_paid: Fen::ZERO,
        commercial_insurance_paid: Fen::ZERO,
        hospital_waiver: Fen::ZERO,
        other_assistance_paid: Fen::ZERO,
    }
}

/// The bill as a hospital posts it.
pub(super) fn bill_input(
    patient: &Invented,
    amounts: &Bill,
    number: &str,
    (admitted_on, discharged_on): (chrono::NaiveDate, chrono::NaiveDate),
) -> BillInput {
    BillInput {
        patient: PatientInput {
            national_id: NationalId(patient.national_id.clone()),
            name: patient.name.clone(),
        },
        admitted_on: Date(admitted_on),
        discharged_on: Date(discharged_on),
        admission_number: format!("ZY-{number}").into(),
        invoice_number: format!("FP-{number}").into(),
        insurer_settlement_id: format!("JS-{number}").into(),
        encounter_id: Some(format!("JZ-{number}").into()),
        total_cost: Money(amounts.total_cost),
        fully_self_paid: Money(amounts.fully_self_paid),
        over_limit_self_paid: Money(amounts.over_limit_self_paid),
        upfront_self_paid: Money(amounts.upfront_self_paid),
        in_scope: Money(amounts.in_scope),
        basic_insurance_paid: Money(amounts.basic_insurance_paid),
        serious_illness_insurance_paid: Money(amounts.serious_illness_insurance_paid),
        other_funds_paid: Money(amounts.other_funds_paid),
        commercial_insurance_paid: Money(amounts.commercial_insurance_paid),
        hospital_waiver: Money(amounts.hospital_waiver),
        other_assistance_paid: Money(amounts.other_assistance_paid),
        third_party_liable: false,
    }
}

/// One patient with one stay, and what the policy is to pay for it.
struct Stay {
    hospital: &'static str,
    patient: Invented,
    paid: Fen,
    rate: BasisPoints,
}

/// Settles the 105 stays of 2016, each with the amount that the sums ask for as the expected one: a rule that paid anything else
/// would stop the load.
pub(super) async fn settle_2016(
    loading: &LoadingGate,
    desks: &Desks,
    people: &mut People,
    rng: &mut ChaCha8Rng,
    progress: Progress<'_>,
) -> Result<()> {
    let keys = loading.gate().keys();
    let since = china_time(day_of_2016(0), 8, 0);
    let mut stays = Vec::new();
    let rate = |points| BasisPoints::new(points).ok_or_else(|| Error::internal("a rate"));
    for paid in split(rng, VETERANS.0, VETERANS.1) {
        let patient = people.invent(keys, 1930..=1965, rng.random_range(0..14), since)?;
        stays.push((HOSPITAL_153, Category::EntitledVeteran, patient, paid, rate(VETERANS_RATE)?));
    }
    for (place, paid) in split(rng, ONE_STOP.0, ONE_STOP.1).into_iter().enumerate() {
        let patient = people.invent(keys, 1940..=2000, rng.random_range(0..14), since)?;
        stays.push((HOSPITALS[place % 2], Category::Dibao, patient, paid, rate(MEDICAL_RATE)?));
    }
    let mut persons: Vec<person::Model> = Vec::new();
    let mut statuses: Vec<person_status::Model> = Vec::new();
    let mut waiting = Vec::new();
    for (hospital, category, patient, paid, rate) in stays {
        statuses.push(patient.has(rng, category, day_of_2016(0)));
        persons.push(patient.row.clone());
        waiting.push(Stay { hospital, patient, paid: Fen::new(paid), rate });
    }
    loading.lay::<person::Entity>(persons).await?;
    loading.lay::<person_status::Entity>(statuses).await?;
    let total = u64::try_from(waiting.len()).unwrap_or(0);
    for (place, stay) in (0_u64..).zip(waiting) {
        progress("settlements of 2016", place, total);
        let discharged_on = day_of_2016(10 + place * 340 / total);
        let admitted_on = discharged_on - Days::new(rng.random_range(3..14));
        let bill = plausible_bill(rng, base_for(stay.paid, stay.rate)?);
        let number = format!("2016-{place:05}");
        let input = SettleInput {
            key: IdempotencyKey(format!("{}-{number}", stay.hospital)),
            bill: bill_input(&stay.patient, &bill, &number, (admitted_on.max(day_of_2016(0)), discharged_on)),
            expected_assistance: Some(Money(stay.paid)),
            operator: None,
        };
        let desk = desks.at(stay.hospital, china_time(discharged_on, 10, rng.random_range(0..60)))?;
        done("settlement", settle(&desk, &input).await?)?;
    }
    progress("settlements of 2016", total, total);
    Ok(())
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn every_sum_can_be_reached_by_plausible_bills() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for ((count, total), points) in [(VETERANS, VETERANS_RATE), (ONE_STOP, MEDICAL_RATE)] {
            let rate = BasisPoints::new(points).unwrap();
            let amounts = split(&mut rng, count, total);
            assert_eq!((amounts.len(), amounts.iter().sum::<i64>()), (count, total));
            for amount in amounts {
                let base = base_for(Fen::new(amount), rate).unwrap();
                assert_eq!(Fen::round_half_up(base.at(rate)), Some(Fen::new(amount)));
                assert_eq!(plausible_bill(&mut rng, base).faults(), Vec::new());
            }
        }
    }
}
