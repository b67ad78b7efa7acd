//! JWTs that others sign: a client's assertion, and the proof that it holds a key. Two algorithms, each with its own kind of key, and
//! never a key that a token brings along, except where that key is what is proven.

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
    (algorithm(&key).is_some() && DecodingKey::from_jwk(&key).is_ok()).then_some(key)
}
