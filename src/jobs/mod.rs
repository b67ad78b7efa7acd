//! What runs by the clock, each job owned by one process at a time.

pub mod expiry;

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

use crate::access::Gate;
use crate::error::Result;

/// How long a process owns a job without saying so again.
const LEASE: Duration = Duration::from_secs(10);
/// How often it says so.
const RENEWED: Duration = Duration::from_secs(3);

/// How often each job looks for something to do.
const EXPIRY: Duration = Duration::from_secs(15);
const FEED: Duration = Duration::from_millis(250);
const SEALING: Duration = Duration::from_secs(1);
const LOOKS: Duration = Duration::from_millis(500);
const KEYS: Duration = Duration::from_secs(2);
const ASSERTIONS: Duration = Duration::from_secs(600);

/// Runs all jobs until told to stop; what waits in this process to be written is written at the end.
pub async fn run(gate: Gate, stop: watch::Receiver<bool>) {
    let expiring = Job::new(&gate, Work::Expire(expiry::Expiry::default())).run(stop.clone());
    let numbering = Job::new(&gate, Work::Number).run(stop.clone());
    let sealing = Job::new(&gate, Work::Seal).run(stop.clone());
    let forgetting = Job::new(&gate, Work::ForgetAssertions).run(stop.clone());
    let keys = take_keys(&gate, stop.clone());
    tokio::join!(expiring, numbering, sealing, forgetting, write_looks(&gate, stop), keys);
}

/// What a job does.
enum Work {
    /// Writes the expiry of referrals.
    Expire(expiry::Expiry),
    /// Gives events their places in the feed.
    Number,
    /// Seals the audit trail.
    Seal,
    /// Forgets the assertions of clients that have run out.
    ForgetAssertions,
}

impl Work {
    const fn name(&self) -> &'static str {
        match self {
            Self::Expire(_) => expiry::NAME,
            Self::Number => "number events",
            Self::Seal => "seal the audit trail",
            Self::ForgetAssertions => "forget assertions",
        }
    }

    const fn interval(&self) -> Duration {
        match self {
            Self::Expire(_) => EXPIRY,
            Self::Number => FEED,
            Self::Seal => SEALING,
            Self::ForgetAssertions => ASSERTIONS,
        }
    }

    async fn run(&mut self, gate: &Gate, stop: &watch::Receiver<bool>) -> Result<()> {
        match self {
            Self::Expire(expiry) => expiry.run(gate, stop).await,
            Self::Number => {
                while !*stop.borrow() && gate.number_events().await? > 0 {}
                Ok(())
            }
            Self::Seal => {
                while !*stop.borrow() && gate.seal_records().await? > 0 {}
                Ok(())
            }
            Self::ForgetAssertions => gate.forget_assertions().await.map(drop),
        }
    }
}

/// Every process writes its own looks.
async fn write_looks(gate: &Gate, mut stop: watch::Receiver<bool>) {
    loop {
        let stopping = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => true,
            () = tokio::time::sleep(LOOKS) => false,
        };
        if let Err(error) = gate.write_looks().await {
            tracing::error!(cause = error.cause_for_log(), "looks at personal data wait to be recorded");
        }
        if stopping {
            return;
        }
    }
}

/// Every process takes the signing keys of a rotation.
async fn take_keys(gate: &Gate, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(KEYS) => {}
        }
        if let Err(error) = gate.reload_keys().await {
            tracing::error!(cause = error.cause_for_log(), "the keys of before are used");
        }
    }
}

/// One job of this process.
struct Job<'a> {
    gate: &'a Gate,
    work: Work,
    owner: Uuid,
    owned: Option<Instant>,
}

impl<'a> Job<'a> {
    fn new(gate: &'a Gate, work: Work) -> Self {
        Self { gate, work, owner: Uuid::now_v7(), owned: None }
    }

    async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let name = self.work.name();
        loop {
            let rest = match self.owns().await {
                Ok(true) => {
                    if let Err(error) = self.work.run(self.gate, &stop).await {
                        let cause = error.cause_for_log();
                        tracing::error!(cause, job = name, "a job failed; it will run again");
                    }
                    self.work.interval()
                }
                // Somebody else has it, for a while at least.
                Ok(false) => RENEWED,
                Err(error) => {
                    let cause = error.cause_for_log();
                    tracing::warn!(cause, job = name, "no lease could be taken");
                    RENEWED
                }
            };
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(rest) => {}
            }
        }
    }

    async fn owns(&mut self) -> Result<bool> {
        if self.owned.is_some_and(|since| since.elapsed() < RENEWED) {
            return Ok(true);
        }
        let owned = self.gate.take_lease(self.work.name(), self.owner, LEASE).await;
        self.owned = matches!(owned, Ok(true)).then(Instant::now);
        owned
    }
}
