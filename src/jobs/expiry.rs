//! Writes the expiry of referrals that nobody answered in time; they read as expired before it comes.

use std::collections::HashMap;
use std::time::Duration;

use entity::kinds::Scope;
use tokio::sync::watch;

use crate::access::{Gate, IssueError, Slice};
use crate::actions::expire_referral::{due, expire};
use crate::error::{Error, Result};

pub const NAME: &str = "expire referrals";

/// How many are written in one go.
const BATCH: u64 = 200;
const TOKEN_LIFE: Duration = Duration::from_secs(24 * 3600);
const SCOPES: [Scope; 2] = [Scope::ReferralRead, Scope::ReferralWrite];

/// The job; it acts as each bureau, with a token of its own.
#[derive(Default)]
pub struct Expiry {
    tokens: HashMap<String, String>,
}

impl Expiry {
    pub async fn run(&mut self, gate: &Gate, stop: &watch::Receiver<bool>) -> Result<()> {
        let bureaus: Vec<String> =
            gate.directory().reference().await?.bureaus().map(|bureau| bureau.code.clone()).collect();
        for bureau in bureaus {
            let slice = self.enter(gate, &bureau).await?;
            let written = expire_all(&slice, BATCH, stop).await?;
            if written > 0 {
                tracing::info!(job = NAME, bureau, written, "referrals expired");
            }
        }
        Ok(())
    }

    /// The bureau's slice; a token that has run out is replaced.
    async fn enter(&mut self, gate: &Gate, bureau: &str) -> Result<Slice> {
        if let Some(token) = self.tokens.get(bureau)
            && let Ok(slice) = gate.enter(token).await
        {
            return Ok(slice);
        }
        let token = gate.issue(bureau, &SCOPES, TOKEN_LIFE).await.map_err(|error| match error {
            IssueError::Failed(error) => error,
            other => Error::internal(format!("no token for a job: {other:?}")),
        })?;
        let slice = gate.enter(&token).await?;
        self.tokens.insert(bureau.to_owned(), token);
        Ok(slice)
    }
}

/// Writes the expiry of everything in a slice that is due, so many in one go, and tells of how many it did. It ends when nothing is
/// left, when nothing that is left can be expired, or when the process is told to stop.
pub async fn expire_all(slice: &Slice, batch: u64, stop: &watch::Receiver<bool>) -> Result<u64> {
    let mut written = 0;
    loop {
        let waiting = due(slice, batch).await?;
        let before = written;
        for id in waiting {
            if *stop.borrow() {
                return Ok(written);
            }
            written += u64::from(expire(slice, id).await?);
        }
        if written == before {
            return Ok(written);
        }
    }
}
