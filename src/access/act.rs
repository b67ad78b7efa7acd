//! The one way to write: an act has a key, one transaction, and one answer that is kept with its effect.

use chrono::{DateTime, NaiveDate, Utc};
use entity::id::{Key, OperationId};
use entity::kinds::{OperationStatus, Scope};
use entity::{entry, operation};
use futures_util::future::BoxFuture;
use sea_orm::{ColumnTrait, DatabaseExecutor};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use uuid::Uuid;

use super::database::Begun;
use super::policy::Sliced;
use super::records::Records;
use super::slice::{Selection, Slice, covers};
use crate::error::{Error, Result};
use crate::refusal::{Reason, Refusal};

/// Most reasons that an answer gives and keeps.
const MOST_REFUSALS: usize = 50;
/// How often an act is run when PostgreSQL reports contention.
const ATTEMPTS: u32 = 4;

/// One intended effect, as the partner asked for it.
pub struct Intent<'a> {
    pub scope: Scope,
    /// The mutation's name in the contract.
    pub mutation: &'static str,
    /// The partner's key.
    pub key: &'a str,
    /// The coerced input, for telling a repeated request from another one.
    pub input: async_graphql::Value,
    /// Who pressed the button at the partner's side: code and name.
    pub operator: Option<(&'a str, Option<&'a str>)>,
}

/// What an act found out, kept word for word for whoever asks again.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Answer {
    /// The outside id of what came out of it.
    pub result: Option<String>,
    pub refusals: Vec<Refusal>,
    /// The signed receipt of an act that moved money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<String>,
    /// More that belongs to the answer, such as the calculation.
    #[serde(default, skip_serializing_if = "Json::is_null")]
    pub details: Json,
}

/// How the work of an act ended.
pub enum Outcome<T> {
    /// It is done: the outside id of the result, and the rows as they now are.
    Done(String, T),
    /// Nothing is done, for these reasons.
    Refused(Vec<Refusal>, Json),
}

impl<T> Outcome<T> {
    pub fn refused(refusals: Vec<Refusal>) -> Result<Self> {
        Ok(Self::Refused(refusals, Json::Null))
    }
}

/// An answer with how it came about.
pub struct Answered<T> {
    pub answer: Answer,
    /// This key was answered before.
    pub replayed: bool,
    /// The rows of a fresh result; a replay reads them as they are now.
    pub fresh: Option<T>,
    /// The slice in which the result is read: an act may show what it wrote, whatever else the token may read.
    pub slice: Slice,
}

/// The work of an act: run in its transaction, and run again from the start after contention.
pub type Work<I, T> = for<'a> fn(&'a mut Act, &'a I) -> BoxFuture<'a, Result<Outcome<T>>>;

/// An open act.
pub struct Act {
    pub(super) slice: Slice,
    pub(super) begun: Begun,
    pub(super) now: DateTime<Utc>,
    scope: Scope,
    key: String,
    pub(super) wrote: bool,
    pub(super) spoiled: Option<&'static str>,
    /// What it posts to the ledger, written at its commit.
    pub(super) entries: Vec<entry::Model>,
    pub(super) records: Records,
}

impl Slice {
    /// Runs an act: its effect, its operation row and its answer live or die together.
    ///
    /// A key that was answered before gives its first answer again; with another input it is refused, and so is a voided one.
    pub async fn act<I: Sync, T: Send>(
        &self,
        intent: Intent<'_>,
        input: &I,
        work: Work<I, T>,
    ) -> Result<Answered<T>> {
        self.demand(intent.scope)?;
        let acting = self.acting(intent.scope);
        let hash = self.request_hash(&intent)?;
        let mut attempt = 1;
        loop {
            match acting.attempt(&intent, &hash, input, work).await {
                Err(error) if error.is_contention() && attempt < ATTEMPTS => attempt += 1,
                result => return result,
            }
        }
    }

    async fn attempt<I: Sync, T: Send>(
        &self,
        intent: &Intent<'_>,
        hash: &entity::Digest,
        input: &I,
        work: Work<I, T>,
    ) -> Result<Answered<T>> {
        let mut act = Act {
            slice: self.clone(),
            begun: self.database.begin().await?,
            now: self.now(),
            scope: intent.scope,
            key: intent.key.to_owned(),
            wrote: false,
            spoiled: None,
            entries: Vec::new(),
            records: Records::default(),
        };
        let outcome = match work(&mut act, input).await {
            Ok(outcome) => outcome,
            Err(error) => {
                act.begun.rollback().await;
                return Err(error);
            }
        };
        if let Some(table) = act.spoiled {
            act.begun.rollback().await;
            return Err(Error::internal(format!(
                "{} wrote a row of {table} outside its slice",
                intent.mutation
            )));
        }
        let (answer, status, fresh) = match outcome {
            Outcome::Done(result, fresh) => {
                let receipt = act.receipt(intent.mutation, &result)?;
                let answer = Answer { result: Some(result), receipt, ..Answer::default() };
                (answer, OperationStatus::Succeeded, Some(fresh))
            }
            Outcome::Refused(mut refusals, details) => {
                refusals.truncate(MOST_REFUSALS);
                if act.wrote {
                    act = Act { begun: act.begun.start_over().await?, ..act };
                }
                act.entries.clear();
                act.records = Records::default();
                (Answer { refusals, details, ..Answer::default() }, OperationStatus::Rejected, None)
            }
        };
        let kept = act.keep(intent, hash, status, &answer).await?;
        if kept {
            act.write_entries().await?;
            act.write_records(intent, status, &answer).await?;
            act.begun.commit().await?;
            return Ok(Answered { answer, replayed: false, fresh, slice: self.clone() });
        }
        act.begun.rollback().await;
        self.answered_before(intent, hash).await
    }

    /// The answer of a key that is already there.
    async fn answered_before<T>(&self, intent: &Intent<'_>, hash: &entity::Digest) -> Result<Answered<T>> {
        let operation = self
            .operation(intent.key)
            .await?
            .ok_or_else(|| Error::internal("a key conflicts with an operation that is not there"))?;
        let refused = |reason| Answered {
            answer: Answer { refusals: vec![Refusal::new(reason, &["key"])], ..Answer::default() },
            replayed: false,
            fresh: None,
            slice: self.clone(),
        };
        if operation.voided_by.is_some() {
            return Ok(refused(Reason::KeyVoided));
        }
        if operation.mutation != intent.mutation || operation.request_hash != *hash {
            return Ok(refused(Reason::KeyReused));
        }
        let answer = read_answer(&operation)?;
        Ok(Answered { answer, replayed: true, fresh: None, slice: self.clone() })
    }

    /// What is known about one of the viewer's own keys.
    pub async fn operation(&self, key: &str) -> Result<Option<operation::Model>> {
        self.select::<operation::Entity>()?.only(operation::Column::Key.eq(key)).one().await
    }

    /// The slice in which the result of one of the viewer's own operations is read: whoever may act may learn what became of it.
    pub fn of_operation(&self, operation: &operation::Model) -> Self {
        match self.viewer.has(operation.scope) {
            true => self.acting(operation.scope),
            false => self.clone(),
        }
    }

    /// Refused unless the token has the scope of an operation, or one that reads what it wrote.
    pub fn demand_for(&self, operation: &operation::Model) -> Result<()> {
        let reads = |scope: &Scope| *scope == operation.scope || covers(operation.scope, *scope);
        match self.viewer.scopes().iter().any(reads) {
            true => Ok(()),
            false => Err(Error::Forbidden { scope: operation.scope }),
        }
    }

    /// Equal for equal mutations with equal inputs; what was left out counts as what was given as null.
    fn request_hash(&self, intent: &Intent<'_>) -> Result<entity::Digest> {
        let input = intent.input.clone().into_json().map_err(|error| Error::internal(error.to_string()))?;
        let canonical = format!("{}\n{}", intent.mutation, without_nulls(input));
        Ok(self.keys.digest("request", canonical.as_bytes()))
    }
}

/// The answer that an operation row keeps.
pub fn read_answer(operation: &operation::Model) -> Result<Answer> {
    Answer::deserialize(&operation.answer).map_err(|error| Error::internal(format!("a kept answer: {error}")))
}

fn without_nulls(value: Json) -> Json {
    match value {
        Json::Object(members) => members
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name, without_nulls(value)))
            .collect(),
        Json::Array(items) => items.into_iter().map(without_nulls).collect(),
        other => other,
    }
}

impl Act {
    pub fn slice(&self) -> &Slice {
        &self.slice
    }

    /// Goes on in another scope of the viewer's: a void reads what the original wrote.
    pub fn go_on_in(&mut self, scope: Scope) -> Result<()> {
        self.slice.demand(scope)?;
        self.slice.acting = Some(scope);
        Ok(())
    }

    /// The act's one time.
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// The act's day in China Standard Time.
    pub fn today(&self) -> NaiveDate {
        crate::rules::calendar::china_date(self.now)
    }

    /// The scope in which it acts.
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// The partner's key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// A new key whose order is the act's time, to the microsecond.
    pub fn new_id<K: Key>(&self) -> K {
        let at = self.now;
        let time = uuid::Timestamp::from_unix(
            uuid::ContextV7::new().with_additional_precision(),
            u64::try_from(at.timestamp()).unwrap_or(0),
            at.timestamp_subsec_nanos(),
        );
        K::from(Uuid::new_v7(time))
    }

    /// The rows of a table that the viewer sees, inside this transaction.
    pub fn select<E: Sliced>(&self) -> Result<Selection<'_, E>> {
        Selection::of_slice(&self.slice, self.executor())
    }

    pub(super) fn executor(&self) -> DatabaseExecutor<'_> {
        DatabaseExecutor::from(&self.begun.transaction)
    }

    /// Writes the operation row; tells whether the key was new.
    async fn keep(
        &mut self,
        intent: &Intent<'_>,
        hash: &entity::Digest,
        status: OperationStatus,
        answer: &Answer,
    ) -> Result<bool> {
        let row = operation::Model {
            id: self.new_id::<OperationId>(),
            partner_id: self.slice.viewer.partner_id(),
            key: intent.key.to_owned(),
            mutation: intent.mutation.to_owned(),
            scope: intent.scope,
            request_hash: hash.clone(),
            status,
            answer: serde_json::to_value(answer).map_err(|error| Error::internal(error.to_string()))?,
            voided_by: None,
            operator_code: intent
                .operator
                .map(|(code, _)| code)
                .or(self.slice.viewer.operator())
                .map(str::to_owned),
            operator_name: intent.operator.and_then(|(_, name)| name).map(str::to_owned),
            token_id: self.slice.viewer.token(),
            at: self.now,
        };
        self.insert_if_new::<operation::Entity>(&row).await
    }
}
