//! The order of events. An event that commits late must not come before those that a partner has read already, so events get their
//! places only once they are committed, by one statement at a time; among those, in the order in which they were written, whatever
//! the clocks said.

use entity::event;
use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QuerySelect};
use tokio::sync::watch;

use super::token::Gate;
use crate::error::Result;

/// How many events get their places at once.
const BATCH: u32 = 500;

impl Gate {
    /// Gives the committed events that have no place yet the next ones; tells how many. Two at once
    /// would give the same places: the unique index lets one of them fail, and it tries again later.
    pub async fn number_events(&self) -> Result<u64> {
        let reader = self.database().reader();
        let waiting = event::Entity::find().filter(event::Column::Position.is_null()).limit(1);
        if waiting.one(&reader).await?.is_none() {
            return Ok(0);
        }
        let begun = self.database().begin().await?;
        let written = match begun.transaction.get_database_backend() {
            DbBackend::Sqlite => "rowid",
            _ => "arrival",
        };
        let numbered = begun
            .transaction
            .execute_unprepared(&format!(
                "UPDATE event SET position = waiting.place + COALESCE( \
                     (SELECT position FROM event WHERE position IS NOT NULL ORDER BY position + 0 DESC LIMIT 1), 0) \
                 FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY {written}) AS place FROM event \
                       WHERE position IS NULL ORDER BY {written} LIMIT {BATCH}) AS waiting \
                 WHERE event.id = waiting.id AND COALESCE(event.position, 0) = 0"
            ))
            .await?;
        begun.commit().await?;
        self.numbered.send_replace(());
        Ok(numbered.rows_affected())
    }

    /// Changes when this process has given events their places; another process may do so, too.
    pub fn numbered(&self) -> watch::Receiver<()> {
        self.numbered.subscribe()
    }
}
