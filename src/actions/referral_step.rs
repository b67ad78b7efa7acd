//! What all steps of a referral share: the table of edges decides, one conditional update does it, an event tells it.

use async_graphql::{ID, InputObject, SimpleObject, Value};
use entity::id::{ReferralEventId, ReferralId};
use entity::kinds::{ReferralStatus, Scope};
use entity::{Fen, referral, referral_event, referral_party};
use futures_util::FutureExt;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition};

use super::operator::{self, OperatorInput};
use crate::access::{Act, Answered, Intent, Outcome, ReferralRow, Slice};
use crate::error::{Error, Result};
use crate::graph::referral::{Referral, by_id};
use crate::graph::scalars::IdempotencyKey;
use crate::graph::text::{Number, check_number, check_text};
use crate::graph::user_error::{UserError, user_errors};
use crate::page::{key_of, type_id};
use crate::refusal::{Reason, Refusal};
use crate::rules::referral::{may, status_at};

/// Most characters of a note, a reason or an outcome.
pub const LONGEST_NOTE: usize = 1000;
/// Most characters of a side's own number.
pub const LONGEST_REFERENCE: usize = 64;

#[derive(InputObject)]
pub struct ReferralStepInput {
    pub key: IdempotencyKey,
    pub referral_id: ID,
    pub note: Option<String>,
    /// Replaces the viewer's own number for it.
    pub external_reference: Option<Number>,
    pub operator: Option<OperatorInput>,
}

#[derive(InputObject)]
pub struct ReferralReasonInput {
    pub key: IdempotencyKey,
    pub referral_id: ID,
    pub reason: String,
    pub operator: Option<OperatorInput>,
}

#[derive(SimpleObject)]
pub struct ReferralPayload {
    /// As it is now; null with `userErrors`.
    referral: Option<Referral>,
    /// True when this key was answered before: same answer, nothing done twice.
    replayed: bool,
    user_errors: Vec<UserError>,
}

/// One step, whichever mutation asked for it.
pub struct Step<'a> {
    pub to: ReferralStatus,
    pub note: Option<&'a str>,
    pub external_reference: Option<&'a Number>,
    pub amount_granted: Option<Fen>,
}

impl Step<'_> {
    pub fn to(to: ReferralStatus) -> Self {
        Self { to, note: None, external_reference: None, amount_granted: None }
    }
}

/// A step as a mutation asks for it.
pub struct Request<'a> {
    pub mutation: &'static str,
    pub key: &'a IdempotencyKey,
    pub referral_id: &'a ID,
    pub input: Value,
    /// The name of the input's text, which must not be blank.
    pub required: Option<(&'static str, &'a str)>,
    pub step: Step<'a>,
    pub operator: Option<&'a OperatorInput>,
}

impl<'a> Request<'a> {
    /// For the mutations that take a note.
    pub fn noted(mutation: &'static str, input: &'a ReferralStepInput, to: ReferralStatus) -> Self {
        Self {
            mutation,
            key: &input.key,
            referral_id: &input.referral_id,
            input: async_graphql::InputType::to_value(input),
            required: None,
            step: Step {
                note: input.note.as_deref(),
                external_reference: input.external_reference.as_ref(),
                ..Step::to(to)
            },
            operator: input.operator.as_ref(),
        }
    }

    /// For the mutations that take a reason.
    pub fn reasoned(mutation: &'static str, input: &'a ReferralReasonInput, to: ReferralStatus) -> Self {
        Self {
            mutation,
            key: &input.key,
            referral_id: &input.referral_id,
            input: async_graphql::InputType::to_value(input),
            required: Some(("reason", &input.reason)),
            step: Step { note: Some(&input.reason), ..Step::to(to) },
            operator: input.operator.as_ref(),
        }
    }
}

/// Runs a step under the caller's key, for its mutation.
pub async fn run(slice: &Slice, request: Request<'_>) -> Result<Option<ReferralPayload>> {
    payload(run_step(slice, &request).await?).await
}

/// Runs a step under the caller's key.
pub async fn run_step(slice: &Slice, request: &Request<'_>) -> Result<Answered<ReferralRow>> {
    let intent = Intent {
        scope: Scope::ReferralWrite,
        mutation: request.mutation,
        key: &request.key.0,
        input: request.input.clone(),
        operator: operator::stated(request.operator),
    };
    slice.act(intent, request, |act, request| step(act, request).boxed()).await
}

/// The payload of an answered act on a referral.
pub async fn payload(answered: Answered<ReferralRow>) -> Result<Option<ReferralPayload>> {
    let row = match (answered.fresh, answered.answer.result.as_deref().and_then(key_of)) {
        (Some(fresh), _) => Some(fresh),
        (None, Some(id)) => answered.slice.referral(by_id(id)).await?,
        (None, None) => None,
    };
    Ok(Some(ReferralPayload {
        referral: row.map(Referral::one),
        replayed: answered.replayed,
        user_errors: user_errors(answered.answer.refusals),
    }))
}

async fn step(act: &mut Act, request: &Request<'_>) -> Result<Outcome<ReferralRow>> {
    let step = &request.step;
    let mut refusals = operator::check(request.operator);
    match request.required {
        Some((field, text)) => refusals.extend(check_text(text, LONGEST_NOTE, field)),
        None => refusals.extend(step.note.and_then(|note| check_text(note, LONGEST_NOTE, "note"))),
    }
    refusals.extend(
        step.external_reference
            .and_then(|number| check_number(number, LONGEST_REFERENCE, "externalReference")),
    );
    let row = match key_of::<ReferralId>(request.referral_id) {
        Some(id) => act.referral(by_id(id)).await?,
        None => None,
    };
    let Some(row) = row else {
        refusals.push(Refusal::new(Reason::NotFound, &["referralId"]));
        return Outcome::refused(refusals);
    };
    if let Err(reason) = judge(act, &row, step.to) {
        refusals.push(Refusal::new(reason, &["referralId"]));
    }
    if !refusals.is_empty() {
        return Outcome::refused(refusals);
    }
    match take(act, row, step).await? {
        Ok(row) => Ok(Outcome::Done(type_id(row.referral.id), row)),
        Err(reason) => Outcome::refused(vec![Refusal::new(reason, &["referralId"])]),
    }
}

fn judge(act: &Act, row: &ReferralRow, to: ReferralStatus) -> std::result::Result<(), Reason> {
    let from = status_at(row.referral.status, row.referral.due_at, act.now());
    if may(from, to, row.party.side) { Ok(()) } else { Err(Reason::IllegalTransition { from, to }) }
}

/// Takes a step on a referral that the viewer sees; the reason when its state, or somebody who came first, forbids it.
pub async fn take(
    act: &mut Act,
    row: ReferralRow,
    step: &Step<'_>,
) -> Result<std::result::Result<ReferralRow, Reason>> {
    if let Err(reason) = judge(act, &row, step.to) {
        return Ok(Err(reason));
    }
    act.follows(row.referral.updated_at);
    let Some(changed) = change(act, &row, step).await? else {
        let from = row.referral.status;
        let now = act.referral(by_id(row.referral.id)).await?.map_or(from, |row| row.referral.status);
        return Ok(Err(Reason::IllegalTransition { from: now, to: step.to }));
    };
    let mut party = row.party;
    if let Some(reference) = step.external_reference {
        let own = Condition::all()
            .add(referral_party::Column::ReferralId.eq(changed.id))
            .add(referral_party::Column::PartnerId.eq(party.partner_id));
        let set = [(referral_party::Column::ExternalReference, Expr::value(reference.as_str()))];
        party = act
            .set_if::<referral_party::Entity>(set, own)
            .await?
            .pop()
            .ok_or_else(|| Error::internal("a party row is gone"))?;
    }
    let id = act.new_id::<ReferralEventId>();
    let event = referral_event::Model {
        id,
        referral_id: changed.id,
        at: act.now(),
        status: step.to,
        actor_id: act.slice().viewer().partner_id(),
        note_sealed: act.slice().keys().seal_some(referral_event::Column::NoteSealed, id, step.note)?,
    };
    act.insert::<referral_event::Entity>(&event).await?;
    tell(act, &changed).await?;
    Ok(Ok(ReferralRow { referral: changed, party, ..row }))
}

/// Tells both sides and the bureaus of the step that a referral took.
pub async fn tell(act: &mut Act, row: &referral::Model) -> Result<()> {
    let kind = match row.status {
        ReferralStatus::Requested => "referral.requested",
        ReferralStatus::Accepted => "referral.accepted",
        ReferralStatus::InProgress => "referral.started",
        ReferralStatus::OnHold => "referral.held",
        ReferralStatus::Completed => "referral.completed",
        ReferralStatus::Declined => "referral.declined",
        ReferralStatus::Failed => "referral.failed",
        ReferralStatus::Cancelled => "referral.cancelled",
        ReferralStatus::Expired => "referral.expired",
    };
    let reference = act.slice().directory().reference().await?;
    let bureaus = reference.bureaus().map(|bureau| bureau.id);
    act.tell(kind, type_id(row.id), [row.sender_id, row.receiver_id].into_iter().chain(bureaus));
    Ok(())
}

/// The one conditional update: nothing when the referral is no longer as it was read.
async fn change(act: &mut Act, row: &ReferralRow, step: &Step<'_>) -> Result<Option<referral::Model>> {
    let as_read = Condition::all()
        .add(referral::Column::Id.eq(row.referral.id))
        .add(referral::Column::Status.eq(row.referral.status));
    let mut set = vec![
        (referral::Column::Status, Expr::value(step.to)),
        (referral::Column::UpdatedAt, Expr::value(act.now())),
    ];
    if step.to == ReferralStatus::Completed {
        let keys = act.slice().keys();
        let outcome = keys.seal_some(referral::Column::OutcomeSealed, row.referral.id, step.note)?;
        set.push((referral::Column::OutcomeSealed, Expr::value(outcome)));
        set.push((referral::Column::AmountGranted, Expr::value(step.amount_granted)));
    }
    act.changes::<referral::Entity>(&row.referral);
    Ok(act.set_if::<referral::Entity>(set, as_read).await?.pop())
}
