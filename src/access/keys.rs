//! The server's keys: the one that signs tokens, seals and receipts, and those that seal and find personal data.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use ed25519_dalek::{Signature, Signer, SigningKey};
use entity::{CardNumber, Digest, NationalId, Sealed};
use hmac::{Hmac, Mac};
use jsonwebtoken::{DecodingKey, EncodingKey};
use rand::TryRngCore;
use rand::rngs::OsRng;
use sha2::Sha256;

use super::jwks::{PublicKeys, id_of};
use crate::error::{Error, Result};
use crate::rules::person_name::same_name_key;

const SIGNING_FILE: &str = "signing.pem";
const PERSONAL_FILE: &str = "personal.key";
const NONCE_BYTES: usize = 24;

/// Everything secret that the server holds. It prints nothing.
pub struct Keys {
    pub(super) key_id: String,
    pub(super) signing: EncodingKey,
    pub(super) verifying: DecodingKey,
    pub(super) signer: SigningKey,
    sealing: XChaCha20Poly1305,
    finding: [u8; 32],
}

impl Keys {
    /// Reads the keys in a folder; makes those that are missing, readable by their owner alone.
    pub fn in_folder(folder: &Path) -> io::Result<Self> {
        make_private_folder(folder)?;
        let pem = read_or_make(&folder.join(SIGNING_FILE), || {
            let key = SigningKey::from_bytes(&random()?);
            Ok(key.to_pkcs8_pem(LineEnding::LF).map_err(io::Error::other)?.to_string())
        })?;
        let personal = read_or_make(&folder.join(PERSONAL_FILE), || {
            Ok(format!("{}\n{}\n", hex(&random::<32>()?), hex(&random::<32>()?)))
        })?;
        Self::of(&pem, &personal)
    }

    /// Reads the keys in a folder, and makes none.
    pub fn kept_in_folder(folder: &Path) -> io::Result<Self> {
        Self::of(&kept(folder, SIGNING_FILE)?, &kept(folder, PERSONAL_FILE)?)
    }

    /// What is published of the keys in a folder, which is only read.
    pub fn public_in_folder(folder: &Path) -> io::Result<PublicKeys> {
        Ok(PublicKeys::of(&signing_key(&kept(folder, SIGNING_FILE)?)?.verifying_key()))
    }

    /// Fresh keys that are kept nowhere.
    pub fn ephemeral() -> io::Result<Self> {
        let key = SigningKey::from_bytes(&random()?);
        let pem = key.to_pkcs8_pem(LineEnding::LF).map_err(io::Error::other)?;
        Self::of(&pem, &format!("{}\n{}\n", hex(&random::<32>()?), hex(&random::<32>()?)))
    }

    fn of(pem: &str, personal: &str) -> io::Result<Self> {
        let signing = signing_key(pem)?;
        let public = signing.verifying_key();
        let der = signing.to_pkcs8_der().map_err(io::Error::other)?;
        let mut lines = personal.lines().map(unhex);
        let (Some(Some(sealing)), Some(Some(finding))) = (lines.next(), lines.next()) else {
            return Err(unreadable(PERSONAL_FILE, "it must hold two lines of 64 hexadecimal digits"));
        };
        Ok(Self {
            key_id: id_of(&public),
            signing: EncodingKey::from_ed_der(der.as_bytes()),
            verifying: DecodingKey::from_ed_der(public.as_bytes()),
            signer: signing,
            sealing: XChaCha20Poly1305::new(Key::from_slice(&sealing)),
            finding,
        })
    }

    /// An Ed25519 signature.
    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.signer.sign(message).to_vec()
    }

    /// Whether [`Keys::sign`] made a signature.
    pub(super) fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.signer.verifying_key().verify_strict(message, &signature).is_ok())
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

fn signing_key(pem: &str) -> io::Result<SigningKey> {
    SigningKey::from_pkcs8_pem(pem).map_err(|error| unreadable(SIGNING_FILE, &error.to_string()))
}

fn unreadable(file: &str, why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{file} is not a key file of this server: {why}"))
}

fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    OsRng.try_fill_bytes(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes)
}

fn kept(folder: &Path, file: &str) -> io::Result<String> {
    fs::read_to_string(folder.join(file)).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => io::Error::new(error.kind(), format!("{file} is missing")),
        kind => io::Error::new(kind, format!("{file}: {error}")),
    })
}

/// Written whole beside its place and then linked to it: a file that is there is complete, and whoever comes second reads the
/// first one's.
fn read_or_make(path: &Path, make: impl FnOnce() -> io::Result<String>) -> io::Result<String> {
    if path.try_exists()? {
        return fs::read_to_string(path);
    }
    let beside = path.with_extension(hex(&random::<8>()?));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    file.write_all(make()?.as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&beside, path);
    fs::remove_file(&beside)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => fs::read_to_string(path),
    }
}

/// Makes a folder, with those above it, that only its owner may enter.
pub fn make_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
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
        assert_eq!(first.key_id, again.key_id);
        let id = NationalId::parse("419999197001010014").unwrap();
        assert_eq!(first.find_person(&id), again.find_person(&id));
        #[cfg(unix)]
        for file in [SIGNING_FILE, PERSONAL_FILE] {
            let mode = std::os::unix::fs::PermissionsExt::mode(
                &fs::metadata(folder.join(file)).unwrap().permissions(),
            );
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::remove_dir_all(folder).unwrap();
    }
}
