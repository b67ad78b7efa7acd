use async_graphql::{Context, Object};

use super::language;
use crate::refusal::{Code, Refusal};

/// A business reason why nothing was done. Faults of the request itself (no token, no scope, bad syntax, limits) are GraphQL
/// errors with `extensions.code`.
pub struct UserError(pub Refusal);

/// A business reason why nothing was done. Faults of the request itself (no token, no scope, bad syntax, limits) are GraphQL
/// errors with `extensions.code`.
#[Object]
impl UserError {
    async fn code(&self) -> Code {
        self.0.reason.code()
    }

    /// For people; in the language of Accept-Language (zh-CN or en).
    async fn message(&self, ctx: &Context<'_>) -> String {
        self.0.reason.message(language(ctx))
    }

    /// Path into `input`, e.g. `["bill", "totalCost"]`.
    async fn field(&self) -> Option<&[String]> {
        (!self.0.field.is_empty()).then_some(self.0.field.as_slice())
    }
}

/// For the payloads.
pub fn user_errors(refusals: Vec<Refusal>) -> Vec<UserError> {
    refusals.into_iter().map(UserError).collect()
}
