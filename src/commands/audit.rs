use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::json;
use uuid::Uuid;

use super::{Failure, Place, check, configure, failed, gate_of_installation};
use crate::access::{Finding, Head, Summary};

/// Check the books and the trail: every stored amount against the ledger, every act against what it left and its receipt, every seal.
#[derive(Args)]
#[command(
    after_help = "It only reads, in one snapshot, and can run beside a server. It makes no keys and no database.\n\
                        Exit status: 0 nothing differs, 1 something does, 2 it could not run."
)]
pub struct Audit {
    #[command(flatten)]
    place: Place,
    /// Print JSON: a line for each difference, then the summary.
    #[arg(long)]
    json: bool,
    /// Write the trail's newest seal, for keeping elsewhere. A file that is there is checked as --head checks it, and is replaced
    /// only when the trail still holds its seal. `-` prints the seal, and the report then goes to standard error.
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
    /// Check that the trail still holds the seal that --export wrote.
    #[arg(long, value_name = "FILE")]
    head: Option<PathBuf>,
}

const DIFFERS: u8 = 1;
const COULD_NOT_RUN: u8 = 2;

impl Audit {
    pub(super) async fn run(self) -> ExitCode {
        match self.audit().await {
            Ok(0) => ExitCode::SUCCESS,
            Ok(_) => ExitCode::from(DIFFERS),
            Err(failure) => {
                failed(&failure);
                ExitCode::from(COULD_NOT_RUN)
            }
        }
    }

    /// How many differences there are.
    async fn audit(self) -> Result<u64, Failure> {
        let kept = self.kept()?;
        let config = configure(&self.place, None)?;
        let gate = gate_of_installation(&config).await?;
        check(&config, &gate).await?;
        let printed = self.export.as_deref().is_some_and(is_standard_output);
        let out: Box<dyn Write + Send> =
            if printed { Box::new(io::stderr()) } else { Box::new(io::stdout()) };
        let mut report = Report { out, json: self.json, fault: None };
        let summary = gate.audit(&kept, &mut |finding| report.finding(&finding)).await?;
        report.summary(&summary)?;
        match (&self.export, &summary.head) {
            (Some(file), Some(head)) => write_head(file, head)?,
            (Some(_), None) if summary.differences > 0 => {
                let trail = if summary.seals > 0 { "is broken" } else { "has no seal" };
                eprintln!("onestop: --export: nothing was written, as the trail {trail}");
            }
            (Some(_), None) => {
                return Err(Failure("--export: nothing was written: the trail has no seal yet".into()));
            }
            (None, _) => {}
        }
        gate.database().clone().close().await?;
        Ok(summary.differences)
    }

    /// The heads that the trail must still hold.
    fn kept(&self) -> Result<Vec<Head>, Failure> {
        let mut kept = Vec::new();
        if let Some(file) = &self.head {
            kept.push(read_head("--head", file)?);
        }
        if let Some(file) = self.export.as_deref().filter(|file| !is_standard_output(file)) {
            match fs::metadata(file) {
                Ok(found) if found.is_file() => {
                    let before = read_head("--export", file)?;
                    if !kept.contains(&before) {
                        kept.push(before);
                    }
                }
                Ok(_) => {
                    return Err(Failure(format!("--export: {} is there and is no file", file.display())));
                }
                // It is written for the first time.
                Err(_) => {}
            }
        }
        Ok(kept)
    }
}

fn is_standard_output(file: &Path) -> bool {
    file == Path::new("-")
}

fn read_head(flag: &str, file: &Path) -> Result<Head, Failure> {
    let fault = |why: String| Failure(format!("{flag}: {} {why}", file.display()));
    let text = fs::read_to_string(file).map_err(|error| fault(format!("cannot be read: {error}")))?;
    serde_json::from_str(&text)
        .map_err(|error| fault(format!("is not what `onestop audit --export` writes: {error}")))
}

fn write_head(file: &Path, head: &Head) -> Result<(), Failure> {
    let mut text = serde_json::to_string_pretty(head).map_err(|error| Failure(error.to_string()))?;
    text.push('\n');
    if is_standard_output(file) {
        return Ok(io::stdout().write_all(text.as_bytes())?);
    }
    replace(file, &text)
        .map_err(|error| Failure(format!("--export: {} cannot be written: {error}", file.display())))
}

/// Writes a file whole beside its place and then puts it there, so that a fault leaves what was there before.
fn replace(file: &Path, text: &str) -> io::Result<()> {
    let place = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let mut name = place.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", Uuid::now_v7().simple()));
    let beside = place.with_file_name(name);
    let written = OpenOptions::new().write(true).create_new(true).open(&beside).and_then(|mut new| {
        new.write_all(text.as_bytes())?;
        new.sync_all()?;
        fs::rename(&beside, &place)
    });
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}

/// What is printed while the audit runs.
struct Report {
    out: Box<dyn Write + Send>,
    json: bool,
    /// Why nothing more can be printed.
    fault: Option<io::Error>,
}

impl Report {
    fn finding(&mut self, finding: &Finding) {
        if self.fault.is_none() {
            self.fault = self.line(finding).err();
        }
    }

    fn line(&mut self, finding: &Finding) -> io::Result<()> {
        if self.json {
            serde_json::to_writer(&mut self.out, finding)?;
            return writeln!(self.out);
        }
        let Finding { kind, table, row, found, expected, means, warning } = finding;
        let sort = if *warning { "warning" } else { "difference" };
        writeln!(self.out, "{sort} {kind}: {table} {row}: {found}, should be {expected}. {means}")
    }

    fn summary(&mut self, summary: &Summary) -> io::Result<()> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        if self.json {
            return writeln!(self.out, "{}", json!({ "summary": summary }));
        }
        let rows: Vec<String> = summary.rows.iter().map(|(table, rows)| format!("{table} {rows}")).collect();
        writeln!(self.out, "Rows: {}.", rows.join(", "))?;
        for book in &summary.books {
            writeln!(
                self.out,
                "{} book: appropriated {}, spent {}, owed to partners {}, paid to them {}, on cards {}, recovered {}.",
                book.fund.word(),
                book.appropriated.to_yuan(),
                book.spent.to_yuan(),
                book.owed.to_yuan(),
                book.paid.to_yuan(),
                book.on_cards.to_yuan(),
                book.recovered.to_yuan(),
            )?;
        }
        writeln!(self.out, "Trail: {} seals over {} records.", summary.seals, summary.sealed_records)?;
        writeln!(self.out, "{} difference(s), {} warning(s).", summary.differences, summary.warnings)
    }
}
