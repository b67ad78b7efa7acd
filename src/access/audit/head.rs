//! The head of the trail, for keeping where whoever can write to the database cannot.

use chrono::{DateTime, Utc};
use entity::seal;
use serde::{Deserialize, Serialize};

use super::super::jwks::PublicKeys;
use super::super::keys::hex;

/// The newest seal, with what is needed to check its signature. Its hash covers the one before, and so every record until then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Head {
    /// The seal's number.
    pub seal: i64,
    pub at: DateTime<Utc>,
    /// How many audit records there are up to this seal.
    pub records: i64,
    /// SHA-256, hexadecimal.
    pub hash: String,
    /// Ed25519 over the 32 bytes of the hash, hexadecimal.
    pub signature: String,
    pub key_id: String,
    /// As published at `/.well-known/jwks.json`.
    pub public_keys: PublicKeys,
}

impl Head {
    pub(super) fn of(seal: &seal::Model, records: i64, keys: &PublicKeys) -> Self {
        Self {
            seal: seal.number,
            at: seal.at,
            records,
            hash: hex(&seal.hash.0),
            signature: hex(&seal.signature),
            key_id: seal.key_id.clone(),
            public_keys: keys.clone(),
        }
    }

    /// Whether a seal is the one that was kept.
    pub(super) fn is(&self, seal: &seal::Model, records: i64) -> bool {
        let same = (&self.hash, &self.signature, &self.key_id);
        same == (&hex(&seal.hash.0), &hex(&seal.signature), &seal.key_id)
            && (self.seal, self.at, self.records) == (seal.number, seal.at, records)
    }
}
