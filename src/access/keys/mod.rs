//! The server's keys: those that sign tokens, seals and receipts, and those that seal and find personal data.

mod columns;
mod convert;
mod envelope;
mod folder;
mod reload;
mod rewrap;
mod ring;
mod sealing;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use entity::{CardNumber, Digest, NationalId};
use hmac::{Hmac, Mac};
use rand::TryRngCore;
use rand::rngs::OsRng;
use sha2::Sha256;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::jwks::PublicKeys;
use crate::rules::person_name::same_name_key;

pub(super) use convert::{any_to_convert, convert};
pub use envelope::MasterKey;
use envelope::{DataKeys, Personal, Secret};
pub use folder::make_private_folder;
use folder::{SIGNING_FILE, new_signing_pem, read_or_make, ring_in, signing_key};
pub use rewrap::Rewrapped;
use ring::Ring;
pub use ring::{Active, Verifying};

/// Everything secret that the server holds. It prints nothing.
pub struct Keys {
    /// Where they are kept, and under which master key; nothing for keys that are kept nowhere.
    home: Option<(PathBuf, MasterKey)>,
    ring: RwLock<Arc<Ring>>,
    /// When the key of a token was last looked for in the folder.
    looked: Mutex<Option<Instant>>,
    data: RwLock<Arc<DataKeys>>,
    finding: Secret,
}

/// A signing key as `onestop keys list` shows it.
pub struct Listed {
    pub kid: String,
    /// Nothing for the active one.
    pub retired_at: Option<DateTime<Utc>>,
}

impl Keys {
    /// [`Keys::in_folder_under`] a master key in the same folder.
    pub fn in_folder(folder: &Path) -> io::Result<Self> {
        Self::in_folder_under(folder, &MasterKey::InFolder)
    }

    /// Reads the keys in a folder; makes those that are missing, readable by their owner alone.
    pub fn in_folder_under(folder: &Path, master: &MasterKey) -> io::Result<Self> {
        make_private_folder(folder)?;
        read_or_make(&folder.join(SIGNING_FILE), new_signing_pem)?;
        Personal::make(folder, master)?;
        Self::kept_in_folder_under(folder, master)
    }

    /// [`Keys::kept_in_folder_under`] a master key in the same folder.
    pub fn kept_in_folder(folder: &Path) -> io::Result<Self> {
        Self::kept_in_folder_under(folder, &MasterKey::InFolder)
    }

    /// Reads the keys in a folder, and makes none; those that a version before kept in the clear are put into an envelope.
    pub fn kept_in_folder_under(folder: &Path, master: &MasterKey) -> io::Result<Self> {
        let ring = ring_in(folder)?;
        let personal = Personal::kept(folder, master)?;
        Ok(Self::of(Some((folder.to_owned(), master.clone())), ring, personal))
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
        Ok(Self::of(None, Ring::of(signing_key(&new_signing_pem()?)?, Vec::new())?, Personal::new()?))
    }

    fn of(home: Option<(PathBuf, MasterKey)>, ring: Ring, Personal { data, finding }: Personal) -> Self {
        Self {
            home,
            ring: RwLock::new(Arc::new(ring)),
            looked: Mutex::default(),
            data: RwLock::new(Arc::new(data)),
            finding,
        }
    }

    fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn put_ring(&self, ring: Ring) {
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
    }

    fn data(&self) -> Arc<DataKeys> {
        Arc::clone(&self.data.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn put_data(&self, data: DataKeys) {
        *self.data.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(data);
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
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(&self.finding.0)
            .unwrap_or_else(|_| unreachable!("HMAC takes a key of any length"));
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(data);
        Digest(mac.finalize().into_bytes().to_vec())
    }
}

fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    OsRng.try_fill_bytes(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes)
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let bytes = (0..text.len()).step_by(2);
    bytes.map(|at| text.get(at..at + 2).and_then(|byte| u8::from_str_radix(byte, 16).ok())).collect()
}

#[cfg(test)]
mod tests {
    use super::envelope::MASTER_FILE;
    use super::folder::PERSONAL_FILE;
    use super::*;

    #[test]
    fn keys_survive_a_restart_and_are_their_owners_alone() {
        let folder = std::env::temp_dir().join(format!("onestop-keys-{}", uuid::Uuid::now_v7()));
        let first = Keys::in_folder(&folder).unwrap();
        let again = Keys::in_folder(&folder).unwrap();
        assert_eq!(first.active().kid, again.active().kid);
        let id = NationalId::parse("419999197001010014").unwrap();
        assert_eq!(first.find_person(&id), again.find_person(&id));
        #[cfg(unix)]
        for file in [SIGNING_FILE, PERSONAL_FILE, MASTER_FILE] {
            let mode = std::os::unix::fs::PermissionsExt::mode(
                &std::fs::metadata(folder.join(file)).unwrap().permissions(),
            );
            assert_eq!(mode & 0o777, 0o600);
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}
