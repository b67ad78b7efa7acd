//! Writes the expiry of referrals that nobody answered in time; they read as expired before it comes.

use std::collections::HashMap;
use std::time::Duration;

use entity::kinds::Scope;

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
    pub async fn run(&mut self, gate: &Gate) -> Result<()> {
        let bureaus: Vec<String> =
            gate.directory().reference().await?.bureaus().map(|bureau| bureau.code.clone()).collect();
        for bureau in bureaus {
            let slice = self.enter(gate, &bureau).await?;
            loop {
                let waiting = due(&slice, BATCH).await?;
                for id in &waiting {
                    expire(&slice, *id).await?;
                }
                if !waiting.is_empty() {
                    tracing::info!(job = NAME, bureau, written = waiting.len(), "referrals expired");
                }
                if u64::try_from(waiting.len()).is_ok_and(|found| found < BATCH) {
                    break;
                }
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
