use async_graphql::{Context, InputObject, InputType, Object, SimpleObject};
use chrono::{Datelike, NaiveDate};
use entity::id::{ProgrammeId, RedemptionId};
use entity::kinds::{AidCardStatus, FundSource, RedemptionStatus, Scope};
use entity::{CardNumber, Fen, aid_card, redemption};
use futures_util::FutureExt;
use sea_orm::ColumnTrait;
use serde::Serialize;

use super::operator::{self, OperatorInput};
use crate::access::{Act, Answered, Intent, Outcome, Slice};
use crate::error::{Error, Result};
use crate::graph::aid_card::{AidCard, allowed_categories, status_on};
use crate::graph::redemption::Redemption;
use crate::graph::scalars::{IdempotencyKey, Money};
use crate::graph::text::{Number, check_number, check_text};
use crate::graph::user_error::{UserError, user_errors};
use crate::graph::{slice, words};
use crate::ledger::cards;
use crate::page::{key_of, type_id};
use crate::refusal::{Reason, Refusal};
use crate::rules::calendar::start_of_china_day;

const LONGEST_NUMBER: usize = 64;
const LONGEST_TEXT: usize = 200;

#[derive(InputObject)]
pub struct RedeemAidCardInput {
    pub key: IdempotencyKey,
    pub card_number: String,
    pub amount: Money,
    /// 小票号; unique per shop and day. Kept in one width: `ＸＰ１` is `XP1`.
    pub receipt_number: Number,
    /// Required when the card is limited to categories; lines add up to `amount`.
    pub lines: Option<Vec<GoodsLineInput>>,
    /// Who shops for a frail holder (代办人), when it is not the holder.
    pub agent_name: Option<String>,
    pub operator: Option<OperatorInput>,
}

#[derive(InputObject)]
pub struct GoodsLineInput {
    pub category: words::GoodsCategory,
    pub description: String,
    pub amount: Money,
}

/// A goods line as it is kept.
#[derive(Serialize)]
struct GoodsLine<'a> {
    category: entity::kinds::GoodsCategory,
    description: &'a str,
    amount: Fen,
}

#[derive(SimpleObject)]
pub struct RedeemAidCardPayload {
    redemption: Option<Redemption>,
    /// The card as it is now; null with `userErrors`.
    card: Option<AidCard>,
    /// Signed proof of what was done: a compact JWS, verified with the keys at `/.well-known/jwks.json`. The same for ever under this
    /// key; null with `userErrors`.
    receipt: Option<String>,
    /// True when this key was answered before: same answer, nothing done twice.
    replayed: bool,
    user_errors: Vec<UserError>,
}

#[derive(Default)]
pub struct RedeemAidCard;

#[Object]
impl RedeemAidCard {
    /// Redeem an aid card for goods (核销).
    async fn redeem_aid_card(
        &self,
        ctx: &Context<'_>,
        input: RedeemAidCardInput,
    ) -> Result<Option<RedeemAidCardPayload>> {
        let slice = slice(ctx)?;
        let answered = redeem(slice, &input).await?;
        let rows = match (answered.fresh, answered.answer.result.as_deref().and_then(key_of)) {
            (Some(fresh), _) => Some(fresh),
            (None, Some(id)) => find(&answered.slice, id).await?,
            (None, None) => None,
        };
        let (redemption, card) = rows.unzip();
        Ok(Some(RedeemAidCardPayload {
            redemption: redemption.map(Redemption::one),
            card: card.map(AidCard),
            receipt: answered.answer.receipt,
            replayed: answered.replayed,
            user_errors: user_errors(answered.answer.refusals),
        }))
    }
}

/// A redemption with its card.
pub type Redeemed = (redemption::Model, aid_card::Model);

/// One redemption of the viewer's, with its card as it is now.
pub async fn find(slice: &Slice, id: RedemptionId) -> Result<Option<Redeemed>> {
    let found = slice.select::<redemption::Entity>()?.only(redemption::Column::Id.eq(id)).one().await?;
    let Some(redemption) = found else { return Ok(None) };
    let card = card_of(slice, &redemption).await?;
    Ok(card.map(|card| (redemption, card)))
}

/// The card of a redemption of the viewer's, as it is now.
pub async fn card_of(slice: &Slice, redemption: &redemption::Model) -> Result<Option<aid_card::Model>> {
    let card = aid_card::Column::Id.eq(redemption.aid_card_id);
    slice.select::<aid_card::Entity>()?.only(card).one().await
}

/// Redeems a card under the caller's key.
pub async fn redeem(slice: &Slice, input: &RedeemAidCardInput) -> Result<Answered<Redeemed>> {
    let intent = Intent {
        scope: Scope::CardRedeem,
        mutation: "redeemAidCard",
        key: &input.key.0,
        input: input.to_value(),
        operator: operator::stated(input.operator.as_ref()),
    };
    slice.act(intent, input, |act, input| take(act, input).boxed()).await
}

/// What can be said against the input without looking at the card.
fn faults(input: &RedeemAidCardInput) -> Vec<Refusal> {
    let mut refusals = operator::check(input.operator.as_ref());
    if !input.amount.0.is_positive() {
        refusals.push(Refusal::new(Reason::AmountNotPositive, &["amount"]));
    }
    refusals.extend(check_number(&input.receipt_number, LONGEST_NUMBER, "receiptNumber"));
    refusals.extend(input.agent_name.as_deref().and_then(|name| check_text(name, LONGEST_TEXT, "agentName")));
    let Some(lines) = &input.lines else { return refusals };
    if lines.is_empty() {
        refusals.push(Refusal::new(Reason::Empty, &["lines"]));
        return refusals;
    }
    for (place, line) in lines.iter().enumerate() {
        let place = place.to_string();
        let path = ["lines", place.as_str()];
        refusals.extend(
            check_text(&line.description, LONGEST_TEXT, "description")
                .map(|refusal| path.iter().rev().fold(refusal, |refusal, step| refusal.under(step))),
        );
        if !line.amount.0.is_positive() {
            refusals.push(Refusal::new(Reason::AmountNotPositive, &["lines", &place, "amount"]));
        }
    }
    let sum = Fen::checked_sum(lines.iter().map(|line| line.amount.0));
    if sum != Some(input.amount.0) {
        let lines = sum.unwrap_or(Fen::new(i64::MAX));
        refusals.push(Refusal::new(Reason::LinesDoNotAddUp { amount: input.amount.0, lines }, &["lines"]));
    }
    refusals
}

async fn take(act: &mut Act, input: &RedeemAidCardInput) -> Result<Outcome<Redeemed>> {
    let mut refusals = faults(input);
    let Ok(number) = CardNumber::parse(&input.card_number) else {
        refusals.push(Refusal::new(Reason::CardNumberMistyped, &["cardNumber"]));
        return Outcome::refused(refusals);
    };
    let Some(card) = serving(act, input, &number, &mut refusals).await? else {
        refusals.push(Refusal::new(Reason::NotFound, &["cardNumber"]));
        return Outcome::refused(refusals);
    };
    refusals.extend(against_lines(&card, input));
    refusals.extend(without_agreement(act, card.programme_id).await?);
    if status_on(&card, act.today()) == AidCardStatus::Active {
        refusals.extend(over_limit(act, &card, input.amount.0).await?);
    }
    if !refusals.is_empty() {
        if act.receipt_used(input.receipt_number.as_str()).await? {
            refusals.push(Refusal::new(Reason::DuplicateReceipt, &["receiptNumber"]));
        }
        return Outcome::refused(refusals);
    }
    let row = row(act, input, &card)?;
    if !act.insert_if_new::<redemption::Entity>(&row).await? {
        return Outcome::refused(vec![Refusal::new(Reason::DuplicateReceipt, &["receiptNumber"])]);
    }
    cards::redeemed(act, &row, &card).await?;
    tell(act, &row, "redemption.redeemed").await?;
    Ok(Outcome::Done(type_id(row.id), (row, card)))
}

/// Tells the supermarket and the owner of the card's money of a redemption.
pub async fn tell(act: &mut Act, row: &redemption::Model, kind: &'static str) -> Result<()> {
    let reference = act.slice().directory().reference().await?;
    let owners = reference.owners_of(FundSource::Charity);
    act.tell(kind, type_id(row.id), std::iter::once(row.supermarket_id).chain(owners));
    Ok(())
}

/// The card with the amount taken from it; or as it is, with the reasons why nothing could be taken; or none of this number.
async fn serving(
    act: &mut Act,
    input: &RedeemAidCardInput,
    number: &CardNumber,
    refusals: &mut Vec<Refusal>,
) -> Result<Option<aid_card::Model>> {
    let amount = input.amount.0;
    loop {
        if refusals.is_empty()
            && let Some(taken) = act.take_from_card(number, amount).await?
        {
            return Ok(Some(taken));
        }
        let Some(card) = act.card_at_the_counter(number).await? else { return Ok(None) };
        refusals.extend(against_card(act, &card, amount));
        // Nothing against it: a refund came between the taking and the looking, so it serves by now.
        if !refusals.is_empty() {
            return Ok(Some(card));
        }
    }
}

/// Why a card does not serve today.
fn against_card(act: &Act, card: &aid_card::Model, amount: Fen) -> Vec<Refusal> {
    let state = match status_on(card, act.today()) {
        AidCardStatus::Active => None,
        AidCardStatus::Issued => Some(Reason::CardNotActivated),
        AidCardStatus::Frozen => Some(Reason::CardFrozen),
        AidCardStatus::Expired => Some(Reason::CardExpired { on: card.expires_on }),
        AidCardStatus::Cancelled => Some(Reason::CardCancelled),
        AidCardStatus::Replaced => Some(Reason::CardReplaced),
    };
    let serves = state.is_none();
    let mut refusals: Vec<Refusal> =
        state.map(|reason| Refusal::new(reason, &["cardNumber"])).into_iter().collect();
    if serves && card.balance < amount {
        let reason = Reason::InsufficientBalance { balance: card.balance };
        refusals.push(Refusal::new(reason, &["amount"]));
    }
    refusals
}

/// Goods that the card may not be spent on.
fn against_lines(card: &aid_card::Model, input: &RedeemAidCardInput) -> Vec<Refusal> {
    let Some(allowed) = allowed_categories(card) else { return Vec::new() };
    let Some(lines) = &input.lines else {
        return vec![Refusal::new(Reason::LinesRequired, &["lines"])];
    };
    lines
        .iter()
        .enumerate()
        .map(|(place, line)| (place, line.category.into()))
        .filter(|(_, category)| !allowed.contains(category))
        .map(|(place, category)| {
            Refusal::new(Reason::CategoryNotAllowed { category }, &["lines", &place.to_string(), "category"])
        })
        .collect()
}

async fn without_agreement(act: &Act, programme: ProgrammeId) -> Result<Option<Refusal>> {
    let shop = act.slice().viewer().partner_id();
    let on = act.today();
    let agreed = act.slice().directory().agreed(shop, programme, on).await?;
    Ok((!agreed).then(|| Refusal::new(Reason::NoAgreement { on }, &["cardNumber"])))
}

/// The month's limit of a card, at all shops together. A card that was taken from is held, so nothing is added meanwhile.
async fn over_limit(act: &Act, card: &aid_card::Model, amount: Fen) -> Result<Option<Refusal>> {
    let Some(limit) = card.monthly_limit else { return Ok(None) };
    let today = act.today();
    let first = NaiveDate::from_ymd_opt(today.year(), today.month(), 1).unwrap_or(today);
    let spent = act.spent_since(card, start_of_china_day(first)).await?;
    let left = limit.less(spent);
    Ok((amount > left).then(|| Refusal::new(Reason::PeriodLimitExceeded { limit, left }, &["amount"])))
}

fn row(act: &Act, input: &RedeemAidCardInput, card: &aid_card::Model) -> Result<redemption::Model> {
    let lines = input.lines.as_ref().map(|lines| {
        let kept: Vec<GoodsLine<'_>> = lines
            .iter()
            .map(|line| GoodsLine {
                category: line.category.into(),
                description: &line.description,
                amount: line.amount.0,
            })
            .collect();
        serde_json::to_value(kept).map_err(|error| Error::internal(error.to_string()))
    });
    let id = act.new_id::<RedemptionId>();
    let agent = input.agent_name.as_deref();
    Ok(redemption::Model {
        id,
        supermarket_id: act.slice().viewer().partner_id(),
        aid_card_id: card.id,
        operation_key: act.key().to_owned(),
        status: RedemptionStatus::Redeemed,
        receipt_number: input.receipt_number.as_str().to_owned(),
        receipt_day: act.today(),
        amount: input.amount.0,
        refunded: Fen::ZERO,
        balance_after: card.balance,
        card_last_four: card.last_four.clone(),
        lines: lines.transpose()?,
        agent_name_sealed: act.slice().keys().seal_some(redemption::Column::AgentNameSealed, id, agent)?,
        redeemed_at: act.now(),
        voided_at: None,
        refunded_at: None,
    })
}
