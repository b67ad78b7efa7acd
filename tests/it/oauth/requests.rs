//! Requests that are not as they must be: nothing is issued.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Method, RequestBuilder};

use super::assert_refused;
use crate::harness::District;
use crate::harness::client::{ASSERTION_TYPE, Pair, Said, System, form};
use crate::harness::district::OFFICE;

const TYPE: &str = "application/x-www-form-urlencoded";

async fn refused(asked: RequestBuilder, status: u16, code: &str) {
    assert_refused(&Said::of(asked.send().await.unwrap()).await, status, code);
}

/// A good form, as text.
fn good(system: &System) -> String {
    form(&[
        ("grant_type", "client_credentials"),
        ("client_id", &system.id),
        ("client_secret", &system.secret),
    ])
}

async fn district_with_a_client() -> (District, System, i64) {
    let district = District::new().await;
    let system = district.client(OFFICE, |_| {}).await;
    let rows = district.database.rows("token").await;
    (district, system, rows)
}

fn post(system: &System, kind: &str, body: String) -> RequestBuilder {
    let url = format!("{}/oauth/token", system.url);
    reqwest::Client::new().post(url).header("content-type", kind).body(body)
}

#[tokio::test]
async fn only_client_credentials_are_granted() {
    let (district, system, rows) = district_with_a_client().await;
    for grant in [
        "authorization_code",
        "password",
        "refresh_token",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "Client_Credentials",
    ] {
        let fields = [("grant_type", grant), ("username", "a"), ("password", "b"), ("code", "c")];
        refused(system.post_proven("/oauth/token", &fields), 400, "unsupported_grant_type").await;
    }
    refused(system.post_proven("/oauth/token", &[]), 400, "invalid_request").await;
    refused(system.post_proven("/oauth/token", &[("grant_type", "")]), 400, "invalid_request").await;
    assert_eq!(district.database.rows("token").await, rows);
}

#[tokio::test]
async fn each_parameter_stands_once() {
    let (district, system, rows) = district_with_a_client().await;
    for again in ["grant_type", "client_id", "client_secret", "scope", "resource"] {
        let value = match again {
            "grant_type" => "client_credentials",
            "client_id" => &system.id,
            "client_secret" => &system.secret,
            "scope" => "REFERRAL_READ",
            _ => &system.url,
        };
        let twice = form(&[(again, value), (again, value)]);
        refused(post(&system, TYPE, format!("{}&{twice}", good(&system))), 400, "invalid_request").await;
    }
    assert_eq!(district.database.rows("token").await, rows);
}

#[tokio::test]
async fn nothing_stands_in_the_address() {
    let (district, system, rows) = district_with_a_client().await;
    let http = reqwest::Client::new();
    for path in ["/oauth/token", "/oauth/revoke", "/oauth/introspect"] {
        let url = format!("{}{path}?{}", system.url, good(&system));
        let asked = http.post(&url).header("content-type", TYPE).body(good(&system));
        refused(asked, 400, "invalid_request").await;
        refused(http.post(&url).header("content-type", TYPE), 400, "invalid_request").await;
        refused(http.get(&url), 405, "invalid_request").await;
    }
    assert_eq!(district.database.rows("token").await, rows);
}

#[tokio::test]
async fn only_by_post() {
    let (_district, system, _) = district_with_a_client().await;
    for path in ["/oauth/token", "/oauth/revoke", "/oauth/introspect"] {
        for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
            let asked = reqwest::Client::new().request(method, format!("{}{path}", system.url));
            let asked = asked.header("content-type", TYPE).body(good(&system));
            let said = Said::of(asked.send().await.unwrap()).await;
            assert_refused(&said, 405, "invalid_request");
            assert_eq!(said.header("allow"), "POST");
        }
    }
}

#[tokio::test]
async fn only_a_form() {
    let (district, system, rows) = district_with_a_client().await;
    for kind in ["application/json", "text/plain", "multipart/form-data; boundary=x", "", "form"] {
        refused(post(&system, kind, good(&system)), 400, "invalid_request").await;
    }
    let bare = reqwest::Client::new().post(format!("{}/oauth/token", system.url)).body(good(&system));
    refused(bare, 400, "invalid_request").await;
    let long = format!("{}&padding={}", good(&system), "x".repeat(33 * 1024));
    refused(post(&system, TYPE, long), 400, "invalid_request").await;
    let other = good(&system).replace("onestop_secret", "%FF%FE");
    refused(post(&system, TYPE, other), 401, "invalid_client").await;
    assert_eq!(district.database.rows("token").await, rows);
    let stated = post(&system, &format!("{TYPE};charset=UTF-8"), good(&system)).send().await.unwrap();
    assert_eq!(stated.status(), 200);
}

#[tokio::test]
async fn a_client_proves_itself_in_one_way() {
    let (district, system, rows) = district_with_a_client().await;
    let other = district.client(OFFICE, |_| {}).await;
    let pair = Pair::ed25519(7);
    let with_keys = district.client_with_keys(OFFICE, &[&pair]).await;
    let rows = rows.max(district.database.rows("token").await);
    let header = format!("Basic {}", STANDARD.encode(format!("{}:{}", system.id, system.secret)));
    let assertion =
        pair.sign(&serde_json::json!({ "alg": "EdDSA", "typ": "JWT" }), &district.assertion(&with_keys));
    let asserted = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", assertion.as_str()),
    ];
    let by_header = |body: String| post(&system, TYPE, body).header("authorization", &header);
    refused(by_header(good(&system)), 400, "invalid_request").await;
    refused(by_header(form(&asserted)), 400, "invalid_request").await;
    let both = [&asserted[..], &[("client_id", &system.id), ("client_secret", &system.secret)]].concat();
    refused(system.post("/oauth/token", &both), 400, "invalid_request").await;
    let named_otherwise = [("grant_type", "client_credentials"), ("client_id", &other.id)];
    refused(by_header(form(&named_otherwise)), 400, "invalid_request").await;
    let twice = by_header(form(&asserted[..1])).header("authorization", &header);
    refused(twice, 401, "invalid_client").await;
    for kind in ["", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"] {
        let mut strange = asserted;
        strange[1].1 = kind;
        refused(system.post("/oauth/token", &strange), 400, "invalid_request").await;
    }
    assert_eq!(district.database.rows("token").await, rows);
    assert_eq!(district.database.rows("client_assertion").await, 0);
    assert_eq!(with_keys.ask_by_assertion(&assertion).await.status, 200, "nothing of it was used");
}

#[tokio::test]
async fn a_token_is_for_this_server_alone() {
    let (district, system, rows) = district_with_a_client().await;
    for resource in ["https://elsewhere.example", "/graphql", &format!("{}/graphql", system.url)] {
        let fields = [("grant_type", "client_credentials"), ("resource", resource)];
        refused(system.post_proven("/oauth/token", &fields), 400, "invalid_target").await;
    }
    assert_eq!(district.database.rows("token").await, rows);
    assert_eq!(system.ask(&[("resource", &system.url)]).await.status, 200);
    assert_eq!(system.ask(&[("nonsense", "is passed over")]).await.status, 200);
}
