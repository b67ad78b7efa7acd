use async_graphql::{Context, ID, InputObject, InputType, Object, SimpleObject};
use entity::agreement;
use entity::id::{AgreementId, PartnerId};
use entity::kinds::Scope;
use entity::partner;
use futures_util::FutureExt;
use sea_orm::ColumnTrait;

use crate::access::{Act, Answered, Intent, Outcome, Slice};
use crate::error::Result;
use crate::graph::agreement::Agreement;
use crate::graph::scalars::{Date, IdempotencyKey};
use crate::graph::slice;
use crate::graph::user_error::{UserError, user_errors};
use crate::page::{key_of, type_id};
use crate::refusal::{Reason, Refusal};

#[derive(InputObject)]
pub struct RegisterAgreementInput {
    pub key: IdempotencyKey,
    pub partner_id: ID,
    pub programme_code: String,
    pub valid_from: Date,
    /// Its last day; open without.
    pub valid_to: Option<Date>,
}

#[derive(SimpleObject)]
pub struct AgreementPayload {
    /// As it is now; null with `userErrors`.
    agreement: Option<Agreement>,
    /// True when this key was answered before: same answer, nothing done twice.
    replayed: bool,
    user_errors: Vec<UserError>,
}

#[derive(Default)]
pub struct RegisterAgreement;

#[Object]
impl RegisterAgreement {
    /// Administrators of the bureau: register what a partner may do for a programme, and when. It counts within four seconds.
    async fn register_agreement(
        &self,
        ctx: &Context<'_>,
        input: RegisterAgreementInput,
    ) -> Result<Option<AgreementPayload>> {
        payload(register(slice(ctx)?, &input).await?).await
    }
}

/// The payload of an answered act on an agreement.
pub async fn payload(answered: Answered<agreement::Model>) -> Result<Option<AgreementPayload>> {
    let agreement = match (answered.fresh, answered.answer.result.as_deref().and_then(key_of::<AgreementId>))
    {
        (Some(fresh), _) => Some(fresh),
        (None, Some(id)) => {
            answered.slice.select::<agreement::Entity>()?.only(agreement::Column::Id.eq(id)).one().await?
        }
        (None, None) => None,
    };
    Ok(Some(AgreementPayload {
        agreement: agreement.map(Agreement),
        replayed: answered.replayed,
        user_errors: user_errors(answered.answer.refusals),
    }))
}

/// Registers an agreement under the caller's key.
pub async fn register(slice: &Slice, input: &RegisterAgreementInput) -> Result<Answered<agreement::Model>> {
    let intent = Intent {
        scope: Scope::AdministrationWrite,
        mutation: "registerAgreement",
        key: &input.key.0,
        input: input.to_value(),
        operator: None,
    };
    slice.act(intent, input, |act, input| keep(act, input).boxed()).await
}

async fn keep(act: &mut Act, input: &RegisterAgreementInput) -> Result<Outcome<agreement::Model>> {
    let mut refusals = Vec::new();
    let partner = match key_of::<PartnerId>(&input.partner_id) {
        Some(id) => act.select::<partner::Entity>()?.only(partner::Column::Id.eq(id)).one().await?,
        None => None,
    };
    if partner.is_none() {
        refusals.push(Refusal::new(Reason::NotFound, &["partnerId"]));
    }
    let reference = act.slice().directory().reference().await?;
    let programme = reference.programme_of_code(&input.programme_code);
    if programme.is_none() {
        refusals.push(Refusal::new(Reason::NotFound, &["programmeCode"]));
    }
    if input.valid_to.as_ref().is_some_and(|to| to.0 < input.valid_from.0) {
        refusals.push(Refusal::new(Reason::FromAfterTo, &["validTo"]));
    }
    let (Some(partner), Some(programme), true) = (partner, programme, refusals.is_empty()) else {
        return Outcome::refused(refusals);
    };
    let row = agreement::Model {
        id: act.new_id(),
        partner_id: partner.id,
        programme_id: programme.id,
        valid_from: input.valid_from.0,
        valid_to: input.valid_to.as_ref().map(|to| to.0),
    };
    act.insert::<agreement::Entity>(&row).await?;
    act.tell("agreement.registered", type_id(row.id), [act.slice().viewer().partner_id(), row.partner_id]);
    Ok(Outcome::Done(type_id(row.id), row))
}
