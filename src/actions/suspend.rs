use async_graphql::{Context, ID, InputObject, InputType, Object, SimpleObject};
use chrono::{DateTime, Utc};
use entity::id::{ClientId, Key, PartnerId, StaffId};
use entity::kinds::Scope;
use entity::{client, partner, staff};
use futures_util::FutureExt;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition};

use crate::access::policy::Written;
use crate::access::{Act, Answered, Intent, Outcome, Slice};
use crate::error::Result;
use crate::graph::node::{Node, node};
use crate::graph::scalars::IdempotencyKey;
use crate::graph::slice;
use crate::graph::user_error::{UserError, user_errors};
use crate::page::{key_of, prefix_of, type_id};
use crate::refusal::{Administrative, Reason, Refusal};

/// Names whose tokens are to end, or to be good again.
#[derive(InputObject)]
pub struct SuspensionInput {
    pub key: IdempotencyKey,
    /// The id of a partner, of a client, or of a person of the bureau's staff.
    pub id: ID,
}

#[derive(SimpleObject)]
pub struct SuspensionPayload {
    /// As it is now; null with `userErrors`.
    subject: Option<Node>,
    /// True when this key was answered before: same answer, nothing done twice.
    replayed: bool,
    user_errors: Vec<UserError>,
}

#[derive(Default)]
pub struct Suspend;

#[Object]
impl Suspend {
    /// Administrators of the bureau: end every token of a partner, a client or a person, everywhere and within five seconds, open
    /// streams included. It gets no new ones until it is resumed; what was done stays.
    async fn suspend(&self, ctx: &Context<'_>, input: SuspensionInput) -> Result<Option<SuspensionPayload>> {
        payload(suspend(slice(ctx)?, &input).await?).await
    }
}

/// The payload of an answered suspension, or of its end.
pub async fn payload(answered: Answered<()>) -> Result<Option<SuspensionPayload>> {
    let subject = match &answered.answer.result {
        Some(id) => node(&answered.slice, &ID::from(id)).await?,
        None => None,
    };
    Ok(Some(SuspensionPayload {
        subject,
        replayed: answered.replayed,
        user_errors: user_errors(answered.answer.refusals),
    }))
}

/// Suspends under the caller's key.
pub async fn suspend(slice: &Slice, input: &SuspensionInput) -> Result<Answered<()>> {
    let intent = Intent {
        scope: Scope::AdministrationWrite,
        mutation: "suspend",
        key: &input.key.0,
        input: input.to_value(),
        operator: None,
    };
    slice
        .act(intent, input, |act, input| {
            let now = act.now();
            set(act, input, Some(now)).boxed()
        })
        .await
}

/// Sets when something was suspended, or that it is not.
pub(super) async fn set(
    act: &mut Act,
    input: &SuspensionInput,
    at: Option<DateTime<Utc>>,
) -> Result<Outcome<()>> {
    use {client::Entity as Client, partner::Entity as Partner, staff::Entity as Staff};
    let viewer = act.slice().viewer();
    let own = [Some(type_id(viewer.partner_id())), viewer.staff().map(|staff| type_id(staff.id))];
    if at.is_some() && own.iter().flatten().any(|own| *own == input.id.as_str()) {
        let fault = Reason::Administration(Administrative::Oneself);
        return Outcome::refused(vec![Refusal::new(fault, &["id"])]);
    }
    let (kind, done) = match prefix_of(&input.id).as_deref() {
        Some(PartnerId::PREFIX) => {
            let columns = (partner::Column::Id, partner::Column::SuspendedAt);
            (EVENTS[0], set_in::<Partner, PartnerId>(act, &input.id, columns, at).await?)
        }
        Some(ClientId::PREFIX) => {
            let columns = (client::Column::Id, client::Column::SuspendedAt);
            (EVENTS[1], set_in::<Client, ClientId>(act, &input.id, columns, at).await?)
        }
        Some(StaffId::PREFIX) => {
            let columns = (staff::Column::Id, staff::Column::SuspendedAt);
            (EVENTS[2], set_in::<Staff, StaffId>(act, &input.id, columns, at).await?)
        }
        _ => (EVENTS[0], false),
    };
    if !done {
        return Outcome::refused(vec![Refusal::new(Reason::NotFound, &["id"])]);
    }
    let kind = if at.is_some() { kind.0 } else { kind.1 };
    act.tell(kind, input.id.to_string(), [act.slice().viewer().partner_id()]);
    Ok(Outcome::Done(input.id.to_string(), ()))
}

/// Of a partner, a client, a person: suspended, resumed.
const EVENTS: [(&str, &str); 3] = [
    ("partner.suspended", "partner.resumed"),
    ("client.suspended", "client.resumed"),
    ("staff.suspended", "staff.resumed"),
];

/// Whether there is such a row; one that is suspended already keeps its time.
async fn set_in<E, K>(
    act: &mut Act,
    id: &str,
    (key, column): (E::Column, E::Column),
    at: Option<DateTime<Utc>>,
) -> Result<bool>
where
    E: Written,
    K: Key,
    sea_orm::Value: From<K>,
{
    let Some(id) = key_of::<K>(id) else { return Ok(false) };
    let Some(row) = act.select::<E>()?.only(key.eq(id)).one().await? else { return Ok(false) };
    act.changes::<E>(&row);
    let standing = if at.is_some() { column.is_null() } else { column.is_not_null() };
    let only = Condition::all().add(key.eq(id)).add(standing);
    act.set_if::<E>([(column, Expr::value(at))], only).await?;
    Ok(true)
}
