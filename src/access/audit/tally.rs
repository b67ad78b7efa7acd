//! How stored amounts are checked against each other: sources that speak of the same rows are laid upon each other and summed by
//! the database, each read once, and only the rows on which they differ come out.

use chrono::{DateTime, SecondsFormat, Utc};
use entity::Fen;
use futures_util::TryStreamExt;
use sea_orm::{DatabaseTransaction, QueryResult, Statement, StreamTrait};
use uuid::Uuid;

use super::{Finding, Told};
use crate::error::Result;
use crate::page::type_id_of;

/// Rows of one table, or of one key, with everything that is known about them.
pub(super) struct Tally {
    /// Of which table the rows are spoken of.
    pub(super) table: &'static str,
    /// What tells one row from another, as every source gives it.
    pub(super) key: &'static [Part],
    pub(super) sources: &'static [Source],
    /// Measures of which the largest counts; the others are summed.
    pub(super) largest: &'static [&'static str],
    pub(super) checks: &'static [Check],
}

/// A part of a key.
pub(super) enum Part {
    /// A typed key, by the prefix of its outside id.
    Id(&'static str),
    Number,
    Text,
    Time,
}

/// One read of the database: what follows FROM, the parts of the key, and named measures. A measure that a source does not have is 0.
pub(super) struct Source {
    pub(super) from: &'static str,
    pub(super) key: &'static [&'static str],
    pub(super) measures: &'static [(&'static str, &'static str)],
}

/// Two amounts, in the measures, that must be equal.
pub(super) struct Check {
    pub(super) kind: &'static str,
    /// What it means when they are not.
    pub(super) means: &'static str,
    pub(super) unit: Unit,
    /// Judged only where this holds.
    pub(super) when: &'static str,
    pub(super) found: &'static str,
    pub(super) expected: &'static str,
}

#[derive(Clone, Copy)]
pub(super) enum Unit {
    Yuan,
    Count,
}

pub(super) const ALWAYS: &str = "1 = 1";

impl Unit {
    fn write(self, amount: i64) -> String {
        match self {
            Self::Yuan => Fen::new(amount).to_yuan().to_string(),
            Self::Count => amount.to_string(),
        }
    }
}

impl Tally {
    /// Reports every row on which the sources differ.
    pub(super) async fn run(&self, snapshot: &DatabaseTransaction, told: &mut Told<'_>) -> Result<()> {
        let statement = Statement::from_string(snapshot.get_database_backend(), self.sql());
        let mut rows = snapshot.stream_raw(statement).await?;
        while let Some(row) = rows.try_next().await? {
            let name = self.name(&row)?;
            for (place, check) in self.checks.iter().enumerate() {
                let column = self.key.len() + 2 * place;
                let found: Option<i64> = row.try_get_by_index(column)?;
                let expected: Option<i64> = row.try_get_by_index(column + 1)?;
                if let (Some(found), Some(expected)) = (found, expected) {
                    told.finding(Finding {
                        kind: check.kind,
                        table: self.table,
                        row: name.clone(),
                        found: check.unit.write(found),
                        expected: check.unit.write(expected),
                        means: check.means,
                        warning: false,
                    });
                }
            }
        }
        Ok(())
    }

    fn name(&self, row: &QueryResult) -> Result<String> {
        let mut parts = Vec::new();
        for (place, part) in self.key.iter().enumerate() {
            parts.push(match part {
                Part::Id(prefix) => type_id_of(prefix, row.try_get_by_index::<Uuid>(place)?),
                Part::Number => row.try_get_by_index::<i32>(place)?.to_string(),
                Part::Text => row.try_get_by_index::<String>(place)?.escape_debug().to_string(),
                Part::Time => {
                    row.try_get_by_index::<DateTime<Utc>>(place)?.to_rfc3339_opts(SecondsFormat::Micros, true)
                }
            });
        }
        Ok(parts.join(" "))
    }

    fn sql(&self) -> String {
        let mut measures: Vec<&str> = Vec::new();
        for (name, _) in self.sources.iter().flat_map(|source| source.measures) {
            if !measures.contains(name) {
                measures.push(name);
            }
        }
        let keys: Vec<String> = (0..self.key.len()).map(|place| format!("k{place}")).collect();
        let keys = keys.join(", ");
        let sources: Vec<String> = self.sources.iter().map(|source| source.sql(&measures)).collect();
        let summed: Vec<String> = measures
            .iter()
            .map(|name| match self.largest.contains(name) {
                true => format!("MAX({name}) AS {name}"),
                false => format!("SUM({name}) AS {name}"),
            })
            .collect();
        let differs: Vec<String> = self.checks.iter().map(Check::differs).collect();
        let shown: Vec<String> = self
            .checks
            .iter()
            .flat_map(|check| [check.found, check.expected].map(|amount| (check, amount)))
            .map(|(check, amount)| format!("CAST(CASE WHEN {} THEN {amount} END AS bigint)", check.differs()))
            .collect();
        format!(
            "SELECT {keys}, {} FROM (SELECT {keys}, {} FROM ({}) AS laid GROUP BY {keys}) AS tally WHERE {} ORDER BY {keys}",
            shown.join(", "),
            summed.join(", "),
            sources.join(" UNION ALL "),
            differs.join(" OR "),
        )
    }
}

impl Check {
    fn differs(&self) -> String {
        format!("(({}) AND ({}) <> ({}))", self.when, self.found, self.expected)
    }
}

impl Source {
    fn sql(&self, measures: &[&str]) -> String {
        let keys = self.key.iter().enumerate().map(|(place, key)| format!("{key} AS k{place}"));
        let amounts = measures.iter().map(|name| match self.measures.iter().find(|(own, _)| own == name) {
            Some((_, amount)) => format!("COALESCE({amount}, 0) AS {name}"),
            None => format!("0 AS {name}"),
        });
        let columns: Vec<String> = keys.chain(amounts).collect();
        format!("SELECT {} FROM {}", columns.join(", "), self.from)
    }
}
