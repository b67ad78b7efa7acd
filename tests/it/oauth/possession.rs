//! Tokens that are bound to a key (RFC 9449), where everything is as it must be.

use onestop::access::{Proof, counting};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::assert_refused;
use crate::harness::District;
use crate::harness::client::{Pair, Said, part_of};
use crate::harness::district::{OFFICE, SHOP};
use crate::harness::follower::{EVENTS, Stream};

const GRANT: [(&str, &str); 1] = [("grant_type", "client_credentials")];

fn with(asked: RequestBuilder, token: &str, proof: &str) -> RequestBuilder {
    asked.header("authorization", format!("DPoP {token}")).header("dpop", proof)
}

#[tokio::test]
async fn a_client_gets_a_nonce_and_then_a_token_for_its_key() {
    let district = District::new().await;
    let system = district.client(OFFICE, |_| {}).await;
    for pair in [Pair::ed25519(7), Pair::p256(7)] {
        let first = district.proving(&pair, "POST", "/oauth/token", None).saying("nonce", Value::Null);
        let said = system.post_proven("/oauth/token", &GRANT).header("dpop", first).send().await.unwrap();
        let said = Said::of(said).await;
        assert_refused(&said, 400, "use_dpop_nonce");
        let nonce = said.header("dpop-nonce").to_owned();
        assert!(!nonce.is_empty());
        let second = district.proving(&pair, "POST", "/oauth/token", None).saying("nonce", json!(nonce));
        let said = system.post_proven("/oauth/token", &GRANT).header("dpop", second).send().await.unwrap();
        let said = Said::of(said).await;
        assert_eq!((said.status, &said.body["token_type"]), (200, &json!("DPoP")), "{said:?}");
        assert_eq!(part_of(&said.token(), 1)["cnf"], json!({ "jkt": pair.thumbprint() }));
    }
}

#[tokio::test]
async fn a_client_of_bound_tokens_gets_no_other() {
    let district = District::new().await;
    let system = district.client(OFFICE, |client| client.sender_constrained = true).await;
    let rows = district.database.rows("token").await;
    assert_refused(&system.ask(&[]).await, 400, "invalid_request");
    let said = system.post_proven("/oauth/token", &GRANT).header("dpop", "").send().await.unwrap();
    assert_refused(&Said::of(said).await, 400, "invalid_dpop_proof");
    assert_eq!(district.database.rows("token").await, rows);
    district.bound_token(&system, &Pair::ed25519(7)).await;
}

#[tokio::test]
async fn a_bound_token_opens_every_door_with_its_key() {
    let district = District::new().await;
    let pair = Pair::p256(7);
    let system = district.client(SHOP, |_| {}).await;
    let token = district.bound_token(&system, &pair).await;
    let proof = |method: &str, path: &str| district.proof(&pair, method, path, Some(&token));
    let (http, url) = (reqwest::Client::new(), &district.url);
    let posted = http.post(format!("{url}/graphql")).json(&json!({ "query": "{ viewer { scopes } }" }));
    let response = with(posted, &token, &proof("POST", "/graphql")).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let asked = http.get(format!("{url}/graphql?query=%7Bviewer%7Bscopes%7D%7D"));
    assert_eq!(with(asked, &token, &proof("GET", "/graphql")).send().await.unwrap().status(), 200);
    let following = http
        .post(format!("{url}/graphql"))
        .header("accept", EVENTS)
        .json(&json!({ "query": "subscription { events { cursor } }" }));
    let stream = with(following, &token, &proof("POST", "/graphql")).send().await.unwrap();
    let mut stream = Stream::of(stream);
    assert_eq!(stream.block().await.unwrap(), ":");
    let (id, _) = district.statement_of(SHOP, 1, |_, _| {}).await;
    let path = format!("/statements/{id}/lines.csv");
    let download = || http.get(format!("{url}{path}"));
    let response = with(download(), &token, &proof("GET", &path)).send().await.unwrap();
    assert_eq!(response.status(), 200);
    for (refused, why) in [
        (with(download(), &token, &proof("GET", "/graphql")), "a proof for another address"),
        (with(download(), &token, &proof("POST", &path)), "a proof for another method"),
        (download().bearer_auth(&token), "as a bearer token"),
        (download().header("authorization", format!("DPoP {token}")), "no proof"),
    ] {
        assert_eq!(refused.send().await.unwrap().status(), 401, "{why}");
    }
    // The stream goes on by itself, and ends with its token.
    assert_eq!(system.revoke(&token).await.status, 200);
    assert_eq!(stream.end().await, "UNAUTHENTICATED");
}

#[tokio::test]
async fn the_address_may_carry_its_query_and_the_scheme_any_letters() {
    let district = District::new().await;
    let pair = Pair::ed25519(7);
    let token = district.bound_token(&district.client(OFFICE, |_| {}).await, &pair).await;
    let url = format!("{}/graphql?query=%7Bviewer%7Bscopes%7D%7D", district.url);
    let proof = district.proving(&pair, "GET", "/graphql", Some(&token)).saying("htu", json!(url));
    let asked = reqwest::Client::new().get(&url).header("authorization", format!("dpop {token}"));
    assert_eq!(asked.header("dpop", proof).send().await.unwrap().status(), 200);
}

/// The nonce of one process says nothing at another: nothing is replayed there.
#[tokio::test]
async fn a_proof_is_for_one_process() {
    let district = District::new().await;
    let elsewhere = District::new().await;
    assert_ne!(district.gate.proof_nonce(), elsewhere.gate.proof_nonce());
}

#[tokio::test]
async fn proving_takes_no_statement() {
    let district = District::new().await;
    let pair = Pair::ed25519(7);
    let system = district.client(OFFICE, |_| {}).await;
    let bound = district.bound_token(&system, &pair).await;
    let bearer = system.token().await;
    let used = async || {
        let jwt = district.proof(&pair, "POST", "/graphql", Some(&bound));
        let proof = Proof { jwt: &jwt, method: "POST", path: "/graphql" };
        let (entered, statements) = counting(district.gate.enter_bound(&bound, proof)).await;
        assert!(entered.is_ok());
        statements
    };
    let (entered, first) = counting(district.gate.enter(&bearer)).await;
    assert!(entered.is_ok());
    assert_eq!((used().await, first), (1, 1), "the token's row, with whom it leads to");
    for _ in 0..3 {
        let (entered, statements) = counting(district.gate.enter(&bearer)).await;
        assert!(entered.is_ok());
        assert_eq!((used().await, statements), (0, 0));
    }
}
