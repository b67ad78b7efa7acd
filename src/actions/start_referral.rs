use async_graphql::{Context, Object};
use entity::kinds::ReferralStatus;

use super::referral_step::{ReferralPayload, ReferralStepInput, Request, run};
use crate::error::Result;
use crate::graph::slice;

#[derive(Default)]
pub struct StartReferral;

#[Object]
impl StartReferral {
    /// Begin work on an accepted referral, or go on with one that was on hold (办理中).
    async fn start_referral(
        &self,
        ctx: &Context<'_>,
        input: ReferralStepInput,
    ) -> Result<Option<ReferralPayload>> {
        let request = Request::noted("startReferral", &input, ReferralStatus::InProgress);
        run(slice(ctx)?, request).await
    }
}
