use async_graphql::{Context, Object};
use entity::kinds::ReferralStatus;

use super::referral_step::{ReferralPayload, ReferralReasonInput, Request, run};
use crate::error::Result;
use crate::graph::slice;

#[derive(Default)]
pub struct HoldReferral;

#[Object]
impl HoldReferral {
    /// Put a referral on hold while you wait for something, with the reason (挂起).
    async fn hold_referral(
        &self,
        ctx: &Context<'_>,
        input: ReferralReasonInput,
    ) -> Result<Option<ReferralPayload>> {
        let request = Request::reasoned("holdReferral", &input, ReferralStatus::OnHold);
        run(slice(ctx)?, request).await
    }
}
