//! Relay connections over the pages of [`crate::page`].

use async_graphql::connection::{Connection, Edge, EmptyFields};
use async_graphql::{Context, OutputType, SimpleObject};

use crate::error::Result;
use crate::page::{Page, Paged};

/// A list of the contract: edges, nodes, page info and the total.
pub type List<T> = Connection<String, T, Total, EmptyFields>;

#[derive(SimpleObject)]
pub struct Total {
    /// Exact up to 10,000 and null above; computed only when asked for.
    total_count: Option<i32>,
}

/// Relay's four arguments, and whether the total was asked for.
pub fn page(
    ctx: &Context<'_>,
    first: Option<i32>,
    after: Option<String>,
    last: Option<i32>,
    before: Option<String>,
) -> Result<Page> {
    let counts = ctx.look_ahead().field("totalCount").exists();
    Page::new(first, after.as_deref(), last, before.as_deref(), counts)
}

/// The connection of a page.
pub fn list<R, T: OutputType>(paged: Paged<R>, node: impl Fn(R) -> T) -> List<T> {
    let total_count = paged.total.and_then(|total| i32::try_from(total).ok());
    let mut connection =
        Connection::with_additional_fields(paged.has_previous, paged.has_next, Total { total_count });
    connection.edges.extend(paged.rows.into_iter().map(|(cursor, row)| Edge::new(cursor, node(row))));
    connection
}
