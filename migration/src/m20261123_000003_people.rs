//! People and the categories that open programmes to them.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer_null, blob, blob_null, date, date_null, integer_null, text, text_null,
    timestamp_with_time_zone, uuid,
};

use crate::steps::{index, run, table, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tables = vec![
            table(
                "person",
                &["id"],
                vec![
                    uuid("id"),
                    blob("national_id_sealed"),
                    blob("national_id_hash"),
                    blob("desk_hash"),
                    text("name"),
                    date("birth_date"),
                    text("district"),
                    text_null("subdistrict"),
                    text_null("community"),
                    blob_null("phone_sealed"),
                    text_null("address"),
                    text_null("disability_class"),
                    integer_null("disability_grade"),
                    blob_null("disability_certificate_sealed"),
                    text_null("health"),
                    big_integer_null("monthly_income"),
                    date_null("deceased_on"),
                    timestamp_with_time_zone("created_at"),
                ],
                &[],
                &[("disability_grade", "disability_grade IS NULL OR disability_grade BETWEEN 1 AND 4")],
            ),
            table(
                "person_status",
                &["id"],
                vec![
                    uuid("id"),
                    uuid("person_id"),
                    text("category"),
                    date("valid_from"),
                    date_null("valid_to"),
                    date_null("suspended_on"),
                ],
                &[("person_id", "person")],
                &[],
            ),
        ];
        let indexes = vec![
            unique("person", &["national_id_hash"]),
            unique("person", &["desk_hash"]),
            index("person", &["district", "id"]),
            index("person", &["subdistrict", "id"]),
            index("person", &["community", "id"]),
            index("person_status", &["person_id", "category"]),
        ];
        run(manager, tables, indexes).await
    }
}
