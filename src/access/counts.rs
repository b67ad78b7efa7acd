//! How often each of many did something wrong lately.

use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use quick_cache::sync::Cache;

use crate::error::Error;

/// Keys at once that are counted; the longest unused are forgotten first.
const REMEMBERED: usize = 100_000;

/// How many there may be in how long.
pub(super) struct Bound {
    pub(super) most: u32,
    pub(super) within: TimeDelta,
}

struct Count {
    since: DateTime<Utc>,
    wrongs: u32,
}

/// The counts of this process.
pub(super) struct Counts<K>(Cache<K, Arc<Mutex<Count>>>);

impl<K: Eq + Hash + Clone> Default for Counts<K> {
    fn default() -> Self {
        Self(Cache::new(REMEMBERED))
    }
}

impl<K: Eq + Hash + Clone> Counts<K> {
    /// In how many seconds a key may try again; nothing when it may now.
    pub(super) fn shut_for(&self, key: &K, bound: &Bound, now: DateTime<Utc>) -> Option<u64> {
        let count = self.0.get(key)?;
        let count = count.lock().unwrap_or_else(PoisonError::into_inner);
        let again = count.since + bound.within;
        let is_shut = count.wrongs >= bound.most && now < again;
        is_shut.then(|| (again - now).num_seconds().max(1).unsigned_abs())
    }

    pub(super) fn count(&self, key: &K, bound: &Bound, now: DateTime<Utc>) {
        let new = || Ok::<_, Error>(Arc::new(Mutex::new(Count { since: now, wrongs: 0 })));
        let Ok(count) = self.0.get_or_insert_with(key, new) else { return };
        let mut count = count.lock().unwrap_or_else(PoisonError::into_inner);
        if now >= count.since + bound.within {
            *count = Count { since: now, wrongs: 0 };
        }
        count.wrongs = count.wrongs.saturating_add(1);
    }
}
