use std::collections::BTreeMap;
use std::sync::Arc;

use async_graphql::{Context, InputObject, Object};
use chrono::NaiveDate;
use entity::id::ProgrammeId;
use entity::kinds::{Scope, Stacking};
use entity::{Fen, entitlement_use, policy_version};

use super::calculation::Calculation;
use super::scalars::{Date, Money, NationalId};
use super::slice;
use super::text::{Number, check_number};
use super::user_error::{UserError, user_errors};
use crate::access::{Desk, Patient, Reference, StayMarks};
use crate::error::{Error, Result};
use crate::page::type_id;
use crate::refusal::{Reason, Refusal};
use crate::rules::calendar::china_year;
use crate::rules::eligibility::{NotCovered, Stay, covering};
use crate::rules::reimbursement::{self, Bill, BillFault, Candidate, Purse, Source, Used};

/// A patient as the partner states them; both must match the register.
#[derive(InputObject)]
pub struct PatientInput {
    pub national_id: NationalId,
    /// Compared without spaces, in one width and one form of the middle dot.
    pub name: String,
}

/// The discharge bill after insurance; names of the national hospital interface in brackets. Numbers are kept in one width:
/// `ＦＰ１` is `FP1`.
#[derive(InputObject)]
pub struct BillInput {
    pub patient: PatientInput,
    pub admitted_on: Date,
    pub discharged_on: Date,
    /// 住院号
    pub admission_number: Number,
    /// 发票号; one live settlement each per hospital.
    pub invoice_number: Number,
    /// 结算ID [setl_id]; one live settlement each.
    pub insurer_settlement_id: Number,
    /// 就诊ID [mdtrt_id]
    pub encounter_id: Option<Number>,
    /// 医疗费总额 [medfee_sumamt] = fullySelfPaid + overLimitSelfPaid + upfrontSelfPaid + inScope
    pub total_cost: Money,
    /// 全自费 [fulamt_ownpay_amt]
    #[graphql(default_with = "Money(Fen::ZERO)")]
    pub fully_self_paid: Money,
    /// 超限价自费 [overlmt_selfpay]
    #[graphql(default_with = "Money(Fen::ZERO)")]
    pub over_limit_self_paid: Money,
    /// 先行自付 [preselfpay_amt]
    #[graphql(default_with = "Money(Fen::ZERO)")]
    pub upfront_self_paid: Money,
    /// 政策范围内 [inscp_scp_amt]
    pub in_scope: Money,
    /// 统筹支付 [hifp_pay]
    pub basic_insurance_paid: Money,
    /// 大病/大额支付 [hifmi_pay + hifob_pay]
    #[graphql(default_with = "Money(Fen::ZERO)")]
    pub serious_illness_insurance_paid: Money,
    #[graphql(default_with = "Money(Fen::ZERO)")]
    pub other_funds_paid: Money,
    #[graphql(default_with = "Money(Fen::ZERO)")]
    pub commercial_insurance_paid: Money,
    /// 医院负担 [hosp_part_amt]
    #[graphql(default_with = "Money(Fen::ZERO)")]
    pub hospital_waiver: Money,
    /// 医疗救助支付 already paid for this stay elsewhere [maf_pay]
    #[graphql(default_with = "Money(Fen::ZERO)")]
    pub other_assistance_paid: Money,
    #[graphql(default = false)]
    pub third_party_liable: bool,
}

const LONGEST_NUMBER: usize = 64;

impl BillInput {
    pub fn stay(&self) -> Stay {
        Stay { admitted_on: self.admitted_on.0, discharged_on: self.discharged_on.0 }
    }

    pub fn amounts(&self) -> Bill {
        Bill {
            total_cost: self.total_cost.0,
            fully_self_paid: self.fully_self_paid.0,
            over_limit_self_paid: self.over_limit_self_paid.0,
            upfront_self_paid: self.upfront_self_paid.0,
            in_scope: self.in_scope.0,
            basic_insurance_paid: self.basic_insurance_paid.0,
            serious_illness_insurance_paid: self.serious_illness_insurance_paid.0,
            other_funds_paid: self.other_funds_paid.0,
            commercial_insurance_paid: self.commercial_insurance_paid.0,
            hospital_waiver: self.hospital_waiver.0,
            other_assistance_paid: self.other_assistance_paid.0,
        }
    }

    /// What can be said against the bill without looking anything up.
    fn faults(&self, today: NaiveDate) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        let numbers = [
            ("admissionNumber", Some(&self.admission_number)),
            ("invoiceNumber", Some(&self.invoice_number)),
            ("insurerSettlementId", Some(&self.insurer_settlement_id)),
            ("encounterId", self.encounter_id.as_ref()),
        ];
        for (field, number) in numbers {
            refusals.extend(number.and_then(|number| check_number(number, LONGEST_NUMBER, field)));
        }
        if self.total_cost.0 == Fen::ZERO {
            refusals.push(Refusal::new(Reason::AmountNotPositive, &["totalCost"]));
        }
        refusals.extend(self.amounts().faults().into_iter().map(contradiction));
        if self.admitted_on.0 > self.discharged_on.0 {
            refusals.push(Refusal::new(Reason::AdmittedAfterDischarge, &["admittedOn"]));
        }
        if self.discharged_on.0 > today {
            refusals.push(Refusal::new(Reason::DischargedInFuture { today }, &["dischargedOn"]));
        }
        if self.third_party_liable {
            refusals.push(Refusal::new(Reason::ThirdPartyLiable, &["thirdPartyLiable"]));
        }
        refusals
    }
}

/// The reason in the words of the contract.
fn contradiction(fault: BillFault) -> Refusal {
    let reason = match fault {
        BillFault::Negative { .. } | BillFault::TooLarge { .. } => Reason::AmountOutOfRange,
        BillFault::TotalDiffers { expected, actual } => {
            Reason::PartsDoNotAddUp { total: actual, parts: expected }
        }
        BillFault::PaymentsExceedTotal { limit, actual, .. } => {
            Reason::PaidExceedsTotal { total: limit, paid: actual }
        }
    };
    Refusal::new(reason, &[fault.field()])
}

/// What a bill comes to.
pub enum Assessment {
    Due(Box<Patient>, reimbursement::Calculation),
    Refused(Vec<Refusal>),
}

/// The one assessment of a bill, for the preview and for the settlement: every check of DOMAIN.md §3 steps 1 and 2, then the
/// calculation. All reasons that apply are reported together, with paths into the bill.
pub async fn assess(desk: &Desk<'_>, bill: &BillInput, today: NaiveDate) -> Result<Assessment> {
    let mut refusals = bill.faults(today);
    let reference = desk.slice().directory().reference().await?;
    let stay = bill.stay();
    let patient = desk.patient(&bill.patient.national_id.0, &bill.patient.name).await?;
    let marks = StayMarks {
        stay,
        invoice_number: bill.invoice_number.as_str(),
        insurer_settlement_id: bill.insurer_settlement_id.as_str(),
    };
    let conflicts = desk.conflicts(patient.as_ref(), &marks).await?;
    if conflicts.same_invoice {
        refusals.push(Refusal::new(Reason::DuplicateInvoice, &["invoiceNumber"]));
    }
    if conflicts.same_insurer_settlement {
        refusals.push(Refusal::new(Reason::DuplicateInsurerSettlement, &["insurerSettlementId"]));
    }
    if conflicts.overlapping {
        refusals.push(Refusal::new(Reason::OverlappingStay, &["admittedOn"]));
    }
    let (agreed, open) = agreed_versions(desk, &reference, stay.discharged_on).await?;
    if open && agreed.is_empty() {
        refusals.push(Refusal::new(Reason::NoAgreement { on: stay.discharged_on }, &["dischargedOn"]));
    }
    let Some(patient) = patient else {
        refusals.push(Refusal::new(Reason::NotFound, &["patient"]));
        return Ok(Assessment::Refused(refusals));
    };
    let in_force: Vec<_> = reference.versions_on(stay.discharged_on).cloned().collect();
    let covering = match covering(stay, patient.person.deceased_on, &patient.statuses, &in_force) {
        Ok(covering) => covering,
        Err(why) => {
            refusals.push(not_covered(why, stay.discharged_on));
            return Ok(Assessment::Refused(refusals));
        }
    };
    let paying: Vec<_> = covering.into_iter().filter(|version| agreed.contains(&version.id)).collect();
    if paying.is_empty() && !agreed.is_empty() {
        refusals.push(Refusal::new(Reason::NoAgreement { on: stay.discharged_on }, &["dischargedOn"]));
    }
    if !refusals.is_empty() {
        return Ok(Assessment::Refused(refusals));
    }
    let used = desk.used(&patient).await?;
    let purses = purses(&reference, stay, &paying, &used)?;
    let calculation = reimbursement::calculate(&bill.amounts(), &purses)
        .map_err(|error| Error::internal(format!("a checked bill does not calculate: {error}")))?;
    Ok(Assessment::Due(Box::new(patient), calculation))
}

/// The versions in force on a day for which this hospital has an agreement, and whether any was in force at all.
pub async fn agreed_versions(
    desk: &Desk<'_>,
    reference: &Reference,
    on: NaiveDate,
) -> Result<(Vec<entity::id::PolicyVersionId>, bool)> {
    let hospital = desk.slice().viewer().partner_id();
    let mut agreed = Vec::new();
    let mut open = false;
    for version in reference.versions_on(on) {
        open = true;
        if desk.slice().directory().agreed(hospital, version.programme_id, on).await? {
            agreed.push(version.id);
        }
    }
    Ok((agreed, open))
}

/// The reason in the words of the contract.
pub fn not_covered(why: NotCovered, on: NaiveDate) -> Refusal {
    match why {
        NotCovered::Deceased => Refusal::new(Reason::Deceased, &["patient"]),
        NotCovered::NoPolicyInForce => Refusal::new(Reason::NoPolicyInForce { on }, &["dischargedOn"]),
        NotCovered::NoCategory => Refusal::new(Reason::NotCovered, &["patient"]),
        NotCovered::Suspended => Refusal::new(Reason::Suspended, &["patient"]),
    }
}

/// The parameters of a version, as the calculation needs them.
pub fn policy(version: &policy_version::Model) -> Result<reimbursement::Policy> {
    let bands = serde_json::from_value(version.bands.clone())
        .map_err(|error| Error::internal(format!("bands of a policy version: {error}")))?;
    Ok(reimbursement::Policy {
        form: version.form,
        bands,
        deductible_mode: version.deductible_mode,
        deductible: version.deductible,
        per_stay_cap: version.per_stay_cap,
        annual_cap: version.annual_cap,
        includes_upfront: version.includes_upfront,
    })
}

/// The versions sorted into their cap groups, with what was used of each.
fn purses(
    reference: &Reference,
    stay: Stay,
    versions: &[&Arc<policy_version::Model>],
    used: &[entitlement_use::Model],
) -> Result<Vec<Purse>> {
    let mut purses: Vec<Purse> = Vec::new();
    for version in versions {
        let candidate = Candidate {
            source: Source { programme: version.programme_id, policy_version: version.id },
            policy: policy(version)?,
            order: version.stacking_order,
            benefit_year: stay.benefit_year(version),
        };
        let place =
            purses.iter().position(|purse| purse.cap_group == version.cap_group).unwrap_or_else(|| {
                purses.push(Purse {
                    cap_group: version.cap_group.clone(),
                    stacking: reference
                        .cap_group(&version.cap_group, stay.discharged_on)
                        .map_or(Stacking::BestOf, |group| group.stacking),
                    candidates: Vec::new(),
                    used: BTreeMap::new(),
                });
                purses.len() - 1
            });
        let purse = &mut purses[place];
        purse.used.entry(candidate.benefit_year).or_insert_with(|| {
            used.iter()
                .find(|row| row.benefit_year == candidate.benefit_year && row.cap_group == purse.cap_group)
                .map_or(Used::default(), |row| Used { cap: row.used, deductible: row.deductible_used })
        });
        purse.candidates.push(candidate);
    }
    Ok(purses)
}

/// Whether what is left of this year's budgets suffices now; a settlement is judged when it is posted.
async fn affordable(desk: &Desk<'_>, calculation: &reimbursement::Calculation) -> Result<bool> {
    let year = china_year(desk.slice().now());
    let mut due: BTreeMap<ProgrammeId, Fen> = BTreeMap::new();
    for part in calculation.parts.iter().filter(|part| part.paid.is_positive()) {
        let sum = due.entry(part.source.programme).or_default();
        *sum = sum.checked_add(part.paid).ok_or_else(|| Error::internal("a settlement beyond 64 bits"))?;
    }
    for (programme, amount) in due {
        if desk.budget_left(programme, year).await? < amount {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What `settle` would pay now.
pub struct SettlementPreview {
    calculation: Option<reimbursement::Calculation>,
    refusals: Vec<Refusal>,
}

/// What `settle` would pay now.
#[Object]
impl SettlementPreview {
    /// Null with errors; else what would be paid.
    async fn calculation(&self) -> Option<Calculation> {
        self.calculation.clone().map(Calculation)
    }

    /// Paths start at the argument: `["bill", …]`.
    async fn user_errors(&self) -> Vec<UserError> {
        user_errors(self.refusals.clone())
    }
}

#[derive(Default)]
pub struct SettlementPreviewQuery;

#[Object]
impl SettlementPreviewQuery {
    /// Hospital: what `settle` would pay now. Writes nothing.
    async fn settlement_preview(
        &self,
        ctx: &Context<'_>,
        bill: BillInput,
    ) -> Result<Option<SettlementPreview>> {
        let slice = slice(ctx)?;
        let desk = slice.desk()?;
        let assessed = assess(&desk, &bill, slice.today()).await?;
        if let Assessment::Due(patient, _) = &assessed {
            slice.looked_at(Scope::CoverageRead, type_id(patient.person.id), Some(patient.person.id));
        }
        Ok(Some(match assessed {
            Assessment::Due(_, calculation) if !affordable(&desk, &calculation).await? => SettlementPreview {
                calculation: None,
                refusals: vec![Refusal::new(Reason::BudgetExhausted, &["bill"])],
            },
            Assessment::Due(_, calculation) => {
                SettlementPreview { calculation: Some(calculation), refusals: Vec::new() }
            }
            Assessment::Refused(refusals) => SettlementPreview {
                calculation: None,
                refusals: refusals.into_iter().map(|refusal| refusal.under("bill")).collect(),
            },
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;

    #[test]
    fn an_amount_beyond_reckoning_is_called_so() {
        let huge = Bill {
            total_cost: Fen::new(1),
            in_scope: Fen::new(i64::MAX),
            upfront_self_paid: Fen::new(1),
            ..Bill::default()
        };
        let below = Bill { hospital_waiver: Fen::new(-1), ..Bill::default() };
        for (bill, field) in [(huge, "totalCost"), (below, "hospitalWaiver")] {
            let refusals: Vec<Refusal> = bill.faults().into_iter().map(contradiction).collect();
            assert_eq!(refusals, [Refusal::new(Reason::AmountOutOfRange, &[field])]);
            let message = refusals[0].reason.message(Language::English);
            assert_eq!(message, "The amounts must not be below 0.00, nor too large to add up.");
        }
    }
}
