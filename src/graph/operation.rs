use async_graphql::{Context, ID, Object};
use entity::operation;

use super::node::{Node, node};
use super::scalars::{DateTime, IdempotencyKey};
use super::user_error::{UserError, user_errors};
use super::{slice, words};
use crate::access::read_answer;
use crate::error::Result;

/// A request as the bureau knows it: done, refused for a business reason, or voided.
pub struct Operation(pub operation::Model);

/// A request as the bureau knows it: done, refused for a business reason, or voided.
#[Object]
impl Operation {
    async fn key(&self) -> IdempotencyKey {
        IdempotencyKey(self.0.key.clone())
    }

    /// The mutation's name; `unknown` for a key that was voided before its request arrived.
    async fn mutation(&self) -> &str {
        &self.0.mutation
    }

    async fn status(&self) -> words::OperationStatus {
        self.0.status.into()
    }

    /// When it was answered.
    async fn at(&self) -> DateTime {
        DateTime(self.0.at)
    }

    /// What came out of it, as it is now; null when nothing did.
    async fn result(&self, ctx: &Context<'_>) -> Result<Option<Node>> {
        match read_answer(&self.0)?.result {
            Some(id) => node(&slice(ctx)?.of_operation(&self.0), &ID(id)).await,
            None => Ok(None),
        }
    }

    /// Why nothing was done; empty when it was.
    async fn user_errors(&self) -> Result<Vec<UserError>> {
        Ok(user_errors(read_answer(&self.0)?.refusals))
    }

    /// The receipt that was answered: signed proof of the money that came or went, a compact JWS, verified with the keys at
    /// `/.well-known/jwks.json`. Null when none did, and once it was voided: what was taken back stands in the receipt of the void.
    /// It takes the scope of the request, or the one that reads its result.
    async fn receipt(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        slice(ctx)?.demand_for(&self.0)?;
        match self.0.voided_by {
            Some(_) => Ok(None),
            None => Ok(read_answer(&self.0)?.receipt),
        }
    }

    /// The key of the void that undid or blocked it; its own key can never be used again.
    async fn voided_by(&self) -> Option<IdempotencyKey> {
        self.0.voided_by.clone().map(IdempotencyKey)
    }
}

#[derive(Default)]
pub struct OperationQuery;

#[Object]
impl OperationQuery {
    /// What became of a request, by the viewer's own key: for a partner whose answer was lost. Null for a key that never arrived.
    async fn operation(&self, ctx: &Context<'_>, key: IdempotencyKey) -> Result<Option<Operation>> {
        Ok(slice(ctx)?.operation(&key.0).await?.map(Operation))
    }
}
