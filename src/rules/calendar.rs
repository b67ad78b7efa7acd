//! Work days by the State Council's yearly notices, and days by China Standard Time.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use chrono::{DateTime, Datelike, Months, NaiveDate, NaiveTime, TimeDelta, Utc, Weekday};

/// The most working days that can be added: ten years' worth of calendar days.
const MOST_DAYS: u32 = 3_650;
/// China Standard Time is ahead of UTC by this, all year.
const AHEAD_OF_UTC: TimeDelta = TimeDelta::hours(8);
const DAYS: &str = include_str!("calendar_days.txt");

static CALENDAR: LazyLock<Calendar> = LazyLock::new(|| Calendar::parse(DAYS));

/// Whether offices work on this day of the Chinese calendar of public holidays.
///
/// A year whose notice is not known counts Monday to Friday; ask [`published`] where that matters.
pub fn is_working_day(date: NaiveDate) -> bool {
    let calendar = &*CALENDAR;
    if calendar.off.contains(&date) {
        return false;
    }
    !is_weekend(date) || calendar.work.contains(&date)
}

/// The day that is `days` working days after `from`, which itself is not counted; for 0 it is `from`,
/// whatever day that is.
///
/// Nothing for more than 3,650 days, or beyond the last date that can be represented.
pub fn add_working_days(from: NaiveDate, days: u32) -> Option<NaiveDate> {
    if days > MOST_DAYS {
        return None;
    }
    let mut date = from;
    for _ in 0..days {
        date = date.succ_opt()?;
        while !is_working_day(date) {
            date = date.succ_opt()?;
        }
    }
    Some(date)
}

/// Whether the days off of this year are known from its notice.
pub fn published(year: i32) -> bool {
    CALENDAR.years.contains(&year)
}

/// The date in China at this instant.
pub fn china_date(at: DateTime<Utc>) -> NaiveDate {
    at.naive_utc().checked_add_signed(AHEAD_OF_UTC).map_or(NaiveDate::MAX, |local| local.date())
}

/// The instant at which this date begins in China: 16:00 UTC of the day before.
pub fn start_of_china_day(date: NaiveDate) -> DateTime<Utc> {
    date.and_time(NaiveTime::MIN)
        .checked_sub_signed(AHEAD_OF_UTC)
        .map_or(DateTime::<Utc>::MIN_UTC, |start| start.and_utc())
}

/// The instant at which this date is over in China, which is the start of the next: spans of time are
/// half-open.
pub fn end_of_china_day(date: NaiveDate) -> DateTime<Utc> {
    date.succ_opt().map_or(DateTime::<Utc>::MAX_UTC, start_of_china_day)
}

fn is_weekend(date: NaiveDate) -> bool {
    matches!(date.weekday(), Weekday::Sat | Weekday::Sun)
}

#[derive(Default)]
struct Calendar {
    off: BTreeSet<NaiveDate>,
    work: BTreeSet<NaiveDate>,
    years: BTreeSet<i32>,
}

/// One line of the data.
struct Line {
    year: i32,
    off: bool,
    days: Vec<NaiveDate>,
}

impl Calendar {
    /// Malformed lines are skipped here; a test sees to it that there are none.
    fn parse(text: &str) -> Self {
        let mut calendar = Self::default();
        for line in text.lines().filter_map(Line::parse) {
            if line.off {
                calendar.years.insert(line.year);
                calendar.off.extend(line.days);
            } else {
                calendar.work.extend(line.days);
            }
        }
        calendar
    }
}

impl Line {
    /// Nothing for comments, empty and malformed lines.
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let year = words.next()?.parse().ok()?;
        let off = match words.next()? {
            "off" => true,
            "work" => false,
            _ => return None,
        };
        let mut days = Vec::new();
        for word in words {
            let (first, last) = word.split_once('-').unwrap_or((word, word));
            let (first, last) = (day(year, first)?, day(year, last)?);
            if last < first {
                return None;
            }
            days.extend(first.iter_days().take_while(|day| *day <= last));
        }
        if days.is_empty() { None } else { Some(Self { year, off, days }) }
    }
}

fn day(year: i32, mmdd: &str) -> Option<NaiveDate> {
    if mmdd.len() != 4 || !mmdd.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (month, day) = mmdd.split_at(2);
    NaiveDate::from_ymd_opt(year, month.parse().ok()?, day.parse().ok()?)
}

/// The year of an instant in China.
pub fn china_year(at: DateTime<Utc>) -> i32 {
    china_date(at).year()
}

/// The month of an instant in China, `YYYY-MM`.
pub fn month_of(at: DateTime<Utc>) -> String {
    china_date(at).format("%Y-%m").to_string()
}

/// The first day of a month `YYYY-MM`.
pub fn first_of_month(month: &str) -> Option<NaiveDate> {
    let (year, number) = month.split_once('-')?;
    NaiveDate::from_ymd_opt(year.parse().ok()?, number.parse().ok()?, 1)
}

/// The month after a month `YYYY-MM`.
pub fn month_after(month: &str) -> Option<String> {
    let next = first_of_month(month)?.checked_add_months(Months::new(1))?;
    Some(next.format("%Y-%m").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn instant(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn lines() -> Vec<Line> {
        let data = DAYS.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        data.map(|line| Line::parse(line).unwrap_or_else(|| panic!("malformed: {line}"))).collect()
    }

    fn assert_days(days: &[&str], working: bool) {
        for day in days {
            assert_eq!(is_working_day(date(day)), working, "{day}");
        }
    }

    #[test]
    fn every_line_of_the_data_is_well_formed() {
        for line in lines() {
            assert!(line.days.windows(2).all(|pair| pair[0] < pair[1]), "{}: days in order, once", line.year);
            for day in &line.days {
                assert_eq!(day.year(), line.year);
                if !line.off {
                    assert!(is_weekend(*day), "{day} is worked anyway");
                    assert!(!CALENDAR.off.contains(day), "{day} is both");
                }
            }
        }
    }

    #[test]
    fn every_year_has_its_two_lines_in_order() {
        let heads: Vec<(i32, bool)> = lines().iter().map(|line| (line.year, line.off)).collect();
        let expected: Vec<(i32, bool)> =
            (2016..=2026).flat_map(|year| [(year, true), (year, false)]).collect();
        assert_eq!(heads, expected);
    }

    #[test]
    fn the_fixed_days_are_off_in_every_year() {
        for year in 2016..=2026 {
            for day in ["01-01", "05-01", "10-01", "10-02", "10-03"] {
                assert!(!is_working_day(date(&format!("{year}-{day}"))), "{year}-{day}");
            }
        }
    }

    /// By law every public holiday takes one week-day: one that falls on a week-end is made up, all else that
    /// is off is worked at week-ends. There are 11, and 13 since 2025; 2020 has the two days of the
    /// extension.
    #[test]
    fn a_year_has_its_public_holidays_and_no_more() {
        for year in 2016..=2026 {
            let of_year = |day: &&NaiveDate| day.year() == year;
            let off = CALENDAR.off.iter().filter(of_year).filter(|day| !is_weekend(**day)).count();
            let work = CALENDAR.work.iter().filter(of_year).count();
            let expected = if year >= 2025 || year == 2020 { 13 } else { 11 };
            assert_eq!(off - work, expected, "{year}");
        }
    }

    #[test]
    fn spring_festival_2017() {
        assert_days(&["2017-01-22", "2017-01-26", "2017-02-03", "2017-02-04"], true);
        assert_days(&["2017-01-21", "2017-01-27", "2017-01-30", "2017-02-02", "2017-02-05"], false);
    }

    #[test]
    fn spring_festival_2020_was_extended() {
        assert_days(&["2020-01-19", "2020-01-23", "2020-02-03"], true);
        assert_days(&["2020-01-24", "2020-01-31", "2020-02-01", "2020-02-02"], false);
    }

    #[test]
    fn national_day_2025_and_2026() {
        assert_days(&["2025-09-28", "2025-09-30", "2025-10-09", "2025-10-11"], true);
        assert_days(&["2025-10-01", "2025-10-08", "2025-10-12"], false);
        assert_days(&["2026-09-20", "2026-09-30", "2026-10-08", "2026-10-10"], true);
        assert_days(&["2026-09-25", "2026-10-01", "2026-10-07", "2026-10-11"], false);
    }

    #[test]
    fn working_days_are_added() {
        for (from, days, expected) in [
            ("2017-01-26", 0, "2017-01-26"),
            ("2017-01-28", 0, "2017-01-28"),
            ("2017-01-26", 1, "2017-02-03"),
            ("2017-01-28", 1, "2017-02-03"),
            ("2017-01-26", 2, "2017-02-04"),
            ("2017-01-26", 3, "2017-02-06"),
            ("2016-03-01", 10, "2016-03-15"),
            ("2018-12-28", 1, "2018-12-29"),
            ("2018-12-28", 2, "2019-01-02"),
            ("2022-12-30", 1, "2023-01-03"),
            ("2025-12-31", 1, "2026-01-04"),
            ("2026-12-31", 1, "2027-01-01"),
        ] {
            assert_eq!(add_working_days(date(from), days), Some(date(expected)), "{from} + {days}");
        }
    }

    #[test]
    fn adding_is_bounded() {
        assert!(add_working_days(date("2016-01-01"), 3_650).is_some());
        assert_eq!(add_working_days(date("2016-01-01"), 3_651), None);
        assert_eq!(add_working_days(date("2016-01-01"), u32::MAX), None);
        assert_eq!(add_working_days(NaiveDate::MAX, 1), None);
        assert_eq!(add_working_days(NaiveDate::MAX, 0), Some(NaiveDate::MAX));
    }

    #[test]
    fn an_unpublished_year_counts_monday_to_friday() {
        assert!(!published(2015) && published(2016) && published(2026) && !published(2027));
        assert_days(&["2027-01-01", "2027-10-01", "2015-10-01"], true);
        assert_days(&["2027-01-02", "2027-10-03", "2015-10-10"], false);
    }

    #[test]
    fn the_day_in_china_begins_at_16_utc() {
        assert_eq!(china_date(instant("2016-12-31T15:59:59.999Z")), date("2016-12-31"));
        assert_eq!(china_date(instant("2016-12-31T16:00:00Z")), date("2017-01-01"));
        assert_eq!(start_of_china_day(date("2017-01-01")), instant("2016-12-31T16:00:00Z"));
        assert_eq!(end_of_china_day(date("2017-01-01")), instant("2017-01-01T16:00:00Z"));
        for day in date("2016-02-27").iter_days().take(5) {
            assert_eq!(china_date(start_of_china_day(day)), day);
            assert_eq!(Some(china_date(end_of_china_day(day))), day.succ_opt());
        }
    }

    #[test]
    fn the_ends_of_time_do_not_overflow() {
        assert_eq!(start_of_china_day(NaiveDate::MIN), DateTime::<Utc>::MIN_UTC);
        assert_eq!(end_of_china_day(NaiveDate::MAX), DateTime::<Utc>::MAX_UTC);
        assert_eq!(china_date(DateTime::<Utc>::MAX_UTC), NaiveDate::MAX);
    }

    #[test]
    fn malformed_lines_are_skipped() {
        for line in [
            "",
            "#",
            "2016",
            "2016 off",
            "2016 on 0101",
            "x off 0101",
            "2016 off 1",
            "2016 off 0230",
            "2016 off 0102-0101",
            "2016 off 0101-",
            "2016 off 01é",
        ] {
            assert!(Line::parse(line).is_none(), "{line:?}");
        }
    }

    #[test]
    fn months_are_those_of_china() {
        let at = |text: &str| month_of(text.parse().unwrap());
        assert_eq!(at("2016-06-30T15:59:59Z"), "2016-06");
        assert_eq!(at("2016-06-30T16:00:00Z"), "2016-07");
        assert_eq!(month_after("2016-12").as_deref(), Some("2017-01"));
        assert_eq!(first_of_month("2016-13"), None);
        assert_eq!(china_year("2016-12-31T16:00:00Z".parse().unwrap()), 2017);
    }
}
