//! Reading what partners are owed: the payable entries of the ledger, which are the lines of their statements.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::id::{PostingId, StatementId};
use entity::kinds::{Account, FundSource, PostingKind, Scope, StatementStatus};
use entity::{Fen, entry, statement};
use sea_orm::sea_query::{ExprTrait, LockType};
use sea_orm::{ColumnTrait, Condition, FromQueryResult, QuerySelect};
use uuid::Uuid;

use super::act::Act;
use super::slice::{Selection, Slice};
use crate::error::{Error, Result};
use crate::page::padded;

/// What the lines of a statement come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub count: i64,
    /// Sum of the originals.
    pub gross: Fen,
    /// Sum of reversals, refunds and what was carried, as a positive amount.
    pub reversed: Fen,
}

impl Totals {
    /// gross − reversed.
    pub fn net(&self) -> Option<Fen> {
        self.gross.checked_add(self.reversed.negated()?)
    }

    /// The totals once one line more carries an amount.
    pub fn with_carried(mut self, owed: Fen) -> Option<Self> {
        self.add(PostingKind::CarryForward, 1, owed)?;
        Some(self)
    }

    fn add(&mut self, kind: PostingKind, count: i64, owed: Fen) -> Option<()> {
        self.count += count;
        match kind {
            PostingKind::Reversal | PostingKind::Refund | PostingKind::CarryForward => {
                self.reversed = self.reversed.checked_add(owed.negated()?)?;
            }
            _ => self.gross = self.gross.checked_add(owed)?,
        }
        Some(())
    }
}

/// What is owed for one act by now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    pub key: String,
    /// After reversal and refunds.
    pub amount: Fen,
    /// Something of it was taken back.
    pub corrected: bool,
}

/// Most acts that [`Slice::owed`] reads at a go.
const ACTS_AT_A_GO: u64 = 1_000;

/// The place of an act among others, in the order in which they happened.
#[derive(Clone, Copy, Debug)]
pub struct ActPlace {
    acted_at: DateTime<Utc>,
    posting: PostingId,
}

/// The lines of one act, summed up.
#[derive(FromQueryResult)]
struct SummedAct {
    source_id: Uuid,
    entries: i64,
    amount: i64,
}

fn lines() -> Condition {
    Condition::all()
        .add(entry::Column::Account.eq(Account::Payable))
        .add(entry::Column::Kind.ne(PostingKind::Payment))
}

#[derive(FromQueryResult)]
struct Summed {
    statement_id: StatementId,
    kind: PostingKind,
    count: i64,
    amount: i64,
}

async fn totals(
    entries: Selection<'_, entry::Entity>,
    statements: Vec<StatementId>,
) -> Result<HashMap<StatementId, Totals>> {
    let (connection, query) =
        entries.only(lines()).only(entry::Column::StatementId.is_in(padded(statements))).into_parts();
    let sums = query
        .select_only()
        .column(entry::Column::StatementId)
        .column(entry::Column::Kind)
        .column_as(entry::Column::Number.count().cast_as("bigint"), "count")
        .column_as(entry::Column::Amount.sum().cast_as("bigint"), "amount")
        .group_by(entry::Column::StatementId)
        .group_by(entry::Column::Kind)
        .into_model::<Summed>()
        .all(&connection)
        .await?;
    let mut found: HashMap<StatementId, Totals> = HashMap::new();
    for sum in sums {
        let owed = Fen::new(sum.amount).negated();
        let added =
            owed.and_then(|owed| found.entry(sum.statement_id).or_default().add(sum.kind, sum.count, owed));
        added.ok_or_else(|| Error::internal("a statement beyond 64 bits of fen"))?;
    }
    Ok(found)
}

impl Slice {
    /// The same slice, for reading what belongs to a statement that the viewer sees already.
    pub fn reading_statements(&self) -> Self {
        self.acting(Scope::StatementRead)
    }

    /// Every entry of the ledger, for an auditor.
    pub fn ledger(&self) -> Result<Selection<'_, entry::Entity>> {
        self.demand(Scope::AuditRead)?;
        self.select_as(Scope::AuditRead)
    }

    /// The lines of a statement, as entries.
    pub fn lines_of(&self, statement: StatementId) -> Result<Selection<'_, entry::Entity>> {
        Ok(self.select::<entry::Entity>()?.only(lines()).only(entry::Column::StatementId.eq(statement)))
    }

    /// What the lines of statements come to by now, in one statement.
    pub async fn totals(&self, statements: Vec<StatementId>) -> Result<HashMap<StatementId, Totals>> {
        totals(self.select::<entry::Entity>()?, statements).await
    }

    /// In which statements original acts stand, by the keys of their rows. Whoever sees such a row may know when it is paid.
    pub async fn statements_of(&self, acts: Vec<Uuid>) -> Result<HashMap<Uuid, statement::Model>> {
        let holding = self.reading_statements();
        let postings: Vec<PostingId> = acts.into_iter().map(PostingId::from).collect();
        let entries = holding
            .select::<entry::Entity>()?
            .only(lines())
            .only(entry::Column::PostingId.is_in(padded(postings)))
            .all()
            .await?;
        let ids: Vec<StatementId> = entries.iter().filter_map(|entry| entry.statement_id).collect();
        let statements = holding
            .select::<statement::Entity>()?
            .only(statement::Column::Id.is_in(padded(ids)))
            .all()
            .await?;
        let statements: HashMap<StatementId, statement::Model> =
            statements.into_iter().map(|statement| (statement.id, statement)).collect();
        let of = |entry: &entry::Model| {
            entry
                .statement_id
                .and_then(|id| statements.get(&id))
                .map(|found| (entry.posting_id.into(), found.clone()))
        };
        Ok(entries.iter().filter_map(of).collect())
    }

    /// What the viewer itself is owed by now for its acts of a time (what months carry is of no act), in the order in which they happened: those after a place,
    /// at most [`ACTS_AT_A_GO`], in two statements; and the place of the last, unless it was the last of all.
    pub async fn owed(
        &self,
        fund: FundSource,
        from: DateTime<Utc>,
        before: DateTime<Utc>,
        after: Option<ActPlace>,
    ) -> Result<(Vec<Owed>, Option<ActPlace>)> {
        use entry::Column::{ActedAt, Amount, Book, Corrects, Kind, Number, PartnerId, PostingId, SourceId};
        let own = || {
            Ok::<_, Error>(
                self.select::<entry::Entity>()?
                    .only(lines())
                    .only(Kind.ne(PostingKind::CarryForward))
                    .only(PartnerId.eq(self.viewer().partner_id()))
                    .only(Book.eq(fund)),
            )
        };
        let originals = own()?
            .only(Corrects.is_null())
            .only(ActedAt.gte(after.map_or(from, |after| after.acted_at)))
            .only(ActedAt.lt(before))
            .only_if(after.map(|after| ActedAt.gt(after.acted_at).or(PostingId.gt(after.posting))))
            .oldest_first(ActedAt)
            .oldest_first(PostingId)
            .limit(ACTS_AT_A_GO)
            .all()
            .await?;
        let (Some(first), Some(last)) = (originals.first(), originals.last()) else {
            return Ok((Vec::new(), None));
        };
        let whole = u64::try_from(originals.len()).is_ok_and(|many| many == ACTS_AT_A_GO);
        let place = whole.then_some(ActPlace { acted_at: last.acted_at, posting: last.posting_id });
        // What corrects an act keeps its time and its source.
        let sources = padded(originals.iter().map(|original| original.source_id).collect());
        let (connection, query) = own()?
            .only(ActedAt.between(first.acted_at, last.acted_at))
            .only(SourceId.is_in(sources))
            .into_parts();
        let sums = query
            .select_only()
            .column(SourceId)
            .column_as(Number.count().cast_as("bigint"), "entries")
            .column_as(Amount.sum().cast_as("bigint"), "amount")
            .group_by(SourceId)
            .into_model::<SummedAct>()
            .all(&connection)
            .await?;
        let sums: HashMap<Uuid, SummedAct> = sums.into_iter().map(|sum| (sum.source_id, sum)).collect();
        let owed = |original: entry::Model| {
            let sum = sums.get(&original.source_id);
            let sum = sum.ok_or_else(|| Error::internal("an act without its sum"))?;
            let amount = Fen::new(sum.amount).negated();
            let amount = amount.ok_or_else(|| Error::internal("owed beyond 64 bits of fen"))?;
            Ok(Owed { key: original.operation_key, amount, corrected: sum.entries > 1 })
        };
        Ok((originals.into_iter().map(owed).collect::<Result<_>>()?, place))
    }
}

impl Act {
    /// A statement that the viewer sees, held until the act ends: acts under way that post into it are waited for, and later ones
    /// wait.
    pub async fn hold_statement(&self, which: Condition) -> Result<Option<statement::Model>> {
        let (connection, query) = self.select::<statement::Entity>()?.only(which).into_parts();
        Ok(query.lock(LockType::Update).one(&connection).await?)
    }

    /// The open statements of the same partner and fund before one, oldest first.
    pub async fn open_before(&self, row: &statement::Model) -> Result<Vec<statement::Model>> {
        use statement::Column::{Fund, Month, PartnerId, Status};
        self.select::<statement::Entity>()?
            .only(PartnerId.eq(row.partner_id))
            .only(Fund.eq(row.fund))
            .only(Month.lt(row.month.as_str()))
            .only(Status.eq(StatementStatus::Open))
            .oldest_first(Month)
            .all()
            .await
    }

    /// [`Slice::totals`] inside the act.
    pub async fn totals(&self, statements: Vec<StatementId>) -> Result<HashMap<StatementId, Totals>> {
        totals(self.select::<entry::Entity>()?, statements).await
    }
}
