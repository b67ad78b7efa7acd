//! The calculation trace: every step of a part, for a cashier to print and an auditor to recompute
//! (DOMAIN.md §3 step 8).

use std::fmt;

use entity::Fen;
use entity::kinds::RateForm;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Band, Bill};

/// One step of a calculation (DOMAIN.md §3 step 8).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub code: StepCode,
    /// How the value follows from other codes, amounts in yuan; `round` is half-up to the fen. For a rate,
    /// the condition under which it applies. Empty when the value is given.
    pub formula: String,
    /// An amount in yuan, exact and with at least two decimals; a rate with four decimals; or a year.
    pub value: String,
}

macro_rules! step_codes {
    ($($(#[$meta:meta])* $variant:ident $code:literal $chinese:literal $english:literal,)*) => {
        /// What a step says, with a stable code (DOMAIN.md §3; the letters are those of its formulas).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub enum StepCode {
            $($(#[$meta])* $variant,)*
            /// The slice of A in one band, from 1, at that band's rate, in yuan, unrounded: `BAND_1`,
            /// `BAND_2`, …
            Band(u32),
        }

        impl StepCode {
            const NAMED: &[Self] = &[$(Self::$variant),*];

            /// What people call the step, in Chinese and in English (DOMAIN.md §6).
            pub const fn labels(self) -> (&'static str, &'static str) {
                match self {
                    $(Self::$variant => ($chinese, $english),)*
                    Self::Band(_) => ("分段计算金额", "Slice of the rate band"),
                }
            }
        }

        impl fmt::Display for StepCode {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$variant => f.write_str($code),)*
                    Self::Band(number) => write!(f, "BAND_{number}"),
                }
            }
        }
    };
}

step_codes! {
    TotalCost "T" "医疗费总额" "Total cost",
    FullySelfPaid "F" "全自费" "Fully self-paid",
    OverLimitSelfPaid "O" "超限价自费" "Over-limit self-paid",
    UpfrontSelfPaid "P" "先行自付" "Upfront self-paid",
    InScope "S" "政策范围内" "In scope",
    BasicInsurancePaid "B" "统筹支付" "Basic insurance paid",
    SeriousIllnessInsurancePaid "M" "大病保险支付" "Serious-illness insurance paid",
    OtherFundsPaid "C" "其他基金支付" "Other funds paid",
    CommercialInsurancePaid "X" "商业保险支付" "Commercial insurance paid",
    HospitalWaiver "H" "医院负担" "Hospital waiver",
    OtherAssistancePaid "G" "其他渠道医疗救助支付" "Assistance already paid elsewhere",
    /// What earlier parts of this stay paid; only in a part that has some before it.
    PaidEarlier "PAID_EARLIER" "本次就诊前序项目已支付" "Paid by earlier parts of this stay",
    /// The year whose cap and deductible count.
    BenefitYear "YEAR" "待遇年度" "Benefit year",
    /// N, the base.
    Base "N" "救助基数" "Base",
    /// The policy's deductible in mode `ANNUAL`.
    AnnualDeductible "ANNUAL_DEDUCTIBLE" "年度起付线" "Annual deductible",
    /// The policy's deductible in mode `PER_STAY`.
    PerStayDeductible "PER_STAY_DEDUCTIBLE" "单次起付线" "Deductible per stay",
    /// What was taken of it before, in the year or in this stay.
    DeductibleUsed "DEDUCTIBLE_USED" "已扣起付线" "Deductible used before",
    DeductibleLeft "DEDUCTIBLE_LEFT" "剩余起付线" "Deductible left",
    DeductibleApplied "DEDUCTIBLE_APPLIED" "本次扣除起付线" "Deductible applied",
    /// A, the amount that the rate applies to.
    EligibleAmount "A" "可救助金额" "Eligible amount",
    Rate "RATE" "救助比例" "Rate",
    /// raw, before caps.
    Computed "RAW" "按比例计算金额" "Computed before caps",
    PerStayCap "PER_STAY_CAP" "单次封顶线" "Cap per stay",
    AnnualCap "ANNUAL_CAP" "年度封顶线" "Annual cap",
    /// What was paid in the year before, in the whole cap group.
    AnnualCapUsed "ANNUAL_CAP_USED" "年度已用额度" "Annual cap used before",
    AnnualCapLeft "ANNUAL_CAP_LEFT" "年度剩余额度" "Annual cap left",
    /// What the patient bears before this part.
    OwnBurdenLeft "OWN_BURDEN_LEFT" "救助前个人负担" "Personal burden before this part",
    Paid "PAID" "救助支付" "Assistance paid",
    /// What the patient bears after this part; in the last part, the patient's burden of the stay.
    PersonalBurden "PERSONAL_BURDEN" "救助后个人负担" "Personal burden after this part",
}

/// A code that names no step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownStepCode(pub String);

impl fmt::Display for UnknownStepCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no step is called {:?}", self.0)
    }
}

impl std::error::Error for UnknownStepCode {}

impl From<StepCode> for String {
    fn from(code: StepCode) -> Self {
        code.to_string()
    }
}

impl TryFrom<String> for StepCode {
    type Error = UnknownStepCode;

    fn try_from(word: String) -> Result<Self, Self::Error> {
        let band = word.strip_prefix("BAND_").and_then(|number| number.parse().ok()).map(Self::Band);
        Self::NAMED
            .iter()
            .copied()
            .chain(band)
            .find(|code| code.to_string() == word)
            .ok_or(UnknownStepCode(word))
    }
}

/// The steps of one part while it is computed.
pub(super) struct Trace {
    steps: Vec<Step>,
    has_earlier: bool,
}

impl Trace {
    /// Starts with every amount of the bill and what earlier parts of the stay paid.
    pub(super) fn of(bill: &Bill, paid_earlier: Option<Fen>) -> Self {
        let mut trace = Self { steps: Vec::new(), has_earlier: paid_earlier.is_some() };
        for (code, _, amount) in bill.costs().into_iter().chain(bill.payments()) {
            let formula = if code == StepCode::TotalCost { "F + O + P + S" } else { "" };
            trace.amount(code, formula, amount);
        }
        if let Some(paid) = paid_earlier {
            trace.given(StepCode::PaidEarlier, paid);
        }
        trace
    }

    pub(super) fn into_steps(self) -> Vec<Step> {
        self.steps
    }

    pub(super) fn given(&mut self, code: StepCode, amount: Fen) {
        self.amount(code, "", amount);
    }

    pub(super) fn amount(&mut self, code: StepCode, formula: impl Into<String>, amount: Fen) {
        self.push(code, formula, amount.to_yuan().to_string());
    }

    pub(super) fn year(&mut self, year: i32) {
        self.push(StepCode::BenefitYear, "", year.to_string());
    }

    pub(super) fn base(&mut self, base: Fen, includes_upfront: bool) {
        let scope = if includes_upfront { "S + P" } else { "S" };
        self.amount(StepCode::Base, format!("max(0, {scope}{})", self.covered()), base);
    }

    pub(super) fn own_burden_left(&mut self, left: Fen) {
        self.amount(StepCode::OwnBurdenLeft, format!("T{}", self.covered()), left);
    }

    /// The one rate that applies to all of A, and the condition that chose it.
    pub(super) fn rate(&mut self, band: &Band, form: RateForm) {
        let from = band.from.to_yuan();
        let formula = match (form, band.below.map(Fen::to_yuan)) {
            (RateForm::Band, Some(below)) => format!("{from} ≤ A < {below}"),
            (RateForm::Band, None) => format!("{from} ≤ A"),
            (RateForm::Marginal, Some(below)) => format!("A ≤ {below}"),
            (RateForm::Flat, _) | (RateForm::Marginal, None) => String::new(),
        };
        self.push(StepCode::Rate, formula, band.rate.share().to_string());
    }

    /// The slice of A in a band that A reaches, in fen, unrounded.
    pub(super) fn band(&mut self, number: u32, band: &Band, slice: Decimal) {
        let end = band.below.map_or_else(|| "A".to_owned(), |below| format!("min(A, {})", below.to_yuan()));
        let formula = format!("({end} − {}) × {}", band.from.to_yuan(), band.rate.share());
        self.push(StepCode::Band(number), formula, exact_yuan(slice));
    }

    pub(super) fn paid(&mut self, paid: Fen, has_per_stay_cap: bool, has_annual_cap: bool) {
        let per_stay_cap = if has_per_stay_cap { ", PER_STAY_CAP" } else { "" };
        let annual_cap = if has_annual_cap { ", ANNUAL_CAP_LEFT" } else { "" };
        self.amount(StepCode::Paid, format!("min(RAW, A{per_stay_cap}{annual_cap}, OWN_BURDEN_LEFT)"), paid);
    }

    fn covered(&self) -> &'static str {
        if self.has_earlier {
            " − B − M − C − X − H − G − PAID_EARLIER"
        } else {
            " − B − M − C − X − H − G"
        }
    }

    fn push(&mut self, code: StepCode, formula: impl Into<String>, value: String) {
        self.steps.push(Step { code, formula: formula.into(), value });
    }
}

/// Fen with fractions as yuan, nothing rounded, at least two decimals.
fn exact_yuan(fen: Decimal) -> String {
    let mut yuan = (fen * Decimal::new(1, 2)).normalize();
    if yuan.scale() < 2 {
        yuan.rescale(2);
    }
    yuan.to_string()
}
