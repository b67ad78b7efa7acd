//! Aid cards, redemptions and refunds.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, blob, date, json_binary_null, text, text_null, timestamp_with_time_zone,
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
                "aid_card",
                &["id"],
                vec![
                    uuid("id"),
                    blob("number_hash"),
                    text("last_four"),
                    uuid("person_id"),
                    text("holder_name"),
                    uuid("programme_id"),
                    text("status"),
                    big_integer("face_value"),
                    big_integer("balance"),
                    date("issued_on"),
                    date("expires_on"),
                    text_null("allowed_categories"),
                    big_integer_null("monthly_limit"),
                    uuid_null("replaced_by"),
                ],
                &[("person_id", "person"), ("programme_id", "programme"), ("replaced_by", "aid_card")],
                &[("balance", "balance >= 0")],
            ),
            table(
                "redemption",
                &["id"],
                vec![
                    uuid("id"),
                    uuid("supermarket_id"),
                    uuid("aid_card_id"),
                    text("operation_key"),
                    text("status"),
                    text("receipt_number"),
                    date("receipt_day"),
                    big_integer("amount"),
                    big_integer("refunded"),
                    big_integer("balance_after"),
                    text("card_last_four"),
                    json_binary_null("lines"),
                    text_null("agent_name"),
                    timestamp_with_time_zone("redeemed_at"),
                    timestamp_with_time_zone_null("voided_at"),
                ],
                &[("supermarket_id", "partner"), ("aid_card_id", "aid_card")],
                &[("amounts", "amount > 0 AND refunded >= 0 AND refunded <= amount")],
            ),
            table(
                "refund",
                &["id"],
                vec![
                    uuid("id"),
                    uuid("redemption_id"),
                    uuid("supermarket_id"),
                    text("operation_key"),
                    big_integer("amount"),
                    uuid_null("credited_card_id"),
                    text("reason"),
                    timestamp_with_time_zone("refunded_at"),
                    timestamp_with_time_zone_null("voided_at"),
                ],
                &[
                    ("redemption_id", "redemption"),
                    ("supermarket_id", "partner"),
                    ("credited_card_id", "aid_card"),
                ],
                &[("amount", "amount > 0")],
            ),
        ];
        let indexes = vec![
            unique("aid_card", &["number_hash"]),
            index("aid_card", &["person_id"]),
            unique("redemption", &["receipt_number", "supermarket_id", "receipt_day"])
                .name("uq_redemption_live_receipt_number")
                .and_where(Expr::col("voided_at").is_null())
                .to_owned(),
            unique("redemption", &["operation_key", "supermarket_id"]),
            index("redemption", &["supermarket_id", "id"]),
            index("redemption", &["receipt_number", "supermarket_id", "id"]),
            index("redemption", &["aid_card_id", "redeemed_at"]),
            index("refund", &["redemption_id"]),
            unique("refund", &["supermarket_id", "operation_key"]),
        ];
        run(manager, tables, indexes).await
    }
}
