//! Access tokens: JWTs signed by the server's own key, judged strictly, and looked up again every few seconds.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use entity::id::TokenId;
use entity::kinds::Scope;
use entity::{partner, person, token};
use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header, encode};
use quick_cache::sync::Cache;
use sea_orm::{
    ActiveModelBehavior, ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QuerySelect,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;
use tokio::time::Instant;

use super::asked::{Asked, Bounds};
use super::database::{Database, Loading};
use super::directory::{Directory, LONGEST_AGE};
use super::disclosure::column;
use super::keys::Keys;
use super::looks::{Looks, Seen};
use super::misses::Misses;
use super::slice::Slice;
use super::viewer::{Viewer, may_hold};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::page::{key_of, type_id};

/// Who signs: the `iss` of everything that this server signs.
pub(super) const ISSUER: &str = "onestop";
const AUDIENCE: &str = "onestop";
/// RFC 9068's `typ` of an access token.
const TYPE: &str = "at+jwt";
const LEEWAY: TimeDelta = TimeDelta::seconds(5);
/// A token is good from so long before it was issued: the clock of another replica, or this one set right, may be behind.
const CLOCK_BEHIND: TimeDelta = TimeDelta::hours(3);
const CACHED_TOKENS: usize = 10_000;
const LONGEST_TOKEN: usize = 4096;

/// What a verified token says. Only verification makes one.
#[derive(Serialize, Deserialize)]
pub struct Claims {
    iss: String,
    aud: String,
    /// The partner's code.
    sub: String,
    client_id: String,
    jti: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    scope: String,
}

struct Known {
    viewer: Viewer,
    not_before: i64,
    expires: i64,
    checked: Instant,
}

/// The gate of the house: turns a bearer token into a slice, and issues and revokes tokens.
#[derive(Clone)]
pub struct Gate {
    database: Database,
    keys: Arc<Keys>,
    directory: Arc<Directory>,
    misses: Arc<Misses>,
    asked: Arc<Asked>,
    pub(super) looks: Arc<Looks>,
    pub(super) numbered: Arc<watch::Sender<()>>,
    clock: Clock,
    known: Arc<Cache<[u8; 32], Arc<Known>>>,
}

/// Why a token was not issued.
#[derive(Debug)]
pub enum IssueError {
    NoSuchPartner,
    /// The partner's kind may never hold this scope.
    ScopeNotAllowed(Scope),
    LifetimeOutOfRange,
    Failed(Error),
}

impl<E: Into<Error>> From<E> for IssueError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// The longest life of a token.
pub const LONGEST_LIFE: Duration = Duration::from_secs(366 * 24 * 3600);

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
            looks: Arc::default(),
            numbered: Arc::default(),
            clock,
            known,
        }
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

    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The slice of whoever bears this token.
    pub async fn enter(&self, bearer: &str) -> Result<Slice> {
        if bearer.len() > LONGEST_TOKEN {
            return Err(Error::Unauthenticated);
        }
        let hash: [u8; 32] = Sha256::digest(bearer).into();
        let known = match self.known.get(&hash).filter(|known| known.checked.elapsed() < LONGEST_AGE) {
            Some(known) => known,
            None => {
                let known = Arc::new(self.look_up(self.verify(bearer)?).await?);
                self.known.insert(hash, Arc::clone(&known));
                known
            }
        };
        let now = self.clock.now();
        let valid =
            (now + LEEWAY).timestamp() >= known.not_before && (now - LEEWAY).timestamp() < known.expires;
        if !valid {
            return Err(Error::Unauthenticated);
        }
        Ok(Slice {
            database: self.database.clone(),
            directory: Arc::clone(&self.directory),
            keys: Arc::clone(&self.keys),
            misses: Arc::clone(&self.misses),
            asked: Arc::clone(&self.asked),
            seen: Arc::new(Seen::new(Arc::clone(&self.looks))),
            origin: None,
            purpose: None,
            viewer: known.viewer.clone(),
            clock: self.clock.clone(),
            acting: None,
        })
    }

    /// Signature, algorithm, type, key, issuer, audience. The times are judged by the clock that was passed in.
    fn verify(&self, bearer: &str) -> Result<Claims> {
        let refused = |_| Error::Unauthenticated;
        let header = decode_header(bearer).map_err(refused)?;
        let ours = header.alg == Algorithm::EdDSA
            && header.typ.as_deref() == Some(TYPE)
            && header.kid.as_deref() == Some(self.keys.key_id.as_str());
        if !ours {
            return Err(Error::Unauthenticated);
        }
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        validation.validate_exp = false;
        validation.validate_nbf = false;
        decode::<Claims>(bearer, &self.keys.verifying, &validation).map(|data| data.claims).map_err(refused)
    }

    /// The live row of a verified token, with its partner.
    async fn look_up(&self, claims: Claims) -> Result<Known> {
        let id = key_of::<TokenId>(&claims.jti).ok_or(Error::Unauthenticated)?;
        let checked = Instant::now();
        let (row, partner) = token::Entity::find_by_id(id)
            .find_also_related(partner::Entity)
            .one(&self.database.reader())
            .await?
            .ok_or(Error::Unauthenticated)?;
        let partner = partner.ok_or(Error::Unauthenticated)?;
        if row.revoked_at.is_some() || partner.code != claims.sub {
            return Err(Error::Unauthenticated);
        }
        let granted: Vec<Scope> = row.scopes.split(' ').filter_map(Scope::of_word).collect();
        let claimed: Vec<Scope> = claims.scope.split(' ').filter_map(Scope::of_word).collect();
        let scopes: Vec<Scope> = granted.into_iter().filter(|scope| claimed.contains(scope)).collect();
        Ok(Known {
            viewer: Viewer::new(Arc::new(partner), &scopes, row.id),
            not_before: claims.nbf,
            expires: claims.exp,
            checked,
        })
    }

    /// A partner by its code.
    pub async fn partner(&self, code: &str) -> Result<Option<partner::Model>> {
        let by_code = partner::Column::Code.eq(code);
        Ok(partner::Entity::find().filter(by_code).one(&self.database.reader()).await?)
    }

    /// Issues a token to a partner.
    pub async fn issue(
        &self,
        partner_code: &str,
        scopes: &[Scope],
        life: Duration,
    ) -> Result<String, IssueError> {
        let partner = self.partner(partner_code).await?.ok_or(IssueError::NoSuchPartner)?;
        if let Some(scope) = scopes.iter().find(|scope| !may_hold(partner.kind, **scope)) {
            return Err(IssueError::ScopeNotAllowed(*scope));
        }
        if life.is_zero() || life > LONGEST_LIFE {
            return Err(IssueError::LifetimeOutOfRange);
        }
        let now = self.clock.now();
        let life = TimeDelta::from_std(life).map_err(|_| IssueError::LifetimeOutOfRange)?;
        let words: Vec<&str> = scopes.iter().map(|scope| scope.word()).collect();
        let row = token::Model {
            id: TokenId::from(uuid::Uuid::now_v7()),
            partner_id: partner.id,
            scopes: words.join(" "),
            issued_at: now,
            expires_at: now + life,
            revoked_at: None,
        };
        let claims = Claims {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub: partner.code.clone(),
            client_id: partner.code,
            jti: type_id(row.id),
            iat: now.timestamp(),
            nbf: (now - CLOCK_BEHIND).timestamp(),
            exp: row.expires_at.timestamp(),
            scope: row.scopes.clone(),
        };
        let header = Header {
            typ: Some(TYPE.into()),
            kid: Some(self.keys.key_id.clone()),
            ..Header::new(Algorithm::EdDSA)
        };
        let token = encode(&header, &claims, &self.keys.signing)
            .map_err(|error| Error::internal(format!("signing a token: {error}")))?;
        token::Entity::insert(row.into_active_model().reset_all())
            .exec_without_returning(&self.database.reader())
            .await?;
        Ok(token)
    }

    /// Whether the personal data of this database open with these keys; true as long as there are none.
    pub async fn keys_fit(&self) -> Result<bool> {
        let any = person::Entity::find().limit(1).one(&self.database.reader()).await?;
        Ok(any.is_none_or(|person| self.keys.open(column::NATIONAL_ID, &person.national_id_sealed).is_ok()))
    }

    /// Ends a token, named by itself or by its `jti`; tells whether there was such a live one.
    pub async fn revoke(&self, token_or_id: &str) -> Result<bool> {
        let id = match key_of::<TokenId>(token_or_id) {
            Some(id) => Some(id),
            None => self.verify(token_or_id).ok().and_then(|claims| key_of::<TokenId>(&claims.jti)),
        };
        let Some(id) = id else { return Ok(false) };
        let ended = token::Entity::update_many()
            .col_expr(token::Column::RevokedAt, sea_orm::sea_query::Expr::value(self.clock.now()))
            .filter(token::Column::Id.eq(id))
            .filter(token::Column::RevokedAt.is_null())
            .exec(&self.database.reader())
            .await?;
        Ok(ended.rows_affected > 0)
    }

    /// A gate behind which everything happens in one transaction: for loading a district.
    pub async fn load(&self) -> Result<LoadingGate> {
        let loading = self.database.within().await?;
        let database = loading.inner.clone();
        let gate = Self {
            directory: Arc::new(self.directory.within(database.clone())),
            database,
            known: Arc::new(Cache::new(CACHED_TOKENS)),
            ..self.clone()
        };
        Ok(LoadingGate { gate, loading })
    }
}

/// See [`Gate::load`].
pub struct LoadingGate {
    gate: Gate,
    loading: Loading,
}

impl LoadingGate {
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Lays rows of the district itself (partners, programmes, people, cards): what no partner's act makes. In batches that every
    /// database takes.
    pub async fn lay<E>(&self, rows: Vec<E::Model>) -> Result<()>
    where
        E: EntityTrait,
        E::Model: IntoActiveModel<E::ActiveModel>,
        E::ActiveModel: ActiveModelBehavior + Send,
    {
        const BATCH: usize = 500;
        let mut rows = rows.into_iter().map(|row| row.into_active_model().reset_all()).peekable();
        while rows.peek().is_some() {
            let batch: Vec<_> = rows.by_ref().take(BATCH).collect();
            E::insert_many(batch).exec_without_returning(&self.gate.database.reader()).await?;
        }
        Ok(())
    }

    /// Keeps everything; slices made behind this gate must be gone by now.
    pub async fn commit(self) -> Result<()> {
        drop(self.gate);
        self.loading.commit().await
    }
}
