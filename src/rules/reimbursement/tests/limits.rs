//! Deductibles, caps and the patient's own burden (DOMAIN.md §3 steps 5 and 7).

use super::part::limited;
use super::*;

#[test]
fn the_annual_cap_holds_to_the_fen() {
    for (cap_left, paid) in [("5039.99", "5039.99"), ("5040.00", "5040.00"), ("5040.01", "5040.00")] {
        let calculation = alone(&worked_bill(), flat(70).capped(cap_left));
        assert_eq!(calculation.assistance, yuan(paid), "with {cap_left} left");
    }
}

#[test]
fn the_cap_per_stay_holds_to_the_fen() {
    for (cap, paid) in [("5039.99", "5039.99"), ("5040.00", "5040.00"), ("5040.01", "5040.00")] {
        let calculation = alone(&worked_bill(), flat(70).capped_per_stay(cap));
        assert_eq!(calculation.assistance, yuan(paid), "with a cap of {cap}");
    }
}

#[test]
fn the_lower_of_two_caps_holds() {
    let policy = flat(70).capped_per_stay("4000").capped("3000");
    assert_eq!(alone(&worked_bill(), policy).assistance, yuan("3000"));
    let policy = flat(70).capped_per_stay("2000").capped("3000");
    assert_eq!(alone(&worked_bill(), policy).assistance, yuan("2000"));
}

#[test]
fn a_cap_that_is_used_up_or_overdrawn_pays_nothing() {
    for used in ["30000", "30000.01"] {
        let purse = purse(Stacking::BestOf, [flat(70).capped("30000")]).with_used(YEAR, used, "0");
        let calculation = calculate(&worked_bill(), &[purse]).unwrap();
        assert_eq!(calculation.assistance, Fen::ZERO);
        assert_eq!(calculation.personal_burden, yuan("10200"));
        assert_eq!(calculation.parts[0].cap_left_before, Some(Fen::ZERO));
    }
}

#[test]
fn a_cap_of_nothing_is_a_cap_and_a_missing_cap_is_none() {
    assert_eq!(alone(&worked_bill(), flat(70).capped("0")).assistance, Fen::ZERO);
    let uncapped = purse(Stacking::BestOf, [flat(70)]).with_used(YEAR, "99999999", "0");
    let calculation = calculate(&worked_bill(), &[uncapped]).unwrap();
    assert_eq!(calculation.assistance, yuan("5040"));
    assert_eq!(calculation.parts[0].cap_left_before, None);
}

#[test]
fn the_cap_of_another_year_does_not_count() {
    let purse = purse(Stacking::BestOf, [flat(70).capped("30000")])
        .with_used(YEAR - 1, "30000", "0")
        .with_used(YEAR + 1, "30000", "0");
    assert_eq!(calculate(&worked_bill(), &[purse]).unwrap().assistance, yuan("5040"));
}

#[test]
fn a_deductible_takes_no_more_than_the_base() {
    let calculation = alone(&bill_of("300"), flat(70).annual_deductible("500"));
    let part = &calculation.parts[0];
    assert_eq!(part.annual_deductible_applied, yuan("300"), "200 are left for the next stay");
    assert_eq!((part.eligible_amount, part.paid), (Fen::ZERO, Fen::ZERO));
}

#[test]
fn a_deductible_used_up_or_lowered_since_takes_nothing() {
    for used in ["500", "800"] {
        let purse = purse(Stacking::BestOf, [flat(70).annual_deductible("500")]).with_used(YEAR, "0", used);
        let calculation = calculate(&worked_bill(), &[purse]).unwrap();
        assert_eq!(calculation.parts[0].deductible_applied, Fen::ZERO);
        assert_eq!(calculation.assistance, yuan("5040"));
    }
}

#[test]
fn a_deductible_per_stay_is_taken_anew_and_does_not_count_for_the_year() {
    let purse = purse(Stacking::BestOf, [flat(70).per_stay_deductible("500")]).with_used(YEAR, "0", "500");
    let calculation = calculate(&worked_bill(), &[purse]).unwrap();
    let part = &calculation.parts[0];
    assert_eq!(part.deductible_applied, yuan("500"));
    assert_eq!(part.annual_deductible_applied, Fen::ZERO);
    assert_eq!(part.paid, yuan("4690"));
}

#[test]
fn without_a_mode_a_deductible_has_no_effect() {
    let policy = Policy { deductible: yuan("500"), ..flat(70) };
    assert_eq!(alone(&worked_bill(), policy).assistance, yuan("5040"));
}

#[test]
fn never_more_than_the_patient_bears() {
    let no_cap = None;
    let pay = |burden| limited(yuan("700"), yuan("1000"), no_cap, no_cap, yuan(burden));
    assert_eq!(pay("699.99"), yuan("699.99"));
    assert_eq!(pay("700.00"), yuan("700.00"));
    assert_eq!(pay("0.00"), Fen::ZERO);
}

#[test]
fn never_more_than_the_eligible_amount() {
    assert_eq!(limited(yuan("700"), yuan("600"), None, None, yuan("9999")), yuan("600"));
}

#[test]
fn at_a_rate_of_all_the_whole_burden_may_be_paid_but_not_more() {
    let bill = Bill { basic_insurance_paid: yuan("9"), ..bill_of("10") };
    let purse = purse(Stacking::Sequential, [flat(100), flat(100)]);
    let calculation = calculate(&bill, &[purse]).unwrap();
    assert_eq!(paid(&calculation), [yuan("1"), Fen::ZERO]);
    assert_eq!(calculation.personal_burden, Fen::ZERO);
}
