//! Tokens: forged, expired, not yet valid, revoked ones open nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use entity::kinds::Scope;
use jsonwebtoken::{Algorithm, EncodingKey, Header, decode_header, encode};
use onestop::access::{Database, Gate, IssueError, Keys};
use onestop::clock::Clock;
use serde_json::{Value, json};

use crate::harness::District;
use crate::harness::district::{HOSPITAL, OFFICE};

const VIEWER: &str = "{ viewer { partner { code } scopes } }";

async fn status(district: &District, bearer: &str) -> (u16, String) {
    let response = reqwest::Client::new()
        .post(format!("{}/graphql", district.url))
        .bearer_auth(bearer)
        .json(&json!({ "query": VIEWER }))
        .send()
        .await
        .unwrap();
    let status = response.status().as_u16();
    let challenge =
        response.headers().get("www-authenticate").map(|value| value.to_str().unwrap().to_owned());
    (status, challenge.unwrap_or_default())
}

async fn assert_refused(district: &District, bearer: &str, why: &str) {
    let refused = (401, "Bearer error=\"invalid_token\"".to_owned());
    assert_eq!(status(district, bearer).await, refused, "{why}");
}

fn base64url(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = (0..3).fold(0_u32, |bits, at| bits << 8 | u32::from(chunk.get(at).copied().unwrap_or(0)));
        for place in 0..=chunk.len() {
            text.push(char::from(SIGNS[(bits >> (18 - 6 * place) & 63) as usize]));
        }
    }
    text
}

/// What a token of the house says, as plain JSON.
fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    let mut bits = (0_u32, 0);
    let mut bytes = Vec::new();
    for sign in payload.bytes() {
        let value = match sign {
            b'A'..=b'Z' => sign - b'A',
            b'a'..=b'z' => sign - b'a' + 26,
            b'0'..=b'9' => sign - b'0' + 52,
            b'-' => 62,
            _ => 63,
        };
        bits = (bits.0 << 6 | u32::from(value), bits.1 + 6);
        if bits.1 >= 8 {
            bits.1 -= 8;
            bytes.push((bits.0 >> bits.1 & 255) as u8);
        }
    }
    serde_json::from_slice(&bytes).unwrap()
}

fn key_of(pem: &[u8]) -> EncodingKey {
    EncodingKey::from_ed_pem(pem).unwrap()
}

#[tokio::test]
async fn a_token_says_who_and_for_how_long() {
    let district = District::new().await;
    let token = district.gate.issue(OFFICE, &[Scope::ReferralRead], Duration::from_secs(60)).await.unwrap();
    let header = decode_header(&token).unwrap();
    assert_eq!((header.alg, header.typ.as_deref()), (Algorithm::EdDSA, Some("at+jwt")));
    assert!(header.kid.is_some_and(|kid| !kid.is_empty()));
    let now = district.now().timestamp();
    let mut said = claims(&token);
    assert!(said.as_object_mut().unwrap().remove("jti").unwrap().as_str().unwrap().starts_with("token_"));
    assert_eq!(
        said,
        json!({
            "iss": district.url, "aud": district.url, "sub": OFFICE, "client_id": OFFICE, "iat": now, "nbf": now - 3 * 3600,
            "exp": now + 60, "scope": "REFERRAL_READ",
        })
    );
    assert_eq!(status(&district, &token).await.0, 200);
}

#[tokio::test]
async fn forged_tokens_open_nothing() {
    let district = District::new().await;
    let token = district.partner(OFFICE).await.token;
    let parts: Vec<&str> = token.split('.').collect();
    let kid = decode_header(&token).unwrap().kid.unwrap();
    let said = claims(&token);
    let none = json!({ "alg": "none", "typ": "at+jwt", "kid": kid }).to_string();
    let none = base64url(none.as_bytes());
    let mut promoted = said.clone();
    promoted["sub"] = "BUREAU".into();
    let promoted = base64url(promoted.to_string().as_bytes());
    let strange = SigningKey::from_bytes(&[7; 32]).to_pkcs8_pem(LineEnding::LF).unwrap();
    let header =
        Header { typ: Some("at+jwt".into()), kid: Some(kid.clone()), ..Header::new(Algorithm::EdDSA) };
    let by_another_key = encode(&header, &said, &key_of(strange.as_bytes())).unwrap();
    let symmetric = Header { alg: Algorithm::HS256, ..header.clone() };
    let by_secret = encode(&symmetric, &said, &EncodingKey::from_secret(kid.as_bytes())).unwrap();
    let elsewhere = District::new().await.partner(OFFICE).await.token;
    for (forged, why) in [
        (format!("{none}.{}.", parts[1]), "alg none"),
        (format!("{none}.{}.{}", parts[1], parts[2]), "alg none with a signature"),
        (format!("{}.{promoted}.{}", parts[0], parts[2]), "another partner"),
        (format!("{}.{}.{}", parts[0], parts[1], base64url(&[0; 64])), "an empty signature"),
        (format!("{}.{}.", parts[0], parts[1]), "no signature"),
        (format!("{}.{}", parts[0], parts[1]), "two parts"),
        (by_another_key, "another key under our name"),
        (by_secret, "a symmetric algorithm"),
        (elsewhere, "another house's token"),
        (format!("{token}A"), "one sign more"),
        (format!("{token}{}", "A".repeat(5000)), "very long"),
        ("a.b.c".to_owned(), "nonsense"),
    ] {
        assert_refused(&district, &forged, why).await;
    }
    assert_eq!(status(&district, &token).await.0, 200, "the real one still opens");
}

/// Signed by the house's own key, and yet not a token of it.
#[tokio::test]
async fn a_signature_alone_is_not_enough() {
    let district = District::new().await;
    let folder = tempfile::tempdir().unwrap();
    let keys = Arc::new(Keys::in_folder(folder.path()).unwrap());
    let pem = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
        .find(|text| text.starts_with(b"-----BEGIN PRIVATE KEY-----"))
        .expect("the signing key lies in the folder");
    let now = district.now();
    let database = Database::open(&district.database.url).await.unwrap();
    let gate = Gate::new(database, keys, Clock::new(move || now));
    let token = gate.issue(OFFICE, &[Scope::ReferralRead], Duration::from_secs(600)).await.unwrap();
    let kid = decode_header(&token).unwrap().kid;
    let said = claims(&token);
    let good = Header { typ: Some("at+jwt".into()), kid, ..Header::new(Algorithm::EdDSA) };
    let sign = |header: &Header, claims: &Value| encode(header, claims, &key_of(&pem)).unwrap();
    assert!(gate.enter(&sign(&good, &said)).await.is_ok());
    for (header, why) in [
        (Header { typ: Some("JWT".into()), ..good.clone() }, "typ JWT"),
        (Header { typ: None, ..good.clone() }, "no typ"),
        (Header { kid: None, ..good.clone() }, "no kid"),
        (Header { kid: Some("other".into()), ..good.clone() }, "another kid"),
    ] {
        assert!(gate.enter(&sign(&header, &said)).await.is_err(), "{why}");
    }
    for (claim, value) in [
        ("iss", json!("elsewhere")),
        ("aud", json!("elsewhere")),
        ("sub", json!("BUREAU")),
        ("jti", json!("token_01h455vb4pex5vsknk084sn02q")),
        ("jti", json!("nonsense")),
        ("exp", json!(now.timestamp() - 60)),
        ("nbf", json!(now.timestamp() + 60)),
        ("exp", json!("never")),
    ] {
        let mut changed = said.clone();
        changed[claim] = value;
        assert!(gate.enter(&sign(&good, &changed)).await.is_err(), "{claim}: {}", changed[claim]);
    }
    for claim in ["iss", "aud", "sub", "exp", "nbf", "jti", "scope"] {
        let mut without = said.clone();
        without.as_object_mut().unwrap().remove(claim);
        assert!(gate.enter(&sign(&good, &without)).await.is_err(), "without {claim}");
    }
    let mut wider = said.clone();
    wider["scope"] = "REFERRAL_READ REFERRAL_WRITE".into();
    let slice = gate.enter(&sign(&good, &wider)).await.unwrap();
    assert_eq!(slice.viewer().scopes(), [Scope::ReferralRead], "no more than was granted");
}

#[tokio::test]
async fn a_token_opens_between_its_times() {
    let district = District::new().await;
    let begin = district.now();
    let token = district.gate.issue(OFFICE, &[Scope::ReferralRead], Duration::from_secs(60)).await.unwrap();
    // Good from three hours before: another clock may be behind.
    let first = -3 * 3600;
    for (seconds, opens) in [
        (0, true),
        (first - 5, true),
        (first - 6, false),
        (59, true),
        (64, true),
        (65, false),
        (6000, false),
        (1, true),
    ] {
        district.set_time(&(begin + TimeDelta::seconds(seconds)).to_rfc3339());
        assert_eq!(status(&district, &token).await.0, if opens { 200 } else { 401 }, "{seconds} s");
    }
}

#[tokio::test]
async fn a_revoked_token_dies_within_5_seconds() {
    let district = District::new().await;
    let (token, other) = (district.partner(OFFICE).await.token, district.partner(OFFICE).await.token);
    assert_eq!(status(&district, &token).await.0, 200);
    assert!(district.gate.revoke(&token).await.unwrap());
    let revoked = Instant::now();
    while status(&district, &token).await.0 == 200 {
        assert!(revoked.elapsed() < Duration::from_secs(5), "it still opens");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_refused(&district, &token, "revoked").await;
    assert!(!district.gate.revoke(&token).await.unwrap(), "it was revoked before");
    assert!(!district.gate.revoke("nonsense").await.unwrap());
    assert_eq!(status(&district, &other).await.0, 200, "the partner's other token opens");
    let id = claims(&other)["jti"].as_str().unwrap().to_owned();
    assert!(district.gate.revoke(&id).await.unwrap(), "by its id");
}

#[tokio::test]
async fn what_cannot_be_issued() {
    let district = District::new().await;
    let before = district.database.rows("token").await;
    let issue = async |code: &str, scopes: &[Scope], seconds| {
        district.gate.issue(code, scopes, Duration::from_secs(seconds)).await.err()
    };
    assert!(matches!(issue("NOBODY", &[], 60).await, Some(IssueError::NoSuchPartner)));
    let refused = issue(HOSPITAL, &[Scope::SettlementRead, Scope::CardRedeem], 60).await;
    assert!(matches!(refused, Some(IssueError::ScopeNotAllowed(Scope::CardRedeem))));
    for seconds in [0, 367 * 24 * 3600] {
        assert!(
            matches!(issue(OFFICE, &[], seconds).await, Some(IssueError::LifetimeOutOfRange)),
            "{seconds} s"
        );
    }
    assert_eq!(district.database.rows("token").await, before);
}
