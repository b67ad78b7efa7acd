//! Policies that a district puts into force.

use entity::id::{PolicyVersionId, ProgrammeId};
use entity::kinds::{Category, DeductibleMode, RateForm, StayDate};
use entity::{BasisPoints, Fen, policy_version};
use onestop::rules::reimbursement::Band;

use super::District;
use super::district::{day, fen, new_id};

/// A dated policy of the medical assistance programme (or of the veterans'), 70 % flat without caps until it is changed.
#[derive(Clone)]
pub struct Policy(pub policy_version::Model);

impl Policy {
    pub fn medical(district: &District) -> Self {
        Self::of(district.medical, Category::Dibao, 2)
    }

    pub fn veterans(district: &District) -> Self {
        Self::of(district.veterans, Category::EntitledVeteran, 1)
    }

    fn of(programme: ProgrammeId, category: Category, stacking_order: i32) -> Self {
        Self(policy_version::Model {
            id: new_id::<PolicyVersionId>(),
            programme_id: programme,
            valid_from: day("2015-01-01"),
            valid_to: None,
            category,
            category_date: StayDate::Discharge,
            year_date: StayDate::Discharge,
            form: RateForm::Flat,
            bands: bands(&[("0.00", None, 7000)]),
            deductible_mode: DeductibleMode::None,
            deductible: Fen::ZERO,
            per_stay_cap: None,
            annual_cap: None,
            includes_upfront: false,
            cap_group: "MEDICAL".into(),
            stacking_order,
        })
    }

    pub fn rate(mut self, points: i32) -> Self {
        self.0.bands = bands(&[("0.00", None, points)]);
        self
    }

    pub fn bands(mut self, form: RateForm, of: &[(&str, Option<&str>, i32)]) -> Self {
        self.0.form = form;
        self.0.bands = bands(of);
        self
    }

    pub fn annual_cap(mut self, yuan: &str) -> Self {
        self.0.annual_cap = Some(fen(yuan));
        self
    }

    pub fn change(mut self, change: impl FnOnce(&mut policy_version::Model)) -> Self {
        change(&mut self.0);
        self
    }
}

/// Bands as they are stored: from, below, basis points.
pub fn bands(of: &[(&str, Option<&str>, i32)]) -> serde_json::Value {
    let bands: Vec<Band> = of
        .iter()
        .map(|(from, below, points)| Band {
            from: fen(from),
            below: below.map(fen),
            rate: BasisPoints::new(*points).unwrap(),
        })
        .collect();
    serde_json::to_value(bands).unwrap()
}
