//! What a client may spend: a bucket that holds so much and is filled again by so much each second. Each process has its own, in
//! memory.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use quick_cache::sync::Cache;
use uuid::Uuid;

use super::slice::Slice;
use super::viewer::Viewer;
use crate::clock::Clock;
use crate::error::{Error, Result};

/// Buckets at once; the longest unused are forgotten first, and are full when they are needed again.
const REMEMBERED: usize = 100_000;
/// Levels are kept in millionths, so that what comes in within a microsecond is not lost.
const PARTS: u64 = 1_000_000;

/// How large the buckets are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The most that one holds.
    pub capacity: u64,
    /// What comes in each second.
    pub per_second: u64,
}

/// Fifty of the heaviest operations at once, and then one each second.
impl Default for Rate {
    fn default() -> Self {
        Self { capacity: 1_000_000, per_second: 20_000 }
    }
}

struct Level {
    parts: u64,
    at: DateTime<Utc>,
}

/// The buckets of this process.
pub(super) struct Buckets {
    rate: Rate,
    levels: Cache<Uuid, Arc<Mutex<Level>>>,
}

impl Buckets {
    pub(super) fn new(rate: Rate) -> Self {
        Self { rate, levels: Cache::new(REMEMBERED) }
    }

    /// Fills a bucket up to now, and does something with what is in it, in parts.
    fn with<T>(&self, payer: Uuid, now: DateTime<Utc>, change: impl FnOnce(&mut u64) -> T) -> T {
        let full = self.rate.capacity.saturating_mul(PARTS);
        let new = || Arc::new(Mutex::new(Level { parts: full, at: now }));
        let Ok(level) = self.levels.get_or_insert_with(&payer, || Ok::<_, std::convert::Infallible>(new()));
        let mut level = level.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was set back brings nothing in, and goes on from there.
        let passed = (now - level.at).num_microseconds().and_then(|passed| u64::try_from(passed).ok());
        let came = passed.unwrap_or_default().saturating_mul(self.rate.per_second);
        level.parts = level.parts.saturating_add(came).min(full);
        level.at = now;
        let told = change(&mut level.parts);
        level.parts = level.parts.min(full);
        told
    }

    /// Takes a cost out, if it is there. One above the capacity counts as the capacity, or it would never fit.
    fn take(&self, payer: Uuid, cost: u64, now: DateTime<Utc>) -> Result<()> {
        let cost = cost.min(self.rate.capacity).saturating_mul(PARTS);
        self.with(payer, now, |parts| match parts.checked_sub(cost) {
            Some(left) => {
                *parts = left;
                Ok(())
            }
            None => {
                let each_second = self.rate.per_second.max(1).saturating_mul(PARTS);
                Err(Error::Throttled { seconds: (cost - *parts).div_ceil(each_second) })
            }
        })
    }
}

/// The bucket of one client.
#[derive(Clone)]
pub struct Purse {
    buckets: Arc<Buckets>,
    payer: Uuid,
    clock: Clock,
}

impl Purse {
    /// Takes a cost out before anything runs.
    ///
    /// # Errors
    /// [`Error::Throttled`] until there is enough; nothing is taken out.
    pub fn take(&self, cost: u64) -> Result<()> {
        self.buckets.take(self.payer, cost, self.clock.now())
    }

    /// Takes a cost out, or as much of it as there is.
    pub fn charge(&self, cost: u64) {
        let cost = cost.saturating_mul(PARTS);
        self.buckets.with(self.payer, self.clock.now(), |parts| *parts = parts.saturating_sub(cost));
    }

    /// Puts back what was taken out and not used. What is left then.
    pub fn give_back(&self, cost: u64) -> u64 {
        let cost = cost.saturating_mul(PARTS);
        let full = self.buckets.rate.capacity.saturating_mul(PARTS);
        self.buckets.with(self.payer, self.clock.now(), |parts| {
            *parts = parts.saturating_add(cost).min(full);
            *parts / PARTS
        })
    }

    pub fn rate(&self) -> Rate {
        self.buckets.rate
    }
}

/// Who pays for what a viewer asks: its client, or the partner of a token that is no client's.
fn payer(viewer: &Viewer) -> Uuid {
    viewer.client().map_or_else(|| viewer.partner_id().into(), |client| client.id.into())
}

impl Slice {
    /// What this viewer may still spend.
    pub fn purse(&self) -> Purse {
        Purse { buckets: Arc::clone(&self.buckets), payer: payer(self.viewer()), clock: self.clock.clone() }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    const ONE: Uuid = Uuid::from_u128(1);

    fn buckets() -> Buckets {
        Buckets::new(Rate { capacity: 10, per_second: 4 })
    }

    fn left(buckets: &Buckets, payer: Uuid, now: DateTime<Utc>) -> u64 {
        buckets.with(payer, now, |parts| *parts / PARTS)
    }

    fn waits(taken: Result<()>) -> u64 {
        match taken.unwrap_err() {
            Error::Throttled { seconds } => seconds,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_empty_bucket_says_when_there_is_enough_again() {
        let (buckets, now) = (buckets(), DateTime::UNIX_EPOCH);
        buckets.take(ONE, 9, now).unwrap();
        assert_eq!(waits(buckets.take(ONE, 2, now)), 1);
        assert_eq!(waits(buckets.take(ONE, 10, now)), 3);
        assert_eq!(left(&buckets, ONE, now), 1, "what was refused took nothing");
        buckets.take(Uuid::from_u128(2), 10, now).unwrap();
        for refused in 1..250_000 {
            assert!(
                refused % 50_000 != 0
                    || buckets.take(ONE, 2, now + TimeDelta::microseconds(refused)).is_err()
            );
        }
        buckets.take(ONE, 2, now + TimeDelta::microseconds(250_000)).unwrap();
    }

    #[test]
    fn a_bucket_never_holds_more_than_its_capacity() {
        let (buckets, now) = (buckets(), DateTime::UNIX_EPOCH);
        buckets.take(ONE, u64::MAX, now).unwrap();
        assert_eq!(left(&buckets, ONE, now), 0);
        assert_eq!(left(&buckets, ONE, now + TimeDelta::days(400_000)), 10);
        let back = now - TimeDelta::days(1);
        buckets.take(ONE, 10, back).unwrap();
        assert_eq!(
            left(&buckets, ONE, back + TimeDelta::seconds(1)),
            4,
            "a clock set back goes on from there"
        );
    }

    #[test]
    fn what_comes_back_fits_in() {
        let now = DateTime::UNIX_EPOCH;
        let purse = Purse { buckets: Arc::new(buckets()), payer: ONE, clock: Clock::new(move || now) };
        purse.take(8).unwrap();
        assert_eq!(purse.give_back(5), 7);
        purse.charge(3);
        assert_eq!(purse.give_back(0), 4);
        purse.charge(u64::MAX);
        assert_eq!(purse.give_back(u64::MAX), 10);
    }
}
