//! What can go wrong with a request itself. Business reasons why nothing was done are [`crate::refusal`]s, not errors.

use std::fmt;

use async_graphql::ErrorExtensionValues;
use entity::kinds::Scope;
use sea_orm::{DbErr, RuntimeErr, sqlx};

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Deliberately without `Display`: async-graphql turns every `Display` error into an uncoded one that carries its text.
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
    pub const DOCUMENT_NOT_TRUSTED: &str = "DOCUMENT_NOT_TRUSTED";
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

    /// What the log is told: the cause, without the detail line of a database error, which quotes row values.
    pub fn cause_for_log(&self) -> String {
        match self {
            Self::Unavailable(cause) => describe(cause),
            Self::Internal(cause) => cause.clone(),
            Self::Unauthenticated
            | Self::Forbidden { .. }
            | Self::Invalid { .. }
            | Self::Throttled { .. } => self.message(),
        }
    }

    /// The same failure for each of those who share what failed.
    pub fn for_each(&self, doing: &str) -> Self {
        match self {
            Self::Unavailable(cause) => Self::Unavailable(DbErr::Custom(describe(cause))),
            Self::Forbidden { scope } => Self::Forbidden { scope: *scope },
            other => Self::internal(format!("{doing}: {other:?}")),
        }
    }

    /// Whether the same statements may succeed when they are run again (PostgreSQL 40001, 40P01).
    pub(crate) fn is_contention(&self) -> bool {
        matches!(self, Self::Unavailable(cause) if matches!(sql_state(cause).as_deref(), Some("40001" | "40P01")))
    }
}

/// As little as the log is told: a detail line must not get out by a `{:?}` either.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.code(), self.cause_for_log())
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

/// Never what quotes values, neither of a row nor of a request. PostgreSQL's data exceptions (class 22) do, and so does whatever
/// could not be read into a type of ours.
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

/// Whether a database error passes. PostgreSQL's classes that do: connection lost, contention, out of resources, told to stop
/// (57014: a statement that took too long). And two of other classes: a lock that was not to be had in time, a transaction that
/// was idle for too long. SQLite's: BUSY, LOCKED, IOERR, FULL; their extended forms share the low byte.
fn passes(code: &str) -> bool {
    if is_sqlstate(code) {
        ["08", "40", "53", "57"].iter().any(|class| code.starts_with(class))
            || matches!(code, "55P03" | "25P03")
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
            Error::Unavailable(_) => tracing::warn!(cause = error.cause_for_log(), "database unavailable"),
            Error::Internal(_) => tracing::error!(cause = error.cause_for_log(), "internal error"),
            Error::Unauthenticated => {}
        }
        let mut shown = async_graphql::Error::new(error.message());
        shown.extensions = Some(extensions);
        shown
    }
}

#[cfg(test)]
mod tests {
    use sqlx::error::{DatabaseError, ErrorKind};

    use super::*;

    /// What PostgreSQL says of a statement: a state, a message, and a detail line that quotes the row.
    #[derive(Debug)]
    struct Said {
        state: &'static str,
        #[expect(dead_code, reason = "only Debug prints it, as it prints that of the real one")]
        detail: &'static str,
    }

    impl fmt::Display for Said {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.message())
        }
    }

    impl std::error::Error for Said {}

    impl DatabaseError for Said {
        fn message(&self) -> &str {
            "a statement failed"
        }

        fn code(&self) -> Option<std::borrow::Cow<'_, str>> {
            Some(self.state.into())
        }

        fn kind(&self) -> ErrorKind {
            ErrorKind::Other
        }

        fn as_error(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
            self
        }

        fn as_error_mut(&mut self) -> &mut (dyn std::error::Error + Send + Sync + 'static) {
            self
        }

        fn into_error(self: Box<Self>) -> Box<dyn std::error::Error + Send + Sync + 'static> {
            self
        }
    }

    fn said(state: &'static str) -> Error {
        let said = Said { state, detail: "Key (national_id)=(419999197001010014) already exists." };
        let cause = sqlx::Error::Database(Box::new(said));
        DbErr::Exec(RuntimeErr::SqlxError(cause.into())).into()
    }

    #[test]
    fn the_log_is_not_told_what_a_row_holds() {
        for state in ["40001", "23505", "55P03"] {
            let error = said(state);
            let told = [error.cause_for_log(), format!("{error:?}")];
            for told in told {
                assert!(told.contains("a statement failed") && told.contains(state), "{told}");
                assert!(!told.contains("4199"), "{told}");
            }
        }
    }

    #[test]
    fn the_log_quotes_no_value() {
        assert_eq!(said("22P02").cause_for_log(), "a data exception [22P02]");
        let cause =
            sqlx::Error::ColumnDecode { index: "name".into(), source: "not a name: 李小明".into() };
        let decode = DbErr::Query(RuntimeErr::SqlxError(cause.into()));
        assert_eq!(Error::from(decode).cause_for_log(), "column name does not decode");
        let conversion = DbErr::Type("李小明 is no date".into());
        assert_eq!(Error::from(conversion).cause_for_log(), "sea-orm: Type");
    }

    #[test]
    fn what_passes_is_unavailable_and_the_rest_is_a_fault() {
        for passing in ["08006", "40001", "40P01", "53300", "55P03", "57014", "57P01", "25P03", "5", "261"] {
            assert!(matches!(said(passing), Error::Unavailable(_)), "{passing}");
        }
        // Taken for a number of SQLite's, 22021 and 42501 would end in BUSY.
        for fault in ["23505", "42P01", "55006", "25P02", "22001", "22021", "42501", "1", "19", "2067"] {
            assert!(matches!(said(fault), Error::Internal(_)), "{fault}");
        }
        assert!(said("40001").is_contention() && !said("55P03").is_contention());
    }
}
