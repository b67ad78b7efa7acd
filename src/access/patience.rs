//! How long a request waits for others, and how long it may keep others waiting.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DatabaseTransaction};

use crate::error::Result;

/// What is over is answered as unavailable: the same request may be sent again.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For the right to write, while others have it.
    pub writing: Duration,
    /// For a lock that another transaction has; PostgreSQL alone, as the next two.
    pub lock: Duration,
    /// For one statement.
    pub statement: Duration,
    /// For a transaction's next statement; after that its locks are taken from it.
    pub idle: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            writing: Duration::from_secs(5),
            lock: Duration::from_secs(3),
            statement: Duration::from_secs(10),
            idle: Duration::from_secs(15),
        }
    }
}

const LOCK: &str = "lock_timeout";
const STATEMENT: &str = "statement_timeout";
const IDLE: &str = "idle_in_transaction_session_timeout";

impl Patience {
    /// The settings of a PostgreSQL connection.
    pub(super) fn settings(self) -> [(&'static str, String); 3] {
        let millis = |time: Duration| format!("{}ms", time.as_millis());
        [(LOCK, millis(self.lock)), (STATEMENT, millis(self.statement)), (IDLE, millis(self.idle))]
    }
}

/// Lets the statements of one transaction on PostgreSQL take as long as they need: what builds tables, or fills them.
pub(super) async fn no_hurry(transaction: &DatabaseTransaction) -> Result<()> {
    for setting in [STATEMENT, IDLE] {
        transaction.execute_unprepared(&format!("SET LOCAL {setting} = 0")).await?;
    }
    Ok(())
}
