//! Whether the server is fit to be asked: the database answers, and has this version's schema.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::access::Database;

/// How old an answer may be: who asks without a token, and often, costs one look per second.
const LONGEST_AGE: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Ready,
    MigrationsPending,
    NoDatabase,
}

impl IntoResponse for State {
    fn into_response(self) -> Response {
        match self {
            Self::Ready => "ready\n".into_response(),
            Self::MigrationsPending => {
                (StatusCode::SERVICE_UNAVAILABLE, "migrations are pending: run `onestop migrate`\n")
                    .into_response()
            }
            Self::NoDatabase => {
                (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response()
            }
        }
    }
}

/// Looks at the database, one look at a time, and remembers for a moment what it saw.
#[derive(Clone)]
pub struct Readiness {
    database: Database,
    longest_age: Duration,
    seen: Arc<Mutex<Option<(State, Instant)>>>,
}

impl Readiness {
    pub fn of(database: Database) -> Self {
        Self::with_age(database, LONGEST_AGE)
    }

    /// With another bound on the age of an answer.
    pub fn with_age(database: Database, longest_age: Duration) -> Self {
        Self { database, longest_age, seen: Arc::default() }
    }

    pub async fn state(&self) -> State {
        let mut seen = self.seen.lock().await;
        if let Some((state, _)) = seen.filter(|(_, at)| at.elapsed() < self.longest_age) {
            return state;
        }
        let state = self.look().await;
        *seen = Some((state, Instant::now()));
        state
    }

    async fn look(&self) -> State {
        match self.database.pending_migrations().await {
            Ok(pending) if pending.is_empty() => State::Ready,
            Ok(_) => State::MigrationsPending,
            Err(error) => {
                tracing::warn!(cause = error.cause_for_log(), "not ready: the database does not answer");
                State::NoDatabase
            }
        }
    }
}
