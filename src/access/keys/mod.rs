//! The server's keys: those that sign tokens, seals and receipts, and those that seal and find personal data.

mod folder;
mod reload;
mod ring;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use chrono::{DateTime, Utc};
use entity::{CardNumber, Digest, NationalId, Sealed};
use hmac::{Hmac, Mac};
use rand::TryRngCore;
use rand::rngs::OsRng;
use sha2::Sha256;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::jwks::PublicKeys;
use crate::error::{Error, Result};
use crate::rules::person_name::same_name_key;

pub use folder::make_private_folder;
use folder::{
    PERSONAL_FILE, SIGNING_FILE, kept, new_signing_pem, read_or_make, ring_in, signing_key, unreadable,
};
use ring::Ring;
pub use ring::{Active, Verifying};

const NONCE_BYTES: usize = 24;

/// Everything secret that the server holds. It prints nothing.
pub struct Keys {
    /// Where they are kept; nothing for keys that are kept nowhere.
    folder: Option<PathBuf>,
    ring: RwLock<Arc<Ring>>,
    /// When the key of a token was last looked for in the folder.
    looked: Mutex<Option<Instant>>,
    sealing: XChaCha20Poly1305,
    finding: [u8; 32],
}

/// A signing key as `onestop keys list` shows it.
pub struct Listed {
    pub kid: String,
    /// Nothing for the active one.
    pub retired_at: Option<DateTime<Utc>>,
}

impl Keys {
    /// Reads the keys in a folder; makes those that are missing, readable by their owner alone.
    pub fn in_folder(folder: &Path) -> io::Result<Self> {
        make_private_folder(folder)?;
        read_or_make(&folder.join(SIGNING_FILE), new_signing_pem)?;
        read_or_make(&folder.join(PERSONAL_FILE), new_personal)?;
        Self::kept_in_folder(folder)
    }

    /// Reads the keys in a folder, and makes none.
    pub fn kept_in_folder(folder: &Path) -> io::Result<Self> {
        Self::of(Some(folder.to_owned()), ring_in(folder)?, &kept(folder, PERSONAL_FILE)?)
    }

    /// What is published of the keys in a folder, which is only read.
    pub fn public_in_folder(folder: &Path) -> io::Result<PublicKeys> {
        Ok(ring_in(folder)?.public())
    }

    /// The signing keys in a folder, which is only read: the active one first, then the latest retired.
    pub fn list_in_folder(folder: &Path) -> io::Result<Vec<Listed>> {
        let ring = ring_in(folder)?;
        let retired = ring
            .retired
            .iter()
            .map(|(key, _)| Listed { kid: key.kid().to_owned(), retired_at: Some(key.retired_at) });
        Ok(std::iter::once(Listed { kid: ring.active.kid.clone(), retired_at: None })
            .chain(retired)
            .collect())
    }

    /// Makes a new active signing key in a folder and retires the one before; tells both `kid`s, the old one first.
    pub fn rotate_in_folder(folder: &Path, now: DateTime<Utc>) -> io::Result<(String, String)> {
        folder::rotate(folder, now)
    }

    /// Fresh keys that are kept nowhere.
    pub fn ephemeral() -> io::Result<Self> {
        Self::of(None, Ring::of(signing_key(&new_signing_pem()?)?, Vec::new())?, &new_personal()?)
    }

    fn of(folder: Option<PathBuf>, ring: Ring, personal: &str) -> io::Result<Self> {
        let mut lines = personal.lines().map(unhex);
        let (Some(Some(sealing)), Some(Some(finding))) = (lines.next(), lines.next()) else {
            return Err(unreadable(PERSONAL_FILE, "it must hold two lines of 64 hexadecimal digits"));
        };
        Ok(Self {
            folder,
            ring: RwLock::new(Arc::new(ring)),
            looked: Mutex::default(),
            sealing: XChaCha20Poly1305::new(Key::from_slice(&sealing)),
            finding,
        })
    }

    fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn put_ring(&self, ring: Ring) {
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
    }

    /// The key that signs now: hold on to it for one signature, since the next may be by another.
    pub fn active(&self) -> Arc<Active> {
        Arc::clone(&self.ring().active)
    }

    /// The key of a `kid`, to verify tokens; nothing when it is none of this server's.
    pub fn verifying(&self, kid: &str) -> Option<Verifying> {
        self.ring().verifying(kid)
    }

    /// What is published of these keys: the active one first.
    pub fn public(&self) -> PublicKeys {
        self.ring().public()
    }

    /// Encrypts a personal datum; `column` is bound to it, so that it cannot be moved to another column.
    pub fn seal(&self, column: &'static str, plain: &str) -> Result<Sealed> {
        let nonce: [u8; NONCE_BYTES] = random().map_err(|_| Error::internal("no randomness"))?;
        let sealed = self
            .sealing
            .encrypt(XNonce::from_slice(&nonce), Payload { msg: plain.as_bytes(), aad: column.as_bytes() })
            .map_err(|_| Error::internal("sealing failed"))?;
        Ok(Sealed([nonce.as_slice(), &sealed].concat()))
    }

    /// Opens what [`Keys::seal`] closed for the same column.
    pub fn open(&self, column: &'static str, sealed: &Sealed) -> Result<String> {
        let broken =
            || Error::internal(format!("a sealed value of {column} does not open with this server's key"));
        let (nonce, body) = sealed.0.split_at_checked(NONCE_BYTES).ok_or_else(broken)?;
        let plain = self
            .sealing
            .decrypt(XNonce::from_slice(nonce), Payload { msg: body, aad: column.as_bytes() })
            .map_err(|_| broken())?;
        String::from_utf8(plain).map_err(|_| broken())
    }

    /// How a person is found by number and name together, as both are stated at a desk.
    pub fn find_at_desk(&self, id: &NationalId, name: &str) -> Digest {
        self.digest("desk", format!("{}\n{}", id.expose(), same_name_key(name)).as_bytes())
    }

    /// What tells one person from another: equal for equal numbers, useless without the key.
    pub fn find_person(&self, id: &NationalId) -> Digest {
        self.digest("person", id.expose().as_bytes())
    }

    /// How an aid card is found.
    pub fn find_card(&self, number: &CardNumber) -> Digest {
        self.digest("aid_card", number.expose().as_bytes())
    }

    /// The digest of no request: for a key that is blocked before its request came.
    pub fn no_request(&self) -> Digest {
        self.digest("no request", &[])
    }

    /// A keyed hash of anything, apart by purpose.
    pub(super) fn digest(&self, purpose: &str, data: &[u8]) -> Digest {
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(&self.finding)
            .unwrap_or_else(|_| unreachable!("HMAC takes a key of any length"));
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(data);
        Digest(mac.finalize().into_bytes().to_vec())
    }
}

fn new_personal() -> io::Result<String> {
    Ok(format!("{}\n{}\n", hex(&random::<32>()?), hex(&random::<32>()?)))
}

fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    OsRng.try_fill_bytes(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes)
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(line: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if line.len() != 64 || !line.is_ascii() {
        return None;
    }
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(line.get(index * 2..index * 2 + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_only_for_its_column() {
        let keys = Keys::ephemeral().unwrap();
        let sealed = keys.seal("phone", "13800000000").unwrap();
        assert_eq!(keys.open("phone", &sealed).unwrap(), "13800000000");
        assert!(keys.open("address", &sealed).is_err());
        assert!(Keys::ephemeral().unwrap().open("phone", &sealed).is_err());
        assert!(keys.open("phone", &Sealed(vec![1, 2, 3])).is_err());
        assert_ne!(keys.seal("phone", "13800000000").unwrap(), sealed, "a nonce of its own each time");
    }

    #[test]
    fn keys_survive_a_restart_and_are_their_owners_alone() {
        let folder = std::env::temp_dir().join(format!("onestop-keys-{}", uuid::Uuid::now_v7()));
        let first = Keys::in_folder(&folder).unwrap();
        let again = Keys::in_folder(&folder).unwrap();
        assert_eq!(first.active().kid, again.active().kid);
        let id = NationalId::parse("419999197001010014").unwrap();
        assert_eq!(first.find_person(&id), again.find_person(&id));
        #[cfg(unix)]
        for file in [SIGNING_FILE, PERSONAL_FILE] {
            let mode = std::os::unix::fs::PermissionsExt::mode(
                &std::fs::metadata(folder.join(file)).unwrap().permissions(),
            );
            assert_eq!(mode & 0o777, 0o600);
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}
