//! Proofs that are not as they must be: each flaw by itself, at the token endpoint and where the token is used.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::District;
use crate::harness::client::{Pair, Proving, Said, System};
use crate::harness::district::OFFICE;

struct Bound {
    district: District,
    system: System,
    pair: Pair,
    token: String,
}

impl Bound {
    async fn new() -> Self {
        let district = District::new().await;
        let system = district.client(OFFICE, |client| client.sender_constrained = true).await;
        let pair = Pair::ed25519(7);
        let token = district.bound_token(&system, &pair).await;
        Self { district, system, pair, token }
    }

    fn for_use(&self) -> Proving<'_> {
        self.district.proving(&self.pair, "POST", "/graphql", Some(&self.token))
    }

    fn for_token(&self) -> Proving<'_> {
        self.district.proving(&self.pair, "POST", "/oauth/token", None)
    }

    async fn send(&self, proofs: &[&str]) -> (u16, String, String) {
        let url = format!("{}/graphql", self.district.url);
        let mut asked =
            reqwest::Client::new().post(url).header("authorization", format!("DPoP {}", self.token));
        for proof in proofs {
            asked = asked.header("dpop", *proof);
        }
        let response = asked.json(&json!({ "query": "{ viewer { scopes } }" })).send().await.unwrap();
        let header =
            |name: &str| response.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        (response.status().as_u16(), header("www-authenticate"), header("dpop-nonce"))
    }

    async fn ask(&self, proofs: &[&str]) -> Said {
        let mut asked = self.system.post_proven("/oauth/token", &[("grant_type", "client_credentials")]);
        for proof in proofs {
            asked = asked.header("dpop", *proof);
        }
        Said::of(asked.send().await.unwrap()).await
    }

    /// A good proof opens; this one opens nothing, whether a token is used or asked for.
    async fn assert_refused(&self, code: &str, forged_use: &str, forged_asking: &str) {
        let algorithms = "algs=\"EdDSA ES256\"";
        assert_eq!(self.send(&[&self.for_use().sign()]).await.0, 200);
        let (status, challenge, _) = self.send(&[forged_use]).await;
        assert_eq!((status, challenge), (401, format!("DPoP error=\"{code}\", {algorithms}")));
        assert_eq!(self.ask(&[&self.for_token().sign()]).await.status, 200);
        let rows = self.district.database.rows("token").await;
        let said = self.ask(&[forged_asking]).await;
        super::assert_refused(&said, 400, code);
        assert_eq!(self.district.database.rows("token").await, rows);
    }

    async fn assert_invalid(&self, forged_use: &str, forged_asking: &str) {
        self.assert_refused("invalid_dpop_proof", forged_use, forged_asking).await;
    }

    async fn assert_invalid_saying(&self, claim: &str, value: Value) {
        let (used, asked) = (self.for_use(), self.for_token());
        self.assert_invalid(&used.saying(claim, value.clone()), &asked.saying(claim, value)).await;
    }

    async fn assert_invalid_headed(&self, member: &str, value: Value) {
        let (used, asked) = (self.for_use(), self.for_token());
        self.assert_invalid(&used.headed(member, value.clone()), &asked.headed(member, value)).await;
    }
}

#[tokio::test]
async fn none() {
    let bound = Bound::new().await;
    let (status, challenge, _) = bound.send(&[]).await;
    assert_eq!(status, 401);
    assert!(challenge.starts_with("DPoP error=\"invalid_dpop_proof\""), "{challenge}");
    super::assert_refused(&bound.ask(&[]).await, 400, "invalid_request");
}

#[tokio::test]
async fn two_headers() {
    let bound = Bound::new().await;
    let (one, other) = (bound.for_use().sign(), bound.for_use().sign());
    assert_eq!(bound.send(&[&one, &other]).await.0, 401);
    assert_eq!(bound.send(&[&one]).await.0, 200, "it was not used");
    let (one, other) = (bound.for_token().sign(), bound.for_token().sign());
    super::assert_refused(&bound.ask(&[&one, &other]).await, 400, "invalid_request");
    assert_eq!(bound.ask(&[&format!("{one},{other}")]).await.error(), "invalid_dpop_proof");
}

#[tokio::test]
async fn for_another_method() {
    let bound = Bound::new().await;
    for method in ["GET", "post", "", "PUT"] {
        bound.assert_invalid_saying("htm", json!(method)).await;
    }
}

#[tokio::test]
async fn for_another_address() {
    let bound = Bound::new().await;
    let url = bound.district.url.clone();
    let host = url.strip_prefix("http://").unwrap();
    for address in [
        format!("{url}/reconcile"),
        format!("{url}/graphql/"),
        format!("{url}/oauth/token/"),
        format!("https://{host}/graphql"),
        "https://elsewhere.example/graphql".to_owned(),
        "/graphql".to_owned(),
        url,
        String::new(),
    ] {
        bound.assert_invalid_saying("htu", json!(address)).await;
    }
}

#[tokio::test]
async fn for_another_token() {
    let bound = Bound::new().await;
    let other = bound.district.bound_token(&bound.system, &bound.pair).await;
    let proof = bound.district.proof(&bound.pair, "POST", "/graphql", Some(&other));
    bound
        .assert_invalid(&proof, &bound.district.proof(&bound.pair, "POST", "/oauth/token", Some(&other)))
        .await;
}

#[tokio::test]
async fn without_the_token_it_is_for() {
    let bound = Bound::new().await;
    let without = bound.for_use().saying("ath", Value::Null);
    let with = bound.for_token().saying("ath", json!("x"));
    bound.assert_invalid(&without, &with).await;
}

#[tokio::test]
async fn without_a_nonce_or_with_another() {
    let bound = Bound::new().await;
    let elsewhere = District::new().await.gate.proof_nonce();
    for nonce in [Value::Null, json!(""), json!("nonsense"), json!(elsewhere)] {
        let (used, asked) = (bound.for_use(), bound.for_token());
        let (used, asked) = (used.saying("nonce", nonce.clone()), asked.saying("nonce", nonce));
        bound.assert_refused("use_dpop_nonce", &used, &asked).await;
        let (_, _, given) = bound.send(&[&used]).await;
        assert_eq!(given, bound.district.gate.proof_nonce());
        let said = bound.ask(&[&asked]).await;
        assert_eq!(said.header("dpop-nonce"), given);
    }
}

#[tokio::test]
async fn with_an_old_nonce() {
    let bound = Bound::new().await;
    let proofs: Vec<(String, String)> =
        (0..3).map(|_| (bound.for_use().sign(), bound.for_token().sign())).collect();
    bound.district.wait(TimeDelta::seconds(60));
    assert_eq!(bound.send(&[&proofs[0].0]).await.0, 200, "good for a while");
    assert_eq!(bound.ask(&[&proofs[0].1]).await.status, 200);
    bound.district.wait(TimeDelta::seconds(60));
    bound.assert_refused("use_dpop_nonce", &proofs[1].0, &proofs[1].1).await;
    // A proof that was used is not good again once it was forgotten.
    bound.assert_refused("use_dpop_nonce", &proofs[0].0, &proofs[0].1).await;
}

#[tokio::test]
async fn used_before() {
    let bound = Bound::new().await;
    let (used, asked) = (bound.for_use(), bound.for_token());
    let (used, asked) = (used.sign(), asked.sign());
    assert_eq!(bound.send(&[&used]).await.0, 200);
    assert_eq!(bound.ask(&[&asked]).await.status, 200);
    bound.assert_invalid(&used, &asked).await;
    // Within the next nonce's time too.
    bound.district.wait(TimeDelta::seconds(60));
    bound.assert_invalid(&used, &asked).await;
}

#[tokio::test]
async fn of_another_type() {
    let bound = Bound::new().await;
    for typ in ["JWT", "at+jwt", "DPOP+JWT", "dpop", ""] {
        bound.assert_invalid_headed("typ", json!(typ)).await;
    }
}

#[tokio::test]
async fn by_another_algorithm() {
    let bound = Bound::new().await;
    for alg in ["none", "HS256", "ES256", "RS256", "eddsa"] {
        bound.assert_invalid_headed("alg", json!(alg)).await;
    }
    bound.assert_invalid_headed("crit", json!(["exp"])).await;
}

#[tokio::test]
async fn with_a_broken_key() {
    let bound = Bound::new().await;
    let x = bound.pair.jwk()["x"].as_str().unwrap().to_owned();
    let okp = |x: &str| json!({ "kty": "OKP", "crv": "Ed25519", "x": x });
    for key in [
        json!(null),
        json!({}),
        json!("key"),
        okp(""),
        okp("AA"),
        okp(&x[..42]),
        okp(&format!("{x}AA")),
        okp(&"A".repeat(43)),
        json!({ "kty": "oct", "k": x }),
        json!({ "kty": "RSA", "n": x, "e": "AQAB" }),
        json!({ "kty": "EC", "crv": "P-256", "x": x, "y": x }),
        json!({ "kty": "EC", "crv": "P-384", "x": x, "y": x }),
    ] {
        bound.assert_invalid_headed("jwk", key).await;
    }
}

#[tokio::test]
async fn with_a_broken_p256_key() {
    let bound = Bound::new().await;
    let pair = Pair::p256(7);
    let good = pair.jwk();
    for (x, y) in [("AA", "AA"), ("", ""), (good["x"].as_str().unwrap(), good["x"].as_str().unwrap())] {
        let key = json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y });
        let used = bound.district.proving(&pair, "POST", "/graphql", Some(&bound.token));
        let asked = bound.district.proving(&pair, "POST", "/oauth/token", None);
        bound.assert_invalid(&used.headed("jwk", key.clone()), &asked.headed("jwk", key)).await;
    }
}

#[tokio::test]
async fn that_shows_the_private_key() {
    let bound = Bound::new().await;
    for member in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        let mut key = bound.pair.jwk();
        key[member] = json!("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
        bound.assert_invalid_headed("jwk", key).await;
    }
}

#[tokio::test]
async fn signed_by_another_key_than_it_shows() {
    let bound = Bound::new().await;
    bound.assert_invalid_headed("jwk", Pair::ed25519(66).jwk()).await;
}

/// A good proof, of a key that is not the token's.
#[tokio::test]
async fn of_a_thief() {
    let bound = Bound::new().await;
    for thief in [Pair::ed25519(66), Pair::p256(66)] {
        let proof = bound.district.proof(&thief, "POST", "/graphql", Some(&bound.token));
        let (status, challenge, _) = bound.send(&[&proof]).await;
        assert_eq!(status, 401);
        assert!(challenge.starts_with("DPoP error=\"invalid_dpop_proof\""), "{challenge}");
    }
    assert_eq!(bound.send(&[&bound.for_use().sign()]).await.0, 200);
}

#[tokio::test]
async fn without_a_claim_that_must_be_there() {
    let bound = Bound::new().await;
    for claim in ["jti", "htm", "htu", "iat"] {
        bound.assert_invalid_saying(claim, Value::Null).await;
    }
    for jti in [json!(""), json!("x".repeat(257)), json!(7)] {
        bound.assert_invalid_saying("jti", jti).await;
    }
}

#[tokio::test]
async fn nonsense() {
    let bound = Bound::new().await;
    for text in ["a.b.c", "..", "x", "", &"A".repeat(9000)] {
        bound.assert_invalid(text, text).await;
    }
    let (used, asked) = (bound.for_use().sign(), bound.for_token().sign());
    bound.assert_invalid(&used[..used.len() - 1], &asked[..asked.len() - 1]).await;
    let (used, asked) = (bound.for_use().sign(), bound.for_token().sign());
    bound.assert_invalid(&format!("{used}."), &format!("{asked}.")).await;
}
