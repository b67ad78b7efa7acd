use async_graphql::{Context, Object};
use entity::kinds::ReferralStatus;

use super::referral_step::{ReferralPayload, ReferralReasonInput, Request, run};
use crate::error::Result;
use crate::graph::slice;

#[derive(Default)]
pub struct CancelReferral;

#[Object]
impl CancelReferral {
    /// Withdraw a referral before it is done, with the reason; either side may.
    async fn cancel_referral(
        &self,
        ctx: &Context<'_>,
        input: ReferralReasonInput,
    ) -> Result<Option<ReferralPayload>> {
        let request = Request::reasoned("cancelReferral", &input, ReferralStatus::Cancelled);
        run(slice(ctx)?, request).await
    }
}
