use async_graphql::{Context, Object};

use super::language;
use super::programme::{PolicyVersion, Programme, policy_version, programme};
use super::scalars::{Money, Rate};
use crate::error::{Error, Result};
use crate::language::Language;
use crate::rules::reimbursement;

/// Every step from the bill to the amount, so that a cashier can print it and an auditor recompute it.
pub struct Calculation(pub reimbursement::Calculation);

impl Calculation {
    /// The calculation that a settlement or an answer keeps.
    pub fn kept(json: &serde_json::Value) -> Result<Self> {
        serde::Deserialize::deserialize(json)
            .map(Self)
            .map_err(|error: serde_json::Error| Error::internal(format!("a kept calculation: {error}")))
    }
}

/// Every step from the bill to the amount, so that a cashier can print it and an auditor recompute it.
#[Object]
impl Calculation {
    /// What the bureau pays.
    async fn assistance(&self) -> Money {
        Money(self.0.assistance)
    }

    /// What is left to the patient: total cost minus everything that others paid and the assistance.
    async fn personal_burden(&self) -> Money {
        Money(self.0.personal_burden)
    }

    /// One per programme that was taken into account, in order.
    async fn parts(&self) -> Vec<CalculationPart<'_>> {
        self.0.parts.iter().map(CalculationPart).collect()
    }
}

pub struct CalculationPart<'a>(&'a reimbursement::Part);

/// One programme's share of a calculation.
#[Object]
impl CalculationPart<'_> {
    async fn programme(&self, ctx: &Context<'_>) -> Result<Programme> {
        programme(ctx, self.0.source.programme).await
    }

    async fn policy_version(&self, ctx: &Context<'_>) -> Result<PolicyVersion> {
        policy_version(ctx, self.0.source.policy_version).await
    }

    /// The year to which the whole stay counts.
    async fn benefit_year(&self) -> i32 {
        self.0.benefit_year
    }

    /// N: what insurance and others left of the in-scope cost.
    async fn base(&self) -> Money {
        Money(self.0.base)
    }

    async fn deductible_applied(&self) -> Money {
        Money(self.0.deductible_applied)
    }

    /// A: the base less the deductible.
    async fn eligible_amount(&self) -> Money {
        Money(self.0.eligible_amount)
    }

    /// Null when MARGINAL spread it over several bands: see `steps`.
    async fn rate(&self) -> Option<Rate> {
        self.0.rate.map(Rate)
    }

    /// Before caps.
    async fn computed(&self) -> Money {
        Money(self.0.computed)
    }

    /// What was left of the annual cap; null when the policy has none.
    async fn cap_left_before(&self) -> Option<Money> {
        self.0.cap_left_before.map(Money)
    }

    async fn paid(&self) -> Money {
        Money(self.0.paid)
    }

    async fn steps(&self) -> Vec<CalculationStep<'_>> {
        self.0.steps.iter().map(CalculationStep).collect()
    }
}

pub struct CalculationStep<'a>(&'a reimbursement::Step);

/// `code` is stable, `label` is for people (Accept-Language), `formula` names the codes it uses and is empty for a given value,
/// `value` is an amount in yuan, a rate or a year.
#[Object]
impl CalculationStep<'_> {
    async fn code(&self) -> String {
        self.0.code.to_string()
    }

    async fn label(&self, ctx: &Context<'_>) -> &'static str {
        let (chinese, english) = self.0.code.labels();
        match language(ctx) {
            Language::Chinese => chinese,
            Language::English => english,
        }
    }

    async fn formula(&self) -> &str {
        &self.0.formula
    }

    async fn value(&self) -> &str {
        &self.0.value
    }
}
