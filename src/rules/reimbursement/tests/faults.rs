//! Bills, policies and usages that cannot be computed with.

use super::*;

const MOST: Fen = Fen::new(i64::MAX);

#[test]
fn a_sound_bill_has_no_faults() {
    assert_eq!(worked_bill().faults(), []);
    assert_eq!(Bill::default().faults(), []);
}

#[test]
fn every_amount_is_at_least_nothing() {
    let minus = Fen::new(-1);
    let bill = Bill { total_cost: minus, hospital_waiver: minus, ..worked_bill() };
    assert_eq!(
        bill.faults(),
        [
            BillFault::Negative { field: "totalCost", actual: minus },
            BillFault::Negative { field: "hospitalWaiver", actual: minus },
        ]
    );
}

#[test]
fn the_total_is_the_sum_of_its_four_parts_to_the_fen() {
    let bill = Bill { total_cost: yuan("20000.01"), ..worked_bill() };
    let fault = BillFault::TotalDiffers { expected: yuan("20000"), actual: yuan("20000.01") };
    assert_eq!(bill.faults(), [fault]);
    assert_eq!(fault.field(), "totalCost");
}

#[test]
fn others_pay_no_more_than_the_total() {
    let exact = Bill { serious_illness_insurance_paid: yuan("10200"), ..worked_bill() };
    assert_eq!(exact.faults(), []);
    let bill = Bill { other_assistance_paid: yuan("0.01"), ..exact };
    assert_eq!(
        bill.faults(),
        [BillFault::PaymentsExceedTotal {
            field: "otherAssistancePaid",
            limit: yuan("20000"),
            actual: yuan("20000.01"),
        }]
    );
}

#[test]
fn sums_beyond_64_bits_are_faults() {
    let bill = Bill { fully_self_paid: Fen::new(1), in_scope: MOST, total_cost: MOST, ..Bill::default() };
    assert_eq!(bill.faults(), [BillFault::TooLarge { field: "totalCost" }]);
    let bill = Bill {
        total_cost: MOST,
        in_scope: MOST,
        basic_insurance_paid: MOST,
        hospital_waiver: Fen::new(1),
        ..Bill::default()
    };
    assert_eq!(bill.faults(), [BillFault::TooLarge { field: "hospitalWaiver" }]);
}

#[test]
fn a_faulty_bill_is_not_computed() {
    let bill = Bill { total_cost: yuan("1"), ..Bill::default() };
    assert_eq!(calculate(&bill, &[]), Err(CalculationError::Bill(bill.faults())));
}

#[test]
fn the_largest_bill_is_computed_exactly() {
    let bill = Bill { total_cost: MOST, in_scope: MOST, ..Bill::default() };
    assert_eq!(alone(&bill, flat(100)).assistance, MOST);
    assert_eq!(alone(&bill, flat(50)).assistance, Fen::new(i64::MAX / 2 + 1));
    let marginal = alone(&bill, two_bands(RateForm::Marginal));
    assert_eq!(marginal.assistance, Fen::new(7_378_697_629_483_720_646));
}

#[test]
fn usage_beyond_64_bits_is_an_error() {
    let mut purse = purse(Stacking::Sequential, [flat(70), flat(70)]);
    purse.used.insert(YEAR, Used { cap: MOST, deductible: MOST });
    assert_eq!(calculate(&worked_bill(), &[purse]), Err(CalculationError::Overflow));
}

#[test]
fn the_used_of_every_year_must_be_known_and_not_negative() {
    let mut purse = purse(Stacking::BestOf, [flat(70)]);
    let cap_group = purse.cap_group.clone();
    purse.used.insert(YEAR, Used { cap: Fen::new(-1), deductible: Fen::ZERO });
    assert_eq!(
        calculate(&worked_bill(), &[purse.clone()]),
        Err(CalculationError::UsageNegative { cap_group: cap_group.clone(), benefit_year: YEAR })
    );
    purse.used.clear();
    assert_eq!(
        calculate(&worked_bill(), &[purse]),
        Err(CalculationError::UsageMissing { cap_group, benefit_year: YEAR })
    );
}

#[test]
fn a_cap_group_comes_once() {
    let purse = purse(Stacking::BestOf, [flat(70)]);
    let error = CalculationError::CapGroupTwice { cap_group: purse.cap_group.clone() };
    assert_eq!(calculate(&worked_bill(), &[purse.clone(), purse]), Err(error));
}

#[test]
fn a_faulty_policy_is_named_and_not_computed() {
    let policy = flat(70).capped("-1");
    let faults = policy.faults();
    assert_eq!(faults, [PolicyFault::Negative { field: "annualCap", actual: yuan("-1") }]);
    let purse = purse(Stacking::BestOf, [flat(35), policy]);
    assert_eq!(
        calculate(&worked_bill(), &[purse]),
        Err(CalculationError::Policy { source: source(2), faults })
    );
}

#[test]
fn caps_and_deductible_are_at_least_nothing() {
    let policy = flat(70).capped_per_stay("-0.01").per_stay_deductible("-0.01");
    let fields: Vec<&str> = policy.faults().into_iter().map(PolicyFault::field).collect();
    assert_eq!(fields, ["deductible", "perStayCap"]);
}

#[test]
fn bands_cover_every_amount_once() {
    let band = |from, below: Option<i64>| Band {
        from: Fen::new(from),
        below: below.map(Fen::new),
        rate: percent(50),
    };
    let faults = |bands: Vec<Band>| Policy { form: RateForm::Band, bands, ..flat(0) }.faults();
    let elsewhere = |band, expected, actual| PolicyFault::BandStartsElsewhere {
        band,
        expected: Fen::new(expected),
        actual: Fen::new(actual),
    };
    assert_eq!(faults(vec![band(0, Some(5)), band(5, None)]), []);
    assert_eq!(faults(vec![]), [PolicyFault::BandsMissing]);
    assert_eq!(faults(vec![band(1, None)]), [elsewhere(1, 0, 1)]);
    assert_eq!(faults(vec![band(0, Some(5)), band(6, None)]), [elsewhere(2, 5, 6)]);
    assert_eq!(faults(vec![band(0, Some(5)), band(4, None)]), [elsewhere(2, 5, 4)]);
    assert_eq!(faults(vec![band(0, Some(0)), band(0, None)]), [PolicyFault::BandEmpty { band: 1 }]);
    assert_eq!(faults(vec![band(0, None), band(5, None)]), [PolicyFault::BandOpenTooEarly { band: 1 }]);
    assert_eq!(faults(vec![band(0, Some(5))]), [PolicyFault::LastBandClosed { below: Fen::new(5) }]);
}

#[test]
fn a_flat_rate_has_one_band() {
    let policy = two_bands(RateForm::Flat);
    assert_eq!(policy.faults(), [PolicyFault::FlatWithSeveralBands { count: 2 }]);
}

#[test]
fn a_stored_rate_above_all_is_found() {
    let bands: Vec<Band> = serde_json::from_str(r#"[{"from":0,"below":null,"rate":10001}]"#).unwrap();
    let faults = Policy { bands, ..flat(0) }.faults();
    assert_eq!(faults, [PolicyFault::RateOutOfRange { band: 1, points: 10_001 }]);
}
