//! How many streams are open, for each partner and in all: each costs a read now and then for as long as it is open.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use entity::id::PartnerId;

use super::refusal::Refusal;

/// When who found no place may try again, in seconds.
const TRY_AGAIN: u32 = 5;

/// What streams may use up.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Streams of one partner at once.
    pub of_partner: u32,
    /// Streams at once.
    pub in_all: u32,
    /// How long a stream may say nothing: what is silent for longer is cut off by proxies.
    pub silence: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { of_partner: 4, in_all: 200, silence: Duration::from_secs(12) }
    }
}

/// The streams that are open.
#[derive(Clone)]
pub struct Streams {
    pub bounds: Bounds,
    open: Arc<Mutex<HashMap<PartnerId, u32>>>,
}

/// The place of one open stream; given back when it is dropped.
pub struct Place {
    streams: Streams,
    partner: PartnerId,
}

impl Streams {
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, open: Arc::default() }
    }

    /// A place for one more.
    ///
    /// # Errors
    /// [`Refusal::Streaming`] when the partner has as many as it may, [`Refusal::Unavailable`] when all places are taken.
    pub fn take(&self, partner: PartnerId) -> Result<Place, Refusal> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let own = open.get(&partner).copied().unwrap_or_default();
        if own >= self.bounds.of_partner {
            return Err(Refusal::Streaming { most: self.bounds.of_partner, seconds: TRY_AGAIN });
        }
        if open.values().sum::<u32>() >= self.bounds.in_all {
            return Err(Refusal::Unavailable(TRY_AGAIN));
        }
        open.insert(partner, own + 1);
        Ok(Place { streams: self.clone(), partner })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.streams.open.lock().unwrap_or_else(PoisonError::into_inner);
        let left = open.get(&self.partner).map_or(0, |own| own.saturating_sub(1));
        if left == 0 {
            open.remove(&self.partner);
        } else {
            open.insert(self.partner, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn places_are_bounded_for_each_and_for_all_and_come_back() {
        let streams = Streams::new(Bounds { of_partner: 2, in_all: 3, ..Bounds::default() });
        let [one, other, third] = [1, 2, 3].map(|number| PartnerId::from(Uuid::from_u128(number)));
        let first = streams.take(one).expect("free");
        let second = streams.take(one).expect("free");
        assert_eq!(streams.take(one).err(), Some(Refusal::Streaming { most: 2, seconds: 5 }));
        let of_other = streams.take(other).expect("free");
        assert_eq!(streams.take(third).err(), Some(Refusal::Unavailable(5)));
        assert_eq!(streams.take(one).err(), Some(Refusal::Streaming { most: 2, seconds: 5 }));
        drop(second);
        let _again = streams.take(one).expect("one came back");
        drop((first, of_other));
        let _third = streams.take(third).expect("two came back");
        assert_eq!(streams.open.lock().unwrap().len(), 2, "nobody stays behind");
    }
}
