//! What is left of a programme's budget of a year, split into shares, so that those who spend do not queue behind one row. An
//! act draws on one share by chance; only when that does not suffice it takes all of them, in order, and spreads anew what is
//! left. It is refused only after it has seen them all.

use std::collections::BTreeMap;

use entity::id::ProgrammeId;
use entity::kinds::{Account, Scope};
use entity::{Fen, budget_share, entry};
use rand::Rng;
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, LockType, OnConflict};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::act::Act;
use super::desk::Desk;
use super::slice::Slice;
use crate::error::{Error, Result};
use crate::page::padded;

/// How many shares a budget has.
pub const SHARES: i32 = 32;

fn of(programme: ProgrammeId, year: i32) -> Condition {
    Condition::all()
        .add(budget_share::Column::ProgrammeId.eq(programme))
        .add(budget_share::Column::Year.eq(year))
}

/// Equal shares, the first ones a fen larger when it does not divide: the amount of each, and how many have one more.
fn spread(total: i64) -> (i64, i64) {
    (total.div_euclid(i64::from(SHARES)), total.rem_euclid(i64::from(SHARES)))
}

/// The amount of a share, by its number.
fn share(total: i64) -> CaseStatement {
    let (each, larger) = spread(total);
    CaseStatement::new().case(Expr::col(budget_share::Column::Number).lt(larger), each + 1).finally(each)
}

impl Act {
    /// Takes an amount out of a budget; false when less than that is left, and then nothing is taken.
    pub async fn draw_budget(&mut self, programme: ProgrammeId, year: i32, amount: Fen) -> Result<bool> {
        let one = of(programme, year)
            .add(budget_share::Column::Number.eq(rand::rng().random_range(0..SHARES)))
            .add(budget_share::Column::Available.gte(amount));
        let less = Expr::col(budget_share::Column::Available).sub(amount.get());
        if !self.set_shares(less, one).await?.is_empty() {
            return Ok(true);
        }
        let held = budget_share::Entity::find()
            .filter(of(programme, year))
            .order_by_asc(budget_share::Column::Number)
            .lock(LockType::NoKeyUpdate)
            .all(&self.executor())
            .await?;
        let left = Fen::checked_sum(held.iter().map(|share| share.available)).ok_or_else(too_large)?;
        if left < amount {
            return Ok(false);
        }
        self.set_shares(share(left.less(amount).get()).into(), of(programme, year)).await?;
        Ok(true)
    }

    /// Puts back what was drawn.
    pub async fn return_to_budget(&mut self, programme: ProgrammeId, year: i32, amount: Fen) -> Result<()> {
        let one =
            of(programme, year).add(budget_share::Column::Number.eq(rand::rng().random_range(0..SHARES)));
        let more = Expr::col(budget_share::Column::Available).add(amount.get());
        match self.set_shares(more, one).await?.len() {
            1 => Ok(()),
            _ => Err(Error::internal("money comes back to a budget that does not exist")),
        }
    }

    /// Adds to a programme's budget of a year, which need not exist yet.
    pub async fn add_to_budget(&mut self, programme: ProgrammeId, year: i32, amount: Fen) -> Result<()> {
        let (each, larger) = spread(amount.get());
        let rows: Vec<budget_share::Model> = (0..SHARES)
            .map(|number| budget_share::Model {
                programme_id: programme,
                year,
                number,
                available: Fen::new(each + i64::from(i64::from(number) < larger)),
            })
            .collect();
        let merge = OnConflict::columns([
            budget_share::Column::ProgrammeId,
            budget_share::Column::Year,
            budget_share::Column::Number,
        ])
        .value(
            budget_share::Column::Available,
            Expr::col((budget_share::Entity, budget_share::Column::Available))
                .add(Expr::cust("excluded.available")),
        )
        .to_owned();
        self.upsert::<budget_share::Entity>(&rows, merge).await
    }

    async fn set_shares(&mut self, available: Expr, which: Condition) -> Result<Vec<budget_share::Model>> {
        self.set_through::<budget_share::Entity>([(budget_share::Column::Available, available)], which).await
    }
}

/// What a programme has of a year.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BudgetLeft {
    pub appropriated: Fen,
    pub available: Fen,
}

impl Slice {
    /// The budgets of a year that the viewer sees. What is left stands in the shares, what was given in the ledger.
    pub async fn budgets(&self, year: i32) -> Result<BTreeMap<ProgrammeId, BudgetLeft>> {
        self.demand(Scope::BudgetRead)?;
        let reading = self.acting(Scope::BudgetRead);
        let of_year = budget_share::Column::Year.eq(year);
        let shares = reading.select::<budget_share::Entity>()?.only(of_year).all().await?;
        let mut budgets: BTreeMap<ProgrammeId, BudgetLeft> = BTreeMap::new();
        for share in shares {
            let left = budgets.entry(share.programme_id).or_default();
            left.available = left.available.checked_add(share.available).ok_or_else(too_large)?;
        }
        let given = reading
            .select::<entry::Entity>()?
            .only(entry::Column::ProgrammeId.is_in(padded(budgets.keys().copied().collect())))
            .only(entry::Column::Year.eq(year))
            .only(entry::Column::Account.eq(Account::Appropriation))
            .all()
            .await?;
        for entry in given {
            let (Some(programme), Some(amount)) = (entry.programme_id, entry.amount.negated()) else {
                continue;
            };
            let left = budgets.entry(programme).or_default();
            left.appropriated = left.appropriated.checked_add(amount).ok_or_else(too_large)?;
        }
        Ok(budgets)
    }
}

impl Desk<'_> {
    /// What is left of a programme's budget of a year.
    pub async fn budget_left(&self, programme: ProgrammeId, year: i32) -> Result<Fen> {
        let shares = budget_share::Entity::find().filter(of(programme, year)).all(self.connection()).await?;
        Fen::checked_sum(shares.iter().map(|share| share.available)).ok_or_else(too_large)
    }
}

fn too_large() -> Error {
    Error::internal("a budget beyond 64 bits of fen")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_spread_to_the_fen() {
        for total in [0, 1, 31, 32, 33, 10_370_001] {
            let (each, larger) = spread(total);
            assert_eq!(each * i64::from(SHARES) + larger, total);
            assert!((0..i64::from(SHARES)).contains(&larger));
        }
    }
}
