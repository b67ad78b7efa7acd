//! How a rate is applied (DOMAIN.md §3 step 6).

use super::*;

fn computed(eligible: &str, policy: Policy) -> Fen {
    alone(&bill_of(eligible), policy).parts[0].computed
}

#[test]
fn a_band_starts_at_its_edge_and_ends_before_the_next() {
    let banded = |eligible| computed(eligible, two_bands(RateForm::Band));
    assert_eq!(banded("4999.99"), yuan("2999.99"), "60 % of 4,999.99 is 2,999.994");
    assert_eq!(banded("5000.00"), yuan("4000.00"));
    assert_eq!(banded("5000.01"), yuan("4000.01"), "80 % of 5,000.01 is 4,000.008");
}

#[test]
fn marginal_bands_are_continuous_at_the_edge() {
    let marginal = |eligible| alone(&bill_of(eligible), two_bands(RateForm::Marginal)).parts.remove(0);
    let (below, at, above) = (marginal("4999.99"), marginal("5000.00"), marginal("5000.01"));
    assert_eq!(below.computed, yuan("2999.99"));
    assert_eq!(at.computed, yuan("3000.00"));
    assert_eq!(above.computed, yuan("3000.01"), "3,000.00 and 80 % of a fen");
    assert_eq!((below.rate, at.rate, above.rate), (Some(percent(60)), Some(percent(60)), None));
}

#[test]
fn marginal_slices_are_rounded_once() {
    let edge = |fen| Some(Fen::new(fen));
    let half = percent(50);
    let bands = vec![
        Band { from: Fen::ZERO, below: edge(1), rate: half },
        Band { from: Fen::new(1), below: edge(2), rate: half },
        Band { from: Fen::new(2), below: None, rate: half },
    ];
    let policy = Policy { form: RateForm::Marginal, bands, ..flat(0) };
    assert_eq!(computed("0.03", policy), yuan("0.02"), "each slice rounded alone would give 0.03");
}

#[test]
fn nothing_falls_in_the_band_of_nothing() {
    for form in [RateForm::Band, RateForm::Marginal] {
        let calculation = alone(&Bill::default(), two_bands(form));
        assert_eq!(calculation.parts[0].rate, Some(percent(60)));
        assert_eq!(calculation.parts[0].paid, Fen::ZERO);
    }
}

#[test]
fn the_band_is_chosen_after_the_deductible() {
    let policy = two_bands(RateForm::Band).per_stay_deductible("0.01");
    assert_eq!(computed("5000.00", policy.clone()), yuan("2999.99"));
    assert_eq!(computed("5000.01", policy), yuan("4000.00"));
}

#[test]
fn half_a_fen_rounds_up() {
    assert_eq!(computed("0.01", flat(50)), yuan("0.01"));
    assert_eq!(computed("0.01", flat(49)), yuan("0.00"));
    assert_eq!(computed("0.03", flat(50)), yuan("0.02"));
}

#[test]
fn a_rate_may_be_nothing_or_all() {
    assert_eq!(computed("123.45", flat(0)), Fen::ZERO);
    assert_eq!(computed("123.45", flat(100)), yuan("123.45"));
}
