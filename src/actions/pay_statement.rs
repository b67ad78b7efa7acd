use async_graphql::{Context, ID, InputObject, InputType, Object, SimpleObject};
use entity::id::StatementId;
use entity::kinds::{Scope, StatementStatus};
use entity::statement;
use futures_util::FutureExt;
use sea_orm::ColumnTrait;
use sea_orm::sea_query::{Expr, IntoCondition};

use super::confirm_statement::{current, tell};
use super::operator::{self, OperatorInput};
use crate::access::{Act, Answered, Intent, Outcome, Slice, Totals, policy};
use crate::error::{Error, Result};
use crate::graph::scalars::IdempotencyKey;
use crate::graph::slice;
use crate::graph::statement::{Statement, net};
use crate::graph::text::{Number, check_number};
use crate::graph::user_error::{UserError, user_errors};
use crate::ledger::payments;
use crate::page::{key_of, type_id};
use crate::refusal::{Reason, Refusal};

const LONGEST_REFERENCE: usize = 64;

#[derive(InputObject)]
pub struct PayStatementInput {
    pub key: IdempotencyKey,
    pub statement_id: ID,
    /// The bank's number of the payment.
    pub bank_reference: Number,
    pub operator: Option<OperatorInput>,
}

#[derive(SimpleObject)]
pub struct PayStatementPayload {
    statement: Option<Statement>,
    /// Signed proof of what was done: a compact JWS, verified with the keys at `/.well-known/jwks.json`. The same for ever under this
    /// key; null with `userErrors`.
    receipt: Option<String>,
    /// True when this key was answered before: same answer, nothing done twice.
    replayed: bool,
    user_errors: Vec<UserError>,
}

#[derive(Default)]
pub struct PayStatement;

#[Object]
impl PayStatement {
    /// The owner of a fund (the bureau for fiscal money, the charity federation for charity money): record that a confirmed
    /// statement was paid (清算), once.
    async fn pay_statement(
        &self,
        ctx: &Context<'_>,
        input: PayStatementInput,
    ) -> Result<Option<PayStatementPayload>> {
        let answered = pay(slice(ctx)?, &input).await?;
        Ok(Some(PayStatementPayload {
            statement: current(&answered).await?,
            receipt: answered.answer.receipt,
            replayed: answered.replayed,
            user_errors: user_errors(answered.answer.refusals),
        }))
    }
}

/// Pays under the caller's key.
pub async fn pay(slice: &Slice, input: &PayStatementInput) -> Result<Answered<statement::Model>> {
    let intent = Intent {
        scope: Scope::StatementPay,
        mutation: "payStatement",
        key: &input.key.0,
        input: input.to_value(),
        operator: operator::stated(input.operator.as_ref()),
    };
    slice.act(intent, input, |act, input| record(act, input).boxed()).await
}

async fn record(act: &mut Act, input: &PayStatementInput) -> Result<Outcome<statement::Model>> {
    let mut refusals = operator::check(input.operator.as_ref());
    refusals.extend(check_number(&input.bank_reference, LONGEST_REFERENCE, "bankReference"));
    let found = match key_of::<StatementId>(&input.statement_id) {
        Some(id) => act.hold_statement(statement::Column::Id.eq(id).into_condition()).await?,
        None => None,
    };
    let own = found.filter(|row| policy::owns(act.slice().viewer().partner(), row.fund));
    let Some(row) = own else {
        refusals.push(Refusal::new(Reason::NotFound, &["statementId"]));
        return Outcome::refused(refusals);
    };
    match row.status {
        StatementStatus::Open => refusals.push(Refusal::new(Reason::NotConfirmed, &["statementId"])),
        StatementStatus::Paid => refusals.push(Refusal::new(Reason::AlreadyPaid, &["statementId"])),
        StatementStatus::Confirmed => {}
    }
    if !refusals.is_empty() {
        return Outcome::refused(refusals);
    }
    let (Some(count), Some(gross), Some(reversed)) = (row.count, row.gross, row.reversed) else {
        return Err(Error::internal("a confirmed statement without totals"));
    };
    let due = net(&Totals { count, gross, reversed })?;
    act.changes::<statement::Entity>(&row);
    row.confirmed_at.into_iter().for_each(|confirmed_at| act.follows(confirmed_at));
    let paid = act
        .set_if::<statement::Entity>(
            [
                (statement::Column::Status, Expr::value(StatementStatus::Paid)),
                (statement::Column::PaidAt, Expr::value(act.now())),
                (statement::Column::BankReference, Expr::value(input.bank_reference.as_str())),
            ],
            statement::Column::Id.eq(row.id),
        )
        .await?
        .pop()
        .ok_or_else(|| Error::internal("a held statement changed"))?;
    tell(act, &paid, "statement.paid").await?;
    payments::paid(act, &paid, due, input.bank_reference.as_str())?;
    Ok(Outcome::Done(type_id(paid.id), paid))
}
