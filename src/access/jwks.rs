//! The public side of the server's signing keys, as the JSON Web Key Set (RFC 7517) that is published.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, VerifyingKey};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};

use super::keys::hex;

const KEY_TYPE: &str = "OKP";
const CURVE: &str = "Ed25519";
const USE: &str = "sig";
pub(super) const ALGORITHM: &str = "EdDSA";

/// The keys by which signatures of a server are verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicKeys {
    keys: Vec<PublicKey>,
}

/// A JSON Web Key of RFC 8037.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PublicKey {
    kty: String,
    crv: String,
    #[serde(rename = "use", default)]
    usage: String,
    #[serde(default)]
    alg: String,
    kid: String,
    x: String,
}

/// Why a text is no key set that verifies anything.
#[derive(Debug, PartialEq, Eq)]
pub enum NoKeys {
    NotAKeySet,
    /// None of its keys signs by Ed25519.
    NoneForSignatures,
    /// The key of this `kid` is none.
    Broken(String),
}

impl fmt::Display for NoKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAKeySet => f.write_str("it is not a JSON object with `keys`"),
            Self::NoneForSignatures => f.write_str("it holds no Ed25519 key for signatures"),
            Self::Broken(kid) => write!(f, "its key {kid:?} is not an Ed25519 key"),
        }
    }
}

impl PublicKeys {
    pub(super) fn of(keys: impl Iterator<Item = PublicKey>) -> Self {
        Self { keys: keys.collect() }
    }

    /// Reads a published key set. Keys of other kinds and for other uses are passed over.
    pub fn read(text: &str) -> Result<Self, NoKeys> {
        let set: Json = serde_json::from_str(text).map_err(|_| NoKeys::NotAKeySet)?;
        let members = set.get("keys").and_then(Json::as_array).ok_or(NoKeys::NotAKeySet)?;
        let mut keys: Vec<PublicKey> =
            members.iter().filter_map(|key| PublicKey::deserialize(key).ok()).collect();
        keys.retain(PublicKey::signs);
        if let Some(broken) = keys.iter().find(|key| key.verifying().is_none()) {
            return Err(NoKeys::Broken(broken.kid.clone()));
        }
        if keys.is_empty() { Err(NoKeys::NoneForSignatures) } else { Ok(Self { keys }) }
    }

    /// Whether the key of this id made a signature; nothing when there is no such key.
    pub(super) fn signed(&self, kid: &str, message: &[u8], signature: &[u8]) -> Option<bool> {
        let key = self.keys.iter().find(|key| key.kid == kid)?.verifying()?;
        let signature = Signature::from_slice(signature);
        Some(signature.is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()))
    }
}

impl PublicKey {
    pub(super) fn of(key: &VerifyingKey) -> Self {
        Self {
            kty: KEY_TYPE.into(),
            crv: CURVE.into(),
            usage: USE.into(),
            alg: ALGORITHM.into(),
            kid: id_of(key),
            x: URL_SAFE_NO_PAD.encode(key.as_bytes()),
        }
    }

    pub(super) fn kid(&self) -> &str {
        &self.kid
    }

    fn signs(&self) -> bool {
        self.kty == KEY_TYPE
            && self.crv == CURVE
            && [USE, ""].contains(&self.usage.as_str())
            && [ALGORITHM, CURVE, ""].contains(&self.alg.as_str())
    }

    pub(super) fn verifying(&self) -> Option<VerifyingKey> {
        let bytes = URL_SAFE_NO_PAD.decode(&self.x).ok()?;
        VerifyingKey::from_bytes(bytes.as_slice().try_into().ok()?).ok()
    }
}

/// The `kid` of a key.
pub(super) fn id_of(key: &VerifyingKey) -> String {
    hex(&Sha256::digest(key.as_bytes())[..8])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::keys::Keys;
    use super::*;

    #[test]
    fn what_is_published_is_read_again() {
        let keys = Keys::ephemeral().unwrap();
        let published = serde_json::to_value(keys.public()).unwrap();
        let key = &published["keys"][0];
        assert_eq!(
            (&key["kty"], &key["crv"], &key["use"], &key["alg"]),
            (&json!("OKP"), &json!("Ed25519"), &json!("sig"), &json!("EdDSA"))
        );
        assert_eq!(key.as_object().unwrap().len(), 6, "nothing private");
        let read = PublicKeys::read(&published.to_string()).unwrap();
        let signature = keys.active().sign(b"message");
        let kid = key["kid"].as_str().unwrap();
        assert_eq!(read.signed(kid, b"message", &signature), Some(true));
        assert_eq!(read.signed(kid, b"massage", &signature), Some(false));
        assert_eq!(read.signed(kid, b"message", &signature[1..]), Some(false));
        assert_eq!(read.signed("other", b"message", &signature), None);
    }

    #[test]
    fn keys_of_other_kinds_are_passed_over() {
        let keys = Keys::ephemeral().unwrap();
        let own = serde_json::to_value(keys.public()).unwrap()["keys"][0].clone();
        let mut for_secrets = own.clone();
        for_secrets["use"] = json!("enc");
        let mut of_another_curve = own.clone();
        of_another_curve["crv"] = json!("X25519");
        let others = json!([
            { "kty": "RSA", "kid": "r", "n": "AQAB", "e": "AQAB" },
            { "kty": "oct", "kid": own["kid"], "k": own["x"] },
            for_secrets,
            of_another_curve,
            "nonsense",
        ]);
        let read = |keys: Json| PublicKeys::read(&json!({ "keys": keys }).to_string()).err();
        assert_eq!(read(others.clone()), Some(NoKeys::NoneForSignatures));
        let mut with_own = others;
        with_own.as_array_mut().unwrap().push(own.clone());
        assert_eq!(read(with_own), None);
        let mut bare = own.clone();
        bare.as_object_mut().unwrap().retain(|member, _| !["use", "alg"].contains(&member.as_str()));
        assert_eq!(read(json!([bare])), None, "use and alg may be left out");
        for x in ["", "AAAA", "!", &"A".repeat(44)] {
            let mut broken = own.clone();
            (broken["x"], broken["kid"]) = (json!(x), json!("k"));
            assert_eq!(read(json!([broken])), Some(NoKeys::Broken("k".into())), "{x}");
        }
        for text in ["", "[]", "{}", "{\"keys\":{}}", "nonsense"] {
            assert_eq!(PublicKeys::read(text).err(), Some(NoKeys::NotAKeySet), "{text}");
        }
    }
}
