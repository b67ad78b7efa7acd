use async_graphql::{Context, Enum, ID, Object};
use entity::consent;
use entity::kinds::{ConsentField, PartnerKind, Scope};
use sea_orm::sea_query::IntoCondition;
use sea_orm::{ColumnTrait, Condition};

use super::connection::{List, list, page};
use super::partner::Partner;
use super::scalars::{Date, DateTime};
use super::{slice, words};
use crate::error::{Error, Result};
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

/// What a partner has to do with a consent.
#[derive(Enum, Copy, Clone, Eq, PartialEq)]
pub enum ConsentSide {
    /// It recorded it.
    Recorder,
    /// It may receive the facts.
    Receiver,
}

#[derive(Default)]
pub struct ConsentQuery;

#[Object]
impl ConsentQuery {
    /// The consents that the viewer has recorded, or under which it may receive facts, newest first; withdrawn ones stay in the list.
    /// `side` may be left out by the bureau alone, which then sees all of its territory.
    async fn consents(
        &self,
        ctx: &Context<'_>,
        side: Option<ConsentSide>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Option<List<Consent>>> {
        let slice = slice(ctx)?;
        slice.demand(Scope::ReferralRead)?;
        let page = page(ctx, first, after, last, before)?;
        let me = slice.viewer().partner_id();
        let own = match side {
            Some(ConsentSide::Recorder) => consent::Column::RecorderId.eq(me).into_condition(),
            Some(ConsentSide::Receiver) => consent::Column::ReceiverId.eq(me).into_condition(),
            None if slice.viewer().kind() == PartnerKind::Bureau => Condition::all(),
            None => return Err(Error::invalid("side", "must be RECORDER or RECEIVER")),
        };
        let rows = slice
            .select::<consent::Entity>()?
            .only(own)
            .page(&page, consent::Column::Id, |row| row.id)
            .await?;
        Ok(Some(list(rows, Consent)))
    }
}
