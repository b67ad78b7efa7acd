//! The keys of personal data, and the envelope in which they are kept: each encrypted under the master key, which may be elsewhere.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fmt, io};

use serde::{Deserialize, Serialize};

use super::folder::{PERSONAL_FILE, kept, locked, put, read_or_make, unreadable};
use super::sealing::{close, open};
use super::{hex, random, unhex};

/// The master key, where none is given: beside what it protects, so it guards copies of the envelope and of the database alone.
pub(super) const MASTER_FILE: &str = "master.key";

/// A key of 256 bits. It prints nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub(super) [u8; 32]);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    fn new() -> io::Result<Self> {
        random().map(Self)
    }

    /// From 64 hexadecimal digits.
    fn of(text: &str) -> Option<Self> {
        unhex(text)?.try_into().map(Self).ok()
    }
}

/// Where the key is under which the others are encrypted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum MasterKey {
    /// In a file of the keys' folder, which is made when it is missing.
    #[default]
    InFolder,
    /// In a file elsewhere.
    InFile(PathBuf),
    Given(Secret),
}

impl MasterKey {
    /// From 64 hexadecimal digits.
    pub fn given(text: &str) -> Option<Self> {
        Secret::of(text.trim()).map(Self::Given)
    }

    fn read(&self, folder: &Path) -> io::Result<Secret> {
        let (text, name) = match self {
            Self::Given(secret) => return Ok(secret.clone()),
            Self::InFolder => (kept(folder, MASTER_FILE)?, MASTER_FILE.to_owned()),
            Self::InFile(file) => {
                let name = file.display().to_string();
                let text = std::fs::read_to_string(file)
                    .map_err(|error| io::Error::new(error.kind(), format!("{name}: {error}")))?;
                (text, name)
            }
        };
        Secret::of(text.trim()).ok_or_else(|| unreadable(&name, "it must hold 64 hexadecimal digits"))
    }

    fn read_or_make(&self, folder: &Path) -> io::Result<Secret> {
        if *self == Self::InFolder {
            read_or_make(&folder.join(MASTER_FILE), || Ok(format!("{}\n", hex(&Secret::new()?.0))))?;
        }
        self.read(folder)
    }
}

/// The keys that seal: one seals what is written now, each opens what it has sealed.
pub(super) struct DataKeys {
    active: (u32, Secret),
    others: BTreeMap<u32, Secret>,
}

impl DataKeys {
    fn new() -> io::Result<Self> {
        Ok(Self { active: (u32::from_be_bytes(random()?), Secret::new()?), others: BTreeMap::new() })
    }

    /// The number of the key that seals, and the key.
    pub(super) fn active(&self) -> (u32, &Secret) {
        (self.active.0, &self.active.1)
    }

    pub(super) fn get(&self, number: u32) -> Option<&Secret> {
        if number == self.active.0 { Some(&self.active.1) } else { self.others.get(&number) }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (u32, &Secret)> {
        let others = self.others.iter().map(|(number, key)| (*number, key));
        std::iter::once(self.active()).chain(others)
    }
}

/// The keys of personal data.
pub(super) struct Personal {
    pub(super) data: DataKeys,
    /// Keys the digests by which people and cards are found.
    pub(super) finding: Secret,
}

/// The text of the file: what is encrypted is written in hexadecimal digits.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    active: String,
    data_keys: BTreeMap<String, String>,
    finding_key: String,
}

const FINDING: &str = "finding key";

fn data_key(number: &str) -> String {
    format!("data key {number}")
}

fn written(number: u32) -> String {
    format!("{number:08x}")
}

impl Personal {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { data: DataKeys::new()?, finding: Secret::new()? })
    }

    /// Reads the envelope in a folder.
    pub(super) fn kept(folder: &Path, master: &MasterKey) -> io::Result<Self> {
        let text = kept(folder, PERSONAL_FILE)?;
        let text = if former(&text).is_some() { enclose(folder, master)? } else { text };
        Self::open(&text, &master.read(folder)?)
    }

    /// Makes the envelope in a folder, and the master key, unless they are there.
    pub(super) fn make(folder: &Path, master: &MasterKey) -> io::Result<()> {
        let file = folder.join(PERSONAL_FILE);
        if !file.try_exists()? {
            let master = master.read_or_make(folder)?;
            read_or_make(&file, || Self::new()?.close(&master))?;
        }
        Ok(())
    }

    /// Puts a new data key into the envelope, which seals from then on; those of before go on opening.
    pub(super) fn add_data_key(folder: &Path, master: &MasterKey) -> io::Result<()> {
        let _lock = locked(folder)?;
        let Self { data, finding } = Self::kept(folder, master)?;
        let DataKeys { active: new, .. } = DataKeys::new()?;
        let mut others = data.others;
        others.insert(data.active.0, data.active.1);
        let master = master.read(folder)?;
        let text = Self { data: DataKeys { active: new, others }, finding }.close(&master)?;
        put(folder, PERSONAL_FILE, &text)
    }

    /// Encrypts the envelope under another master key.
    pub(super) fn wrap(folder: &Path, from: &MasterKey, to: &MasterKey) -> io::Result<()> {
        let _lock = locked(folder)?;
        let text = Self::kept(folder, from)?.close(&to.read(folder)?)?;
        put(folder, PERSONAL_FILE, &text)
    }

    fn close(&self, master: &Secret) -> io::Result<String> {
        let wrapped = |key: &Secret, name: &str| {
            let closed = close(master, &[], &key.0, name.as_bytes());
            closed.map(|closed| hex(&closed)).ok_or_else(|| io::Error::other("no randomness"))
        };
        let data_keys = self.data.all().map(|(number, key)| {
            let number = written(number);
            let key = wrapped(key, &data_key(&number))?;
            Ok((number, key))
        });
        let envelope = Envelope {
            active: written(self.data.active.0),
            data_keys: data_keys.collect::<io::Result<_>>()?,
            finding_key: wrapped(&self.finding, FINDING)?,
        };
        Ok(format!("{}\n", serde_json::to_string_pretty(&envelope).map_err(io::Error::other)?))
    }

    fn open(text: &str, master: &Secret) -> io::Result<Self> {
        let envelope: Envelope =
            serde_json::from_str(text).map_err(|error| unreadable(PERSONAL_FILE, &error.to_string()))?;
        let unwrapped = |text: &str, name: &str| {
            let key = unhex(text).and_then(|closed| open(master, 0, &closed, name.as_bytes()));
            key.and_then(|key| key.try_into().map(Secret).ok())
                .ok_or_else(|| unreadable(PERSONAL_FILE, "the master key does not open it"))
        };
        let finding = unwrapped(&envelope.finding_key, FINDING)?;
        let mut others = BTreeMap::new();
        for (number, key) in &envelope.data_keys {
            let parsed = u32::from_str_radix(number, 16)
                .map_err(|_| unreadable(PERSONAL_FILE, "a data key has no number"))?;
            others.insert(parsed, unwrapped(key, &data_key(number))?);
        }
        let active = u32::from_str_radix(&envelope.active, 16).ok();
        let active = active
            .and_then(|number| others.remove_entry(&number))
            .ok_or_else(|| unreadable(PERSONAL_FILE, "the active data key is not in it"))?;
        Ok(Self { data: DataKeys { active, others }, finding })
    }
}

/// What versions before kept in the clear: a line for the key that seals, and one for the key that finds.
fn former(text: &str) -> Option<(Secret, Secret)> {
    let mut lines = text.lines().map(Secret::of);
    let (Some(Some(sealing)), Some(Some(finding)), None) = (lines.next(), lines.next(), lines.next()) else {
        return None;
    };
    Some((sealing, finding))
}

/// Puts an envelope in the place of the keys of a version before; tells its text.
fn enclose(folder: &Path, master: &MasterKey) -> io::Result<String> {
    let _lock = locked(folder)?;
    let text = kept(folder, PERSONAL_FILE)?;
    // Another process may have come first.
    let Some((sealing, finding)) = former(&text) else { return Ok(text) };
    let master = master.read_or_make(folder)?;
    let DataKeys { active: (number, _), others } = DataKeys::new()?;
    let text = Personal { data: DataKeys { active: (number, sealing), others }, finding }.close(&master)?;
    put(folder, PERSONAL_FILE, &text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn finding(folder: &Path, master: &MasterKey) -> io::Result<[u8; 32]> {
        Personal::kept(folder, master).map(|personal| personal.finding.0)
    }

    #[test]
    fn the_file_of_a_version_before_becomes_an_envelope_with_the_same_keys() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(PERSONAL_FILE);
        fs::write(&file, format!("{}\n{}\n", "1a".repeat(32), "2b".repeat(32))).unwrap();
        let read = Personal::kept(folder.path(), &MasterKey::InFolder).unwrap();
        assert_eq!((read.data.active.1.0, read.finding.0), ([0x1a; 32], [0x2b; 32]));
        let text = fs::read_to_string(&file).unwrap();
        assert!(!text.contains("1a1a1a1a") && !text.contains("2b2b2b2b"), "{text}");
        let again = Personal::kept(folder.path(), &MasterKey::InFolder).unwrap();
        assert_eq!((again.data.active.0, again.finding.0), (read.data.active.0, [0x2b; 32]));
    }

    #[test]
    fn an_envelope_opens_with_its_master_key_alone_wherever_that_is() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let given = MasterKey::given(&"3c".repeat(32)).unwrap();
        Personal::make(folder, &given).unwrap();
        assert!(!folder.join(MASTER_FILE).exists(), "a master key that is given is not written down");
        let found = finding(folder, &given).unwrap();
        let elsewhere = folder.join("elsewhere");
        fs::write(&elsewhere, format!("{}\n", "3c".repeat(32))).unwrap();
        assert_eq!(finding(folder, &MasterKey::InFile(elsewhere)).unwrap(), found);
        let other = MasterKey::given(&"4d".repeat(32)).unwrap();
        assert!(finding(folder, &other).unwrap_err().to_string().contains("the master key does not open it"));
        let missing = finding(folder, &MasterKey::InFolder).unwrap_err();
        assert!(missing.to_string().contains("master.key is missing"));
        Personal::make(folder, &MasterKey::InFolder).unwrap();
        assert!(!folder.join(MASTER_FILE).exists(), "none is made for an envelope that it would not open");
    }

    #[test]
    fn another_master_key_and_another_data_key_leave_what_was_readable() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let before = MasterKey::InFolder;
        Personal::make(folder, &before).unwrap();
        let first = Personal::kept(folder, &before).unwrap();
        Personal::add_data_key(folder, &before).unwrap();
        let second = Personal::kept(folder, &before).unwrap();
        assert_ne!(first.data.active().0, second.data.active().0);
        assert!(second.data.get(first.data.active().0) == Some(first.data.active().1));
        let after = MasterKey::given(&"3c".repeat(32)).unwrap();
        Personal::wrap(folder, &before, &after).unwrap();
        assert!(Personal::kept(folder, &before).is_err(), "the old master key opens it no more");
        let third = Personal::kept(folder, &after).unwrap();
        assert!(third.finding == second.finding && third.data.active() == second.data.active());
        assert_eq!(third.data.all().count(), 2);
    }

    #[test]
    fn a_key_in_the_envelope_cannot_take_the_place_of_another() {
        let master = Secret([5; 32]);
        let text = Personal::new().unwrap().close(&master).unwrap();
        let mut envelope: Envelope = serde_json::from_str(&text).unwrap();
        envelope.finding_key = envelope.data_keys.values().next().unwrap().clone();
        assert!(Personal::open(&serde_json::to_string(&envelope).unwrap(), &master).is_err());
        assert!(Personal::open(&text, &master).is_ok());
    }
}
