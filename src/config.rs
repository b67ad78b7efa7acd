//! Settings: defaults ← file ← environment ← flags, all checked at start, each fault named with an example that works.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use axum::http::HeaderValue;
use ipnet::IpNet;

use crate::access::{Bounds, MasterKey};
use crate::rules::retention::Retention;

#[cfg(test)]
mod tests;

/// Everything that can be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Folder of the embedded database and of the server's keys.
    pub data: PathBuf,
    /// `sqlite:…` or `postgres://…`.
    pub database: String,
    pub listen: SocketAddr,
    /// The address by which partners know the server, without a slash at its end; where it listens, when that is not set.
    pub public_url: Option<String>,
    /// What is logged, as a filter of `tracing`.
    pub log: String,
    pub log_form: LogForm,
    /// Networks of the proxies that are believed when they say where a request comes from.
    pub trusted_proxies: Vec<IpNet>,
    /// The key under which those of personal data are kept.
    pub master_key: MasterKey,
    /// How many people and cards a partner may ask for.
    pub bounds: Bounds,
    /// What a client may spend at once, in fields of answers; as usual, when that is not set. So are the numbers below.
    pub cost_capacity: Option<u64>,
    /// What it may spend more each second.
    pub cost_per_second: Option<u64>,
    /// How long records need their person.
    pub retention: Retention,
    /// Requests of one partner at once.
    pub partner_requests: Option<u64>,
    /// Requests at once.
    pub all_requests: Option<u64>,
    /// How long a request may wait for its place, in seconds.
    pub request_patience: Option<u64>,
    /// How long a GraphQL request may take, in seconds.
    pub request_timeout: Option<u64>,
    /// The web pages of other origins that may ask.
    pub cors_origins: Vec<HeaderValue>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogForm {
    Text,
    Json,
}

/// Flags of a command that go before everything else.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    pub data: Option<PathBuf>,
    pub database: Option<String>,
    pub listen: Option<String>,
}

struct Setting {
    /// Key in the file.
    key: &'static str,
    variable: &'static str,
    example: &'static str,
}

const DATA: Setting = Setting { key: "data", variable: "ONESTOP_DATA", example: "/var/lib/onestop" };
const DATABASE: Setting = Setting {
    key: "database_url",
    variable: "DATABASE_URL",
    example: "postgres://onestop:secret@127.0.0.1:5432/onestop",
};
const LISTEN: Setting = Setting { key: "listen", variable: "ONESTOP_LISTEN", example: "127.0.0.1:8080" };
const PUBLIC_URL: Setting =
    Setting { key: "public_url", variable: "ONESTOP_PUBLIC_URL", example: "https://onestop.example.cn" };
const LOG: Setting = Setting { key: "log", variable: "ONESTOP_LOG", example: "info" };
const LOG_FORM: Setting = Setting { key: "log_form", variable: "ONESTOP_LOG_FORM", example: "json" };
const TRUSTED_PROXIES: Setting =
    Setting { key: "trusted_proxies", variable: "ONESTOP_TRUSTED_PROXIES", example: "127.0.0.1,10.1.0.0/16" };
const MASTER_KEY: Setting = Setting {
    key: "master_key",
    variable: "ONESTOP_MASTER_KEY",
    example: "64 hexadecimal digits, as `openssl rand -hex 32` prints",
};
const MASTER_KEY_FILE: Setting = Setting {
    key: "master_key_file",
    variable: "ONESTOP_MASTER_KEY_FILE",
    example: "/run/secrets/onestop-master-key",
};
/// Coverage checks of one patient by one hospital in an hour.
const CHECKS: Setting = Setting { key: "patient_checks", variable: "ONESTOP_PATIENT_CHECKS", example: "60" };
/// Different patients of one hospital in a day.
const PATIENTS: Setting = Setting { key: "patients", variable: "ONESTOP_PATIENTS", example: "5000" };
/// Different cards of one shop in a day.
const CARDS: Setting = Setting { key: "cards", variable: "ONESTOP_CARDS", example: "3000" };
const COST_CAPACITY: Setting =
    Setting { key: "cost_capacity", variable: "ONESTOP_COST_CAPACITY", example: "1000000" };
const COST_PER_SECOND: Setting =
    Setting { key: "cost_per_second", variable: "ONESTOP_COST_PER_SECOND", example: "20000" };
/// After so many years nothing but what is open needs a person.
const RETENTION: Setting =
    Setting { key: "retention_years", variable: "ONESTOP_RETENTION_YEARS", example: "30" };
const PARTNER_REQUESTS: Setting =
    Setting { key: "partner_requests", variable: "ONESTOP_PARTNER_REQUESTS", example: "6" };
const ALL_REQUESTS: Setting =
    Setting { key: "all_requests", variable: "ONESTOP_ALL_REQUESTS", example: "64" };
const REQUEST_PATIENCE: Setting =
    Setting { key: "request_patience", variable: "ONESTOP_REQUEST_PATIENCE", example: "5" };
const REQUEST_TIMEOUT: Setting =
    Setting { key: "request_timeout", variable: "ONESTOP_REQUEST_TIMEOUT", example: "20" };
const CORS_ORIGINS: Setting = Setting {
    key: "cors_origins",
    variable: "ONESTOP_CORS_ORIGINS",
    example: "https://desk.example.cn,https://till.example.cn:8443",
};
const SETTINGS: [&Setting; 20] = [
    &DATA,
    &DATABASE,
    &LISTEN,
    &PUBLIC_URL,
    &LOG,
    &LOG_FORM,
    &TRUSTED_PROXIES,
    &MASTER_KEY,
    &MASTER_KEY_FILE,
    &CHECKS,
    &PATIENTS,
    &CARDS,
    &COST_CAPACITY,
    &COST_PER_SECOND,
    &RETENTION,
    &PARTNER_REQUESTS,
    &ALL_REQUESTS,
    &REQUEST_PATIENCE,
    &REQUEST_TIMEOUT,
    &CORS_ORIGINS,
];

/// What a cost may be set to.
const COSTS: RangeInclusive<u64> = 1..=1_000_000_000;

/// Names the file, if there is one.
pub const FILE_VARIABLE: &str = "ONESTOP_CONFIG";

/// The part of `--help` that lists what can be set.
pub fn help() -> String {
    let mut text = format!(
        "Settings come from the environment, or from a TOML file that {FILE_VARIABLE} names (a key each); flags go first:\n"
    );
    for setting in SETTINGS {
        let _ =
            writeln!(text, "  {:<24} (file: {:<16}) e.g. {}", setting.variable, setting.key, setting.example);
    }
    text
}

type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Config {
    /// The file of an embedded database.
    pub fn sqlite_file(&self) -> Option<PathBuf> {
        let place = self.database.strip_prefix("sqlite:")?;
        let place = place.strip_prefix("//").unwrap_or(place);
        Some(place.split('?').next().unwrap_or_default().into())
    }

    /// The issuer of tokens: how this server is known outside.
    pub fn issuer(&self) -> String {
        self.public_url.clone().unwrap_or_else(|| format!("http://{}", self.listen))
    }

    /// Reads and checks everything; all faults are reported together.
    pub fn read(flags: &Flags, environment: Environment<'_>) -> Result<Self, String> {
        let mut faults = Vec::new();
        let file = match environment(FILE_VARIABLE) {
            Some(path) => read_file(Path::new(&path), &mut faults),
            None => BTreeMap::new(),
        };
        let get = |setting: &Setting| {
            environment(setting.variable)
                .filter(|value| !value.is_empty())
                .or_else(|| file.get(setting.key).cloned())
        };
        let mut fault = |setting: &Setting, why: &str| {
            faults.push(format!("{} {why}, e.g. {}={}", setting.variable, setting.variable, setting.example));
        };
        let data =
            flags.data.clone().or_else(|| get(&DATA).map(PathBuf::from)).unwrap_or_else(|| "data".into());
        let database = flags
            .database
            .clone()
            .or_else(|| get(&DATABASE))
            .unwrap_or_else(|| format!("sqlite:{}", data.join("onestop.db").display()));
        if !["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| database.starts_with(scheme)) {
            fault(&DATABASE, "(or --database) must be a postgres:// or sqlite: address");
        }
        if database.contains(":memory:") {
            fault(
                &DATABASE,
                "(or --database) must be a file or a server: each connection would have a memory of its own",
            );
        }
        let listen = flags.listen.clone().or_else(|| get(&LISTEN)).unwrap_or_else(|| LISTEN.example.into());
        let listen = listen.parse().ok();
        if listen.is_none() {
            fault(&LISTEN, "(or --listen) must be an address and a port");
        }
        let public_url = get(&PUBLIC_URL);
        if public_url.as_deref().is_some_and(|url| !is_origin(url)) {
            fault(&PUBLIC_URL, "must be https:// (or http://) with a host and no path");
        }
        let log = get(&LOG).unwrap_or_else(|| "info,sea_orm_migration=warn,sqlx=warn".into());
        if log.parse::<tracing_subscriber::filter::Targets>().is_err() {
            fault(&LOG, "must be a level (error, warn, info, debug, trace) or targets with levels");
        }
        let log_form = match get(&LOG_FORM).as_deref() {
            None | Some("text") => Some(LogForm::Text),
            Some("json") => Some(LogForm::Json),
            Some(_) => None,
        };
        if log_form.is_none() {
            fault(&LOG_FORM, "must be text or json");
        }
        let trusted_proxies = networks(&get(&TRUSTED_PROXIES).unwrap_or_default());
        if trusted_proxies.is_none() {
            fault(&TRUSTED_PROXIES, "must be addresses or networks with a comma between them");
        }
        let master_key = match (get(&MASTER_KEY), get(&MASTER_KEY_FILE)) {
            (None, None) => Some(MasterKey::InFolder),
            (None, Some(file)) => Some(MasterKey::InFile(file.into())),
            (Some(digits), None) => MasterKey::given(&digits),
            (Some(_), Some(_)) => None,
        };
        if master_key.is_none() {
            fault(&MASTER_KEY, "must be 64 hexadecimal digits, and stand alone or leave it to its _FILE");
        }
        let years = get(&RETENTION).map(|text| text.parse().ok().and_then(Retention::years));
        let retention = years.unwrap_or(Some(Retention::VOUCHERS)).unwrap_or_else(|| {
            fault(&RETENTION, "must be a whole number of years from 1 to 100");
            Retention::VOUCHERS
        });
        let cors_origins = origins(&get(&CORS_ORIGINS).unwrap_or_default());
        if cors_origins.is_none() {
            fault(
                &CORS_ORIGINS,
                "must be exact origins in small letters (https:// or http://, a host, no path) with a comma between them",
            );
        }
        let mut number = |setting: &Setting, allowed: RangeInclusive<u64>| {
            let text = get(setting)?;
            let value = text.parse().ok().filter(|value| allowed.contains(value));
            if value.is_none() {
                let (least, most) = allowed.into_inner();
                fault(setting, &format!("must be a whole number from {least} to {most}"));
            }
            value
        };
        let generous = Bounds::default();
        let mut bound = |setting: &Setting, usual: u32| {
            number(setting, 1..=u64::from(u32::MAX))
                .and_then(|number| u32::try_from(number).ok())
                .unwrap_or(usual)
        };
        let bounds = Bounds {
            checks_of_patient: bound(&CHECKS, generous.checks_of_patient),
            patients: bound(&PATIENTS, generous.patients),
            cards: bound(&CARDS, generous.cards),
        };
        let cost_capacity = number(&COST_CAPACITY, COSTS);
        let cost_per_second = number(&COST_PER_SECOND, COSTS);
        let partner_requests = number(&PARTNER_REQUESTS, 1..=1_000);
        let all_requests = number(&ALL_REQUESTS, 1..=10_000);
        let request_patience = number(&REQUEST_PATIENCE, 1..=60);
        let request_timeout = number(&REQUEST_TIMEOUT, 1..=600);
        match (listen, log_form, trusted_proxies, cors_origins, master_key) {
            (Some(listen), Some(log_form), Some(trusted_proxies), Some(cors_origins), Some(master_key))
                if faults.is_empty() =>
            {
                Ok(Self {
                    data,
                    database,
                    listen,
                    public_url,
                    log,
                    log_form,
                    trusted_proxies,
                    master_key,
                    bounds,
                    cost_capacity,
                    cost_per_second,
                    retention,
                    partner_requests,
                    all_requests,
                    request_patience,
                    request_timeout,
                    cors_origins,
                })
            }
            _ => Err(faults.join("\n")),
        }
    }
}

/// Scheme, host and perhaps a port, and nothing behind them.
fn is_origin(url: &str) -> bool {
    let parsed = url.parse::<axum::http::Uri>().ok();
    parsed.is_some_and(|parsed| {
        matches!(parsed.scheme_str(), Some("https" | "http"))
            && parsed.authority().is_some_and(|authority| !authority.as_str().contains('@'))
            && parsed.path() == "/"
            && parsed.query().is_none()
            && !url.ends_with(['/', '?', '#'])
    })
}

/// Origins as browsers write them.
fn origins(text: &str) -> Option<Vec<HeaderValue>> {
    let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    let one = |entry: &str| {
        let is_exact = is_origin(entry) && !entry.contains(|sign: char| sign.is_uppercase());
        HeaderValue::from_str(entry).ok().filter(|_| is_exact)
    };
    entries.map(one).collect()
}

fn networks(text: &str) -> Option<Vec<IpNet>> {
    let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    let one = |entry: &str| {
        entry
            .parse()
            .ok()
            .or_else(|| entry.parse().ok().map(|address: std::net::IpAddr| IpNet::from(address)))
    };
    entries.map(one).collect()
}

fn read_file(path: &Path, faults: &mut Vec<String>) -> BTreeMap<String, String> {
    let shown = path.display();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            faults.push(format!("{FILE_VARIABLE} names {shown}, which cannot be read: {error}"));
            return BTreeMap::new();
        }
    };
    let table: toml::Table = match text.parse() {
        Ok(table) => table,
        Err(error) => {
            let line = error.span().map_or(1, |span| text[..span.start].lines().count().max(1));
            faults.push(format!("{shown}, line {line}: {}", error.message()));
            return BTreeMap::new();
        }
    };
    let mut values = BTreeMap::new();
    for (key, value) in table {
        let Some(setting) = SETTINGS.iter().find(|setting| setting.key == key) else {
            let known: Vec<&str> = SETTINGS.iter().map(|setting| setting.key).collect();
            faults.push(format!("{shown}: `{key}` is no setting; there are {}", known.join(", ")));
            continue;
        };
        match value {
            toml::Value::String(text) => {
                values.insert(key, text);
            }
            _ => faults
                .push(format!("{shown}: `{key}` must be a string, e.g. {key} = \"{}\"", setting.example)),
        }
    }
    values
}
