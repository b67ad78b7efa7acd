use async_graphql::{Context, ID, InputObject, InputType, Object};
use chrono::Datelike;
use entity::id::{ConsentId, PersonId, ProgrammeId, ReferralEventId, ReferralId};
use entity::kinds::{ReferralSide, ReferralStatus, Scope};
use entity::{consent, partner, referral, referral_event, referral_party};
use futures_util::FutureExt;
use rand::Rng;
use sea_orm::ColumnTrait;

use super::operator::{self, OperatorInput};
use super::referral_step::tell;
use super::referral_step::{LONGEST_NOTE, LONGEST_REFERENCE, ReferralPayload, payload};
use crate::access::{Act, Answered, Intent, Outcome, ReferralRow, Slice};
use crate::error::{Error, Result};
use crate::graph::partner::PartnerBy;
use crate::graph::scalars::IdempotencyKey;
use crate::graph::settlement_preview::PatientInput;
use crate::graph::slice;
use crate::graph::text::{Number, check_number, check_text};
use crate::page::{key_of, type_id};
use crate::refusal::{Reason, Refusal};
use crate::rules::calendar::{add_working_days, end_of_china_day};
use crate::rules::person_name::same_name_key;
use crate::rules::referral::may_refer;

const LONGEST_NAME: usize = 100;
const LONGEST_PHONE: usize = 30;
const LONGEST_TERM: u32 = 250;

#[derive(InputObject)]
pub struct RequestReferralInput {
    pub key: IdempotencyKey,
    pub receiver: PartnerBy,
    /// As stated by the sender; a person unknown to the bureau, or a name that does not match, is accepted all the same and
    /// matched by the bureau alone.
    pub person: PatientInput,
    pub phone: Option<String>,
    pub programme_code: Option<String>,
    pub reason: String,
    /// The sender's own number for it.
    pub external_reference: Option<Number>,
    /// Without it the guarded fields stay null; one that does not cover this person and receiver is CONSENT_REQUIRED.
    pub consent_id: Option<ID>,
    /// By the work-day calendar; a year not yet published counts Monday to Friday. 1 to 250; the answer is due by the end of that
    /// day in China.
    #[graphql(default = 10)]
    pub due_in_working_days: i32,
    pub operator: Option<OperatorInput>,
}

#[derive(Default)]
pub struct RequestReferral;

#[Object]
impl RequestReferral {
    /// Pass a person to another partner (转介).
    async fn request_referral(
        &self,
        ctx: &Context<'_>,
        input: RequestReferralInput,
    ) -> Result<Option<ReferralPayload>> {
        payload(request(slice(ctx)?, &input).await?).await
    }
}

/// Requests a referral under the caller's key.
pub async fn request(slice: &Slice, input: &RequestReferralInput) -> Result<Answered<ReferralRow>> {
    let intent = Intent {
        scope: Scope::ReferralWrite,
        mutation: "requestReferral",
        key: &input.key.0,
        input: input.to_value(),
        operator: operator::stated(input.operator.as_ref()),
    };
    slice.act(intent, input, |act, input| send(act, input).boxed()).await
}

/// What a request points to, all of it found.
struct Found {
    receiver: partner::Model,
    programme: Option<ProgrammeId>,
    consent: Option<consent::Model>,
}

fn faults(input: &RequestReferralInput) -> Vec<Refusal> {
    let mut refusals = operator::check(input.operator.as_ref());
    refusals
        .extend(check_text(&input.person.name, LONGEST_NAME, "name").map(|refusal| refusal.under("person")));
    refusals.extend(check_text(&input.reason, LONGEST_NOTE, "reason"));
    refusals.extend(input.phone.as_deref().and_then(|phone| check_text(phone, LONGEST_PHONE, "phone")));
    refusals.extend(
        input
            .external_reference
            .as_ref()
            .and_then(|number| check_number(number, LONGEST_REFERENCE, "externalReference")),
    );
    let term = u32::try_from(input.due_in_working_days).unwrap_or(0);
    if !(1..=LONGEST_TERM).contains(&term) {
        let reason = Reason::WorkingDaysOutOfRange { most: LONGEST_TERM };
        refusals.push(Refusal::new(reason, &["dueInWorkingDays"]));
    }
    refusals
}

async fn find(act: &Act, input: &RequestReferralInput) -> Result<std::result::Result<Found, Vec<Refusal>>> {
    let mut refusals = faults(input);
    let slice = act.slice();
    let receiver = input.receiver.find(act.select()?).await?;
    match &receiver {
        None => refusals.push(Refusal::new(Reason::NotFound, &["receiver"])),
        Some(found)
            if found.id == slice.viewer().partner_id() || !may_refer(slice.viewer().kind(), found.kind) =>
        {
            refusals.push(Refusal::new(Reason::MayNotRefer { to: found.kind }, &["receiver"]));
        }
        Some(_) => {}
    }
    let programme = match &input.programme_code {
        Some(code) => {
            let reference = slice.directory().reference().await?;
            let found = reference.programme_of_code(code).map(|programme| programme.id);
            if found.is_none() {
                refusals.push(Refusal::new(Reason::NotFound, &["programmeCode"]));
            }
            found
        }
        None => None,
    };
    let consent = match &input.consent_id {
        Some(id) => {
            let found = covering_consent(act, input, key_of(id), receiver.as_ref()).await?;
            match found {
                Ok(consent) => Some(consent),
                Err(reason) => {
                    refusals.push(Refusal::new(reason, &["consentId"]));
                    None
                }
            }
        }
        None => None,
    };
    match receiver {
        Some(receiver) if refusals.is_empty() => Ok(Ok(Found { receiver, programme, consent })),
        _ => Ok(Err(refusals)),
    }
}

/// The consent, if it stands and is for this person and this receiver.
async fn covering_consent(
    act: &Act,
    input: &RequestReferralInput,
    id: Option<ConsentId>,
    receiver: Option<&partner::Model>,
) -> Result<std::result::Result<consent::Model, Reason>> {
    let Some(id) = id else { return Ok(Err(Reason::ConsentRequired)) };
    let consent = act.select::<consent::Entity>()?.only(consent::Column::Id.eq(id)).one().await?;
    let keys = act.slice().keys();
    let person = keys.find_person(&input.person.national_id.0);
    let name = consent.as_ref().map(|row| keys.open(consent::Column::NameSealed, row.id, &row.name_sealed));
    let name = name.transpose()?;
    Ok(match consent {
        Some(consent)
            if consent.national_id_hash == person
                && name.is_some_and(|name| same_name_key(&name) == same_name_key(&input.person.name))
                && receiver.is_some_and(|receiver| receiver.id == consent.receiver_id) =>
        {
            if consent.withdrawn_at.is_none() { Ok(consent) } else { Err(Reason::ConsentWithdrawn) }
        }
        _ => Err(Reason::ConsentRequired),
    })
}

async fn send(act: &mut Act, input: &RequestReferralInput) -> Result<Outcome<ReferralRow>> {
    let found = match find(act, input).await? {
        Ok(found) => found,
        Err(refusals) => return Outcome::refused(refusals),
    };
    let matched = act.matched_person(&input.person.national_id.0, &input.person.name).await?;
    let row = row(act, input, &found, matched.as_ref().map(|person| person.id))?;
    let mut row = row;
    let mut tries = 0;
    while !act.insert_if_new::<referral::Entity>(&row).await? {
        tries += 1;
        if tries > 4 {
            return Err(Error::internal("no free referral number was found"));
        }
        row.number = number();
    }
    let parties = parties(act, input, &row, &found.receiver).await?;
    act.insert_all::<referral_party::Entity>(&parties).await?;
    let event = referral_event::Model {
        id: act.new_id::<ReferralEventId>(),
        referral_id: row.id,
        at: act.now(),
        status: ReferralStatus::Requested,
        actor_id: row.sender_id,
        note_sealed: None,
    };
    act.insert::<referral_event::Entity>(&event).await?;
    tell(act, &row).await?;
    let party = parties.into_iter().find(|party| party.partner_id == row.sender_id);
    let party = party.ok_or_else(|| Error::internal("a referral without its sender"))?;
    Ok(Outcome::Done(
        type_id(row.id),
        ReferralRow { referral: row, party, person: matched, consent: found.consent },
    ))
}

fn row(
    act: &Act,
    input: &RequestReferralInput,
    found: &Found,
    person: Option<PersonId>,
) -> Result<referral::Model> {
    let keys = act.slice().keys();
    let national_id = &input.person.national_id.0;
    let term = u32::try_from(input.due_in_working_days).unwrap_or(1);
    let due = add_working_days(act.today(), term).ok_or_else(|| Error::internal("no such working day"))?;
    let id = act.new_id::<ReferralId>();
    Ok(referral::Model {
        id,
        number: number(),
        sender_id: act.slice().viewer().partner_id(),
        receiver_id: found.receiver.id,
        programme_id: found.programme,
        reason_sealed: keys.seal(referral::Column::ReasonSealed, id, &input.reason)?,
        person_id: person,
        stated_name_sealed: keys.seal(referral::Column::StatedNameSealed, id, &input.person.name)?,
        stated_national_id_sealed: keys.seal(
            referral::Column::StatedNationalIdSealed,
            id,
            national_id.expose(),
        )?,
        stated_birth_year: national_id.birth_date().year(),
        stated_phone_sealed: keys.seal_some(
            referral::Column::StatedPhoneSealed,
            id,
            input.phone.as_deref(),
        )?,
        consent_id: found.consent.as_ref().map(|consent| consent.id),
        status: ReferralStatus::Requested,
        requested_at: act.now(),
        due_at: end_of_china_day(due),
        updated_at: act.now(),
        outcome_sealed: None,
        amount_granted: None,
    })
}

/// One row for each partner that will see the referral: both sides, and the bureaus above either of them.
async fn parties(
    act: &Act,
    input: &RequestReferralInput,
    row: &referral::Model,
    receiver: &partner::Model,
) -> Result<Vec<referral_party::Model>> {
    let party = |partner_id, side, external_reference| referral_party::Model {
        partner_id,
        referral_id: row.id,
        side,
        external_reference,
    };
    let mut parties = vec![
        party(
            row.sender_id,
            ReferralSide::Sender,
            input.external_reference.as_ref().map(|number| number.as_str().to_owned()),
        ),
        party(row.receiver_id, ReferralSide::Receiver, None),
    ];
    let reference = act.slice().directory().reference().await?;
    let sender = act.slice().viewer().partner();
    for bureau in reference.bureaus_above(&sender.area).chain(reference.bureaus_above(&receiver.area)) {
        if parties.iter().all(|known| known.partner_id != bureau.id) {
            parties.push(party(bureau.id, ReferralSide::Overseer, None));
        }
    }
    Ok(parties)
}

/// Eight signs that are hard to mishear, e.g. `7KQ2-M9XD`; drawn at random, so that they cannot be walked.
fn number() -> String {
    const SIGNS: &[u8] = b"23456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut rng = rand::rng();
    let mut sign = || char::from(SIGNS[rng.random_range(0..SIGNS.len())]);
    let (left, right): (String, String) =
        ((0..4).map(|_| sign()).collect(), (0..4).map(|_| sign()).collect());
    format!("{left}-{right}")
}
