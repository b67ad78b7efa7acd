use std::sync::Arc;

use async_graphql::{Context, InputObject, InputType, Object, SimpleObject};
use entity::id::ProgrammeId;
use entity::kinds::Scope;
use entity::programme;
use futures_util::FutureExt;

use super::operator::{self, OperatorInput};
use crate::access::{Act, Answered, Intent, Outcome, Slice, policy};
use crate::error::Result;
use crate::graph::budget::{Budget, of_year};
use crate::graph::scalars::{IdempotencyKey, Money};
use crate::graph::slice;
use crate::graph::user_error::{UserError, user_errors};
use crate::ledger::budgets;
use crate::page::type_id;
use crate::refusal::{Reason, Refusal};
use crate::rules::calendar::china_year;

/// A budget can be set up this many years ahead, and mended for the year before.
const YEARS_AHEAD: i32 = 5;

#[derive(InputObject)]
pub struct AppropriateInput {
    pub key: IdempotencyKey,
    pub programme_code: String,
    /// The budget year, from last year to five years ahead.
    pub year: i32,
    /// Added to what the year has already; above 0.00.
    pub amount: Money,
    pub operator: Option<OperatorInput>,
}

#[derive(SimpleObject)]
pub struct AppropriatePayload {
    /// The budget as it is now; null with `userErrors`.
    budget: Option<Budget>,
    /// Signed proof of what was done: a compact JWS, verified with the keys at `/.well-known/jwks.json`. The same for ever under this
    /// key; null with `userErrors`.
    receipt: Option<String>,
    /// True when this key was answered before: same answer, nothing done twice.
    replayed: bool,
    user_errors: Vec<UserError>,
}

#[derive(Default)]
pub struct Appropriate;

#[Object]
impl Appropriate {
    /// The owner of a fund (the bureau for fiscal money, the charity federation for charity money): give a programme money for a
    /// year. Once it is spent, acts are refused with BUDGET_EXHAUSTED.
    async fn appropriate(
        &self,
        ctx: &Context<'_>,
        input: AppropriateInput,
    ) -> Result<Option<AppropriatePayload>> {
        let answered = appropriate(slice(ctx)?, &input).await?;
        let budget = match answered.answer.result {
            Some(_) => {
                let budgets = of_year(&answered.slice, input.year).await?;
                budgets.into_iter().find(|budget| budget.is_of(&input.programme_code))
            }
            None => None,
        };
        Ok(Some(AppropriatePayload {
            budget,
            receipt: answered.answer.receipt,
            replayed: answered.replayed,
            user_errors: user_errors(answered.answer.refusals),
        }))
    }
}

/// Appropriates under the caller's key; the programme that was given money.
pub async fn appropriate(slice: &Slice, input: &AppropriateInput) -> Result<Answered<ProgrammeId>> {
    let intent = Intent {
        scope: Scope::BudgetWrite,
        mutation: "appropriate",
        key: &input.key.0,
        input: input.to_value(),
        operator: operator::stated(input.operator.as_ref()),
    };
    slice.act(intent, input, |act, input| give(act, input).boxed()).await
}

async fn give(act: &mut Act, input: &AppropriateInput) -> Result<Outcome<ProgrammeId>> {
    let mut refusals = operator::check(input.operator.as_ref());
    if !input.amount.0.is_positive() {
        refusals.push(Refusal::new(Reason::AmountNotPositive, &["amount"]));
    }
    let this_year = china_year(act.now());
    let (first, last) = (this_year - 1, this_year + YEARS_AHEAD);
    if !(first..=last).contains(&input.year) {
        refusals.push(Refusal::new(Reason::YearOutOfRange { first, last }, &["year"]));
    }
    let programme = own_programme(act, &input.programme_code).await?;
    if programme.is_none() {
        refusals.push(Refusal::new(Reason::NotFound, &["programmeCode"]));
    }
    let (Some(programme), true) = (programme, refusals.is_empty()) else {
        return Outcome::refused(refusals);
    };
    budgets::appropriated(act, &programme, input.year, input.amount.0).await?;
    let owners = act.slice().directory().reference().await?;
    act.tell("budget.appropriated", type_id(programme.id), owners.owners_of(programme.fund));
    Ok(Outcome::Done(type_id(programme.id), programme.id))
}

async fn own_programme(act: &Act, code: &str) -> Result<Option<Arc<programme::Model>>> {
    let reference = act.slice().directory().reference().await?;
    let programme = reference.programme_of_code(code).cloned();
    Ok(programme.filter(|programme| policy::owns(act.slice().viewer().partner(), programme.fund)))
}
