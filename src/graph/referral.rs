use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, OneofObject};
use entity::id::{ConsentId, PersonId, ReferralId};
use entity::kinds::{ReferralSide, ReferralStatus, Scope};
use entity::{referral, referral_party};
use sea_orm::{ColumnTrait, Condition};
use tokio::sync::OnceCell;

use super::connection::{List, list, page};
use super::partner::Partner;
use super::programme::{Programme, programme};
use super::referral_event::{Events, ReferralEvents, events};
use super::referred_person::ReferredPerson;
use super::scalars::{DateTime, Money};
use super::text::Number;
use super::unmasking::{UnmaskPurpose, Unmasked, UnmaskedPerson};
use super::{slice, words};
use crate::access::{Disclosed, ReferralRow, Slice, disclosed};
use crate::error::{Error, Result};
use crate::page::{key_of, type_id};
use crate::rules::referral::{allowed_steps, status_at};

/// A person passed from one partner to another.
#[derive(Clone)]
pub struct Referral(ReferralRow, Arc<Events>, Arc<Unmasking>, Arc<Unmasked>);

/// Referrals that were read together and show more of their persons than the masked basics: written down once, before any of them
/// is answered.
#[derive(Default)]
struct Unmasking {
    referrals: Vec<String>,
    people: Vec<PersonId>,
    consents: Vec<ConsentId>,
    /// The consents that still stood when it was written down.
    written: OnceCell<std::result::Result<HashSet<ConsentId>, Arc<Error>>>,
}

impl Unmasking {
    fn of<'a>(rows: impl Iterator<Item = &'a ReferralRow>) -> Arc<Self> {
        let shows = |row: &&ReferralRow| row.party.side != ReferralSide::Sender && row.consent.is_some();
        let mut unmasking = Self::default();
        for row in rows.filter(shows) {
            unmasking.referrals.push(type_id(row.referral.id));
            unmasking.people.extend(row.referral.person_id);
            unmasking.consents.extend(row.referral.consent_id);
        }
        Arc::new(unmasking)
    }

    /// Writes it down, and tells whether a consent stands after that.
    async fn write(&self, slice: &Slice, consent: Option<ConsentId>) -> Result<bool> {
        let written = self.written.get_or_init(async || self.written(slice).await.map_err(Arc::new)).await;
        match written {
            Ok(standing) => Ok(consent.is_some_and(|consent| standing.contains(&consent))),
            Err(shared) => Err(shared.for_each("writing down a look")),
        }
    }

    async fn written(&self, slice: &Slice) -> Result<HashSet<ConsentId>> {
        slice.unmasks(Scope::ReferralRead, None, &self.referrals, &self.people).await?;
        slice.standing_consents(self.consents.clone()).await
    }
}

impl Referral {
    pub fn one(row: ReferralRow) -> Self {
        let events = Events::of(vec![row.referral.id]);
        let unmasking = Unmasking::of(std::iter::once(&row));
        let unmasked = Unmasked::of_referrals(vec![row.referral.id]);
        Self(row, events, unmasking, unmasked)
    }

    /// Of rows that were read together: their events are loaded together, too.
    pub fn each(rows: &[(String, ReferralRow)]) -> impl Fn(ReferralRow) -> Self + use<> {
        let events = Events::of(rows.iter().map(|(_, row)| row.referral.id).collect());
        let unmasking = Unmasking::of(rows.iter().map(|(_, row)| row));
        let unmasked = Unmasked::of_referrals(rows.iter().map(|(_, row)| row.referral.id).collect());
        move |row| Self(row, Arc::clone(&events), Arc::clone(&unmasking), Arc::clone(&unmasked))
    }

    fn status_now(&self, slice: &Slice) -> ReferralStatus {
        status_at(self.0.referral.status, self.0.referral.due_at, slice.now())
    }
}

/// A person passed from one partner to another.
#[Object]
impl Referral {
    pub async fn id(&self) -> ID {
        type_id(self.0.referral.id).into()
    }

    /// Short, readable on the phone.
    async fn number(&self) -> &str {
        &self.0.referral.number
    }

    async fn status(&self, ctx: &Context<'_>) -> Result<words::ReferralStatus> {
        Ok(self.status_now(slice(ctx)?).into())
    }

    async fn sender(&self, ctx: &Context<'_>) -> Result<Partner> {
        Ok(Partner(slice(ctx)?.directory().partner(self.0.referral.sender_id).await?))
    }

    async fn receiver(&self, ctx: &Context<'_>) -> Result<Partner> {
        Ok(Partner(slice(ctx)?.directory().partner(self.0.referral.receiver_id).await?))
    }

    /// Each side's own number for it.
    async fn external_reference(&self) -> Option<&str> {
        self.0.party.external_reference.as_deref()
    }

    async fn programme(&self, ctx: &Context<'_>) -> Result<Option<Programme>> {
        match self.0.referral.programme_id {
            Some(id) => Ok(Some(programme(ctx, id).await?)),
            None => Ok(None),
        }
    }

    async fn reason(&self, ctx: &Context<'_>) -> Result<String> {
        let row = &self.0.referral;
        slice(ctx)?.keys().open(referral::Column::ReasonSealed, row.id, &row.reason_sealed)
    }

    /// Null once the referral has ended, for the receiver.
    async fn person(&self, ctx: &Context<'_>) -> Result<Option<ReferredPerson>> {
        let slice = slice(ctx)?;
        let mut shown = disclosed(&self.0, self.status_now(slice), slice.keys())?;
        let unmasked = shown.as_ref().is_some_and(Disclosed::is_unmasked);
        if unmasked && self.0.party.side != ReferralSide::Sender {
            if !self.2.write(slice, self.0.referral.consent_id).await? {
                let withdrawn = ReferralRow { consent: None, ..self.0.clone() };
                shown = disclosed(&withdrawn, self.status_now(slice), slice.keys())?;
            }
        } else if shown.is_some() {
            let id = type_id(self.0.referral.id);
            slice.looked_at(Scope::ReferralRead, id, self.0.referral.person_id);
        }
        Ok(shown.map(ReferredPerson))
    }

    /// Name and number as the sender stated them, in the clear; null unless a consent for the receiver opens the number. Scope:
    /// PERSON_UNMASK. The look is recorded with its purpose before it is answered; in a list all its people are. The note holds no
    /// personal data.
    async fn unmasked_person(
        &self,
        ctx: &Context<'_>,
        purpose: UnmaskPurpose,
        note: Option<String>,
    ) -> Result<Option<UnmaskedPerson>> {
        self.3.person(slice(ctx)?, self.0.referral.id.into(), purpose, note.as_deref()).await
    }

    async fn requested_at(&self) -> DateTime {
        DateTime(self.0.referral.requested_at)
    }

    /// When an answer is due; unanswered, it expires.
    async fn due_at(&self) -> DateTime {
        DateTime(self.0.referral.due_at)
    }

    async fn updated_at(&self) -> DateTime {
        DateTime(self.0.referral.updated_at)
    }

    async fn outcome(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let row = &self.0.referral;
        slice(ctx)?.keys().open_some(referral::Column::OutcomeSealed, row.id, row.outcome_sealed.as_ref())
    }

    async fn amount_granted(&self) -> Option<Money> {
        self.0.referral.amount_granted.map(Money)
    }

    /// Newest first.
    async fn events(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<ReferralEvents> {
        events(ctx, &self.1, self.0.referral.id, first, after).await
    }

    /// What the viewer's side may do next.
    async fn allowed_steps(&self, ctx: &Context<'_>) -> Result<Vec<words::ReferralStatus>> {
        let steps = allowed_steps(self.status_now(slice(ctx)?), self.0.party.side);
        Ok(steps.into_iter().map(Into::into).collect())
    }
}

/// Names one referral, by one of these.
#[derive(OneofObject)]
enum ReferralBy {
    Id(ID),
    Number(String),
}

/// Which of the viewer's sides.
#[derive(async_graphql::Enum, Copy, Clone, Eq, PartialEq)]
enum ReferralDirection {
    Sent,
    Received,
}

#[derive(InputObject, Default)]
struct ReferralFilter {
    status: Option<Vec<words::ReferralStatus>>,
    /// The viewer's own number for it.
    external_reference: Option<Number>,
    /// Unanswered or not: an answer was due before this instant.
    due_before: Option<DateTime>,
    direction: Option<ReferralDirection>,
    /// Inclusive.
    updated_from: Option<DateTime>,
    /// Exclusive.
    updated_to: Option<DateTime>,
}

/// The condition for statuses as they read now: an unanswered request that is due is already EXPIRED.
fn reads_as(mut statuses: BTreeSet<ReferralStatus>, slice: &Slice) -> Condition {
    use referral::Column::{DueAt, Status};
    let unanswered = || Condition::all().add(Status.eq(ReferralStatus::Requested));
    let requested =
        statuses.remove(&ReferralStatus::Requested).then(|| unanswered().add(DueAt.gt(slice.now())));
    let expired =
        statuses.contains(&ReferralStatus::Expired).then(|| unanswered().add(DueAt.lte(slice.now())));
    Condition::any().add(Status.is_in(statuses)).add_option(requested).add_option(expired)
}

impl ReferralFilter {
    fn condition(self, slice: &Slice) -> Condition {
        use referral::Column::{DueAt, UpdatedAt};
        let status = self.status.map(|statuses| reads_as(words::distinct(statuses), slice));
        let side = self.direction.map(|direction| match direction {
            ReferralDirection::Sent => ReferralSide::Sender,
            ReferralDirection::Received => ReferralSide::Receiver,
        });
        Condition::all()
            .add_option(status)
            .add_option(side.map(|side| referral_party::Column::Side.eq(side)))
            .add_option(
                self.external_reference
                    .map(|number| referral_party::Column::ExternalReference.eq(number.as_str())),
            )
            .add_option(self.due_before.map(|at| DueAt.lt(at.0)))
            .add_option(self.updated_from.map(|at| UpdatedAt.gte(at.0)))
            .add_option(self.updated_to.map(|at| UpdatedAt.lt(at.0)))
    }
}

/// The condition for one referral by its key.
pub fn by_id(id: ReferralId) -> Condition {
    Condition::all().add(referral_party::Column::ReferralId.eq(id))
}

#[derive(Default)]
pub struct ReferralQuery;

#[Object]
impl ReferralQuery {
    /// One referral that the viewer sent or received; for the bureau, any of its territory.
    async fn referral(&self, ctx: &Context<'_>, by: ReferralBy) -> Result<Option<Referral>> {
        let slice = slice(ctx)?;
        let condition = match by {
            ReferralBy::Id(id) => match key_of::<ReferralId>(&id) {
                Some(id) => by_id(id),
                None => return slice.select::<referral_party::Entity>().map(|_| None),
            },
            ReferralBy::Number(number) => Condition::all().add(referral::Column::Number.eq(number)),
        };
        Ok(slice.referral(condition).await?.map(Referral::one))
    }

    /// Referrals that the viewer sent or received, newest first; for the bureau, those of its territory.
    async fn referrals(
        &self,
        ctx: &Context<'_>,
        filter: Option<ReferralFilter>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Option<List<Referral>>> {
        let page = page(ctx, first, after, last, before)?;
        let slice = slice(ctx)?;
        let rows = slice.referrals(filter.unwrap_or_default().condition(slice), &page).await?;
        let referral = Referral::each(&rows.rows);
        Ok(Some(list(rows, referral)))
    }
}
