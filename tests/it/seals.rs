//! Seals over the audit trail.

use std::time::Duration;

use chrono::TimeDelta;
use onestop::http::ready::{Readiness, State};
use sea_orm::ConnectionTrait;

use crate::harness::Town;
use crate::harness::database::postgres;

#[tokio::test]
async fn every_record_comes_under_a_seal_once_and_in_order() {
    let town = Town::new().await;
    let (gate, database) = (&town.district.gate, &town.district.database);
    assert_eq!(database.number("SELECT COUNT(*) FROM audit_record WHERE seal_number IS NULL").await, 0);
    assert_eq!(gate.seal_records().await.unwrap(), 0, "nothing waits");
    let card = town.district.card("1.00").await;
    assert!(!card.is_empty());
    assert_eq!(gate.seal_records().await.unwrap(), 1);
    assert_eq!(database.rows("seal").await, 2);
    let covered = database.number("SELECT CAST(SUM(records) AS bigint) FROM seal").await;
    assert_eq!(covered, database.rows("audit_record").await);
    let wrong = "SELECT COUNT(*) FROM seal WHERE records <> (SELECT MAX(place) FROM audit_record WHERE seal_number = number)";
    assert_eq!(database.number(wrong).await, 0);
}

#[tokio::test]
async fn two_who_seal_at_once_seal_everything_once() {
    let town = Town::new().await;
    let (gate, database) = (&town.district.gate, &town.district.database);
    for _ in 0..20 {
        town.district.card("1.00").await;
    }
    let both = tokio::join!(gate.seal_records(), gate.seal_records());
    assert!(both.0.is_ok() || both.1.is_ok());
    while gate.seal_records().await.unwrap() > 0 {}
    let covered = database.number("SELECT CAST(SUM(records) AS bigint) FROM seal").await;
    assert_eq!(covered, database.rows("audit_record").await);
}

#[tokio::test]
async fn a_sealed_trail_is_not_changed_by_hand() {
    let town = Town::new().await;
    town.district.card("1.00").await;
    let look = town.district.database.look().await;
    let mut tries = vec![
        "UPDATE audit_record SET act = 'nothing'",
        "UPDATE audit_record SET seal_number = 7, place = 7 WHERE seal_number = 1",
        "DELETE FROM audit_record",
        "UPDATE seal SET records = 0",
        "DELETE FROM seal",
    ];
    if postgres().is_some() {
        tries.extend(["TRUNCATE audit_record CASCADE", "TRUNCATE seal"]);
    }
    for sql in tries {
        let refused = look.execute_unprepared(sql).await.unwrap_err().to_string();
        assert!(refused.contains("kept for ever"), "{sql}: {refused}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_seal_is_not_ready() {
    let town = Town::new().await;
    let readiness = Readiness::with_age(town.district.gate.clone(), Duration::ZERO);
    town.district.card("1.00").await;
    town.district.wait(TimeDelta::seconds(60));
    assert_eq!(readiness.state().await, State::Ready);
    town.district.wait(TimeDelta::seconds(1));
    assert_eq!(readiness.state().await, State::NotSealed);
    town.district.gate.seal_records().await.unwrap();
    assert_eq!(readiness.state().await, State::Ready);
}
