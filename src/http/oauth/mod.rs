//! The authorisation server for partners' systems: client credentials (RFC 6749 §4.4), revocation (RFC 7009), introspection
//! (RFC 7662), and the metadata that tells of them (RFC 8414).

mod answer;
mod credentials;
mod form;
mod introspection;
mod metadata;
mod revocation;
mod token;

use std::time::Instant;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{any, get};
use tower_http::cors::CorsLayer;

use super::answer::guard;
use super::{App, Entry, cors, origin};
use crate::access::counting;
use answer::Fault;

/// Where clients are told the rest.
pub const METADATA_PATH: &str = "/.well-known/oauth-authorization-server";
pub use crate::access::TOKEN_PATH;
const REVOCATION_PATH: &str = "/oauth/revoke";
const INTROSPECTION_PATH: &str = "/oauth/introspect";

/// What is asked of the authorisation server.
#[derive(Clone, Copy)]
enum Wanted {
    Token,
    Revocation,
    Introspection,
}

impl Wanted {
    const ALL: [Self; 3] = [Self::Token, Self::Revocation, Self::Introspection];

    const fn path(self) -> &'static str {
        match self {
            Self::Token => TOKEN_PATH,
            Self::Revocation => REVOCATION_PATH,
            Self::Introspection => INTROSPECTION_PATH,
        }
    }
}

/// The routes; web pages ask for tokens alone.
pub fn routes(pages: Option<&CorsLayer>) -> Router<App> {
    let router = Router::new().route(METADATA_PATH, get(metadata::metadata));
    Wanted::ALL.into_iter().fold(router, |router, wanted| {
        let route = any(move |State(app): State<App>, request: Request| endpoint(app, wanted, request));
        let pages = pages.filter(|_| matches!(wanted, Wanted::Token));
        router.route(wanted.path(), cors::open_to(pages, route))
    })
}

async fn endpoint(app: App, wanted: Wanted, request: Request) -> Response {
    let started = Instant::now();
    let correlation = uuid::Uuid::now_v7().to_string();
    let work = {
        let correlation = correlation.clone();
        // A task of its own: a client that hangs up does not leave an assertion used and no token issued half-way.
        tokio::spawn(counting(async move {
            let mut entry = Entry { operation: Some(wanted.path().to_owned()), ..Entry::default() };
            let answering = guard(&correlation, answer(&app, wanted, request, &mut entry));
            let answered = answering.await.map_err(|_panicked| Fault::Failed(None)).flatten();
            (answered, entry)
        }))
    };
    let ((answered, mut entry), statements) =
        work.await.unwrap_or_else(|_cut| ((Err(Fault::Failed(None)), Entry::default()), 0));
    let response = answered.unwrap_or_else(|fault| {
        entry.code = Some(fault.code().to_owned());
        fault.log(&correlation);
        fault.respond()
    });
    entry.log(&correlation, response.status(), started, statements);
    response
}

async fn answer(app: &App, wanted: Wanted, request: Request, entry: &mut Entry) -> Result<Response, Fault> {
    let (head, body) = request.into_parts();
    let form = form::Form::read(&head, body).await?;
    let caller = credentials::caller(&app.gate, &head.headers, &form, origin(app, &head)).await?;
    entry.partner = Some(caller.partner.code.clone());
    match wanted {
        Wanted::Token => token::issue(&app.gate, &head.headers, &form, caller).await,
        Wanted::Revocation => revocation::revoke(&app.gate, &form, &caller).await,
        Wanted::Introspection => introspection::introspect(&app.gate, &form, &caller).await,
    }
}

/// The one token that revocation and introspection are about.
fn token_of(form: &form::Form) -> Result<&str, Fault> {
    form.one("token")?.ok_or(Fault::Request("`token` is missing"))
}
