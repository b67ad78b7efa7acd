//! The folder of the keys: which files there are, and how they come to be and change without ever being half there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use chrono::{DateTime, Utc};
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey};

use super::ring::{Retired, Ring};
use super::{hex, random};

/// The key that signs.
pub(super) const SIGNING_FILE: &str = "signing.pem";
/// Names of what [`read_or_make`] writes beside it.
const SIGNING_BESIDE: &str = "signing.";
pub(super) const PERSONAL_FILE: &str = "personal.key";
/// Whoever rotates holds a lock on it.
const LOCK_FILE: &str = "rotation.lock";
/// What a rotation writes before it is put into its place; left over when the rotation was cut short.
const UNFINISHED: &str = "unfinished-";
/// Public parts of keys that sign no more, `retired-<kid>.json`.
const RETIRED: &str = "retired-";

/// A signing key, made anew.
pub(super) fn new_signing_pem() -> io::Result<String> {
    let key = SigningKey::from_bytes(&random()?);
    Ok(key.to_pkcs8_pem(LineEnding::LF).map_err(io::Error::other)?.to_string())
}

pub(super) fn signing_key(pem: &str) -> io::Result<SigningKey> {
    SigningKey::from_pkcs8_pem(pem).map_err(|error| unreadable(SIGNING_FILE, &error.to_string()))
}

pub(super) fn unreadable(file: &str, why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{file} is not a key file of this server: {why}"))
}

/// The ring in a folder, which is only read. The active key first: a rotation that happens meanwhile leaves it among the retired,
/// and none is missed.
pub(super) fn ring_in(folder: &Path) -> io::Result<Ring> {
    let active = signing_key(&kept(folder, SIGNING_FILE)?)?;
    let mut retired = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let Some(name) = name.to_str().filter(|name| name.starts_with(RETIRED)) else { continue };
        let read: Retired = serde_json::from_str(&kept(folder, name)?)
            .map_err(|error| unreadable(name, &error.to_string()))?;
        let key = read.verifying().ok_or_else(|| unreadable(name, "its key is not the one of its kid"))?;
        retired.push((read, key));
    }
    Ring::of(active, retired)
}

/// Makes a new active key and retires the old one; tells both `kid`s, the old one first. The old key is among the retired before
/// the new one takes its place, so there is no step after which a key is missing; of two rotations at once the second waits.
pub(super) fn rotate(folder: &Path, now: DateTime<Utc>) -> io::Result<(String, String)> {
    // Before anything is made in it: a folder without keys stays as it is.
    kept(folder, SIGNING_FILE)?;
    let _lock = locked(folder)?;
    let old = ring_in(folder)?.active;
    let pem = new_signing_pem()?;
    let new = Ring::of(signing_key(&pem)?, Vec::new())?.active;
    let retired = serde_json::to_string_pretty(&old.retire(now)).map_err(io::Error::other)?;
    put(folder, &format!("{RETIRED}{}.json", old.kid), &format!("{retired}\n"))?;
    put(folder, SIGNING_FILE, &pem)?;
    Ok((old.kid.clone(), new.kid.clone()))
}

/// Whoever changes keys that are there holds this; the next one waits.
pub(super) fn locked(folder: &Path) -> io::Result<File> {
    let lock = private().create(true).truncate(false).open(folder.join(LOCK_FILE))?;
    lock.lock()?;
    Ok(lock)
}

/// Takes away what rotations that were cut short have left, and what a first start may have: a copy of the private key.
fn sweep(folder: &Path) -> io::Result<()> {
    let left = |name: &str| {
        name.starts_with(UNFINISHED) || (name.starts_with(SIGNING_BESIDE) && name != SIGNING_FILE)
    };
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(left) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Writes a file whole and puts it into its place, in the place of the one before. Under [`locked`], one at a time: what another
/// left unfinished is gone.
pub(super) fn put(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    sweep(folder)?;
    let beside = folder.join(format!("{UNFINISHED}{name}"));
    write_new(&beside, text)?;
    fs::rename(&beside, folder.join(name))?;
    File::open(folder)?.sync_all()
}

pub(super) fn kept(folder: &Path, file: &str) -> io::Result<String> {
    fs::read_to_string(folder.join(file)).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => io::Error::new(error.kind(), format!("{file} is missing")),
        kind => io::Error::new(kind, format!("{file}: {error}")),
    })
}

/// Written whole beside its place and then linked to it: a file that is there is complete, and whoever comes second reads the
/// first one's.
pub(super) fn read_or_make(path: &Path, make: impl FnOnce() -> io::Result<String>) -> io::Result<String> {
    if path.try_exists()? {
        return fs::read_to_string(path);
    }
    let beside = path.with_extension(hex(&random::<8>()?));
    write_new(&beside, &make()?)?;
    let linked = fs::hard_link(&beside, path);
    fs::remove_file(&beside)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => fs::read_to_string(path),
    }
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = private().create_new(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// For files that only their owner may read.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes a folder, with those above it, that only its owner may enter.
pub fn make_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }

    fn with_keys() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        write_new(&folder.path().join(SIGNING_FILE), &new_signing_pem().unwrap()).unwrap();
        folder
    }

    fn names(folder: &Path) -> BTreeSet<String> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_retired_key_leaves_nothing_private() {
        let folder = with_keys();
        let folder = folder.path();
        let secret = signing_key(&kept(folder, SIGNING_FILE).unwrap()).unwrap();
        let pem = kept(folder, SIGNING_FILE).unwrap();
        let (old, new) = rotate(folder, now()).unwrap();
        let file = format!("{RETIRED}{old}.json");
        assert_eq!(names(folder), BTreeSet::from([LOCK_FILE.into(), SIGNING_FILE.into(), file.clone()]));
        let body: Vec<&str> = pem.lines().filter(|line| !line.starts_with('-')).collect();
        for name in names(folder) {
            let text = kept(folder, &name).unwrap();
            assert!(!text.contains(&body.concat()) && !text.contains(&hex(secret.as_bytes())), "{name}");
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                let mode = fs::metadata(folder.join(&name)).unwrap().permissions().mode();
                assert_eq!(mode & 0o777, 0o600, "{name}");
            }
        }
        let ring = ring_in(folder).unwrap();
        assert_eq!((ring.active.kid.as_str(), ring.retired[0].0.kid()), (new.as_str(), old.as_str()));
    }

    #[test]
    fn a_rotation_that_is_cut_short_leaves_a_usable_folder() {
        let folder = with_keys();
        let folder = folder.path();
        let first = ring_in(folder).unwrap().active;
        // Cut after the retirement was written down, and while the new key was.
        let retired = serde_json::to_string(&first.retire(now())).unwrap();
        fs::write(folder.join(format!("{RETIRED}{}.json", first.kid)), retired).unwrap();
        for (unfinished, text) in [(SIGNING_FILE, "-----BEG"), ("retired-x.json", "{")] {
            fs::write(folder.join(format!("{UNFINISHED}{unfinished}")), text).unwrap();
        }
        fs::copy(folder.join(SIGNING_FILE), folder.join("signing.0011223344556677")).unwrap();
        let ring = ring_in(folder).unwrap();
        assert_eq!(ring.active.kid, first.kid);
        assert!(ring.retired.is_empty() && ring.verifying(&first.kid).unwrap().retired_at.is_none());
        let later = now() + chrono::TimeDelta::days(1);
        rotate(folder, later).unwrap();
        let file = format!("{RETIRED}{}.json", first.kid);
        assert_eq!(
            names(folder),
            BTreeSet::from([LOCK_FILE.into(), SIGNING_FILE.into(), file]),
            "all is swept"
        );
        let ring = ring_in(folder).unwrap();
        assert_eq!(ring.verifying(&first.kid).unwrap().retired_at, Some(later), "when it really was");
    }

    #[test]
    fn rotations_at_once_lose_no_key() {
        let folder = with_keys();
        let folder = folder.path();
        let first = ring_in(folder).unwrap().active.kid.clone();
        let made: Vec<(String, String)> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..8).map(|_| scope.spawn(|| rotate(folder, now()).unwrap())).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let ring = ring_in(folder).unwrap();
        let mut known: BTreeSet<String> = ring.retired.iter().map(|(key, _)| key.kid().to_owned()).collect();
        known.insert(ring.active.kid.clone());
        let expected = made.into_iter().map(|(_, new)| new).chain([first]).collect();
        assert_eq!(known, expected);
    }

    #[test]
    fn a_folder_that_is_none_of_keys_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        assert!(rotate(folder.path(), now()).unwrap_err().to_string().contains("signing.pem is missing"));
        assert!(names(folder.path()).is_empty());
        let folder = with_keys();
        let folder = folder.path();
        let (old, _) = rotate(folder, now()).unwrap();
        let (file, foreign) = (format!("{RETIRED}{old}.json"), format!("{RETIRED}0.json"));
        let text = kept(folder, &file).unwrap().replace(&old, "0000000000000000");
        fs::write(folder.join(&foreign), text).unwrap();
        assert!(ring_in(folder).err().unwrap().to_string().contains(&foreign), "a key under another's kid");
    }
}
