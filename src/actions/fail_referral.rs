use async_graphql::{Context, Object};
use entity::kinds::ReferralStatus;

use super::referral_step::{ReferralPayload, ReferralReasonInput, Request, run};
use crate::error::Result;
use crate::graph::slice;

#[derive(Default)]
pub struct FailReferral;

#[Object]
impl FailReferral {
    /// End a referral that came to nothing, with the reason.
    async fn fail_referral(
        &self,
        ctx: &Context<'_>,
        input: ReferralReasonInput,
    ) -> Result<Option<ReferralPayload>> {
        let request = Request::reasoned("failReferral", &input, ReferralStatus::Failed);
        run(slice(ctx)?, request).await
    }
}
