use std::sync::Arc;

use async_graphql::{Context, Object};
use entity::{Fen, programme};

use super::programme::Programme;
use super::scalars::Money;
use super::slice;
use crate::access::{BudgetLeft, Slice, policy};
use crate::error::{Error, Result};

/// What a programme may spend in a year.
pub struct Budget {
    programme: Arc<programme::Model>,
    year: i32,
    appropriated: Fen,
    available: Fen,
}

impl Budget {
    pub fn is_of(&self, programme_code: &str) -> bool {
        self.programme.code == programme_code
    }
}

/// What a programme may spend in a year. What is paid counts in the year in which it is posted (China Standard Time).
#[Object]
impl Budget {
    async fn programme(&self) -> Programme {
        Programme(Arc::clone(&self.programme))
    }

    async fn year(&self) -> i32 {
        self.year
    }

    /// Everything that was appropriated for the year.
    async fn appropriated(&self) -> Money {
        Money(self.appropriated)
    }

    /// What was paid out of it, less what was taken back; a card counts with its full value when it is issued.
    async fn spent(&self) -> Money {
        Money(self.appropriated.less(self.available))
    }

    /// appropriated − spent. An act that would exceed it is refused with BUDGET_EXHAUSTED.
    async fn available(&self) -> Money {
        Money(self.available)
    }
}

/// The budgets of a year of the viewer's own fund, by programme code.
pub async fn of_year(slice: &Slice, year: i32) -> Result<Vec<Budget>> {
    let reference = slice.directory().reference().await?;
    let mut budgets = Vec::new();
    for (id, left) in slice.budgets(year).await? {
        let programme = reference.programme(id).ok_or_else(|| Error::internal("a budget of no programme"))?;
        if policy::owns(slice.viewer().partner(), programme.fund) {
            let BudgetLeft { appropriated, available } = left;
            budgets.push(Budget { programme: Arc::clone(programme), year, appropriated, available });
        }
    }
    budgets.sort_by(|one, other| one.programme.code.cmp(&other.programme.code));
    Ok(budgets)
}

#[derive(Default)]
pub struct BudgetQuery;

#[Object]
impl BudgetQuery {
    /// The owner of a fund: the budgets of its programmes for a year, by programme code; programmes without one are left out.
    async fn budgets(&self, ctx: &Context<'_>, year: i32) -> Result<Option<Vec<Budget>>> {
        Ok(Some(of_year(slice(ctx)?, year).await?))
    }
}
