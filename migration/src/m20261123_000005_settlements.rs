//! Second reimbursements, their parts, and what each person has used of each cap.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, boolean, date, integer, json_binary, text, text_null, timestamp_with_time_zone,
    timestamp_with_time_zone_null, uuid,
};

use crate::steps::{index, run, table, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tables = vec![
            table(
                "settlement",
                &["id"],
                vec![
                    uuid("id"),
                    uuid("hospital_id"),
                    uuid("person_id"),
                    text("operation_key"),
                    text("status"),
                    text("channel"),
                    text("patient_name"),
                    text("admission_number"),
                    text("invoice_number"),
                    text("insurer_settlement_id"),
                    text_null("encounter_id"),
                    date("admitted_on"),
                    date("discharged_on"),
                    big_integer("total_cost"),
                    big_integer("fully_self_paid"),
                    big_integer("over_limit_self_paid"),
                    big_integer("upfront_self_paid"),
                    big_integer("in_scope"),
                    big_integer("basic_insurance_paid"),
                    big_integer("serious_illness_insurance_paid"),
                    big_integer("other_funds_paid"),
                    big_integer("commercial_insurance_paid"),
                    big_integer("hospital_waiver"),
                    big_integer("other_assistance_paid"),
                    big_integer("assistance"),
                    big_integer("personal_burden"),
                    json_binary("calculation"),
                    timestamp_with_time_zone("settled_at"),
                    timestamp_with_time_zone_null("reversed_at"),
                    text_null("reversal_reason"),
                    boolean("recalculation_due"),
                ],
                &[("hospital_id", "partner"), ("person_id", "person")],
                &[
                    ("amounts", "assistance >= 0 AND personal_burden >= 0"),
                    ("dates", "admitted_on <= discharged_on"),
                ],
            ),
            table(
                "settlement_part",
                &["id"],
                vec![
                    uuid("id"),
                    uuid("settlement_id"),
                    uuid("person_id"),
                    uuid("programme_id"),
                    uuid("policy_version_id"),
                    text("cap_group"),
                    integer("benefit_year"),
                    big_integer("deductible_counted"),
                    big_integer("paid"),
                    boolean("capped"),
                ],
                &[
                    ("settlement_id", "settlement"),
                    ("person_id", "person"),
                    ("programme_id", "programme"),
                    ("policy_version_id", "policy_version"),
                ],
                &[("amounts", "paid >= 0 AND deductible_counted >= 0")],
            ),
            table(
                "entitlement_use",
                &["person_id", "benefit_year", "cap_group"],
                vec![
                    uuid("person_id"),
                    integer("benefit_year"),
                    text("cap_group"),
                    big_integer("used"),
                    big_integer("deductible_used"),
                ],
                &[("person_id", "person")],
                &[("amounts", "used >= 0 AND deductible_used >= 0")],
            ),
        ];
        let indexes = vec![
            index("settlement", &["hospital_id", "id"]),
            index("settlement", &["invoice_number", "id"]),
            index("settlement", &["insurer_settlement_id", "id"]),
            unique("settlement", &["operation_key", "hospital_id"]),
            index("settlement", &["person_id", "discharged_on"]),
            unique("settlement", &["insurer_settlement_id"])
                .name("uq_settlement_live_insurer_settlement_id")
                .and_where(Expr::col("status").eq("SETTLED"))
                .to_owned(),
            unique("settlement", &["hospital_id", "invoice_number"])
                .name("uq_settlement_live_invoice_number")
                .and_where(Expr::col("status").eq("SETTLED"))
                .to_owned(),
            index("settlement_part", &["settlement_id"]),
            index("settlement_part", &["person_id", "benefit_year", "cap_group"]),
        ];
        run(manager, tables, indexes).await
    }
}
