use async_graphql::{Context, ID, InputObject, InputType, Object, SimpleObject};
use entity::id::SettlementId;
use entity::kinds::{Scope, SettlementStatus};
use entity::settlement;
use futures_util::FutureExt;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition};

use super::operator::{self, OperatorInput};
use super::settle::{find, tell};
use crate::access::{Act, Intent, Outcome};
use crate::error::Result;
use crate::graph::scalars::IdempotencyKey;
use crate::graph::settlement::Settlement;
use crate::graph::slice;
use crate::graph::text::check_text;
use crate::graph::user_error::{UserError, user_errors};
use crate::ledger::settlements;
use crate::page::{key_of, type_id};
use crate::refusal::{Reason, Refusal};

/// Most characters of a reason.
pub const LONGEST_REASON: usize = 500;

#[derive(InputObject)]
pub struct ReverseSettlementInput {
    key: IdempotencyKey,
    settlement_id: ID,
    reason: String,
    operator: Option<OperatorInput>,
}

#[derive(SimpleObject)]
pub struct ReverseSettlementPayload {
    settlement: Option<Settlement>,
    /// Signed proof of what was done: a compact JWS, verified with the keys at `/.well-known/jwks.json`. The same for ever under this
    /// key; null with `userErrors`.
    receipt: Option<String>,
    /// True when this key was answered before: same answer, nothing done twice.
    replayed: bool,
    user_errors: Vec<UserError>,
}

#[derive(Default)]
pub struct ReverseSettlement;

#[Object]
impl ReverseSettlement {
    /// Take a settlement back, whole (结算撤销). Restores deductible and cap. Later stays that the cap had cut are marked
    /// `recalculationDue`.
    async fn reverse_settlement(
        &self,
        ctx: &Context<'_>,
        input: ReverseSettlementInput,
    ) -> Result<Option<ReverseSettlementPayload>> {
        let slice = slice(ctx)?;
        let intent = Intent {
            scope: Scope::SettlementWrite,
            mutation: "reverseSettlement",
            key: &input.key.0,
            input: input.to_value(),
            operator: operator::stated(input.operator.as_ref()),
        };
        let answered = slice.act(intent, &input, |act, input| reverse(act, input).boxed()).await?;
        let settlement = match (answered.fresh, answered.answer.result.as_deref().and_then(key_of)) {
            (Some(fresh), _) => Some(fresh),
            (None, Some(id)) => find(&answered.slice, id).await?,
            (None, None) => None,
        };
        Ok(Some(ReverseSettlementPayload {
            settlement: settlement.map(Settlement::one),
            receipt: answered.answer.receipt,
            replayed: answered.replayed,
            user_errors: user_errors(answered.answer.refusals),
        }))
    }
}

async fn reverse(act: &mut Act, input: &ReverseSettlementInput) -> Result<Outcome<settlement::Model>> {
    let mut refusals = operator::check(input.operator.as_ref());
    refusals.extend(check_text(&input.reason, LONGEST_REASON, "reason"));
    let found = match key_of::<SettlementId>(&input.settlement_id) {
        Some(id) => act.select::<settlement::Entity>()?.only(settlement::Column::Id.eq(id)).one().await?,
        None => None,
    };
    match &found {
        None => refusals.push(Refusal::new(Reason::NotFound, &["settlementId"])),
        Some(row) if row.status == SettlementStatus::Reversed => {
            refusals.push(Refusal::new(Reason::AlreadyReversed, &["settlementId"]));
        }
        Some(_) => {}
    }
    let (Some(row), true) = (found, refusals.is_empty()) else { return Outcome::refused(refusals) };
    match undo(act, &row, &input.reason).await? {
        Some(reversed) => Ok(Outcome::Done(type_id(reversed.id), reversed)),
        None => Outcome::refused(vec![Refusal::new(Reason::AlreadyReversed, &["settlementId"])]),
    }
}

/// Reverses a live settlement of the viewer's; nothing when it was reversed meanwhile.
pub async fn undo(act: &mut Act, row: &settlement::Model, reason: &str) -> Result<Option<settlement::Model>> {
    act.hold_person_of(row).await?;
    act.follows(row.settled_at);
    let live = Condition::all()
        .add(settlement::Column::Id.eq(row.id))
        .add(settlement::Column::Status.eq(SettlementStatus::Settled));
    let sealed = act.slice().keys().seal(settlement::Column::ReversalReasonSealed, row.id, reason)?;
    let reversed = act
        .set_if::<settlement::Entity>(
            [
                (settlement::Column::Status, Expr::value(SettlementStatus::Reversed)),
                (settlement::Column::ReversedAt, Expr::value(act.now())),
                (settlement::Column::ReversalReasonSealed, Expr::value(sealed)),
            ],
            live,
        )
        .await?
        .pop();
    if let Some(reversed) = &reversed {
        act.changes::<settlement::Entity>(row);
        act.give_back(reversed).await?;
        tell(act, reversed, "settlement.reversed").await?;
        settlements::reversed(act, reversed).await?;
    }
    Ok(reversed)
}
