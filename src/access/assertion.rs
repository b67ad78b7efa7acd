//! A client's assertion of who it is (RFC 7523 §3, RFC 7521 §5): signed with one of the keys that are registered for it, and good once.

use chrono::{DateTime, TimeDelta, Utc};
use entity::client;
use jsonwebtoken::jwk::Jwk;
use serde::Deserialize;

use super::jose;
use crate::page::type_id;

/// Longest time from now to the end of an assertion.
const LONGEST_LIFE: TimeDelta = TimeDelta::minutes(10);
const LEEWAY: TimeDelta = TimeDelta::seconds(30);
const LONGEST_JTI: usize = 256;

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: i64,
    jti: String,
    nbf: Option<i64>,
    iat: Option<i64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    /// Meant for this server alone: an assertion that another could pass on to us, or we to it, is none.
    fn is_one_of(&self, ours: &[&str]) -> bool {
        match self {
            Self::One(audience) => ours.contains(&audience.as_str()),
            Self::Several(several) => {
                !several.is_empty() && several.iter().all(|audience| ours.contains(&audience.as_str()))
            }
        }
    }
}

/// A good assertion, as it is remembered.
pub(super) struct Once {
    pub(super) jti: String,
    pub(super) until: DateTime<Utc>,
}

/// Whose an assertion says it is; not yet verified.
pub(super) fn claimed_client(assertion: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Stated {
        sub: String,
    }
    jose::header(assertion)?;
    jsonwebtoken::dangerous::insecure_decode::<Stated>(assertion).ok().map(|data| data.claims.sub)
}

/// Judges an assertion of a client against its registered keys, for one of the audiences that name this server.
pub(super) fn judge(
    assertion: &str,
    client: &client::Model,
    audiences: &[&str],
    now: DateTime<Utc>,
) -> Option<Once> {
    let header = jose::header(assertion)?;
    // A receipt, an access token or a proof is signed for something else.
    if !matches!(header.typ.as_deref(), None | Some("JWT" | "client-authentication+jwt")) {
        return None;
    }
    let registered = client.keys.as_ref()?.get("keys")?.as_array()?;
    let keys: Vec<Jwk> = registered.iter().filter_map(jose::public_key).collect();
    let mut fitting = keys.iter().filter(|key| {
        jose::algorithm(key) == Some(header.alg)
            && header.kid.as_ref().is_none_or(|kid| key.common.key_id.as_ref() == Some(kid))
    });
    let claims: Claims = fitting.find_map(|key| jose::claims(assertion, key))?;
    let name = type_id(client.id);
    let expires = DateTime::from_timestamp(claims.exp, 0)?;
    let not_yet = |at: Option<i64>| at.is_some_and(|at| at > (now + LEEWAY).timestamp());
    let good = claims.iss == name
        && claims.sub == name
        && claims.aud.is_one_of(audiences)
        && expires > now - LEEWAY
        && expires <= now + LONGEST_LIFE + LEEWAY
        && !not_yet(claims.nbf)
        && !not_yet(claims.iat)
        && (1..=LONGEST_JTI).contains(&claims.jti.len());
    good.then(|| Once { jti: claims.jti, until: expires + LEEWAY })
}
