//! What happened: events for partners, one audit record per act and look, and the seals over the records.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, blob, blob_null, integer_null, text, text_null, timestamp_with_time_zone,
    uuid,
};

use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

use crate::steps::{index, keep_but_for, keep_for_ever, run, table, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tables = vec![
            table(
                "event",
                &["id"],
                vec![
                    uuid("id"),
                    uuid("partner_id"),
                    text("kind"),
                    text("subject"),
                    timestamp_with_time_zone("at"),
                    big_integer_null("position"),
                ],
                &[("partner_id", "partner")],
                &[],
            ),
            table(
                "audit_record",
                &["id"],
                vec![
                    uuid("id"),
                    timestamp_with_time_zone("at"),
                    uuid("partner_id"),
                    uuid("token_id"),
                    text_null("operator_code"),
                    text("scope"),
                    text("act"),
                    text("outcome"),
                    text_null("subject"),
                    text_null("operation_key"),
                    blob_null("before_digest"),
                    blob_null("after_digest"),
                    text_null("origin"),
                    big_integer_null("seal_number"),
                    integer_null("place"),
                ],
                &[("partner_id", "partner")],
                &[("sealed", "(seal_number IS NULL) = (place IS NULL)")],
            ),
            table(
                "seal",
                &["number"],
                vec![
                    big_integer("number"),
                    big_integer("records"),
                    blob("previous"),
                    blob("hash"),
                    blob("signature"),
                    text("key_id"),
                    timestamp_with_time_zone("at"),
                ],
                &[],
                &[],
            ),
        ];
        let indexes = vec![
            index("event", &["partner_id", "position"]),
            index("event", &["id"])
                .name("ix_event_unplaced")
                .and_where(Expr::col("position").is_null())
                .to_owned(),
            index("audit_record", &["at", "id"]),
            index("audit_record", &["partner_id", "operation_key"]),
            index("audit_record", &["at"])
                .name("ix_audit_record_unsealed")
                .and_where(Expr::col("seal_number").is_null())
                .to_owned(),
            unique("audit_record", &["seal_number", "place"]),
        ];
        run(manager, tables, indexes).await?;
        // A place is given once. Not by the column itself: an index that has everybody's places in order would tempt a planner to
        // read them all for the few of one partner.
        let places =
            "CREATE UNIQUE INDEX uq_event_position ON event ((position + 0)) WHERE position IS NOT NULL";
        manager.get_connection().execute_unprepared(places).await?;
        // What SQLite keeps by itself as the rowid: the order of writing, whatever the clocks said.
        if manager.get_database_backend() == DbBackend::Postgres {
            let arrival = "ALTER TABLE event ADD COLUMN arrival bigint GENERATED ALWAYS AS IDENTITY";
            manager.get_connection().execute_unprepared(arrival).await?;
        }
        keep_for_ever(manager, "seal").await?;
        let content = "id, at, partner_id, token_id, operator_code, scope, act, outcome, subject, operation_key, \
                       before_digest, after_digest, origin";
        keep_but_for(manager, "audit_record", content, "seal_number").await
    }
}
