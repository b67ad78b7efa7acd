use async_graphql::{Context, ID, InputObject, InputType, Object};
use entity::consent;
use entity::id::ConsentId;
use entity::kinds::Scope;
use futures_util::FutureExt;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition};

use super::record_consent::{ConsentPayload, payload};
use crate::access::{Act, Intent, Outcome};
use crate::error::Result;
use crate::graph::scalars::IdempotencyKey;
use crate::graph::slice;
use crate::page::{key_of, type_id};
use crate::refusal::{Reason, Refusal};

#[derive(InputObject)]
pub struct WithdrawConsentInput {
    key: IdempotencyKey,
    consent_id: ID,
}

#[derive(Default)]
pub struct WithdrawConsent;

#[Object]
impl WithdrawConsent {
    /// Record that a person took a consent back; what it allowed ends at once, in running referrals too. Only the partner that
    /// recorded it may; a consent that was withdrawn before stays as it is.
    async fn withdraw_consent(
        &self,
        ctx: &Context<'_>,
        input: WithdrawConsentInput,
    ) -> Result<Option<ConsentPayload>> {
        let intent = Intent {
            scope: Scope::ConsentWrite,
            mutation: "withdrawConsent",
            key: &input.key.0,
            input: input.to_value(),
            operator: None,
        };
        let answered = slice(ctx)?.act(intent, &input, |act, input| withdraw(act, input).boxed()).await?;
        payload(answered).await
    }
}

async fn withdraw(act: &mut Act, input: &WithdrawConsentInput) -> Result<Outcome<consent::Model>> {
    let not_found = || Outcome::refused(vec![Refusal::new(Reason::NotFound, &["consentId"])]);
    let Some(id) = key_of::<ConsentId>(&input.consent_id) else { return not_found() };
    let recorder = act.slice().viewer().partner_id();
    let own = Condition::all().add(consent::Column::Id.eq(id)).add(consent::Column::RecorderId.eq(recorder));
    let standing = own.clone().add(consent::Column::WithdrawnAt.is_null());
    let set = [(consent::Column::WithdrawnAt, Expr::value(act.now()))];
    let row = match act.set_if::<consent::Entity>(set, standing).await?.pop() {
        Some(row) => {
            act.tell("consent.withdrawn", type_id(row.id), [row.recorder_id, row.receiver_id]);
            Some(row)
        }
        None => act.select::<consent::Entity>()?.only(own).one().await?,
    };
    match row {
        Some(row) => Ok(Outcome::Done(type_id(row.id), row)),
        None => not_found(),
    }
}
