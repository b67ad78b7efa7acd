use async_graphql::{Context, ID, Object};
use entity::staff;

use super::connection::{List, list, page};
use super::scalars::DateTime;
use super::{slice, words};
use crate::access::roles_of;
use crate::error::Result;
use crate::page::type_id;

/// A person of the bureau's staff.
#[derive(Clone)]
pub struct Staff(pub staff::Model);

/// A person of the bureau's staff.
#[Object]
impl Staff {
    pub async fn id(&self) -> ID {
        type_id(self.0.id).into()
    }

    /// The number on the person's badge.
    async fn code(&self) -> &str {
        &self.0.code
    }

    async fn name(&self) -> &str {
        &self.0.name
    }

    async fn roles(&self) -> Vec<words::Role> {
        roles_of(&self.0).map(Into::into).collect()
    }

    /// The area code of the territory that the person works for.
    async fn area(&self) -> &str {
        &self.0.area
    }

    /// Since then the person's tokens are not good; null while the person is not suspended.
    async fn suspended_at(&self) -> Option<DateTime> {
        self.0.suspended_at.map(DateTime)
    }
}

#[derive(Default)]
pub struct StaffQuery;

#[Object]
impl StaffQuery {
    /// Administrators and auditors of the bureau: its staff.
    async fn staff_members(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Option<List<Staff>>> {
        let page = page(ctx, first, after, last, before)?;
        let rows =
            slice(ctx)?.select::<staff::Entity>()?.page(&page, staff::Column::Id, |row| row.id).await?;
        Ok(Some(list(rows, Staff)))
    }
}
