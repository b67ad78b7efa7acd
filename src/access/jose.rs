//! JWTs that others sign: a client's assertion, and the proof that it holds a key. Two algorithms, each with its own kind of key, and
//! never a key that a token brings along, except where that key is what is proven.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::VerifyingKey;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

/// What clients may sign with, as metadata and challenges name it.
pub const ALGORITHMS: [&str; 2] = ["EdDSA", "ES256"];
/// The longest that is looked at.
const LONGEST: usize = 8192;

/// The header of a JWT that is signed with one of [`ALGORITHMS`] and demands nothing that is not understood here.
pub(super) fn header(jwt: &str) -> Option<Header> {
    if jwt.len() > LONGEST || jwt.split('.').count() != 3 {
        return None;
    }
    let header = decode_header(jwt).ok()?;
    let understood = header.crit.is_none() && header.enc.is_none() && header.zip.is_none();
    (understood && matches!(header.alg, Algorithm::EdDSA | Algorithm::ES256)).then_some(header)
}

/// The algorithm that a public key is for; none of a key of another kind.
pub(super) fn algorithm(key: &Jwk) -> Option<Algorithm> {
    let (of_kind, stated) = match &key.algorithm {
        AlgorithmParameters::EllipticCurve(of) if of.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        AlgorithmParameters::OctetKeyPair(of) if of.curve == EllipticCurve::Ed25519 => {
            (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
        }
        _ => return None,
    };
    key.common.key_algorithm.is_none_or(|alg| alg == stated).then_some(of_kind)
}

/// What a JWT says, when this key signed it. Nothing of it is judged.
pub(super) fn claims<T: DeserializeOwned>(jwt: &str, key: &Jwk) -> Option<T> {
    let algorithm = algorithm(key)?;
    let decoding = DecodingKey::from_jwk(key).ok()?;
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    decode::<T>(jwt, &decoding, &validation).ok().map(|data| data.claims)
}

/// A public key of [`ALGORITHMS`] as JSON has it; none when it is of another kind, is broken, or holds a private part.
pub(super) fn public_key(json: &Json) -> Option<Jwk> {
    let members = json.as_object()?;
    if ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().any(|private| members.contains_key(*private)) {
        return None;
    }
    let key: Jwk = serde_json::from_value(json.clone()).ok()?;
    let sound = algorithm(&key).is_some()
        && match &key.algorithm {
            AlgorithmParameters::EllipticCurve(of) => number(&of.x).is_some() && number(&of.y).is_some(),
            // Under a weak key, one signature fits many texts.
            AlgorithmParameters::OctetKeyPair(of) => number(&of.x)
                .is_some_and(|point| VerifyingKey::from_bytes(&point).is_ok_and(|key| !key.is_weak())),
            _ => false,
        };
    (sound && DecodingKey::from_jwk(&key).is_ok()).then_some(key)
}

/// 32 bytes, in the one way in which base64url writes them: a key has one thumbprint, and the library that verifies takes them for
/// granted.
fn number(text: &str) -> Option<[u8; 32]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::jwk::ThumbprintHash;
    use serde_json::json;

    use super::*;

    /// RFC 8037 A.2.
    const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

    fn okp(x: &str) -> Json {
        json!({ "kty": "OKP", "crv": "Ed25519", "x": x })
    }

    #[test]
    fn the_thumbprint_of_rfc_8037_a_3() {
        let key = public_key(&okp(X)).unwrap();
        let thumbprint = key.thumbprint(ThumbprintHash::SHA256).unwrap();
        assert_eq!(thumbprint, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        let mut named = okp(X);
        named["kid"] = json!("mine");
        named["use"] = json!("sig");
        let named = public_key(&named).unwrap().thumbprint(ThumbprintHash::SHA256).unwrap();
        assert_eq!(named, thumbprint, "of the key's own members alone");
    }

    /// RFC 8037 A.4.
    #[test]
    fn the_signature_of_rfc_8037_a_4() {
        let signed = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        let signature =
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        let key = DecodingKey::from_jwk(&public_key(&okp(X)).unwrap()).unwrap();
        let verified = jsonwebtoken::crypto::verify(signature, signed.as_bytes(), &key, Algorithm::EdDSA);
        assert!(verified.unwrap());
    }

    #[test]
    fn a_key_that_is_none_is_refused() {
        let flipped = format!("{}p", &X[..42]);
        let zero = "A".repeat(43);
        for x in ["", "AA", &X[..42], &format!("{X}AA"), &format!("{X}="), &flipped, &zero, "\"},{\""] {
            assert!(public_key(&okp(x)).is_none(), "{x}");
        }
        let p256 = |x: &str, y: &str| json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y });
        let (x, y) =
            ("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
        assert!(public_key(&p256(x, y)).is_some(), "RFC 7515 A.3");
        assert!(public_key(&p256(x, "AA")).is_none());
        assert!(public_key(&p256("", y)).is_none());
        for (member, value) in [
            ("d", json!("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")),
            ("k", json!("")),
            ("alg", json!("ES256")),
            ("crv", json!("P-256")),
            ("kty", json!("oct")),
        ] {
            let mut key = okp(X);
            key[member] = value;
            assert!(public_key(&key).is_none(), "{key}");
        }
        for other in [json!({}), json!([]), json!("key"), json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB" })] {
            assert!(public_key(&other).is_none(), "{other}");
        }
    }
}
