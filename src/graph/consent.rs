use async_graphql::{Context, ID, Object};
use entity::consent;
use entity::kinds::ConsentField;

use super::partner::Partner;
use super::scalars::{Date, DateTime};
use super::{slice, words};
use crate::error::Result;
use crate::page::type_id;

/// That a person agreed that a partner may receive facts about them.
#[derive(Clone)]
pub struct Consent(pub consent::Model);

/// That a person agreed that a partner may receive facts about them.
#[Object]
impl Consent {
    pub async fn id(&self) -> ID {
        type_id(self.0.id).into()
    }

    /// The partner that may receive the facts.
    async fn receiver(&self, ctx: &Context<'_>) -> Result<Partner> {
        Ok(Partner(slice(ctx)?.directory().partner(self.0.receiver_id).await?))
    }

    async fn fields(&self) -> Vec<words::ConsentField> {
        self.0.fields.split(' ').filter_map(ConsentField::of_word).map(Into::into).collect()
    }

    async fn purpose(&self) -> &str {
        &self.0.purpose
    }

    /// Which wording the person agreed to.
    async fn wording_version(&self) -> &str {
        &self.0.wording_version
    }

    async fn given_on(&self) -> Date {
        Date(self.0.given_on)
    }

    async fn recorded_at(&self) -> DateTime {
        DateTime(self.0.recorded_at)
    }

    /// The partner that recorded it, the only one that withdraws it.
    async fn recorder(&self, ctx: &Context<'_>) -> Result<Partner> {
        Ok(Partner(slice(ctx)?.directory().partner(self.0.recorder_id).await?))
    }

    /// From then on it allows nothing; null while it stands.
    async fn withdrawn_at(&self) -> Option<DateTime> {
        self.0.withdrawn_at.map(DateTime)
    }
}
