//! What an act leaves besides its effect, written with it at its commit: events for the partners concerned, and one audit record.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::{AuditRecordId, EventId, PartnerId, PersonId};
use entity::kinds::{AuditOutcome, OperationStatus};
use entity::{Digest, audit_record, event, look};
use sea_orm::{EntityTrait, IdenStatic, Iterable, ModelTrait, Value};
use sha2::{Digest as _, Sha256};

use super::act::{Act, Answer, Intent};
use crate::error::Result;

/// Gathered while an act works.
#[derive(Default)]
pub(super) struct Records {
    events: Vec<(PartnerId, &'static str, String)>,
    before: Option<Sha256>,
    after: Option<Sha256>,
    /// Whose rows it writes.
    people: BTreeSet<PersonId>,
}

impl Records {
    /// A row that the act writes.
    pub(super) fn wrote<E: EntityTrait>(&mut self, row: &E::Model) {
        feed::<E>(self.after.get_or_insert_default(), row);
        self.people.extend(person_of::<E>(row));
    }
}

/// The person to whom a row belongs.
fn person_of<E: EntityTrait>(row: &E::Model) -> Option<PersonId> {
    let column = E::Column::iter().find(|column| column.as_str() == "person_id")?;
    match row.get(column) {
        Value::Uuid(id) => id.map(PersonId::from),
        _ => None,
    }
}

/// A row into a digest: the table's name, then each column with its value, in the table's own order.
fn feed<E: EntityTrait>(digest: &mut Sha256, row: &E::Model) {
    digest.update(E::default().table_name());
    for column in E::Column::iter() {
        digest.update([0]);
        digest.update(column.as_str());
        digest.update([1]);
        digest.update(written(&row.get(column)));
    }
    digest.update([2]);
}

/// A value as it stands in a digest or under a seal: the same on every database.
pub(super) fn written(value: &Value) -> Vec<u8> {
    match value {
        Value::Bytes(bytes) => bytes.clone().unwrap_or_default(),
        Value::String(text) => text.clone().unwrap_or_default().into_bytes(),
        other => other.to_string().into_bytes(),
    }
}

fn finished(digest: Option<Sha256>) -> Option<Digest> {
    digest.map(|digest| Digest(digest.finalize().to_vec()))
}

impl Act {
    /// Tells partners that something happened to a thing; each of them once.
    pub fn tell(
        &mut self,
        kind: &'static str,
        subject: String,
        concerned: impl IntoIterator<Item = PartnerId>,
    ) {
        for partner in concerned {
            let told = (partner, kind, subject.clone());
            if !self.records.events.contains(&told) {
                self.records.events.push(told);
            }
        }
    }

    /// A row as it was before this act changes it: its digest stands in the audit record.
    pub fn changes<E: EntityTrait>(&mut self, before: &E::Model) {
        feed::<E>(self.records.before.get_or_insert_default(), before);
    }

    /// Goes on with something that happened at an instant: what follows on it is later, also when the clock was set back since.
    pub fn follows(&mut self, earlier: DateTime<Utc>) {
        self.now = self.now.max(earlier + TimeDelta::microseconds(1));
    }

    /// Writes everything that was gathered.
    pub(super) async fn write_records(
        &mut self,
        intent: &Intent<'_>,
        status: OperationStatus,
        answer: &Answer,
    ) -> Result<()> {
        let records = std::mem::take(&mut self.records);
        let events: Vec<event::Model> = records
            .events
            .into_iter()
            .map(|(partner_id, kind, subject)| event::Model {
                id: self.new_id::<EventId>(),
                partner_id,
                kind: kind.to_owned(),
                subject,
                at: self.now(),
                position: None,
            })
            .collect();
        self.write_all::<event::Entity>(&events).await?;
        let done = status != OperationStatus::Rejected;
        let viewer = self.slice().viewer();
        let record = audit_record::Model {
            id: self.new_id::<AuditRecordId>(),
            at: self.now(),
            partner_id: viewer.partner_id(),
            token_id: viewer.token(),
            // The person whom a token names acts, whatever the request states.
            operator_code: viewer.operator().or(intent.operator.map(|(code, _)| code)).map(str::to_owned),
            scope: intent.scope,
            act: intent.mutation.to_owned(),
            outcome: if done { AuditOutcome::Done } else { AuditOutcome::Refused },
            subject: answer.result.clone(),
            operation_key: Some(intent.key.to_owned()),
            before_digest: finished(records.before).filter(|_| done),
            after_digest: finished(records.after).filter(|_| done),
            origin: self.slice().origin(),
            seal_number: None,
            place: None,
        };
        let people = records.people.into_iter().filter(|_| done);
        let looks: Vec<look::Model> =
            people.map(|person_id| look::Model { person_id, record_id: record.id }).collect();
        self.write_all::<audit_record::Entity>(&[record]).await?;
        self.write_all::<look::Entity>(&looks).await
    }
}
