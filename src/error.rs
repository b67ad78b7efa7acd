//! What can go wrong with a request itself. Business reasons why nothing was done are [`crate::refusal`]s, not errors.

use async_graphql::ErrorExtensionValues;
use entity::kinds::Scope;
use sea_orm::{DbErr, RuntimeErr, sqlx};

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Deliberately without `Display`: async-graphql turns every `Display` error into an uncoded one that carries its text.
#[derive(Debug)]
pub enum Error {
    /// No token, or one that is no longer good.
    Unauthenticated,
    /// The token lacks this scope.
    Forbidden { scope: Scope },
    /// An argument that cannot be read; `why` says what would be right.
    Invalid { field: &'static str, why: String },
    /// Asked for too often; good again after so many seconds.
    Throttled { seconds: u64 },
    /// Try again: the database is away or too busy.
    Unavailable(DbErr),
    /// A fault of ours; the cause is logged, never sent.
    Internal(String),
}

/// The words of `extensions.code`.
pub mod code {
    pub const UNAUTHENTICATED: &str = "UNAUTHENTICATED";
    pub const FORBIDDEN: &str = "FORBIDDEN";
    pub const BAD_USER_INPUT: &str = "BAD_USER_INPUT";
    pub const PARSE_FAILED: &str = "GRAPHQL_PARSE_FAILED";
    pub const VALIDATION_FAILED: &str = "GRAPHQL_VALIDATION_FAILED";
    pub const BAD_REQUEST: &str = "BAD_REQUEST";
    pub const LIMIT_EXCEEDED: &str = "LIMIT_EXCEEDED";
    pub const THROTTLED: &str = "THROTTLED";
    pub const UNAVAILABLE: &str = "UNAVAILABLE";
    pub const INTERNAL: &str = "INTERNAL";
}

impl Error {
    pub fn internal(what: impl Into<String>) -> Self {
        Self::Internal(what.into())
    }

    pub fn invalid(field: &'static str, why: impl Into<String>) -> Self {
        Self::Invalid { field, why: why.into() }
    }

    pub fn code(&self) -> &'static str {
        match self {
            Self::Unauthenticated => code::UNAUTHENTICATED,
            Self::Forbidden { .. } => code::FORBIDDEN,
            Self::Invalid { .. } => code::BAD_USER_INPUT,
            Self::Throttled { .. } => code::THROTTLED,
            Self::Unavailable(_) => code::UNAVAILABLE,
            Self::Internal(_) => code::INTERNAL,
        }
    }

    /// What the client is told; never the inner cause.
    pub fn message(&self) -> String {
        match self {
            Self::Unauthenticated => "A valid bearer token is needed.".into(),
            Self::Forbidden { scope } => format!("This token lacks the scope {}.", scope.word()),
            Self::Invalid { field, why } => format!("`{field}` {why}"),
            Self::Throttled { seconds } => {
                format!("Too many unknown numbers were asked for; ask again in {seconds} seconds.")
            }
            Self::Unavailable(_) => "The service is busy; send the same request again.".into(),
            Self::Internal(_) => "Something went wrong on our side.".into(),
        }
    }

    /// Whether the same statements may succeed when they are run again (PostgreSQL 40001, 40P01).
    pub(crate) fn is_contention(&self) -> bool {
        matches!(self, Self::Unavailable(cause) if matches!(sql_state(cause).as_deref(), Some("40001" | "40P01")))
    }
}

fn sqlx_cause(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Exec(RuntimeErr::SqlxError(cause))
        | DbErr::Query(RuntimeErr::SqlxError(cause))
        | DbErr::Conn(RuntimeErr::SqlxError(cause)) => Some(cause),
        _ => None,
    }
}

/// The SQLSTATE (or SQLite result code) of a database error.
fn sql_state(error: &DbErr) -> Option<String> {
    sqlx_cause(error)?.as_database_error()?.code().map(|code| code.into_owned())
}

/// For the log: never what quotes values, neither of a row nor of a request. PostgreSQL's data exceptions (class 22) do, and so
/// does whatever could not be read into a type of ours.
fn describe(error: &DbErr) -> String {
    let Some(cause) = sqlx_cause(error) else {
        return match error {
            DbErr::Conn(_) | DbErr::Migration(_) => error.to_string(),
            other => format!("sea-orm: {}", kind(other)),
        };
    };
    match cause {
        sqlx::Error::Database(cause) => match cause.code().unwrap_or_default().as_ref() {
            code if is_sqlstate(code) && code.starts_with("22") => format!("a data exception [{code}]"),
            code => format!("{} [{code}]", cause.message()),
        },
        sqlx::Error::ColumnDecode { index, .. } => format!("column {index} does not decode"),
        sqlx::Error::Decode(_) => "a value does not decode".into(),
        sqlx::Error::Encode(_) => "a value does not encode".into(),
        other => other.to_string(),
    }
}

/// The name of the variant.
fn kind(error: &DbErr) -> String {
    let shown = format!("{error:?}");
    shown.split(|sign: char| !sign.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

/// PostgreSQL's codes have five characters, SQLite's four digits at most.
fn is_sqlstate(code: &str) -> bool {
    code.len() == 5
}

/// Whether a database error passes. PostgreSQL's classes that do: connection lost, contention, out of resources, told to stop.
/// SQLite's: BUSY, LOCKED, IOERR, FULL; their extended forms share the low byte.
fn passes(code: &str) -> bool {
    if is_sqlstate(code) {
        ["08", "40", "53", "57"].iter().any(|class| code.starts_with(class))
    } else {
        code.parse::<i64>().is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 10 | 13))
    }
}

impl From<DbErr> for Error {
    /// Losing the connection, the lock or the room to write is passing; everything else is a fault of ours.
    fn from(error: DbErr) -> Self {
        let passing = match (&error, sqlx_cause(&error)) {
            (DbErr::ConnectionAcquire(_), _) => true,
            (_, Some(cause)) => match sql_state(&error) {
                Some(state) => passes(&state),
                None => matches!(
                    cause,
                    sqlx::Error::Io(_)
                        | sqlx::Error::Tls(_)
                        | sqlx::Error::PoolTimedOut
                        | sqlx::Error::PoolClosed
                        | sqlx::Error::WorkerCrashed
                ),
            },
            _ => false,
        };
        if passing { Self::Unavailable(error) } else { Self::Internal(describe(&error)) }
    }
}

impl From<Error> for async_graphql::Error {
    fn from(error: Error) -> Self {
        let mut extensions = ErrorExtensionValues::default();
        extensions.set("code", error.code());
        match &error {
            Error::Forbidden { scope } => extensions.set("scope", scope.word()),
            Error::Invalid { field, .. } => extensions.set("path", vec![*field]),
            Error::Throttled { seconds } => extensions.set("retryAfter", *seconds),
            Error::Unavailable(cause) => tracing::warn!(cause = describe(cause), "database unavailable"),
            Error::Internal(cause) => tracing::error!(cause, "internal error"),
            Error::Unauthenticated => {}
        }
        let mut shown = async_graphql::Error::new(error.message());
        shown.extensions = Some(extensions);
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_told_by_the_databases_own_codes() {
        for passing in
            ["5", "6", "10", "13", "261", "517", "522", "08006", "40001", "40P01", "53300", "57P01"]
        {
            assert!(passes(passing), "{passing}");
        }
        // Taken for a number of SQLite's, some of these would end in BUSY.
        for lasting in ["1", "19", "2067", "22021", "42501", "23505", "22P02", "42P01", "XX000", ""] {
            assert!(!passes(lasting), "{lasting}");
        }
    }

    #[test]
    fn the_log_quotes_no_value() {
        let cause =
            sqlx::Error::ColumnDecode { index: "name".into(), source: "not a name: 李小明".into() };
        let decode = DbErr::Query(RuntimeErr::SqlxError(cause.into()));
        assert_eq!(describe(&decode), "column name does not decode");
        assert_eq!(describe(&DbErr::Type("李小明 is no date".into())), "sea-orm: Type");
    }
}
