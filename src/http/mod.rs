//! The wire: GraphQL over HTTP, files, health, and the way a server starts and stops.

pub mod answer;
mod body;
mod file;
mod files;
pub mod graphql;
pub mod listen;
pub mod media;
mod params;
mod places;
pub mod ready;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::any;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::access::{Gate, Slice, counting};
use crate::error::{Error, code};
use crate::language::Language;
use crate::schema::{Asked, Gateway};
use graphql::{
    Answer, MediaType, Refusal, check_content_type, guard, is_read_only, negotiate, read_body, read_get,
    read_post, respond,
};
use listen::{Limits, Origin, listen};
use places::Places;
use ready::Readiness;

/// Longest name of an operation in the log.
const LONGEST_NAME: usize = 60;

/// What every request needs.
#[derive(Clone)]
pub struct App {
    gate: Gate,
    gateway: Arc<Gateway>,
    readiness: Readiness,
    places: Places,
}

impl App {
    pub fn new(gate: Gate) -> Self {
        let readiness = Readiness::of(gate.clone());
        Self { gate, gateway: Arc::new(Gateway::default()), readiness, places: Places::default() }
    }

    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// The routes.
    pub fn router(self) -> Router {
        Router::new()
            .route("/graphql", any(graphql_endpoint))
            .route("/healthz", any(|| async { "ok\n" }))
            .route("/readyz", any(async |State(app): State<Self>| app.readiness.state().await))
            .merge(files::routes())
            .fallback(|| async {
                (StatusCode::NOT_FOUND, "There is nothing here; GraphQL is at /graphql.\n")
            })
            .with_state(self)
    }
}

/// Serves until told to stop; then takes no new connection, and lets what runs end in time.
pub async fn serve(listener: TcpListener, app: App, stop: watch::Receiver<bool>) {
    listen(listener, app.router(), stop, Limits::default()).await;
}

/// The address that a listener has, for printing.
pub fn url_of(address: SocketAddr) -> String {
    format!("http://{address}")
}

/// What the log says of a request: never variables, never personal data.
#[derive(Default)]
struct Entry {
    partner: Option<String>,
    /// Of GraphQL the operation, else the route.
    operation: Option<String>,
    code: Option<String>,
}

impl Entry {
    fn log(&self, correlation: &str, status: StatusCode, started: Instant, statements: u32) {
        tracing::info!(
            partner = self.partner.as_deref().unwrap_or("-"),
            operation = self.operation.as_deref().unwrap_or("-"),
            code = self.code.as_deref().unwrap_or("OK"),
            status = status.as_u16(),
            micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
            statements,
            correlation,
            "request"
        );
    }
}

async fn graphql_endpoint(State(app): State<App>, request: Request) -> Response {
    let started = Instant::now();
    let correlation = uuid::Uuid::now_v7().to_string();
    let work = {
        let correlation = correlation.clone();
        // A task of its own: a client that hangs up does not stop an act half-way through its commit.
        tokio::spawn(counting(async move {
            let mut entry = Entry::default();
            let (media, answer) = match negotiate(request.headers()) {
                Ok(media) => (media, answer(&app, request, &correlation, &mut entry).await),
                Err(refusal) => (MediaType::Json, Err(refusal)),
            };
            (media, answer, entry)
        }))
    };
    let ((media, answer, mut entry), statements) = match work.await {
        Ok(done) => done,
        Err(_) => {
            let refusal = Refusal::Internal { correlation: correlation.clone() };
            ((MediaType::Json, Err(refusal), Entry::default()), 0)
        }
    };
    let answer = answer.unwrap_or_else(|refusal| {
        entry.code = Some(refusal.code().to_owned());
        refusal.into()
    });
    let response = respond(media, answer);
    entry.log(&correlation, response.status(), started, statements);
    response
}

async fn answer(
    app: &App,
    request: Request,
    correlation: &str,
    entry: &mut Entry,
) -> Result<Answer, Refusal> {
    let (head, body) = request.into_parts();
    let read_only = is_read_only(&head.method)?;
    if !read_only {
        check_content_type(&head.headers)?;
    }
    let slice = enter(app, &head, correlation, entry).await?;
    let read = if read_only {
        read_get(&head.uri)?
    } else {
        read_post(&head.headers, &read_body(&head.headers, body).await?)?
    };
    let language =
        Language::accepted(head.headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()));
    let asked = Asked {
        query: read.query,
        operation_name: read.operation_name,
        variables: read.variables,
        read_only,
    };
    let executed = guard(correlation, app.gateway.execute(slice, language, asked)).await?;
    let executed = executed.map_err(|error| refused(error, correlation))?;
    entry.operation = executed.operation.map(|name| name.chars().take(LONGEST_NAME).collect());
    let response = executed.response.map_err(Refusal::NotByGet)?;
    entry.code = first_code(&response);
    let mut answer = Answer::of(&response);
    answer.headers.push((header::CONTENT_LANGUAGE, content_language(language)));
    Ok(answer)
}

/// The slice of whoever asks.
async fn enter(app: &App, head: &Parts, correlation: &str, entry: &mut Entry) -> Result<Slice, Refusal> {
    let bearer = bearer(&head.headers).ok_or(Refusal::Unauthenticated { presented: false })?;
    let slice = app.gate.enter(bearer).await.map_err(|error| refused(error, correlation))?;
    entry.partner = Some(slice.viewer().partner().code.clone());
    Ok(slice.asked_from(head.extensions.get::<Origin>().and_then(|origin| origin.0)))
}

fn content_language(language: Language) -> HeaderValue {
    HeaderValue::from_static(match language {
        Language::Chinese => "zh-CN",
        Language::English => "en",
    })
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn refused(error: Error, correlation: &str) -> Refusal {
    match error {
        Error::Unauthenticated => Refusal::Unauthenticated { presented: true },
        Error::Unavailable(_) => {
            tracing::warn!(correlation, cause = error.cause_for_log(), "database unavailable");
            Refusal::Unavailable(1)
        }
        Error::Throttled { seconds } => Refusal::Throttled(u32::try_from(seconds).unwrap_or(u32::MAX)),
        Error::Forbidden { scope } => Refusal::Forbidden(scope),
        Error::Invalid { .. } | Error::Internal(_) => {
            tracing::error!(
                correlation,
                cause = error.cause_for_log(),
                "a request failed outside of GraphQL"
            );
            Refusal::Internal { correlation: correlation.to_owned() }
        }
    }
}

fn first_code(response: &async_graphql::Response) -> Option<String> {
    let error = response.errors.first()?;
    match error.extensions.as_ref().and_then(|extensions| extensions.get("code")) {
        Some(async_graphql::Value::String(code)) => Some(code.clone()),
        _ => Some(code::INTERNAL.to_owned()),
    }
}
