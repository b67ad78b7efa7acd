use async_graphql::{Context, InputObject, InputType, Object, SimpleObject};
use entity::id::PartnerId;
use entity::kinds::{PartnerKind, Scope};
use entity::partner;
use futures_util::FutureExt;
use sea_orm::ColumnTrait;
use std::sync::Arc;

use crate::access::{Act, Answered, Intent, Outcome, Slice};
use crate::error::Result;
use crate::graph::partner::{Partner, is_area};
use crate::graph::scalars::IdempotencyKey;
use crate::graph::text::{Number, check_number, check_text};
use crate::graph::user_error::{UserError, user_errors};
use crate::graph::{slice, words};
use crate::page::{key_of, type_id};
use crate::refusal::{Administrative, Reason, Refusal};

/// Longest code and name of a partner, in characters.
pub const LONGEST_CODE: usize = 64;
pub const LONGEST_NAME: usize = 100;

#[derive(InputObject)]
pub struct RegisterPartnerInput {
    pub key: IdempotencyKey,
    /// Unique and stable, e.g. `H41999900153`, `SM-RUHELU`.
    pub code: Number,
    /// Anything but BUREAU.
    pub kind: words::PartnerKind,
    pub name: String,
    /// The area code of its territory, within the bureau's: 6, 9 or 12 digits.
    pub area: String,
}

#[derive(SimpleObject)]
pub struct RegisterPartnerPayload {
    /// Null with `userErrors`.
    partner: Option<Partner>,
    /// True when this key was answered before: same answer, nothing done twice.
    replayed: bool,
    user_errors: Vec<UserError>,
}

#[derive(Default)]
pub struct RegisterPartner;

#[Object]
impl RegisterPartner {
    /// Administrators of the bureau: register a partner. It can do nothing until it has a client and, for what it is paid, an agreement.
    async fn register_partner(
        &self,
        ctx: &Context<'_>,
        input: RegisterPartnerInput,
    ) -> Result<Option<RegisterPartnerPayload>> {
        let answered = register(slice(ctx)?, &input).await?;
        let partner = match (answered.fresh, answered.answer.result.as_deref().and_then(key_of::<PartnerId>))
        {
            (Some(fresh), _) => Some(Arc::new(fresh)),
            (None, Some(id)) => Some(answered.slice.directory().partner(id).await?),
            (None, None) => None,
        };
        Ok(Some(RegisterPartnerPayload {
            partner: partner.map(Partner),
            replayed: answered.replayed,
            user_errors: user_errors(answered.answer.refusals),
        }))
    }
}

/// Registers a partner under the caller's key.
pub async fn register(slice: &Slice, input: &RegisterPartnerInput) -> Result<Answered<partner::Model>> {
    let intent = Intent {
        scope: Scope::AdministrationWrite,
        mutation: "registerPartner",
        key: &input.key.0,
        input: input.to_value(),
        operator: None,
    };
    slice.act(intent, input, |act, input| keep(act, input).boxed()).await
}

async fn keep(act: &mut Act, input: &RegisterPartnerInput) -> Result<Outcome<partner::Model>> {
    let mut refusals = Vec::new();
    refusals.extend(check_number(&input.code, LONGEST_CODE, "code"));
    refusals.extend(check_text(&input.name, LONGEST_NAME, "name"));
    refusals.extend(check_area(act, &input.area));
    let kind = PartnerKind::from(input.kind);
    if kind == PartnerKind::Bureau {
        refusals.push(Refusal::new(Reason::Administration(Administrative::OneBureau), &["kind"]));
    }
    let taken =
        act.select::<partner::Entity>()?.only(partner::Column::Code.eq(input.code.as_str())).one().await?;
    if taken.is_some() {
        refusals.push(Refusal::new(Reason::Administration(Administrative::CodeTaken), &["code"]));
    }
    if !refusals.is_empty() {
        return Outcome::refused(refusals);
    }
    let row = partner::Model {
        id: act.new_id(),
        code: input.code.as_str().to_owned(),
        kind,
        name: input.name.clone(),
        area: input.area.clone(),
        created_at: act.now(),
        suspended_at: None,
    };
    act.insert::<partner::Entity>(&row).await?;
    act.tell("partner.registered", type_id(row.id), [act.slice().viewer().partner_id()]);
    Ok(Outcome::Done(type_id(row.id), row))
}

/// What can be said against an area that a partner or a person is to work for.
pub fn check_area(act: &Act, area: &str) -> Option<Refusal> {
    let territory = &act.slice().viewer().partner().area;
    let fault = match () {
        () if !is_area(area) || area.len() < 6 => Administrative::NotAnArea,
        () if !area.starts_with(territory.as_str()) => {
            Administrative::OutsideTerritory { area: territory.clone() }
        }
        () => return None,
    };
    Some(Refusal::new(Reason::Administration(fault), &["area"]))
}
