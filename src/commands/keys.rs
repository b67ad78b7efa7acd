use chrono::SecondsFormat;
use clap::{Args, Subcommand};

use super::{Failure, Outcome, Place, configure};
use crate::access::Keys as SigningKeys;
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
}

#[derive(Args)]
struct Of {
    /// Folder of the server's data, with its keys [default: data].
    #[arg(long, value_name = "DIR")]
    data: Option<std::path::PathBuf>,
}

impl Keys {
    pub(super) fn run(self) -> Outcome {
        let (KeysCommand::List(of) | KeysCommand::Rotate(of)) = &self.command;
        let place = Place { data: of.data.clone(), database: None };
        let folder = configure(&place, None)?.data.join("keys");
        let unusable = |error: std::io::Error| {
            Failure(format!("the keys in {} cannot be used: {error}", folder.display()))
        };
        match self.command {
            KeysCommand::List(_) => {
                for key in SigningKeys::list_in_folder(&folder).map_err(unusable)? {
                    match key.retired_at {
                        None => println!("{}  active", key.kid),
                        Some(at) => {
                            println!(
                                "{}  retired {}",
                                key.kid,
                                at.to_rfc3339_opts(SecondsFormat::Secs, true)
                            );
                        }
                    }
                }
            }
            KeysCommand::Rotate(_) => {
                let now = Clock::system().now();
                let (old, new) = SigningKeys::rotate_in_folder(&folder, now).map_err(unusable)?;
                println!("{new} signs from now on; {old} is retired and still verifies what it signed");
            }
        }
        Ok(())
    }
}
