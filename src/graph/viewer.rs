use std::sync::Arc;

use async_graphql::{Context, Object};
use entity::staff;

use super::agreement::Agreement;
use super::partner::Partner;
use super::staff::Staff;
use super::{slice, words};
use crate::access::Slice;
use crate::error::Result;

/// Who this token is.
pub struct Viewer(Slice);

/// Who this token is.
#[Object]
impl Viewer {
    async fn partner(&self) -> Partner {
        Partner(Arc::clone(self.0.viewer().partner()))
    }

    /// The person acting, of a token that names one; systems act as their partner.
    async fn staff(&self) -> Option<Staff> {
        self.0.viewer().staff().map(|staff| Staff(staff::Model::clone(staff)))
    }

    /// What this token may do.
    async fn scopes(&self) -> Vec<words::Scope> {
        self.0.viewer().scopes().iter().map(|scope| (*scope).into()).collect()
    }

    /// Every agreement of the partner, ended ones too, oldest first. Each act is judged on its own date.
    async fn agreements(&self) -> Result<Vec<Agreement>> {
        let rows = self.0.directory().agreements(self.0.viewer().partner_id()).await?;
        Ok(rows.iter().cloned().map(Agreement).collect())
    }
}

#[derive(Default)]
pub struct ViewerQuery;

#[Object]
impl ViewerQuery {
    /// Who this token is: partner, scopes, agreements.
    async fn viewer(&self, ctx: &Context<'_>) -> Result<Viewer> {
        Ok(Viewer(slice(ctx)?.clone()))
    }
}
