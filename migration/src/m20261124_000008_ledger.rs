//! The ledger: entries that are written once, statements that gather what a partner is owed, and budgets in shares.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, integer, integer_null, text, text_null, timestamp_with_time_zone,
    timestamp_with_time_zone_null, uuid, uuid_null,
};
use sea_orm_migration::sea_orm::ConnectionTrait;

use crate::steps::{index, keep_for_ever, run, table, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_money_without_a_ledger(manager).await?;
        let tables = vec![
            table(
                "statement",
                &["id"],
                vec![
                    uuid("id"),
                    uuid("partner_id"),
                    text("fund"),
                    text("month"),
                    text("status"),
                    big_integer_null("count"),
                    big_integer_null("gross"),
                    big_integer_null("reversed"),
                    timestamp_with_time_zone_null("confirmed_at"),
                    timestamp_with_time_zone_null("paid_at"),
                    text_null("bank_reference"),
                ],
                &[("partner_id", "partner")],
                &[(
                    "confirmed",
                    "(status = 'OPEN') = (confirmed_at IS NULL) AND (status = 'PAID') = (paid_at IS NOT NULL)",
                )],
            ),
            table(
                "entry",
                &["posting_id", "number"],
                vec![
                    uuid("posting_id"),
                    integer("number"),
                    text("book"),
                    text("account"),
                    text("kind"),
                    big_integer("amount"),
                    uuid_null("programme_id"),
                    integer_null("year"),
                    uuid_null("partner_id"),
                    uuid_null("aid_card_id"),
                    uuid_null("person_id"),
                    text_null("cap_group"),
                    uuid_null("statement_id"),
                    uuid("source_id"),
                    uuid_null("corrects"),
                    text("operation_key"),
                    text_null("reference"),
                    timestamp_with_time_zone("acted_at"),
                    timestamp_with_time_zone("posted_at"),
                ],
                &[
                    ("programme_id", "programme"),
                    ("partner_id", "partner"),
                    ("aid_card_id", "aid_card"),
                    ("person_id", "person"),
                    ("statement_id", "statement"),
                ],
                &[],
            ),
            table(
                "budget_share",
                &["programme_id", "year", "number"],
                vec![uuid("programme_id"), integer("year"), integer("number"), big_integer("available")],
                &[("programme_id", "programme")],
                &[("available", "available >= 0")],
            ),
        ];
        let indexes = vec![
            unique("statement", &["partner_id", "fund", "month"]),
            index("statement", &["fund", "id"]),
            partial("entry", &["statement_id", "posting_id"], "statement_id"),
            partial("entry", &["partner_id", "acted_at", "posting_id"], "partner_id"),
            index("entry", &["source_id"]),
            index("entry", &["posted_at", "posting_id"]),
            partial("entry", &["programme_id", "year", "account"], "programme_id"),
            partial("entry", &["aid_card_id"], "aid_card_id"),
        ];
        run(manager, tables, indexes).await?;
        let refunded_at = Table::alter()
            .table("redemption")
            .add_column(timestamp_with_time_zone_null("refunded_at"))
            .to_owned();
        manager.alter_table(refunded_at).await?;
        keep_for_ever(manager, "entry").await
    }
}

fn partial(table: &'static str, columns: &[&'static str], present: &'static str) -> IndexCreateStatement {
    index(table, columns).and_where(Expr::col(present).is_not_null()).to_owned()
}

/// Who owes what for these rows cannot be made up afterwards.
async fn refuse_money_without_a_ledger(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    for table in ["settlement", "aid_card"] {
        let any = Query::select().expr(Expr::value(1)).from(table).limit(1).to_owned();
        if manager.get_connection().query_one(&any).await?.is_some() {
            return Err(DbErr::Migration(format!(
                "table {table} has rows of a version that kept no ledger: begin with an empty database (for the demo: --fresh)"
            )));
        }
    }
    Ok(())
}
