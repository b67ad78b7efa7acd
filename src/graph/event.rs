use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_graphql::connection::{Connection, Edge, EmptyFields};
use async_graphql::{Context, ID, Object, Subscription};
use entity::event;
use futures_util::stream::{self, Stream, StreamExt};
use sea_orm::ColumnTrait;
use tokio::sync::OnceCell;

use super::node::{Node, readable_nodes};
use super::scalars::DateTime;
use super::slice;
use crate::access::Slice;
use crate::error::{Error, Result};
use crate::page::{Page, Place};

/// Something happened to a thing; carries no personal data.
pub struct Event {
    row: event::Model,
    place: Place,
    subjects: Arc<Subjects>,
}

/// Something happened to `subject`; carries no personal data.
#[Object]
impl Event {
    /// Where to go on from.
    async fn cursor(&self) -> String {
        self.place.cursor()
    }

    async fn at(&self) -> DateTime {
        DateTime(self.row.at)
    }

    /// The thing and what happened to it, e.g. `settlement.reversed`, `redemption.refunded`, `referral.accepted`,
    /// `statement.paid`. There may be new kinds at any time.
    async fn kind(&self) -> &str {
        &self.row.kind
    }

    /// The thing as it is now; null when this token may not read it.
    async fn subject(&self, ctx: &Context<'_>) -> Result<Option<Node>> {
        let slice = slice(ctx)?;
        let found = self.subjects.loaded.get_or_init(|| self.subjects.load(slice)).await;
        let found = found.as_ref().map_err(|shared| shared.for_each("loading subjects"))?;
        Ok(found.get(&self.row.subject).cloned())
    }
}

impl Event {
    /// Events that were read together.
    fn each(rows: Vec<event::Model>) -> Result<Vec<Self>> {
        let mut ids: Vec<ID> = rows.iter().map(|row| ID(row.subject.clone())).collect();
        ids.sort_by(|one, other| one.0.cmp(&other.0));
        ids.dedup();
        let subjects = Arc::new(Subjects { ids, loaded: OnceCell::new() });
        let event = |row: event::Model| {
            let place = row.position.map(Place);
            let place = place.ok_or_else(|| Error::internal("an event without a place was read"))?;
            Ok(Self { row, place, subjects: Arc::clone(&subjects) })
        };
        rows.into_iter().map(event).collect()
    }
}

/// The viewer's events after a place, in order.
async fn read(slice: &Slice, after: Place, most: u64) -> Result<Vec<event::Model>> {
    slice
        .select::<event::Entity>()?
        .only(event::Column::PartnerId.eq(slice.viewer().partner_id()))
        .only(event::Column::Position.gt(after.0))
        .oldest_first(event::Column::Position)
        .limit(most)
        .all()
        .await
}

/// The subjects of events that were read together: asked for by one, they are loaded for all.
struct Subjects {
    ids: Vec<ID>,
    loaded: OnceCell<std::result::Result<HashMap<String, Node>, Arc<Error>>>,
}

impl Subjects {
    async fn load(&self, slice: &Slice) -> std::result::Result<HashMap<String, Node>, Arc<Error>> {
        let found = readable_nodes(slice, &self.ids).await.map_err(Arc::new)?;
        Ok(self.ids.iter().zip(found).filter_map(|(id, node)| Some((id.0.clone(), node?))).collect())
    }
}

/// A page of events; there is no total.
pub type Events = Connection<String, Event, EmptyFields, EmptyFields>;

#[derive(Default)]
pub struct EventQuery;

#[Object]
impl EventQuery {
    /// Everything that changed in the viewer's slice, in order, without gaps; ask again from the last cursor. An event is there
    /// within a second of what it tells of. From the beginning when `after` is left out; 20 at once unless `first` says more, 100
    /// at most.
    async fn events(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Option<Events>> {
        let after = after.as_deref().map(Place::read).transpose()?;
        let page = Page::new(first, None, None, None, false)?;
        let mut rows = read(slice(ctx)?, after.unwrap_or(Place::BEGINNING), page.fetched()).await?;
        let size = usize::try_from(page.fetched() - 1).unwrap_or(usize::MAX);
        let more = rows.len() > size;
        rows.truncate(size);
        let mut connection = Connection::new(after.is_some(), more);
        for event in Event::each(rows)? {
            connection.edges.push(Edge::new(event.place.cursor(), event));
        }
        Ok(Some(connection))
    }
}

/// How many events a follower reads at once.
const READ_AT_ONCE: u64 = 20;

/// How far a follower has come in its feed: the place of the last event that it was given.
#[derive(Clone, Default)]
pub struct Bookmark(Arc<AtomicI64>);

impl Bookmark {
    /// After the event that has this cursor; nothing when it is none.
    pub fn after(cursor: &str) -> Option<Self> {
        Place::read(cursor).ok().map(|place| Self(Arc::new(AtomicI64::new(place.0))))
    }

    pub fn place(&self) -> Place {
        Place(self.0.load(Ordering::Acquire))
    }

    fn turn_to(&self, event: &Event) {
        self.0.store(event.place.0, Ordering::Release);
    }
}

/// What can be followed.
#[derive(Default)]
pub struct Subscription;

/// What can be followed.
#[Subscription]
impl Subscription {
    /// The same events as `Query.events`, as they happen, from `after` on; over graphql-transport-ws or SSE. This server speaks SSE:
    /// a POST that accepts `text/event-stream`. From the beginning when `after` is left out; each event's `id` in the stream is its
    /// cursor, to go on from with `after`. A subscription has this one field, not in a fragment.
    async fn events(&self, ctx: &Context<'_>, after: Option<String>) -> Result<impl Stream<Item = Event>> {
        let after = after.as_deref().map(Place::read).transpose()?;
        let bookmark = ctx.data_opt::<Bookmark>().cloned().unwrap_or_default();
        // One page, which ends: the follower comes again with its bookmark, and with the rights that its token has by then.
        let from = bookmark.place().max(after.unwrap_or(Place::BEGINNING));
        let events = Event::each(read(slice(ctx)?, from, READ_AT_ONCE).await?)?;
        Ok(stream::iter(events).inspect(move |event| bookmark.turn_to(event)))
    }
}
