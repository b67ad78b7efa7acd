use async_graphql::{Context, ID, InputObject, InputType, Object, SimpleObject};
use chrono::{DateTime, Utc};
use entity::id::{RedemptionId, RefundId};
use entity::kinds::{RedemptionStatus, Scope};
use entity::{Fen, aid_card, redemption, refund};
use futures_util::FutureExt;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, Condition};

use super::operator::{self, OperatorInput};
use super::redeem_aid_card::{Redeemed, card_of, find, tell};
use super::reverse_settlement::LONGEST_REASON;
use crate::access::{Act, Answered, Intent, Outcome, Slice};
use crate::error::{Error, Result};
use crate::graph::aid_card::AidCard;
use crate::graph::redemption::Redemption;
use crate::graph::scalars::{IdempotencyKey, Money};
use crate::graph::slice;
use crate::graph::text::check_text;
use crate::graph::user_error::{UserError, user_errors};
use crate::ledger::cards;
use crate::page::{key_of, type_id};
use crate::refusal::{Reason, Refusal};

#[derive(InputObject)]
pub struct RefundRedemptionInput {
    pub key: IdempotencyKey,
    pub redemption_id: ID,
    /// All of what is left when absent. Goes back to the card, or to the one that replaced it; from an expired or cancelled card
    /// to its fund.
    pub amount: Option<Money>,
    pub reason: String,
    pub operator: Option<OperatorInput>,
}

#[derive(SimpleObject)]
pub struct RefundRedemptionPayload {
    redemption: Option<Redemption>,
    /// The card that was redeemed, as it is now; null with `userErrors`.
    card: Option<AidCard>,
    /// Signed proof of what was done: a compact JWS, verified with the keys at `/.well-known/jwks.json`. The same for ever under this
    /// key; null with `userErrors`.
    receipt: Option<String>,
    /// True when this key was answered before: same answer, nothing done twice.
    replayed: bool,
    user_errors: Vec<UserError>,
}

#[derive(Default)]
pub struct RefundRedemption;

#[Object]
impl RefundRedemption {
    /// Give back all or part of a redemption (退款).
    async fn refund_redemption(
        &self,
        ctx: &Context<'_>,
        input: RefundRedemptionInput,
    ) -> Result<Option<RefundRedemptionPayload>> {
        let answered = refund(slice(ctx)?, &input).await?;
        let rows = match &answered.answer.result {
            Some(_) => match answered.fresh {
                Some((redemption, Some(card))) => Some((redemption, card)),
                Some((redemption, None)) => with_card(&answered.slice, redemption).await?,
                None => match key_of::<RedemptionId>(&input.redemption_id) {
                    Some(id) => find(&answered.slice, id).await?,
                    None => None,
                },
            },
            None => None,
        };
        let (redemption, card) = rows.unzip();
        Ok(Some(RefundRedemptionPayload {
            redemption: redemption.map(Redemption::one),
            card: card.map(AidCard),
            receipt: answered.answer.receipt,
            replayed: answered.replayed,
            user_errors: user_errors(answered.answer.refusals),
        }))
    }
}

async fn with_card(slice: &Slice, redemption: redemption::Model) -> Result<Option<Redeemed>> {
    let card = card_of(slice, &redemption).await?;
    Ok(card.map(|card| (redemption, card)))
}

/// A redemption after a refund, with its card as it now is; without, when another card or the fund was credited.
pub type Refunded = (redemption::Model, Option<aid_card::Model>);

/// Refunds a redemption under the caller's key.
pub async fn refund(slice: &Slice, input: &RefundRedemptionInput) -> Result<Answered<Refunded>> {
    let intent = Intent {
        scope: Scope::CardRedeem,
        mutation: "refundRedemption",
        key: &input.key.0,
        input: input.to_value(),
        operator: operator::stated(input.operator.as_ref()),
    };
    slice.act(intent, input, |act, input| give(act, input).boxed()).await
}

async fn give(act: &mut Act, input: &RefundRedemptionInput) -> Result<Outcome<Refunded>> {
    let mut refusals = operator::check(input.operator.as_ref());
    refusals.extend(check_text(&input.reason, LONGEST_REASON, "reason"));
    if input.amount.as_ref().is_some_and(|amount| !amount.0.is_positive()) {
        refusals.push(Refusal::new(Reason::AmountNotPositive, &["amount"]));
    }
    let Some(row) = held(act, key_of(&input.redemption_id)).await? else {
        refusals.push(Refusal::new(Reason::NotFound, &["redemptionId"]));
        return Outcome::refused(refusals);
    };
    let left = row.amount.less(row.refunded);
    let amount = input.amount.as_ref().map_or(left, |amount| amount.0);
    if amount > left || left == Fen::ZERO {
        refusals.push(Refusal::new(Reason::RefundExceedsRedemption { left }, &["amount"]));
    }
    if !refusals.is_empty() {
        return Outcome::refused(refusals);
    }
    match give_back(act, &row, amount, &input.reason, row.voided_at).await? {
        Some((refunded, refund)) => Ok(Outcome::Done(type_id(refund.id), refunded)),
        // The refund that is there is this very key's, and its stored answer is given.
        None => Outcome::refused(vec![Refusal::new(Reason::KeyReused, &["key"])]),
    }
}

/// A redemption of the viewer's, held until the act ends.
pub async fn held(act: &mut Act, id: Option<RedemptionId>) -> Result<Option<redemption::Model>> {
    let Some(id) = id else { return Ok(None) };
    let row = act.select::<redemption::Entity>()?.only(redemption::Column::Id.eq(id)).locked().one().await?;
    if let Some(row) = &row {
        act.follows(row.refunded_at.unwrap_or(row.redeemed_at));
    }
    Ok(row)
}

/// Gives an amount back that is known to be left, voiding the sale with it or not; the redemption is held. Nothing when the key
/// gave something back before.
pub async fn give_back(
    act: &mut Act,
    row: &redemption::Model,
    amount: Fen,
    reason: &str,
    voided_at: Option<DateTime<Utc>>,
) -> Result<Option<(Refunded, refund::Model)>> {
    let refunded =
        row.refunded.checked_add(amount).ok_or_else(|| Error::internal("a refund beyond 64 bits"))?;
    let redemption = set_refunded(act, row, refunded, voided_at).await?;
    let card = act.put_back(row, amount).await?;
    let id = act.new_id::<RefundId>();
    let refund = refund::Model {
        id,
        redemption_id: row.id,
        supermarket_id: row.supermarket_id,
        operation_key: act.key().to_owned(),
        amount,
        credited_card_id: card.as_ref().map(|card| card.id),
        reason_sealed: act.slice().keys().seal(refund::Column::ReasonSealed, id, reason)?,
        refunded_at: act.now(),
        voided_at: None,
    };
    let card = card.filter(|card| card.id == row.aid_card_id);
    if !act.insert_if_new::<refund::Entity>(&refund).await? {
        return Ok(None);
    }
    cards::refunded(act, row, &refund).await?;
    tell(act, row, if voided_at.is_some() { "redemption.voided" } else { "redemption.refunded" }).await?;
    Ok(Some(((redemption, card), refund)))
}

/// Writes what is refunded of a redemption, with the status that follows from it.
pub async fn set_refunded(
    act: &mut Act,
    row: &redemption::Model,
    refunded: Fen,
    voided_at: Option<DateTime<Utc>>,
) -> Result<redemption::Model> {
    let status = match refunded {
        Fen::ZERO => RedemptionStatus::Redeemed,
        all if all == row.amount => RedemptionStatus::Refunded,
        _ => RedemptionStatus::PartlyRefunded,
    };
    let unchanged = Condition::all()
        .add(redemption::Column::Id.eq(row.id))
        .add(Expr::col(redemption::Column::Refunded).eq(row.refunded));
    act.changes::<redemption::Entity>(row);
    act.set_if::<redemption::Entity>(
        [
            (redemption::Column::Refunded, Expr::value(refunded)),
            (redemption::Column::Status, Expr::value(status)),
            (redemption::Column::VoidedAt, Expr::value(voided_at)),
            (redemption::Column::RefundedAt, Expr::value(act.now())),
        ],
        unchanged,
    )
    .await?
    .pop()
    .ok_or_else(|| Error::internal("a held redemption changed"))
}
