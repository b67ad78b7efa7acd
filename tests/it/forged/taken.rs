//! What is good for something else, or somewhere else.

use onestop::access::Receipt;
use serde_json::json;

use super::{Forge, known_keys};
use crate::harness::client::{Pair, part_of};
use crate::harness::district::{HOSPITAL, OFFICE};
use crate::harness::{Bill, District, Policy, partner};

#[tokio::test]
async fn by_another_key_under_our_kid() {
    let forge = Forge::new().await;
    forge.assert_refused(&Pair::ed25519(66).sign(&forge.header, &forge.claims)).await;
}

#[tokio::test]
async fn by_another_servers_key_under_its_own_kid() {
    let forge = Forge::new().await;
    let (_, other) = known_keys();
    let mut header = forge.header.clone();
    header["kid"] = json!(other.thumbprint());
    forge.assert_refused(&other.sign(&header, &forge.claims)).await;
}

#[tokio::test]
async fn the_token_of_another_server() {
    let forge = Forge::new().await;
    let elsewhere = District::new().await.partner(OFFICE).await.token;
    forge.assert_refused(&elsewhere).await;
}

/// Same key, same database; known under another address.
#[tokio::test]
async fn the_token_of_another_issuer() {
    let forge = Forge::new().await;
    let gate = forge.district.gate.clone().issuing_as("https://elsewhere.example");
    let hour = std::time::Duration::from_secs(3600);
    let elsewhere = gate.issue(OFFICE, &[entity::kinds::Scope::ReferralRead], hour).await.unwrap();
    assert!(gate.enter(&elsewhere).await.is_ok(), "there it is good");
    forge.assert_refused(&elsewhere).await;
}

#[tokio::test]
async fn a_clients_assertion() {
    let forge = Forge::new().await;
    let pair = Pair::ed25519(7);
    let system = forge.district.client_with_keys(OFFICE, &[&pair]).await;
    let assertion = pair.sign(&json!({ "alg": "EdDSA", "typ": "JWT" }), &forge.district.assertion(&system));
    forge.assert_refused(&assertion).await;
    let said = system.ask_by_assertion(&assertion).await;
    assert_eq!(said.status, 200, "it is a good one: {said:?}");
}

#[tokio::test]
async fn a_proof_of_possession() {
    let forge = Forge::new().await;
    let pair = Pair::ed25519(7);
    let header = json!({ "alg": "EdDSA", "typ": "dpop+jwt", "jwk": pair.jwk() });
    forge.assert_refused(&pair.sign(&header, &forge.claims)).await;
    forge.assert_refused(&forge.own.sign(&header, &forge.claims)).await;
}

#[tokio::test]
async fn a_receipt() {
    let forge = Forge::new().await;
    forge.district.policy(Policy::medical(&forge.district)).await;
    let patient = forge.district.person("李小明", &[entity::kinds::Category::Dibao]).await;
    let input = json!({ "key": partner::new_key(), "bill": Bill::of(&patient.national_id, &patient.name).0 });
    let reply = forge.district.partner(HOSPITAL).await.act("settle", input, "receipt").await.done("settle");
    let receipt = reply.text("settle.receipt");
    let keys = forge.district.gate.keys().public();
    assert!(Receipt::verify(&receipt, &keys).is_ok(), "it is a good one");
    forge.assert_refused(&receipt).await;
    // Nor does what a receipt says become a token under the header of one.
    forge.assert_refused(&forge.own.sign(&forge.header, &part_of(&receipt, 1))).await;
}

#[tokio::test]
async fn a_token_as_a_receipt() {
    let forge = Forge::new().await;
    let keys = forge.district.gate.keys().public();
    assert!(Receipt::verify(&forge.token, &keys).is_err());
    let typed = forge.headed(|header| header["typ"] = json!("onestop-receipt+jws"));
    assert!(Receipt::verify(&typed, &keys).is_err(), "what a token says is no receipt");
    forge.assert_refused(&typed).await;
}

#[tokio::test]
async fn a_token_as_a_clients_assertion() {
    let forge = Forge::new().await;
    let pair = Pair::ed25519(7);
    // The worst case: a client that was registered with the server's own public key.
    let system = forge.district.client_with_keys(OFFICE, &[&forge.own, &pair]).await;
    let before = forge.district.database.rows("token").await;
    let said = system.ask_by_assertion(&forge.token).await;
    assert_eq!((said.status, said.error()), (401, "invalid_client"));
    let mut claims = forge.district.assertion(&system);
    claims["scope"] = json!("REFERRAL_READ");
    let said = system.ask_by_assertion(&forge.own.sign(&forge.header, &claims)).await;
    assert_eq!((said.status, said.error()), (401, "invalid_client"), "a header with at+jwt is a token's");
    assert_eq!(forge.district.database.rows("token").await, before);
}

#[tokio::test]
async fn the_secret_of_a_client() {
    let forge = Forge::new().await;
    let system = forge.district.client(OFFICE, |_| {}).await;
    forge.assert_refused(&system.secret).await;
    forge.assert_refused(&system.id).await;
}
