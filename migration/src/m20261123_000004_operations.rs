//! Answered requests: one row per key, for ever.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{blob, json_binary, text, text_null, timestamp_with_time_zone, uuid};

use crate::steps::{run, table, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tables = vec![table(
            "operation",
            &["id"],
            vec![
                uuid("id"),
                uuid("partner_id"),
                text("key"),
                text("mutation"),
                text("scope"),
                blob("request_hash"),
                text("status"),
                json_binary("answer"),
                text_null("voided_by"),
                text_null("operator_code"),
                text_null("operator_name"),
                uuid("token_id"),
                timestamp_with_time_zone("at"),
            ],
            &[("partner_id", "partner")],
            &[],
        )];
        let indexes = vec![unique("operation", &["partner_id", "key"])];
        run(manager, tables, indexes).await
    }
}
