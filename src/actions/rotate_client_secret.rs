use async_graphql::{Context, ID, InputObject, InputType, Object};
use chrono::TimeDelta;
use entity::client;
use entity::id::ClientId;
use entity::kinds::{ClientAuthentication, Scope};
use futures_util::FutureExt;
use sea_orm::ColumnTrait;
use sea_orm::sea_query::Expr;

use super::register_client::{ClientPayload, WithSecret, payload};
use crate::access::{Act, Answered, Intent, NewSecret, Outcome, Slice};
use crate::error::{Error, Result};
use crate::graph::scalars::IdempotencyKey;
use crate::graph::slice;
use crate::page::{key_of, type_id};
use crate::refusal::{Administrative, Reason, Refusal};

/// Longest time for which the old secret may stay good.
const MOST_HOURS: u32 = 7 * 24;

#[derive(InputObject)]
pub struct RotateClientSecretInput {
    pub key: IdempotencyKey,
    pub client_id: ID,
    /// For how many hours the old secret stays good beside the new one: 0 to 168. With 0 it ends at once.
    #[graphql(default = 24)]
    pub overlap_hours: i32,
}

#[derive(Default)]
pub struct RotateClientSecret;

#[Object]
impl RotateClientSecret {
    /// Administrators of the bureau: give a client a new secret.
    async fn rotate_client_secret(
        &self,
        ctx: &Context<'_>,
        input: RotateClientSecretInput,
    ) -> Result<Option<ClientPayload>> {
        let with = WithSecret { input, secret: NewSecret::make()? };
        payload(rotate(slice(ctx)?, &with).await?, &with.secret).await
    }
}

/// Rotates a client's secret under the caller's key.
pub async fn rotate(
    slice: &Slice,
    with: &WithSecret<RotateClientSecretInput>,
) -> Result<Answered<client::Model>> {
    let intent = Intent {
        scope: Scope::AdministrationWrite,
        mutation: "rotateClientSecret",
        key: &with.input.key.0,
        input: with.input.to_value(),
        operator: None,
    };
    slice.act(intent, with, |act, with| replace(act, with).boxed()).await
}

async fn replace(
    act: &mut Act,
    with: &WithSecret<RotateClientSecretInput>,
) -> Result<Outcome<client::Model>> {
    let row = match key_of::<ClientId>(&with.input.client_id) {
        Some(id) => act.select::<client::Entity>()?.only(client::Column::Id.eq(id)).one().await?,
        None => None,
    };
    let hours = u32::try_from(with.input.overlap_hours).ok().filter(|hours| *hours <= MOST_HOURS);
    let mut refusals = Vec::new();
    if hours.is_none() {
        let fault = Administrative::OverlapTooLong { most: MOST_HOURS };
        refusals.push(Refusal::new(Reason::Administration(fault), &["overlapHours"]));
    }
    match &row {
        None => refusals.push(Refusal::new(Reason::NotFound, &["clientId"])),
        Some(row) if row.authentication != ClientAuthentication::ClientSecret => {
            refusals.push(Refusal::new(Reason::Administration(Administrative::NoSecret), &["clientId"]));
        }
        Some(_) => {}
    }
    let (Some(row), Some(hours), true) = (row, hours, refusals.is_empty()) else {
        return Outcome::refused(refusals);
    };
    act.changes::<client::Entity>(&row);
    let previous = row.secret_hash.clone().filter(|_| hours > 0);
    let until = previous.as_ref().map(|_| act.now() + TimeDelta::hours(i64::from(hours)));
    let set = [
        (client::Column::SecretHash, Expr::value(with.secret.hash(act.slice().keys()))),
        (client::Column::PreviousSecretHash, Expr::value(previous)),
        (client::Column::PreviousSecretUntil, Expr::value(until)),
    ];
    let changed = act.set_if::<client::Entity>(set, client::Column::Id.eq(row.id)).await?.pop();
    let row = changed.ok_or_else(|| Error::internal("a client vanished while its secret was rotated"))?;
    act.tell("client.secret_rotated", type_id(row.id), [act.slice().viewer().partner_id()]);
    Ok(Outcome::Done(type_id(row.id), row))
}
