//! Whom a second reimbursement covers (DOMAIN.md §3 step 2): the person's categories against the versions in force.

use chrono::{Datelike, NaiveDate};
use entity::kinds::StayDate;
use entity::{person_status, policy_version};

/// The two dates of a stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stay {
    pub admitted_on: NaiveDate,
    pub discharged_on: NaiveDate,
}

impl Stay {
    fn date(self, which: StayDate) -> NaiveDate {
        match which {
            StayDate::Admission => self.admitted_on,
            StayDate::Discharge => self.discharged_on,
        }
    }

    /// The benefit year that a version puts the whole stay into.
    pub fn benefit_year(self, version: &policy_version::Model) -> i32 {
        self.date(version.year_date).year()
    }

    /// Whether two stays share a day. A stay is [admitted, discharged), so a transfer on the same day is fine; a stay that
    /// begins and ends on one date still takes that date.
    pub fn overlaps(self, other: Self) -> bool {
        let end = |stay: Self| stay.discharged_on.max(stay.admitted_on + chrono::Days::new(1));
        self.admitted_on < end(other) && other.admitted_on < end(self)
    }
}

/// Why no programme pays for a stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotCovered {
    /// Died before the admission.
    Deceased,
    /// No version of any programme was in force on the discharge date.
    NoPolicyInForce,
    /// No category that a version covers.
    NoCategory,
    /// There is such a category, but it is suspended.
    Suspended,
}

/// The versions that cover a person's stay, in the order given.
///
/// A version counts when it was in force on the discharge date and the person had its category on the date of the stay that the
/// version names, not suspended by then. A person who died before the admission is covered by none.
pub fn covering<'a, V: AsRef<policy_version::Model>>(
    stay: Stay,
    deceased_on: Option<NaiveDate>,
    statuses: &[person_status::Model],
    in_force: &'a [V],
) -> Result<Vec<&'a V>, NotCovered> {
    if deceased_on.is_some_and(|day| day < stay.admitted_on) {
        return Err(NotCovered::Deceased);
    }
    if in_force.is_empty() {
        return Err(NotCovered::NoPolicyInForce);
    }
    let mut suspended = false;
    let mut covering = Vec::new();
    for version in in_force {
        let rule = version.as_ref();
        let on = stay.date(rule.category_date);
        let mut held = statuses
            .iter()
            .filter(|status| status.category == rule.category)
            .filter(|status| status.valid_from <= on && status.valid_to.is_none_or(|last| on <= last))
            .peekable();
        if held.peek().is_none() {
            continue;
        }
        if held.any(|status| status.suspended_on.is_none_or(|day| on < day)) {
            covering.push(version);
        } else {
            suspended = true;
        }
    }
    match (covering.is_empty(), suspended) {
        (false, _) => Ok(covering),
        (true, true) => Err(NotCovered::Suspended),
        (true, false) => Err(NotCovered::NoCategory),
    }
}

#[cfg(test)]
mod tests {
    use entity::Fen;
    use entity::id::{PersonId, PersonStatusId, PolicyVersionId, ProgrammeId};
    use entity::kinds::{Category, DeductibleMode, RateForm};
    use uuid::Uuid;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn stay(from: &str, to: &str) -> Stay {
        Stay { admitted_on: day(from), discharged_on: day(to) }
    }

    struct Version(policy_version::Model);

    impl AsRef<policy_version::Model> for Version {
        fn as_ref(&self) -> &policy_version::Model {
            &self.0
        }
    }

    fn version(category: Category, category_date: StayDate) -> Version {
        Version(policy_version::Model {
            id: PolicyVersionId::from(Uuid::nil()),
            programme_id: ProgrammeId::from(Uuid::nil()),
            valid_from: day("2016-01-01"),
            valid_to: None,
            category,
            category_date,
            year_date: StayDate::Discharge,
            form: RateForm::Flat,
            bands: serde_json::Value::Null,
            deductible_mode: DeductibleMode::None,
            deductible: Fen::ZERO,
            per_stay_cap: None,
            annual_cap: None,
            includes_upfront: false,
            cap_group: "MEDICAL".into(),
            stacking_order: 1,
        })
    }

    fn status(
        category: Category,
        from: &str,
        to: Option<&str>,
        suspended: Option<&str>,
    ) -> person_status::Model {
        person_status::Model {
            id: PersonStatusId::from(Uuid::nil()),
            person_id: PersonId::from(Uuid::nil()),
            category,
            valid_from: day(from),
            valid_to: to.map(day),
            suspended_on: suspended.map(day),
        }
    }

    fn covered(
        stay: Stay,
        deceased_on: Option<&str>,
        statuses: &[person_status::Model],
        versions: &[Version],
    ) -> Result<usize, NotCovered> {
        covering(stay, deceased_on.map(day), statuses, versions).map(|covering| covering.len())
    }

    #[test]
    fn the_category_is_judged_on_the_date_that_the_version_names() {
        let stay = stay("2016-05-01", "2016-05-10");
        let lost_meanwhile = [status(Category::Dibao, "2015-01-01", Some("2016-05-05"), None)];
        assert_eq!(
            covered(stay, None, &lost_meanwhile, &[version(Category::Dibao, StayDate::Admission)]),
            Ok(1)
        );
        assert_eq!(
            covered(stay, None, &lost_meanwhile, &[version(Category::Dibao, StayDate::Discharge)]),
            Err(NotCovered::NoCategory)
        );
        let to_the_day = [status(Category::Dibao, "2016-05-10", Some("2016-05-10"), None)];
        assert_eq!(covered(stay, None, &to_the_day, &[version(Category::Dibao, StayDate::Discharge)]), Ok(1));
    }

    #[test]
    fn a_suspended_category_pays_nothing_from_its_day_on() {
        let stay = stay("2016-05-01", "2016-05-10");
        let rule = [version(Category::Dibao, StayDate::Discharge)];
        let suspended = |on| [status(Category::Dibao, "2015-01-01", None, Some(on))];
        assert_eq!(covered(stay, None, &suspended("2016-05-10"), &rule), Err(NotCovered::Suspended));
        assert_eq!(covered(stay, None, &suspended("2016-05-11"), &rule), Ok(1));
    }

    #[test]
    fn the_dead_are_covered_for_the_stay_in_which_they_died() {
        let stay = stay("2016-05-01", "2016-05-10");
        let rule = [version(Category::Dibao, StayDate::Discharge)];
        let dibao = [status(Category::Dibao, "2015-01-01", None, None)];
        assert_eq!(covered(stay, Some("2016-04-30"), &dibao, &rule), Err(NotCovered::Deceased));
        assert_eq!(covered(stay, Some("2016-05-01"), &dibao, &rule), Ok(1));
        assert_eq!(covered(stay, Some("2016-05-10"), &dibao, &rule), Ok(1));
    }

    #[test]
    fn no_version_in_force_is_never_read_as_nothing_due() {
        let stay = stay("2016-05-01", "2016-05-10");
        assert_eq!(
            covered(stay, None, &[status(Category::Dibao, "2015-01-01", None, None)], &[]),
            Err(NotCovered::NoPolicyInForce)
        );
        assert_eq!(
            covered(stay, None, &[], &[version(Category::Dibao, StayDate::Discharge)]),
            Err(NotCovered::NoCategory)
        );
    }

    #[test]
    fn a_stay_over_new_year_belongs_whole_to_one_year() {
        let mut rule = version(Category::Dibao, StayDate::Discharge).0;
        let over_new_year = stay("2016-12-20", "2017-01-05");
        assert_eq!(over_new_year.benefit_year(&rule), 2017);
        rule.year_date = StayDate::Admission;
        assert_eq!(over_new_year.benefit_year(&rule), 2016);
    }

    #[test]
    fn stays_are_half_open_but_a_one_day_stay_takes_its_day() {
        let first = stay("2016-05-01", "2016-05-10");
        assert!(!first.overlaps(stay("2016-05-10", "2016-05-12")), "a transfer on the same day");
        assert!(!stay("2016-04-20", "2016-05-01").overlaps(first));
        assert!(first.overlaps(stay("2016-05-09", "2016-05-12")));
        assert!(first.overlaps(stay("2016-05-03", "2016-05-04")));
        let one_day = stay("2016-05-10", "2016-05-10");
        assert!(one_day.overlaps(one_day), "two one-day stays on one date");
        assert!(!first.overlaps(one_day), "discharged, then seen for a day elsewhere");
        assert!(first.overlaps(stay("2016-05-01", "2016-05-01")));
    }
}
