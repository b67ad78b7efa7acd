//! A running server takes the keys of a rotation without a restart.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::decode_header;
use tokio::time::Instant;

use super::super::token::Gate;
use super::envelope::Personal;
use super::{Keys, folder};
use crate::error::{Error, Result};

/// Tokens of unknown keys, which anybody can make, have the folder read no more often.
const SELDOM: Duration = Duration::from_secs(1);

impl Keys {
    /// Takes the ring and the data keys that are in the folder now; what cannot be read is kept as it was. It reads files, and waits for them.
    fn reload(&self) -> io::Result<()> {
        if let Some((folder, master)) = &self.home {
            self.put_ring(folder::ring_in(folder)?);
            self.put_data(Personal::kept(folder, master)?.data);
        }
        Ok(())
    }
}

impl Gate {
    /// Takes the keys that are in the folder now.
    pub async fn reload_keys(&self) -> Result<()> {
        let keys = Arc::clone(self.shared_keys());
        tokio::task::spawn_blocking(move || keys.reload())
            .await
            .map_err(|error| Error::internal(format!("reading the keys: {error}")))?
            .map_err(|error| Error::internal(format!("the signing keys cannot be read: {error}")))
    }

    /// Looks for the key of a token when this server does not know it. Requests that come meanwhile wait for it.
    pub(in super::super) async fn look_for_key_of(&self, bearer: &str) {
        let Some(kid) = decode_header(bearer).ok().and_then(|header| header.kid) else { return };
        if self.keys().verifying(&kid).is_some() {
            return;
        }
        let mut looked = self.keys().looked.lock().await;
        if self.keys().verifying(&kid).is_some() || looked.is_some_and(|at| at.elapsed() < SELDOM) {
            return;
        }
        *looked = Some(Instant::now());
        if let Err(error) = self.reload_keys().await {
            tracing::error!(cause = error.cause_for_log(), "the keys of before are used");
        }
    }
}
