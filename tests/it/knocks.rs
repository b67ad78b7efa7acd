//! Whoever fails too often to prove who it is, is not listened to for a while.

use chrono::TimeDelta;
use entity::id::ClientId;
use onestop::http::{App, Settings};
use serde_json::Value;

use crate::harness::District;
use crate::harness::district::{OFFICE, SHOP, new_id};
use crate::harness::registered::Registered;

const PATHS: [&str; 3] = ["/oauth/token", "/oauth/revoke", "/oauth/introspect"];

async fn status(client: &Registered, url: &str, path: &str, secret: &str) -> u16 {
    client.ask(url, path, secret).await.status().as_u16()
}

#[tokio::test]
async fn a_client_that_fails_ten_times_in_a_minute_waits() {
    let district = District::new().await;
    let (client, other) =
        (district.registered(SHOP, |_| {}).await, district.registered(OFFICE, |_| {}).await);
    for number in 0..10 {
        assert_eq!(status(&client, &district.url, PATHS[number % 3], "wrong").await, 401);
    }
    for path in PATHS {
        for secret in ["wrong", &client.secret] {
            let shut = client.ask(&district.url, path, secret).await;
            assert_eq!(
                (shut.status().as_u16(), &shut.headers()["retry-after"]),
                (429, &"60".parse().unwrap())
            );
            let said: Value = shut.json().await.unwrap();
            assert_eq!(said["error"], "temporarily_unavailable");
        }
    }
    assert_eq!(
        status(&other, &district.url, PATHS[0], &other.secret).await,
        200,
        "others do not wait for it"
    );
    district.wait(TimeDelta::minutes(1));
    assert_eq!(status(&client, &district.url, PATHS[0], &client.secret).await, 200);
}

#[tokio::test]
async fn an_address_that_fails_sixty_times_in_a_minute_waits() {
    let district = District::new().await;
    let client = district.registered(SHOP, |_| {}).await;
    for _ in 0..60 {
        let nobody = Registered { id: new_id::<ClientId>(), partner: SHOP.into(), secret: String::new() };
        assert_eq!(status(&nobody, &district.url, PATHS[0], "wrong").await, 401);
    }
    assert_eq!(status(&client, &district.url, PATHS[0], &client.secret).await, 429);
}

#[tokio::test]
async fn nobody_shuts_a_client_out_from_elsewhere() {
    let district = District::new().await;
    let proxies = onestop::http::proxies::Proxies::new(vec!["127.0.0.0/8".parse().unwrap()]);
    let app = App::new(district.gate.clone()).set(Settings { proxies, ..Settings::default() });
    let url = district.serve_beside(app).await;
    let client = district.registered(SHOP, |_| {}).await;
    let from = async |address: &str, secret: &str| {
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={secret}",
            onestop::page::type_id(client.id)
        );
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
