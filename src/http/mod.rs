//! The wire: GraphQL over HTTP, streams of events, files, health, and the way a server starts and stops.

pub mod answer;
mod authorization;
mod body;
pub mod cors;
mod endpoint;
mod file;
mod files;
pub mod follow;
pub mod graphql;
mod guarded;
pub mod jwks;
pub mod listen;
pub mod media;
pub mod oauth;
mod params;
mod places;
pub mod proxies;
pub mod ready;
pub mod refusal;
pub mod running;
pub mod streams;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{self, Next, map_response};
use axum::response::Response;
use axum::routing::{any, get};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::access::{Denied, Gate, Proof, ProofFlaw, Slice};
use crate::error::{Error, code};
use crate::language::Language;
use crate::schema::Gateway;
use authorization::Authorization;
use files::FilePlaces;
use graphql::Refusal;
use listen::{Limits, Origin, listen};
use proxies::Proxies;
use ready::Readiness;
use running::{Running, Share};
use streams::{Bounds, Streams};

/// Longest name of an operation in the log.
const LONGEST_NAME: usize = 60;

/// What can be set of the server.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whose word on where a request comes from is taken.
    pub proxies: Proxies,
    /// How much runs at once.
    pub share: Share,
    /// How long a GraphQL request may take to be answered.
    pub request_time: Duration,
    /// The web pages that may ask.
    pub origins: Vec<HeaderValue>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            proxies: Proxies::default(),
            share: Share::default(),
            request_time: Duration::from_secs(20),
            origins: Vec::new(),
        }
    }
}

/// What every request needs.
#[derive(Clone)]
pub struct App {
    gate: Gate,
    gateway: Arc<Gateway>,
    readiness: Readiness,
    files: FilePlaces,
    streams: Streams,
    running: Running,
    settings: Settings,
    /// Ends the streams; before the app is [served](serve), they end at once.
    stop: watch::Receiver<bool>,
}

impl App {
    pub fn new(gate: Gate) -> Self {
        Self::with_bounds(gate, Bounds::default())
    }

    /// With other bounds on streams.
    pub fn with_bounds(gate: Gate, bounds: Bounds) -> Self {
        let readiness = Readiness::of(gate.clone());
        let (_, stop) = watch::channel(true);
        let streams = Streams::new(bounds);
        Self {
            gate,
            gateway: Arc::default(),
            readiness,
            files: FilePlaces::default(),
            streams,
            running: Running::new(Share::default()),
            settings: Settings::default(),
            stop,
        }
    }

    /// With other settings.
    #[must_use]
    pub fn set(self, settings: Settings) -> Self {
        Self { running: Running::new(settings.share), settings, ..self }
    }

    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// The routes.
    fn router(self) -> Router {
        let pages = cors::of(&self.settings.origins);
        Router::new()
            .route("/graphql", cors::open_to(pages.as_ref(), any(endpoint::graphql_endpoint)))
            .route(jwks::PATH, get(jwks::public_keys))
            .route("/healthz", any(|| async { "ok\n" }))
            .route("/readyz", any(async |State(app): State<Self>| app.readiness.state().await))
            .merge(files::routes())
            .merge(oauth::routes(pages.as_ref()))
            .fallback(|| async {
                (StatusCode::NOT_FOUND, "There is nothing here; GraphQL is at /graphql.\n")
            })
            .layer(middleware::from_fn_with_state(self.clone(), tell_nonce))
            .with_state(self)
            .layer(map_response(guarded::guarded))
    }
}

/// Whoever proves possession of a key is told the nonce for its next proof (RFC 9449 §8.2).
async fn tell_nonce(State(app): State<App>, request: Request, next: Next) -> Response {
    let proves = request.headers().contains_key(authorization::PROOF);
    let mut response = next.run(request).await;
    if proves && let Ok(nonce) = HeaderValue::from_str(&app.gate.proof_nonce()) {
        response.headers_mut().insert("dpop-nonce", nonce);
    }
    response
}

/// Serves until told to stop; then takes no new connection, and lets what runs end in time.
pub async fn serve(listener: TcpListener, app: App, stop: watch::Receiver<bool>) {
    let app = App { stop: stop.clone(), ..app };
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

/// A name as the log has it.
fn shortened(name: &str) -> String {
    name.chars().take(LONGEST_NAME).collect()
}

/// The slice of whoever asks.
async fn enter(app: &App, head: &Parts, correlation: &str, entry: &mut Entry) -> Result<Slice, Refusal> {
    let entered = match Authorization::of(&head.headers)? {
        Authorization::Bearer(token) => app.gate.enter(token).await.map_err(Denied::Token),
        Authorization::Bound { token, proof } => {
            let proof = Proof { jwt: proof, method: head.method.as_str(), path: head.uri.path() };
            app.gate.enter_bound(token, proof).await
        }
    };
    let slice = entered.map_err(|denied| match denied {
        Denied::Token(error) => refused(error, correlation),
        Denied::Proof(ProofFlaw::Nonce) => Refusal::NonceWanted,
        Denied::Proof(ProofFlaw::Invalid(why)) => Refusal::Unproven(why),
    })?;
    entry.partner = Some(slice.viewer().partner().code.clone());
    Ok(slice.asked_from(origin(app, head)))
}

/// The address of whoever asks.
fn origin(app: &App, head: &Parts) -> Option<IpAddr> {
    let peer = head.extensions.get::<Origin>().and_then(|origin| origin.0)?;
    Some(app.settings.proxies.origin(peer, &head.headers))
}

fn content_language(language: Language) -> HeaderValue {
    HeaderValue::from_static(match language {
        Language::Chinese => "zh-CN",
        Language::English => "en",
    })
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
    Some(code_of(error).unwrap_or(code::INTERNAL).to_owned())
}

fn code_of(error: &async_graphql::ServerError) -> Option<&str> {
    match error.extensions.as_ref()?.get("code")? {
        async_graphql::Value::String(code) => Some(code),
        _ => None,
    }
}
