//! How many different people and cards a partner may ask for. Whoever has the full number gets an answer at a door; without this
//! count, a partner with a list of numbers could walk the register. Who was asked for before is answered on; a further one is
//! not, whether there is such a one or not, so that a door that is shut tells nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use entity::Digest;
use entity::id::PartnerId;
use quick_cache::sync::Cache;

use super::slice::Slice;
use crate::error::{Error, Result};

/// Most windows that are kept; the longest unused are forgotten first. Each holds at most as many hashes as its bound.
const CACHED_WINDOWS: usize = 100_000;

/// How much one partner may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Coverage checks and previews of one patient in an hour.
    pub checks_of_patient: u32,
    /// Different patients in a day: more than a large hospital discharges.
    pub patients: u32,
    /// Different cards in a day: more than a busy shop serves.
    pub cards: u32,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { checks_of_patient: 60, patients: 5_000, cards: 3_000 }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Place {
    Patients,
    Cards,
    ChecksOfPatient(u64),
}

struct Window {
    since: DateTime<Utc>,
    /// Keyed hashes, cut short, with how often each was asked for.
    asked: HashMap<u64, u32>,
}

/// The counts of this process.
pub(super) struct Asked {
    bounds: Bounds,
    windows: Cache<(PartnerId, Place), Arc<Mutex<Window>>>,
}

impl Asked {
    pub(super) fn within(bounds: Bounds) -> Self {
        Self { bounds, windows: Cache::new(CACHED_WINDOWS) }
    }
}

impl Default for Asked {
    fn default() -> Self {
        Self::within(Bounds::default())
    }
}

impl Slice {
    /// Before a patient is looked up. A check only reads; an act, which is kept under its key, is no check.
    pub(super) fn asks_for_patient(&self, number: &Digest, checks: bool) -> Result<()> {
        let patient = short(number);
        let bounds = self.asked.bounds;
        self.asks(Place::Patients, patient, TimeDelta::days(1), bounds.patients, u32::MAX)?;
        match checks {
            true => self.asks(
                Place::ChecksOfPatient(patient),
                patient,
                TimeDelta::hours(1),
                1,
                bounds.checks_of_patient,
            ),
            false => Ok(()),
        }
    }

    /// Before a card is looked up.
    pub(super) fn asks_for_card(&self, number: &Digest) -> Result<()> {
        self.asks(Place::Cards, short(number), TimeDelta::days(1), self.asked.bounds.cards, u32::MAX)
    }

    /// At most so many different ones, and each at most so often, within a time that begins with the first.
    fn asks(&self, place: Place, whom: u64, within: TimeDelta, different: u32, often: u32) -> Result<()> {
        let now = self.now();
        let new = || Ok::<_, Error>(Arc::new(Mutex::new(Window { since: now, asked: HashMap::new() })));
        let window = self.asked.windows.get_or_insert_with(&(self.viewer().partner_id(), place), new)?;
        let mut window = window.lock().unwrap_or_else(PoisonError::into_inner);
        let again = window.since + within;
        if now >= again {
            *window = Window { since: now, asked: HashMap::new() };
        }
        let full = window.asked.len() >= different as usize;
        let before = window.asked.get(&whom).copied();
        match before {
            Some(times) if times < often => {
                window.asked.insert(whom, times.saturating_add(1));
                Ok(())
            }
            None if !full => {
                window.asked.insert(whom, 1);
                Ok(())
            }
            Some(_) | None => {
                tracing::warn!(
                    partner = self.viewer().partner().code,
                    "too many were asked for: a door is shut"
                );
                Err(Error::Throttled { seconds: (again - now).num_seconds().max(1).unsigned_abs() })
            }
        }
    }
}

/// The first 64 bits of a keyed hash: among some thousands no two are equal.
fn short(digest: &Digest) -> u64 {
    digest.0.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}
