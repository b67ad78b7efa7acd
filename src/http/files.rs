//! The addresses of files: each is guarded and logged as GraphQL is.

use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, Uri};
use axum::response::Response;
use axum::routing::any;
use entity::kinds::Scope;
use tokio::sync::oneshot;

use super::answer::{guard, respond};
use super::body::{self, Bounds};
use super::file::{Ended, LONGEST, Sending};
use super::media::{MediaType, check_body_is};
use super::params::Params;
use super::places::{Place, Places};
use super::refusal::Refusal;
use super::{App, Entry, enter, refused};
use crate::access::{Slice, counting, may_hold};
use crate::files::period::Period;
use crate::files::reconciliation::{Asked, Theirs, differences};
use crate::files::{Pieces, audit_trail, ledger, statement_lines};

/// What a file that is brought may use up: 200,000 lines of the longest keys, and as much again beside them.
const BROUGHT: Bounds = Bounds { bytes: 64 << 20, time: Duration::from_secs(120) };
/// When a place for a file may be free again.
const WAIT_SECONDS: u32 = 5;

/// How many files are under way at once. One that is brought is held in memory until it is answered: 200,000 keys of at most 128
/// bytes with their amounts, below 64 MiB and mostly below 20. One that is taken holds a connection.
#[derive(Clone)]
pub struct FilePlaces {
    brought: Places,
    taken: Places,
}

impl Default for FilePlaces {
    fn default() -> Self {
        Self { brought: Places::new(1, 4), taken: Places::new(4, 32) }
    }
}

/// What can be asked for.
#[derive(Clone, Copy)]
enum Wanted {
    StatementLines,
    AuditTrail,
    Ledger,
    Reconciliation,
}

impl Wanted {
    const ALL: [Self; 4] = [Self::StatementLines, Self::AuditTrail, Self::Ledger, Self::Reconciliation];

    const fn route(self) -> &'static str {
        match self {
            Self::StatementLines => "/statements/{id}/lines.csv",
            Self::AuditTrail => "/audit/trail.csv",
            Self::Ledger => "/audit/ledger.csv",
            Self::Reconciliation => "/reconcile",
        }
    }

    const fn scope(self) -> Scope {
        match self {
            Self::StatementLines | Self::Reconciliation => Scope::StatementRead,
            Self::AuditTrail | Self::Ledger => Scope::AuditRead,
        }
    }

    const fn method(self) -> Method {
        match self {
            Self::StatementLines | Self::AuditTrail | Self::Ledger => Method::GET,
            Self::Reconciliation => Method::POST,
        }
    }
}

/// The routes.
pub fn routes() -> Router<App> {
    Wanted::ALL.into_iter().fold(Router::new(), |router, wanted| {
        router.route(
            wanted.route(),
            any(move |State(app): State<App>, request: Request| endpoint(app, wanted, request)),
        )
    })
}

/// A file that is ready to be sent.
struct File {
    name: String,
    pieces: Pieces,
    /// Held until it is sent.
    place: Place,
}

async fn endpoint(app: App, wanted: Wanted, request: Request) -> Response {
    let correlation = uuid::Uuid::now_v7().to_string();
    let (answer, answered) = oneshot::channel();
    tokio::spawn(work(app, wanted, request, correlation.clone(), answer));
    answered.await.unwrap_or_else(|_| respond(MediaType::Json, Refusal::Internal { correlation }.into()))
}

/// Answers, goes on sending, and logs how it ended.
async fn work(
    app: App,
    wanted: Wanted,
    request: Request,
    correlation: String,
    answer: oneshot::Sender<Response>,
) {
    let started = Instant::now();
    let mut entry = Entry { operation: Some(wanted.route().to_owned()), ..Entry::default() };
    let serving = guard(&correlation, serve(&app, wanted, request, &correlation, &mut entry, answer));
    let (served, statements) = counting(serving).await;
    let status = served.unwrap_or_else(|refusal| {
        entry.code = Some(refusal.code().to_owned());
        refusal.status()
    });
    entry.log(&correlation, status, started, statements);
}

async fn serve(
    app: &App,
    wanted: Wanted,
    request: Request,
    correlation: &str,
    entry: &mut Entry,
    answer: oneshot::Sender<Response>,
) -> StatusCode {
    let begun = async {
        let file = open(app, wanted, request, correlation, entry).await?;
        let begun = Sending::begin(&file.name, file.pieces).await;
        let (response, sending) = begun.map_err(|error| refused(error, correlation))?;
        Ok((response, sending, file.place))
    };
    let (response, sending) = match begun.await {
        Ok((response, sending, place)) => (response, Some((sending, place))),
        Err(refusal) => {
            let refusal: Refusal = refusal;
            entry.code = Some(refusal.code().to_owned());
            (respond(MediaType::Json, refusal.into()), None)
        }
    };
    let status = response.status();
    // Whoever asked may be gone; then sending finds that out.
    let _ = answer.send(response);
    if let Some((sending, _place)) = sending {
        match sending.send(LONGEST, correlation).await {
            Ended::Whole => {}
            Ended::Cut => entry.code = Some("CUT".to_owned()),
            Ended::Left => entry.code = Some("LEFT".to_owned()),
        }
    }
    status
}

async fn open(
    app: &App,
    wanted: Wanted,
    request: Request,
    correlation: &str,
    entry: &mut Entry,
) -> Result<File, Refusal> {
    let (head, body) = request.into_parts();
    if head.method != wanted.method() {
        return Err(Refusal::Only(if wanted.method() == Method::GET { "GET" } else { "POST" }));
    }
    if head.method == Method::POST {
        check_body_is("text/csv", "Send the file with `content-type: text/csv`.", &head.headers)?;
    }
    let slice = enter(app, &head, correlation, entry).await?;
    // What another kind of partner may do is an address that does not exist.
    if !may_hold(slice.viewer().kind(), wanted.scope()) {
        return Err(Refusal::NotFound);
    }
    slice.demand(wanted.scope()).map_err(|error| refused(error, correlation))?;
    let places = match wanted {
        Wanted::Reconciliation => &app.files.brought,
        Wanted::StatementLines | Wanted::AuditTrail | Wanted::Ledger => &app.files.taken,
    };
    let place =
        places.take(slice.viewer().partner_id()).map_err(|_full| Refusal::Unavailable(WAIT_SECONDS))?;
    match wanted {
        Wanted::StatementLines => {
            Params::of(&head.uri)?.end("no parameters")?;
            let id = head.uri.path().split('/').nth(2).unwrap_or_default();
            let found =
                statement_lines::find(&slice, id).await.map_err(|error| refused(error, correlation))?;
            let (id, name) = found.ok_or(Refusal::NotFound)?;
            Ok(File { name, pieces: statement_lines::lines(slice, id), place })
        }
        Wanted::AuditTrail => {
            let (name, period) = period_of("audit-trail", &head.uri)?;
            Ok(File { name, pieces: audit_trail::trail(slice, period), place })
        }
        Wanted::Ledger => {
            let (name, period) = period_of("ledger", &head.uri)?;
            Ok(File { name, pieces: ledger::ledger(slice, period), place })
        }
        Wanted::Reconciliation => reconciliation(slice, place, &head, body).await,
    }
}

fn period_of(name: &str, uri: &Uri) -> Result<(String, Period), Refusal> {
    let mut params = Params::of(uri)?;
    let (from, to) = (params.take("from")?, params.take("to")?);
    params.end("`from` and `to`")?;
    let period = Period::of(from.as_deref(), to.as_deref()).map_err(Refusal::File)?;
    let (from, to) = (from.unwrap_or_default(), to.unwrap_or_default());
    Ok((format!("{name}-{from}-{to}.csv"), period))
}

async fn reconciliation(slice: Slice, place: Place, head: &Parts, body: Body) -> Result<File, Refusal> {
    let mut params = Params::of(&head.uri)?;
    let (from, to, fund) = (params.take("from")?, params.take("to")?, params.take("fund")?);
    params.end("`from`, `to` and `fund`")?;
    let (from, to, fund) = (from.as_deref(), to.as_deref(), fund.as_deref());
    let asked = Asked::of(from, to, fund, slice.viewer().kind()).map_err(Refusal::File)?;
    let mut theirs = Theirs::default();
    body::read(&head.headers, body, BROUGHT, |piece| theirs.take(piece).map_err(Refusal::File)).await?;
    let theirs = theirs.end().map_err(Refusal::File)?;
    let name = format!("reconciliation-{}-{}.csv", from.unwrap_or_default(), to.unwrap_or_default());
    Ok(File { name, pieces: differences(slice, asked, theirs), place })
}
