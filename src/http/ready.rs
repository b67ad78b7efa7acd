//! Whether the server is fit to be asked: the database answers, and has this version's schema.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::access::Gate;
use crate::error::Error;

/// How old an answer may be: who asks without a token, and often, costs one look per second.
const LONGEST_AGE: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Ready,
    MigrationsPending,
    NoDatabase,
    /// Audit records wait too long for their seal.
    NotSealed,
}

impl IntoResponse for State {
    fn into_response(self) -> Response {
        match self {
            Self::Ready => "ready\n".into_response(),
            Self::MigrationsPending => {
                (StatusCode::SERVICE_UNAVAILABLE, "migrations are pending: run `onestop migrate`\n")
                    .into_response()
            }
            Self::NotSealed => {
                (StatusCode::SERVICE_UNAVAILABLE, "audit records are not being sealed: see the log\n")
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
    gate: Gate,
    longest_age: Duration,
    seen: Arc<Mutex<Option<(State, Instant)>>>,
}

impl Readiness {
    pub fn of(gate: Gate) -> Self {
        Self::with_age(gate, LONGEST_AGE)
    }

    /// With another bound on the age of an answer.
    pub fn with_age(gate: Gate, longest_age: Duration) -> Self {
        Self { gate, longest_age, seen: Arc::default() }
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
        let state = async {
            if !self.gate.database().pending_migrations().await?.is_empty() {
                return Ok(State::MigrationsPending);
            }
            Ok(if self.gate.sealing_is_late().await? { State::NotSealed } else { State::Ready })
        };
        match state.await {
            Ok(state) => state,
            Err::<_, Error>(error) => {
                tracing::warn!(cause = error.cause_for_log(), "not ready: the database does not answer");
                State::NoDatabase
            }
        }
    }
}
