//! How large a run is.

use std::sync::LazyLock;

use tokio::sync::{Mutex, MutexGuard};

/// Whether `ONESTOP_PROOF=full` asks for the full size.
static FULL: LazyLock<bool> = LazyLock::new(|| match std::env::var("ONESTOP_PROOF").as_deref() {
    Err(_) | Ok("small") => false,
    Ok("full") => true,
    Ok(other) => panic!("ONESTOP_PROOF must be small or full, not {other}"),
});

/// The small size, or the full one.
pub fn of<T>(small: T, full: T) -> T {
    if *FULL { full } else { small }
}

/// The seeds of a run: so many, or the one that `ONESTOP_PROOF_SEED` names.
pub fn seeds(many: u64) -> Vec<u64> {
    match std::env::var("ONESTOP_PROOF_SEED") {
        Ok(seed) => vec![seed.parse().expect("ONESTOP_PROOF_SEED is a number")],
        Err(_) => (1..=many).collect(),
    }
}

/// Runs one after another: they measure times and use the whole machine.
pub async fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::const_new(());
    ALONE.lock().await
}
