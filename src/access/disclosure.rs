//! How much of a referred person each side sees (DOMAIN.md §4, §8; the contract's `ReferredPerson`).

use entity::kinds::{ConsentField, DisabilityClass, ReferralSide, ReferralStatus};
use entity::{DisabilityCertificate, Fen, NationalId, Sealed, consent, person, referral};

use super::doors::ReferralRow;
use super::keys::Keys;
use crate::error::{Error, Result};
use crate::rules::referral::has_ended;

/// What may be shown; numbers are masked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disclosed {
    pub name: Option<String>,
    pub birth_year: Option<i32>,
    pub area: Option<String>,
    pub id_number: Option<String>,
    pub phone: Option<String>,
    pub address: Option<String>,
    pub disability: Option<(DisabilityClass, i32)>,
    pub disability_certificate: Option<String>,
    pub health: Option<String>,
    pub monthly_income: Option<Fen>,
}

impl Disclosed {
    /// Whether more is shown than name, birth year, sub-district and a masked number.
    pub fn is_unmasked(&self) -> bool {
        self.phone.is_some()
            || self.address.is_some()
            || self.disability.is_some()
            || self.disability_certificate.is_some()
            || self.health.is_some()
            || self.monthly_income.is_some()
    }
}

/// The consent that opens something of this referral now.
pub(super) fn standing(row: &ReferralRow) -> Option<&consent::Model> {
    row.consent
        .as_ref()
        .filter(|consent| consent.withdrawn_at.is_none() && consent.receiver_id == row.referral.receiver_id)
}

/// What the viewer's side sees of the person, as the referral stands now.
///
/// The sender sees what it sent itself. The receiver sees name, birth year and sub-district while the referral lives, and
/// beyond that what a consent for this receiver, not withdrawn, opens; nothing once it has ended. The bureau above sees as much
/// as the receiver may, and goes on seeing it.
pub fn disclosed(row: &ReferralRow, status: ReferralStatus, keys: &Keys) -> Result<Option<Disclosed>> {
    let referral = &row.referral;
    let stated_phone = || {
        let sealed = referral.stated_phone_sealed.as_ref();
        keys.open_some(referral::Column::StatedPhoneSealed, referral.id, sealed)
    };
    let masked_id = || {
        let plain = keys.open(
            referral::Column::StatedNationalIdSealed,
            referral.id,
            &referral.stated_national_id_sealed,
        )?;
        // Of somebody who was forgotten there is none any more.
        if plain.is_empty() {
            return Ok(None);
        }
        let id =
            NationalId::parse(&plain).map_err(|_| Error::internal("a sealed identity number is none"))?;
        Ok::<_, Error>(Some(id.masked()))
    };
    let basics = || {
        let name =
            keys.open(referral::Column::StatedNameSealed, referral.id, &referral.stated_name_sealed)?;
        Ok::<_, Error>(Disclosed {
            name: Some(name),
            birth_year: Some(referral.stated_birth_year),
            ..Disclosed::default()
        })
    };
    match row.party.side {
        ReferralSide::Sender => {
            Ok(Some(Disclosed { id_number: masked_id()?, phone: stated_phone()?, ..basics()? }))
        }
        ReferralSide::Receiver if has_ended(status) => Ok(None),
        ReferralSide::Receiver | ReferralSide::Overseer => {
            let person = row.person.as_ref();
            let of_person = |column, pick: fn(&person::Model) -> Option<&Sealed>| match person {
                Some(person) => keys.open_some(column, person.id, pick(person)),
                None => Ok(None),
            };
            let mut shown =
                Disclosed { area: person.and_then(|person| person.subdistrict.clone()), ..basics()? };
            let fields = standing(row).map_or("", |consent| consent.fields.as_str());
            for field in fields.split(' ').filter_map(ConsentField::of_word) {
                match field {
                    ConsentField::IdNumber => shown.id_number = masked_id()?,
                    ConsentField::Phone => {
                        shown.phone = match stated_phone()? {
                            Some(phone) => Some(phone),
                            None => {
                                of_person(person::Column::PhoneSealed, |person| person.phone_sealed.as_ref())?
                            }
                        };
                    }
                    ConsentField::Address => {
                        shown.address = of_person(person::Column::AddressSealed, |person| {
                            person.address_sealed.as_ref()
                        })?;
                    }
                    ConsentField::Disability => {
                        shown.disability =
                            person.and_then(|person| person.disability_class.zip(person.disability_grade));
                        shown.disability_certificate =
                            of_person(person::Column::DisabilityCertificateSealed, |person| {
                                person.disability_certificate_sealed.as_ref()
                            })?
                            .and_then(|plain| DisabilityCertificate::parse(&plain).ok())
                            .map(|certificate| certificate.masked());
                    }
                    ConsentField::Health => {
                        shown.health =
                            of_person(person::Column::HealthSealed, |person| person.health_sealed.as_ref())?;
                    }
                    ConsentField::Income => {
                        shown.monthly_income = person.and_then(|person| person.monthly_income);
                    }
                }
            }
            Ok(Some(shown))
        }
    }
}
