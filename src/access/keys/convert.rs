//! Seals what versions before kept in the clear, and seals again what they had bound to its column alone.

use entity::Sealed;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{Condition, ConnectionTrait, QueryResult, TransactionSession, TransactionTrait};
use uuid::Uuid;

use super::Keys;
use super::columns::{Before, SEALED, SealedColumn, SealedTable};
use super::sealing::{Place, open_former};
use crate::error::{Error, Result};

/// Rows that are read, and written in one transaction.
const BATCH: u64 = 500;

/// Whether something stands in the clear, between the step of the migration that added the sealed columns and the one that drops
/// the clear ones.
pub(in super::super) async fn any_to_convert(connection: &impl ConnectionTrait) -> Result<bool> {
    for table in &SEALED {
        let any = Query::select()
            .expr(Expr::val(1))
            .from(table.name)
            .cond_where(in_the_clear(table))
            .limit(1)
            .to_owned();
        if connection.query_one(&any).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Seals all of it, row by row: cut short, it goes on where it stopped. Tells how many rows it sealed.
pub(in super::super) async fn convert<C>(connection: &C, keys: &Keys) -> Result<u64>
where
    C: ConnectionTrait + TransactionTrait,
{
    let mut converted: u64 = 0;
    for table in &SEALED {
        loop {
            let transaction = connection.begin().await?;
            let mut columns = vec!["id"];
            for column in table.columns {
                columns.push(match column.before {
                    Before::Clear(clear) => clear,
                    Before::Sealed(_) => column.name,
                });
            }
            let rows = Query::select()
                .columns(columns)
                .from(table.name)
                .cond_where(in_the_clear(table))
                .limit(BATCH)
                .to_owned();
            let rows = transaction.query_all(&rows).await?;
            for row in &rows {
                let id: Uuid = row.try_get("", "id")?;
                let mut update = Query::update();
                update.table(table.name).and_where(Expr::col("id").eq(id));
                for column in table.columns {
                    if let Some(plain) = plain_of(row, column, keys)? {
                        let place = Place { table: table.name, column: column.name, row: id };
                        update.value(column.name, keys.seal_at(place, &plain)?.0);
                        if let Before::Clear(clear) = column.before {
                            update.value(clear, "");
                        }
                    }
                }
                transaction.execute(&update).await?;
            }
            transaction.commit().await?;
            if rows.is_empty() {
                break;
            }
            converted = converted.saturating_add(rows.len() as u64);
        }
    }
    Ok(converted)
}

/// The rows of a table of which something is not sealed yet.
fn in_the_clear(table: &SealedTable) -> Condition {
    let mut any = Condition::any();
    for column in table.columns {
        if let Before::Clear(clear) = column.before {
            any = any.add(Expr::col(clear).is_not_null().and(Expr::col(column.name).is_null()));
        }
    }
    any
}

fn plain_of(row: &QueryResult, column: &SealedColumn, keys: &Keys) -> Result<Option<String>> {
    match column.before {
        Before::Clear(clear) => Ok(row.try_get("", clear)?),
        Before::Sealed(name) => {
            let Some(sealed) = row.try_get::<Option<Sealed>>("", column.name)? else { return Ok(None) };
            let data = keys.data();
            let plain = data.all().find_map(|(_, key)| open_former(key, &sealed, name));
            plain.map(Some).ok_or_else(|| {
                Error::internal(format!(
                    "a sealed value of {} does not open with this server's keys",
                    column.name
                ))
            })
        }
    }
}
