use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use axum::http::Uri;
use clap::Args;
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

use super::Failure;
use crate::files::Fault;
use crate::files::csv::{self, Reader, plain};
use crate::files::reconciliation::{AGREED, DIFFERS};

/// The columns of a difference; those behind them are of the last line.
const OF_A_DIFFERENCE: usize = 5;
const DIFFERENT: u8 = 1;
const NOT_DONE: u8 = 2;

/// Compare a CSV file of a partner's own lines with what the bureau owes it.
///
/// The file is in UTF-8 and names its columns in the first line; `key` and `amount` are read, others are left alone. Lines of one
/// key are added up. The token comes from the environment variable ONESTOP_TOKEN or from a file, so that no list of processes shows
/// it. Prints the differences as CSV on standard output and a sentence on standard error. The exit status is 0 when both sides
/// agree, 1 when they differ, and 2 when the comparison could not be made.
#[derive(Args)]
pub struct Reconcile {
    /// The file, at most 200,000 lines.
    file: PathBuf,
    /// First day of the acts (China Standard Time), e.g. 2016-05-31.
    #[arg(long, value_name = "DAY")]
    from: String,
    /// Last day of the acts.
    #[arg(long, value_name = "DAY")]
    to: String,
    /// FISCAL or CHARITY; may be left out by a partner that deals with one fund.
    #[arg(long, value_name = "FUND")]
    fund: Option<String>,
    /// Address of the server; https, but for one on this machine.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    url: String,
    /// File that holds the token, when ONESTOP_TOKEN does not.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// The last line of an answer.
struct Totals {
    agreed: bool,
    ours: String,
    theirs: String,
    matched: String,
    differences: String,
}

impl Reconcile {
    pub(super) fn run(self) -> ExitCode {
        match self.compare() {
            Ok(totals) if totals.agreed => {
                eprintln!("Both sides agree on {} acts and {} yuan.", totals.matched, totals.ours);
                ExitCode::SUCCESS
            }
            Ok(totals) => {
                eprintln!(
                    "{} acts differ and {} agree; the bureau counts {} yuan, the file {} yuan.",
                    totals.differences, totals.matched, totals.ours, totals.theirs
                );
                ExitCode::from(DIFFERENT)
            }
            Err(failure) => {
                eprintln!("onestop: {}", failure.0);
                ExitCode::from(NOT_DONE)
            }
        }
    }

    fn compare(&self) -> Result<Totals, Failure> {
        let token = self.token()?;
        let url = address(&self.url)?;
        let file = File::open(&self.file)
            .map_err(|error| Failure(format!("the file {} cannot be read: {error}", self.file.display())))?;
        // Whom the machine trusts: agencies have certificate authorities of their own.
        let trusted = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let client: Agent = Agent::config_builder()
            .tls_config(trusted)
            .http_status_as_error(false)
            // The token goes to the server that was named and to no other.
            .max_redirects(0)
            .timeout_connect(Some(Duration::from_secs(10)))
            .timeout_global(Some(Duration::from_secs(900)))
            .build()
            .into();
        let mut request = client
            .post(url)
            .query("from", &self.from)
            .query("to", &self.to)
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "text/csv; charset=utf-8")
            // A refusal is told before the file is sent.
            .header("expect", "100-continue");
        if let Some(fund) = &self.fund {
            request = request.query("fund", fund);
        }
        let mut answer = request
            .send(file)
            .map_err(|error| Failure(format!("the server at {} was not reached: {error}", self.url)))?;
        let status = answer.status();
        if status != 200 {
            let said = answer.body_mut().read_to_string().unwrap_or_default();
            let said: serde_json::Value = serde_json::from_str(&said).unwrap_or_default();
            let why = said["errors"][0]["message"].as_str().unwrap_or("it gave no reason that can be read");
            return Err(Failure(format!("the server refused ({}): {why}", status.as_u16())));
        }
        print(answer.body_mut().as_reader())
    }

    fn token(&self) -> Result<String, Failure> {
        let token = match &self.token_file {
            Some(file) => std::fs::read_to_string(file).map_err(|error| {
                Failure(format!("the token file {} cannot be read: {error}", file.display()))
            })?,
            None => std::env::var("ONESTOP_TOKEN").unwrap_or_default(),
        };
        let token = token.trim();
        let readable = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        readable.then(|| token.to_owned()).ok_or_else(|| {
            Failure("there is no token: set ONESTOP_TOKEN to it, or name the file that holds it with --token-file".into())
        })
    }
}

/// Where the comparison is. A token never goes over a network in the clear.
fn address(server: &str) -> Result<String, Failure> {
    let wrong = || {
        Failure(format!("--url: {server} is no address of a server: it must be like https://onestop.example"))
    };
    let uri: Uri = server.parse().map_err(|_| wrong())?;
    let host = uri.host().ok_or_else(wrong)?;
    match uri.scheme_str() {
        Some("https") => {}
        Some("http") if matches!(host, "localhost" | "127.0.0.1" | "[::1]") => {}
        Some("http") => {
            return Err(Failure(
                "--url: must begin with https://, or the token could be read on its way".into(),
            ));
        }
        _ => return Err(wrong()),
    }
    Ok(format!("{}/reconcile", server.trim_end_matches('/')))
}

/// Prints the differences as they come. An answer without its last line is not whole.
fn print(mut answer: impl Read) -> Result<Totals, Failure> {
    let cut = || Failure("the answer broke off: what was printed is not all of it; try again".into());
    let mut out = io::stdout().lock();
    let mut printing = Printing::default();
    let mut reader = Reader::default();
    let mut piece = vec![0; 64 * 1024];
    loop {
        let many = answer.read(&mut piece).map_err(|_| cut())?;
        if many == 0 {
            break;
        }
        reader.take(&piece[..many], &mut |_, cells| printing.line(cells)).map_err(|_| cut())?;
        out.write_all(&std::mem::take(&mut printing.lines))?;
    }
    out.flush()?;
    reader.end(&mut |_, cells| printing.line(cells)).map_err(|_| cut())?;
    printing.totals.ok_or_else(cut)
}

#[derive(Default)]
struct Printing {
    lines: Vec<u8>,
    totals: Option<Totals>,
}

impl Printing {
    fn line(&mut self, cells: &[&str]) -> Result<(), Fault> {
        match cells {
            ["", result @ (AGREED | DIFFERS), ours, theirs, _, matched, differences] => {
                self.totals = Some(Totals {
                    agreed: *result == AGREED,
                    ours: (*ours).to_owned(),
                    theirs: (*theirs).to_owned(),
                    matched: (*matched).to_owned(),
                    differences: (*differences).to_owned(),
                });
            }
            _ => csv::write(&mut self.lines, cells.iter().take(OF_A_DIFFERENCE).map(|cell| plain(*cell))),
        }
        Ok(())
    }
}
