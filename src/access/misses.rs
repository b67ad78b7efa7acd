//! How often a partner may be wrong at a door. A door answers whoever has the full number; without this count, a register could be
//! walked by trying numbers. A throttled door is shut for the right number too, or it would go on telling right from wrong.

use chrono::TimeDelta;
use entity::Digest;
use entity::id::PartnerId;

use super::counts::{Bound, Counts};
use super::slice::Slice;
use crate::error::{Error, Result};

/// What a miss costs its client, besides what it asked.
const COST: u64 = 50;

/// Unknown patients of one hospital. Most patients are in no register, so this is as many as a large hospital discharges.
const PATIENTS: Bound = Bound { most: 3_000, within: TimeDelta::days(1) };
/// Wrong names for one number at one hospital.
const NAMES_FOR_A_NUMBER: Bound = Bound { most: 10, within: TimeDelta::days(1) };
/// Unknown card numbers at one shop: the check digit catches a slip of the finger, so that there are few.
const CARDS: Bound = Bound { most: 30, within: TimeDelta::minutes(10) };
const CARDS_OF_A_DAY: Bound = Bound { most: 300, within: TimeDelta::days(1) };

#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Place {
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

/// The misses of this process.
pub(super) type Misses = Counts<(PartnerId, Place)>;

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
            let key = (self.viewer().partner_id(), place.clone());
            if let Some(seconds) = self.misses.shut_for(&key, place.bound(), now) {
                tracing::warn!(partner = self.viewer().partner().code, "too many misses: a door is shut");
                return Err(Error::Throttled { seconds });
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
                self.slice.misses.count(&(self.slice.viewer().partner_id(), place), bound, now);
            }
        }
        found
    }
}
