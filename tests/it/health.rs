//! Health: the process, and whether the database is there in its current state.

use std::time::Duration;

use onestop::http::ready::{Readiness, State};
use reqwest::Client;
use sea_orm::ConnectionTrait;

use crate::harness::District;

#[tokio::test]
async fn health_is_open_and_nothing_else_is_there() {
    let district = District::new().await;
    let http = Client::new();
    for (path, status, text) in [
        ("/healthz", 200, "ok\n"),
        ("/readyz", 200, "ready\n"),
        ("/", 404, "There is nothing here; GraphQL is at /graphql.\n"),
        ("/graphql/", 404, "There is nothing here; GraphQL is at /graphql.\n"),
        ("/metrics", 404, "There is nothing here; GraphQL is at /graphql.\n"),
    ] {
        let response = http.get(format!("{}{path}", district.url)).send().await.unwrap();
        assert_eq!(response.status(), status, "{path}");
        assert_eq!(response.text().await.unwrap(), text, "{path}");
    }
    let last = "DELETE FROM seaql_migrations WHERE version = (SELECT MAX(version) FROM seaql_migrations)";
    district.database.change(last).await;
    let ready = async || http.get(format!("{}/readyz", district.url)).send().await.unwrap();
    // The answer before may be told for a moment longer.
    let behind = async {
        while ready().await.status() != 503 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), behind).await.expect("migrations are pending");
    let response = http.get(format!("{}/healthz", district.url)).send().await.unwrap();
    assert_eq!(response.status(), 200, "the process is well");
}

#[tokio::test]
async fn an_answer_is_good_for_a_moment() {
    let district = District::new().await;
    let remembering = Readiness::with_age(district.gate.clone(), Duration::from_secs(3600));
    let looking = Readiness::with_age(district.gate.clone(), Duration::ZERO);
    assert_eq!((remembering.state().await, looking.state().await), (State::Ready, State::Ready));
    district.database.change("DELETE FROM seaql_migrations").await;
    assert_eq!((remembering.state().await, looking.state().await), (State::Ready, State::MigrationsPending));
}

/// A server may have no right to build anything; and asking about health is no reason to.
#[tokio::test]
async fn asking_builds_nothing() {
    let district = District::new().await;
    district.database.change("DROP TABLE seaql_migrations").await;
    let readiness = Readiness::with_age(district.gate.clone(), Duration::ZERO);
    for _ in 0..2 {
        assert_eq!(readiness.state().await, State::MigrationsPending);
    }
    let look = district.database.look().await;
    let asked = look.execute_unprepared("SELECT version FROM seaql_migrations").await;
    assert!(asked.is_err(), "the table is there again");
}
