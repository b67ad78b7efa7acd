//! How many files are taken at once: each is held in memory until it is answered.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use entity::id::PartnerId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Files of all partners together. One holds 200,000 keys of at most 128 bytes with their amounts: below 64 MiB, and mostly
/// below 20.
pub const AT_ONCE: usize = 4;

/// The places for files that are taken.
#[derive(Clone)]
pub struct Places {
    free: Arc<Semaphore>,
    taken: Arc<Mutex<BTreeSet<PartnerId>>>,
}

impl Default for Places {
    fn default() -> Self {
        Self { free: Arc::new(Semaphore::new(AT_ONCE)), taken: Arc::default() }
    }
}

impl Places {
    /// A place, when one is free and the partner has none: a slow partner must not keep out all others.
    pub fn take(&self, partner: PartnerId) -> Option<Place> {
        let free = Arc::clone(&self.free).try_acquire_owned().ok()?;
        let first = self.taken.lock().unwrap_or_else(PoisonError::into_inner).insert(partner);
        first.then(|| Place { partner, taken: Arc::clone(&self.taken), _free: free })
    }
}

/// A place, free again when this is dropped.
pub struct Place {
    partner: PartnerId,
    taken: Arc<Mutex<BTreeSet<PartnerId>>>,
    _free: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.partner);
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn each_partner_has_one_place_and_all_have_four() {
        let places = Places::default();
        let partner = |number: u128| PartnerId::from(Uuid::from_u128(number));
        let mut taken: Vec<Place> = (0..3).map(|number| places.take(partner(number)).unwrap()).collect();
        assert!(places.take(partner(0)).is_none(), "it has one");
        taken.push(places.take(partner(3)).unwrap());
        assert!(places.take(partner(4)).is_none(), "there is none");
        taken.remove(0);
        assert!(places.take(partner(1)).is_none());
        assert!(places.take(partner(0)).is_some());
    }
}
