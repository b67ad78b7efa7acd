//! Names and free texts about people stand sealed alone: the columns that held them in the clear go.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};
use sea_orm_migration::sea_query::Query;

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

/// Each with whether every row has one.
const GONE: [(&str, &str, &str, bool); 11] = [
    ("person", "name", "name_sealed", true),
    ("person", "address", "address_sealed", false),
    ("person", "health", "health_sealed", false),
    ("consent", "name", "name_sealed", true),
    ("referral", "reason", "reason_sealed", true),
    ("referral", "stated_name", "stated_name_sealed", true),
    ("referral", "outcome", "outcome_sealed", false),
    ("referral_event", "note", "note_sealed", false),
    ("redemption", "agent_name", "agent_name_sealed", false),
    ("refund", "reason", "reason_sealed", true),
    ("settlement", "reversal_reason", "reversal_reason_sealed", false),
];

#[async_trait::async_trait]
impl MigrationTrait for Step {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        for (table, clear, sealed, _) in GONE {
            let left = Query::select()
                .expr(Expr::val(1))
                .from(table)
                .and_where(Expr::col(clear).is_not_null())
                .and_where(Expr::col(sealed).is_null())
                .limit(1)
                .to_owned();
            if connection.query_one(&left).await?.is_some() {
                return Err(DbErr::Migration(format!("{table}.{clear} holds what is not sealed yet")));
            }
        }
        for (table, clear, sealed, always) in GONE {
            manager.alter_table(Table::alter().table(table).drop_column(clear).to_owned()).await?;
            // SQLite adds no such condition to a column that is there.
            if always && manager.get_database_backend() == DbBackend::Postgres {
                let condition = format!("ALTER TABLE {table} ALTER COLUMN {sealed} SET NOT NULL");
                connection.execute_unprepared(&condition).await?;
            }
        }
        Ok(())
    }
}
