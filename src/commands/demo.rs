use std::io::Write as _;
use std::sync::Mutex;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::serve::{bind, serve, settings};
use super::{Failure, Outcome, Place, check, configure, gate, migrate, open};
use crate::access::{Gate, IssueError, scopes_of};
use crate::config::Config;
use crate::demo::{self, DemoRequest};
use crate::http::url_of;

/// Load the demo district, print tokens and requests that work, and serve it.
///
/// The district is the partner-facing part of 2016 with invented people, and a little of today. It is loaded once; started again,
/// the server goes on with the same data. Tokens live for a day; the printed requests are made fresh at each start.
#[derive(Args)]
pub struct Demo {
    #[command(flatten)]
    place: Place,
    /// Address and port; port 0 takes a free one [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Start over with an empty database.
    #[arg(long)]
    fresh: bool,
    /// Load the district and stop.
    #[arg(long)]
    load_only: bool,
    /// Print one line of JSON instead of the table: url, partners with tokens, a working
    /// request per operation, and one that follows the events.
    #[arg(long)]
    json: bool,
}

/// The form of answers that go on.
const EVENTS: &str = "text/event-stream";
const TOKEN_LIFE: Duration = Duration::from_secs(24 * 3600);
/// The requests that are printed as curl: one for each of the three jobs.
const SHOWN: [(&str, &str); 3] = [
    ("settle", "A hospital settles a second reimbursement at discharge"),
    ("redeemAidCard", "A charity supermarket redeems an aid card"),
    ("requestReferral", "A sub-district office refers a person to the disabled persons' federation"),
];

impl Demo {
    pub(super) async fn run(self) -> Outcome {
        let config = configure(&self.place, self.listen.as_deref())?;
        if self.fresh {
            start_over(&config).await?;
        }
        let database = open(&config).await?;
        migrate(&config, &database).await?;
        let gate = gate(&config, database).await?;
        check(&config, &gate).await?;
        if !demo::is_loaded(&gate).await? {
            load(&gate).await?;
        }
        if self.load_only {
            return Ok(gate.database().clone().close().await?);
        }
        let (config, listener) = bind(config).await?;
        let gate = gate.issuing_as(&config.issuer());
        let url = url_of(listener.local_addr()?);
        let partners = tokens(&gate).await?;
        let requests = demo::fresh_requests(&gate).await?;
        if self.json {
            print_json(&url, &partners, &requests);
        } else {
            print_table(&url, &partners, &requests);
        }
        std::io::stdout().flush()?;
        serve(gate, listener, settings(config)).await
    }
}

/// Takes the demo's own database away; a database that is not a demo's is left alone.
async fn start_over(config: &Config) -> Outcome {
    let database = open(config).await?;
    if !database.is_empty_or_has_partner(demo::MARK).await? {
        return Err(Failure(
            "--fresh: this database holds something else than a demo district; it was left alone".into(),
        ));
    }
    database.start_over().await?;
    Ok(database.close().await?)
}

/// Loads the district with a progress bar on standard error.
async fn load(gate: &Gate) -> Outcome {
    let bar = ProgressBar::new(1);
    let style = ProgressStyle::with_template("{msg:>24} {bar:40} {pos}/{len}")
        .map_err(|error| Failure(error.to_string()))?;
    bar.set_style(style);
    let stage = Mutex::new("");
    demo::load(gate, &|doing, done, total| {
        if let Ok(mut stage) = stage.lock()
            && *stage != doing
        {
            *stage = doing;
            bar.set_message(doing);
        }
        bar.set_length(total);
        bar.set_position(done);
    })
    .await?;
    bar.finish_and_clear();
    Ok(())
}

struct WithToken {
    code: String,
    kind: &'static str,
    name: String,
    token: String,
    scopes: Vec<&'static str>,
}

async fn tokens(gate: &Gate) -> Result<Vec<WithToken>, Failure> {
    let mut partners = Vec::new();
    for partner in demo::partners(gate).await? {
        let scopes = scopes_of(partner.kind);
        let token = gate.issue(&partner.code, &scopes, TOKEN_LIFE).await.map_err(|error| match error {
            IssueError::Failed(error) => error.into(),
            other => Failure(format!("no token for {}: {other:?}", partner.code)),
        })?;
        partners.push(WithToken {
            code: partner.code.clone(),
            kind: partner.kind.word(),
            name: partner.name.clone(),
            token,
            scopes: scopes.into_iter().map(|scope| scope.word()).collect(),
        });
    }
    Ok(partners)
}

fn print_json(url: &str, partners: &[WithToken], requests: &[DemoRequest]) {
    let partners: Vec<_> = partners
        .iter()
        .map(|partner| {
            json!({
                "code": partner.code,
                "kind": partner.kind,
                "name": partner.name,
                "token": partner.token,
                "scopes": partner.scopes,
            })
        })
        .collect();
    let requests: Vec<_> = requests
        .iter()
        .map(|request| {
            json!({
                "name": request.name,
                "partner": request.partner,
                "query": request.query,
                "variables": request.variables,
            })
        })
        .collect();
    let follow = demo::to_follow();
    let follow = json!({
        "accept": EVENTS,
        "name": follow.name,
        "partner": follow.partner,
        "query": follow.query,
        "variables": follow.variables,
    });
    println!("{}", json!({ "url": url, "partners": partners, "requests": requests, "follow": follow }));
}

fn print_table(url: &str, partners: &[WithToken], requests: &[DemoRequest]) {
    println!("Partners, each with a token for a day:\n");
    for partner in partners {
        println!("{:<16} {:<22} {}", partner.code, partner.kind, partner.name);
        println!("  scopes {}", partner.scopes.join(" "));
        println!("  token  {}\n", partner.token);
    }
    let shown = SHOWN.iter().filter_map(|(name, title)| {
        Some((*title, "application/json", requests.iter().find(|request| request.name == *name)?))
    });
    let follow = demo::to_follow();
    let follow =
        ("The hospital follows what happens, from the beginning on (Ctrl-C ends it)", EVENTS, &follow);
    for (title, accept, request) in shown.chain([follow]) {
        if let Some(partner) = partners.iter().find(|partner| partner.code == request.partner) {
            println!("# {title}:\n{}\n", curl(url, &partner.token, accept, request));
        }
    }
    println!("Serving {url}/graphql; every other request: onestop demo --json. Ctrl-C stops.");
}

/// A command that works as pasted into a shell.
fn curl(url: &str, token: &str, accept: &str, request: &DemoRequest) -> String {
    let body =
        json!({ "query": request.query, "variables": request.variables }).to_string().replace('\'', "'\\''");
    format!(
        "curl -sSN {url}/graphql \\\n  -H 'content-type: application/json' \\\n  -H 'accept: {accept}' \\\n  -H 'authorization: Bearer {token}' \\\n  -d '{body}'"
    )
}
