use async_graphql::{Context, InputObject, InputType, Object, SimpleObject};
use entity::consent;
use entity::id::ConsentId;
use entity::kinds::{ConsentField, Scope};
use futures_util::FutureExt;
use sea_orm::ColumnTrait;

use crate::access::{Act, Answered, Intent, Outcome, Slice};
use crate::error::Result;
use crate::graph::consent::Consent;
use crate::graph::partner::PartnerBy;
use crate::graph::scalars::{Date, IdempotencyKey};
use crate::graph::settlement_preview::PatientInput;
use crate::graph::text::check_text;
use crate::graph::user_error::{UserError, user_errors};
use crate::graph::{slice, words};
use crate::page::{key_of, type_id};
use crate::refusal::{Reason, Refusal};
use crate::rules::referral::may_refer;

const LONGEST_NAME: usize = 100;
const LONGEST_PURPOSE: usize = 500;
const LONGEST_VERSION: usize = 64;

#[derive(InputObject)]
pub struct RecordConsentInput {
    pub key: IdempotencyKey,
    pub person: PatientInput,
    /// The partner that may receive the facts.
    pub receiver: PartnerBy,
    pub fields: Vec<words::ConsentField>,
    pub purpose: String,
    /// Which wording the person agreed to.
    pub wording_version: String,
    pub given_on: Date,
}

#[derive(SimpleObject)]
pub struct ConsentPayload {
    /// As it is now; null with `userErrors`.
    consent: Option<Consent>,
    /// True when this key was answered before: same answer, nothing done twice.
    replayed: bool,
    user_errors: Vec<UserError>,
}

#[derive(Default)]
pub struct RecordConsent;

#[Object]
impl RecordConsent {
    /// Record that a person agreed that a partner may receive these facts about them, for this purpose.
    async fn record_consent(
        &self,
        ctx: &Context<'_>,
        input: RecordConsentInput,
    ) -> Result<Option<ConsentPayload>> {
        payload(record(slice(ctx)?, &input).await?).await
    }
}

/// The payload of an answered act on a consent.
pub async fn payload(answered: Answered<consent::Model>) -> Result<Option<ConsentPayload>> {
    let consent = match (answered.fresh, answered.answer.result.as_deref().and_then(key_of::<ConsentId>)) {
        (Some(fresh), _) => Some(fresh),
        (None, Some(id)) => {
            answered.slice.select::<consent::Entity>()?.only(consent::Column::Id.eq(id)).one().await?
        }
        (None, None) => None,
    };
    Ok(Some(ConsentPayload {
        consent: consent.map(Consent),
        replayed: answered.replayed,
        user_errors: user_errors(answered.answer.refusals),
    }))
}

/// Records a consent under the caller's key.
pub async fn record(slice: &Slice, input: &RecordConsentInput) -> Result<Answered<consent::Model>> {
    let intent = Intent {
        scope: Scope::ConsentWrite,
        mutation: "recordConsent",
        key: &input.key.0,
        input: input.to_value(),
        operator: None,
    };
    slice.act(intent, input, |act, input| keep(act, input).boxed()).await
}

async fn keep(act: &mut Act, input: &RecordConsentInput) -> Result<Outcome<consent::Model>> {
    let mut refusals: Vec<Refusal> = Vec::new();
    refusals
        .extend(check_text(&input.person.name, LONGEST_NAME, "name").map(|refusal| refusal.under("person")));
    refusals.extend(check_text(&input.purpose, LONGEST_PURPOSE, "purpose"));
    refusals.extend(check_text(&input.wording_version, LONGEST_VERSION, "wordingVersion"));
    if input.fields.is_empty() {
        refusals.push(Refusal::new(Reason::Empty, &["fields"]));
    }
    if input.given_on.0 > act.today() {
        refusals.push(Refusal::new(Reason::GivenInFuture { today: act.today() }, &["givenOn"]));
    }
    let recorder = act.slice().viewer();
    let receiver = input.receiver.find(act.select()?).await?;
    match &receiver {
        None => refusals.push(Refusal::new(Reason::NotFound, &["receiver"])),
        Some(found) if found.id == recorder.partner_id() || !may_refer(recorder.kind(), found.kind) => {
            refusals.push(Refusal::new(Reason::MayNotRefer { to: found.kind }, &["receiver"]));
        }
        Some(_) => {}
    }
    let (Some(receiver), true) = (receiver, refusals.is_empty()) else { return Outcome::refused(refusals) };
    let fields = words::distinct::<_, ConsentField>(input.fields.clone());
    let keys = act.slice().keys();
    let id = act.new_id::<ConsentId>();
    let row = consent::Model {
        id,
        recorder_id: act.slice().viewer().partner_id(),
        receiver_id: receiver.id,
        national_id_hash: keys.find_person(&input.person.national_id.0),
        name_sealed: keys.seal(consent::Column::NameSealed, id, &input.person.name)?,
        fields: fields.iter().map(|field| field.word()).collect::<Vec<_>>().join(" "),
        purpose: input.purpose.clone(),
        wording_version: input.wording_version.clone(),
        given_on: input.given_on.0,
        recorded_at: act.now(),
        withdrawn_at: None,
    };
    act.insert::<consent::Entity>(&row).await?;
    act.tell("consent.recorded", type_id(row.id), [row.recorder_id, row.receiver_id]);
    Ok(Outcome::Done(type_id(row.id), row))
}
