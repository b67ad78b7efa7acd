use async_graphql::{Context, InputObject, InputType, Object, SimpleObject};
use entity::id::{OperationId, RedemptionId, ReferralId, RefundId, SettlementId};
use entity::kinds::{OperationStatus, ReferralStatus, Scope, SettlementStatus};
use entity::{operation, refund, settlement};
use futures_util::FutureExt;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition};

use super::referral_step::{self, Step};
use super::reverse_settlement::LONGEST_REASON;
use super::{redeem_aid_card, refund_redemption, reverse_settlement};
use crate::access::{Act, Answer, Intent, Outcome, may_hold, read_answer};
use crate::error::{Error, Result};
use crate::graph::operation::Operation;
use crate::graph::referral::by_id;
use crate::graph::scalars::IdempotencyKey;
use crate::graph::slice;
use crate::graph::text::check_text;
use crate::graph::user_error::{UserError, user_errors};
use crate::ledger::cards;
use crate::page::key_of;
use crate::refusal::{Reason, Refusal};

#[derive(InputObject)]
pub struct VoidOperationInput {
    key: IdempotencyKey,
    /// The key of the request to undo.
    operation_key: IdempotencyKey,
    reason: String,
}

#[derive(SimpleObject)]
pub struct VoidOperationPayload {
    /// The request that was undone or blocked.
    operation: Option<Operation>,
    /// Signed proof of the money that the void moved: a compact JWS, verified with the keys at `/.well-known/jwks.json`. The same for
    /// ever under this key; null when it moved none.
    receipt: Option<String>,
    /// True when this key was answered before: same answer, nothing done twice.
    replayed: bool,
    user_errors: Vec<UserError>,
}

#[derive(Default)]
pub struct VoidOperation;

#[Object]
impl VoidOperation {
    /// Undo a request whose outcome is unknown (冲正): executed, it is reversed; not yet arrived, its key is blocked. In whatever
    /// order they come, afterwards the original key answers KEY_VOIDED for ever. It takes the scope that the original takes.
    /// `settle`, `redeemAidCard`, `refundRedemption`, `requestReferral` can be voided; others NOT_VOIDABLE.
    async fn void_operation(
        &self,
        ctx: &Context<'_>,
        input: VoidOperationInput,
    ) -> Result<Option<VoidOperationPayload>> {
        let slice = slice(ctx)?;
        let viewer = slice.viewer();
        let able = VOIDABLE.iter().map(|(_, scope)| *scope).filter(|scope| may_hold(viewer.kind(), *scope));
        let scope = able.clone().find(|scope| viewer.has(*scope)).or_else(|| able.clone().next());
        let intent = Intent {
            scope: scope.unwrap_or(Scope::SettlementWrite),
            mutation: "voidOperation",
            key: &input.key.0,
            input: input.to_value(),
            operator: None,
        };
        let answered = slice.act(intent, &input, |act, input| void(act, input).boxed()).await?;
        let operation = match (answered.fresh, &answered.answer.result) {
            (Some(fresh), _) => Some(fresh),
            (None, Some(_)) => slice.operation(&input.operation_key.0).await?,
            (None, None) => None,
        };
        Ok(Some(VoidOperationPayload {
            operation: operation.map(Operation),
            receipt: answered.answer.receipt,
            replayed: answered.replayed,
            user_errors: user_errors(answered.answer.refusals),
        }))
    }
}

/// What can be voided, and the scope that it takes.
const VOIDABLE: [(&str, Scope); 4] = [
    ("settle", Scope::SettlementWrite),
    ("redeemAidCard", Scope::CardRedeem),
    ("refundRedemption", Scope::CardRedeem),
    ("requestReferral", Scope::ReferralWrite),
];

/// The mutation of a key that was blocked before its request came.
const UNKNOWN: &str = "unknown";

async fn void(act: &mut Act, input: &VoidOperationInput) -> Result<Outcome<operation::Model>> {
    let mut refusals: Vec<Refusal> =
        check_text(&input.reason, LONGEST_REASON, "reason").into_iter().collect();
    if input.key == input.operation_key {
        refusals.push(Refusal::new(Reason::OwnKey, &["operationKey"]));
    }
    if !refusals.is_empty() {
        return Outcome::refused(refusals);
    }
    let original = original(act, &input.operation_key.0).await?;
    if original.voided_by.is_some() {
        return Ok(Outcome::Done(original.key.clone(), original));
    }
    if !VOIDABLE.iter().any(|(mutation, _)| *mutation == original.mutation) {
        let reason = Reason::NotVoidable { mutation: original.mutation };
        return Outcome::refused(vec![Refusal::new(reason, &["operationKey"])]);
    }
    act.go_on_in(original.scope)?;
    let status = match original.status {
        OperationStatus::Succeeded => {
            if let Some(reason) = undo(act, &original, &input.reason).await? {
                return Outcome::refused(vec![Refusal::new(reason, &["operationKey"])]);
            }
            OperationStatus::Voided
        }
        refused => refused,
    };
    act.changes::<operation::Entity>(&original);
    let by_key = Condition::all()
        .add(operation::Column::Id.eq(original.id))
        .add(operation::Column::VoidedBy.is_null());
    let voided = act
        .set_if::<operation::Entity>(
            [
                (operation::Column::Status, Expr::value(status)),
                (operation::Column::VoidedBy, Expr::value(input.key.0.as_str())),
            ],
            by_key,
        )
        .await?
        .pop()
        .ok_or_else(|| Error::internal("a held request changed"))?;
    Ok(Outcome::Done(original.key, voided))
}

/// The request to undo, held until the void is done; or, when it has not arrived, the row that now blocks its key.
async fn original(act: &mut Act, key: &str) -> Result<operation::Model> {
    let by_key = operation::Column::Key.eq(key);
    if let Some(known) = act.select::<operation::Entity>()?.only(by_key.clone()).locked().one().await? {
        return Ok(known);
    }
    let answer = Answer { refusals: vec![Refusal::new(Reason::KeyVoided, &["key"])], ..Answer::default() };
    let blocked = operation::Model {
        id: act.new_id::<OperationId>(),
        partner_id: act.slice().viewer().partner_id(),
        key: key.to_owned(),
        mutation: UNKNOWN.to_owned(),
        scope: act.scope(),
        request_hash: act.slice().keys().no_request(),
        status: OperationStatus::Voided,
        answer: serde_json::to_value(answer).map_err(|error| Error::internal(error.to_string()))?,
        voided_by: Some(act.key().to_owned()),
        operator_code: None,
        operator_name: None,
        token_id: act.slice().viewer().token(),
        at: act.now(),
    };
    if act.insert_if_new::<operation::Entity>(&blocked).await? {
        return Ok(blocked);
    }
    // It arrived meanwhile, and has been answered: the insert waited for it.
    act.select::<operation::Entity>()?.only(by_key).locked().one().await?.ok_or_else(gone)
}

/// Undoes what a request did; a reason when that is no longer possible.
async fn undo(act: &mut Act, original: &operation::Model, reason: &str) -> Result<Option<Reason>> {
    let result = read_answer(original)?.result;
    let id = result.as_deref().ok_or_else(|| Error::internal("a request succeeded without a result"))?;
    match original.mutation.as_str() {
        "settle" => undo_settlement(act, id, reason).await,
        "redeemAidCard" => undo_redemption(act, id, reason).await,
        "refundRedemption" => undo_refund(act, id, reason).await,
        "requestReferral" => undo_request(act, id, reason).await,
        other => Err(Error::internal(format!("{other} is voidable but has no undoing"))),
    }
}

fn gone() -> Error {
    Error::internal("the result of a request is not there")
}

async fn undo_settlement(act: &mut Act, id: &str, reason: &str) -> Result<Option<Reason>> {
    let id = key_of::<SettlementId>(id).ok_or_else(gone)?;
    let row = act.select::<settlement::Entity>()?.only(settlement::Column::Id.eq(id)).one().await?;
    let row = row.ok_or_else(gone)?;
    if row.status == SettlementStatus::Settled {
        reverse_settlement::undo(act, &row, reason).await?;
    }
    Ok(None)
}

async fn undo_redemption(act: &mut Act, id: &str, reason: &str) -> Result<Option<Reason>> {
    let row = refund_redemption::held(act, key_of::<RedemptionId>(id)).await?.ok_or_else(gone)?;
    let left = row.amount.less(row.refunded);
    let now = Some(act.now());
    if left.is_positive() {
        let given = refund_redemption::give_back(act, &row, left, reason, now).await?;
        return Ok(given.is_none().then_some(Reason::KeyReused));
    }
    refund_redemption::set_refunded(act, &row, row.refunded, now).await?;
    Ok(None)
}

async fn undo_refund(act: &mut Act, id: &str, reason: &str) -> Result<Option<Reason>> {
    let id = key_of::<RefundId>(id).ok_or_else(gone)?;
    let of = |id: RefundId| refund::Column::Id.eq(id);
    let refund = act.select::<refund::Entity>()?.only(of(id)).one().await?.ok_or_else(gone)?;
    let row = refund_redemption::held(act, Some(refund.redemption_id)).await?.ok_or_else(gone)?;
    act.set_if::<refund::Entity>([(refund::Column::VoidedAt, Expr::value(act.now()))], of(id)).await?;
    if row.voided_at.is_some() {
        // Nothing of the sale stands, so what the refund gave back stays back; the void accounts for it from now on.
        let id = act.new_id::<RefundId>();
        let instead = refund::Model {
            id,
            operation_key: act.key().to_owned(),
            reason_sealed: act.slice().keys().seal(refund::Column::ReasonSealed, id, reason)?,
            refunded_at: act.now(),
            ..refund
        };
        let new = act.insert_if_new::<refund::Entity>(&instead).await?;
        return Ok((!new).then_some(Reason::KeyReused));
    }
    if let Some(card) = refund.credited_card_id
        && !act.take_again(card, refund.amount).await?
    {
        return Ok(Some(Reason::RefundSpent));
    }
    refund_redemption::set_refunded(act, &row, row.refunded.less(refund.amount), None).await?;
    cards::refund_undone(act, &row, &refund).await?;
    redeem_aid_card::tell(act, &row, "redemption.refund_voided").await?;
    Ok(None)
}

async fn undo_request(act: &mut Act, id: &str, reason: &str) -> Result<Option<Reason>> {
    let id = key_of::<ReferralId>(id).ok_or_else(gone)?;
    let row = act.referral(by_id(id)).await?.ok_or_else(gone)?;
    if row.referral.status == ReferralStatus::Cancelled {
        return Ok(None);
    }
    let step = Step { note: Some(reason), ..Step::to(ReferralStatus::Cancelled) };
    match referral_step::take(act, row, &step).await? {
        Ok(_) => Ok(None),
        Err(reason) => Ok(Some(reason)),
    }
}
