//! People in the clear, for a purpose that is written down first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::{Enum, SimpleObject};
use entity::id::{ReferralId, SettlementId};
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::access::{Clear, Slice};
use crate::error::{Error, Result};
use crate::rules::text::text_fault;

/// Longest note, in characters.
const LONGEST_NOTE: usize = 100;
/// A note with so many digits in a row might hold a number of a person.
const DIGITS_OF_A_NUMBER: usize = 6;

/// Why a person is shown in the clear.
#[derive(Enum, Copy, Clone, Eq, PartialEq)]
pub enum UnmaskPurpose {
    /// Checking a settlement against the hospital's papers.
    SettlementReview,
    /// Calculating again what is due.
    Recalculation,
    /// Two people might have been taken for one another.
    IdentityCheck,
    /// The person asked or complained.
    PersonAsked,
    /// An auditor or a court asked.
    Audit,
}

impl UnmaskPurpose {
    const fn word(self) -> &'static str {
        match self {
            Self::SettlementReview => "SETTLEMENT_REVIEW",
            Self::Recalculation => "RECALCULATION",
            Self::IdentityCheck => "IDENTITY_CHECK",
            Self::PersonAsked => "PERSON_ASKED",
            Self::Audit => "AUDIT",
        }
    }
}

/// A person in the clear: as much as tells one person from another.
#[derive(SimpleObject)]
pub struct UnmaskedPerson {
    name: String,
    id_number: String,
}

enum Subjects {
    Settlements(Vec<Uuid>),
    Referrals(Vec<ReferralId>),
}

type Shown = OnceCell<std::result::Result<HashMap<Uuid, Clear>, Arc<Error>>>;

/// Things that were read together: their people are written down and shown together, once for each purpose.
pub struct Unmasked {
    subjects: Subjects,
    shown: Mutex<HashMap<String, Arc<Shown>>>,
}

impl Unmasked {
    pub fn of_settlements(ids: Vec<Uuid>) -> Arc<Self> {
        Arc::new(Self { subjects: Subjects::Settlements(ids), shown: Mutex::default() })
    }

    pub fn of_referrals(ids: Vec<ReferralId>) -> Arc<Self> {
        Arc::new(Self { subjects: Subjects::Referrals(ids), shown: Mutex::default() })
    }

    /// The person of one of them.
    pub async fn person(
        &self,
        slice: &Slice,
        subject: Uuid,
        purpose: UnmaskPurpose,
        note: Option<&str>,
    ) -> Result<Option<UnmaskedPerson>> {
        let purpose = stated(purpose, note)?;
        let shown = {
            let mut all = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(all.entry(purpose.clone()).or_default())
        };
        let found = shown.get_or_init(async || self.load(slice, &purpose).await.map_err(Arc::new)).await;
        match found {
            Ok(people) => Ok(people
                .get(&subject)
                .cloned()
                .map(|clear| UnmaskedPerson { name: clear.name, id_number: clear.id_number })),
            Err(shared) => Err(shared.for_each("showing people in the clear")),
        }
    }

    async fn load(&self, slice: &Slice, purpose: &str) -> Result<HashMap<Uuid, Clear>> {
        match &self.subjects {
            Subjects::Settlements(ids) => {
                let ids = ids.iter().copied().map(SettlementId::from).collect();
                slice.unmask_patients(ids, purpose).await
            }
            Subjects::Referrals(ids) => slice.unmask_referred(ids.clone(), purpose).await,
        }
    }
}

/// The purpose as it is written down.
fn stated(purpose: UnmaskPurpose, note: Option<&str>) -> Result<String> {
    let Some(note) = note else { return Ok(purpose.word().to_owned()) };
    if text_fault(note, LONGEST_NOTE).is_some() {
        return Err(Error::invalid(
            "note",
            "must be a text of 1 to 100 characters without control characters.",
        ));
    }
    let digits = note.split(|char: char| !char.is_numeric()).map(|run| run.chars().count()).max();
    if digits.is_some_and(|digits| digits >= DIGITS_OF_A_NUMBER) {
        return Err(Error::invalid(
            "note",
            "must hold no number of a person; the subject tells whom it is about.",
        ));
    }
    Ok(format!("{}: {note}", purpose.word()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_holds_no_number_and_is_bounded() {
        let stated = |note| stated(UnmaskPurpose::Audit, note);
        assert_eq!(stated(None).unwrap(), "AUDIT");
        assert_eq!(stated(Some("case 12/2016")).unwrap(), "AUDIT: case 12/2016");
        for bad in ["", " ", "a\u{0}b", "419999197001010014", "tel 138000", &"长".repeat(101)] {
            assert!(stated(Some(bad)).is_err(), "{bad}");
        }
    }
}
