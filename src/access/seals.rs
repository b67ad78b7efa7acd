//! Seals over the audit trail: each covers the records since the last, in an order of its own, and is signed, so that a record that
//! is rewritten or taken away shows.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{Digest, audit_record, seal};
use sea_orm::sea_query::{Expr, ExprTrait, IntoIden, Query, TableRef};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IdenStatic, IntoActiveModel, Iterable,
    ModelTrait, QueryFilter, QueryOrder, QuerySelect,
};
use sha2::{Digest as _, Sha256};

use super::records::written;
use super::token::Gate;
use crate::error::{Error, Result};

/// Most records under one seal.
const LARGEST: u64 = 500;
/// Older records than this without a seal mean that sealing fails.
pub const LONGEST_UNSEALED: TimeDelta = TimeDelta::seconds(60);

/// What a seal's hash covers, one record after the other.
pub(super) struct Covered(Sha256);

impl Covered {
    pub(super) fn begin(previous: &Digest, number: i64, at: DateTime<Utc>) -> Self {
        let mut digest = Sha256::new();
        digest.update(&previous.0);
        digest.update(number.to_be_bytes());
        digest.update(at.timestamp_micros().to_be_bytes());
        Self(digest)
    }

    pub(super) fn add(&mut self, record: &audit_record::Model) {
        for column in audit_record::Column::iter() {
            use audit_record::Column::{Place, SealNumber};
            if matches!(column, Place | SealNumber) {
                continue;
            }
            let value = match column {
                audit_record::Column::At => record.at.timestamp_micros().to_string().into_bytes(),
                _ => written(&record.get(column)),
            };
            self.0.update(column.as_str());
            self.0.update([0]);
            self.0.update(u64::try_from(value.len()).unwrap_or(u64::MAX).to_be_bytes());
            self.0.update(value);
        }
    }

    pub(super) fn hash(self) -> Digest {
        Digest(self.0.finalize().to_vec())
    }
}

/// The hash before the first seal.
pub(super) fn beginning() -> Digest {
    Digest(vec![0; 32])
}

impl Gate {
    /// Puts the records that have no seal yet under a new one; tells how many. Of two at once the later one finds its seal's number
    /// taken, and undoes what it began.
    pub async fn seal_records(&self) -> Result<u64> {
        let unsealed = audit_record::Entity::find().filter(audit_record::Column::SealNumber.is_null());
        if unsealed.clone().limit(1).one(&self.database().reader()).await?.is_none() {
            return Ok(0);
        }
        let begun = self.database().begin().await?;
        let transaction = &begun.transaction;
        let last = seal::Entity::find().order_by_desc(seal::Column::Number).limit(1).one(transaction).await?;
        let records = unsealed
            .order_by_asc(audit_record::Column::At)
            .order_by_asc(audit_record::Column::Id)
            .limit(LARGEST)
            .all(transaction)
            .await?;
        let number = last.as_ref().map_or(1, |last| last.number + 1);
        let previous = last.map_or_else(beginning, |last| last.hash);
        let at = self.clock().now();
        let mut covered = Covered::begin(&previous, number, at);
        records.iter().for_each(|record| covered.add(record));
        let hash = covered.hash();
        let many = u64::try_from(records.len()).unwrap_or(u64::MAX);
        let active = self.keys().active();
        let row = seal::Model {
            number,
            records: i64::try_from(many).unwrap_or(i64::MAX),
            previous,
            signature: active.sign(&hash.0),
            hash,
            key_id: active.kid.clone(),
            at,
        };
        seal::Entity::insert(row.into_active_model().reset_all()).exec_without_returning(transaction).await?;
        let order = Query::select()
            .column(audit_record::Column::Id)
            .expr_as(Expr::cust("CAST(ROW_NUMBER() OVER (ORDER BY at, id) AS integer)"), "place")
            .from(audit_record::Entity)
            .and_where(audit_record::Column::Id.is_in(records.iter().map(|record| record.id)))
            .to_owned();
        let sealed = Query::update()
            .table(audit_record::Entity)
            .value(audit_record::Column::SealNumber, number)
            .value(audit_record::Column::Place, Expr::col(("ordered", "place")))
            .from(TableRef::SubQuery(Box::new(order), "ordered".into_iden()))
            .and_where(
                Expr::col((audit_record::Entity, audit_record::Column::Id))
                    .equals(("ordered", audit_record::Column::Id)),
            )
            .to_owned();
        let done = transaction.execute(&sealed).await?.rows_affected();
        if done != many {
            begun.rollback().await;
            return Err(Error::internal("audit records changed while they were sealed"));
        }
        begun.commit().await?;
        Ok(many)
    }

    /// Whether records wait for a seal longer than they should, and none was set meanwhile.
    pub async fn sealing_is_late(&self) -> Result<bool> {
        let reader = self.database().reader();
        let now = self.clock().now();
        let oldest = audit_record::Entity::find()
            .filter(audit_record::Column::SealNumber.is_null())
            .order_by_asc(audit_record::Column::At)
            .limit(1)
            .one(&reader)
            .await?;
        if oldest.is_none_or(|oldest| now - oldest.at <= LONGEST_UNSEALED) {
            return Ok(false);
        }
        let last = seal::Entity::find().order_by_desc(seal::Column::Number).limit(1).one(&reader).await?;
        Ok(last.is_none_or(|last| now - last.at > LONGEST_UNSEALED))
    }
}
