//! Partners, their tokens, and the leases of clock-driven jobs.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{text, timestamp_with_time_zone, timestamp_with_time_zone_null, uuid};

use crate::steps::{index, run, table, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tables = vec![
            table(
                "partner",
                &["id"],
                vec![
                    uuid("id"),
                    text("code"),
                    text("kind"),
                    text("name"),
                    text("area"),
                    timestamp_with_time_zone("created_at"),
                ],
                &[],
                &[],
            ),
            table(
                "token",
                &["id"],
                vec![
                    uuid("id"),
                    uuid("partner_id"),
                    text("scopes"),
                    timestamp_with_time_zone("issued_at"),
                    timestamp_with_time_zone("expires_at"),
                    timestamp_with_time_zone_null("revoked_at"),
                ],
                &[("partner_id", "partner")],
                &[],
            ),
            table(
                "lease",
                &["name"],
                vec![text("name"), uuid("owner"), timestamp_with_time_zone("until")],
                &[],
                &[],
            ),
        ];
        let indexes = vec![
            unique("partner", &["code"]),
            index("partner", &["kind", "id"]),
            index("partner", &["area", "id"]),
            index("token", &["partner_id"]),
        ];
        run(manager, tables, indexes).await
    }
}
