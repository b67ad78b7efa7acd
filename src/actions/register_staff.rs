use async_graphql::{Context, InputObject, InputType, Object, SimpleObject};
use entity::id::StaffId;
use entity::kinds::{Role, Scope};
use entity::staff;
use futures_util::FutureExt;
use sea_orm::ColumnTrait;

use super::register_partner::check_area;
use crate::access::{Act, Answered, Intent, Outcome, Slice};
use crate::error::Result;
use crate::graph::scalars::IdempotencyKey;
use crate::graph::staff::Staff;
use crate::graph::text::{Number, check_number, check_text};
use crate::graph::user_error::{UserError, user_errors};
use crate::graph::{slice, words};
use crate::page::{key_of, type_id};
use crate::refusal::{Administrative, Reason, Refusal};
use crate::rules::duties;

const LONGEST_CODE: usize = 64;
const LONGEST_NAME: usize = 100;

#[derive(InputObject)]
pub struct RegisterStaffInput {
    pub key: IdempotencyKey,
    /// Unique: the number on the person's badge.
    pub code: Number,
    pub name: String,
    /// Duties that may meet in one person.
    pub roles: Vec<words::Role>,
    /// The area code of the territory that the person works for, within the bureau's.
    pub area: String,
}

#[derive(SimpleObject)]
pub struct RegisterStaffPayload {
    /// Null with `userErrors`.
    staff: Option<Staff>,
    /// True when this key was answered before: same answer, nothing done twice.
    replayed: bool,
    user_errors: Vec<UserError>,
}

#[derive(Default)]
pub struct RegisterStaff;

#[Object]
impl RegisterStaff {
    /// Administrators of the bureau: register a person of its staff.
    async fn register_staff(
        &self,
        ctx: &Context<'_>,
        input: RegisterStaffInput,
    ) -> Result<Option<RegisterStaffPayload>> {
        let answered = register(slice(ctx)?, &input).await?;
        let staff = match (answered.fresh, answered.answer.result.as_deref().and_then(key_of::<StaffId>)) {
            (Some(fresh), _) => Some(fresh),
            (None, Some(id)) => {
                answered.slice.select::<staff::Entity>()?.only(staff::Column::Id.eq(id)).one().await?
            }
            (None, None) => None,
        };
        Ok(Some(RegisterStaffPayload {
            staff: staff.map(Staff),
            replayed: answered.replayed,
            user_errors: user_errors(answered.answer.refusals),
        }))
    }
}

/// Registers a person under the caller's key.
pub async fn register(slice: &Slice, input: &RegisterStaffInput) -> Result<Answered<staff::Model>> {
    let intent = Intent {
        scope: Scope::AdministrationWrite,
        mutation: "registerStaff",
        key: &input.key.0,
        input: input.to_value(),
        operator: None,
    };
    slice.act(intent, input, |act, input| keep(act, input).boxed()).await
}

async fn keep(act: &mut Act, input: &RegisterStaffInput) -> Result<Outcome<staff::Model>> {
    let mut refusals = Vec::new();
    refusals.extend(check_number(&input.code, LONGEST_CODE, "code"));
    refusals.extend(check_text(&input.name, LONGEST_NAME, "name"));
    refusals.extend(check_area(act, &input.area));
    let roles: Vec<Role> = words::distinct::<_, Role>(input.roles.clone()).into_iter().collect();
    if roles.is_empty() {
        refusals.push(Refusal::new(Reason::Empty, &["roles"]));
    }
    if let Some((one, two)) = duties::conflict(&roles) {
        let fault = Administrative::DutiesConflict { one, two };
        refusals.push(Refusal::new(Reason::Administration(fault), &["roles"]));
    }
    let taken =
        act.select::<staff::Entity>()?.only(staff::Column::Code.eq(input.code.as_str())).one().await?;
    if taken.is_some() {
        refusals.push(Refusal::new(Reason::Administration(Administrative::CodeTaken), &["code"]));
    }
    if !refusals.is_empty() {
        return Outcome::refused(refusals);
    }
    let row = staff::Model {
        id: act.new_id(),
        partner_id: act.slice().viewer().partner_id(),
        code: input.code.as_str().to_owned(),
        name: input.name.clone(),
        roles: roles.iter().map(|role| role.word()).collect::<Vec<_>>().join(" "),
        area: input.area.clone(),
        created_at: act.now(),
        suspended_at: None,
    };
    act.insert::<staff::Entity>(&row).await?;
    act.tell("staff.registered", type_id(row.id), [row.partner_id]);
    Ok(Outcome::Done(type_id(row.id), row))
}
