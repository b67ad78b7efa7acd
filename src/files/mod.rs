//! What partners take home and bring along as files: the same answers as in `graph` and `actions`, as CSV, and never all in memory.

pub mod audit_trail;
pub mod csv;
pub mod ledger;
pub mod period;
pub mod reconciliation;
pub mod statement_lines;

use async_graphql::Value;
use async_graphql::resolver_utils::{EnumType, enum_value};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};

use crate::error::Result;

/// A file, piece by piece: whole lines each.
pub type Pieces = BoxStream<'static, Result<Vec<u8>>>;

/// Rows that are read, and held, at a time.
const ROWS_AT_A_TIME: u64 = 1_000;

/// The word of the contract.
fn word(value: impl EnumType) -> String {
    match enum_value(value) {
        Value::Enum(word) => word.to_string(),
        other => other.to_string(),
    }
}

/// Why a file that was brought, or what was asked of one, is refused; says what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1, at which it was found.
    pub line: Option<u64>,
    pub message: String,
    /// Not wrong, but more than is taken.
    pub too_much: bool,
}

impl Fault {
    fn of(message: impl Into<String>) -> Self {
        Self { line: None, message: message.into(), too_much: false }
    }

    fn at(line: u64, message: impl Into<String>) -> Self {
        Self { line: Some(line), ..Self::of(message) }
    }
}

/// A file of rows that are read page by page: `page` reads those after a key and writes them down, and tells the key after which
/// to go on, if at all.
fn pages<K, F, Reading>(header: &'static [&'static str], page: F) -> Pieces
where
    K: Send + 'static,
    F: Fn(Option<K>) -> Reading + Send + 'static,
    Reading: Future<Output = Result<(Vec<u8>, Option<K>)>> + Send,
{
    let begin = Some((page, None, csv::header(header)));
    let file = stream::try_unfold(begin, |state| async {
        let Some((page, after, mut piece)) = state else { return Ok(None) };
        let (rows, next) = page(after).await?;
        piece.extend(rows);
        Ok(Some((piece, next.map(|next| (page, Some(next), Vec::new())))))
    });
    file.boxed()
}

/// The key of the last row of a page after which there may be more.
fn next<R, K>(rows: &[R], key: impl FnOnce(&R) -> K) -> Option<K> {
    let full = u64::try_from(rows.len()).is_ok_and(|rows| rows >= ROWS_AT_A_TIME);
    rows.last().filter(|_| full).map(key)
}
