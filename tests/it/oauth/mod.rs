//! The authorisation server on the wire: how systems of partners get their tokens, and how tokens end.

mod assertions;
mod ends;
mod introspection;
mod metadata;
mod possession;
mod proofs;
mod requests;
mod secrets;
mod staff;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::District;
use crate::harness::client::Said;

/// By then nothing opens any more.
const SOON: Duration = Duration::from_secs(5);

const VIEWER: &str = "{ viewer { partner { code } scopes } }";

async fn ask(district: &District, token: &str) -> (u16, Value) {
    let asked = reqwest::Client::new().post(format!("{}/graphql", district.url)).bearer_auth(token);
    let response = asked.json(&json!({ "query": VIEWER })).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

/// The scopes that a token opens.
async fn scopes(district: &District, token: &str) -> Vec<String> {
    let (status, body) = ask(district, token).await;
    assert_eq!(status, 200, "{body}");
    serde_json::from_value(body["data"]["viewer"]["scopes"].clone()).unwrap()
}

/// Fails unless the token opens nothing any more within five seconds.
async fn assert_ends(district: &District, token: &str) {
    let begun = Instant::now();
    while ask(district, token).await.0 == 200 {
        assert!(begun.elapsed() < SOON, "it still opens");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(ask(district, token).await.0, 401);
}

/// A refusal as RFC 6749 §5.2 has it; its words keep to the signs that are allowed there.
fn assert_refused(said: &Said, status: u16, code: &str) {
    assert_eq!((said.status, said.error()), (status, code), "{said:?}");
    assert_eq!(said.header("cache-control"), "no-store");
    assert!(said.header("content-type").starts_with("application/json"), "{said:?}");
    let members: Vec<&String> = said.body.as_object().unwrap().keys().collect();
    assert_eq!(members, ["error", "error_description"]);
    let words = said.body["error_description"].as_str().unwrap();
    let allowed = |sign: char| (' '..='~').contains(&sign) && !matches!(sign, '"' | '\\');
    assert!(!words.is_empty() && words.chars().all(allowed), "{words}");
    assert_eq!(said.header("www-authenticate").starts_with("Basic "), status == 401, "{said:?}");
}
