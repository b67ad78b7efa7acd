//! How the token is written.

use serde_json::json;

use super::Forge;
use crate::harness::client::{Pair, base64url};
use crate::harness::district::BUREAU;

#[tokio::test]
async fn altered_content() {
    let forge = Forge::new().await;
    let mut claims = forge.claims.clone();
    claims["sub"] = json!(BUREAU);
    let claims = base64url(claims.to_string());
    forge.assert_refused(&format!("{}.{claims}.{}", forge.part(0), forge.part(2))).await;
}

#[tokio::test]
async fn altered_signature() {
    let forge = Forge::new().await;
    let (head, signature) = forge.token.rsplit_once('.').unwrap();
    for place in [0, 40, 84] {
        let other = if &signature[place..=place] == "A" { "B" } else { "A" };
        let mut altered = signature.to_owned();
        altered.replace_range(place..=place, other);
        forge.assert_refused(&format!("{head}.{altered}")).await;
    }
}

/// The last sign of a signature holds four bits that mean nothing.
#[tokio::test]
async fn another_spelling_of_the_signature() {
    let forge = Forge::new().await;
    let signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (short, last) = forge.token.split_at(forge.token.len() - 1);
    let at = signs.find(last).unwrap();
    for beside in 1..4 {
        forge.assert_refused(&format!("{short}{}", &signs[at + beside..=at + beside])).await;
    }
}

#[tokio::test]
async fn an_empty_signature() {
    let forge = Forge::new().await;
    let head = format!("{}.{}", forge.part(0), forge.part(1));
    for signature in [String::new(), base64url([0; 64]), base64url([0; 63])] {
        forge.assert_refused(&format!("{head}.{signature}")).await;
    }
}

#[tokio::test]
async fn cut_off() {
    let forge = Forge::new().await;
    let length = forge.token.len();
    for kept in [1, forge.part(0).len(), forge.part(0).len() + forge.part(1).len() + 1, length - 1] {
        forge.assert_refused(&forge.token[..kept]).await;
    }
}

#[tokio::test]
async fn longer_than_any_token() {
    let forge = Forge::new().await;
    forge.assert_refused(&format!("{}{}", forge.token, "A".repeat(5000))).await;
    let padded = forge.saying(|claims| claims["padding"] = json!("x".repeat(4096)));
    forge.assert_refused(&padded).await;
}

#[tokio::test]
async fn five_parts_as_an_encrypted_one_has() {
    let forge = Forge::new().await;
    forge.assert_refused(&format!("{}.{}.{}", forge.token, forge.part(1), forge.part(2))).await;
    let header = base64url(json!({ "alg": "dir", "enc": "A256GCM", "typ": "at+jwt" }).to_string());
    forge.assert_refused(&format!("{header}..AAAAAAAAAAAAAAAA.{}.AAAA", forge.part(1))).await;
}

#[tokio::test]
async fn four_parts() {
    let forge = Forge::new().await;
    forge.assert_refused(&format!("{}.", forge.token)).await;
    forge.assert_refused(&format!(".{}", forge.token)).await;
}

#[tokio::test]
async fn padded_base64() {
    let forge = Forge::new().await;
    forge.assert_refused(&format!("{}==", forge.token)).await;
    for place in 0..3 {
        let mut parts: Vec<String> = forge.token.split('.').map(str::to_owned).collect();
        let missing = (4 - parts[place].len() % 4) % 4;
        parts[place].push_str(&"=".repeat(missing.max(1)));
        forge.assert_refused(&parts.join(".")).await;
    }
}

#[tokio::test]
async fn base64_of_the_other_alphabet() {
    let forge = Forge::new().await;
    let other = forge.token.replace('-', "+").replace('_', "/");
    // Some tokens have neither sign.
    if other != forge.token {
        forge.assert_refused(&other).await;
    }
    forge.assert_refused(&forge.token.replace('.', ".+")).await;
}

#[tokio::test]
async fn a_claim_said_twice() {
    let forge = Forge::new().await;
    let Pair::Ed25519(key) = &forge.own else { panic!("the server signs with Ed25519") };
    let twice = forge.claims.to_string().replacen('{', &format!("{{\"sub\":\"{BUREAU}\","), 1);
    let signed = format!("{}.{}", forge.part(0), base64url(twice));
    let signature = ed25519_dalek::Signer::sign(key, signed.as_bytes());
    forge.assert_refused(&format!("{signed}.{}", base64url(signature.to_bytes()))).await;
}

#[tokio::test]
async fn content_that_is_no_object() {
    let forge = Forge::new().await;
    for content in [json!([]), json!("token"), json!(null), json!([forge.claims])] {
        forge.assert_refused(&forge.own.sign(&forge.header, &content)).await;
    }
}

#[tokio::test]
async fn nonsense() {
    let forge = Forge::new().await;
    for token in ["a.b.c", "..", ".", "token", "null", "e30.e30.e30"] {
        forge.assert_refused(token).await;
    }
}
