//! How many requests run at once, of each partner and in all: one that asks for very much must not fill the connections to the
//! database and the queue for the right to write.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use entity::id::PartnerId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::refusal::Refusal;

/// When who found no place may try again, in seconds.
const TRY_AGAIN: u32 = 1;

/// How much may run.
#[derive(Clone, Copy, Debug)]
pub struct Share {
    /// Requests of one partner at once; fewer than there are connections to the database.
    pub of_partner: usize,
    /// Requests at once.
    pub in_all: usize,
    /// How long a request may wait for its place.
    pub patience: Duration,
}

impl Default for Share {
    fn default() -> Self {
        Self { of_partner: 6, in_all: 64, patience: Duration::from_secs(5) }
    }
}

/// The requests that run.
#[derive(Clone)]
pub struct Running {
    share: Share,
    in_all: Arc<Semaphore>,
    /// There are as many as partners that ever asked with a valid token.
    of_partner: Arc<Mutex<HashMap<PartnerId, Arc<Semaphore>>>>,
}

/// Places of one request, free again when this is dropped.
pub struct Runs {
    _own: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

impl Running {
    pub fn new(share: Share) -> Self {
        Self { share, in_all: Arc::new(Semaphore::new(share.in_all)), of_partner: Arc::default() }
    }

    /// A place to run, waited for within patience. The own share comes first, so that who waits for it takes no place of others.
    ///
    /// # Errors
    /// [`Refusal::Throttled`] when the partner's own requests leave none, [`Refusal::Unavailable`] when all partners' do.
    pub async fn take(&self, partner: PartnerId) -> Result<Runs, Refusal> {
        let own = self.own(partner);
        let own = self.wait(own).await.ok_or(Refusal::Throttled(TRY_AGAIN))?;
        let of_all = self.wait(Arc::clone(&self.in_all)).await.ok_or(Refusal::Unavailable(TRY_AGAIN))?;
        Ok(Runs { _own: own, _of_all: of_all })
    }

    fn own(&self, partner: PartnerId) -> Arc<Semaphore> {
        let mut of_partner = self.of_partner.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Semaphore::new(self.share.of_partner));
        Arc::clone(of_partner.entry(partner).or_insert_with(new))
    }

    async fn wait(&self, places: Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
        timeout(self.share.patience, places.acquire_owned()).await.ok()?.ok()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[tokio::test]
    async fn a_greedy_partner_leaves_the_others_their_places() {
        let running = Running::new(Share { of_partner: 2, in_all: 3, patience: Duration::from_millis(20) });
        let [greedy, other, third] = [1, 2, 3].map(|number| PartnerId::from(Uuid::from_u128(number)));
        let held = (running.take(greedy).await.unwrap(), running.take(greedy).await.unwrap());
        let more = futures_util::future::join_all((0..50).map(|_| running.take(greedy))).await;
        assert!(more.into_iter().all(|place| place.err() == Some(Refusal::Throttled(1))));
        let of_other = running.take(other).await.unwrap();
        assert_eq!(running.take(third).await.err(), Some(Refusal::Unavailable(1)));
        drop(held.0);
        let waits = running.take(greedy).await.unwrap();
        drop((held.1, of_other, waits));
        assert_eq!(running.in_all.available_permits(), 3, "all come back, those of refused requests, too");
    }

    #[tokio::test]
    async fn who_waits_within_patience_runs() {
        let running = Running::new(Share { of_partner: 1, in_all: 1, patience: Duration::from_secs(60) });
        let partner = PartnerId::from(Uuid::from_u128(1));
        let first = running.take(partner).await.unwrap();
        let (second, ()) = tokio::join!(running.take(partner), async { drop(first) });
        assert!(second.is_ok());
    }
}
