//! Referrals with their parties and events, and the consents that open facts to receivers.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer_null, blob, blob_null, date, integer, text, text_null, timestamp_with_time_zone,
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
                "consent",
                &["id"],
                vec![
                    uuid("id"),
                    uuid("recorder_id"),
                    uuid("receiver_id"),
                    blob("national_id_hash"),
                    text("name"),
                    text("fields"),
                    text("purpose"),
                    text("wording_version"),
                    date("given_on"),
                    timestamp_with_time_zone("recorded_at"),
                    timestamp_with_time_zone_null("withdrawn_at"),
                ],
                &[("recorder_id", "partner"), ("receiver_id", "partner")],
                &[],
            ),
            table(
                "referral",
                &["id"],
                vec![
                    uuid("id"),
                    text("number"),
                    uuid("sender_id"),
                    uuid("receiver_id"),
                    uuid_null("programme_id"),
                    text("reason"),
                    uuid_null("person_id"),
                    text("stated_name"),
                    blob("stated_national_id_sealed"),
                    integer("stated_birth_year"),
                    blob_null("stated_phone_sealed"),
                    uuid_null("consent_id"),
                    text("status"),
                    timestamp_with_time_zone("requested_at"),
                    timestamp_with_time_zone("due_at"),
                    timestamp_with_time_zone("updated_at"),
                    text_null("outcome"),
                    big_integer_null("amount_granted"),
                ],
                &[
                    ("sender_id", "partner"),
                    ("receiver_id", "partner"),
                    ("programme_id", "programme"),
                    ("person_id", "person"),
                    ("consent_id", "consent"),
                ],
                &[("parties", "sender_id <> receiver_id")],
            ),
            table(
                "referral_party",
                &["partner_id", "referral_id"],
                vec![uuid("partner_id"), uuid("referral_id"), text("side"), text_null("external_reference")],
                &[("partner_id", "partner"), ("referral_id", "referral")],
                &[],
            ),
            table(
                "referral_event",
                &["id"],
                vec![
                    uuid("id"),
                    uuid("referral_id"),
                    timestamp_with_time_zone("at"),
                    text("status"),
                    uuid("actor_id"),
                    text_null("note"),
                ],
                &[("referral_id", "referral"), ("actor_id", "partner")],
                &[],
            ),
        ];
        let indexes = vec![
            index("consent", &["recorder_id", "id"]),
            index("consent", &["receiver_id", "id"]),
            index("consent", &["national_id_hash"]),
            unique("referral", &["number"]),
            index("referral", &["due_at"])
                .name("ix_referral_unanswered_due_at")
                .and_where(Expr::col("status").eq("REQUESTED"))
                .to_owned(),
            index("referral", &["person_id"]),
            index("referral_party", &["partner_id", "external_reference", "referral_id"]),
            index("referral_party", &["partner_id", "side", "referral_id"]),
            index("referral_event", &["referral_id", "id"]),
        ];
        run(manager, tables, indexes).await
    }
}
