//! How much of one kind is done at once, for each partner and in all: what is held open must not keep others out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use entity::id::PartnerId;

/// So many places.
#[derive(Clone)]
pub struct Places {
    of_partner: u32,
    in_all: u32,
    taken: Arc<Mutex<HashMap<PartnerId, u32>>>,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// The partner has as many as it may.
    OfPartner,
    /// All are taken.
    InAll,
}

/// A place, free again when this is dropped.
pub struct Place {
    places: Places,
    partner: PartnerId,
}

impl Places {
    pub fn new(of_partner: u32, in_all: u32) -> Self {
        Self { of_partner, in_all, taken: Arc::default() }
    }

    /// A place for one more.
    pub fn take(&self, partner: PartnerId) -> Result<Place, Full> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let own = taken.get(&partner).copied().unwrap_or_default();
        if own >= self.of_partner {
            return Err(Full::OfPartner);
        }
        if taken.values().sum::<u32>() >= self.in_all {
            return Err(Full::InAll);
        }
        taken.insert(partner, own + 1);
        Ok(Place { places: self.clone(), partner })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let left = taken.get(&self.partner).map_or(0, |own| own.saturating_sub(1));
        if left == 0 {
            taken.remove(&self.partner);
        } else {
            taken.insert(self.partner, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn places_are_bounded_for_each_and_for_all_and_come_back() {
        let places = Places::new(2, 3);
        let [one, other, third] = [1, 2, 3].map(|number| PartnerId::from(Uuid::from_u128(number)));
        let first = places.take(one).expect("free");
        let second = places.take(one).expect("free");
        assert_eq!(places.take(one).err(), Some(Full::OfPartner));
        let of_other = places.take(other).expect("free");
        assert_eq!(places.take(third).err(), Some(Full::InAll));
        assert_eq!(places.take(one).err(), Some(Full::OfPartner));
        drop(second);
        let _again = places.take(one).expect("one came back");
        drop((first, of_other));
        let _third = places.take(third).expect("two came back");
        assert_eq!(places.taken.lock().unwrap().len(), 2, "nobody stays behind");
    }
}
