use async_graphql::{Object, SimpleObject};

use super::scalars::Money;
use super::words;
use crate::access::Disclosed;

/// As much of a person as the receiver needs. Name, birth year and sub-district while the referral lives; every other field only
/// as the recorded consent for this receiver allows, else null. The sender sees what it sent itself, no more.
pub struct ReferredPerson(pub Disclosed);

/// Civilian grades, 1 (most severe) to 4.
#[derive(SimpleObject)]
pub struct Disability {
    kind: words::DisabilityClass,
    /// 1 (most severe) to 4.
    grade: i32,
}

/// As much of a person as the receiver needs. Name, birth year and sub-district while the referral lives; every other field only
/// as the recorded consent for this receiver allows, else null. The sender sees what it sent itself, no more.
#[Object]
impl ReferredPerson {
    async fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    async fn birth_year(&self) -> Option<i32> {
        self.0.birth_year
    }

    /// Area code of the sub-district in which the person is registered; null for a person whom the register does not know.
    async fn area(&self) -> Option<&str> {
        self.0.area.as_deref()
    }

    /// Masked but for the first four and the last four characters. Consent: ID_NUMBER.
    async fn id_number(&self) -> Option<&str> {
        self.0.id_number.as_deref()
    }

    /// Consent: PHONE.
    async fn phone(&self) -> Option<&str> {
        self.0.phone.as_deref()
    }

    /// Consent: ADDRESS.
    async fn address(&self) -> Option<&str> {
        self.0.address.as_deref()
    }

    /// Consent: DISABILITY.
    async fn disability(&self) -> Option<Disability> {
        self.0.disability.map(|(kind, grade)| Disability { kind: kind.into(), grade })
    }

    /// The identity part of the certificate's number is masked. Consent: DISABILITY.
    async fn disability_certificate(&self) -> Option<&str> {
        self.0.disability_certificate.as_deref()
    }

    /// Consent: HEALTH.
    async fn health(&self) -> Option<&str> {
        self.0.health.as_deref()
    }

    /// Consent: INCOME.
    async fn monthly_income(&self) -> Option<Money> {
        self.0.monthly_income.map(Money)
    }
}
