//! The program's commands, one file each.

mod agreement;
mod audit;
mod client;
mod demo;
mod forget;
mod keys;
mod migrate;
mod partner;
mod receipt;
mod reconcile;
mod schema;
mod serve;
mod staff;
mod token;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use sea_orm::Condition;
use tokio::sync::watch;

use crate::access::policy::Sliced;
use crate::access::{Answered, Database, Gate, Keys, MasterKey, Rate, Slice, make_private_folder};
use crate::actions::suspend::SuspensionInput;
use crate::clock::Clock;
use crate::config::{self, Config, Flags, LogForm};
use crate::error::Error;
use crate::graph::scalars::IdempotencyKey;
use crate::language::Language;
use crate::page::Page;

/// The partner gateway of a civil-affairs bureau: one GraphQL server for hospitals, charity supermarkets and partner agencies.
///
/// `onestop demo` shows everything in an invented district. A real installation runs `onestop migrate` once per version, then
/// `onestop serve` behind a proxy that ends TLS, and gives each partner a token with `onestop token`.
#[derive(Parser)]
#[command(name = "onestop", version, after_long_help = config::help())]
struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Load the demo district, print tokens and requests that work, and serve it.
    Demo(demo::Demo),
    /// Serve GraphQL at /graphql, with /healthz and /readyz.
    Serve(serve::Serve),
    /// Bring the database to this version's schema.
    Migrate(migrate::Migrate),
    /// Print the GraphQL schema.
    Schema(schema::Schema),
    /// Check the books and the trail: every stored amount against the ledger, every act against what it left and its receipt,
    /// every seal.
    Audit(audit::Audit),
    /// Compare a partner's own lines with what the bureau owes it; exits with 0 when they agree, 1 when not, 2 when it could not.
    Reconcile(reconcile::Reconcile),
    /// Register, list, suspend and resume partners.
    Partner(partner::PartnerCommand),
    /// Register, end and list service agreements.
    Agreement(agreement::AgreementCommand),
    /// Register, list, suspend and resume the systems of partners; give one a new secret; register its documents.
    Client(client::ClientCommand),
    /// Register, list, suspend and resume the bureau's staff.
    Staff(staff::StaffCommand),
    /// Issue an access token to a partner (prints the token alone), or revoke one.
    Token(token::Token),
    /// Verify a receipt of an act that moved money.
    Receipt(receipt::Receipt),
    /// List the signing keys, or rotate them.
    Keys(keys::Keys),
    /// Take away who people were whom nothing needs any more.
    Forget(forget::Forget),
}

/// Where the data are.
#[derive(Args, Clone, Debug, Default)]
struct Place {
    /// Folder of the embedded database and of the server's keys [default: data].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// postgres://… or sqlite:… [default: the embedded database in the data folder].
    #[arg(long, value_name = "URL")]
    database: Option<String>,
}

/// What went wrong with a command, in words for whoever ran it.
struct Failure(String);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Unavailable(_) => Self(format!("the database cannot be used: {}", error.cause_for_log())),
            Error::Internal(cause) => Self(cause),
            other => Self(other.message()),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

type Outcome = Result<(), Failure>;

/// Parses the command line and runs the command.
pub fn run() -> ExitCode {
    let program = Program::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&Failure(format!("no threads can be started: {error}"))),
    };
    runtime.block_on(async {
        let outcome = match program.command {
            // Its status says more than whether it ran.
            Command::Audit(audit) => return audit.run().await,
            Command::Demo(demo) => demo.run().await,
            Command::Serve(serve) => serve.run().await,
            Command::Migrate(migrate) => migrate.run().await,
            Command::Reconcile(reconcile) => return reconcile.run(),
            Command::Schema(schema) => schema.run(),
            Command::Partner(partner) => partner.run().await,
            Command::Agreement(agreement) => agreement.run().await,
            Command::Client(client) => client.run().await,
            Command::Staff(staff) => staff.run().await,
            Command::Token(token) => token.run().await,
            Command::Receipt(receipt) => receipt.run(),
            Command::Keys(keys) => keys.run().await,
            Command::Forget(forget) => return forget.run().await,
        };
        match outcome {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => failed(&failure),
        }
    })
}

fn failed(failure: &Failure) -> ExitCode {
    eprintln!("onestop: {}", failure.0);
    ExitCode::FAILURE
}

/// The settings, and the log that they ask for.
fn configure(place: &Place, listen: Option<&str>) -> Result<Config, Failure> {
    let flags = Flags {
        data: place.data.clone(),
        database: place.database.clone(),
        listen: listen.map(str::to_owned),
    };
    let config = Config::read(&flags, &|name| std::env::var(name).ok()).map_err(Failure)?;
    let filter: tracing_subscriber::filter::Targets =
        config.log.parse().map_err(|_| Failure("the log filter cannot be read".into()))?;
    start_log(filter, config.log_form);
    Ok(config)
}

/// Logs go to standard error; standard output is for what a command prints.
fn start_log(filter: tracing_subscriber::filter::Targets, form: LogForm) {
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::util::SubscriberInitExt;
    let registry = tracing_subscriber::registry().with(filter);
    let colours = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(colours);
    let started = match form {
        LogForm::Text => registry.with(layer.with_target(false)).try_init(),
        LogForm::Json => registry.with(layer.json().flatten_event(true).with_target(false)).try_init(),
    };
    if started.is_err() {
        eprintln!("onestop: the log was already started");
    }
}

/// The database of the settings.
async fn open(config: &Config) -> Result<Database, Failure> {
    make_private_folder(&config.data).map_err(|error| {
        Failure(format!("the data folder {} cannot be made: {error}", config.data.display()))
    })?;
    if let Some(file) = config.sqlite_file() {
        let mut options = std::fs::OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options
            .open(&file)
            .map_err(|error| Failure(format!("the database {} cannot be opened: {error}", file.display())))?;
    }
    Ok(Database::open(&config.database).await?)
}

/// Brings a database to this version's schema; tells how many rows were sealed that a version before kept in the clear.
async fn migrate(config: &Config, database: &Database) -> Result<u64, Failure> {
    let folder = config.data.join("keys");
    let keys = || {
        Keys::kept_in_folder_under(&folder, &config.master_key).map_err(|error| {
            Error::internal(format!(
                "the keys in {} cannot be used: {error}. They are needed to seal the names in this database",
                folder.display()
            ))
        })
    };
    Ok(database.migrate_sealing(keys).await?)
}

/// The gate over an open database, with the keys of the data folder. They are made when they are missing, unless the database
/// holds what other keys have sealed or signed.
async fn gate(config: &Config, database: Database) -> Result<Gate, Failure> {
    if !database.holds_people_or_tokens().await? {
        return gate_with(Keys::in_folder_under, config, database);
    }
    gate_with(Keys::kept_in_folder_under, config, database).map_err(|Failure(why)| {
        Failure(format!(
            "{why}. The database holds people or tokens, which only their own keys open: put the folder back from its backup, or \
             name the right one with --data"
        ))
    })
}

/// The gate over the database and with the keys of an installation that is there; neither is made.
async fn gate_of_installation(config: &Config) -> Result<Gate, Failure> {
    if let Some(file) = config.sqlite_file().filter(|file| !file.exists()) {
        return Err(Failure(format!("there is no database {}", file.display())));
    }
    gate_with(Keys::kept_in_folder_under, config, Database::open(&config.database).await?)
}

fn gate_with(
    read: fn(&Path, &MasterKey) -> std::io::Result<Keys>,
    config: &Config,
    database: Database,
) -> Result<Gate, Failure> {
    let folder = config.data.join("keys");
    let keys = read(&folder, &config.master_key)
        .map_err(|error| Failure(format!("the keys in {} cannot be used: {error}", folder.display())))?;
    let usual = Rate::default();
    let rate = Rate {
        capacity: config.cost_capacity.unwrap_or(usual.capacity),
        per_second: config.cost_per_second.unwrap_or(usual.per_second),
    };
    let gate = Gate::new(database, Arc::new(keys), Clock::system());
    Ok(gate.bounded(config.bounds).with_rate(rate).issuing_as(&config.issuer()))
}

/// Refuses a database that another version or other keys belong to.
async fn check(config: &Config, gate: &Gate) -> Outcome {
    let pending = gate.database().pending_migrations().await?;
    if !pending.is_empty() {
        return Err(Failure(format!(
            "the database is {} step(s) behind this version: run `onestop migrate` first",
            pending.len()
        )));
    }
    if !gate.keys_fit().await? {
        return Err(Failure(format!(
            "the keys in {} are not those of this database: its personal data do not open with them",
            config.data.join("keys").display()
        )));
    }
    Ok(())
}

/// Turns true when the process is told to stop (SIGTERM, or Ctrl-C).
fn stop_signal() -> Result<watch::Receiver<bool>, Failure> {
    let (told, stop) = watch::channel(false);
    #[cfg(unix)]
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::spawn(async move {
        #[cfg(unix)]
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
        tracing::info!("told to stop: finishing what runs");
        let _ = told.send(true);
    });
    Ok(stop)
}

/// The gate of an installation with the bureau's right to administrate it.
async fn steward(place: &Place) -> Result<(Gate, Slice), Failure> {
    let config = configure(place, None)?;
    let gate = gate_of_installation(&config).await?;
    check(&config, &gate).await?;
    let slice = steward_of(&gate).await?;
    Ok((gate, slice))
}

async fn steward_of(gate: &Gate) -> Result<Slice, Failure> {
    gate.steward().await?.ok_or_else(|| {
        Failure("there is no bureau yet: register it first with `onestop partner add --kind BUREAU`".into())
    })
}

/// What an act answered, or why nothing was done.
fn done<T>(answered: Answered<T>) -> Result<Answered<T>, Failure> {
    let refusals = &answered.answer.refusals;
    if refusals.is_empty() {
        return Ok(answered);
    }
    let said: Vec<String> = refusals
        .iter()
        .map(|refusal| format!("{}: {}", refusal.field.join("."), refusal.reason.message(Language::English)))
        .collect();
    Err(Failure(said.join("\n")))
}

/// Names who is suspended, or resumed.
fn suspension(id: String) -> SuspensionInput {
    SuspensionInput { key: new_key(), id: id.into() }
}

/// A key for one run of a command.
fn new_key() -> IdempotencyKey {
    IdempotencyKey(format!("command-{}", uuid::Uuid::now_v7()))
}

/// Prints every row that the slice sees and a condition holds for, one line of JSON each.
async fn print_all<E, K>(
    slice: &Slice,
    key: E::Column,
    key_of: fn(&E::Model) -> K,
    only: Option<Condition>,
    line: impl Fn(&E::Model) -> serde_json::Value,
) -> Outcome
where
    E: Sliced,
    K: Into<uuid::Uuid>,
{
    let mut after = None;
    loop {
        let page = Page::new(None, after.as_deref(), None, None, false)?;
        let paged = slice.select::<E>()?.only_if(only.clone()).page(&page, key, key_of).await?;
        for (_, row) in &paged.rows {
            println!("{}", line(row));
        }
        match paged.rows.into_iter().next_back().filter(|_| paged.has_next) {
            Some((cursor, _)) => after = Some(cursor),
            None => return Ok(()),
        }
    }
}

/// A word of a closed set, or what there is to choose from.
fn word<T: Copy>(flag: &str, text: &str, all: &[T], word_of: fn(T) -> &'static str) -> Result<T, Failure> {
    let found = all.iter().copied().find(|value| word_of(*value) == text.trim());
    found.ok_or_else(|| {
        let known: Vec<&str> = all.iter().map(|value| word_of(*value)).collect();
        Failure(format!("{flag}: {text} is none of {}", known.join(", ")))
    })
}
