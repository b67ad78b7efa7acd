//! Referrals of 2016 and of today, with consents, in every state (DOMAIN.md §4).

use chrono::{DateTime, TimeDelta, Utc};
use entity::kinds::{Category, ConsentField, ReferralStatus};
use entity::{Fen, person, person_status};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::district::{BUREAU, CHARITY_FEDERATION, DISABILITY_FEDERATION, SUBDISTRICTS};
use super::people::{Invented, People};
use super::{Desks, Progress, china_time, day_of_2016, done};
use crate::access::{LoadingGate, ReferralRow, Slice};
use crate::actions::expire_referral::expire;
use crate::actions::record_consent::{RecordConsentInput, record};
use crate::actions::referral_step::{Request, Step, run_step};
use crate::actions::request_referral::{RequestReferralInput, request};
use crate::error::Result;
use crate::graph::partner::PartnerBy;
use crate::graph::scalars::{Date, IdempotencyKey, NationalId};
use crate::graph::settlement_preview::PatientInput;
use crate::page::type_id;
use crate::rules::calendar::china_date;

/// What is asked of whom, and what a consent for it opens.
struct Need {
    /// The office of the person's sub-district, unless somebody else asks.
    sender: Option<&'static str>,
    receiver: &'static str,
    programme: Option<&'static str>,
    reason: &'static str,
    fields: &'static [ConsentField],
}

const NEEDS: [Need; 6] = [
    Need {
        sender: None,
        receiver: DISABILITY_FEDERATION,
        programme: None,
        reason: "申请轮椅和居家无障碍改造",
        fields: &[ConsentField::Phone, ConsentField::Address, ConsentField::Disability],
    },
    Need {
        sender: None,
        receiver: CHARITY_FEDERATION,
        programme: Some("CHARITY_ILLNESS"),
        reason: "大病救助后自付仍然过重，申请慈善救助",
        fields: &[ConsentField::Phone, ConsentField::Health, ConsentField::Income],
    },
    Need {
        sender: None,
        receiver: BUREAU,
        programme: Some("TEMPORARY_ASSISTANCE"),
        reason: "家庭突发困难，申请临时救助",
        fields: &[ConsentField::Phone, ConsentField::Address, ConsentField::Income],
    },
    Need {
        sender: None,
        receiver: DISABILITY_FEDERATION,
        programme: None,
        reason: "申请康复训练",
        fields: &[],
    },
    Need {
        sender: Some(BUREAU),
        receiver: CHARITY_FEDERATION,
        programme: Some("CHARITY_ILLNESS"),
        reason: "救助后仍有困难，转慈善项目",
        fields: &[ConsentField::Phone, ConsentField::Health],
    },
    Need {
        sender: Some(DISABILITY_FEDERATION),
        receiver: BUREAU,
        programme: Some("TEMPORARY_ASSISTANCE"),
        reason: "残疾人家庭临时困难",
        fields: &[ConsentField::Disability, ConsentField::Income],
    },
];

/// The steps that lead to each state, and whose side takes them: the receiver's, unless it is a cancellation.
fn way_to(status: ReferralStatus) -> &'static [ReferralStatus] {
    use ReferralStatus::{
        Accepted, Cancelled, Completed, Declined, Expired, Failed, InProgress, OnHold, Requested,
    };
    match status {
        Requested | Expired => &[],
        Accepted => &[Accepted],
        Declined => &[Declined],
        InProgress => &[Accepted, InProgress],
        OnHold => &[Accepted, InProgress, OnHold],
        Completed => &[Accepted, InProgress, Completed],
        Failed => &[Accepted, InProgress, OnHold, Failed],
        Cancelled => &[Accepted, Cancelled],
    }
}

/// 72 referrals of 2016: every need in every state that can last, and some twice.
pub(super) async fn refer_2016(
    loading: &LoadingGate,
    desks: &Desks,
    people: &mut People,
    rng: &mut ChaCha8Rng,
    progress: Progress<'_>,
) -> Result<()> {
    // What nobody answered in 2016 has expired since.
    let states: Vec<ReferralStatus> =
        ReferralStatus::ALL.iter().copied().filter(|status| *status != ReferralStatus::Requested).collect();
    let total = 72;
    for number in 0..total {
        progress("referrals of 2016", number, total);
        let at = china_time(day_of_2016(5 + number * 4), 9, rng.random_range(0..60));
        let place = usize::try_from(number).unwrap_or(0);
        let status = states[place % states.len()];
        refer(loading, desks, people, rng, &NEEDS[(place / states.len()) % NEEDS.len()], status, at).await?;
    }
    progress("referrals of 2016", total, total);
    Ok(())
}

/// One referral in each living state, requested in these days.
pub(super) async fn refer_today(
    loading: &LoadingGate,
    desks: &Desks,
    people: &mut People,
    rng: &mut ChaCha8Rng,
    now: DateTime<Utc>,
) -> Result<()> {
    use ReferralStatus::{Accepted, InProgress, OnHold, Requested};
    for (place, status) in [Requested, Requested, Accepted, InProgress, OnHold].into_iter().enumerate() {
        let at = now - TimeDelta::hours(3);
        refer(loading, desks, people, rng, &NEEDS[place % NEEDS.len()], status, at).await?;
    }
    Ok(())
}

async fn refer(
    loading: &LoadingGate,
    desks: &Desks,
    people: &mut People,
    rng: &mut ChaCha8Rng,
    need: &Need,
    status: ReferralStatus,
    at: DateTime<Utc>,
) -> Result<()> {
    let subdistrict = rng.random_range(0..SUBDISTRICTS.len());
    let person = people.invent_known(loading.gate().keys(), subdistrict, at)?;
    loading.lay::<person::Entity>(vec![person.row.clone()]).await?;
    let category = person.has(rng, Category::Dibao, china_date(at));
    loading.lay::<person_status::Entity>(vec![category]).await?;
    let office = format!("SD-{}", SUBDISTRICTS[subdistrict].0);
    let sender = need.sender.map_or(office, str::to_owned);
    let key = format!("{sender}-{:08x}", rng.random::<u32>());
    let row = send(&desks.at(&sender, at)?, need, &person, &key).await?;
    let between = if status == ReferralStatus::Expired { TimeDelta::zero() } else { TimeDelta::minutes(35) };
    let mut when = at;
    for (step, to) in way_to(status).iter().enumerate() {
        when += between;
        let who = if *to == ReferralStatus::Cancelled { sender.as_str() } else { need.receiver };
        take(&desks.at(who, when)?, &row, *to, &format!("{key}-{step}"), rng).await?;
    }
    if status == ReferralStatus::Expired {
        expire(&desks.at(BUREAU, row.referral.due_at + TimeDelta::seconds(10))?, row.referral.id).await?;
    }
    Ok(())
}

/// A referral with the consent that its need asks for.
pub(super) async fn send_with(
    sender: &Slice,
    receiver: &str,
    reason: &str,
    fields: &[ConsentField],
    programme: Option<&str>,
    person: &Invented,
    key: &str,
) -> Result<ReferralRow> {
    let patient =
        || PatientInput { national_id: NationalId(person.national_id.clone()), name: person.name.clone() };
    let consent_id = if fields.is_empty() {
        None
    } else {
        let input = RecordConsentInput {
            key: IdempotencyKey(format!("{key}-consent")),
            person: patient(),
            receiver: PartnerBy::Code(receiver.to_owned()),
            fields: fields.iter().map(|field| (*field).into()).collect(),
            purpose: reason.to_owned(),
            wording_version: "2016-1".into(),
            given_on: Date(sender.today()),
        };
        Some(type_id(done("consent", record(sender, &input).await?)?.id).into())
    };
    let input = RequestReferralInput {
        key: IdempotencyKey(key.to_owned()),
        receiver: PartnerBy::Code(receiver.to_owned()),
        person: patient(),
        phone: None,
        programme_code: programme.map(str::to_owned),
        reason: reason.to_owned(),
        external_reference: Some(format!("JD-{key}").into()),
        consent_id,
        due_in_working_days: 10,
        operator: None,
    };
    done("referral", request(sender, &input).await?)
}

async fn send(sender: &Slice, need: &Need, person: &Invented, key: &str) -> Result<ReferralRow> {
    send_with(sender, need.receiver, need.reason, need.fields, need.programme, person, key).await
}

/// Takes one step, with a note where one is due.
pub(super) async fn take(
    side: &Slice,
    row: &ReferralRow,
    to: ReferralStatus,
    key: &str,
    rng: &mut ChaCha8Rng,
) -> Result<()> {
    let (mutation, note) = match to {
        ReferralStatus::Accepted => ("acceptReferral", None),
        ReferralStatus::InProgress => ("startReferral", None),
        ReferralStatus::OnHold => ("holdReferral", Some("等待补充材料")),
        ReferralStatus::Completed => ("completeReferral", Some("已办理并告知本人")),
        ReferralStatus::Declined => ("declineReferral", Some("不属于本单位的救助范围")),
        ReferralStatus::Failed => ("failReferral", Some("本人未能提供所需材料")),
        ReferralStatus::Cancelled | ReferralStatus::Requested | ReferralStatus::Expired => {
            ("cancelReferral", Some("本人撤回申请"))
        }
    };
    let granted = to == ReferralStatus::Completed && row.referral.programme_id.is_some();
    let key = IdempotencyKey(key.to_owned());
    let referral_id = type_id(row.referral.id).into();
    let request = Request {
        mutation,
        key: &key,
        referral_id: &referral_id,
        input: async_graphql::Value::from(key.0.clone()),
        required: note.map(|note| ("reason", note)),
        step: Step {
            note,
            amount_granted: granted.then(|| Fen::new(rng.random_range(5..30) * 10_000)),
            ..Step::to(to)
        },
        operator: None,
    };
    done("step", run_step(side, &request).await?).map(drop)
}
