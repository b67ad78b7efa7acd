//! Aid cards are put into the world by the charity federation, whose money is on them.

use async_graphql::Value;
use entity::aid_card;
use entity::kinds::Scope;
use futures_util::FutureExt;

use crate::access::{Act, Answered, Intent, Outcome, Slice};
use crate::error::{Error, Result};
use crate::ledger::cards;
use crate::page::type_id;
use crate::refusal::{Reason, Refusal};

/// Issues cards of one programme under the caller's key, each with its face value on it.
pub async fn issue(slice: &Slice, key: &str, rows: &[aid_card::Model]) -> Result<Answered<()>> {
    let ids = rows.iter().map(|card| Value::from(type_id(card.id))).collect();
    let intent = Intent {
        scope: Scope::BudgetWrite,
        mutation: "issueAidCards",
        key,
        input: Value::List(ids),
        operator: None,
    };
    slice.act(intent, &rows, |act, rows| hand_out(act, rows).boxed()).await
}

async fn hand_out(act: &mut Act, rows: &[aid_card::Model]) -> Result<Outcome<()>> {
    let Some(first) = rows.first() else { return Err(Error::internal("no cards to issue")) };
    if rows.iter().any(|card| card.programme_id != first.programme_id || card.balance != card.face_value) {
        return Err(Error::internal("cards of several programmes, or with another balance than their value"));
    }
    act.insert_all::<aid_card::Entity>(rows).await?;
    if !cards::issued(act, first.programme_id, rows).await? {
        return Outcome::refused(vec![Refusal::new(Reason::BudgetExhausted, &[])]);
    }
    let reference = act.slice().directory().reference().await?;
    let programme = reference
        .programme(first.programme_id)
        .ok_or_else(|| Error::internal("cards of a programme that is not there"))?;
    act.tell("aid_cards.issued", type_id(programme.id), reference.owners_of(programme.fund));
    Ok(Outcome::Done(type_id(first.id), ()))
}
