//! What runs by the clock, each job owned by one process at a time.

pub mod expiry;

use std::time::Duration;

use tokio::sync::watch;
use uuid::Uuid;

use crate::access::Gate;

/// How often the jobs look.
const INTERVAL: Duration = Duration::from_secs(15);
/// How long a process owns a job without saying so again.
const LEASE: Duration = Duration::from_secs(60);

/// Runs all jobs until told to stop.
pub async fn run(gate: Gate, mut stop: watch::Receiver<bool>) {
    let owner = Uuid::now_v7();
    let mut expiry = expiry::Expiry::default();
    loop {
        match gate.take_lease(expiry::NAME, owner, LEASE).await {
            Ok(true) => {
                if let Err(error) = expiry.run(&gate, &stop).await {
                    let cause = error.cause_for_log();
                    tracing::error!(cause, job = expiry::NAME, "a job failed; it will run again");
                }
            }
            Ok(false) => {}
            Err(error) => {
                let cause = error.cause_for_log();
                tracing::warn!(cause, job = expiry::NAME, "no lease could be taken");
            }
        }
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(INTERVAL) => {}
        }
    }
}
