//! Whose a database is, before anything in it is taken away.

use entity::{partner, person, token};
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, EntityName, EntityTrait, QueryFilter, QuerySelect};

use super::database::Database;
use crate::error::Result;

/// The table in which the migrations keep what has run.
const MIGRATIONS: &str = "seaql_migrations";

impl Database {
    /// Whether nothing is in the database yet, or only this program's tables, with no partners or with the one that has this code.
    pub async fn is_empty_or_has_partner(&self, code: &str) -> Result<bool> {
        let tables = self.tables().await?;
        if tables.is_empty() {
            return Ok(true);
        }
        let known = known_tables();
        let foreign = |table: &String| table != MIGRATIONS && !known.contains(&table.as_str());
        if tables.iter().any(foreign) {
            return Ok(false);
        }
        if !tables.iter().any(|table| table == partner::Entity.table_name()) {
            return Ok(true);
        }
        let partners = partner::Entity::find().limit(1).all(&self.reader()).await?;
        let marked =
            partner::Entity::find().filter(partner::Column::Code.eq(code)).one(&self.reader()).await?;
        Ok(partners.is_empty() || marked.is_some())
    }

    /// Whether there is anything that the keys of this database have sealed or signed. Asks no more than the oldest schema has.
    pub async fn holds_people_or_tokens(&self) -> Result<bool> {
        let tables = self.tables().await?;
        for table in [person::Entity.table_name(), token::Entity.table_name()] {
            if !tables.iter().any(|there| there == table) {
                continue;
            }
            let any = Query::select().expr(Expr::val(1)).from(table).limit(1).to_owned();
            if self.reader().query_one(&any).await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn tables(&self) -> Result<Vec<String>> {
        let reader = self.reader();
        let listing = match reader.get_database_backend() {
            DbBackend::Sqlite => {
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
            }
            _ => "SELECT CAST(tablename AS text) FROM pg_tables WHERE schemaname = current_schema()",
        };
        let rows = reader
            .query_all_raw(sea_orm::Statement::from_string(reader.get_database_backend(), listing))
            .await?;
        Ok(rows.iter().map(|row| row.try_get_by_index(0)).collect::<std::result::Result<_, _>>()?)
    }
}

fn known_tables() -> Vec<&'static str> {
    macro_rules! names {
        ($($table:ident),* $(,)?) => { vec![$(entity::$table::Entity.table_name()),*] };
    }
    crate::every_sliced_table!(names)
}
