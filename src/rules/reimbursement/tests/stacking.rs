//! Several programmes for one stay (DOMAIN.md §3 steps 2 and 9).

use super::*;

fn sources(calculation: &Calculation) -> Vec<Source> {
    calculation.parts.iter().map(|part| part.source).collect()
}

#[test]
fn best_of_gives_one_part_of_the_programme_that_pays_most() {
    let purse = purse(Stacking::BestOf, [flat(35), flat(70), flat(50)]);
    let calculation = calculate(&worked_bill(), &[purse]).unwrap();
    assert_eq!(sources(&calculation), [source(2)]);
    assert_eq!(calculation.assistance, yuan("5040"));
}

#[test]
fn best_of_compares_after_caps() {
    let purse = purse(Stacking::BestOf, [flat(35), flat(70).capped("2519.99")]);
    let calculation = calculate(&worked_bill(), &[purse]).unwrap();
    assert_eq!(sources(&calculation), [source(1)]);
    assert_eq!(calculation.assistance, yuan("2520"));
}

#[test]
fn a_tie_goes_to_the_lower_order_wherever_it_stands_in_the_list() {
    let mut purse = purse(Stacking::BestOf, [flat(70).capped("2520"), flat(35)]);
    assert_eq!(sources(&calculate(&worked_bill(), &[purse.clone()]).unwrap()), [source(1)]);
    purse.candidates[0].order = 9;
    assert_eq!(sources(&calculate(&worked_bill(), &[purse]).unwrap()), [source(2)]);
}

#[test]
fn a_tie_of_equal_orders_goes_to_the_earlier_in_the_list() {
    let mut purse = purse(Stacking::BestOf, [flat(70), flat(70)]);
    purse.candidates[1].order = purse.candidates[0].order;
    assert_eq!(sources(&calculate(&worked_bill(), &[purse.clone()]).unwrap()), [source(1)]);
    purse.candidates.reverse();
    assert_eq!(sources(&calculate(&worked_bill(), &[purse]).unwrap()), [source(2)]);
}

#[test]
fn best_of_gives_a_part_even_when_nobody_pays() {
    let purse = purse(Stacking::BestOf, [flat(35).capped("0"), flat(70).capped("0")]);
    let calculation = calculate(&worked_bill(), &[purse]).unwrap();
    assert_eq!(sources(&calculation), [source(1)]);
    assert_eq!(calculation.assistance, Fen::ZERO);
}

#[test]
fn sequential_follows_the_order_and_not_the_list() {
    let mut purse = purse(Stacking::Sequential, [flat(35), flat(70)]);
    purse.candidates.reverse();
    let calculation = calculate(&worked_bill(), &[purse]).unwrap();
    assert_eq!(sources(&calculation), [source(1), source(2)]);
    assert_eq!(paid(&calculation), [yuan("2520"), yuan("3276")]);
}

#[test]
fn sequential_keeps_the_part_that_pays_nothing() {
    let purse = purse(Stacking::Sequential, [flat(35).capped("0"), flat(70)]);
    let calculation = calculate(&worked_bill(), &[purse]).unwrap();
    assert_eq!(paid(&calculation), [Fen::ZERO, yuan("5040")]);
}

#[test]
fn sequential_parts_share_the_annual_cap() {
    let purse = purse(Stacking::Sequential, [flat(35).capped("4000"), flat(70).capped("4000")]);
    let calculation = calculate(&worked_bill(), &[purse.with_used(YEAR, "500", "0")]).unwrap();
    assert_eq!(paid(&calculation), [yuan("2520"), yuan("980")]);
    assert_eq!(calculation.parts[1].computed, yuan("3276"));
    assert_eq!(calculation.parts[1].cap_left_before, Some(yuan("980")));
}

#[test]
fn sequential_parts_share_the_annual_deductible() {
    let purse =
        purse(Stacking::Sequential, [flat(50).annual_deductible("500"), flat(50).annual_deductible("800")]);
    let calculation = calculate(&worked_bill(), &[purse]).unwrap();
    let applied: Vec<Fen> = calculation.parts.iter().map(|part| part.annual_deductible_applied).collect();
    assert_eq!(applied, [yuan("500"), yuan("300")]);
    assert_eq!(paid(&calculation), [yuan("3350"), yuan("1775")]);
}

#[test]
fn sequential_parts_share_the_deductible_per_stay() {
    let purse = purse(
        Stacking::Sequential,
        [flat(50).per_stay_deductible("500"), flat(50).per_stay_deductible("500")],
    );
    let calculation = calculate(&worked_bill(), &[purse]).unwrap();
    assert_eq!(calculation.parts[1].deductible_applied, Fen::ZERO);
    assert_eq!(paid(&calculation), [yuan("3350"), yuan("1925")]);
}

#[test]
fn deductibles_per_stay_and_annual_are_counted_apart() {
    let purse =
        purse(Stacking::Sequential, [flat(50).per_stay_deductible("500"), flat(50).annual_deductible("500")]);
    let calculation = calculate(&worked_bill(), &[purse]).unwrap();
    assert_eq!(calculation.parts[0].annual_deductible_applied, Fen::ZERO);
    assert_eq!(calculation.parts[1].annual_deductible_applied, yuan("500"));
}

#[test]
fn the_cap_per_stay_is_each_programmes_own() {
    let purse =
        purse(Stacking::Sequential, [flat(35).capped_per_stay("2000"), flat(70).capped_per_stay("2000")]);
    assert_eq!(paid(&calculate(&worked_bill(), &[purse]).unwrap()), [yuan("2000"), yuan("2000")]);
}

#[test]
fn programmes_of_one_group_may_belong_to_different_years() {
    let mut purse = purse(Stacking::Sequential, [flat(35).capped("3000"), flat(70).capped("3000")])
        .with_used(YEAR, "2000", "0")
        .with_used(YEAR - 1, "100", "0");
    purse.candidates[0].benefit_year = YEAR - 1;
    let calculation = calculate(&worked_bill(), &[purse]).unwrap();
    let years: Vec<i32> = calculation.parts.iter().map(|part| part.benefit_year).collect();
    assert_eq!(years, [YEAR - 1, YEAR]);
    assert_eq!(paid(&calculation), [yuan("2520"), yuan("1000")]);
}

#[test]
fn a_second_cap_group_starts_from_what_the_first_left() {
    let veterans = purse(Stacking::Sequential, [flat(35).capped("3000")]).named("VETERAN");
    let medical = purse(Stacking::BestOf, [flat(50), flat(70).capped("3000")]);
    let calculation = calculate(&worked_bill(), &[veterans, medical]).unwrap();
    assert_eq!(paid(&calculation), [yuan("2520"), yuan("3000")], "each group has its own cap");
    assert_eq!(calculation.parts[1].base, yuan("4680"));
    assert_eq!(calculation.parts[1].cap_group, "MEDICAL");
    assert_eq!(calculation.personal_burden, yuan("4680"));
}

#[test]
fn cap_groups_are_taken_in_the_order_given() {
    let veterans = purse(Stacking::BestOf, [flat(35)]).named("VETERAN");
    let medical = purse(Stacking::BestOf, [flat(70)]);
    let calculation = calculate(&worked_bill(), &[medical, veterans]).unwrap();
    assert_eq!(paid(&calculation), [yuan("5040"), yuan("756")]);
}

#[test]
fn each_cap_group_takes_its_own_deductible() {
    let first = purse(Stacking::BestOf, [flat(50).per_stay_deductible("500")]).named("VETERAN");
    let second = purse(Stacking::BestOf, [flat(50).per_stay_deductible("500")]);
    let calculation = calculate(&worked_bill(), &[first, second]).unwrap();
    assert_eq!(calculation.parts[1].deductible_applied, yuan("500"));
}

#[test]
fn a_second_base_with_upfront_still_loses_what_was_paid_before() {
    let with_upfront = Policy { includes_upfront: true, ..flat(70) };
    let purse = purse(Stacking::Sequential, [flat(35), with_upfront]);
    let calculation = calculate(&worked_bill(), &[purse]).unwrap();
    assert_eq!(calculation.parts[1].base, yuan("5880"));
    assert_eq!(calculation.personal_burden, yuan("3564"));
}
