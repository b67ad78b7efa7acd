//! Changing keys of personal data: every sealed value under a new data key, or the envelope under another master key. Servers go on
//! meanwhile, as each value names its key and all keys stay in the envelope.

use std::io;
use std::path::Path;
use std::time::Duration;

use entity::Sealed;
use sea_orm::sea_query::{Expr, ExprTrait, Order, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use uuid::Uuid;

use super::super::token::Gate;
use super::Keys;
use super::columns::{SEALED, SealedTable};
use super::envelope::{MasterKey, Personal};
use super::sealing::{Place, key_of};
use crate::error::{Error, Result};

/// Rows that are read, and written in one transaction.
const BATCH: u64 = 500;

/// What a change of the data key did.
#[derive(Debug, PartialEq, Eq)]
pub enum Rewrapped {
    /// One that was cut short before is finished: so many values were left.
    Finished(u64),
    /// All values that there were are under a new key.
    Anew(u64),
}

impl Keys {
    /// Encrypts the keys of a folder under another master key.
    pub fn wrap_in_folder(folder: &Path, from: &MasterKey, to: &MasterKey) -> io::Result<()> {
        Personal::wrap(folder, from, to)
    }
}

impl Gate {
    /// Seals everything again under a new data key; what an earlier run left is finished instead. `pause` is how long servers may
    /// take to see the new key.
    pub async fn rewrap(&self, pause: Duration) -> Result<Rewrapped> {
        let left = self.seal_again().await?;
        if left > 0 {
            return Ok(Rewrapped::Finished(left));
        }
        let (folder, master) = self
            .keys()
            .home
            .clone()
            .ok_or_else(|| Error::internal("keys that are kept nowhere cannot be changed"))?;
        tokio::task::spawn_blocking(move || Personal::add_data_key(&folder, &master))
            .await
            .map_err(|error| Error::internal(format!("making a data key: {error}")))?
            .map_err(|error| Error::internal(format!("a data key cannot be made: {error}")))?;
        self.reload_keys().await?;
        tokio::time::sleep(pause).await;
        Ok(Rewrapped::Anew(self.seal_again().await?))
    }

    /// Seals again what is sealed by another key than the active one; tells how many values.
    async fn seal_again(&self) -> Result<u64> {
        let mut sealed = 0;
        for table in &SEALED {
            let mut after = Uuid::nil();
            loop {
                let begun = self.database().begin().await?;
                let (values, last) = seal_batch(&begun.transaction, self.keys(), table, after).await?;
                begun.commit().await?;
                sealed += values;
                match last {
                    Some(last) => after = last,
                    None => break,
                }
            }
        }
        Ok(sealed)
    }
}

/// The rows behind one, by key: how many values were sealed again, and the last row, while there may be more.
async fn seal_batch(
    transaction: &DatabaseTransaction,
    keys: &Keys,
    table: &SealedTable,
    after: Uuid,
) -> Result<(u64, Option<Uuid>)> {
    let rows = Query::select()
        .column("id")
        .columns(table.columns.iter().map(|column| column.name))
        .from(table.name)
        .and_where(Expr::col("id").gt(after))
        .order_by("id", Order::Asc)
        .limit(BATCH)
        .to_owned();
    let rows = transaction.query_all(&rows).await?;
    let active = keys.data().active().0;
    let (mut values, mut last) = (0, None);
    for row in &rows {
        let id: Uuid = row.try_get("", "id")?;
        last = Some(id);
        for column in table.columns {
            let Some(old) = row.try_get::<Option<Sealed>>("", column.name)? else { continue };
            if key_of(&old) == Some(active) {
                continue;
            }
            let place = Place { table: table.name, column: column.name, row: id };
            let new = keys.seal_at(place, &keys.open_at(place, &old)?)?;
            let update = Query::update()
                .table(table.name)
                .value(column.name, new.0)
                .and_where(Expr::col("id").eq(id))
                .and_where(Expr::col(column.name).eq(old.0))
                .to_owned();
            values += transaction.execute(&update).await?.rows_affected();
        }
    }
    Ok((values, last))
}
