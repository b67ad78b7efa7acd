//! The worked values of DOMAIN.md §3.

use super::*;

fn assert_outcome(calculation: &Calculation, assistance: &str, personal_burden: &str) {
    assert_eq!(calculation.assistance, yuan(assistance));
    assert_eq!(calculation.personal_burden, yuan(personal_burden));
}

#[test]
fn seventy_per_cent_with_enough_cap_left() {
    let purse = purse(Stacking::BestOf, [flat(70).capped("30000")]);
    let calculation = calculate(&worked_bill(), &[purse]).unwrap();
    assert_outcome(&calculation, "5040.00", "5160.00");
    let part = &calculation.parts[0];
    assert_eq!(part.base, yuan("7200"));
    assert_eq!(part.eligible_amount, yuan("7200"));
    assert_eq!(part.rate, Some(percent(70)));
    assert_eq!(part.cap_left_before, Some(yuan("30000")));
}

#[test]
fn seventy_per_cent_with_three_thousand_of_cap_left() {
    let purse = purse(Stacking::BestOf, [flat(70).capped("30000")]).with_used(YEAR, "27000", "0");
    let calculation = calculate(&worked_bill(), &[purse]).unwrap();
    assert_outcome(&calculation, "3000.00", "7200.00");
    assert_eq!(calculation.parts[0].computed, yuan("5040"));
    assert_eq!(calculation.parts[0].cap_left_before, Some(yuan("3000")));
}

#[test]
fn seventy_per_cent_with_five_hundred_of_annual_deductible_left() {
    let purse = purse(Stacking::BestOf, [flat(70).annual_deductible("2000")]).with_used(YEAR, "0", "1500");
    let calculation = calculate(&worked_bill(), &[purse]).unwrap();
    assert_outcome(&calculation, "4690.00", "5510.00");
    assert_eq!(calculation.parts[0].deductible_applied, yuan("500"));
    assert_eq!(calculation.parts[0].annual_deductible_applied, yuan("500"));
}

#[test]
fn marginal_bands() {
    let calculation = alone(&worked_bill(), two_bands(RateForm::Marginal));
    assert_outcome(&calculation, "4760.00", "5440.00");
    assert_eq!(calculation.parts[0].rate, None);
}

#[test]
fn the_band_applies_to_all() {
    let calculation = alone(&worked_bill(), two_bands(RateForm::Band));
    assert_outcome(&calculation, "5760.00", "4440.00");
    assert_eq!(calculation.parts[0].rate, Some(percent(80)));
}

#[test]
fn a_veteran_gets_35_per_cent_then_70_per_cent_of_the_rest() {
    let purse = purse(Stacking::Sequential, [flat(35), flat(70)]);
    let calculation = calculate(&worked_bill(), &[purse]).unwrap();
    assert_eq!(paid(&calculation), [yuan("2520.00"), yuan("3276.00")]);
    assert_eq!(calculation.personal_burden, yuan("4404.00"));
    assert_eq!(calculation.parts[1].base, yuan("4680.00"));
}

#[test]
fn seventy_per_cent_of_1_15_is_0_81() {
    assert_outcome(&alone(&bill_of("1.15"), flat(70)), "0.81", "0.34");
}

#[test]
fn the_upfront_amount_belongs_to_the_base_only_if_the_policy_says_so() {
    let without = alone(&worked_bill(), flat(70));
    let with = alone(&worked_bill(), Policy { includes_upfront: true, ..flat(70) });
    assert_eq!(without.parts[0].base, yuan("7200"));
    assert_eq!(with.parts[0].base, yuan("8400"));
    assert_outcome(&with, "5880.00", "4320.00");
}

#[test]
fn everything_that_others_paid_lowers_the_base() {
    let bill = Bill {
        serious_illness_insurance_paid: yuan("1000"),
        other_funds_paid: yuan("200"),
        commercial_insurance_paid: yuan("300"),
        hospital_waiver: yuan("400"),
        other_assistance_paid: yuan("500"),
        ..worked_bill()
    };
    let calculation = alone(&bill, flat(70));
    assert_eq!(calculation.parts[0].base, yuan("4800"));
    assert_outcome(&calculation, "3360.00", "4440.00");
}

#[test]
fn payments_beyond_the_in_scope_cost_leave_no_base() {
    let bill = Bill { commercial_insurance_paid: yuan("8000"), ..worked_bill() };
    let calculation = alone(&bill, flat(70));
    assert_eq!(calculation.parts[0].base, Fen::ZERO);
    assert_outcome(&calculation, "0.00", "2200.00");
}

#[test]
fn a_bill_of_nothing_pays_nothing() {
    let calculation = alone(&Bill::default(), flat(70).capped("30000").annual_deductible("500"));
    assert_outcome(&calculation, "0.00", "0.00");
    assert_eq!(calculation.parts[0].deductible_applied, Fen::ZERO);
}

#[test]
fn without_a_programme_nothing_is_paid_and_there_are_no_parts() {
    for purses in [vec![], vec![purse(Stacking::BestOf, [])], vec![purse(Stacking::Sequential, [])]] {
        let calculation = calculate(&worked_bill(), &purses).unwrap();
        assert_outcome(&calculation, "0.00", "10200.00");
        assert!(calculation.parts.is_empty());
    }
}
