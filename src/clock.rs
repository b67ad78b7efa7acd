//! The time, passed in: nothing below asks the machine for it.

use std::sync::Arc;

use chrono::{DateTime, DurationRound, NaiveDate, TimeDelta, Utc};

use crate::rules::calendar::china_date;

/// A source of the time, in whole microseconds (what both databases keep).
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>);

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self::new(Utc::now)
    }

    /// Any other clock, e.g. one that a test moves.
    pub fn new(now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    pub fn now(&self) -> DateTime<Utc> {
        let now = (self.0)();
        now.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(now)
    }

    /// Today in China Standard Time.
    pub fn today(&self) -> NaiveDate {
        china_date(self.now())
    }
}
