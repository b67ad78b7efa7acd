//! How long a person stays known. Accounting vouchers and ledgers are kept for 30 years (Accounting Archives Management Measures 2015,
//! 会计档案管理办法). What is kept is kept without the person: once nothing needs somebody any more, the record stays and the name goes.

use chrono::{Datelike, NaiveDate};

/// Years that a record needs its person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention(u16);

impl Retention {
    /// The 30 years of vouchers.
    pub const VOUCHERS: Self = Self(30);

    /// Nothing for less than a year or for more than a century.
    pub const fn years(years: u16) -> Option<Self> {
        if 1 <= years && years <= 100 { Some(Self(years)) } else { None }
    }

    /// The first day whose records still need their person: the years of a record are counted from the end of its own.
    pub fn needed_since(self, today: NaiveDate) -> NaiveDate {
        NaiveDate::from_ymd_opt(today.year() - i32::from(self.0), 1, 1).unwrap_or(NaiveDate::MIN)
    }
}

/// What is known of a person's records when it is judged whether anything needs them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Records {
    /// The last day of the newest record: of entering the register, stays, cards, sales, referrals and consents.
    pub newest_on: NaiveDate,
    /// A status that is in force or begins later.
    pub status_in_force: bool,
    pub deceased: bool,
    pub open_referral: bool,
    /// A consent that was not withdrawn, by a living person.
    pub consent_in_force: bool,
    pub card_with_balance: bool,
    pub card_not_expired: bool,
    /// A stay or a sale in a month that is not paid yet.
    pub unpaid_statement: bool,
    pub recalculation_due: bool,
}

/// Why a person is still needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    StatusInForce,
    RecordTooYoung,
    OpenReferral,
    ConsentInForce,
    CardWithBalance,
    CardNotExpired,
    UnpaidStatement,
    RecalculationDue,
}

impl Need {
    /// In words for whoever runs the command; nothing personal.
    pub const fn words(self) -> &'static str {
        match self {
            Self::StatusInForce => "a status of theirs is in force",
            Self::RecordTooYoung => "a record of theirs is younger than the retention time",
            Self::OpenReferral => "a referral of theirs is open",
            Self::ConsentInForce => "a consent of theirs was not withdrawn",
            Self::CardWithBalance => "a card of theirs has money on it",
            Self::CardNotExpired => "a card of theirs has not expired",
            Self::UnpaidStatement => "a month with a stay or sale of theirs is not paid",
            Self::RecalculationDue => "a stay of theirs is to be calculated again",
        }
    }
}

/// Everything that still needs a person; nothing when they are due to be forgotten. The dead have no status and give no consent any
/// more, whatever the register still says.
pub fn needs(records: &Records, retention: Retention, today: NaiveDate) -> Vec<Need> {
    let living = !records.deceased;
    [
        (records.status_in_force && living, Need::StatusInForce),
        (retention.needed_since(today) <= records.newest_on, Need::RecordTooYoung),
        (records.open_referral, Need::OpenReferral),
        (records.consent_in_force && living, Need::ConsentInForce),
        (records.card_with_balance, Need::CardWithBalance),
        (records.card_not_expired, Need::CardNotExpired),
        (records.unpaid_statement, Need::UnpaidStatement),
        (records.recalculation_due, Need::RecalculationDue),
    ]
    .into_iter()
    .filter_map(|(holds, need)| holds.then_some(need))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn forgotten() -> Records {
        Records {
            newest_on: day("1980-06-15"),
            status_in_force: false,
            deceased: false,
            open_referral: false,
            consent_in_force: false,
            card_with_balance: false,
            card_not_expired: false,
            unpaid_statement: false,
            recalculation_due: false,
        }
    }

    fn judged(change: impl FnOnce(&mut Records)) -> Vec<Need> {
        let mut records = forgotten();
        change(&mut records);
        needs(&records, Retention::VOUCHERS, day("2016-06-15"))
    }

    #[test]
    fn whoever_nothing_needs_is_due() {
        assert_eq!(judged(|_| {}), []);
    }

    #[test]
    fn each_need_is_named() {
        assert_eq!(judged(|records| records.status_in_force = true), [Need::StatusInForce]);
        assert_eq!(judged(|records| records.newest_on = day("2016-01-01")), [Need::RecordTooYoung]);
        assert_eq!(judged(|records| records.open_referral = true), [Need::OpenReferral]);
        assert_eq!(judged(|records| records.consent_in_force = true), [Need::ConsentInForce]);
        assert_eq!(judged(|records| records.card_with_balance = true), [Need::CardWithBalance]);
        assert_eq!(judged(|records| records.card_not_expired = true), [Need::CardNotExpired]);
        assert_eq!(judged(|records| records.unpaid_statement = true), [Need::UnpaidStatement]);
        assert_eq!(judged(|records| records.recalculation_due = true), [Need::RecalculationDue]);
        let all = judged(|records| {
            records.open_referral = true;
            records.card_with_balance = true;
        });
        assert_eq!(all, [Need::OpenReferral, Need::CardWithBalance]);
    }

    #[test]
    fn the_dead_have_neither_status_nor_consent_but_their_records_are_kept() {
        let dead = |records: &mut Records| {
            records.deceased = true;
            records.status_in_force = true;
            records.consent_in_force = true;
        };
        assert_eq!(judged(dead), []);
        let lately = judged(|records| {
            dead(records);
            records.newest_on = day("2010-01-01");
        });
        assert_eq!(lately, [Need::RecordTooYoung]);
    }

    #[test]
    fn years_are_counted_from_the_end_of_the_records_own() {
        let newest = |text: &str| judged(|records| records.newest_on = day(text));
        assert_eq!(newest("1985-01-01"), []);
        assert_eq!(newest("1985-12-31"), []);
        assert_eq!(newest("1986-01-01"), [Need::RecordTooYoung]);
        let since = |today: &str| Retention::VOUCHERS.needed_since(day(today));
        assert_eq!(since("2016-12-31"), day("1986-01-01"));
        assert_eq!(since("2017-01-01"), day("1987-01-01"));
    }

    #[test]
    fn a_retention_time_is_a_year_at_least() {
        assert_eq!(Retention::years(0), None);
        assert_eq!(Retention::years(101), None);
        assert_eq!(Retention::years(30), Some(Retention::VOUCHERS));
    }
}
