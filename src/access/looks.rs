//! Looks at personal data. The masked looks of a request are one record, which is queued when the request ends and written within a
//! second, so that no read waits for a write; a look in the clear is written before it is answered. None is lost while the process
//! lives: where too many wait, because the database takes none, requests are put off.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use entity::audit_record;
use entity::id::{AuditRecordId, PartnerId};
use entity::kinds::{AuditOutcome, Scope};
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

#[derive(Default)]
struct Waiting {
    records: VecDeque<audit_record::Model>,
    of_partner: HashMap<PartnerId, usize>,
}

impl Waiting {
    fn has_room(&self, partner: PartnerId) -> bool {
        let own = self.of_partner.get(&partner).copied().unwrap_or_default();
        self.records.len() < LONGEST_QUEUE && own < LONGEST_OF_PARTNER
    }

    fn take(&mut self, most: usize) -> Vec<audit_record::Model> {
        let taken: Vec<_> = self.records.drain(..self.records.len().min(most)).collect();
        for record in &taken {
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

    fn push(&self, record: audit_record::Model) {
        let mut waiting = self.waiting();
        waiting.count(&record);
        waiting.records.push_back(record);
    }

    fn put_back(&self, records: Vec<audit_record::Model>) {
        let mut waiting = self.waiting();
        for record in records.into_iter().rev() {
            waiting.count(&record);
            waiting.records.push_front(record);
        }
    }
}

/// What one request looks at: a record for each scope, queued when the last slice of the request is gone.
pub(super) struct Seen {
    looks: Arc<Looks>,
    records: Mutex<BTreeMap<Scope, (audit_record::Model, BTreeSet<String>)>>,
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
        for (record, subjects) in std::mem::take(records).into_values() {
            let subjects: Vec<String> = subjects.into_iter().collect();
            self.looks.push(audit_record::Model { subject: Some(subjects.join(" ")), ..record });
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

    /// Notes that the viewer looked at masked personal data of something.
    pub fn looked_at(&self, scope: Scope, subject: String) {
        let mut records = self.seen.records.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || (self.look(scope, AuditOutcome::Looked), BTreeSet::new());
        records.entry(scope).or_insert_with(new).1.insert(subject);
    }

    /// Writes down that the viewer is shown personal data in the clear, before it is.
    pub async fn unmasks(&self, scope: Scope, subjects: &[String]) -> Result<()> {
        let record = self.look(scope, AuditOutcome::Unmasked);
        write(&self.database, vec![audit_record::Model { subject: Some(subjects.join(" ")), ..record }]).await
    }

    fn look(&self, scope: Scope, outcome: AuditOutcome) -> audit_record::Model {
        let purpose = self.purpose.as_deref().filter(|purpose| !purpose.is_empty());
        audit_record::Model {
            id: AuditRecordId::from(Uuid::now_v7()),
            at: self.now(),
            partner_id: self.viewer.partner_id(),
            token_id: self.viewer.token(),
            operator_code: None,
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

async fn write(database: &Database, records: Vec<audit_record::Model>) -> Result<()> {
    let begun = database.begin().await?;
    let rows = records.into_iter().map(|record| record.into_active_model().reset_all());
    audit_record::Entity::insert_many(rows).exec_without_returning(&begun.transaction).await?;
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

    fn look_of(partner: u128) -> audit_record::Model {
        audit_record::Model {
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
        }
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
