//! How an act writes rows: each one is judged by the policy, and stands in the act's audit record.

use sea_orm::sea_query::{Expr, IntoCondition, OnConflict};
use sea_orm::{ActiveModelBehavior, ActiveModelTrait, EntityTrait, IntoActiveModel, QueryFilter};

use super::act::Act;
use super::policy::Written;
use crate::error::Result;

/// Most rows that one statement writes.
const LARGEST_BATCH: usize = 500;

impl Act {
    fn mark<E: Written>(&mut self, row: &E::Model) {
        self.judge::<E>(row);
        self.records.wrote::<E>(row);
    }

    fn judge<E: Written>(&mut self, row: &E::Model) {
        self.wrote = true;
        if !E::may_write(self.slice.viewer.partner(), row) {
            self.spoiled = Some(E::NAME);
        }
    }

    /// Writes a row.
    pub async fn insert<E>(&mut self, row: &E::Model) -> Result<()>
    where
        E: Written,
        E::Model: IntoActiveModel<E::ActiveModel> + Clone,
        E::ActiveModel: ActiveModelBehavior + Send,
    {
        self.mark::<E>(row);
        E::insert(row.clone().into_active_model().reset_all())
            .exec_without_returning(&self.begun.transaction)
            .await?;
        Ok(())
    }

    /// Writes several rows of one table in one statement.
    pub async fn insert_all<E>(&mut self, rows: &[E::Model]) -> Result<()>
    where
        E: Written,
        E::Model: IntoActiveModel<E::ActiveModel> + Clone,
        E::ActiveModel: ActiveModelBehavior + Send,
    {
        if rows.is_empty() {
            return Ok(());
        }
        for row in rows {
            self.mark::<E>(row);
        }
        self.write_all::<E>(rows).await
    }

    /// In batches that every database takes.
    pub(super) async fn write_all<E>(&self, rows: &[E::Model]) -> Result<()>
    where
        E: EntityTrait,
        E::Model: IntoActiveModel<E::ActiveModel> + Clone,
        E::ActiveModel: ActiveModelBehavior + Send,
    {
        for batch in rows.chunks(LARGEST_BATCH) {
            let batch = batch.iter().map(|row| row.clone().into_active_model().reset_all());
            E::insert_many(batch).exec_without_returning(&self.begun.transaction).await?;
        }
        Ok(())
    }

    /// Writes a row unless a unique index already has its like; tells whether it did.
    pub async fn insert_if_new<E>(&mut self, row: &E::Model) -> Result<bool>
    where
        E: Written,
        E::Model: IntoActiveModel<E::ActiveModel> + Clone,
        E::ActiveModel: ActiveModelBehavior + Send,
    {
        self.judge::<E>(row);
        let written = E::insert(row.clone().into_active_model().reset_all())
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(&self.begun.transaction)
            .await;
        match written {
            Ok(0) => Ok(false),
            Ok(_) => {
                self.records.wrote::<E>(row);
                Ok(true)
            }
            Err(sea_orm::DbErr::RecordNotInserted) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Changes the rows of the slice for which a condition holds, in one statement that also judges the condition.
    pub async fn set_if<E>(
        &mut self,
        set: impl IntoIterator<Item = (E::Column, Expr)>,
        condition: impl IntoCondition,
    ) -> Result<Vec<E::Model>>
    where
        E: Written,
    {
        if let Some(scope) = E::READ {
            self.slice.demand(scope)?;
        }
        let own = E::rows(self.slice.viewer.partner());
        self.set_through::<E>(set, condition.into_condition().add(own)).await
    }

    /// [`Act::set_if`] for rows that a door shows.
    pub(super) async fn set_through<E>(
        &mut self,
        set: impl IntoIterator<Item = (E::Column, Expr)>,
        door: impl IntoCondition,
    ) -> Result<Vec<E::Model>>
    where
        E: Written,
    {
        let mut update = E::update_many().filter(door.into_condition());
        for (column, value) in set {
            update = update.col_expr(column, value);
        }
        let rows = update.exec_with_returning(&self.begun.transaction).await?;
        for row in &rows {
            self.mark::<E>(row);
        }
        Ok(rows)
    }

    pub(super) async fn upsert<E>(&mut self, rows: &[E::Model], on_conflict: OnConflict) -> Result<()>
    where
        E: Written,
        E::Model: IntoActiveModel<E::ActiveModel> + Clone,
        E::ActiveModel: ActiveModelBehavior + Send,
    {
        for row in rows {
            self.mark::<E>(row);
        }
        let rows = rows.iter().map(|row| row.clone().into_active_model().reset_all());
        E::insert_many(rows).on_conflict(on_conflict).exec_without_returning(&self.begun.transaction).await?;
        Ok(())
    }
}
