use std::io::Read;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Failure, Outcome, Place, configure};
use crate::access::{Keys, PublicKeys, Receipt as Content};

/// Most bytes that are read of a receipt or a key set.
const LONGEST: u64 = 1 << 20;

/// Verify receipts without the server.
#[derive(Args)]
pub struct Receipt {
    #[command(subcommand)]
    command: ReceiptCommand,
}

#[derive(Subcommand)]
enum ReceiptCommand {
    /// Print what a receipt says if the server's key signed it; fail, and say what is wrong, if not. Asks no server and no database.
    Verify(Verify),
}

#[derive(Args)]
struct Verify {
    /// The server's published keys: a copy of /.well-known/jwks.json.
    #[arg(long, value_name = "FILE", conflicts_with = "data")]
    jwks: Option<PathBuf>,
    /// Folder of the server's own keys, instead [default: data].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The receipt, or - to read it from standard input.
    receipt: String,
}

impl Receipt {
    pub(super) fn run(self) -> Outcome {
        match self.command {
            ReceiptCommand::Verify(verify) => verify.run(),
        }
    }
}

impl Verify {
    fn run(self) -> Outcome {
        let keys = self.keys()?;
        let receipt = match self.receipt.as_str() {
            "-" => read("standard input", std::io::stdin())?,
            given => given.to_owned(),
        };
        let content = Content::verify(receipt.trim(), &keys)
            .map_err(|flaw| Failure(format!("not a valid receipt: {flaw}")))?;
        println!("valid receipt, signed by {}", content.iss);
        println!("  mutation  {}", content.mutation);
        println!("  key       {}", content.key);
        println!("  result    {}", content.result);
        println!("  amount    {} {}", content.amount, content.currency);
        println!("  partner   {}", content.partner);
        println!("  at        {}", content.at);
        Ok(())
    }

    fn keys(&self) -> Result<PublicKeys, Failure> {
        if let Some(file) = &self.jwks {
            let shown = file.display();
            let opened = std::fs::File::open(file)
                .map_err(|error| Failure(format!("--jwks: {shown} cannot be read: {error}")))?;
            let text = read(&format!("--jwks: {shown}"), opened)?;
            return PublicKeys::read(&text)
                .map_err(|why| Failure(format!("--jwks: {shown} cannot be used: {why}")));
        }
        let place = Place { data: self.data.clone(), database: None };
        let folder = configure(&place, None)?.data.join("keys");
        Keys::public_in_folder(&folder).map_err(|error| {
            Failure(format!("the keys in {} cannot be used: {error} (or give --jwks)", folder.display()))
        })
    }
}

fn read(name: &str, from: impl Read) -> Result<String, Failure> {
    let mut text = String::new();
    let read = from.take(LONGEST + 1).read_to_string(&mut text);
    read.map_err(|error| Failure(format!("{name} cannot be read: {error}")))?;
    match u64::try_from(text.len()) {
        Ok(length) if length <= LONGEST => Ok(text),
        _ => Err(Failure(format!("{name} is longer than a megabyte"))),
    }
}
