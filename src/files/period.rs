//! The time that a file is about.

use chrono::{DateTime as ChronoDateTime, NaiveDate, Utc};

use super::Fault;
use crate::graph::scalars::{Date, DateTime, read};
use crate::rules::calendar::{end_of_china_day, start_of_china_day};

/// From an instant, inclusive, to another, exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    pub from: ChronoDateTime<Utc>,
    pub before: ChronoDateTime<Utc>,
}

impl Period {
    /// From `from`, inclusive, to `to`: a day (China Standard Time) is meant whole, an instant is exclusive.
    pub fn of(from: Option<&str>, to: Option<&str>) -> Result<Self, Fault> {
        let from = bound("from", from, start_of_china_day)?;
        let before = bound("to", to, end_of_china_day)?;
        if from >= before {
            return Err(Fault::of("`from` must lie before `to`."));
        }
        Ok(Self { from, before })
    }
}

fn bound(
    name: &str,
    given: Option<&str>,
    of_day: fn(NaiveDate) -> ChronoDateTime<Utc>,
) -> Result<ChronoDateTime<Utc>, Fault> {
    let given = given.ok_or_else(|| {
        Fault::of(format!(
            "`{name}` is missing: a day such as 2016-05-31, or an instant such as 2016-05-31T08:30:00Z."
        ))
    })?;
    if let Ok(Date(day)) = read::<Date>("Date", given) {
        return Ok(of_day(day));
    }
    read::<DateTime>("DateTime", given).map(|at| at.0).map_err(|_| {
        Fault::of(format!(
            "`{name}` must be a day such as 2016-05-31, or an instant such as 2016-05-31T08:30:00Z (a plus sign is written %2B)."
        ))
    })
}

/// A day that is asked for by name.
pub fn day(name: &str, given: Option<&str>) -> Result<NaiveDate, Fault> {
    let given = given.ok_or_else(|| Fault::of(format!("`{name}` is missing: a day such as 2016-05-31.")))?;
    read::<Date>("Date", given).map(|day| day.0).map_err(|why| Fault::of(format!("`{name}` {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_meant_whole_and_an_instant_is_exclusive() {
        let at = |text: &str| text.parse::<ChronoDateTime<Utc>>().unwrap();
        let whole = Period { from: at("2016-05-30T16:00:00Z"), before: at("2016-05-31T16:00:00Z") };
        assert_eq!(Period::of(Some("2016-05-31"), Some("2016-05-31")), Ok(whole));
        let instants = Period::of(Some("2016-05-31T00:00:00+08:00"), Some("2016-05-31T16:00:00Z"));
        assert_eq!(instants, Ok(whole));
        for (from, to, why) in [
            (None, Some("2016-05-31"), "`from` is missing"),
            (Some("2016-05-31"), None, "`to` is missing"),
            (Some("2016-05-32"), Some("2016-05-31"), "`from` must be a day"),
            (Some("2016-05-31"), Some("soon"), "`to` must be a day"),
            (Some("2016-06-01"), Some("2016-05-31"), "must lie before"),
            (Some("2016-05-31T16:00:00Z"), Some("2016-05-31T16:00:00Z"), "must lie before"),
        ] {
            assert!(Period::of(from, to).unwrap_err().message.contains(why), "{from:?} {to:?}");
        }
    }
}
