//! Sealing: what of people is stored is encrypted, and opens only with its key, for its column and its row.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use entity::Sealed;
use sea_orm::{ColumnTrait, IdenStatic};
use uuid::Uuid;

use super::envelope::Secret;
use super::{Keys, random};
use crate::error::{Error, Result};

/// How a value is encrypted; the first byte of every sealed value names it, so that values of several stand side by side.
#[derive(Clone, Copy)]
enum Algorithm {
    /// XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) with a random nonce of 24 bytes.
    XChaCha20Poly1305,
}

impl Algorithm {
    /// What seals from now on.
    const ACTIVE: Self = Self::XChaCha20Poly1305;

    const fn byte(self) -> u8 {
        match self {
            Self::XChaCha20Poly1305 => 1,
        }
    }

    fn of(byte: u8) -> Option<Self> {
        [Self::XChaCha20Poly1305].into_iter().find(|known| known.byte() == byte)
    }

    /// The nonce, and behind it what was encrypted with its tag.
    fn close(self, key: &Secret, plain: &[u8], bound: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::XChaCha20Poly1305 => {
                let nonce: [u8; XCHACHA_NONCE] = random().ok()?;
                let body = XChaCha20Poly1305::new(Key::from_slice(&key.0))
                    .encrypt(XNonce::from_slice(&nonce), Payload { msg: plain, aad: bound })
                    .ok()?;
                Some([nonce.as_slice(), &body].concat())
            }
        }
    }

    fn open(self, key: &Secret, closed: &[u8], bound: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::XChaCha20Poly1305 => {
                let (nonce, body) = closed.split_at_checked(XCHACHA_NONCE)?;
                XChaCha20Poly1305::new(Key::from_slice(&key.0))
                    .decrypt(XNonce::from_slice(nonce), Payload { msg: body, aad: bound })
                    .ok()
            }
        }
    }
}

const XCHACHA_NONCE: usize = 24;

/// The algorithm's byte, a label in the clear, the nonce and the ciphertext; nothing when there is no randomness.
pub(super) fn close(key: &Secret, label: &[u8], plain: &[u8], bound: &[u8]) -> Option<Vec<u8>> {
    let closed = Algorithm::ACTIVE.close(key, plain, bound)?;
    Some([&[Algorithm::ACTIVE.byte()], label, &closed].concat())
}

/// Opens what [`close`] closed with a label of so many bytes; nothing when it is not whole, or of another key or binding.
pub(super) fn open(key: &Secret, label: usize, closed: &[u8], bound: &[u8]) -> Option<Vec<u8>> {
    let (algorithm, rest) = closed.split_first()?;
    Algorithm::of(*algorithm)?.open(key, rest.get(label..)?, bound)
}

/// Opens a value of the versions before: nonce and ciphertext, bound to a name of its column.
pub(super) fn open_former(key: &Secret, sealed: &Sealed, column: &str) -> Option<String> {
    let plain = Algorithm::XChaCha20Poly1305.open(key, &sealed.0, column.as_bytes())?;
    String::from_utf8(plain).ok()
}

/// How many bytes the number of a data key takes in a sealed value, behind the algorithm.
const LABEL: usize = size_of::<u32>();

/// The data key of a sealed value; nothing when it is none.
pub(super) fn key_of(sealed: &Sealed) -> Option<u32> {
    sealed.0.get(1..=LABEL)?.try_into().map(u32::from_be_bytes).ok()
}

/// Where a sealed value stands: it opens nowhere else.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) table: &'static str,
    pub(super) column: &'static str,
    pub(super) row: Uuid,
}

impl Place {
    fn of<C: ColumnTrait>(column: C, row: impl Into<Uuid>) -> Self {
        Self { table: table_of::<C>(), column: column.as_str(), row: row.into() }
    }

    fn bound(self) -> Vec<u8> {
        [self.table.as_bytes(), b".", self.column.as_bytes(), self.row.as_bytes()].concat()
    }
}

fn table_of<C: ColumnTrait>() -> &'static str {
    C::EntityName::default().as_str()
}

impl Keys {
    /// Encrypts a personal datum for a column of one row: it opens nowhere else.
    pub fn seal<C: ColumnTrait>(&self, column: C, row: impl Into<Uuid>, plain: &str) -> Result<Sealed> {
        self.seal_at(Place::of(column, row), plain)
    }

    /// [`Keys::seal`], where there may be nothing.
    pub fn seal_some<C: ColumnTrait>(
        &self,
        column: C,
        row: impl Into<Uuid>,
        plain: Option<&str>,
    ) -> Result<Option<Sealed>> {
        plain.map(|plain| self.seal(column, row, plain)).transpose()
    }

    /// Opens what [`Keys::seal`] closed for the same column and row.
    pub fn open<C: ColumnTrait>(&self, column: C, row: impl Into<Uuid>, sealed: &Sealed) -> Result<String> {
        self.open_at(Place::of(column, row), sealed)
    }

    /// [`Keys::open`], where there may be nothing.
    pub fn open_some<C: ColumnTrait>(
        &self,
        column: C,
        row: impl Into<Uuid>,
        sealed: Option<&Sealed>,
    ) -> Result<Option<String>> {
        sealed.map(|sealed| self.open(column, row, sealed)).transpose()
    }

    pub(super) fn seal_at(&self, place: Place, plain: &str) -> Result<Sealed> {
        let data = self.data();
        let (number, key) = data.active();
        close(key, &number.to_be_bytes(), plain.as_bytes(), &place.bound())
            .map(Sealed)
            .ok_or_else(|| Error::internal("sealing failed"))
    }

    pub(super) fn open_at(&self, place: Place, sealed: &Sealed) -> Result<String> {
        let data = self.data();
        let key = key_of(sealed).and_then(|number| data.get(number));
        key.and_then(|key| open(key, LABEL, &sealed.0, &place.bound()))
            .and_then(|plain| String::from_utf8(plain).ok())
            .ok_or_else(|| {
                let Place { table, column, .. } = place;
                Error::internal(format!(
                    "a sealed value of {table}.{column} does not open with this server's keys"
                ))
            })
    }
}

#[cfg(test)]
mod tests {
    use entity::id::{PersonId, ReferralId};
    use entity::{person, referral};

    use super::*;

    #[test]
    fn what_is_sealed_opens_only_for_its_column_and_its_row() {
        let keys = Keys::ephemeral().unwrap();
        let (id, other) = (PersonId::from(Uuid::now_v7()), PersonId::from(Uuid::now_v7()));
        let sealed = keys.seal(person::Column::PhoneSealed, id, "13800000000").unwrap();
        assert_eq!(keys.open(person::Column::PhoneSealed, id, &sealed).unwrap(), "13800000000");
        assert!(keys.open(person::Column::AddressSealed, id, &sealed).is_err());
        assert!(keys.open(person::Column::PhoneSealed, other, &sealed).is_err());
        let same_row = ReferralId::from(Uuid::from(id));
        assert!(keys.open(referral::Column::StatedPhoneSealed, same_row, &sealed).is_err());
        assert!(Keys::ephemeral().unwrap().open(person::Column::PhoneSealed, id, &sealed).is_err());
        let again = keys.seal(person::Column::PhoneSealed, id, "13800000000").unwrap();
        assert_ne!(again, sealed, "a nonce of its own each time");
    }

    #[test]
    fn a_value_says_its_format_and_its_key_and_is_whole_or_nothing() {
        let keys = Keys::ephemeral().unwrap();
        let id = PersonId::from(Uuid::now_v7());
        let sealed = keys.seal(person::Column::NameSealed, id, "王小红").unwrap();
        assert_eq!(sealed.0.len(), 1 + 4 + 24 + "王小红".len() + 16);
        assert_eq!((sealed.0[0], key_of(&sealed)), (1, Some(keys.data().active().0)));
        for place in 0..sealed.0.len() {
            let mut broken = sealed.clone();
            broken.0[place] ^= 1;
            assert!(keys.open(person::Column::NameSealed, id, &broken).is_err(), "byte {place}");
            broken.0.truncate(place);
            assert!(keys.open(person::Column::NameSealed, id, &broken).is_err(), "cut at {place}");
        }
    }
}
