//! Issuing access tokens, and ending them.

use std::time::Duration;

use chrono::TimeDelta;
use entity::id::TokenId;
use entity::kinds::{Role, Scope};
use entity::{client, partner, staff, token};
use jsonwebtoken::encode;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};

use super::token::{Claims, Confirmation, Gate, written_header};
use super::viewer::{Bearer, roles_of, scopes_of, scopes_of_roles};
use crate::error::{Error, Result};
use crate::page::{key_of, type_id};

/// The longest life of a token that the bureau gives out itself.
pub const LONGEST_LIFE: Duration = Duration::from_secs(366 * 24 * 3600);
/// The longest life of a person's token: a working day.
pub const LONGEST_STAFF_LIFE: Duration = Duration::from_secs(12 * 3600);
/// The life of a token that a client asks for.
pub const CLIENT_LIFE: Duration = Duration::from_secs(15 * 60);
/// How far the clock of another replica, or this one set right, may be behind: a token is good from so long before it was issued.
pub(super) const CLOCK_BEHIND: TimeDelta = TimeDelta::hours(3);

/// Why a token was not issued.
#[derive(Debug)]
pub enum IssueError {
    NoSuchPartner,
    NoSuchStaff,
    Suspended,
    /// The partner's kind, the client or the person's duties may never hold this scope.
    ScopeNotAllowed(Scope),
    LifetimeOutOfRange,
    Failed(Error),
}

impl<E: Into<Error>> From<E> for IssueError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// A token as it was issued.
pub struct Issued {
    pub token: String,
    pub scopes: Vec<Scope>,
    pub life: Duration,
}

impl Gate {
    /// Issues a token to a partner.
    pub async fn issue(
        &self,
        partner_code: &str,
        scopes: &[Scope],
        life: Duration,
    ) -> Result<String, IssueError> {
        let partner = self.partner(partner_code).await?.ok_or(IssueError::NoSuchPartner)?;
        within(life, LONGEST_LIFE)?;
        let bearer = Bearer { partner, client: None, staff: None };
        Ok(self.issue_to(&bearer, scopes, life, None).await?.token)
    }

    /// Issues a token to a member of staff; for everything that the person's duties open when no scopes are named.
    pub async fn issue_to_staff(
        &self,
        code: &str,
        scopes: &[Scope],
        life: Duration,
    ) -> Result<String, IssueError> {
        let found = staff::Entity::find()
            .filter(staff::Column::Code.eq(code))
            .find_also_related(partner::Entity)
            .one(&self.database().reader())
            .await?;
        let Some((staff, Some(partner))) = found else { return Err(IssueError::NoSuchStaff) };
        within(life, LONGEST_STAFF_LIFE)?;
        let roles: Vec<Role> = roles_of(&staff).collect();
        let all = scopes_of_roles(partner.kind, &roles);
        let bearer = Bearer { partner, client: None, staff: Some(staff) };
        let scopes = if scopes.is_empty() { &all } else { scopes };
        Ok(self.issue_to(&bearer, scopes, life, None).await?.token)
    }

    /// Issues a token to a client that has proven who it is; for everything that it may hold when no scopes are named.
    pub async fn issue_to_client(
        &self,
        partner: partner::Model,
        client: client::Model,
        scopes: Option<&[Scope]>,
        thumbprint: Option<String>,
    ) -> Result<Issued, IssueError> {
        let bearer = Bearer { partner, client: Some(client), staff: None };
        let all: Vec<Scope> =
            scopes_of(bearer.partner.kind).into_iter().filter(|scope| bearer.may_hold(*scope)).collect();
        self.issue_to(&bearer, scopes.unwrap_or(&all), CLIENT_LIFE, thumbprint).await
    }

    async fn issue_to(
        &self,
        bearer: &Bearer,
        scopes: &[Scope],
        life: Duration,
        thumbprint: Option<String>,
    ) -> Result<Issued, IssueError> {
        if bearer.is_suspended() {
            return Err(IssueError::Suspended);
        }
        if let Some(scope) = scopes.iter().find(|scope| !bearer.may_hold(**scope)) {
            return Err(IssueError::ScopeNotAllowed(*scope));
        }
        let now = self.clock().now();
        let lives = TimeDelta::from_std(life).map_err(|_| IssueError::LifetimeOutOfRange)?;
        let words: Vec<&str> = scopes.iter().map(|scope| scope.word()).collect();
        let row = token::Model {
            id: TokenId::from(uuid::Uuid::now_v7()),
            partner_id: bearer.partner.id,
            client_id: bearer.client.as_ref().map(|client| client.id),
            staff_id: bearer.staff.as_ref().map(|staff| staff.id),
            scopes: words.join(" "),
            issued_at: now,
            expires_at: now + lives,
            revoked_at: None,
            key_thumbprint: thumbprint,
        };
        let client_id =
            bearer.client.as_ref().map_or_else(|| bearer.partner.code.clone(), |client| type_id(client.id));
        let claims = Claims {
            iss: self.issuer().to_owned(),
            aud: self.issuer().to_owned(),
            sub: bearer.subject(),
            client_id,
            jti: type_id(row.id),
            iat: now.timestamp(),
            nbf: (now - CLOCK_BEHIND).timestamp(),
            exp: row.expires_at.timestamp(),
            scope: row.scopes.clone(),
            cnf: row.key_thumbprint.clone().map(|jkt| Confirmation { jkt }),
        };
        let active = self.keys().active();
        let token = encode(&written_header(&active.kid), &claims, &active.encoding)
            .map_err(|error| Error::internal(format!("signing a token: {error}")))?;
        token::Entity::insert(row.into_active_model().reset_all())
            .exec_without_returning(&self.database().reader())
            .await?;
        Ok(Issued { token, scopes: scopes.to_vec(), life })
    }

    /// Ends a token, named by itself or by its `jti`; tells whether there was such a live one.
    pub async fn revoke(&self, token_or_id: &str) -> Result<bool> {
        let id = match key_of::<TokenId>(token_or_id) {
            Some(id) => Some(id),
            None => self.verify_signature(token_or_id).ok().and_then(|claims| key_of::<TokenId>(&claims.jti)),
        };
        let Some(id) = id else { return Ok(false) };
        let ended = token::Entity::update_many()
            .col_expr(token::Column::RevokedAt, sea_orm::sea_query::Expr::value(self.clock().now()))
            .filter(token::Column::Id.eq(id))
            .filter(token::Column::RevokedAt.is_null())
            .exec(&self.database().reader())
            .await?;
        Ok(ended.rows_affected > 0)
    }
}

fn within(life: Duration, longest: Duration) -> Result<(), IssueError> {
    if life.is_zero() || life > longest { Err(IssueError::LifetimeOutOfRange) } else { Ok(()) }
}
