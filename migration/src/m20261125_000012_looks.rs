//! Which audit records concern which person.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::uuid;
use sea_orm_migration::sea_orm::ConnectionTrait;

use crate::steps::{index, keep_for_ever, run, table};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tables = vec![table(
            "look",
            &["person_id", "record_id"],
            vec![uuid("person_id"), uuid("record_id")],
            &[("person_id", "person"), ("record_id", "audit_record")],
            &[],
        )];
        run(manager, tables, vec![index("look", &["record_id"])]).await?;
        // Acts of before are found again, too; looks of before were not told apart by person.
        for (of, from, act) in [
            ("settlement.person_id", "settlement", "settlement.hospital_id, settlement.operation_key"),
            (
                "aid_card.person_id",
                "redemption JOIN aid_card ON aid_card.id = redemption.aid_card_id",
                "redemption.supermarket_id, redemption.operation_key",
            ),
        ] {
            let past = format!(
                "INSERT INTO look (person_id, record_id) SELECT DISTINCT {of}, audit_record.id FROM {from} \
                 JOIN audit_record ON (audit_record.partner_id, audit_record.operation_key) = ({act}) \
                 WHERE audit_record.outcome = 'DONE'"
            );
            manager.get_connection().execute_unprepared(&past).await?;
        }
        keep_for_ever(manager, "look").await
    }
}
