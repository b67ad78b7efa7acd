use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::connection::{Connection, Edge, EmptyFields};
use async_graphql::dataloader::{DataLoader, Loader};
use async_graphql::{Context, Object};
use entity::id::ReferralId;
use entity::referral_event;

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

    async fn note(&self) -> Option<&str> {
        self.0.note.as_deref()
    }
}

/// Loads the events of every referral of a request at once.
pub struct EventLoader(Slice);

/// The loader of one request; it works inside the slice of that request.
pub fn event_loader(slice: &Slice) -> DataLoader<EventLoader> {
    DataLoader::new(EventLoader(slice.clone()), tokio::spawn).delay(std::time::Duration::ZERO)
}

/// The error of a batch, shared by everyone who waits for it.
type Shared = Arc<Error>;

impl Loader<(ReferralId, Page)> for EventLoader {
    type Value = Vec<referral_event::Model>;
    type Error = Shared;

    async fn load(
        &self,
        keys: &[(ReferralId, Page)],
    ) -> std::result::Result<HashMap<(ReferralId, Page), Self::Value>, Shared> {
        let mut by_page: HashMap<Page, Vec<ReferralId>> = HashMap::new();
        for (referral, page) in keys {
            by_page.entry(*page).or_default().push(*referral);
        }
        let mut found = HashMap::new();
        for (page, referrals) in by_page {
            for event in self.0.events_of(&referrals, &page).await.map_err(Arc::new)? {
                found.entry((event.referral_id, page)).or_insert_with(Vec::new).push(event);
            }
        }
        Ok(found)
    }
}

/// A page of the events of a referral; there is no total.
pub type ReferralEvents = Connection<String, ReferralEvent, EmptyFields, EmptyFields>;

/// The events of one referral, newest first, loaded together with those of its neighbours.
pub async fn events(
    ctx: &Context<'_>,
    referral: ReferralId,
    first: Option<i32>,
    after: Option<String>,
) -> Result<ReferralEvents> {
    let page = Page::new(first, after.as_deref(), None, None, false)?;
    let loader = ctx
        .data_opt::<DataLoader<EventLoader>>()
        .ok_or_else(|| Error::internal("a request without its event loader"))?;
    let rows = loader
        .load_one((referral, page))
        .await
        .map_err(|shared| Error::internal(format!("loading events: {shared:?}")))?
        .unwrap_or_default();
    let Paged { rows, has_previous, has_next, .. } = page.cut(rows, |row| row.id.into(), None);
    let mut connection = Connection::new(has_previous, has_next);
    connection.edges.extend(rows.into_iter().map(|(cursor, row)| Edge::new(cursor, ReferralEvent(row))));
    Ok(connection)
}
