use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::SecondsFormat;
use clap::{Args, Subcommand};

use super::{Failure, Outcome, Place, check, configure, gate_of_installation};
use crate::access::{Keys as SigningKeys, MasterKey, Rewrapped};
use crate::clock::Clock;

/// List the keys that sign tokens, receipts and seals, or put a new one in place of the one that signs.
#[derive(Args)]
pub struct Keys {
    #[command(subcommand)]
    command: KeysCommand,
}

#[derive(Subcommand)]
enum KeysCommand {
    /// List the signing keys: the active one first.
    List(Of),
    /// Make a new signing key and retire the one that signs. Running servers take it within a few seconds; what the retired one
    /// signed stays verifiable, and its private part is gone.
    Rotate(Of),
    /// Seal all personal data again under a new data key, while servers run; cut short, it goes on when it is run again. With
    /// `--master-key-file` encrypt the keys of personal data under another master key instead.
    Rewrap(Rewrap),
}

#[derive(Args)]
struct Rewrap {
    #[command(flatten)]
    place: Place,
    /// A file with the new master key, 64 hexadecimal digits. Servers are started again with it.
    #[arg(long, value_name = "FILE")]
    master_key_file: Option<PathBuf>,
}

/// Longer than servers take to see a new key.
const SEEN: Duration = Duration::from_secs(5);

impl Rewrap {
    async fn run(self) -> Outcome {
        let config = configure(&self.place, None)?;
        if let Some(file) = self.master_key_file {
            let folder = config.data.join("keys");
            let to = MasterKey::InFile(file);
            SigningKeys::wrap_in_folder(&folder, &config.master_key, &to).map_err(unusable(&folder))?;
            println!("the keys of personal data open with the new master key alone");
            return Ok(());
        }
        let gate = gate_of_installation(&config).await?;
        check(&config, &gate).await?;
        match gate.rewrap(SEEN).await? {
            Rewrapped::Anew(values) => println!("{values} value(s) sealed again under a new key"),
            Rewrapped::Finished(values) => {
                println!(
                    "{values} value(s) that an earlier run left are sealed again; run it once more for a new key"
                );
            }
        }
        Ok(())
    }
}

#[derive(Args)]
struct Of {
    /// Folder of the server's data, with its keys [default: data].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl Keys {
    pub(super) async fn run(self) -> Outcome {
        match self.command {
            KeysCommand::List(of) => of.list(),
            KeysCommand::Rotate(of) => of.rotate(),
            KeysCommand::Rewrap(rewrap) => rewrap.run().await,
        }
    }
}

impl Of {
    fn folder(&self) -> Result<PathBuf, Failure> {
        let place = Place { data: self.data.clone(), database: None };
        Ok(configure(&place, None)?.data.join("keys"))
    }

    fn list(&self) -> Outcome {
        let folder = self.folder()?;
        for key in SigningKeys::list_in_folder(&folder).map_err(unusable(&folder))? {
            match key.retired_at {
                None => println!("{}  active", key.kid),
                Some(at) => {
                    println!("{}  retired {}", key.kid, at.to_rfc3339_opts(SecondsFormat::Secs, true));
                }
            }
        }
        Ok(())
    }

    fn rotate(&self) -> Outcome {
        let folder = self.folder()?;
        let now = Clock::system().now();
        let (old, new) = SigningKeys::rotate_in_folder(&folder, now).map_err(unusable(&folder))?;
        println!("{new} signs from now on; {old} is retired and still verifies what it signed");
        Ok(())
    }
}

fn unusable(folder: &Path) -> impl Fn(std::io::Error) -> Failure {
    let folder = folder.display().to_string();
    move |error| Failure(format!("the keys in {folder} cannot be used: {error}"))
}
