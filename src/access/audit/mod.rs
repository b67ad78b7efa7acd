//! The audit: every amount that is stored is recomputed from what it follows from, every act is looked for in what it should have
//! left, and the sealed trail is verified. It only reads, inside one snapshot, with a fixed number of statements whose results are
//! the differences alone; so it can run beside a server that writes.

mod cards;
mod funds;
mod head;
mod looks;
mod operations;
mod postings;
mod receipts;
mod settlements;
mod tally;
mod totals;
mod trail;

use std::collections::BTreeMap;

use serde::Serialize;

pub use head::Head;
pub use totals::Book;

use self::tally::Tally;
use super::token::Gate;
use crate::error::Result;

const TALLIES: [&Tally; 15] = [
    &postings::POSTINGS,
    &settlements::SETTLEMENTS,
    &settlements::ENTITLEMENTS,
    &cards::CARDS,
    &cards::REDEMPTIONS,
    &cards::REFUNDS,
    &funds::BUDGETS,
    &funds::STATEMENTS,
    &funds::CARRIES,
    &funds::PAYABLES,
    &operations::OPERATIONS,
    &operations::POSTED,
    &operations::EVENTS,
    &operations::RECORDS,
    &looks::LOOKS,
];

/// Something that is not as it should be. Nothing personal stands in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// e.g. `card.balance`
    pub kind: &'static str,
    pub table: &'static str,
    /// The row's outside id, or whatever tells it from others.
    pub row: String,
    /// What it is; money in yuan.
    pub found: String,
    /// What it should be.
    pub expected: String,
    /// One sentence.
    pub means: &'static str,
    /// Worth a look, and no difference.
    pub warning: bool,
}

/// What an audit looked at and what it came to.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    pub differences: u64,
    pub warnings: u64,
    /// How many rows each table has.
    pub rows: BTreeMap<String, i64>,
    pub books: Vec<Book>,
    pub seals: i64,
    pub sealed_records: i64,
    /// The newest seal of a trail in which nothing is broken.
    pub head: Option<Head>,
}

/// Where findings go, one by one.
struct Told<'a> {
    to: &'a mut (dyn FnMut(Finding) + Send),
    differences: u64,
    warnings: u64,
}

impl Told<'_> {
    fn finding(&mut self, finding: Finding) {
        if finding.warning {
            self.warnings += 1;
        } else {
            self.differences += 1;
        }
        (self.to)(finding);
    }
}

impl Gate {
    /// Audits everything; each finding is told when it is found. The trail must still hold the heads that were kept elsewhere.
    pub async fn audit(&self, kept: &[Head], found: &mut (dyn FnMut(Finding) + Send)) -> Result<Summary> {
        let snapshot = self.database().snapshot().await?;
        let mut told = Told { to: found, differences: 0, warnings: 0 };
        for tally in TALLIES {
            tally.run(&snapshot, &mut told).await?;
        }
        // The first statement took the snapshot: whatever it holds was signed by a key that is in the folder by now.
        self.reload_keys().await?;
        receipts::verify(&snapshot, self, &mut told).await?;
        let books = totals::books(&snapshot, &mut told).await?;
        let trail = trail::verify(&snapshot, self, kept, &mut told).await?;
        let rows = totals::rows(&snapshot).await?;
        snapshot.rollback().await?;
        Ok(Summary {
            differences: told.differences,
            warnings: told.warnings,
            rows,
            books,
            seals: trail.seals,
            sealed_records: trail.records,
            head: trail.head,
        })
    }
}
