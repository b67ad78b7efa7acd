//! Clients that prove themselves with a key (RFC 7523).

use std::sync::Arc;

use chrono::TimeDelta;
use onestop::access::{Database, Gate, Keys};
use onestop::http::{App, serve, url_of};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::{assert_refused, scopes};
use crate::harness::District;
use crate::harness::client::{Pair, System};
use crate::harness::database::Fresh;
use crate::harness::district::{HOSPITAL, OFFICE};

struct Signing {
    district: District,
    pair: Pair,
    system: System,
    rows: i64,
}

impl Signing {
    async fn new(pair: Pair) -> Self {
        let district = District::new().await;
        let system = district.client_with_keys(OFFICE, &[&pair]).await;
        let rows = district.database.rows("token").await;
        Self { district, pair, system, rows }
    }

    fn header(&self) -> Value {
        json!({ "alg": self.pair.algorithm(), "typ": "JWT" })
    }

    fn claims(&self) -> Value {
        self.district.assertion(&self.system)
    }

    async fn assert_opens(&self, header: &Value, claims: &Value) {
        let said = self.system.ask_by_assertion(&self.pair.sign(header, claims)).await;
        assert_eq!(said.status, 200, "{header} {claims}: {said:?}");
        assert!(!scopes(&self.district, &said.token()).await.is_empty());
    }

    /// Nothing is issued, and nothing is kept.
    async fn assert_refused(&self, assertion: &str) {
        let used = self.district.database.rows("client_assertion").await;
        assert_refused(&self.system.ask_by_assertion(assertion).await, 401, "invalid_client");
        assert_eq!(self.district.database.rows("token").await, self.rows, "{assertion}");
        assert_eq!(self.district.database.rows("client_assertion").await, used, "{assertion}");
    }

    async fn assert_refused_saying(&self, claim: &str, values: &[Value]) {
        for value in values {
            let mut claims = self.claims();
            claims[claim] = value.clone();
            self.assert_refused(&self.pair.sign(&self.header(), &claims)).await;
        }
    }
}

#[tokio::test]
async fn both_algorithms_open() {
    for pair in [Pair::ed25519(7), Pair::p256(7)] {
        let signing = Signing::new(pair).await;
        signing.assert_opens(&signing.header(), &signing.claims()).await;
        for typ in [json!(null), json!("client-authentication+jwt")] {
            let mut header = signing.header();
            match typ {
                Value::Null => drop(header.as_object_mut().unwrap().remove("typ")),
                typ => header["typ"] = typ,
            }
            signing.assert_opens(&header, &signing.claims()).await;
        }
        let mut claims = signing.claims();
        claims["aud"] = json!(format!("{}/oauth/token", signing.district.url));
        signing.assert_opens(&signing.header(), &claims).await;
        let mut claims = signing.claims();
        claims["aud"] = json!([signing.district.url]);
        signing.assert_opens(&signing.header(), &claims).await;
        assert_eq!(signing.district.database.rows("client_assertion").await, 5);
    }
}

#[tokio::test]
async fn an_assertion_is_good_once() {
    let signing = Signing::new(Pair::ed25519(7)).await;
    let claims = signing.claims();
    let assertion = signing.pair.sign(&signing.header(), &claims);
    assert_eq!(signing.system.ask_by_assertion(&assertion).await.status, 200);
    let rows = signing.district.database.rows("token").await;
    assert_refused(&signing.system.ask_by_assertion(&assertion).await, 401, "invalid_client");
    // Signed anew, it is still the same one.
    let mut later = claims;
    later["exp"] = json!(later["exp"].as_i64().unwrap() + 60);
    let again = signing.pair.sign(&signing.header(), &later);
    assert_refused(&signing.system.ask_by_assertion(&again).await, 401, "invalid_client");
    // Nor when what ran out was forgotten, by a clock that is ahead.
    signing.district.wait(TimeDelta::hours(2));
    assert_eq!(signing.district.gate.forget_assertions().await.unwrap(), 0);
    signing.district.wait(TimeDelta::hours(-2));
    assert_refused(&signing.system.ask_by_assertion(&assertion).await, 401, "invalid_client");
    assert_eq!(signing.district.database.rows("token").await, rows);
    signing.district.wait(TimeDelta::hours(4));
    assert_eq!(signing.district.gate.forget_assertions().await.unwrap(), 1);
    assert_refused(&signing.system.ask_by_assertion(&assertion).await, 401, "invalid_client");
}

#[tokio::test]
async fn an_assertion_is_good_once_at_all_replicas() {
    let folder = tempfile::tempdir().unwrap();
    let keys = || Keys::in_folder(folder.path()).unwrap();
    let now = "2016-06-15T02:00:00Z".parse().unwrap();
    let district = District::founded_on(Fresh::new().await, keys(), now).await;
    let pair = Pair::p256(7);
    let here = district.client_with_keys(OFFICE, &[&pair]).await;
    let database = Database::open(&district.database.url).await.unwrap();
    let gate = Gate::new(database, Arc::new(keys()), district.gate.clock().clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = url_of(listener.local_addr().unwrap());
    let (_stop, stopped) = watch::channel(false);
    tokio::spawn(serve(listener, App::new(gate.issuing_as(&district.url)), stopped));
    let there = System { url, id: here.id.clone(), secret: String::new(), row: here.row.clone() };
    let sign = || pair.sign(&json!({ "alg": "ES256" }), &district.assertion(&here));
    let (first, second) = (sign(), sign());
    let said = there.ask_by_assertion(&first).await;
    assert_eq!(said.status, 200, "{said:?}");
    assert!(!scopes(&district, &said.token()).await.is_empty(), "good at the other replica");
    assert_refused(&here.ask_by_assertion(&first).await, 401, "invalid_client");
    // Both at the same moment: one of them.
    let (one, other) = tokio::join!(here.ask_by_assertion(&second), there.ask_by_assertion(&second));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401]);
}

#[tokio::test]
async fn for_another_audience() {
    let signing = Signing::new(Pair::ed25519(7)).await;
    let url = &signing.district.url;
    let several = json!([url, "https://elsewhere.example"]);
    let others = [json!("https://elsewhere.example"), json!(format!("{url}/graphql")), json!(""), json!([])];
    signing.assert_refused_saying("aud", &others).await;
    signing.assert_refused_saying("aud", &[several, json!(null), json!(1)]).await;
}

#[tokio::test]
async fn by_another_issuer() {
    let signing = Signing::new(Pair::ed25519(7)).await;
    let other = signing.district.client(OFFICE, |_| {}).await;
    let rows = signing.district.database.rows("token").await;
    let signing = Signing { rows, ..signing };
    let others = [json!(other.id), json!(OFFICE), json!(""), json!(null)];
    signing.assert_refused_saying("iss", &others).await;
}

#[tokio::test]
async fn for_another_client() {
    let signing = Signing::new(Pair::ed25519(7)).await;
    let another = signing.district.client_with_keys(HOSPITAL, &[&Pair::ed25519(8)]).await;
    let rows = signing.district.database.rows("token").await;
    let signing = Signing { rows, ..signing };
    let others = [json!(another.id), json!(OFFICE), json!(""), json!(null)];
    signing.assert_refused_saying("sub", &others).await;
    let mut claims = signing.claims();
    claims["iss"] = json!(another.id);
    claims["sub"] = json!(another.id);
    signing.assert_refused(&signing.pair.sign(&signing.header(), &claims)).await;
}

#[tokio::test]
async fn named_otherwise_in_the_form() {
    let signing = Signing::new(Pair::ed25519(7)).await;
    let assertion = signing.pair.sign(&signing.header(), &signing.claims());
    let other = crate::harness::client::Said::of(
        signing
            .system
            .post(
                "/oauth/token",
                &[
                    ("grant_type", "client_credentials"),
                    ("client_id", "client_01h455vb4pex5vsknk084sn02q"),
                    ("client_assertion_type", crate::harness::client::ASSERTION_TYPE),
                    ("client_assertion", &assertion),
                ],
            )
            .send()
            .await
            .unwrap(),
    );
    assert_refused(&other.await, 401, "invalid_client");
}

#[tokio::test]
async fn past_or_too_far_ahead() {
    let signing = Signing::new(Pair::ed25519(7)).await;
    let at = |seconds: i64| json!(signing.district.now().timestamp() + seconds);
    let flaws = [at(-31), at(10 * 60 + 31), json!(0), json!(i64::MAX), json!(i64::MIN), json!("soon")];
    signing.assert_refused_saying("exp", &flaws).await;
    // Whoever fails too often waits a minute.
    signing.district.wait(TimeDelta::seconds(61));
    signing.assert_refused_saying("exp", &[json!(null), json!(1e300)]).await;
    for late in ["nbf", "iat"] {
        signing.district.wait(TimeDelta::seconds(61));
        signing.assert_refused_saying(late, &[at(31), json!(i64::MAX), json!("now")]).await;
    }
    let mut claims = signing.claims();
    claims["exp"] = at(10 * 60);
    claims["nbf"] = at(0);
    signing.assert_opens(&signing.header(), &claims).await;
}

#[tokio::test]
async fn without_a_name_of_its_own() {
    let signing = Signing::new(Pair::ed25519(7)).await;
    let flaws = [json!(null), json!(""), json!("x".repeat(257)), json!(7)];
    signing.assert_refused_saying("jti", &flaws).await;
    for claim in ["iss", "sub", "aud", "exp", "jti"] {
        let mut claims = signing.claims();
        claims.as_object_mut().unwrap().remove(claim).unwrap();
        signing.assert_refused(&signing.pair.sign(&signing.header(), &claims)).await;
    }
}

#[tokio::test]
async fn of_another_type() {
    let signing = Signing::new(Pair::ed25519(7)).await;
    for typ in ["at+jwt", "dpop+jwt", "onestop-receipt+jws", "jwt", ""] {
        let header = json!({ "alg": "EdDSA", "typ": typ });
        signing.assert_refused(&signing.pair.sign(&header, &signing.claims())).await;
    }
}

#[tokio::test]
async fn by_another_algorithm() {
    let signing = Signing::new(Pair::ed25519(7)).await;
    for alg in ["none", "HS256", "ES256", "ES384", "RS256", "PS256", "eddsa", ""] {
        let header = json!({ "alg": alg, "typ": "JWT" });
        let forged = signing.pair.sign(&header, &signing.claims());
        signing.assert_refused(&forged).await;
        let (signed, _) = forged.rsplit_once('.').unwrap();
        signing.assert_refused(&format!("{signed}.")).await;
    }
    let strange = Pair::p256(7).sign(&json!({ "alg": "ES256" }), &signing.claims());
    signing.assert_refused(&strange).await;
}

#[tokio::test]
async fn by_another_key() {
    let signing = Signing::new(Pair::ed25519(7)).await;
    let strange = Pair::ed25519(66);
    signing.assert_refused(&strange.sign(&signing.header(), &signing.claims())).await;
    for (member, value) in [
        ("jwk", strange.jwk()),
        ("jku", json!("https://forger.example/jwks.json")),
        ("x5c", json!(["MIIB"])),
        ("kid", json!("../../dev/null")),
    ] {
        let mut header = signing.header();
        header[member] = value;
        signing.assert_refused(&strange.sign(&header, &signing.claims())).await;
    }
    let mut header = signing.header();
    header["crit"] = json!(["exp"]);
    signing.assert_refused(&signing.pair.sign(&header, &signing.claims())).await;
    // A name that no registered key has.
    let mut header = signing.header();
    header["kid"] = json!("another");
    signing.assert_refused(&signing.pair.sign(&header, &signing.claims())).await;
}

#[tokio::test]
async fn nonsense() {
    let signing = Signing::new(Pair::ed25519(7)).await;
    let good = signing.pair.sign(&signing.header(), &signing.claims());
    let long = format!("{good}{}", "A".repeat(9000));
    for broken in ["a.b.c", "..", "x", &good[..good.len() - 1], &format!("{good}."), &long, "e30.e30.e30"] {
        signing.assert_refused(broken).await;
    }
}

#[tokio::test]
async fn one_of_several_keys() {
    let district = District::new().await;
    let (old, new) = (Pair::ed25519(7), Pair::p256(8));
    let named = |pair: &Pair, kid: &str| {
        let mut key = pair.jwk();
        key["kid"] = json!(kid);
        key
    };
    let keys = json!({ "keys": [named(&old, "2015"), named(&new, "2016"), { "kty": "RSA", "n": "AQAB", "e": "AQAB" }] });
    let system = district.client(OFFICE, |client| client.keys = Some(keys)).await;
    for (pair, header, status) in [
        (&old, json!({ "alg": "EdDSA", "kid": "2015" }), 200),
        (&new, json!({ "alg": "ES256", "kid": "2016" }), 200),
        (&new, json!({ "alg": "ES256" }), 200),
        (&new, json!({ "alg": "ES256", "kid": "2015" }), 401),
        (&old, json!({ "alg": "EdDSA", "kid": "2016" }), 401),
    ] {
        let said = system.ask_by_assertion(&pair.sign(&header, &district.assertion(&system))).await;
        assert_eq!(said.status, status, "{header}");
    }
}

/// A key that the library behind takes for granted to be whole: it must not stop the server.
#[tokio::test]
async fn a_broken_key_in_the_database_opens_nothing() {
    let district = District::new().await;
    let pair = Pair::ed25519(7);
    for key in [json!({ "kty": "OKP", "crv": "Ed25519", "x": "AA" }), json!({}), json!("key")] {
        let keys = json!({ "keys": [key] });
        let system = district.client(OFFICE, |client| client.keys = Some(keys)).await;
        let assertion = pair.sign(&json!({ "alg": "EdDSA" }), &district.assertion(&system));
        assert_refused(&system.ask_by_assertion(&assertion).await, 401, "invalid_client");
    }
}
