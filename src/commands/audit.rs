use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::{Failure, Place, check, configure, failed, gate, open};
use crate::access::{Finding, Head, Summary};

/// Check the books and the trail: every stored amount against the ledger, every act against what it left, every seal.
#[derive(Args)]
#[command(after_help = "It only reads, in one snapshot, and can run beside a server.\n\
                        Exit status: 0 nothing differs, 1 something does, 2 it could not run.")]
pub struct Audit {
    #[command(flatten)]
    place: Place,
    /// Print JSON: a line for each difference, then the summary.
    #[arg(long)]
    json: bool,
    /// Write the trail's newest seal, for keeping elsewhere; `-` prints it, and the report then goes to standard error.
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
        let kept = self.head.as_deref().map(read_head).transpose()?;
        let config = configure(&self.place, None)?;
        let gate = gate(&config, open(&config).await?).await?;
        check(&config, &gate).await?;
        let printed = self.export.as_deref().is_some_and(is_standard_output);
        let out: Box<dyn Write + Send> =
            if printed { Box::new(io::stderr()) } else { Box::new(io::stdout()) };
        let mut report = Report { out, json: self.json, fault: None };
        let summary = gate.audit(kept.as_ref(), &mut |finding| report.finding(&finding)).await?;
        report.summary(&summary)?;
        match (&self.export, &summary.head) {
            (Some(file), Some(head)) => write_head(file, head)?,
            (Some(_), None) if summary.seals > 0 => {
                eprintln!("onestop: --export: nothing was written, as the trail is broken");
            }
            (Some(_), None) => {
                return Err(Failure("--export: nothing was written: the trail has no seal yet".into()));
            }
            (None, _) => {}
        }
        gate.database().clone().close().await?;
        Ok(summary.differences)
    }
}

fn is_standard_output(file: &Path) -> bool {
    file == Path::new("-")
}

fn read_head(file: &Path) -> Result<Head, Failure> {
    let fault = |why: String| Failure(format!("--head: {} {why}", file.display()));
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
    fs::write(file, text)
        .map_err(|error| Failure(format!("--export: {} cannot be written: {error}", file.display())))
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
