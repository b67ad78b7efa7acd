//! When a person was forgotten, and the way from a consent to the referrals that rest on it.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::timestamp_with_time_zone_null;

use crate::steps::{index, run};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let person = Table::alter()
            .table("person")
            .add_column(timestamp_with_time_zone_null("forgotten_at"))
            .to_owned();
        manager.alter_table(person).await?;
        run(manager, Vec::new(), vec![index("referral", &["consent_id"])]).await
    }
}
