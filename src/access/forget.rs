//! Forgetting people whom nothing needs any more: their records stay, and who they were goes, in one transaction for each that holds
//! the person as acts do.

use chrono::{DateTime, NaiveDate, Utc};
use entity::id::{AuditRecordId, PartnerId, PersonId, TokenId};
use entity::kinds::{AuditOutcome, Scope, StatementStatus};
use entity::{
    aid_card, audit_record, consent, entry, look, person, person_status, redemption, referral,
    referral_event, refund, settlement, statement,
};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelBehavior, ActiveModelTrait, ColumnTrait, Condition, DatabaseExecutor, EntityTrait,
    IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
};
use uuid::Uuid;

use super::blanks::Blanks;
use super::slice::Slice;
use super::token::Gate;
use crate::error::Result;
use crate::page::type_id;
use crate::rules::calendar::{china_date, start_of_china_day};
use crate::rules::referral::has_ended;
use crate::rules::retention::{Need, Records, Retention, needs};

/// What stands in the audit trail as the act.
const ACT: &str = "forget";
/// How many people are looked through at a go.
const BATCH: u64 = 500;
/// How often it is tried when PostgreSQL reports contention.
const ATTEMPTS: u32 = 4;

/// What became of one who was to be forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Forgotten {
    /// It is done; when nothing was to be changed, it could be.
    Now,
    Before,
    /// Not done: these need the person.
    Needed(Vec<Need>),
    NoSuchPerson,
}

/// The forgetting of one person after the other.
pub struct Forgetting<'a> {
    gate: &'a Gate,
    retention: Retention,
    /// Nobody when nothing is to be changed.
    recorder: Option<Recorder>,
}

/// Who stands in the trail.
#[derive(Clone)]
struct Recorder {
    partner_id: PartnerId,
    token_id: TokenId,
    operator_code: Option<String>,
}

/// A person's rows, as far as they say who it is or whether they are needed.
struct Rows {
    statuses: Vec<person_status::Model>,
    settlements: Vec<settlement::Model>,
    cards: Vec<aid_card::Model>,
    redemptions: Vec<redemption::Model>,
    consents: Vec<consent::Model>,
    referrals: Vec<referral::Model>,
    /// In which stays and sales of theirs stand, and that are not paid.
    statements: Vec<statement::Model>,
}

impl Gate {
    /// Begins forgetting people in the name of a steward; without one it is only said who would be forgotten.
    pub fn forgetting(&self, retention: Retention, steward: Option<&Slice>) -> Forgetting<'_> {
        let recorder = steward.map(|slice| Recorder {
            partner_id: slice.viewer().partner_id(),
            token_id: slice.viewer().token(),
            operator_code: slice.viewer().operator().map(str::to_owned),
        });
        Forgetting { gate: self, retention, recorder }
    }
}

impl Forgetting<'_> {
    fn today(&self) -> NaiveDate {
        china_date(self.gate.clock().now())
    }

    /// Some of those whom the register has had for so long that they may be due, in the order of their ids, after one of them.
    pub async fn candidates(&self, after: Option<PersonId>) -> Result<Vec<PersonId>> {
        let needed_since = start_of_china_day(self.retention.needed_since(self.today()));
        let mut query = person::Entity::find()
            .filter(person::Column::ForgottenAt.is_null())
            .filter(person::Column::CreatedAt.lt(needed_since))
            .order_by_asc(person::Column::Id)
            .limit(BATCH);
        if let Some(after) = after {
            query = query.filter(person::Column::Id.gt(after));
        }
        let rows = query.all(&self.gate.database().reader()).await?;
        Ok(rows.into_iter().map(|row| row.id).collect())
    }

    /// Forgets a person whom nothing needs. Whoever is needed is found out without holding anybody.
    pub async fn person(&self, id: PersonId) -> Result<Forgotten> {
        let reader = self.gate.database().reader();
        let found = person::Entity::find_by_id(id).one(&reader).await?;
        let judged = self.judge(&reader, found).await?;
        let (Ok(_), Some(recorder)) = (&judged, &self.recorder) else {
            return Ok(judged.map_or_else(|not| not, |_| Forgotten::Now));
        };
        let mut attempt = 1;
        loop {
            match self.forget(id, recorder).await {
                Err(error) if error.is_contention() && attempt < ATTEMPTS => attempt += 1,
                result => return result,
            }
        }
    }

    /// The person with the rows, or why there is nothing to do.
    async fn judge(
        &self,
        connection: &DatabaseExecutor<'_>,
        found: Option<person::Model>,
    ) -> Result<std::result::Result<(person::Model, Rows), Forgotten>> {
        let Some(person) = found else { return Ok(Err(Forgotten::NoSuchPerson)) };
        if person.forgotten_at.is_some() {
            return Ok(Err(Forgotten::Before));
        }
        let rows = Rows::of(connection, &person).await?;
        let today = self.today();
        let needs = needs(&rows.records(&person, today), self.retention, today);
        Ok(if needs.is_empty() { Ok((person, rows)) } else { Err(Forgotten::Needed(needs)) })
    }

    /// Judges again while nobody else can add to what the person has, and takes away who it is.
    async fn forget(&self, id: PersonId, recorder: &Recorder) -> Result<Forgotten> {
        let begun = self.gate.database().begin().await?;
        let done = self.forget_within(&DatabaseExecutor::from(&begun.transaction), id, recorder).await;
        match done {
            Ok(Forgotten::Now) => begun.commit().await?,
            _ => begun.rollback().await,
        }
        done
    }

    async fn forget_within(
        &self,
        connection: &DatabaseExecutor<'_>,
        id: PersonId,
        recorder: &Recorder,
    ) -> Result<Forgotten> {
        // More than acts take: whoever writes a row that names the person waits, too.
        let held = person::Entity::find_by_id(id).lock(LockType::Update).one(connection).await?;
        let (person, rows) = match self.judge(connection, held).await? {
            Ok(due) => due,
            Err(not) => return Ok(not),
        };
        let at = self.gate.clock().now();
        self.blank(connection, &person, &rows, at).await?;
        let record = audit_record::Model {
            id: AuditRecordId::from(Uuid::now_v7()),
            at,
            partner_id: recorder.partner_id,
            token_id: recorder.token_id,
            operator_code: recorder.operator_code.clone(),
            scope: Scope::AdministrationWrite,
            act: ACT.to_owned(),
            outcome: AuditOutcome::Done,
            subject: Some(type_id(person.id)),
            operation_key: None,
            before_digest: None,
            after_digest: None,
            origin: None,
            seal_number: None,
            place: None,
        };
        let look = look::Model { person_id: person.id, record_id: record.id };
        audit_record::Entity::insert(record.into_active_model().reset_all())
            .exec_without_returning(connection)
            .await?;
        look::Entity::insert(look.into_active_model().reset_all()).exec_without_returning(connection).await?;
        Ok(Forgotten::Now)
    }

    /// Every row that says who the person is.
    async fn blank(
        &self,
        connection: &DatabaseExecutor<'_>,
        person: &person::Model,
        rows: &Rows,
        at: DateTime<Utc>,
    ) -> Result<()> {
        let blanks = Blanks::new(self.gate.keys());
        let of_sales = ids(&rows.redemptions, |row| row.id);
        let refunds = refund::Entity::find()
            .filter(refund::Column::RedemptionId.is_in(of_sales))
            .all(connection)
            .await?;
        let notes = referral_event::Entity::find()
            .filter(referral_event::Column::ReferralId.is_in(ids(&rows.referrals, |row| row.id)))
            .filter(referral_event::Column::NoteSealed.is_not_null())
            .all(connection)
            .await?;
        let agents = rows.redemptions.iter().filter(|row| row.agent_name_sealed.is_some());
        write(connection, std::iter::once(blanks.person(person, at))).await?;
        write(connection, rows.settlements.iter().map(|row| blanks.settlement(row))).await?;
        write(connection, rows.cards.iter().map(|row| blanks.aid_card(row))).await?;
        write(connection, agents.map(|row| blanks.redemption(row))).await?;
        write(connection, refunds.iter().map(|row| blanks.refund(row))).await?;
        write(connection, rows.consents.iter().map(|row| blanks.consent(row))).await?;
        write(connection, rows.referrals.iter().map(|row| blanks.referral(row))).await?;
        write(connection, notes.iter().map(|row| blanks.referral_event(row))).await
    }
}

fn ids<M, K>(rows: &[M], id: impl Fn(&M) -> K) -> Vec<K> {
    rows.iter().map(id).collect()
}

async fn write<A>(connection: &DatabaseExecutor<'_>, blanked: impl Iterator<Item = Result<A>>) -> Result<()>
where
    A: ActiveModelTrait + ActiveModelBehavior + Send,
    <A::Entity as EntityTrait>::Model: IntoActiveModel<A>,
{
    for row in blanked {
        row?.update(connection).await?;
    }
    Ok(())
}

impl Rows {
    async fn of(connection: &DatabaseExecutor<'_>, person: &person::Model) -> Result<Self> {
        let statuses = person_status::Entity::find()
            .filter(person_status::Column::PersonId.eq(person.id))
            .all(connection)
            .await?;
        let settlements = settlement::Entity::find()
            .filter(settlement::Column::PersonId.eq(person.id))
            .all(connection)
            .await?;
        let cards =
            aid_card::Entity::find().filter(aid_card::Column::PersonId.eq(person.id)).all(connection).await?;
        let redemptions = redemption::Entity::find()
            .filter(redemption::Column::AidCardId.is_in(ids(&cards, |row| row.id)))
            .all(connection)
            .await?;
        let consents = consent::Entity::find()
            .filter(consent::Column::NationalIdHash.eq(person.national_id_hash.clone()))
            .all(connection)
            .await?;
        // One whose name was stated otherwise than the register has it hangs by its consent alone.
        let referrals = referral::Entity::find()
            .filter(
                Condition::any()
                    .add(referral::Column::PersonId.eq(person.id))
                    .add(referral::Column::ConsentId.is_in(ids(&consents, |row| row.id))),
            )
            .all(connection)
            .await?;
        let mut sources: Vec<Uuid> = ids(&settlements, |row| row.id.into());
        sources.extend(redemptions.iter().map(|row| Uuid::from(row.id)));
        let stand_in = entry::Entity::find()
            .select_only()
            .column(entry::Column::StatementId)
            .filter(entry::Column::SourceId.is_in(sources))
            .into_query();
        let statements = statement::Entity::find()
            .filter(statement::Column::Id.in_subquery(stand_in))
            .filter(statement::Column::Status.ne(StatementStatus::Paid))
            .all(connection)
            .await?;
        Ok(Self { statuses, settlements, cards, redemptions, consents, referrals, statements })
    }

    fn records(&self, person: &person::Model, today: NaiveDate) -> Records {
        Records {
            newest_on: self.newest_on(person, today),
            status_in_force: self.statuses.iter().any(|row| row.valid_to.is_none_or(|last| today <= last)),
            deceased: person.deceased_on.is_some(),
            open_referral: self.referrals.iter().any(|row| !has_ended(row.status)),
            consent_in_force: self.consents.iter().any(|row| row.withdrawn_at.is_none()),
            card_with_balance: self.cards.iter().any(|row| row.balance > entity::Fen::ZERO),
            card_not_expired: self.cards.iter().any(|row| today <= row.expires_on),
            unpaid_statement: self.statements.iter().any(|row| !comes_to_nothing(row)),
            recalculation_due: self.settlements.iter().any(|row| row.recalculation_due),
        }
    }

    /// The last day on which anything happened to the person.
    fn newest_on(&self, person: &person::Model, today: NaiveDate) -> NaiveDate {
        let instants = self
            .settlements
            .iter()
            .flat_map(|row| [Some(row.settled_at), row.reversed_at])
            .chain(
                self.redemptions
                    .iter()
                    .flat_map(|row| [Some(row.redeemed_at), row.refunded_at, row.voided_at]),
            )
            .chain(self.referrals.iter().flat_map(|row| [Some(row.requested_at), Some(row.updated_at)]))
            .chain(self.consents.iter().flat_map(|row| [Some(row.recorded_at), row.withdrawn_at]))
            .chain([Some(person.created_at)])
            .flatten()
            .map(china_date);
        let days = self
            .statuses
            .iter()
            .flat_map(|row| [Some(row.valid_from), row.valid_to])
            .chain(self.settlements.iter().map(|row| Some(row.discharged_on)))
            .chain(self.cards.iter().map(|row| Some(row.issued_on)))
            .chain([person.deceased_on])
            .flatten()
            .filter(|day| *day <= today);
        instants.chain(days).max().unwrap_or(today)
    }
}

/// Nothing is left to be paid of a month that was agreed to, and whose corrections took all of it or were carried.
fn comes_to_nothing(row: &statement::Model) -> bool {
    row.status == StatementStatus::Confirmed && row.gross == row.reversed
}
