//! Whoever fails too often to prove who it is, is not listened to for a while.

use chrono::TimeDelta;
use entity::id::ClientId;
use onestop::http::{App, Settings};
use onestop::page::type_id;

use crate::harness::District;
use crate::harness::client::{Said, System};
use crate::harness::district::{OFFICE, SHOP, new_id};

const PATHS: [&str; 3] = ["/oauth/token", "/oauth/revoke", "/oauth/introspect"];

/// Asks under a client's name.
async fn asked(client: &System, id: &str, path: &str, secret: &str) -> Said {
    let fields =
        [("grant_type", "client_credentials"), ("token", "x"), ("client_id", id), ("client_secret", secret)];
    Said::of(client.post(path, &fields).send().await.unwrap()).await
}

async fn status(client: &System, path: &str, secret: &str) -> u16 {
    asked(client, &client.id, path, secret).await.status
}

#[tokio::test]
async fn a_client_that_fails_ten_times_in_a_minute_waits() {
    let district = District::new().await;
    let (client, other) = (district.client(SHOP, |_| {}).await, district.client(OFFICE, |_| {}).await);
    for number in 0..10 {
        assert_eq!(status(&client, PATHS[number % 3], "wrong").await, 401);
    }
    for path in PATHS {
        for secret in ["wrong", &client.secret] {
            let shut = asked(&client, &client.id, path, secret).await;
            assert_eq!((shut.status, shut.header("retry-after")), (429, "60"));
            assert_eq!(shut.error(), "temporarily_unavailable");
        }
    }
    assert_eq!(status(&other, PATHS[0], &other.secret).await, 200, "others do not wait for it");
    district.wait(TimeDelta::minutes(1));
    assert_eq!(status(&client, PATHS[0], &client.secret).await, 200);
}

#[tokio::test]
async fn an_address_that_fails_sixty_times_in_a_minute_waits() {
    let district = District::new().await;
    let client = district.client(SHOP, |_| {}).await;
    for _ in 0..60 {
        let nobody = type_id(new_id::<ClientId>());
        assert_eq!(asked(&client, &nobody, PATHS[0], "wrong").await.status, 401);
    }
    assert_eq!(status(&client, PATHS[0], &client.secret).await, 429);
}

#[tokio::test]
async fn nobody_shuts_a_client_out_from_elsewhere() {
    let district = District::new().await;
    let proxies = onestop::http::proxies::Proxies::new(vec!["127.0.0.0/8".parse().unwrap()]);
    let app = App::new(district.gate.clone()).set(Settings { proxies, ..Settings::default() });
    let url = district.serve_beside(app).await;
    let client = district.client(SHOP, |_| {}).await;
    let from = async |address: &str, secret: &str| {
        let form = format!("grant_type=client_credentials&client_id={}&client_secret={secret}", client.id);
        let asked = reqwest::Client::new()
            .post(format!("{url}/oauth/token"))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("x-forwarded-for", address);
        asked.body(form).send().await.unwrap().status().as_u16()
    };
    for _ in 0..10 {
        assert_eq!(from("198.51.100.7", "wrong").await, 401);
    }
    assert_eq!(from("198.51.100.7", &client.secret).await, 429);
    assert_eq!(from("198.51.100.8", &client.secret).await, 200);
}
