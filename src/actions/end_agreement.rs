use async_graphql::{Context, ID, InputObject, InputType, Object};
use entity::agreement;
use entity::id::AgreementId;
use entity::kinds::Scope;
use futures_util::FutureExt;
use sea_orm::ColumnTrait;
use sea_orm::sea_query::Expr;

use super::register_agreement::{AgreementPayload, payload};
use crate::access::{Act, Answered, Intent, Outcome, Slice};
use crate::error::Result;
use crate::graph::scalars::{Date, IdempotencyKey};
use crate::graph::slice;
use crate::page::{key_of, type_id};
use crate::refusal::{Reason, Refusal};

#[derive(InputObject)]
pub struct EndAgreementInput {
    pub key: IdempotencyKey,
    pub agreement_id: ID,
    /// Its last day, not before its first.
    pub valid_to: Date,
}

#[derive(Default)]
pub struct EndAgreement;

#[Object]
impl EndAgreement {
    /// Administrators of the bureau: set the last day of an agreement. What happened while it was in force can still be posted: each
    /// act is judged on its own date.
    async fn end_agreement(
        &self,
        ctx: &Context<'_>,
        input: EndAgreementInput,
    ) -> Result<Option<AgreementPayload>> {
        payload(end(slice(ctx)?, &input).await?).await
    }
}

/// Ends an agreement under the caller's key.
pub async fn end(slice: &Slice, input: &EndAgreementInput) -> Result<Answered<agreement::Model>> {
    let intent = Intent {
        scope: Scope::AdministrationWrite,
        mutation: "endAgreement",
        key: &input.key.0,
        input: input.to_value(),
        operator: None,
    };
    slice.act(intent, input, |act, input| set_end(act, input).boxed()).await
}

async fn set_end(act: &mut Act, input: &EndAgreementInput) -> Result<Outcome<agreement::Model>> {
    let row = match key_of::<AgreementId>(&input.agreement_id) {
        Some(id) => act.select::<agreement::Entity>()?.only(agreement::Column::Id.eq(id)).one().await?,
        None => None,
    };
    let Some(row) = row else {
        return Outcome::refused(vec![Refusal::new(Reason::NotFound, &["agreementId"])]);
    };
    if input.valid_to.0 < row.valid_from {
        return Outcome::refused(vec![Refusal::new(Reason::FromAfterTo, &["validTo"])]);
    }
    act.changes::<agreement::Entity>(&row);
    let set = [(agreement::Column::ValidTo, Expr::value(input.valid_to.0))];
    act.set_if::<agreement::Entity>(set, agreement::Column::Id.eq(row.id)).await?;
    act.tell("agreement.ended", type_id(row.id), [act.slice().viewer().partner_id(), row.partner_id]);
    let row = agreement::Model { valid_to: Some(input.valid_to.0), ..row };
    Ok(Outcome::Done(type_id(row.id), row))
}
