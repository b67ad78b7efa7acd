use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use async_graphql::connection::{Connection, Edge, EmptyFields};
use async_graphql::{Context, Object};
use entity::id::ReferralId;
use entity::referral_event;
use tokio::sync::Mutex;

use super::partner::Partner;
use super::scalars::DateTime;
use super::{slice, words};
use crate::access::Slice;
use crate::error::{Error, Result};
use crate::page::{Page, Paged};

/// A step that a referral took.
pub struct ReferralEvent(referral_event::Model);

/// A step that a referral took.
#[Object]
impl ReferralEvent {
    async fn at(&self) -> DateTime {
        DateTime(self.0.at)
    }

    /// What it made of the referral.
    async fn status(&self) -> words::ReferralStatus {
        self.0.status.into()
    }

    /// Who took the step; for an expiry, the bureau.
    async fn actor(&self, ctx: &Context<'_>) -> Result<Partner> {
        Ok(Partner(slice(ctx)?.directory().partner(self.0.actor_id).await?))
    }

    async fn note(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let note = self.0.note_sealed.as_ref();
        slice(ctx)?.keys().open_some(referral_event::Column::NoteSealed, self.0.id, note)
    }
}

/// The events of referrals that were read together: asked for by one of them, they are loaded for all of them at once.
pub struct Events {
    referrals: Vec<ReferralId>,
    loaded: Mutex<HashMap<Page, Loaded>>,
}

/// The events of each referral, or the error that everyone who waits for them shares.
type Loaded = std::result::Result<HashMap<ReferralId, Vec<referral_event::Model>>, Arc<Error>>;

impl Events {
    pub fn of(referrals: Vec<ReferralId>) -> Arc<Self> {
        Arc::new(Self { referrals, loaded: Mutex::default() })
    }

    async fn page(
        &self,
        slice: &Slice,
        referral: ReferralId,
        page: Page,
    ) -> Result<Vec<referral_event::Model>> {
        let mut loaded = self.loaded.lock().await;
        let known = match loaded.entry(page) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(self.load(slice, &page).await.map_err(Arc::new)),
        };
        match known {
            Ok(events) => Ok(events.get(&referral).cloned().unwrap_or_default()),
            Err(shared) => Err(shared.for_each("loading events")),
        }
    }

    async fn load(
        &self,
        slice: &Slice,
        page: &Page,
    ) -> Result<HashMap<ReferralId, Vec<referral_event::Model>>> {
        let mut events: HashMap<_, Vec<_>> = HashMap::new();
        for event in slice.events_of(&self.referrals, page).await? {
            events.entry(event.referral_id).or_default().push(event);
        }
        Ok(events)
    }
}

/// A page of the events of a referral; there is no total.
pub type ReferralEvents = Connection<String, ReferralEvent, EmptyFields, EmptyFields>;

/// The events of one referral, newest first, loaded together with those of its neighbours.
pub async fn events(
    ctx: &Context<'_>,
    together: &Events,
    referral: ReferralId,
    first: Option<i32>,
    after: Option<String>,
) -> Result<ReferralEvents> {
    let page = Page::new(first, after.as_deref(), None, None, false)?;
    let rows = together.page(slice(ctx)?, referral, page).await?;
    let Paged { rows, has_previous, has_next, .. } = page.cut(rows, |row| row.id.into(), None);
    let mut connection = Connection::new(has_previous, has_next);
    connection.edges.extend(rows.into_iter().map(|(cursor, row)| Edge::new(cursor, ReferralEvent(row))));
    Ok(connection)
}
