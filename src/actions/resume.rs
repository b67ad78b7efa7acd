use async_graphql::{Context, InputType, Object};
use entity::kinds::Scope;
use futures_util::FutureExt;

use super::suspend::{SuspensionInput, SuspensionPayload, payload, set};
use crate::access::{Answered, Intent, Slice};
use crate::error::Result;
use crate::graph::slice;

#[derive(Default)]
pub struct Resume;

#[Object]
impl Resume {
    /// Administrators of the bureau: let a suspended partner, client or person go on. Tokens that have not expired meanwhile are good
    /// again.
    async fn resume(&self, ctx: &Context<'_>, input: SuspensionInput) -> Result<Option<SuspensionPayload>> {
        payload(resume(slice(ctx)?, &input).await?).await
    }
}

/// Resumes under the caller's key.
pub async fn resume(slice: &Slice, input: &SuspensionInput) -> Result<Answered<()>> {
    let intent = Intent {
        scope: Scope::AdministrationWrite,
        mutation: "resume",
        key: &input.key.0,
        input: input.to_value(),
        operator: None,
    };
    slice.act(intent, input, |act, input| set(act, input, None).boxed()).await
}
