//! Loading much at once, behind a gate of its own.

use std::sync::Arc;

use quick_cache::sync::Cache;
use sea_orm::{ActiveModelBehavior, ActiveModelTrait, EntityTrait, IntoActiveModel};

use super::database::Loading;
use super::token::{CACHED_TOKENS, Gate};
use crate::error::Result;

impl Gate {
    /// A gate behind which everything happens in one transaction: for loading a district.
    pub async fn load(&self) -> Result<LoadingGate> {
        let loading = self.database.within().await?;
        let database = loading.inner.clone();
        let gate = Self {
            directory: Arc::new(self.directory.within(database.clone())),
            database,
            known: Arc::new(Cache::new(CACHED_TOKENS)),
            ..self.clone()
        };
        Ok(LoadingGate { gate, loading })
    }
}

/// See [`Gate::load`].
pub struct LoadingGate {
    gate: Gate,
    loading: Loading,
}

impl LoadingGate {
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Lays rows of the district itself (partners, programmes, people, cards): what no partner's act makes. In batches that every
    /// database takes.
    pub async fn lay<E>(&self, rows: Vec<E::Model>) -> Result<()>
    where
        E: EntityTrait,
        E::Model: IntoActiveModel<E::ActiveModel>,
        E::ActiveModel: ActiveModelBehavior + Send,
    {
        const BATCH: usize = 500;
        let mut rows = rows.into_iter().map(|row| row.into_active_model().reset_all()).peekable();
        while rows.peek().is_some() {
            let batch: Vec<_> = rows.by_ref().take(BATCH).collect();
            E::insert_many(batch).exec_without_returning(&self.gate.database.reader()).await?;
        }
        Ok(())
    }

    /// Keeps everything; slices made behind this gate must be gone by now.
    pub async fn commit(self) -> Result<()> {
        drop(self.gate);
        self.loading.commit().await
    }
}
