//! The doors: clients of partners with their secrets and keys, the bureau's staff, and what can be suspended.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    blob, blob_null, boolean, json_null, text, text_null, timestamp_with_time_zone,
    timestamp_with_time_zone_null, uuid, uuid_null,
};

use crate::steps::{index, run, table, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tables = vec![
            table(
                "client",
                &["id"],
                vec![
                    uuid("id"),
                    uuid("partner_id"),
                    text("name"),
                    text("authentication"),
                    blob_null("secret_hash"),
                    blob_null("previous_secret_hash"),
                    timestamp_with_time_zone_null("previous_secret_until"),
                    json_null("keys"),
                    text("scopes"),
                    boolean("sender_constrained"),
                    boolean("documents_trusted"),
                    timestamp_with_time_zone("created_at"),
                    timestamp_with_time_zone_null("suspended_at"),
                ],
                &[("partner_id", "partner")],
                &[
                    ("secret", "(authentication = 'CLIENT_SECRET') = (secret_hash IS NOT NULL)"),
                    ("keys", "(authentication = 'PRIVATE_KEY_JWT') = (keys IS NOT NULL)"),
                    ("previous", "(previous_secret_hash IS NULL) = (previous_secret_until IS NULL)"),
                ],
            ),
            table(
                "client_assertion",
                &["client_id", "jti_hash"],
                vec![uuid("client_id"), blob("jti_hash"), timestamp_with_time_zone("expires_at")],
                &[("client_id", "client")],
                &[],
            ),
            table(
                "trusted_document",
                &["client_id", "digest"],
                vec![
                    uuid("client_id"),
                    blob("digest"),
                    text("name"),
                    timestamp_with_time_zone("registered_at"),
                ],
                &[("client_id", "client")],
                &[],
            ),
            table(
                "staff",
                &["id"],
                vec![
                    uuid("id"),
                    uuid("partner_id"),
                    text("code"),
                    text("name"),
                    text("roles"),
                    text("area"),
                    timestamp_with_time_zone("created_at"),
                    timestamp_with_time_zone_null("suspended_at"),
                ],
                &[("partner_id", "partner")],
                &[],
            ),
        ];
        let indexes = vec![
            index("client", &["partner_id", "id"]),
            index("client_assertion", &["expires_at"]),
            unique("staff", &["code"]),
            index("staff", &["partner_id", "id"]),
        ];
        run(manager, tables, indexes).await?;
        let added = [
            ("partner", timestamp_with_time_zone_null("suspended_at")),
            ("token", uuid_null("client_id").extra("REFERENCES client (id)").to_owned()),
            ("token", uuid_null("staff_id").extra("REFERENCES staff (id)").to_owned()),
            ("token", text_null("key_thumbprint")),
        ];
        for (name, mut column) in added {
            manager.alter_table(Table::alter().table(name).add_column(&mut column).to_owned()).await?;
        }
        let indexes = vec![index("token", &["client_id", "id"]), index("token", &["staff_id", "id"])];
        run(manager, Vec::new(), indexes).await
    }
}
