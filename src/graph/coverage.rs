use std::sync::Arc;

use async_graphql::{Context, Object};
use entity::kinds::{DeductibleMode, Scope};
use entity::{Fen, policy_version};

use super::programme::{PolicyVersion, Programme, programme};
use super::scalars::{Date, Money, NationalId};
use super::settlement_preview::{agreed_versions, not_covered};
use super::slice;
use crate::error::Result;
use crate::page::type_id;
use crate::refusal::{Code, Reason};
use crate::rules::eligibility::{Stay, covering};
use crate::rules::person_name::masked;

/// Whether a patient is covered, and by what.
#[derive(Default)]
pub struct Coverage {
    reason: Option<Code>,
    patient_name: Option<String>,
    entitlements: Vec<Entitlement>,
}

/// Whether a patient is covered, and by what.
#[Object]
impl Coverage {
    async fn covered(&self) -> bool {
        !self.entitlements.is_empty()
    }

    /// Why not, when not covered; never tells an unknown person from a name that does not match.
    async fn reason(&self) -> Option<Code> {
        self.reason
    }

    /// Masked, e.g. 李*明.
    async fn patient_name(&self) -> Option<&str> {
        self.patient_name.as_deref()
    }

    /// One per programme that this hospital may settle for this patient, in stacking order.
    async fn entitlements(&self) -> &[Entitlement] {
        &self.entitlements
    }
}

pub struct Entitlement {
    version: Arc<policy_version::Model>,
    used: Fen,
    deductible_used: Fen,
}

/// What a programme would pay this patient, and how much of it is left.
#[Object]
impl Entitlement {
    async fn programme(&self, ctx: &Context<'_>) -> Result<Programme> {
        programme(ctx, self.version.programme_id).await
    }

    /// The policy version that would apply.
    async fn policy_version(&self) -> PolicyVersion {
        PolicyVersion(Arc::clone(&self.version))
    }

    /// What the patient still bears before the rate applies: of the year's deductible, or of each stay's.
    async fn deductible_left(&self) -> Money {
        Money(match self.version.deductible_mode {
            DeductibleMode::None => Fen::ZERO,
            DeductibleMode::PerStay => self.version.deductible,
            DeductibleMode::Annual => self.version.deductible.less(self.deductible_used),
        })
    }

    async fn annual_cap(&self) -> Option<Money> {
        self.version.annual_cap.map(Money)
    }

    /// What was paid this year within the cap group, over all hospitals and channels.
    async fn used_this_year(&self) -> Money {
        Money(self.used)
    }

    /// Null when the policy has no cap.
    async fn cap_left(&self) -> Option<Money> {
        self.version.annual_cap.map(|cap| Money(cap.less(self.used)))
    }
}

#[derive(Default)]
pub struct CoverageQuery;

#[Object]
impl CoverageQuery {
    /// Hospital: is this patient covered, by what, and how much is left this year? Name and number must both match; a mismatch
    /// answers like an unknown person: `covered: false, reason: NOT_FOUND`, never null. Names are compared without spaces, in
    /// one width and one form of the middle dot. `on` is taken as the day of admission and discharge; today when left out.
    async fn coverage(
        &self,
        ctx: &Context<'_>,
        national_id: NationalId,
        name: String,
        on: Option<Date>,
    ) -> Result<Option<Coverage>> {
        let slice = slice(ctx)?;
        let on = on.map_or_else(|| slice.today(), |on| on.0);
        let desk = slice.desk()?;
        let reference = slice.directory().reference().await?;
        let (agreed, _) = agreed_versions(&desk, &reference, on).await?;
        let not = |reason, patient_name| {
            Ok(Some(Coverage { reason: Some(reason), patient_name, entitlements: Vec::new() }))
        };
        let Some(patient) = desk.patient(&national_id.0, &name).await? else {
            return not(Code::NotFound, None);
        };
        slice.looked_at(Scope::CoverageRead, type_id(patient.person.id), Some(patient.person.id));
        let shown = Some(masked(&patient.name(slice.keys())?));
        let stay = Stay { admitted_on: on, discharged_on: on };
        let in_force: Vec<_> = reference.versions_on(on).cloned().collect();
        let covering = match covering(stay, patient.person.deceased_on, &patient.statuses, &in_force) {
            Ok(covering) => covering,
            Err(why) => return not(not_covered(why, on).reason.code(), shown),
        };
        let payable: Vec<_> = covering.into_iter().filter(|version| agreed.contains(&version.id)).collect();
        if payable.is_empty() {
            return not(Reason::NoAgreement { on }.code(), shown);
        }
        let used = desk.used(&patient).await?;
        let entitlements = payable
            .into_iter()
            .map(|version| {
                let year = stay.benefit_year(version);
                let row =
                    used.iter().find(|row| row.benefit_year == year && row.cap_group == version.cap_group);
                Entitlement {
                    version: Arc::clone(version),
                    used: row.map_or(Fen::ZERO, |row| row.used),
                    deductible_used: row.map_or(Fen::ZERO, |row| row.deductible_used),
                }
            })
            .collect();
        Ok(Some(Coverage { reason: None, patient_name: shown, entitlements }))
    }
}
