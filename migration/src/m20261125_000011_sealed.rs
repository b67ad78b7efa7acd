//! Sealed columns beside those that hold names and free texts about people in the clear. Between this step and the one that drops
//! those, the program seals what they hold: it has the keys.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::blob_null;

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

const ADDED: [(&str, &str); 11] = [
    ("person", "name_sealed"),
    ("person", "address_sealed"),
    ("person", "health_sealed"),
    ("consent", "name_sealed"),
    ("referral", "reason_sealed"),
    ("referral", "stated_name_sealed"),
    ("referral", "outcome_sealed"),
    ("referral_event", "note_sealed"),
    ("redemption", "agent_name_sealed"),
    ("refund", "reason_sealed"),
    ("settlement", "reversal_reason_sealed"),
];

#[async_trait::async_trait]
impl MigrationTrait for Step {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column) in ADDED {
            let mut column = blob_null(column);
            manager.alter_table(Table::alter().table(table).add_column(&mut column).to_owned()).await?;
        }
        Ok(())
    }
}
