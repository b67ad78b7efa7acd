//! The ring of signing keys: one that signs, and those before it, which verify what they signed.

use std::io;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use ed25519_dalek::pkcs8::EncodePrivateKey;
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde::{Deserialize, Serialize};

use super::super::jwks::{PublicKey, PublicKeys, id_of};

/// So long after its retirement a key may still have signed: a server takes the new key a few seconds later, and the clock of another
/// replica may be ahead.
const LATE: TimeDelta = TimeDelta::seconds(30);

/// The key that signs.
pub struct Active {
    /// Its `kid`.
    pub kid: String,
    /// For tokens.
    pub encoding: EncodingKey,
    signer: SigningKey,
}

impl Active {
    fn of(signer: SigningKey) -> io::Result<Self> {
        let der = signer.to_pkcs8_der().map_err(io::Error::other)?;
        let kid = id_of(&signer.verifying_key());
        Ok(Self { kid, encoding: EncodingKey::from_ed_der(der.as_bytes()), signer })
    }

    /// An Ed25519 signature.
    pub(in super::super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.signer.sign(message).to_vec()
    }

    pub(super) fn retire(&self, retired_at: DateTime<Utc>) -> Retired {
        Retired { retired_at, key: PublicKey::of(&self.signer.verifying_key()) }
    }
}

/// What is left of a key that signs no more: nothing private.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Retired {
    pub(super) retired_at: DateTime<Utc>,
    pub(super) key: PublicKey,
}

impl Retired {
    pub(super) fn kid(&self) -> &str {
        self.key.kid()
    }

    /// The key itself; nothing when it is none, or not the one of its `kid`.
    pub(super) fn verifying(&self) -> Option<VerifyingKey> {
        self.key.verifying().filter(|key| id_of(key) == self.kid())
    }
}

/// A key that verifies tokens.
pub struct Verifying {
    pub decoding: DecodingKey,
    /// When it ceased to sign; nothing for the one that signs.
    pub retired_at: Option<DateTime<Utc>>,
}

impl Verifying {
    /// Whether it may have signed something that was issued at a time, in seconds since 1970.
    pub fn signed_at(&self, issued: i64) -> bool {
        self.retired_at.is_none_or(|retired| issued <= retired.timestamp().saturating_add(LATE.num_seconds()))
    }
}

/// All signing keys of a server at one time.
pub(super) struct Ring {
    pub(super) active: Arc<Active>,
    /// The latest first; never the active one.
    pub(super) retired: Vec<(Retired, VerifyingKey)>,
}

impl Ring {
    pub(super) fn of(signer: SigningKey, mut retired: Vec<(Retired, VerifyingKey)>) -> io::Result<Self> {
        let active = Arc::new(Active::of(signer)?);
        // A rotation that was cut short has written down the retirement of a key that still signs.
        retired.retain(|(retired, _)| retired.kid() != active.kid);
        retired.sort_by(|(one, _), (other, _)| {
            other.retired_at.cmp(&one.retired_at).then_with(|| one.kid().cmp(other.kid()))
        });
        Ok(Self { active, retired })
    }

    pub(super) fn verifying(&self, kid: &str) -> Option<Verifying> {
        let (key, retired_at) = match kid == self.active.kid {
            true => (self.active.signer.verifying_key(), None),
            false => {
                let (retired, key) = self.retired.iter().find(|(retired, _)| retired.kid() == kid)?;
                (*key, Some(retired.retired_at))
            }
        };
        Some(Verifying { decoding: DecodingKey::from_ed_der(key.as_bytes()), retired_at })
    }

    /// What is published: the active key first.
    pub(super) fn public(&self) -> PublicKeys {
        let active = PublicKey::of(&self.active.signer.verifying_key());
        PublicKeys::of(
            std::iter::once(active).chain(self.retired.iter().map(|(retired, _)| retired.key.clone())),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retired_key_signed_nothing_after_its_retirement() {
        let retired_at: DateTime<Utc> = "2016-06-15T02:00:00Z".parse().unwrap();
        let (old, new) = (SigningKey::from_bytes(&[7; 32]), SigningKey::from_bytes(&[8; 32]));
        let public = old.verifying_key();
        let retired = Active::of(old).unwrap().retire(retired_at);
        let ring = Ring::of(new, vec![(retired, public)]).unwrap();
        let old = ring.verifying(&id_of(&public)).unwrap();
        assert!(old.signed_at(retired_at.timestamp()) && old.signed_at((retired_at + LATE).timestamp()));
        assert!(!old.signed_at((retired_at + LATE).timestamp() + 1));
        assert!(ring.verifying(&ring.active.kid).unwrap().signed_at(i64::MAX));
        assert!(ring.verifying("other").is_none());
    }
}
