use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::connection::{Connection, Edge, EmptyFields};
use async_graphql::{Context, ID, Object};
use entity::event;
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
    subjects: Arc<Subjects>,
}

/// Something happened to `subject`; carries no personal data.
#[Object]
impl Event {
    /// Where to go on from.
    async fn cursor(&self) -> Result<String> {
        Ok(place(&self.row)?.cursor())
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
        let found =
            found.as_ref().map_err(|shared| Error::internal(format!("loading subjects: {shared:?}")))?;
        Ok(found.get(&self.row.subject).cloned())
    }
}

fn place(row: &event::Model) -> Result<Place> {
    row.position.map(Place).ok_or_else(|| Error::internal("an event without a place was read"))
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
        let slice = slice(ctx)?;
        let mut rows = slice
            .select::<event::Entity>()?
            .only(event::Column::PartnerId.eq(slice.viewer().partner_id()))
            .only(event::Column::Position.gt(after.map_or(0, |place| place.0)))
            .oldest_first(event::Column::Position)
            .limit(page.fetched())
            .all()
            .await?;
        let size = usize::try_from(page.fetched() - 1).unwrap_or(usize::MAX);
        let more = rows.len() > size;
        rows.truncate(size);
        let mut ids: Vec<ID> = rows.iter().map(|row| ID(row.subject.clone())).collect();
        ids.sort_by(|one, other| one.0.cmp(&other.0));
        ids.dedup();
        let subjects = Arc::new(Subjects { ids, loaded: OnceCell::new() });
        let mut connection = Connection::new(after.is_some(), more);
        for row in rows {
            let cursor = place(&row)?.cursor();
            connection.edges.push(Edge::new(cursor, Event { row, subjects: Arc::clone(&subjects) }));
        }
        Ok(Some(connection))
    }
}
