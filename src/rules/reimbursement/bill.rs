//! The amounts of a discharge bill, and what contradicts in them.

use entity::Fen;

use super::StepCode;

/// The discharge bill after insurance: amounts only, all in fen, named as in the contract (DOMAIN.md §3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bill {
    /// T, 医疗费总额 (medfee_sumamt).
    pub total_cost: Fen,
    /// F, 全自费 (fulamt_ownpay_amt).
    pub fully_self_paid: Fen,
    /// O, 超限价自费 (overlmt_selfpay).
    pub over_limit_self_paid: Fen,
    /// P, 先行自付 (preselfpay_amt).
    pub upfront_self_paid: Fen,
    /// S, 政策范围内 (inscp_scp_amt).
    pub in_scope: Fen,
    /// B, 统筹支付 (hifp_pay).
    pub basic_insurance_paid: Fen,
    /// M, 大病保险支付 (hifmi_pay + hifob_pay).
    pub serious_illness_insurance_paid: Fen,
    /// C, other funds.
    pub other_funds_paid: Fen,
    /// X, commercial insurance.
    pub commercial_insurance_paid: Fen,
    /// H, 医院负担 (hosp_part_amt).
    pub hospital_waiver: Fen,
    /// G, 医疗救助支付 (maf_pay): assistance already paid for this stay elsewhere.
    pub other_assistance_paid: Fen,
}

/// A contradiction in the amounts of a bill (DOMAIN.md §3 step 1). Fields are spelled as in the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BillFault {
    /// An amount is below 0.
    Negative { field: &'static str, actual: Fen },
    /// T is not F + O + P + S, which is `expected`.
    TotalDiffers { expected: Fen, actual: Fen },
    /// B + M + C + X + H + G, which is `actual`, is more than T, which is `limit`. The field is the one whose
    /// payment, added in that order, passes T first.
    PaymentsExceedTotal { field: &'static str, limit: Fen, actual: Fen },
    /// The sum that the field belongs to is beyond 64 bits of fen.
    TooLarge { field: &'static str },
}

impl BillFault {
    /// The contract's field that is at fault, e.g. `totalCost`.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Negative { field, .. }
            | Self::PaymentsExceedTotal { field, .. }
            | Self::TooLarge { field } => field,
            Self::TotalDiffers { .. } => "totalCost",
        }
    }
}

impl Bill {
    /// Every contradiction in the amounts; none when it can be computed with (DOMAIN.md §3 step 1). Sums are
    /// judged only when no amount is negative.
    pub fn faults(&self) -> Vec<BillFault> {
        let (costs, payments) = (self.costs(), self.payments());
        let negative: Vec<BillFault> = costs
            .into_iter()
            .chain(payments)
            .filter(|(_, _, amount)| amount.is_negative())
            .map(|(_, field, actual)| BillFault::Negative { field, actual })
            .collect();
        if !negative.is_empty() {
            return negative;
        }
        self.total_fault().into_iter().chain(self.payments_fault()).collect()
    }

    fn total_fault(&self) -> Option<BillFault> {
        let parts = [self.fully_self_paid, self.over_limit_self_paid, self.upfront_self_paid, self.in_scope];
        match Fen::checked_sum(parts) {
            None => Some(BillFault::TooLarge { field: "totalCost" }),
            Some(expected) if expected != self.total_cost => {
                Some(BillFault::TotalDiffers { expected, actual: self.total_cost })
            }
            Some(_) => None,
        }
    }

    fn payments_fault(&self) -> Option<BillFault> {
        let mut sum = Fen::ZERO;
        let mut passing = None;
        for (_, field, amount) in self.payments() {
            let Some(next) = sum.checked_add(amount) else {
                return Some(BillFault::TooLarge { field });
            };
            sum = next;
            if passing.is_none() && sum > self.total_cost {
                passing = Some(field);
            }
        }
        passing.map(|field| BillFault::PaymentsExceedTotal { field, limit: self.total_cost, actual: sum })
    }

    /// B + M + C + X + H + G: what others paid.
    pub(super) fn paid_by_others(&self) -> Option<Fen> {
        Fen::checked_sum(self.payments().map(|(_, _, amount)| amount))
    }

    /// T and what it consists of, with the contract's names.
    pub(super) fn costs(&self) -> [(StepCode, &'static str, Fen); 5] {
        [
            (StepCode::TotalCost, "totalCost", self.total_cost),
            (StepCode::FullySelfPaid, "fullySelfPaid", self.fully_self_paid),
            (StepCode::OverLimitSelfPaid, "overLimitSelfPaid", self.over_limit_self_paid),
            (StepCode::UpfrontSelfPaid, "upfrontSelfPaid", self.upfront_self_paid),
            (StepCode::InScope, "inScope", self.in_scope),
        ]
    }

    /// What others paid, with the contract's names.
    pub(super) fn payments(&self) -> [(StepCode, &'static str, Fen); 6] {
        [
            (StepCode::BasicInsurancePaid, "basicInsurancePaid", self.basic_insurance_paid),
            (
                StepCode::SeriousIllnessInsurancePaid,
                "seriousIllnessInsurancePaid",
                self.serious_illness_insurance_paid,
            ),
            (StepCode::OtherFundsPaid, "otherFundsPaid", self.other_funds_paid),
            (StepCode::CommercialInsurancePaid, "commercialInsurancePaid", self.commercial_insurance_paid),
            (StepCode::HospitalWaiver, "hospitalWaiver", self.hospital_waiver),
            (StepCode::OtherAssistancePaid, "otherAssistancePaid", self.other_assistance_paid),
        ]
    }
}
