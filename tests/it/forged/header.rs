//! What the header says.

use ed25519_dalek::pkcs8::EncodePublicKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::Forge;
use crate::harness::client::{Pair, base64url};

/// A token whose "secret" is something that everybody knows.
fn by_secret(forge: &Forge, secret: &[u8]) -> String {
    let mut header = forge.header.clone();
    header["alg"] = json!("HS256");
    let signed = format!("{}.{}", base64url(header.to_string()), forge.part(1));
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(secret).unwrap();
    mac.update(signed.as_bytes());
    format!("{signed}.{}", base64url(mac.finalize().into_bytes()))
}

fn public(forge: &Forge) -> ed25519_dalek::VerifyingKey {
    match &forge.own {
        Pair::Ed25519(key) => key.verifying_key(),
        Pair::P256(_) => panic!("the server signs with Ed25519"),
    }
}

/// Signed by the forger, with a header that leads to the forger's key.
fn by_the_forger(forge: &Forge, member: &str, value: Value) -> String {
    let mut header = forge.header.clone();
    header[member] = value;
    Pair::ed25519(66).sign(&header, &forge.claims)
}

#[tokio::test]
async fn alg_none() {
    let forge = Forge::new().await;
    for none in ["none", "None", "NONE", ""] {
        let mut header = forge.header.clone();
        header["alg"] = json!(none);
        let header = base64url(header.to_string());
        forge.assert_refused(&format!("{header}.{}.", forge.part(1))).await;
    }
}

#[tokio::test]
async fn alg_none_with_a_signature() {
    let forge = Forge::new().await;
    forge.assert_refused(&forge.headed(|header| header["alg"] = json!("none"))).await;
}

#[tokio::test]
async fn no_alg() {
    let forge = Forge::new().await;
    let forged = forge.headed(|header| drop(header.as_object_mut().unwrap().remove("alg")));
    forge.assert_refused(&forged).await;
}

#[tokio::test]
async fn another_alg_over_a_good_signature() {
    let forge = Forge::new().await;
    for alg in ["ES256", "HS256", "RS256", "PS256", "Ed25519", "eddsa"] {
        forge.assert_refused(&forge.headed(|header| header["alg"] = json!(alg))).await;
    }
}

#[tokio::test]
async fn hs256_with_the_public_key_as_secret() {
    let forge = Forge::new().await;
    forge.assert_refused(&by_secret(&forge, public(&forge).as_bytes())).await;
}

#[tokio::test]
async fn hs256_with_the_public_keys_pem_as_secret() {
    let forge = Forge::new().await;
    let pem = public(&forge).to_public_key_pem(LineEnding::LF).unwrap();
    forge.assert_refused(&by_secret(&forge, pem.as_bytes())).await;
    forge.assert_refused(&by_secret(&forge, pem.trim_end().as_bytes())).await;
    let der = public(&forge).to_public_key_der().unwrap();
    forge.assert_refused(&by_secret(&forge, der.as_bytes())).await;
}

#[tokio::test]
async fn hs256_with_the_published_x_as_secret() {
    let forge = Forge::new().await;
    let x = forge.own.jwk()["x"].as_str().unwrap().to_owned();
    forge.assert_refused(&by_secret(&forge, x.as_bytes())).await;
}

#[tokio::test]
async fn hs256_with_an_empty_secret() {
    let forge = Forge::new().await;
    forge.assert_refused(&by_secret(&forge, b"")).await;
}

#[tokio::test]
async fn es256_by_a_strange_key() {
    let forge = Forge::new().await;
    let mut header = forge.header.clone();
    header["alg"] = json!("ES256");
    forge.assert_refused(&Pair::p256(66).sign(&header, &forge.claims)).await;
}

#[tokio::test]
async fn wrong_kid() {
    let forge = Forge::new().await;
    forge.assert_refused(&forge.headed(|header| header["kid"] = json!("another"))).await;
}

#[tokio::test]
async fn no_kid() {
    let forge = Forge::new().await;
    let forged = forge.headed(|header| drop(header.as_object_mut().unwrap().remove("kid")));
    forge.assert_refused(&forged).await;
}

#[tokio::test]
async fn kid_that_is_a_path() {
    let forge = Forge::new().await;
    for kid in ["../../../../dev/null", "/dev/null", "file:///dev/null", "signing.pem"] {
        forge.assert_refused(&forge.headed(|header| header["kid"] = json!(kid))).await;
        forge.assert_refused(&by_the_forger(&forge, "kid", json!(kid))).await;
    }
}

#[tokio::test]
async fn kid_that_is_a_statement() {
    let forge = Forge::new().await;
    for kid in ["' OR '1'='1", "x' UNION SELECT 'key'; --", "\0"] {
        forge.assert_refused(&forge.headed(|header| header["kid"] = json!(kid))).await;
        forge.assert_refused(&by_the_forger(&forge, "kid", json!(kid))).await;
    }
}

#[tokio::test]
async fn kid_that_is_no_text() {
    let forge = Forge::new().await;
    for kid in [json!(1), json!(null), json!([forge.header["kid"]])] {
        forge.assert_refused(&forge.headed(|header| header["kid"] = kid)).await;
    }
}

#[tokio::test]
async fn jwk_of_the_forger() {
    let forge = Forge::new().await;
    forge.assert_refused(&by_the_forger(&forge, "jwk", Pair::ed25519(66).jwk())).await;
    // Nor does our own key stand in a token.
    let own = forge.own.jwk();
    forge.assert_refused(&forge.headed(|header| header["jwk"] = own)).await;
}

#[tokio::test]
async fn jku_of_the_forger() {
    let forge = Forge::new().await;
    let url = json!("https://forger.example/jwks.json");
    forge.assert_refused(&by_the_forger(&forge, "jku", url.clone())).await;
    forge.assert_refused(&forge.headed(|header| header["jku"] = url)).await;
}

#[tokio::test]
async fn x5u_of_the_forger() {
    let forge = Forge::new().await;
    let url = json!("https://forger.example/chain.pem");
    forge.assert_refused(&by_the_forger(&forge, "x5u", url.clone())).await;
    forge.assert_refused(&forge.headed(|header| header["x5u"] = url)).await;
}

#[tokio::test]
async fn x5c_of_the_forger() {
    let forge = Forge::new().await;
    forge.assert_refused(&by_the_forger(&forge, "x5c", json!(["MIIB"]))).await;
    forge.assert_refused(&forge.headed(|header| header["x5c"] = json!(["MIIB"]))).await;
}

#[tokio::test]
async fn crit_that_nobody_understands() {
    let forge = Forge::new().await;
    let forged = forge.headed(|header| {
        header["crit"] = json!(["expires"]);
        header["expires"] = json!(0);
    });
    forge.assert_refused(&forged).await;
    forge.assert_refused(&forge.headed(|header| header["crit"] = json!([]))).await;
}

#[tokio::test]
async fn content_that_is_said_to_be_not_encoded() {
    let forge = Forge::new().await;
    let forged = forge.headed(|header| {
        header["b64"] = json!(false);
        header["crit"] = json!(["b64"]);
    });
    forge.assert_refused(&forged).await;
    forge.assert_refused(&forge.headed(|header| header["b64"] = json!(false))).await;
}

#[tokio::test]
async fn typ_jwt() {
    let forge = Forge::new().await;
    forge.assert_refused(&forge.headed(|header| header["typ"] = json!("JWT"))).await;
}

#[tokio::test]
async fn no_typ() {
    let forge = Forge::new().await;
    let forged = forge.headed(|header| drop(header.as_object_mut().unwrap().remove("typ")));
    forge.assert_refused(&forged).await;
}

#[tokio::test]
async fn typ_of_a_receipt() {
    let forge = Forge::new().await;
    forge.assert_refused(&forge.headed(|header| header["typ"] = json!("onestop-receipt+jws"))).await;
}

#[tokio::test]
async fn typ_of_a_proof() {
    let forge = Forge::new().await;
    forge.assert_refused(&forge.headed(|header| header["typ"] = json!("dpop+jwt"))).await;
}

#[tokio::test]
async fn a_member_that_the_server_does_not_write() {
    let forge = Forge::new().await;
    forge.assert_refused(&forge.headed(|header| header["admin"] = json!(true))).await;
}
