use async_graphql::{Context, Object};
use entity::kinds::ReferralStatus;

use super::referral_step::{ReferralPayload, ReferralStepInput, Request, run};
use crate::error::Result;
use crate::graph::slice;

#[derive(Default)]
pub struct AcceptReferral;

#[Object]
impl AcceptReferral {
    /// Take on a referral that was sent to you (受理).
    async fn accept_referral(
        &self,
        ctx: &Context<'_>,
        input: ReferralStepInput,
    ) -> Result<Option<ReferralPayload>> {
        let request = Request::noted("acceptReferral", &input, ReferralStatus::Accepted);
        run(slice(ctx)?, request).await
    }
}
