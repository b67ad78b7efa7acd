//! Nobody waits for others for ever: what takes too long is unavailable, and may be asked for again.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use entity::id::ReferralId;
use entity::kinds::Scope;
use entity::lease;
use futures_util::FutureExt;
use onestop::access::{Act, Database, Gate, Intent, Keys, Outcome, Patience, Slice, scopes_of};
use onestop::actions::expire_referral::expire;
use onestop::clock::Clock;
use onestop::error::{Result, code};
use onestop::page::key_of;
use sea_orm::{ConnectionTrait, DatabaseTransaction, TransactionTrait};
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::harness::District;
use crate::harness::database::postgres;
use crate::harness::district::{BUREAU, DPF, OFFICE, PARTNERS};
use crate::harness::partner::new_key;
use crate::harness::referring::request;

const SHORT: Duration = Duration::from_millis(50);
/// Longer than any test runs.
const LONG: Duration = Duration::from_secs(600);
const PATIENT: Patience = Patience { writing: LONG, lock: LONG, statement: LONG, idle: LONG };

/// A bureau that waits for others as long as its database is told to, and a referral that it may expire.
struct Bureau {
    district: District,
    gate: Gate,
    slice: Slice,
    referral: ReferralId,
}

impl Bureau {
    async fn with(patience: Patience) -> Self {
        let district = District::new().await;
        let person = district.person("王小红", &[]).await;
        let office = district.partner(OFFICE).await;
        let id = office.refer(request(DPF, &person)).await;
        let due = office.referral(&id, "dueAt").await["dueAt"].as_str().unwrap().parse::<DateTime<Utc>>();
        let due = due.unwrap();
        let database = Database::open_with(&district.database.url, patience).await.unwrap();
        let gate = Gate::new(database, Arc::new(Keys::ephemeral().unwrap()), Clock::new(move || due));
        let kind = PARTNERS.iter().find(|(code, _, _)| *code == BUREAU).unwrap().1;
        let token = gate.issue(BUREAU, &scopes_of(kind), Duration::from_secs(60)).await.unwrap();
        let slice = gate.enter(&token).await.unwrap();
        Self { referral: key_of(&id).unwrap(), district, gate, slice }
    }

    /// An act that goes on once there is a place for it.
    async fn act(&self, places: &Semaphore) -> Result<()> {
        async fn work(_: &mut Act, places: &Semaphore) -> Result<Outcome<()>> {
            let _place = places.acquire().await;
            Ok(Outcome::Done(String::new(), ()))
        }
        let key = new_key();
        let intent = Intent {
            scope: Scope::ReferralWrite,
            mutation: "act",
            key: &key,
            input: async_graphql::Value::Null,
            operator: None,
        };
        let answered = self.slice.act(intent, places, |act, places| work(act, places).boxed()).await;
        answered.map(|_| ())
    }

    async fn expire(&self) -> Result<bool> {
        expire(&self.slice, self.referral).await
    }

    /// Another transaction that holds what a statement takes.
    async fn other(&self, statement: &str) -> DatabaseTransaction {
        let other = self.district.database.look().await.begin().await.unwrap();
        other.execute_unprepared(statement).await.unwrap();
        other
    }
}

fn unavailable<T>(result: Result<T>) {
    let error = result.err().expect("it waited");
    assert_eq!(error.code(), code::UNAVAILABLE, "{error:?}");
}

#[tokio::test]
async fn the_right_to_write_is_not_waited_for_for_ever() {
    let bureau = Bureau::with(Patience { writing: SHORT, ..PATIENT }).await;
    let places = Semaphore::new(0);
    let one_more_than_may = (0..9).map(|_| bureau.act(&places).boxed_local());
    let (first, _, others) = futures_util::future::select_all(one_more_than_may).await;
    unavailable(first);
    places.add_permits(9);
    let ended = futures_util::future::join_all(others).await;
    assert!(ended.iter().any(Result::is_ok), "who had the right is not disturbed");
    bureau.act(&places).await.unwrap();
}

#[tokio::test]
async fn a_lock_is_not_waited_for_for_ever() {
    let Some(_) = postgres() else { return };
    let bureau = Bureau::with(Patience { lock: SHORT, ..PATIENT }).await;
    let other = bureau.other("SELECT id FROM referral FOR UPDATE").await;
    unavailable(bureau.expire().await);
    other.rollback().await.unwrap();
    assert!(bureau.expire().await.unwrap(), "the same act, sent again");
}

#[tokio::test]
async fn a_statement_does_not_run_for_ever() {
    let Some(_) = postgres() else { return };
    let bureau = Bureau::with(Patience { statement: SHORT * 10, ..PATIENT }).await;
    let other = bureau.other("SELECT id FROM referral FOR UPDATE").await;
    unavailable(bureau.expire().await);
    other.rollback().await.unwrap();
    assert!(bureau.expire().await.unwrap(), "the same act, sent again");
}

#[tokio::test]
async fn an_idle_transaction_gives_its_locks_back() {
    let Some(_) = postgres() else { return };
    let bureau = Bureau::with(Patience { idle: SHORT, ..PATIENT }).await;
    let places = Semaphore::new(0);
    let late = async {
        tokio::time::sleep(SHORT * 6).await;
        places.add_permits(1);
    };
    let (ended, ()) = tokio::join!(bureau.act(&places), late);
    unavailable(ended);
    bureau.act(&places).await.unwrap();
}

/// What fills tables or builds them is held up by others for longer than a request's statement may take.
#[tokio::test]
async fn loading_and_building_take_the_time_that_they_need() {
    let Some(_) = postgres() else { return };
    let statement = SHORT * 10;
    let bureau = Bureau::with(Patience { statement, ..PATIENT }).await;
    let lease = lease::Model { name: "a job".into(), owner: Uuid::now_v7(), until: Utc::now() };
    let held_up = async |by: DatabaseTransaction| {
        tokio::time::sleep(SHORT * 16).await;
        by.rollback().await.unwrap();
    };
    let load = async {
        let load = bureau.gate.load().await?;
        load.lay::<lease::Entity>(vec![lease]).await?;
        load.commit().await
    };
    let other = bureau.other("LOCK TABLE lease IN SHARE MODE").await;
    let (loaded, ()) = tokio::join!(load, held_up(other));
    loaded.unwrap();
    assert_eq!(bureau.district.database.rows("lease").await, 1);

    let database = bureau.gate.database();
    let other = bureau.other("LOCK TABLE lease IN ACCESS SHARE MODE").await;
    let (built, ()) = tokio::join!(database.start_over(), held_up(other));
    built.unwrap();
    assert_eq!(bureau.district.database.rows("lease").await, 0);
    database.analyze().await.unwrap();
}
