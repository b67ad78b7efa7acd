//! Looks at personal data. The masked looks of a request are one record, which is queued when the request ends and written within a
//! second, so that no read waits for a write; a look in the clear is written before it is answered. None is lost while the process
//! lives: where too many wait, because the database takes none, requests are put off.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use entity::id::{AuditRecordId, PartnerId, PersonId};
use entity::kinds::{AuditOutcome, Scope};
use entity::{audit_record, look};
use sea_orm::{ActiveModelTrait, DbErr, EntityTrait, IntoActiveModel};
use uuid::Uuid;

use super::database::Database;
use super::slice::Slice;
use super::token::Gate;
use crate::error::{Error, Result};

/// Most looks that wait, of all partners and of one: whoever asks on meets a busy server, and nobody else does.
const LONGEST_QUEUE: usize = 100_000;
const LONGEST_OF_PARTNER: usize = 10_000;
/// How many are written in one statement.
const BATCH: usize = 500;

/// The looks of this process that wait to be written.
#[derive(Default)]
pub(super) struct Looks {
    waiting: Mutex<Waiting>,
}

/// A record with the people whom it concerns.
type Look = (audit_record::Model, Vec<PersonId>);

#[derive(Default)]
struct Waiting {
    records: VecDeque<Look>,
    of_partner: HashMap<PartnerId, usize>,
}

impl Waiting {
    fn has_room(&self, partner: PartnerId) -> bool {
        let own = self.of_partner.get(&partner).copied().unwrap_or_default();
        self.records.len() < LONGEST_QUEUE && own < LONGEST_OF_PARTNER
    }

    fn take(&mut self, most: usize) -> Vec<Look> {
        let taken: Vec<_> = self.records.drain(..self.records.len().min(most)).collect();
        for (record, _) in &taken {
            if let Some(own) = self.of_partner.get_mut(&record.partner_id) {
                *own -= 1;
                if *own == 0 {
                    self.of_partner.remove(&record.partner_id);
                }
            }
        }
        taken
    }

    fn count(&mut self, record: &audit_record::Model) {
        *self.of_partner.entry(record.partner_id).or_default() += 1;
    }
}

impl Looks {
    fn waiting(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, look: Look) {
        let mut waiting = self.waiting();
        waiting.count(&look.0);
        waiting.records.push_back(look);
    }

    fn put_back(&self, looks: Vec<Look>) {
        let mut waiting = self.waiting();
        for look in looks.into_iter().rev() {
            waiting.count(&look.0);
            waiting.records.push_front(look);
        }
    }
}

/// What one request looks at: a record for each scope, queued when the last slice of the request is gone.
pub(super) struct Seen {
    looks: Arc<Looks>,
    records: Mutex<BTreeMap<Scope, Gathered>>,
}

/// One record, and what it is about.
struct Gathered {
    record: audit_record::Model,
    subjects: BTreeSet<String>,
    people: BTreeSet<PersonId>,
}

impl Seen {
    pub(super) fn new(looks: Arc<Looks>) -> Self {
        Self { looks, records: Mutex::default() }
    }

    pub(super) fn looks(&self) -> &Arc<Looks> {
        &self.looks
    }
}

impl Drop for Seen {
    fn drop(&mut self) {
        let records = self.records.get_mut().unwrap_or_else(PoisonError::into_inner);
        for Gathered { record, subjects, people } in std::mem::take(records).into_values() {
            let subjects: Vec<String> = subjects.into_iter().collect();
            let record = audit_record::Model { subject: Some(subjects.join(" ")), ..record };
            self.looks.push((record, people.into_iter().collect()));
        }
    }
}

impl Slice {
    /// Refused while so many looks of this partner wait that a further one might not be recorded.
    pub fn may_look(&self) -> Result<()> {
        match self.seen.looks.waiting().has_room(self.viewer.partner_id()) {
            true => Ok(()),
            false => Err(Error::Unavailable(DbErr::Custom("too many looks wait to be recorded".into()))),
        }
    }

    /// Notes that the viewer looked at masked personal data of something, and whose they are, as far as the register knows.
    pub fn looked_at(&self, scope: Scope, subject: String, person: Option<PersonId>) {
        let mut records = self.seen.records.lock().unwrap_or_else(PoisonError::into_inner);
        let gathered = records.entry(scope).or_insert_with(|| Gathered {
            record: self.look(scope, AuditOutcome::Looked),
            subjects: BTreeSet::new(),
            people: BTreeSet::new(),
        });
        gathered.subjects.insert(subject);
        gathered.people.extend(person);
    }

    /// Writes down that the viewer is shown personal data in the clear, before it is. Without a purpose of its own it is what was
    /// asked for.
    pub async fn unmasks(
        &self,
        scope: Scope,
        purpose: Option<&str>,
        subjects: &[String],
        people: &[PersonId],
    ) -> Result<()> {
        let mut record = self.look(scope, AuditOutcome::Unmasked);
        if let Some(purpose) = purpose {
            purpose.clone_into(&mut record.act);
        }
        record.subject = Some(subjects.join(" "));
        let people: BTreeSet<PersonId> = people.iter().copied().collect();
        write(&self.database, vec![(record, people.into_iter().collect())]).await
    }

    fn look(&self, scope: Scope, outcome: AuditOutcome) -> audit_record::Model {
        let purpose = self.purpose.as_deref().filter(|purpose| !purpose.is_empty());
        audit_record::Model {
            id: AuditRecordId::from(Uuid::now_v7()),
            at: self.now(),
            partner_id: self.viewer.partner_id(),
            token_id: self.viewer.token(),
            operator_code: self.viewer.operator().map(str::to_owned),
            scope,
            act: purpose.unwrap_or(scope.word()).to_owned(),
            outcome,
            subject: None,
            operation_key: None,
            before_digest: None,
            after_digest: None,
            origin: self.origin(),
            seal_number: None,
            place: None,
        }
    }
}

async fn write(database: &Database, looks: Vec<Look>) -> Result<()> {
    let begun = database.begin().await?;
    let mut concerned = Vec::new();
    let mut records = Vec::new();
    for (record, people) in looks {
        let record_id = record.id;
        concerned.extend(people.into_iter().map(|person_id| look::Model { person_id, record_id }));
        records.push(record.into_active_model().reset_all());
    }
    audit_record::Entity::insert_many(records).exec_without_returning(&begun.transaction).await?;
    for batch in concerned.chunks(BATCH) {
        let rows = batch.iter().map(|row| row.clone().into_active_model().reset_all());
        look::Entity::insert_many(rows).exec_without_returning(&begun.transaction).await?;
    }
    begun.commit().await
}

impl Gate {
    /// Writes the looks that wait; those that cannot be written wait on.
    pub async fn write_looks(&self) -> Result<u64> {
        let mut written = 0;
        loop {
            let records = self.looks.waiting().take(BATCH);
            if records.is_empty() {
                return Ok(written);
            }
            written += u64::try_from(records.len()).unwrap_or(u64::MAX);
            if let Err(error) = write(self.database(), records.clone()).await {
                self.looks.put_back(records);
                return Err(error);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use entity::id::TokenId;

    use super::*;

    fn look_of(partner: u128) -> Look {
        let record = audit_record::Model {
            id: AuditRecordId::from(Uuid::now_v7()),
            at: DateTime::UNIX_EPOCH,
            partner_id: PartnerId::from(Uuid::from_u128(partner)),
            token_id: TokenId::from(Uuid::nil()),
            operator_code: None,
            scope: Scope::CoverageRead,
            act: "coverage".into(),
            outcome: AuditOutcome::Looked,
            subject: None,
            operation_key: None,
            before_digest: None,
            after_digest: None,
            origin: None,
            seal_number: None,
            place: None,
        };
        (record, Vec::new())
    }

    #[test]
    fn one_partner_fills_its_own_share_and_nobody_elses() {
        let looks = Looks::default();
        let [greedy, other] = [1, 2].map(|number| PartnerId::from(Uuid::from_u128(number)));
        for _ in 0..LONGEST_OF_PARTNER {
            assert!(looks.waiting().has_room(greedy));
            looks.push(look_of(1));
        }
        assert!(!looks.waiting().has_room(greedy));
        assert!(looks.waiting().has_room(other));
        let taken = looks.waiting().take(BATCH);
        assert!(looks.waiting().has_room(greedy));
        looks.put_back(taken);
        assert!(!looks.waiting().has_room(greedy));
        while !looks.waiting().take(BATCH).is_empty() {}
        assert!(looks.waiting().of_partner.is_empty());
    }
}
