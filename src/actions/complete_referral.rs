use async_graphql::{Context, ID, InputObject, InputType, Object};
use entity::kinds::ReferralStatus;

use super::operator::OperatorInput;
use super::referral_step::{ReferralPayload, Request, Step, run};
use crate::error::Result;
use crate::graph::scalars::{IdempotencyKey, Money};
use crate::graph::slice;

#[derive(InputObject)]
pub struct CompleteReferralInput {
    pub key: IdempotencyKey,
    pub referral_id: ID,
    /// What came of it, for the sender and the bureau.
    pub outcome: String,
    /// What the person was granted, if money was.
    pub amount_granted: Option<Money>,
    pub operator: Option<OperatorInput>,
}

#[derive(Default)]
pub struct CompleteReferral;

#[Object]
impl CompleteReferral {
    /// Finish a referral on which you work, with its outcome (办结).
    async fn complete_referral(
        &self,
        ctx: &Context<'_>,
        input: CompleteReferralInput,
    ) -> Result<Option<ReferralPayload>> {
        let request = Request {
            mutation: "completeReferral",
            key: &input.key,
            referral_id: &input.referral_id,
            input: input.to_value(),
            required: Some(("outcome", &input.outcome)),
            step: Step {
                note: Some(&input.outcome),
                amount_granted: input.amount_granted.as_ref().map(|amount| amount.0),
                ..Step::to(ReferralStatus::Completed)
            },
            operator: input.operator.as_ref(),
        };
        run(slice(ctx)?, request).await
    }
}
