use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};
use entity::id::ProgrammeId;
use entity::{policy_version, programme};

use super::scalars::{Date, Money, Rate};
use super::{slice, words};
use crate::error::{Error, Result};
use crate::page::type_id;
use crate::rules::reimbursement::Band;

/// An assistance programme.
#[derive(Clone)]
pub struct Programme(pub Arc<programme::Model>);

/// An assistance programme.
#[Object]
impl Programme {
    pub async fn id(&self) -> ID {
        type_id(self.0.id).into()
    }

    /// Stable, e.g. `MEDICAL_ASSISTANCE`.
    async fn code(&self) -> &str {
        &self.0.code
    }

    /// In English.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// In Chinese.
    async fn name_zh(&self) -> &str {
        &self.0.name_zh
    }

    async fn fund(&self) -> words::FundSource {
        self.0.fund.into()
    }
}

/// The programme that a row points to.
pub async fn programme(ctx: &Context<'_>, id: ProgrammeId) -> Result<Programme> {
    let reference = slice(ctx)?.directory().reference().await?;
    reference
        .programme(id)
        .map(|row| Programme(Arc::clone(row)))
        .ok_or_else(|| Error::internal("a row points to a programme that is not there"))
}

/// from ≤ amount < below; `below` is null for the last band. FLAT has one.
#[derive(SimpleObject)]
pub struct RateBand {
    from: Money,
    below: Option<Money>,
    rate: Rate,
}

/// A dated version of a programme's rule; results name the version they were computed with.
#[derive(Clone)]
pub struct PolicyVersion(pub Arc<policy_version::Model>);

/// A dated version of a programme's rule; results name the version they were computed with.
#[Object]
impl PolicyVersion {
    pub async fn id(&self) -> ID {
        type_id(self.0.id).into()
    }

    async fn programme(&self, ctx: &Context<'_>) -> Result<Programme> {
        programme(ctx, self.0.programme_id).await
    }

    /// First discharge date to which it applies.
    async fn valid_from(&self) -> Date {
        Date(self.0.valid_from)
    }

    /// Last discharge date to which it applies; null while no end is set.
    async fn valid_to(&self) -> Option<Date> {
        self.0.valid_to.map(Date)
    }

    async fn form(&self) -> words::RateForm {
        self.0.form.into()
    }

    async fn bands(&self) -> Result<Vec<RateBand>> {
        let bands: Vec<Band> = serde_json::from_value(self.0.bands.clone())
            .map_err(|error| Error::internal(format!("bands of a policy version: {error}")))?;
        Ok(bands
            .into_iter()
            .map(|band| RateBand {
                from: Money(band.from),
                below: band.below.map(Money),
                rate: Rate(band.rate),
            })
            .collect())
    }

    async fn deductible_mode(&self) -> words::DeductibleMode {
        self.0.deductible_mode.into()
    }

    /// What the patient bears before the rate applies; `0.00` when there is none.
    async fn deductible(&self) -> Money {
        Money(self.0.deductible)
    }

    /// Most that one stay is paid; null when there is no such cap.
    async fn per_stay_cap(&self) -> Option<Money> {
        self.0.per_stay_cap.map(Money)
    }

    /// Most that a person is paid in a year within the cap group; null when there is no such cap.
    async fn annual_cap(&self) -> Option<Money> {
        self.0.annual_cap.map(Money)
    }

    /// Programmes of one cap group share the annual cap and deductible.
    async fn cap_group(&self) -> &str {
        &self.0.cap_group
    }
}

/// The policy version that a result names.
pub async fn policy_version(ctx: &Context<'_>, id: entity::id::PolicyVersionId) -> Result<PolicyVersion> {
    let reference = slice(ctx)?.directory().reference().await?;
    reference
        .version(id)
        .map(|row| PolicyVersion(Arc::clone(row)))
        .ok_or_else(|| Error::internal("a result names a policy version that is not there"))
}
