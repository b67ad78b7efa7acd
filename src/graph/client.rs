use async_graphql::{Context, ID, Object};
use entity::client;
use entity::id::{ClientId, PartnerId};
use entity::kinds::Scope;
use sea_orm::ColumnTrait;

use super::connection::{List, list, page};
use super::partner::Partner;
use super::scalars::DateTime;
use super::{slice, words};
use crate::error::Result;
use crate::page::{key_of, type_id};

/// A system of a partner that gets access tokens at `/oauth/token`.
#[derive(Clone)]
pub struct Client(pub client::Model);

/// A system of a partner that gets access tokens at `/oauth/token`.
#[Object]
impl Client {
    /// Its `client_id`.
    pub async fn id(&self) -> ID {
        type_id(self.0.id).into()
    }

    async fn partner(&self, ctx: &Context<'_>) -> Result<Partner> {
        Ok(Partner(slice(ctx)?.directory().partner(self.0.partner_id).await?))
    }

    async fn name(&self) -> &str {
        &self.0.name
    }

    async fn authentication(&self) -> words::ClientAuthentication {
        self.0.authentication.into()
    }

    /// What it may ask for.
    async fn scopes(&self) -> Vec<words::Scope> {
        self.0.scopes.split(' ').filter_map(Scope::of_word).map(Into::into).collect()
    }

    /// Whether its tokens are bound to a key that it proves with each use (DPoP, RFC 9449).
    async fn sender_constrained(&self) -> bool {
        self.0.sender_constrained
    }

    /// Whether it may only send documents that were registered for it.
    async fn documents_trusted(&self) -> bool {
        self.0.documents_trusted
    }

    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// Since then it gets no token and its tokens are not good; null while it is not suspended.
    async fn suspended_at(&self) -> Option<DateTime> {
        self.0.suspended_at.map(DateTime)
    }
}

#[derive(Default)]
pub struct ClientQuery;

#[Object]
impl ClientQuery {
    /// Administrators and auditors of the bureau: the systems of all partners, or of one.
    async fn clients(
        &self,
        ctx: &Context<'_>,
        partner_id: Option<ID>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Option<List<Client>>> {
        let page = page(ctx, first, after, last, before)?;
        let none = PartnerId::from(uuid::Uuid::nil());
        let of = partner_id.map(|id| key_of::<PartnerId>(&id).unwrap_or(none));
        let rows = slice(ctx)?
            .select::<client::Entity>()?
            .only_if(of.map(|id| client::Column::PartnerId.eq(id)))
            .page(&page, client::Column::Id, |row| row.id)
            .await?;
        Ok(Some(list(rows, Client)))
    }
}

/// The client that an id names.
pub async fn find(slice: &crate::access::Slice, id: &str) -> Result<Option<client::Model>> {
    match key_of::<ClientId>(id) {
        Some(id) => slice.select::<client::Entity>()?.only(client::Column::Id.eq(id)).one().await,
        None => Ok(None),
    }
}
