//! Proof of possession (DPoP, RFC 9449): whoever uses a bound token signs each request with the key that the token names. A proof
//! carries a nonce of this process and is good once; what was used is remembered as long as its nonce is good, so that no replay
//! costs a write.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, Mac};
use jsonwebtoken::jwk::ThumbprintHash;
use serde::Deserialize;
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};

use super::jose;
const TYPE: &str = "dpop+jwt";
/// How long a nonce is given out; it is good for as long again.
const NONCE_SECONDS: i64 = 60;
const NONCE_BYTES: usize = 24;
const LONGEST_JTI: usize = 256;
/// Most proofs that are remembered for one nonce: 25,000 a second.
const MOST_REMEMBERED: usize = 1_500_000;

/// A proof as it came with a request.
#[derive(Clone, Copy)]
pub struct Proof<'a> {
    /// What stood in the `DPoP` header.
    pub jwt: &'a str,
    pub method: &'a str,
    /// Without the query part.
    pub path: &'a str,
}

/// What is wrong with a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofFlaw {
    /// It has no nonce of this process, or an old one: the client takes the one that the answer brings, and tries again.
    Nonce,
    /// `use` of RFC 9449 §4.3: says what is not as it must be.
    Invalid(&'static str),
}

#[derive(Deserialize)]
struct Claims {
    jti: String,
    htm: String,
    htu: String,
    #[serde(rename = "iat")]
    _iat: i64,
    nonce: Option<String>,
    ath: Option<String>,
}

/// The proofs that this process has seen, and its nonces.
pub(super) struct Proofs {
    secret: [u8; 32],
    seen: Mutex<BTreeMap<i64, HashSet<[u8; 16]>>>,
}

impl Default for Proofs {
    fn default() -> Self {
        Self { secret: rand::random(), seen: Mutex::default() }
    }
}

impl Proofs {
    /// The nonce that is given out now.
    pub(super) fn nonce(&self, now: DateTime<Utc>) -> String {
        self.nonce_of(now.timestamp().div_euclid(NONCE_SECONDS))
    }

    fn nonce_of(&self, period: i64) -> String {
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(&self.secret)
            .unwrap_or_else(|_| unreachable!("HMAC takes a key of any length"));
        mac.update(&period.to_be_bytes());
        URL_SAFE_NO_PAD.encode(&mac.finalize().into_bytes()[..NONCE_BYTES])
    }

    /// The thumbprint (RFC 7638) of the key that a proof proves; with the token that it is used with, or none at the token endpoint.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn judge(
        &self,
        proof: Proof<'_>,
        issuer: &str,
        token: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<String, ProofFlaw> {
        let invalid = ProofFlaw::Invalid;
        let header = jose::header(proof.jwt).ok_or(invalid("it must be a JWT signed with EdDSA or ES256"))?;
        if header.typ.as_deref() != Some(TYPE) {
            return Err(invalid("its typ must be dpop+jwt"));
        }
        let key = stated_key(proof.jwt)
            .and_then(|key| jose::public_key(&key))
            .ok_or(invalid("its jwk must be a public key of its algorithm, without a private part"))?;
        let claims: Claims = jose::claims(proof.jwt, &key)
            .ok_or(invalid("its signature or its claims jti, htm, htu, iat are not right"))?;
        if claims.htm != proof.method {
            return Err(invalid("its htm must be the method of the request"));
        }
        if without_query(&claims.htu) != format!("{issuer}{}", proof.path) {
            return Err(invalid(
                "its htu must be the address of the request, as the issuer is known outside",
            ));
        }
        let bound = token.map(|token| URL_SAFE_NO_PAD.encode(Sha256::digest(token)));
        if claims.ath != bound {
            return Err(invalid(
                "its ath must be the SHA-256 of the access token, and be there only with one",
            ));
        }
        if claims.jti.is_empty() || claims.jti.len() > LONGEST_JTI {
            return Err(invalid("its jti must have 1 to 256 characters"));
        }
        let thumbprint =
            key.thumbprint(ThumbprintHash::SHA256).map_err(|_| invalid("its jwk has no thumbprint"))?;
        let period = self.period_of(claims.nonce.as_deref(), now).ok_or(ProofFlaw::Nonce)?;
        self.remember(period, &thumbprint, &claims.jti)?;
        Ok(thumbprint)
    }

    /// In which period a nonce was given out; none of one that is not good.
    fn period_of(&self, nonce: Option<&str>, now: DateTime<Utc>) -> Option<i64> {
        let nonce = nonce?;
        let current = now.timestamp().div_euclid(NONCE_SECONDS);
        [current, current - 1].into_iter().find(|period| self.nonce_of(*period) == nonce)
    }

    fn remember(&self, period: i64, thumbprint: &str, jti: &str) -> Result<(), ProofFlaw> {
        let mut name = [0; 16];
        let digest = Sha256::new().chain_update(thumbprint).chain_update([0]).chain_update(jti).finalize();
        name.copy_from_slice(&digest[..16]);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|of, _| (period - 1..=period + 1).contains(of));
        let of_period = seen.entry(period).or_default();
        if of_period.len() >= MOST_REMEMBERED {
            return Err(ProofFlaw::Nonce);
        }
        match of_period.insert(name) {
            true => Ok(()),
            false => Err(ProofFlaw::Invalid("it was used before: each request needs a jti of its own")),
        }
    }
}

/// The key in a proof's header, with all its members.
fn stated_key(jwt: &str) -> Option<Json> {
    let header = URL_SAFE_NO_PAD.decode(jwt.split('.').next()?).ok()?;
    let mut header: Json = serde_json::from_slice(&header).ok()?;
    Some(header.get_mut("jwk")?.take())
}

fn without_query(address: &str) -> &str {
    address.split(['?', '#']).next().unwrap_or_default()
}
