//! What a hospital's billing system asks.

use serde_json::{Value, json};

use super::district::Resident;
use super::partner::new_key;
use super::{Bill, Partner, Reply};

/// Everything of a settlement that tests look at.
pub const SETTLEMENT: &str = "id status channel key hospital { code } patientName admissionNumber invoiceNumber
    insurerSettlementId admittedOn dischargedOn totalCost assistance personalBurden settledAt reversedAt reversalReason
    recalculationDue";

/// Everything of a calculation that tests look at.
pub const CALCULATION: &str = "assistance personalBurden parts { programme { code } policyVersion { id validFrom }
    benefitYear base deductibleApplied eligibleAmount rate computed capLeftBefore paid steps { code label formula value } }";

/// A bill for somebody of the district.
pub fn bill(patient: &Resident) -> Bill {
    Bill::of(&patient.national_id, &patient.name)
}

impl Partner {
    pub async fn settle(&self, bill: &Bill) -> Reply {
        self.settle_with(json!({ "key": new_key(), "bill": bill.0 })).await
    }

    pub async fn settle_under(&self, key: &str, bill: &Bill) -> Reply {
        self.settle_with(json!({ "key": key, "bill": bill.0 })).await
    }

    pub async fn settle_with(&self, input: Value) -> Reply {
        let shape = format!(
            "settlement {{ {SETTLEMENT} calculation {{ {CALCULATION} }} }} calculation {{ {CALCULATION} }}"
        );
        self.act("settle", input, &shape).await
    }

    pub async fn preview(&self, bill: &Bill) -> Reply {
        let query = format!(
            "query($bill: BillInput!) {{ settlementPreview(bill: $bill) {{
                calculation {{ {CALCULATION} }} userErrors {{ code message field }} }} }}"
        );
        self.ask(&query, json!({ "bill": bill.0 })).await
    }

    pub async fn reverse(&self, settlement: &str) -> Reply {
        let input = json!({ "key": new_key(), "settlementId": settlement, "reason": "billed twice" });
        self.act("reverseSettlement", input, &format!("settlement {{ {SETTLEMENT} }}")).await
    }

    pub async fn settlement(&self, by: Value) -> Reply {
        let query = format!("query($by: SettlementBy!) {{ settlement(by: $by) {{ {SETTLEMENT} }} }}");
        self.ask(&query, json!({ "by": by })).await
    }

    pub async fn coverage(&self, national_id: &str, name: &str, on: Option<&str>) -> Reply {
        let query = "query($id: NationalId!, $name: String!, $on: Date) {
            coverage(nationalId: $id, name: $name, on: $on) { covered reason patientName entitlements {
                programme { code } policyVersion { validFrom } deductibleLeft annualCap usedThisYear capLeft } } }";
        self.ask(query, json!({ "id": national_id, "name": name, "on": on })).await
    }

    /// What is left of the first programme on a day: of the deductible, used, of the cap.
    pub async fn left(&self, patient: &Resident, on: &str) -> (Value, Value, Value) {
        let reply = self.coverage(&patient.national_id, &patient.name, Some(on)).await.fine();
        let first = reply.at("coverage.entitlements.0");
        (first["deductibleLeft"].clone(), first["usedThisYear"].clone(), first["capLeft"].clone())
    }

    pub async fn void(&self, operation_key: &str) -> Reply {
        self.void_under(&new_key(), operation_key).await
    }

    pub async fn void_under(&self, key: &str, operation_key: &str) -> Reply {
        let input = json!({ "key": key, "operationKey": operation_key, "reason": "no answer" });
        let shape = "operation { key mutation status voidedBy result { id } userErrors { code } }";
        self.act("voidOperation", input, shape).await
    }

    pub async fn operation(&self, key: &str) -> Reply {
        let query = "query($key: IdempotencyKey!) { operation(key: $key) {
            key mutation status at voidedBy result { id } userErrors { code message field } } }";
        self.ask(query, json!({ "key": key })).await
    }
}
