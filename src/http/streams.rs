//! What streams may use up: each costs a read now and then for as long as it is open.

use std::time::Duration;

use entity::id::PartnerId;

use super::places::{Full, Place, Places};
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
    places: Places,
}

impl Streams {
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, places: Places::new(bounds.of_partner, bounds.in_all) }
    }

    /// A place for one more.
    ///
    /// # Errors
    /// [`Refusal::Streaming`] when the partner has as many as it may, [`Refusal::Unavailable`] when all places are taken.
    pub fn take(&self, partner: PartnerId) -> Result<Place, Refusal> {
        self.places.take(partner).map_err(|full| match full {
            Full::OfPartner => Refusal::Streaming { most: self.bounds.of_partner, seconds: TRY_AGAIN },
            Full::InAll => Refusal::Unavailable(TRY_AGAIN),
        })
    }
}
