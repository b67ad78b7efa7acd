use async_graphql::{Context, Object};
use entity::kinds::ReferralStatus;

use super::referral_step::{ReferralPayload, ReferralReasonInput, Request, run};
use crate::error::Result;
use crate::graph::slice;

#[derive(Default)]
pub struct DeclineReferral;

#[Object]
impl DeclineReferral {
    /// Refuse a referral that was sent to you, with the reason (退回).
    async fn decline_referral(
        &self,
        ctx: &Context<'_>,
        input: ReferralReasonInput,
    ) -> Result<Option<ReferralPayload>> {
        let request = Request::reasoned("declineReferral", &input, ReferralStatus::Declined);
        run(slice(ctx)?, request).await
    }
}
