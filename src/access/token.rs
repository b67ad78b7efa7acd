//! Access tokens (RFC 9068): JWTs signed by the server's own key, judged strictly, and looked up again every few seconds.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use entity::id::{ClientId, TokenId};
use entity::kinds::Scope;
use entity::{client, partner, person, staff, token, trusted_document};
use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header};
use quick_cache::sync::Cache;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;
use tokio::time::Instant;

use super::asked::{Asked, Bounds};
use super::database::Database;
use super::directory::{Directory, LONGEST_AGE};
use super::keys::Keys;
use super::knocks::Knocks;
use super::looks::{Looks, Seen};
use super::misses::Misses;
use super::possession::{Proof, ProofFlaw, Proofs};
use super::purse::{Buckets, Rate};
use super::slice::Slice;
use super::viewer::{Bearer, Documents, Viewer, words};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::page::key_of;

/// Who issues tokens, and whom they are for, where nothing else is set: what a server on this machine is.
const LOCAL: &str = "http://127.0.0.1:8080";
/// RFC 9068's `typ` of an access token.
const TYPE: &str = "at+jwt";
const LEEWAY: TimeDelta = TimeDelta::seconds(5);
pub(super) const CACHED_TOKENS: usize = 10_000;
const LONGEST_TOKEN: usize = 4096;

/// What a verified token says. Only verification makes one.
#[derive(Serialize, Deserialize)]
pub struct Claims {
    pub(super) iss: String,
    pub(super) aud: String,
    /// Who acts: a client or a member of staff by id, or a partner by its code.
    pub(super) sub: String,
    pub(super) client_id: String,
    pub(super) jti: String,
    pub(super) iat: i64,
    pub(super) nbf: i64,
    pub(super) exp: i64,
    pub(super) scope: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cnf: Option<Confirmation>,
}

/// The key that must be proven with each use (RFC 9449 §6.1).
#[derive(Serialize, Deserialize, PartialEq, Eq)]
pub(super) struct Confirmation {
    pub(super) jkt: String,
}

pub(super) struct Known {
    viewer: Viewer,
    not_before: i64,
    expires: i64,
    /// Of the key to which the token is bound.
    thumbprint: Option<String>,
    checked: Instant,
}

/// Why nobody enters.
pub enum Denied {
    /// The token, or the lack of it.
    Token(Error),
    /// The token is bound to a key, and the proof of it is not good.
    Proof(ProofFlaw),
}

impl From<Error> for Denied {
    fn from(error: Error) -> Self {
        Self::Token(error)
    }
}

/// The gate of the house: turns a bearer token into a slice, and issues and revokes tokens.
#[derive(Clone)]
pub struct Gate {
    pub(super) database: Database,
    pub(super) keys: Arc<Keys>,
    pub(super) directory: Arc<Directory>,
    pub(super) misses: Arc<Misses>,
    pub(super) asked: Arc<Asked>,
    pub(super) buckets: Arc<Buckets>,
    pub(super) looks: Arc<Looks>,
    pub(super) numbered: Arc<watch::Sender<()>>,
    pub(super) proofs: Arc<Proofs>,
    pub(super) knocks: Arc<Knocks>,
    pub(super) issuer: Arc<str>,
    pub(super) clock: Clock,
    pub(super) known: Arc<Cache<[u8; 32], Arc<Known>>>,
}

impl Gate {
    pub fn new(database: Database, keys: Arc<Keys>, clock: Clock) -> Self {
        Self::with_cache_age(database, keys, clock, LONGEST_AGE)
    }

    /// With another bound on the age of what is cached.
    pub fn with_cache_age(database: Database, keys: Arc<Keys>, clock: Clock, age: Duration) -> Self {
        let directory = Arc::new(Directory::new(database.clone(), age));
        let known = Arc::new(Cache::new(CACHED_TOKENS));
        Self {
            database,
            keys,
            directory,
            misses: Arc::default(),
            asked: Arc::default(),
            buckets: Arc::new(Buckets::new(Rate::default())),
            looks: Arc::default(),
            numbered: Arc::default(),
            proofs: Arc::new(Proofs::default()),
            knocks: Arc::default(),
            issuer: LOCAL.into(),
            clock,
            known,
        }
    }

    /// The same gate of a server that is known outside by this address: it stands in every token as who issued it, and for whom.
    pub fn issuing_as(self, issuer: &str) -> Self {
        // What was judged under another address is not good under this one.
        Self { issuer: issuer.into(), known: Arc::new(Cache::new(CACHED_TOKENS)), ..self }
    }

    /// With buckets of another size.
    #[must_use]
    pub fn with_rate(self, rate: Rate) -> Self {
        Self { buckets: Arc::new(Buckets::new(rate)), ..self }
    }

    /// The address by which this server is known, without a slash at its end.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// With other bounds on how many people and cards a partner may ask for.
    pub fn bounded(self, bounds: Bounds) -> Self {
        Self { asked: Arc::new(Asked::within(bounds)), ..self }
    }

    pub fn database(&self) -> &Database {
        &self.database
    }

    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    pub(super) fn shared_keys(&self) -> &Arc<Keys> {
        &self.keys
    }

    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The slice of whoever bears this token. One that is bound to a key opens nothing by itself.
    pub async fn enter(&self, bearer: &str) -> Result<Slice> {
        let known = self.known(bearer).await?;
        if known.thumbprint.is_some() {
            return Err(Error::Unauthenticated);
        }
        Ok(self.slice(&known))
    }

    /// The slice of whoever holds the key that this token is bound to, and proves it.
    pub async fn enter_bound(&self, token: &str, proof: Proof<'_>) -> Result<Slice, Denied> {
        let known = self.known(token).await?;
        let bound = known.thumbprint.as_deref().ok_or(Error::Unauthenticated)?;
        let proven = self.proofs.judge(proof, &self.issuer, Some(token), self.clock.now());
        if proven.map_err(Denied::Proof)? != bound {
            return Err(Denied::Proof(ProofFlaw::Invalid("it is of another key than the token is bound to")));
        }
        Ok(self.slice(&known))
    }

    /// The slice of who has entered with this token before, and goes on with the same request.
    pub async fn go_on(&self, token: &str) -> Result<Slice> {
        Ok(self.slice(&*self.known(token).await?))
    }

    /// The nonce that the next proof of possession must carry.
    pub fn proof_nonce(&self) -> String {
        self.proofs.nonce(self.clock.now())
    }

    /// A token that is good now.
    async fn known(&self, token: &str) -> Result<Arc<Known>> {
        if token.len() > LONGEST_TOKEN {
            return Err(Error::Unauthenticated);
        }
        let hash: [u8; 32] = Sha256::digest(token).into();
        let known = match self.known.get(&hash).filter(|known| known.checked.elapsed() < LONGEST_AGE) {
            Some(known) => known,
            None => {
                self.look_for_key_of(token).await;
                let known = Arc::new(self.look_up(self.verify(token)?).await?);
                self.known.insert(hash, Arc::clone(&known));
                known
            }
        };
        let now = self.clock.now();
        let valid =
            (now + LEEWAY).timestamp() >= known.not_before && (now - LEEWAY).timestamp() < known.expires;
        if valid { Ok(known) } else { Err(Error::Unauthenticated) }
    }

    fn slice(&self, known: &Known) -> Slice {
        self.slice_of(known.viewer.clone())
    }

    pub(super) fn slice_of(&self, viewer: Viewer) -> Slice {
        Slice {
            database: self.database.clone(),
            directory: Arc::clone(&self.directory),
            keys: Arc::clone(&self.keys),
            misses: Arc::clone(&self.misses),
            asked: Arc::clone(&self.asked),
            buckets: Arc::clone(&self.buckets),
            seen: Arc::new(Seen::new(Arc::clone(&self.looks))),
            origin: None,
            purpose: None,
            viewer,
            clock: self.clock.clone(),
            acting: None,
        }
    }

    /// Signature, algorithm, type, key, issuer, audience. The times are judged by the clock that was passed in.
    pub(super) fn verify(&self, bearer: &str) -> Result<Claims> {
        let claims = self.verify_signature(bearer)?;
        let ours = claims.iss == *self.issuer && claims.aud == *self.issuer;
        if ours { Ok(claims) } else { Err(Error::Unauthenticated) }
    }

    /// All but for which address it was issued: the command that ends a token need not know how the server is known outside.
    pub(super) fn verify_signature(&self, bearer: &str) -> Result<Claims> {
        let refused = |_| Error::Unauthenticated;
        let header = decode_header(bearer).map_err(refused)?;
        let kid = header.kid.clone().ok_or(Error::Unauthenticated)?;
        // Exactly what this server writes: no key or address of one that the token brings along, nothing critical.
        if header != written_header(&kid) {
            return Err(Error::Unauthenticated);
        }
        let key = self.keys.verifying(&kid).ok_or(Error::Unauthenticated)?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.validate_aud = false;
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let claims = decode::<Claims>(bearer, &key.decoding, &validation).map_err(refused)?.claims;
        if key.signed_at(claims.iat) { Ok(claims) } else { Err(Error::Unauthenticated) }
    }

    /// The live row of a verified token, with whom it leads to.
    async fn look_up(&self, claims: Claims) -> Result<Known> {
        let id = key_of::<TokenId>(&claims.jti).ok_or(Error::Unauthenticated)?;
        let checked = Instant::now();
        let reader = self.database.reader();
        let (row, partner, client) = token::Entity::find_by_id(id)
            .find_also_related(partner::Entity)
            .find_also_related(client::Entity)
            .one(&reader)
            .await?
            .ok_or(Error::Unauthenticated)?;
        let staff = match row.staff_id {
            Some(id) => {
                Some(staff::Entity::find_by_id(id).one(&reader).await?.ok_or(Error::Unauthenticated)?)
            }
            None => None,
        };
        let documents = match &client {
            Some(client) if client.documents_trusted => Some(self.documents_of(client.id).await?),
            _ => None,
        };
        let bearer = Bearer { partner: partner.ok_or(Error::Unauthenticated)?, client, staff };
        let thumbprint = claims.cnf.map(|confirmation| confirmation.jkt);
        if row.revoked_at.is_some()
            || bearer.is_suspended()
            || bearer.subject() != claims.sub
            || row.key_thumbprint != thumbprint
        {
            return Err(Error::Unauthenticated);
        }
        let claimed: Vec<Scope> = words(&claims.scope).collect();
        let scopes: Vec<Scope> = words(&row.scopes).filter(|scope| claimed.contains(scope)).collect();
        Ok(Known {
            viewer: Viewer::new(bearer, &scopes, row.id).sending(documents),
            not_before: claims.nbf,
            expires: claims.exp.min(row.expires_at.timestamp()),
            thumbprint,
            checked,
        })
    }

    /// What was registered for a client of trusted documents.
    async fn documents_of(&self, client: ClientId) -> Result<Documents> {
        let rows = trusted_document::Entity::find()
            .filter(trusted_document::Column::ClientId.eq(client))
            .all(&self.database.reader())
            .await?;
        let digest = |row: trusted_document::Model| <[u8; 32]>::try_from(row.digest.0);
        let wrong = |_| Error::internal("a digest of a document that is none");
        rows.into_iter().map(digest).collect::<std::result::Result<_, _>>().map_err(wrong)
    }

    /// A partner by its code.
    pub async fn partner(&self, code: &str) -> Result<Option<partner::Model>> {
        let by_code = partner::Column::Code.eq(code);
        Ok(partner::Entity::find().filter(by_code).one(&self.database.reader()).await?)
    }

    /// Whether the personal data of this database open with these keys; true as long as there are none.
    pub async fn keys_fit(&self) -> Result<bool> {
        let any = person::Entity::find().limit(1).one(&self.database.reader()).await?;
        Ok(any.is_none_or(|person| {
            self.keys.open(person::Column::NationalIdSealed, person.id, &person.national_id_sealed).is_ok()
        }))
    }
}

/// The header of every access token.
pub(super) fn written_header(kid: &str) -> Header {
    Header { typ: Some(TYPE.into()), kid: Some(kid.to_owned()), ..Header::new(Algorithm::EdDSA) }
}
