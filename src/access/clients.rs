//! Clients: how one proves at the token endpoint who it is (RFC 6749 §2.3), what it may learn of tokens, and its secret.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use entity::id::{ClientId, TokenId};
use entity::kinds::{ClientAuthentication, PartnerKind};
use entity::{Digest, client, client_assertion, partner, token};
use rand::TryRngCore;
use rand::rngs::OsRng;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveModelTrait, ColumnTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter};

use super::assertion::{self, Once};
use super::issue::CLOCK_BEHIND;
use super::jose;
use super::keys::Keys;
use super::possession::{Proof, ProofFlaw};
use super::token::Gate;
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};
use crate::page::key_of;

/// Where clients get their tokens.
pub const TOKEN_PATH: &str = "/oauth/token";
const SECRET_PREFIX: &str = "onestop_secret_";

/// What a client shows of itself.
pub enum ClientProof<'a> {
    /// `client_secret_basic`, `client_secret_post`.
    Secret { client_id: &'a str, secret: &'a str },
    /// `private_key_jwt`; a stated id must be the assertion's own.
    Assertion { client_id: Option<&'a str>, assertion: &'a str },
}

/// A client that has proven who it is.
pub struct Caller {
    pub client: client::Model,
    pub partner: partner::Model,
}

/// Why a client is not believed: the reason is nobody's business.
pub enum NotProven {
    Unknown,
    /// It failed too often; it may try again after so many seconds.
    Shut(u64),
    Failed(Error),
}

impl<E: Into<Error>> From<E> for NotProven {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// A secret that was just made: 256 random bits. Shown once.
pub struct NewSecret(String);

impl NewSecret {
    pub fn make() -> Result<Self> {
        let mut bytes = [0; 32];
        OsRng.try_fill_bytes(&mut bytes).map_err(|_| Error::internal("no randomness"))?;
        Ok(Self(format!("{SECRET_PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))))
    }

    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    pub fn hash(&self, keys: &Keys) -> Digest {
        hash(keys, &self.0)
    }
}

fn hash(keys: &Keys, secret: &str) -> Digest {
    keys.digest("client secret", secret.as_bytes())
}

impl Gate {
    /// The client that proves who it is. Who fails too often is not even listened to.
    pub async fn caller(&self, proof: &ClientProof<'_>, origin: Option<IpAddr>) -> Result<Caller, NotProven> {
        let stated = match proof {
            ClientProof::Secret { client_id, .. } => Some((*client_id).to_owned()),
            ClientProof::Assertion { client_id, assertion } => assertion::claimed_client(assertion)
                .filter(|claimed| client_id.is_none_or(|stated| stated == claimed)),
        };
        let stated = stated.and_then(|stated| key_of::<ClientId>(&stated));
        if let Some(seconds) = self.knocks.shut_for(stated, origin, self.clock().now()) {
            tracing::warn!("too many clients failed to prove who they are: a door is shut");
            return Err(NotProven::Shut(seconds));
        }
        let proven = self.proven(stated, proof).await;
        if matches!(proven, Err(NotProven::Unknown)) {
            self.knocks.failed(stated, origin, self.clock().now());
        }
        proven
    }

    async fn proven(&self, stated: Option<ClientId>, proof: &ClientProof<'_>) -> Result<Caller, NotProven> {
        let id = stated.ok_or(NotProven::Unknown)?;
        let found = client::Entity::find_by_id(id)
            .find_also_related(partner::Entity)
            .one(&self.database().reader())
            .await?;
        let Some((client, Some(partner))) = found else { return Err(NotProven::Unknown) };
        if client.suspended_at.is_some() || partner.suspended_at.is_some() {
            return Err(NotProven::Unknown);
        }
        let now = self.clock().now();
        match (proof, client.authentication) {
            (ClientProof::Secret { secret, .. }, ClientAuthentication::ClientSecret) => {
                if !fits(&client, &hash(self.keys(), secret), now) {
                    return Err(NotProven::Unknown);
                }
            }
            (ClientProof::Assertion { assertion, .. }, ClientAuthentication::PrivateKeyJwt) => {
                let endpoint = format!("{}{TOKEN_PATH}", self.issuer());
                let once = assertion::judge(assertion, &client, &[self.issuer(), &endpoint], now)
                    .ok_or(NotProven::Unknown)?;
                if !self.use_once(client.id, once).await? {
                    return Err(NotProven::Unknown);
                }
            }
            (ClientProof::Secret { .. }, ClientAuthentication::PrivateKeyJwt)
            | (ClientProof::Assertion { .. }, ClientAuthentication::ClientSecret) => {
                return Err(NotProven::Unknown);
            }
        }
        Ok(Caller { client, partner })
    }

    /// Remembers an assertion; false when it was used before, at any replica.
    async fn use_once(&self, client: ClientId, once: Once) -> Result<bool> {
        let row = client_assertion::Model {
            client_id: client,
            jti_hash: self.keys().digest("client assertion", once.jti.as_bytes()),
            expires_at: once.until,
        };
        let made = client_assertion::Entity::insert(row.into_active_model().reset_all())
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(&self.database().reader())
            .await;
        match made {
            Ok(rows) => Ok(rows > 0),
            Err(DbErr::RecordNotInserted) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Forgets the assertions that have run out, by the clock of every replica.
    pub async fn forget_assertions(&self) -> Result<u64> {
        let run_out = client_assertion::Column::ExpiresAt.lt(self.clock().now() - CLOCK_BEHIND);
        let gone =
            client_assertion::Entity::delete_many().filter(run_out).exec(&self.database().reader()).await?;
        Ok(gone.rows_affected)
    }

    /// The thumbprint of the key that a proof at the token endpoint proves.
    pub fn proven_key(&self, jwt: &str, path: &str) -> Result<String, ProofFlaw> {
        let proof = Proof { jwt, method: "POST", path };
        self.proofs.judge(proof, self.issuer(), None, self.clock().now())
    }

    /// Ends a token of the caller's own client; any other is left as it is, and nothing is told of it.
    pub async fn revoke_own(&self, caller: &Caller, token: &str) -> Result<()> {
        match self.own(caller, token).await? {
            Some(row) if row.client_id == Some(caller.client.id) => self.revoke(token).await.map(drop),
            _ => Ok(()),
        }
    }

    /// A live token of the caller's partner (of anybody, for the bureau), with what introspection says of it.
    pub async fn introspect(&self, caller: &Caller, token: &str) -> Result<Option<Json>> {
        let Some(row) = self.own(caller, token).await? else { return Ok(None) };
        let slice = match self.go_on(token).await {
            Ok(slice) => slice,
            Err(Error::Unauthenticated) => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut said =
            serde_json::to_value(self.verify(token)?).map_err(|error| Error::internal(error.to_string()))?;
        let kind = if row.key_thumbprint.is_some() { "DPoP" } else { "Bearer" };
        // What it opens now, which may be less than it says.
        let scopes: Vec<&str> = slice.viewer().scopes().iter().map(|scope| scope.word()).collect();
        said["scope"] = scopes.join(" ").into();
        said["active"] = true.into();
        said["token_type"] = kind.into();
        Ok(Some(said))
    }

    /// The row of a token that this caller may ask about.
    async fn own(&self, caller: &Caller, token: &str) -> Result<Option<token::Model>> {
        let Ok(claims) = self.verify(token) else { return Ok(None) };
        let Some(id) = key_of::<TokenId>(&claims.jti) else { return Ok(None) };
        let row = token::Entity::find_by_id(id).one(&self.database().reader()).await?;
        Ok(row
            .filter(|row| row.partner_id == caller.partner.id || caller.partner.kind == PartnerKind::Bureau))
    }
}

/// Whether a hash is that of the client's secret, or of the one before while that is still good.
fn fits(client: &client::Model, hash: &Digest, now: DateTime<Utc>) -> bool {
    let current = client.secret_hash.as_ref() == Some(hash);
    let previous = client.previous_secret_hash.as_ref() == Some(hash)
        && client.previous_secret_until.is_some_and(|until| now < until);
    current || previous
}

/// Most keys that one client has.
const MOST_KEYS: usize = 10;

/// Whether a JSON Web Key Set holds only public keys that a client may sign with.
pub fn are_usable_keys(set: &Json) -> bool {
    let keys = set.get("keys").and_then(Json::as_array);
    keys.is_some_and(|keys| {
        (1..=MOST_KEYS).contains(&keys.len()) && keys.iter().all(|key| jose::public_key(key).is_some())
    })
}

/// How a trusted document is known: SHA-256 of its text, byte for byte.
pub fn document_digest(text: &str) -> Digest {
    Digest(Sha256::digest(text).to_vec())
}
