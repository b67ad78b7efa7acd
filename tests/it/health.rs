//! Health: the process, and whether the database is there in its current state.

use reqwest::Client;

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
    let look = district.database.look().await;
    sea_orm::ConnectionTrait::execute_unprepared(
        &look,
        "DELETE FROM seaql_migrations WHERE version = (SELECT MAX(version) FROM seaql_migrations)",
    )
    .await
    .unwrap();
    let response = http.get(format!("{}/readyz", district.url)).send().await.unwrap();
    assert_eq!(response.status(), 503, "migrations are pending");
    let response = http.get(format!("{}/healthz", district.url)).send().await.unwrap();
    assert_eq!(response.status(), 200, "the process is well");
}
