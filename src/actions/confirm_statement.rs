use async_graphql::{Context, InputObject, InputType, Object, SimpleObject};
use entity::id::StatementId;
use entity::kinds::{Scope, StatementStatus};
use entity::{Fen, statement};
use futures_util::FutureExt;
use sea_orm::ColumnTrait;
use sea_orm::sea_query::Expr;

use super::operator::{self, OperatorInput};
use crate::access::{Act, Answered, Intent, Outcome, Slice};
use crate::error::{Error, Result};
use crate::graph::scalars::{IdempotencyKey, Money, YearMonth};
use crate::graph::statement::{Statement, fund_of, net, own, with_totals};
use crate::graph::user_error::{UserError, user_errors};
use crate::graph::{slice, words};
use crate::ledger::carries;
use crate::page::{key_of, type_id};
use crate::refusal::{Reason, Refusal};
use crate::rules::calendar::month_of;

#[derive(InputObject)]
pub struct ConfirmStatementInput {
    pub key: IdempotencyKey,
    pub month: YearMonth,
    /// May be left out by a partner that deals with one fund.
    pub fund: Option<words::FundSource>,
    /// The total being agreed to; 0.00 for a month that is below it.
    pub net: Money,
    pub operator: Option<OperatorInput>,
}

#[derive(SimpleObject)]
pub struct ConfirmStatementPayload {
    statement: Option<Statement>,
    /// True when this key was answered before: same answer, nothing done twice.
    replayed: bool,
    user_errors: Vec<UserError>,
}

#[derive(Default)]
pub struct ConfirmStatement;

#[Object]
impl ConfirmStatement {
    /// Agree to what a month comes to. Possible once the month is over (China Standard Time); afterwards the statement does not
    /// change, and what is taken back of it stands in the next open one. With another `net` than the statement's nothing is done:
    /// AMOUNT_DIFFERS. A month whose net is below 0.00 is confirmed with `net: "0.00"`: what it lacks is carried into the next open
    /// month, as a line of kind CARRIED in both, and nothing is to be paid for it. Until that is done no later month of the same fund
    /// can be confirmed: INVALID.
    async fn confirm_statement(
        &self,
        ctx: &Context<'_>,
        input: ConfirmStatementInput,
    ) -> Result<Option<ConfirmStatementPayload>> {
        let answered = confirm(slice(ctx)?, &input).await?;
        Ok(Some(ConfirmStatementPayload {
            statement: current(&answered).await?,
            replayed: answered.replayed,
            user_errors: user_errors(answered.answer.refusals),
        }))
    }
}

/// The statement that an answered act is about, as it is now.
pub async fn current(answered: &Answered<statement::Model>) -> Result<Option<Statement>> {
    let row = match (&answered.fresh, answered.answer.result.as_deref().and_then(key_of::<StatementId>)) {
        (Some(fresh), _) => Some(fresh.clone()),
        (None, Some(id)) => {
            let by_id = statement::Column::Id.eq(id);
            answered.slice.select::<statement::Entity>()?.only(by_id).one().await?
        }
        (None, None) => None,
    };
    Ok(with_totals(&answered.slice, row.into_iter().collect()).await?.pop())
}

/// Confirms under the caller's key.
pub async fn confirm(slice: &Slice, input: &ConfirmStatementInput) -> Result<Answered<statement::Model>> {
    let intent = Intent {
        scope: Scope::StatementConfirm,
        mutation: "confirmStatement",
        key: &input.key.0,
        input: input.to_value(),
        operator: operator::stated(input.operator.as_ref()),
    };
    slice.act(intent, input, |act, input| agree(act, input).boxed()).await
}

/// Tells the partner and the fund's owner of a statement.
pub async fn tell(act: &mut Act, row: &statement::Model, kind: &'static str) -> Result<()> {
    let reference = act.slice().directory().reference().await?;
    let owners = reference.owners_of(row.fund);
    act.tell(kind, type_id(row.id), std::iter::once(row.partner_id).chain(owners));
    Ok(())
}

async fn agree(act: &mut Act, input: &ConfirmStatementInput) -> Result<Outcome<statement::Model>> {
    let mut refusals = operator::check(input.operator.as_ref());
    let month = input.month.0.as_str();
    if month >= month_of(act.now()).as_str() {
        refusals.push(Refusal::new(Reason::MonthNotOver { month: month.to_owned() }, &["month"]));
        return Outcome::refused(refusals);
    }
    let which = own(act.slice(), month, fund_of(act.slice(), input.fund));
    let Some(row) = act.hold_statement(which).await? else {
        refusals.push(Refusal::new(Reason::NotFound, &["month"]));
        return Outcome::refused(refusals);
    };
    if row.status != StatementStatus::Open {
        refusals.push(Refusal::new(Reason::AlreadyConfirmed, &["month"]));
        return Outcome::refused(refusals);
    }
    let earlier = act.open_before(&row).await?;
    let sums = act.totals(earlier.iter().chain([&row]).map(|statement| statement.id).collect()).await?;
    let totals_of = |statement: &statement::Model| sums.get(&statement.id).copied().unwrap_or_default();
    for statement in earlier {
        if net(&totals_of(&statement))? < Fen::ZERO {
            refusals.push(Refusal::new(Reason::EarlierBelowZero { month: statement.month }, &["month"]));
            return Outcome::refused(refusals);
        }
    }
    let mut totals = totals_of(&row);
    let due = net(&totals)?;
    if input.net.0 != due.max(Fen::ZERO) {
        refusals.push(Refusal::new(Reason::NetDiffers { stated: input.net.0, net: due }, &["net"]));
    }
    if !refusals.is_empty() {
        return Outcome::refused(refusals);
    }
    act.changes::<statement::Entity>(&row);
    if due < Fen::ZERO {
        let beyond = || Error::internal("a statement beyond 64 bits of fen");
        let lacking = due.negated().ok_or_else(beyond)?;
        carries::carried(act, &row, lacking).await?;
        totals = totals.with_carried(lacking).ok_or_else(beyond)?;
    }
    let confirmed = act
        .set_if::<statement::Entity>(
            [
                (statement::Column::Status, Expr::value(StatementStatus::Confirmed)),
                (statement::Column::Count, Expr::value(totals.count)),
                (statement::Column::Gross, Expr::value(totals.gross)),
                (statement::Column::Reversed, Expr::value(totals.reversed)),
                (statement::Column::ConfirmedAt, Expr::value(act.now())),
            ],
            statement::Column::Id.eq(row.id),
        )
        .await?
        .pop()
        .ok_or_else(|| Error::internal("a held statement changed"))?;
    tell(act, &confirmed, "statement.confirmed").await?;
    Ok(Outcome::Done(type_id(confirmed.id), confirmed))
}
