//! How every step writes a table or an index, with names that an operator finds again in an error.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};
use sea_orm_migration::sea_query::{Check, IndexCreateStatement, TableCreateStatement};

/// A table with its primary key (`pk_…`), foreign keys to `id` (`fk_<table>_<column>`) and checks (`ck_<table>_<name>`).
pub(crate) fn table(
    name: &'static str,
    primary_key: &[&'static str],
    columns: Vec<ColumnDef>,
    foreign_keys: &[(&'static str, &'static str)],
    checks: &[(&'static str, &'static str)],
) -> TableCreateStatement {
    let mut table = Table::create();
    table.table(name);
    for mut column in columns {
        table.col(&mut column);
    }
    let mut key = Index::create();
    key.name(format!("pk_{name}"));
    for column in primary_key {
        key.col(*column);
    }
    table.primary_key(&mut key);
    for (column, target) in foreign_keys {
        table.foreign_key(
            ForeignKey::create().name(format!("fk_{name}_{column}")).from(name, *column).to(*target, "id"),
        );
    }
    for (check, condition) in checks {
        table.check(Check::named(format!("ck_{name}_{check}"), Expr::cust(*condition)));
    }
    table
}

/// An index `ix_<table>_<columns>`.
pub(crate) fn index(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(format!("ix_{table}_{}", columns.join("_"))).table(table);
    for column in columns {
        index.col(*column);
    }
    index
}

/// A unique index `uq_<table>_<columns>`.
pub(crate) fn unique(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = index(table, columns);
    index.name(format!("uq_{table}_{}", columns.join("_"))).unique();
    index
}

/// Runs the statements of one step in order.
pub(crate) async fn run(
    manager: &SchemaManager<'_>,
    tables: Vec<TableCreateStatement>,
    indexes: Vec<IndexCreateStatement>,
) -> Result<(), DbErr> {
    for table in tables {
        manager.create_table(table).await?;
    }
    for index in indexes {
        manager.create_index(index).await?;
    }
    Ok(())
}

/// Lets a table only grow: whoever changes or deletes a row is refused, also with every right on the table.
pub(crate) async fn keep_for_ever(manager: &SchemaManager<'_>, table: &'static str) -> Result<(), DbErr> {
    refuse(manager, table, "update", "UPDATE", None).await?;
    refuse_loss(manager, table).await
}

/// [`keep_for_ever`], but for a column that is set once and that is no part of the content.
pub(crate) async fn keep_but_for(
    manager: &SchemaManager<'_>,
    table: &'static str,
    content: &'static str,
    once: &'static str,
) -> Result<(), DbErr> {
    refuse(manager, table, "content", &format!("UPDATE OF {content}"), None).await?;
    refuse(manager, table, "again", "UPDATE", Some(&format!("OLD.{once} IS NOT NULL"))).await?;
    refuse_loss(manager, table).await
}

async fn refuse_loss(manager: &SchemaManager<'_>, table: &'static str) -> Result<(), DbErr> {
    refuse(manager, table, "delete", "DELETE", None).await?;
    if manager.get_database_backend() == DbBackend::Sqlite {
        return Ok(());
    }
    let truncate = format!(
        "CREATE TRIGGER tr_{table}_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION keep_for_ever()"
    );
    manager.get_connection().execute_unprepared(&truncate).await.map(drop)
}

async fn refuse(
    manager: &SchemaManager<'_>,
    table: &'static str,
    name: &str,
    event: &str,
    when: Option<&str>,
) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    let when = when.map(|when| format!("WHEN ({when})")).unwrap_or_default();
    let trigger = format!("CREATE TRIGGER tr_{table}_{name} BEFORE {event} ON {table} FOR EACH ROW {when}");
    if manager.get_database_backend() == DbBackend::Sqlite {
        let refusal = format!("BEGIN SELECT RAISE(ABORT, 'rows of {table} are kept for ever'); END");
        return connection.execute_unprepared(&format!("{trigger} {refusal}")).await.map(drop);
    }
    let function = "CREATE OR REPLACE FUNCTION keep_for_ever() RETURNS trigger LANGUAGE plpgsql AS \
                    $$ BEGIN RAISE EXCEPTION 'rows of % are kept for ever', TG_TABLE_NAME; END $$";
    connection.execute_unprepared(function).await?;
    connection.execute_unprepared(&format!("{trigger} EXECUTE FUNCTION keep_for_ever()")).await.map(drop)
}
