//! Programmes, the dated versions of their policies, cap groups, and agreements with partners.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, boolean, date, date_null, integer, json_binary, text, uuid,
};

use crate::steps::{index, run, table, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tables = vec![
            table(
                "programme",
                &["id"],
                vec![uuid("id"), text("code"), text("name"), text("name_zh"), text("fund")],
                &[],
                &[],
            ),
            table(
                "cap_group",
                &["code", "valid_from"],
                vec![text("code"), date("valid_from"), date_null("valid_to"), text("stacking")],
                &[],
                &[],
            ),
            table(
                "policy_version",
                &["id"],
                vec![
                    uuid("id"),
                    uuid("programme_id"),
                    date("valid_from"),
                    date_null("valid_to"),
                    text("category"),
                    text("category_date"),
                    text("year_date"),
                    text("form"),
                    json_binary("bands"),
                    text("deductible_mode"),
                    big_integer("deductible"),
                    big_integer_null("per_stay_cap"),
                    big_integer_null("annual_cap"),
                    boolean("includes_upfront"),
                    text("cap_group"),
                    integer("stacking_order"),
                ],
                &[("programme_id", "programme")],
                &[(
                    "amounts",
                    "deductible >= 0 AND (per_stay_cap IS NULL OR per_stay_cap >= 0) AND (annual_cap IS NULL OR annual_cap >= 0)",
                )],
            ),
            table(
                "agreement",
                &["id"],
                vec![
                    uuid("id"),
                    uuid("partner_id"),
                    uuid("programme_id"),
                    date("valid_from"),
                    date_null("valid_to"),
                ],
                &[("partner_id", "partner"), ("programme_id", "programme")],
                &[],
            ),
        ];
        let indexes = vec![
            unique("programme", &["code"]),
            unique("policy_version", &["programme_id", "valid_from"]),
            index("policy_version", &["valid_from"]),
            unique("agreement", &["partner_id", "programme_id", "valid_from"]),
        ];
        run(manager, tables, indexes).await
    }
}
