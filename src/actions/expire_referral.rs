use async_graphql::Value;
use chrono::{DateTime, Utc};
use entity::id::{ReferralEventId, ReferralId};
use entity::kinds::{ReferralStatus, Scope};
use entity::{referral, referral_event};
use futures_util::FutureExt;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, Condition};

use super::referral_step::tell;
use crate::access::{Act, Intent, Outcome, Slice};
use crate::error::Result;
use crate::page::type_id;

/// Nobody has answered it, and it is due. The status is written out, not bound: the index of unanswered referrals serves only a
/// statement that says so itself.
fn unanswered(now: DateTime<Utc>) -> Condition {
    let requested = Expr::Constant(ReferralStatus::Requested.word().into());
    Condition::all()
        .add(Expr::col(referral::Column::Status.as_column_ref()).eq(requested))
        .add(referral::Column::DueAt.lte(now))
}

/// Referrals of the bureau's territory that nobody answered in time and whose expiry has not been written, oldest first.
pub async fn due(slice: &Slice, most: u64) -> Result<Vec<ReferralId>> {
    let rows = slice
        .select::<referral::Entity>()?
        .only(unanswered(slice.now()))
        .oldest_first(referral::Column::DueAt)
        .limit(most)
        .all()
        .await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Writes the expiry of a referral, with its event; the clock's act, done once by the bureau. One that is not due is left
/// alone, key and all.
pub async fn expire(slice: &Slice, id: ReferralId) -> Result<bool> {
    let by_id = referral::Column::Id.eq(id);
    if slice.select::<referral::Entity>()?.only(by_id).only(unanswered(slice.now())).one().await?.is_none() {
        return Ok(false);
    }
    // No client can send such a key: theirs are printable.
    let key = format!("\u{1}expire {}", type_id(id));
    let intent = Intent {
        scope: Scope::ReferralWrite,
        mutation: "expireReferral",
        key: &key,
        input: Value::String(type_id(id)),
        operator: None,
    };
    let answered = slice.act(intent, &id, |act, id| write(act, *id).boxed()).await?;
    Ok(answered.fresh.unwrap_or(false))
}

async fn write(act: &mut Act, id: ReferralId) -> Result<Outcome<bool>> {
    let unanswered = unanswered(act.now()).add(referral::Column::Id.eq(id));
    let set = [
        (referral::Column::Status, Expr::value(ReferralStatus::Expired)),
        (referral::Column::UpdatedAt, Expr::value(act.now())),
    ];
    let Some(expired) = act.set_if::<referral::Entity>(set, unanswered).await?.pop() else {
        return Ok(Outcome::Done(type_id(id), false));
    };
    let event = referral_event::Model {
        id: act.new_id::<ReferralEventId>(),
        referral_id: expired.id,
        at: expired.due_at,
        status: ReferralStatus::Expired,
        actor_id: act.slice().viewer().partner_id(),
        note_sealed: None,
    };
    act.insert::<referral_event::Entity>(&event).await?;
    tell(act, &expired).await?;
    Ok(Outcome::Done(type_id(id), true))
}
