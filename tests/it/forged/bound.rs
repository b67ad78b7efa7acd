//! A token that is bound to a key, used without it; one that is not, as if it were.

use serde_json::json;

use super::Forge;
use crate::harness::client::{Pair, part_of};
use crate::harness::district::OFFICE;

async fn bound(forge: &Forge, pair: &Pair) -> String {
    let system = forge.district.client(OFFICE, |client| client.sender_constrained = true).await;
    forge.district.bound_token(&system, pair).await
}

#[tokio::test]
async fn a_bound_token_as_a_bearer_token() {
    let forge = Forge::new().await;
    let pair = Pair::ed25519(7);
    let token = bound(&forge, &pair).await;
    let proof = forge.district.proof(&pair, "POST", "/graphql", Some(&token));
    let used = forge.ask().header("authorization", format!("DPoP {token}")).header("dpop", &proof);
    assert_eq!(used.send().await.unwrap().status(), 200, "with its key it opens");
    forge.assert_refused(&token).await;
    // A proof beside it makes no difference.
    let proof = forge.district.proof(&pair, "POST", "/graphql", Some(&token));
    let response = forge.ask().bearer_auth(&token).header("dpop", proof).send().await.unwrap();
    assert_eq!(response.status(), 401);
}

#[tokio::test]
async fn cnf_taken_away() {
    let forge = Forge::new().await;
    let token = bound(&forge, &Pair::ed25519(7)).await;
    let mut claims = part_of(&token, 1);
    claims.as_object_mut().unwrap().remove("cnf").unwrap();
    forge.assert_refused(&forge.own.sign(&forge.header, &claims)).await;
    claims["cnf"] = json!({});
    forge.assert_refused(&forge.own.sign(&forge.header, &claims)).await;
    claims["cnf"] = json!(null);
    forge.assert_refused(&forge.own.sign(&forge.header, &claims)).await;
}

#[tokio::test]
async fn cnf_of_the_thiefs_key() {
    let forge = Forge::new().await;
    let token = bound(&forge, &Pair::ed25519(7)).await;
    let thief = Pair::ed25519(66);
    let mut claims = part_of(&token, 1);
    claims["cnf"] = json!({ "jkt": thief.thumbprint() });
    let forged = forge.own.sign(&forge.header, &claims);
    let proof = forge.district.proof(&thief, "POST", "/graphql", Some(&forged));
    let used = forge.ask().header("authorization", format!("DPoP {forged}")).header("dpop", proof);
    assert_eq!(used.send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn a_bearer_token_with_a_proof() {
    let forge = Forge::new().await;
    let proof = forge.district.proof(&Pair::ed25519(66), "POST", "/graphql", Some(&forge.token));
    let used = forge.ask().header("authorization", format!("DPoP {}", forge.token)).header("dpop", proof);
    assert_eq!(used.send().await.unwrap().status(), 401);
    forge.assert_opens(&forge.token).await;
}
