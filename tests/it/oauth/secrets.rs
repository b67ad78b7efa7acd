//! Clients that prove themselves with a secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use entity::kinds::Scope;
use onestop::access::{CLIENT_LIFE, NewSecret, scopes_of};
use serde_json::json;

use super::{assert_refused, scopes};
use crate::harness::District;
use crate::harness::client::{Fields, Said, System, part_of};
use crate::harness::district::{HOSPITAL, OFFICE, SHOP};

const GRANT: Fields<'static> = &[("grant_type", "client_credentials")];

async fn ask_basic(system: &System, pair: &str, fields: Fields<'_>) -> Said {
    let header = format!("Basic {}", STANDARD.encode(pair));
    Said::of(system.post("/oauth/token", fields).header("authorization", header).send().await.unwrap()).await
}

#[tokio::test]
async fn a_secret_in_the_header() {
    let district = District::new().await;
    let system = district.client(HOSPITAL, |_| {}).await;
    let pair = format!("{}:{}", system.id, system.secret);
    let said = ask_basic(&system, &pair, GRANT).await;
    assert_eq!((said.status, said.header("cache-control")), (200, "no-store"), "{said:?}");
    let all: Vec<&str> =
        scopes_of(entity::kinds::PartnerKind::Hospital).iter().map(|scope| scope.word()).collect();
    assert_eq!(said.body["token_type"], "Bearer");
    assert_eq!(said.body["expires_in"], CLIENT_LIFE.as_secs());
    assert_eq!(said.body["scope"], all.join(" "));
    assert_eq!(said.body.as_object().unwrap().len(), 4, "no refresh token: {said:?}");
    let token = said.token();
    assert_eq!(scopes(&district, &token).await, all);
    let claims = part_of(&token, 1);
    assert_eq!((&claims["sub"], &claims["client_id"]), (&json!(system.id), &json!(system.id)));
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!(district.url), &json!(district.url)));
    assert_eq!(claims.get("cnf"), None);
    // The scheme is a word in any letters; the id may stand in the form too, when it is the same.
    let header = format!("bASIC {}", STANDARD.encode(&pair));
    let twice = [GRANT, &[("client_id", &system.id)]].concat();
    let asked = system.post("/oauth/token", &twice).header("authorization", header);
    assert_eq!(asked.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_secret_in_the_form() {
    let district = District::new().await;
    let system = district.client(OFFICE, |_| {}).await;
    let said = system.ask(&[]).await;
    assert_eq!(said.status, 200, "{said:?}");
    assert!(scopes(&district, &said.token()).await.contains(&"REFERRAL_READ".to_owned()));
}

#[tokio::test]
async fn who_does_not_know_the_secret_gets_nothing() {
    let district = District::new().await;
    let system = district.client(OFFICE, |_| {}).await;
    let other = district.client(OFFICE, |_| {}).await;
    let before = district.database.rows("token").await;
    let (id, secret) = (system.id.as_str(), system.secret.as_str());
    let mut nobody = system.id.clone();
    nobody.replace_range(nobody.len() - 1.., if nobody.ends_with('a') { "b" } else { "a" });
    let upper = id.to_uppercase();
    for (id, secret) in [
        (id, "nonsense"),
        (id, &secret[..secret.len() - 1]),
        (id, other.secret.as_str()),
        (nobody.as_str(), secret),
        (upper.as_str(), secret),
        (OFFICE, secret),
        ("", secret),
        ("' OR 1=1 --", secret),
    ] {
        assert_refused(&ask_basic(&system, &format!("{id}:{secret}"), GRANT).await, 401, "invalid_client");
        let fields = [GRANT, &[("client_id", id), ("client_secret", secret)]].concat();
        let said = Said::of(system.post("/oauth/token", &fields).send().await.unwrap()).await;
        match id {
            "" => assert_refused(&said, 400, "invalid_request"),
            _ => assert_refused(&said, 401, "invalid_client"),
        }
    }
    for header in ["Basic", "Basic !", "Basic bm9jb2xvbg==", "Bearer token", "Digest x", ""] {
        let asked = system.post("/oauth/token", GRANT).header("authorization", header);
        assert_refused(&Said::of(asked.send().await.unwrap()).await, 401, "invalid_client");
    }
    let said = Said::of(system.post("/oauth/token", GRANT).send().await.unwrap()).await;
    assert_refused(&said, 401, "invalid_client");
    assert_eq!(district.database.rows("token").await, before);
}

#[tokio::test]
async fn a_client_with_keys_has_no_secret() {
    let district = District::new().await;
    let pair = crate::harness::client::Pair::ed25519(7);
    let system = district.client_with_keys(OFFICE, &[&pair]).await;
    for secret in [system.secret.as_str(), " ", "null"] {
        let fields = [GRANT, &[("client_id", &system.id), ("client_secret", secret)]].concat();
        let said = Said::of(system.post("/oauth/token", &fields).send().await.unwrap()).await;
        assert_refused(&said, 401, "invalid_client");
    }
}

#[tokio::test]
async fn the_secret_before_the_last_is_good_until_its_end() {
    let district = District::new().await;
    let before = NewSecret::make().unwrap();
    let hash = before.hash(district.gate.keys());
    let until = district.now() + TimeDelta::hours(24);
    let system = district
        .client(SHOP, |client| {
            client.previous_secret_hash = Some(hash);
            client.previous_secret_until = Some(until);
        })
        .await;
    let old = System { secret: before.expose().to_owned(), ..district.client(SHOP, |_| {}).await };
    let old = System { id: system.id.clone(), ..old };
    assert_eq!(old.ask(&[]).await.status, 200);
    assert_eq!(system.ask(&[]).await.status, 200);
    district.wait(TimeDelta::hours(24) - TimeDelta::seconds(1));
    assert_eq!(old.ask(&[]).await.status, 200);
    district.wait(TimeDelta::seconds(1));
    assert_refused(&old.ask(&[]).await, 401, "invalid_client");
    assert_eq!(system.ask(&[]).await.status, 200);
}

#[tokio::test]
async fn a_client_gets_no_more_than_it_may_hold() {
    let district = District::new().await;
    let system = district
        .client(HOSPITAL, |client| client.scopes = "SETTLEMENT_READ REFERRAL_READ CARD_REDEEM".into())
        .await;
    let before = district.database.rows("token").await;
    for (wanted, refused) in [
        ("SETTLEMENT_WRITE", "SETTLEMENT_WRITE"),
        ("SETTLEMENT_READ SETTLEMENT_WRITE", "SETTLEMENT_WRITE"),
        // Its row names it, its kind may not hold it.
        ("CARD_REDEEM", "CARD_REDEEM"),
        ("AUDIT_READ", "AUDIT_READ"),
        ("ADMINISTRATION_WRITE", "ADMINISTRATION_WRITE"),
        ("NONSENSE", "NONSENSE"),
        ("settlement_read", "settlement_read"),
        ("\"quoted\\汝\u{7}", "quoted"),
        ("SETTLEMENT_READ,REFERRAL_READ", "SETTLEMENT_READ,REFERRAL_READ"),
        ("SETTLEMENT_READ  REFERRAL_READ", ""),
    ] {
        let said = system.ask(&[("scope", wanted)]).await;
        assert_refused(&said, 400, "invalid_scope");
        let words = format!("{refused} is not a scope that this client may hold");
        assert_eq!(said.body["error_description"], words);
    }
    assert_eq!(district.database.rows("token").await, before);
    for (wanted, given) in [
        ("SETTLEMENT_READ", "SETTLEMENT_READ"),
        ("REFERRAL_READ SETTLEMENT_READ", "REFERRAL_READ SETTLEMENT_READ"),
        ("REFERRAL_READ REFERRAL_READ", "REFERRAL_READ"),
        ("", "SETTLEMENT_READ REFERRAL_READ"),
    ] {
        let said = system.ask(&[("scope", wanted)]).await;
        assert_eq!((said.status, &said.body["scope"]), (200, &json!(given)), "{wanted}");
        assert_eq!(scopes(&district, &said.token()).await.join(" "), given);
    }
    let narrow = system.ask(&[("scope", "REFERRAL_READ")]).await.token();
    assert_eq!(scopes(&district, &narrow).await, [Scope::ReferralRead.word()]);
}
