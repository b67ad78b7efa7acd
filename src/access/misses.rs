//! How often a partner may be wrong at a door. A door answers whoever has the full number; without this count, a register could be
//! walked by trying numbers. A throttled door is shut for the right number too, or it would go on telling right from wrong.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use entity::Digest;
use entity::id::PartnerId;
use quick_cache::sync::Cache;

use super::slice::Slice;
use crate::error::{Error, Result};

/// Doors at once that are counted; the longest unused are forgotten first.
const CACHED_COUNTS: usize = 100_000;

/// What a miss costs its client, besides what it asked.
const COST: u64 = 50;

/// What is counted, and how many misses there may be in how long.
struct Bound {
    most: u32,
    within: TimeDelta,
}

/// Unknown patients of one hospital. Most patients are in no register, so this is as many as a large hospital discharges.
const PATIENTS: Bound = Bound { most: 3_000, within: TimeDelta::days(1) };
/// Wrong names for one number at one hospital.
const NAMES_FOR_A_NUMBER: Bound = Bound { most: 10, within: TimeDelta::days(1) };
/// Unknown card numbers at one shop: the check digit catches a slip of the finger, so that there are few.
const CARDS: Bound = Bound { most: 30, within: TimeDelta::minutes(10) };
const CARDS_OF_A_DAY: Bound = Bound { most: 300, within: TimeDelta::days(1) };

#[derive(Clone, PartialEq, Eq, Hash)]
enum Place {
    Patients,
    Names(Vec<u8>),
    Cards,
    CardsOfADay,
}

impl Place {
    fn bound(&self) -> &'static Bound {
        match self {
            Self::Patients => &PATIENTS,
            Self::Names(_) => &NAMES_FOR_A_NUMBER,
            Self::Cards => &CARDS,
            Self::CardsOfADay => &CARDS_OF_A_DAY,
        }
    }
}

struct Count {
    since: DateTime<Utc>,
    misses: u32,
}

/// The counts of this process.
pub(super) struct Misses {
    counts: Cache<(PartnerId, Place), Arc<Mutex<Count>>>,
}

impl Default for Misses {
    fn default() -> Self {
        Self { counts: Cache::new(CACHED_COUNTS) }
    }
}

/// One try at a door.
pub(super) struct Try<'a> {
    slice: &'a Slice,
    places: [Place; 2],
}

impl Slice {
    /// Before a patient is looked up by number and name.
    pub(super) fn try_patient(&self, number: &Digest) -> Result<Try<'_>> {
        self.try_at([Place::Names(number.0.clone()), Place::Patients])
    }

    /// Before a card is looked up by its number.
    pub(super) fn try_card(&self) -> Result<Try<'_>> {
        self.try_at([Place::Cards, Place::CardsOfADay])
    }

    fn try_at(&self, places: [Place; 2]) -> Result<Try<'_>> {
        let now = self.now();
        for place in &places {
            let Some(count) = self.misses.counts.get(&(self.viewer().partner_id(), place.clone())) else {
                continue;
            };
            let count = count.lock().unwrap_or_else(PoisonError::into_inner);
            let bound = place.bound();
            let again = count.since + bound.within;
            if count.misses >= bound.most && now < again {
                tracing::warn!(partner = self.viewer().partner().code, "too many misses: a door is shut");
                return Err(Error::Throttled { seconds: (again - now).num_seconds().max(1).unsigned_abs() });
            }
        }
        Ok(Try { slice: self, places })
    }
}

impl Try<'_> {
    /// What was found, counted when it is nothing.
    pub(super) fn told<T>(self, found: Option<T>) -> Option<T> {
        if found.is_none() {
            self.slice.purse().charge(COST);
            let now = self.slice.now();
            for place in self.places {
                let bound = place.bound();
                let new = || Ok::<_, Error>(Arc::new(Mutex::new(Count { since: now, misses: 0 })));
                let key = (self.slice.viewer().partner_id(), place);
                let Ok(count) = self.slice.misses.counts.get_or_insert_with(&key, new) else { continue };
                let mut count = count.lock().unwrap_or_else(PoisonError::into_inner);
                if now >= count.since + bound.within {
                    *count = Count { since: now, misses: 0 };
                }
                count.misses = count.misses.saturating_add(1);
            }
        }
        found
    }
}
