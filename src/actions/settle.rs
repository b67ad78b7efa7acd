use async_graphql::{Context, InputObject, InputType, Object, SimpleObject};
use entity::id::{SettlementId, SettlementPartId};
use entity::kinds::{Scope, SettlementChannel, SettlementStatus};
use entity::{entitlement_use, settlement, settlement_part};
use futures_util::FutureExt;

use super::operator::{self, OperatorInput};
use crate::access::{Act, Answered, Intent, Outcome, Patient, Slice, StayMarks};
use crate::error::{Error, Result};
use crate::graph::calculation::Calculation;
use crate::graph::scalars::{IdempotencyKey, Money};
use crate::graph::settlement::Settlement;
use crate::graph::settlement_preview::{Assessment, BillInput, assess};
use crate::graph::slice;
use crate::graph::user_error::{UserError, user_errors};
use crate::ledger::settlements;
use crate::page::{key_of, type_id};
use crate::refusal::{Reason, Refusal};
use crate::rules::person_name::masked;
use crate::rules::reimbursement;

#[derive(InputObject)]
pub struct SettleInput {
    pub key: IdempotencyKey,
    pub bill: BillInput,
    /// What the patient was told (from the preview). Given and not equal to what is due: nothing is done, AMOUNT_DIFFERS, with
    /// the new calculation.
    pub expected_assistance: Option<Money>,
    pub operator: Option<OperatorInput>,
}

#[derive(SimpleObject)]
pub struct SettlePayload {
    settlement: Option<Settlement>,
    /// With AMOUNT_DIFFERS: what would be paid.
    calculation: Option<Calculation>,
    /// Signed proof of what was done: a compact JWS, verified with the keys at `/.well-known/jwks.json`. The same for ever under this
    /// key; null with `userErrors`.
    receipt: Option<String>,
    /// True when this key was answered before: same answer, nothing done twice.
    replayed: bool,
    user_errors: Vec<UserError>,
}

#[derive(Default)]
pub struct Settle;

#[Object]
impl Settle {
    /// Post a one-stop second reimbursement at discharge (结算).
    async fn settle(&self, ctx: &Context<'_>, input: SettleInput) -> Result<Option<SettlePayload>> {
        let slice = slice(ctx)?;
        let answered = settle(slice, &input).await?;
        let settlement = match (answered.fresh, answered.answer.result.as_deref().and_then(key_of)) {
            (Some(fresh), _) => Some(fresh),
            (None, Some(id)) => find(&answered.slice, id).await?,
            (None, None) => None,
        };
        let calculation = match &answered.answer.details {
            serde_json::Value::Null => None,
            details => Some(Calculation::kept(details)?),
        };
        Ok(Some(SettlePayload {
            settlement: settlement.map(Settlement::one),
            calculation,
            receipt: answered.answer.receipt,
            replayed: answered.replayed,
            user_errors: user_errors(answered.answer.refusals),
        }))
    }
}

/// One settlement of the viewer's.
pub async fn find(slice: &Slice, id: SettlementId) -> Result<Option<settlement::Model>> {
    use sea_orm::ColumnTrait;
    slice.select::<settlement::Entity>()?.only(settlement::Column::Id.eq(id)).one().await
}

/// Posts a settlement under the caller's key.
pub async fn settle(slice: &Slice, input: &SettleInput) -> Result<Answered<settlement::Model>> {
    let intent = Intent {
        scope: Scope::SettlementWrite,
        mutation: "settle",
        key: &input.key.0,
        input: input.to_value(),
        operator: operator::stated(input.operator.as_ref()),
    };
    slice.act(intent, input, |act, input| post(act, input).boxed()).await
}

async fn post(act: &mut Act, input: &SettleInput) -> Result<Outcome<settlement::Model>> {
    let bill = &input.bill;
    let mut refusals = operator::check(input.operator.as_ref());
    let assessed = {
        let desk = act.desk()?;
        assess(&desk, bill, act.today()).await?
    };
    let (patient, calculation) = match assessed {
        Assessment::Due(patient, calculation) => (patient, calculation),
        Assessment::Refused(reasons) => {
            refusals.extend(reasons.into_iter().map(|refusal| refusal.under("bill")));
            return Outcome::refused(refusals);
        }
    };
    if !refusals.is_empty() {
        return Outcome::refused(refusals);
    }
    if let Some(expected) = input.expected_assistance.as_ref().filter(|told| told.0 != calculation.assistance)
    {
        let reason = Reason::AmountDiffers { expected: expected.0, due: calculation.assistance };
        return Ok(Outcome::Refused(
            vec![Refusal::new(reason, &["expectedAssistance"])],
            json(&calculation)?,
        ));
    }
    let row = row(act, bill, &patient, &calculation)?;
    if !act.insert_if_new::<settlement::Entity>(&row).await? {
        return collided(act, bill, &patient).await;
    }
    let parts = parts(act, &row, &calculation);
    act.insert_all::<settlement_part::Entity>(&parts).await?;
    act.draw(&uses(&row, &calculation)?).await?;
    if !settlements::settled(act, &row, &parts).await? {
        return Outcome::refused(vec![Refusal::new(Reason::BudgetExhausted, &["bill"])]);
    }
    tell(act, &row, "settlement.settled").await?;
    Ok(Outcome::Done(type_id(row.id), row))
}

/// Tells the hospital and the bureau of a settlement.
pub async fn tell(act: &mut Act, row: &settlement::Model, kind: &'static str) -> Result<()> {
    let reference = act.slice().directory().reference().await?;
    let bureaus = reference.bureaus().map(|bureau| bureau.id);
    act.tell(kind, type_id(row.id), std::iter::once(row.hospital_id).chain(bureaus));
    Ok(())
}

/// Somebody else's settlement came first, between the checks and the writing.
async fn collided(act: &Act, bill: &BillInput, patient: &Patient) -> Result<Outcome<settlement::Model>> {
    let marks = StayMarks {
        stay: bill.stay(),
        invoice_number: bill.invoice_number.as_str(),
        insurer_settlement_id: bill.insurer_settlement_id.as_str(),
    };
    let conflicts = act.desk()?.conflicts(Some(patient), &marks).await?;
    if conflicts.same_invoice {
        return Outcome::refused(vec![Refusal::new(Reason::DuplicateInvoice, &["bill", "invoiceNumber"])]);
    }
    // Also when nothing is found: then the row that collided is this very key's, and its stored answer is given.
    Outcome::refused(vec![Refusal::new(Reason::DuplicateInsurerSettlement, &["bill", "insurerSettlementId"])])
}

fn json(calculation: &reimbursement::Calculation) -> Result<serde_json::Value> {
    serde_json::to_value(calculation).map_err(|error| Error::internal(error.to_string()))
}

fn row(
    act: &Act,
    bill: &BillInput,
    patient: &Patient,
    calculation: &reimbursement::Calculation,
) -> Result<settlement::Model> {
    let amounts = bill.amounts();
    Ok(settlement::Model {
        id: act.new_id(),
        hospital_id: act.slice().viewer().partner_id(),
        person_id: patient.person.id,
        operation_key: act.key().to_owned(),
        status: SettlementStatus::Settled,
        channel: SettlementChannel::OneStop,
        patient_name: masked(&patient.name(act.slice().keys())?),
        admission_number: bill.admission_number.as_str().to_owned(),
        invoice_number: bill.invoice_number.as_str().to_owned(),
        insurer_settlement_id: bill.insurer_settlement_id.as_str().to_owned(),
        encounter_id: bill.encounter_id.as_ref().map(|number| number.as_str().to_owned()),
        admitted_on: bill.admitted_on.0,
        discharged_on: bill.discharged_on.0,
        total_cost: amounts.total_cost,
        fully_self_paid: amounts.fully_self_paid,
        over_limit_self_paid: amounts.over_limit_self_paid,
        upfront_self_paid: amounts.upfront_self_paid,
        in_scope: amounts.in_scope,
        basic_insurance_paid: amounts.basic_insurance_paid,
        serious_illness_insurance_paid: amounts.serious_illness_insurance_paid,
        other_funds_paid: amounts.other_funds_paid,
        commercial_insurance_paid: amounts.commercial_insurance_paid,
        hospital_waiver: amounts.hospital_waiver,
        other_assistance_paid: amounts.other_assistance_paid,
        assistance: calculation.assistance,
        personal_burden: calculation.personal_burden,
        calculation: json(calculation)?,
        settled_at: act.now(),
        reversed_at: None,
        reversal_reason_sealed: None,
        recalculation_due: false,
    })
}

fn parts(
    act: &Act,
    row: &settlement::Model,
    calculation: &reimbursement::Calculation,
) -> Vec<settlement_part::Model> {
    calculation
        .parts
        .iter()
        .map(|part| settlement_part::Model {
            id: act.new_id::<SettlementPartId>(),
            settlement_id: row.id,
            person_id: row.person_id,
            programme_id: part.source.programme,
            policy_version_id: part.source.policy_version,
            cap_group: part.cap_group.clone(),
            benefit_year: part.benefit_year,
            deductible_counted: part.annual_deductible_applied,
            paid: part.paid,
            capped: part.cap_left_before.is_some_and(|left| part.paid == left && part.computed > left),
        })
        .collect()
}

/// What the parts draw, one row per year and cap group.
fn uses(
    row: &settlement::Model,
    calculation: &reimbursement::Calculation,
) -> Result<Vec<entitlement_use::Model>> {
    let too_large = || Error::internal("a settlement beyond 64 bits of fen");
    let mut uses: Vec<entitlement_use::Model> = Vec::new();
    for part in &calculation.parts {
        let known = uses
            .iter_mut()
            .find(|used| used.benefit_year == part.benefit_year && used.cap_group == part.cap_group);
        match known {
            Some(used) => {
                used.used = used.used.checked_add(part.paid).ok_or_else(too_large)?;
                used.deductible_used =
                    used.deductible_used.checked_add(part.annual_deductible_applied).ok_or_else(too_large)?;
            }
            None => uses.push(entitlement_use::Model {
                person_id: row.person_id,
                benefit_year: part.benefit_year,
                cap_group: part.cap_group.clone(),
                used: part.paid,
                deductible_used: part.annual_deductible_applied,
            }),
        }
    }
    Ok(uses)
}
