use async_graphql::{Context, ID, Object};
use entity::agreement;

use super::programme::{Programme, programme};
use super::scalars::Date;
use crate::error::Result;
use crate::page::type_id;

/// What a partner may do for a programme, and when: the service agreement.
#[derive(Clone)]
pub struct Agreement(pub agreement::Model);

/// What a partner may do for a programme, and when: the service agreement.
#[Object]
impl Agreement {
    pub async fn id(&self) -> ID {
        type_id(self.0.id).into()
    }

    async fn programme(&self, ctx: &Context<'_>) -> Result<Programme> {
        programme(ctx, self.0.programme_id).await
    }

    async fn valid_from(&self) -> Date {
        Date(self.0.valid_from)
    }

    /// Last day; null while no end is set.
    async fn valid_to(&self) -> Option<Date> {
        self.0.valid_to.map(Date)
    }
}
