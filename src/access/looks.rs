//! Looks at personal data. A masked look is queued and written within a second, so that no read waits for a write; a look in the
//! clear is written before it is answered.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use entity::audit_record;
use entity::id::AuditRecordId;
use entity::kinds::{AuditOutcome, Scope};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel};
use uuid::Uuid;

use super::database::Database;
use super::slice::Slice;
use super::token::Gate;
use crate::error::Result;

/// Most looks that wait. More come only when the database has not taken any for long; they are lost, counted and logged.
const LONGEST_QUEUE: usize = 100_000;
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
    lost: u64,
}

impl Looks {
    fn push(&self, record: audit_record::Model) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.records.len() < LONGEST_QUEUE {
            waiting.records.push_back(record);
        } else {
            waiting.lost += 1;
        }
    }

    fn take(&self) -> (Vec<audit_record::Model>, u64) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let many = waiting.records.len().min(BATCH);
        (waiting.records.drain(..many).collect(), std::mem::take(&mut waiting.lost))
    }

    fn put_back(&self, records: Vec<audit_record::Model>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for record in records.into_iter().rev() {
            waiting.records.push_front(record);
        }
    }
}

impl Slice {
    /// Notes that the viewer looked at masked personal data of something.
    pub fn looked_at(&self, scope: Scope, subject: String) {
        self.looks.push(self.look(scope, subject, AuditOutcome::Looked));
    }

    /// Writes down that the viewer is shown personal data in the clear, before it is.
    pub async fn unmasks(&self, scope: Scope, subjects: &[String]) -> Result<()> {
        let record = self.look(scope, subjects.join(" "), AuditOutcome::Unmasked);
        write(&self.database, vec![record]).await
    }

    fn look(&self, scope: Scope, subject: String, outcome: AuditOutcome) -> audit_record::Model {
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
            subject: Some(subject),
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
            let (records, lost) = self.looks.take();
            if lost > 0 {
                tracing::error!(lost, "looks at personal data were not recorded: too many wait");
            }
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
