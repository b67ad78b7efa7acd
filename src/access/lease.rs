//! Leases: a clock-driven job is owned by one process at a time.

use std::time::Duration;

use chrono::TimeDelta;
use entity::lease;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveModelTrait, ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter};
use uuid::Uuid;

use super::token::Gate;
use crate::error::Result;

impl Gate {
    /// Takes or renews a lease; tells whether this owner now has it. One that has run out is anybody's.
    pub async fn take_lease(&self, name: &str, owner: Uuid, length: Duration) -> Result<bool> {
        let now = self.clock().now();
        let until = now + TimeDelta::from_std(length).unwrap_or(TimeDelta::MAX);
        let reader = self.database().reader();
        let free = Condition::any().add(lease::Column::Owner.eq(owner)).add(lease::Column::Until.lte(now));
        let taken = lease::Entity::update_many()
            .col_expr(lease::Column::Owner, Expr::value(owner))
            .col_expr(lease::Column::Until, Expr::value(until))
            .filter(lease::Column::Name.eq(name))
            .filter(free)
            .exec(&reader)
            .await?;
        if taken.rows_affected > 0 {
            return Ok(true);
        }
        let row = lease::Model { name: name.to_owned(), owner, until };
        let made = lease::Entity::insert(row.into_active_model().reset_all())
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(&reader)
            .await;
        match made {
            Ok(rows) => Ok(rows > 0),
            Err(sea_orm::DbErr::RecordNotInserted) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
