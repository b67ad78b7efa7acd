//! The audit trail, read once in its order and held against its seals.

use chrono::{DateTime, SecondsFormat, Utc};
use entity::id::AuditRecordId;
use entity::{Digest, audit_record, seal};
use futures_util::TryStreamExt;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{DatabaseTransaction, FromQueryResult, IdenStatic, Iterable, Order, Statement, StreamTrait};
use uuid::Uuid;

use super::super::jwks::PublicKeys;
use super::super::keys::hex;
use super::super::seals::{Covered, LONGEST_UNSEALED, beginning};
use super::super::token::Gate;
use super::{Finding, Head, Told};
use crate::error::Result;
use crate::page::type_id;

/// What the trail holds.
pub(super) struct Trail {
    pub(super) seals: i64,
    pub(super) records: i64,
    /// The newest seal, when nothing is broken.
    pub(super) head: Option<Head>,
}

const SEAL: &str = "s_";
const RECORD: &str = "r_";

/// Verifies the whole trail; each seal that is broken is reported once, the first broken link first.
pub(super) async fn verify(
    snapshot: &DatabaseTransaction,
    gate: &Gate,
    kept: &[Head],
    told: &mut Told<'_>,
) -> Result<Trail> {
    let before = told.differences;
    let mut walk =
        Walk { keys: gate.keys().public(), kept, last: None, open: None, records: 0, kept_there: Vec::new() };
    let mut rows = snapshot.stream(&every_record()).await?;
    while let Some(row) = rows.try_next().await? {
        let seal = seal::Model::from_query_result(&row, SEAL)?;
        let record = audit_record::Model::from_query_result_optional(&row, RECORD)?;
        walk.take(seal, record, told);
    }
    drop(rows);
    walk.close(told);
    walk.look_for_kept(told);
    without_seal(snapshot, gate, told).await?;
    let head = match &walk.last {
        Some(seal) if told.differences == before => Some(Head::of(seal, walk.records, &walk.keys)),
        _ => None,
    };
    Ok(Trail { seals: walk.last.map_or(0, |seal| seal.number), records: walk.records, head })
}

/// Every seal with its records, in sealing order.
fn every_record() -> sea_orm::sea_query::SelectStatement {
    let mut query = Query::select();
    for column in seal::Column::iter() {
        query.expr_as(Expr::col((seal::Entity, column)), format!("{SEAL}{}", column.as_str()));
    }
    for column in audit_record::Column::iter() {
        query.expr_as(Expr::col((audit_record::Entity, column)), format!("{RECORD}{}", column.as_str()));
    }
    query
        .from(seal::Entity)
        .left_join(
            audit_record::Entity,
            Expr::col((audit_record::Entity, audit_record::Column::SealNumber))
                .equals((seal::Entity, seal::Column::Number)),
        )
        .order_by((seal::Entity, seal::Column::Number), Order::Asc)
        .order_by((audit_record::Entity, audit_record::Column::Place), Order::Asc)
        .to_owned()
}

struct Walk<'a> {
    keys: PublicKeys,
    kept: &'a [Head],
    /// The seal before the open one.
    last: Option<seal::Model>,
    open: Option<Open>,
    /// How many records were seen under all seals so far.
    records: i64,
    /// The numbers of the kept seals that were seen.
    kept_there: Vec<i64>,
}

/// A seal whose records are being read.
struct Open {
    seal: seal::Model,
    covered: Covered,
    records: i64,
    /// The first place at which there is no record.
    gap: Option<i64>,
    /// The first record that is not later than the one before it.
    misplaced: Option<AuditRecordId>,
    newest: Option<(DateTime<Utc>, Uuid)>,
}

impl Open {
    fn of(seal: seal::Model) -> Self {
        let covered = Covered::begin(&seal.previous, seal.number, seal.at);
        Self { seal, covered, records: 0, gap: None, misplaced: None, newest: None }
    }

    fn add(&mut self, record: &audit_record::Model) {
        self.records += 1;
        if self.gap.is_none() && record.place.map(i64::from) != Some(self.records) {
            self.gap = Some(self.records);
        }
        let order = (record.at, Uuid::from(record.id));
        if self.misplaced.is_none() && self.newest.is_some_and(|newest| order <= newest) {
            self.misplaced = Some(record.id);
        }
        self.newest = Some(order);
        self.covered.add(record);
    }
}

impl Walk<'_> {
    fn take(&mut self, seal: seal::Model, record: Option<audit_record::Model>, told: &mut Told<'_>) {
        if self.open.as_ref().is_none_or(|open| open.seal.number != seal.number) {
            self.close(told);
            self.open = Some(Open::of(seal));
        }
        if let (Some(open), Some(record)) = (&mut self.open, record) {
            open.add(&record);
        }
    }

    /// Judges the seal whose records have all been read.
    fn close(&mut self, told: &mut Told<'_>) {
        let Some(open) = self.open.take() else { return };
        self.records += open.records;
        for kept in self.kept.iter().filter(|kept| kept.seal == open.seal.number) {
            self.kept_there.push(kept.seal);
            if !kept.is(&open.seal, self.records) {
                told.finding(Finding {
                    kind: "head.other",
                    table: "seal",
                    row: open.seal.number.to_string(),
                    found: hex(&open.seal.hash.0),
                    expected: kept.hash.clone(),
                    means: "The seal is not the one that was kept: the trail was made anew.",
                    warning: false,
                });
            }
        }
        let seal = open.seal.clone();
        if let Some(finding) = self.fault(open) {
            told.finding(finding);
        }
        self.last = Some(seal);
    }

    /// What is broken at a seal; only the first thing, as the others follow from it.
    fn fault(&self, open: Open) -> Option<Finding> {
        let Open { seal, covered, records, gap, misplaced, .. } = open;
        let broken = |kind, row: String, found: String, expected: String, means| {
            Some(Finding { kind, table: "seal", row, found, expected, means, warning: false })
        };
        let number = seal.number.to_string();
        let next = self.last.as_ref().map_or(1, |last| last.number + 1);
        if seal.number != next {
            let means = "Seals are missing from here on: the trail was cut.";
            return broken("seal.missing", next.to_string(), number, next.to_string(), means);
        }
        let previous = self.last.as_ref().map_or_else(beginning, |last| last.hash.clone());
        if seal.previous != previous {
            let means = "The seal does not follow upon the one before it.";
            return broken("seal.previous", number, hex(&seal.previous.0), hex(&previous.0), means);
        }
        if records != seal.records || gap.is_some() {
            let found = match gap {
                Some(place) => format!("{records}, none at place {place}"),
                None => records.to_string(),
            };
            let means = "The seal covers another number of records: some were taken away or added.";
            return broken("seal.records", number, found, seal.records.to_string(), means);
        }
        let hash: Digest = covered.hash();
        if hash != seal.hash {
            let found = match misplaced {
                Some(record) => format!("{}, {} out of order", hex(&hash.0), type_id(record)),
                None => hex(&hash.0),
            };
            let means = "The records, or the seal, are not those that were sealed: something was rewritten.";
            return broken("seal.hash", number, found, hex(&seal.hash.0), means);
        }
        let signed = self.keys.signed(&seal.key_id, &seal.hash.0, &seal.signature);
        if signed != Some(true) {
            let means = "The seal was not signed by a key of this server.";
            let (found, expected) = match signed {
                Some(_) => ("another signature".to_owned(), format!("a signature by {}", seal.key_id)),
                None => {
                    (format!("a signature by {}", seal.key_id), "a signature by one of its keys".to_owned())
                }
            };
            return broken("seal.signature", number, found, expected, means);
        }
        None
    }

    fn look_for_kept(&self, told: &mut Told<'_>) {
        for kept in self.kept.iter().filter(|kept| !self.kept_there.contains(&kept.seal)) {
            told.finding(Finding {
                kind: "head.missing",
                table: "seal",
                row: kept.seal.to_string(),
                found: format!("{} seals", self.last.as_ref().map_or(0, |last| last.number)),
                expected: format!("{} seals or more", kept.seal),
                means: "The trail no longer has the seal that was kept: its end was cut off.",
                warning: false,
            });
        }
    }
}

/// Records under a seal that is not there, and records that wait too long for one.
async fn without_seal(snapshot: &DatabaseTransaction, gate: &Gate, told: &mut Told<'_>) -> Result<()> {
    let sql = "SELECT audit_record.seal_number, COUNT(*) AS records, MIN(audit_record.at) AS oldest FROM audit_record \
               LEFT JOIN seal ON seal.number = audit_record.seal_number WHERE seal.number IS NULL \
               GROUP BY audit_record.seal_number ORDER BY audit_record.seal_number";
    let statement = Statement::from_string(snapshot.get_database_backend(), sql);
    let mut rows = snapshot.stream_raw(statement).await?;
    while let Some(row) = rows.try_next().await? {
        let number: Option<i64> = row.try_get_by_index(0)?;
        let records: i64 = row.try_get_by_index(1)?;
        let oldest: DateTime<Utc> = row.try_get_by_index(2)?;
        if let Some(number) = number {
            told.finding(Finding {
                kind: "record.seal",
                table: "audit_record",
                row: format!("under seal {number}"),
                found: records.to_string(),
                expected: "0".into(),
                means: "Records stand under a seal that is not there.",
                warning: false,
            });
        } else if gate.clock().now() - oldest > LONGEST_UNSEALED {
            told.finding(Finding {
                kind: "record.unsealed",
                table: "audit_record",
                row: format!("since {}", oldest.to_rfc3339_opts(SecondsFormat::Secs, true)),
                found: records.to_string(),
                expected: "0".into(),
                means: "Records wait longer for a seal than they should: nobody seals.",
                warning: true,
            });
        }
    }
    Ok(())
}
