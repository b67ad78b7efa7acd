//! The demo district: the partner-facing part of 2016, from a seed, and life as it goes on today. Everybody in it is invented.
//!
//! What no partner does (partners, programmes, people, cards) is laid; everything else is done by the partners' own acts, through
//! the same rules and checks, in one transaction.

mod agencies;
mod budgets;
mod district;
mod hospitals;
mod people;
mod requests;
mod shops;

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use entity::partner;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::access::{Answered, Gate, IssueError, LoadingGate, Slice, scopes_of};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::rules::calendar::start_of_china_day;

pub use requests::{DemoRequest, fresh_requests, to_follow};

const SEED: u64 = 2016;
const TOKEN_LIFE: Duration = Duration::from_secs(3600);

/// How far a load has come: what is being done, how much of it, of how much.
pub type Progress<'a> = &'a (dyn Fn(&'static str, u64, u64) + Sync);

/// Whether the district is there already.
pub async fn is_loaded(gate: &Gate) -> Result<bool> {
    Ok(gate.partner(district::BUREAU).await?.is_some())
}

/// Code of a partner that only a demo district has.
pub const MARK: &str = district::HOSPITAL_153;

/// The partners of the loaded district, in the order in which they are shown.
pub async fn partners(gate: &Gate) -> Result<Vec<partner::Model>> {
    let mut partners = Vec::new();
    for partner in district::partners() {
        partners.extend(gate.partner(&partner.code).await?);
    }
    Ok(partners)
}

/// Loads the district: all of it or nothing.
pub async fn load(gate: &Gate, progress: Progress<'_>) -> Result<()> {
    let loading = gate.load().await?;
    fill(&loading, progress).await?;
    loading.commit().await?;
    while gate.number_events().await? > 0 {}
    while gate.seal_records().await? > 0 {}
    gate.database().analyze().await
}

async fn fill(loading: &LoadingGate, progress: Progress<'_>) -> Result<()> {
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let now = loading.gate().clock().now();
    let programmes = district::lay(loading, &mut rng, now).await?;
    let desks = Desks::open(loading.gate()).await?;
    budgets::appropriate_all(&desks, now).await?;
    let mut people = people::People::new(rng.clone());
    hospitals::settle_2016(loading, &desks, &mut people, &mut rng, progress).await?;
    shops::cards_of_2016(loading, &desks, &programmes, &mut people, &mut rng, progress).await?;
    shops::cards_of_today(loading, &desks, &programmes, &mut people, &mut rng, now).await?;
    agencies::refer_2016(loading, &desks, &mut people, &mut rng, progress).await?;
    agencies::refer_today(loading, &desks, &mut people, &mut rng, now).await?;
    hospitals::patient_of_the_readme(loading, &mut people, &mut rng).await
}

/// The slice of every partner while the district is loaded.
struct Desks(BTreeMap<String, Slice>);

impl Desks {
    async fn open(gate: &Gate) -> Result<Self> {
        let mut desks = BTreeMap::new();
        for partner in district::partners() {
            desks.insert(partner.code.clone(), enter(gate, &partner.code).await?);
        }
        Ok(Self(desks))
    }

    /// A partner's slice at a time of its past.
    fn at(&self, code: &str, instant: DateTime<Utc>) -> Result<Slice> {
        let slice =
            self.0.get(code).ok_or_else(|| Error::internal(format!("the demo has no partner {code}")))?;
        Ok(slice.at(Clock::new(move || instant)))
    }
}

/// A partner's slice, with everything that its kind may do.
async fn enter(gate: &Gate, code: &str) -> Result<Slice> {
    let partner = gate.partner(code).await?;
    let partner = partner.ok_or_else(|| Error::internal(format!("the demo has no partner {code}")))?;
    let token =
        gate.issue(code, &scopes_of(partner.kind), TOKEN_LIFE).await.map_err(|error| match error {
            IssueError::Failed(error) => error,
            other => Error::internal(format!("no token for {code}: {other:?}")),
        })?;
    gate.enter(&token).await
}

/// The result of an act that a partner of the demo must be allowed to do.
fn done<T>(what: &str, answered: Answered<T>) -> Result<T> {
    match answered.fresh {
        Some(rows) => Ok(rows),
        None => {
            Err(Error::internal(format!("the demo's {what} was refused: {:?}", answered.answer.refusals)))
        }
    }
}

/// An instant by the clock on the wall in China.
fn china_time(date: NaiveDate, hour: u32, minute: u32) -> DateTime<Utc> {
    let since_midnight = NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or_default() - NaiveTime::MIN;
    start_of_china_day(date) + since_midnight
}

/// A day of 2016, by its number from 0.
fn day_of_2016(number: u64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2016, 1, 1).unwrap_or_default() + Days::new(number)
}
