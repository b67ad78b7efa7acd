//! The trace says everything that is needed to recompute a part.

use std::collections::HashMap;

use rust_decimal::{Decimal, RoundingStrategy};

use super::*;

/// Every form, mode, cap and stacking at once.
fn elaborate() -> Calculation {
    let bill = Bill {
        serious_illness_insurance_paid: yuan("1000.01"),
        other_funds_paid: yuan("20.02"),
        commercial_insurance_paid: yuan("30.03"),
        hospital_waiver: yuan("40.04"),
        other_assistance_paid: yuan("50.05"),
        ..worked_bill()
    };
    let veterans = purse(
        Stacking::Sequential,
        [
            two_bands(RateForm::Marginal).annual_deductible("500").capped("30000"),
            Policy { includes_upfront: true, ..two_bands(RateForm::Band) }.per_stay_deductible("100"),
        ],
    )
    .named("VETERAN")
    .with_used(YEAR, "28000.55", "123.45");
    let medical = purse(Stacking::BestOf, [flat(33).capped_per_stay("700")]);
    let small = purse(Stacking::BestOf, [two_bands(RateForm::Marginal)]).named("CITY");
    calculate(&bill, &[veterans, medical, small]).unwrap()
}

fn codes(part: &Part) -> Vec<String> {
    part.steps.iter().map(|step| step.code.to_string()).collect()
}

#[test]
fn a_cashier_reads_the_steps_from_the_bill_to_the_payment() {
    let calculation = alone(&worked_bill(), flat(70).annual_deductible("500").capped("30000"));
    let part = &calculation.parts[0];
    let lines: Vec<String> = part
        .steps
        .iter()
        .skip(11)
        .map(|step| format!("{} | {} | {}", step.code, step.formula, step.value))
        .collect();
    assert_eq!(
        codes(part)[..11],
        ["T", "F", "O", "P", "S", "B", "M", "C", "X", "H", "G"],
        "every amount of the bill comes first"
    );
    assert_eq!(
        lines,
        [
            "YEAR |  | 2016",
            "N | max(0, S − B − M − C − X − H − G) | 7200.00",
            "ANNUAL_DEDUCTIBLE |  | 500.00",
            "DEDUCTIBLE_USED |  | 0.00",
            "DEDUCTIBLE_LEFT | max(0, ANNUAL_DEDUCTIBLE − DEDUCTIBLE_USED) | 500.00",
            "DEDUCTIBLE_APPLIED | min(N, DEDUCTIBLE_LEFT) | 500.00",
            "A | max(0, N − DEDUCTIBLE_LEFT) | 6700.00",
            "RATE |  | 0.7000",
            "RAW | round(A × RATE) | 4690.00",
            "ANNUAL_CAP |  | 30000.00",
            "ANNUAL_CAP_USED |  | 0.00",
            "ANNUAL_CAP_LEFT | max(0, ANNUAL_CAP − ANNUAL_CAP_USED) | 30000.00",
            "OWN_BURDEN_LEFT | T − B − M − C − X − H − G | 10200.00",
            "PAID | min(RAW, A, ANNUAL_CAP_LEFT, OWN_BURDEN_LEFT) | 4690.00",
            "PERSONAL_BURDEN | OWN_BURDEN_LEFT − PAID | 5510.00",
        ]
    );
}

#[test]
fn marginal_bands_show_each_slice_unrounded() {
    let bill = bill_of("5000.01");
    let calculation = alone(&bill, two_bands(RateForm::Marginal));
    let part = &calculation.parts[0];
    assert_eq!(value(part, "BAND_1"), Some("3000.00"));
    assert_eq!(value(part, "BAND_2"), Some("0.008"));
    assert_eq!(value(part, "RAW"), Some("3000.01"));
    assert_eq!(value(part, "RATE"), None);
    let second = part.steps.iter().find(|step| step.code == StepCode::Band(2)).unwrap();
    assert_eq!(second.formula, "(A − 5000.00) × 0.8000");
    let round_slice = alone(&bill_of("5001.50"), two_bands(RateForm::Marginal));
    assert_eq!(value(&round_slice.parts[0], "BAND_2"), Some("1.20"), "two decimals at least");
}

#[test]
fn a_later_part_shows_what_was_paid_before_it() {
    let purse = purse(Stacking::Sequential, [flat(35), flat(70)]);
    let calculation = calculate(&worked_bill(), &[purse]).unwrap();
    let (first, second) = (&calculation.parts[0], &calculation.parts[1]);
    assert_eq!(value(first, "PAID_EARLIER"), None);
    assert_eq!(value(second, "PAID_EARLIER"), Some("2520.00"));
    assert_eq!(value(second, "OWN_BURDEN_LEFT"), Some("7680.00"));
    assert_eq!(value(second, "PERSONAL_BURDEN"), Some("4404.00"));
}

#[test]
fn every_formula_gives_its_value() {
    for part in elaborate().parts {
        recompute(&part);
    }
}

/// Evaluates every formula of a part's trace from the other steps alone, and the part's own figures against
/// it.
pub(super) fn recompute(part: &Part) {
    let known: HashMap<String, Decimal> =
        part.steps.iter().map(|step| (step.code.to_string(), step.value.parse().unwrap())).collect();
    assert_eq!(known.len(), part.steps.len(), "no code comes twice");
    for step in &part.steps {
        let formula = &step.formula;
        if formula.contains(['≤', '<']) {
            assert!(holds(formula, &known), "{formula} chose the {}", step.code);
        } else if !formula.is_empty() {
            let mut input = Formula { text: formula, known: &known };
            assert_eq!(input.sum(), known[&step.code.to_string()], "{} = {formula}", step.code);
            assert_eq!(input.text, "", "all of {formula} was read");
        }
    }
    let shown = |code| value(part, code).map(yuan);
    assert_eq!(shown("N"), Some(part.base));
    assert_eq!(shown("DEDUCTIBLE_APPLIED"), Some(part.deductible_applied));
    assert_eq!(shown("A"), Some(part.eligible_amount));
    assert_eq!(shown("RAW"), Some(part.computed));
    assert_eq!(shown("ANNUAL_CAP_LEFT"), part.cap_left_before);
    assert_eq!(shown("PAID"), Some(part.paid));
    assert_eq!(value(part, "RATE").map(str::to_owned), part.rate.map(|rate| rate.share().to_string()));
    assert_eq!(value(part, "YEAR"), Some(part.benefit_year.to_string().as_str()));
}

/// Whether a chain such as `0.00 ≤ A < 5000.00` holds.
fn holds(chain: &str, known: &HashMap<String, Decimal>) -> bool {
    let words: Vec<&str> = chain.split(' ').collect();
    let read = |word: &str| known.get(word).copied().unwrap_or_else(|| word.parse().unwrap());
    words.windows(3).step_by(2).all(|triple| match triple[1] {
        "≤" => read(triple[0]) <= read(triple[2]),
        "<" => read(triple[0]) < read(triple[2]),
        other => panic!("{other} is no comparison"),
    })
}

/// A reader of formulas that knows nothing of the rule.
struct Formula<'a> {
    text: &'a str,
    known: &'a HashMap<String, Decimal>,
}

impl Formula<'_> {
    fn eat(&mut self, token: &str) -> bool {
        match self.text.strip_prefix(token) {
            Some(rest) => {
                self.text = rest;
                true
            }
            None => false,
        }
    }

    fn sum(&mut self) -> Decimal {
        let mut sum = self.product();
        loop {
            if self.eat(" + ") {
                sum += self.product();
            } else if self.eat(" − ") {
                sum -= self.product();
            } else {
                return sum;
            }
        }
    }

    fn product(&mut self) -> Decimal {
        let mut product = self.operand();
        while self.eat(" × ") {
            product *= self.operand();
        }
        product
    }

    fn operand(&mut self) -> Decimal {
        for function in ["max", "min", "round", ""] {
            if self.eat(&format!("{function}(")) {
                let mut arguments = vec![self.sum()];
                while self.eat(", ") {
                    arguments.push(self.sum());
                }
                assert!(self.eat(")"));
                return apply(function, arguments);
            }
        }
        let end = self
            .text
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'))
            .unwrap_or(self.text.len());
        let (word, rest) = self.text.split_at(end);
        self.text = rest;
        self.known.get(word).copied().unwrap_or_else(|| word.parse().unwrap())
    }
}

fn apply(function: &str, arguments: Vec<Decimal>) -> Decimal {
    match function {
        "max" => arguments.into_iter().max().unwrap(),
        "min" => arguments.into_iter().min().unwrap(),
        "round" => arguments[0].round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero),
        _ => arguments[0],
    }
}

#[test]
fn a_calculation_is_stored_and_read_back_whole() {
    let calculation = elaborate();
    let json = serde_json::to_string(&calculation).unwrap();
    assert_eq!(serde_json::from_str::<Calculation>(&json).unwrap(), calculation);
    let stored = serde_json::to_value(alone(&worked_bill(), flat(70))).unwrap();
    assert_eq!(stored["assistance"], 504_000, "in fen");
    assert_eq!(stored["parts"][0]["rate"], 7_000);
    assert_eq!(stored["parts"][0]["steps"][0]["code"], "T");
}

#[test]
fn a_step_code_is_known_by_its_word_only() {
    for part in elaborate().parts {
        for step in part.steps {
            assert_eq!(StepCode::try_from(step.code.to_string()), Ok(step.code));
        }
    }
    for word in ["", "t", "BAND_", "BAND_01", "BAND_+1", "BAND_x"] {
        assert_eq!(StepCode::try_from(word.to_owned()), Err(UnknownStepCode(word.to_owned())));
    }
}

#[test]
fn labels_follow_the_vocabulary() {
    assert_eq!(StepCode::TotalCost.labels(), ("医疗费总额", "Total cost"));
    assert_eq!(StepCode::Rate.labels().0, "救助比例");
    for step in elaborate().parts.iter().flat_map(|part| &part.steps) {
        let (chinese, english) = step.code.labels();
        assert!(!chinese.is_ascii() && english.is_ascii(), "{}", step.code);
    }
}
