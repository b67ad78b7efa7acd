//! Discharge bills of invented patients.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

static BILLS: AtomicU32 = AtomicU32::new(1);

/// A bill as a hospital posts it: T=20,000 F=1,500 O=300 P=1,200 S=17,000 B=9,800, rest 0 (DOMAIN.md §3), until it is changed.
#[derive(Clone, Debug)]
pub struct Bill(pub Value);

impl Bill {
    /// For a patient of the district, by national id and name, with numbers of its own.
    pub fn of(national_id: &str, name: &str) -> Self {
        let number = BILLS.fetch_add(1, Ordering::Relaxed);
        Self(json!({
            "patient": { "nationalId": national_id, "name": name },
            "admittedOn": "2016-05-01",
            "dischargedOn": "2016-05-10",
            "admissionNumber": format!("ZY{number:06}"),
            "invoiceNumber": format!("FP{number:06}"),
            "insurerSettlementId": format!("JS{number:06}"),
            "totalCost": "20000.00",
            "fullySelfPaid": "1500.00",
            "overLimitSelfPaid": "300.00",
            "upfrontSelfPaid": "1200.00",
            "inScope": "17000.00",
            "basicInsurancePaid": "9800.00",
        }))
    }

    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.0[field] = value.into();
        self
    }

    pub fn stay(self, admitted_on: &str, discharged_on: &str) -> Self {
        self.with("admittedOn", admitted_on).with("dischargedOn", discharged_on)
    }

    /// All of it in scope, nothing paid by insurance: the base is the total.
    pub fn all_in_scope(self, total: &str) -> Self {
        self.with("totalCost", total)
            .with("fullySelfPaid", "0.00")
            .with("overLimitSelfPaid", "0.00")
            .with("upfrontSelfPaid", "0.00")
            .with("inScope", total)
            .with("basicInsurancePaid", "0.00")
    }
}
