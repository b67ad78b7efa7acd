//! Forged access tokens: each differs from a good one in exactly one thing, mostly signed by the server's own key, and opens nothing
//! on the running server. That the good one opens is part of every test.

mod bound;
mod claims;
mod header;
mod shape;
mod taken;

use ed25519_dalek::pkcs8::DecodePrivateKey;
use entity::kinds::Scope;
use onestop::access::Keys;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::harness::District;
use crate::harness::client::{Pair, part_of};
use crate::harness::database::Fresh;
use crate::harness::district::OFFICE;

const VIEWER: &str = "{ viewer { partner { code } scopes } }";

/// A district whose signing key is known, with a good token of it.
struct Forge {
    district: District,
    own: Pair,
    token: String,
    header: Value,
    claims: Value,
}

/// Keys in a folder, and the one that signs.
fn known_keys() -> (Keys, Pair) {
    let folder = tempfile::tempdir().unwrap();
    let keys = Keys::in_folder(folder.path()).unwrap();
    let own = std::fs::read_dir(folder.path())
        .unwrap()
        .filter_map(|entry| std::fs::read_to_string(entry.unwrap().path()).ok())
        .find_map(|text| ed25519_dalek::SigningKey::from_pkcs8_pem(&text).ok())
        .expect("the signing key lies in the folder");
    (keys, Pair::Ed25519(own))
}

impl Forge {
    async fn new() -> Self {
        let (keys, own) = known_keys();
        let now = "2016-06-15T02:00:00Z".parse().unwrap();
        let district = District::founded_on(Fresh::new().await, keys, now).await;
        let token = district.partner_with(OFFICE, &[Scope::ReferralRead, Scope::ReferralWrite]).await.token;
        let (header, claims) = (part_of(&token, 0), part_of(&token, 1));
        Self { district, own, token, header, claims }
    }

    /// A token with another header.
    fn headed(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut header = self.header.clone();
        change(&mut header);
        self.own.sign(&header, &self.claims)
    }

    /// A token that says something else.
    fn saying(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut claims = self.claims.clone();
        change(&mut claims);
        self.own.sign(&self.header, &claims)
    }

    fn without(&self, claim: &str) -> String {
        self.saying(|claims| assert!(claims.as_object_mut().unwrap().remove(claim).is_some()))
    }

    fn part(&self, place: usize) -> &str {
        self.token.split('.').nth(place).unwrap()
    }

    fn ask(&self) -> RequestBuilder {
        let url = format!("{}/graphql", self.district.url);
        reqwest::Client::new().post(url).json(&json!({ "query": VIEWER }))
    }

    async fn assert_opens(&self, token: &str) -> Value {
        let response = self.ask().bearer_auth(token).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let said: Value = response.json().await.unwrap();
        assert_eq!(said["data"]["viewer"]["partner"]["code"], OFFICE);
        said["data"]["viewer"]["scopes"].clone()
    }

    /// It opens nothing, in the same words as any other.
    async fn assert_refused(&self, forged: &str) {
        assert_ne!(forged, self.token, "nothing was forged");
        // The same way of making tokens makes good ones.
        let again = self.own.sign(&self.header, &self.claims);
        self.assert_opens(&again).await;
        self.assert_opens(&self.token).await;
        let response = self.ask().bearer_auth(forged).send().await.unwrap();
        let challenge = response.headers().get("www-authenticate").cloned();
        assert_eq!(response.status(), 401);
        assert_eq!(challenge.unwrap(), "Bearer error=\"invalid_token\"");
        let said: Value = response.json().await.unwrap();
        assert_eq!(said["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
        assert_eq!(said["errors"][0]["message"], "The bearer token is not valid.");
        assert_eq!(said.get("data"), None);
    }
}
