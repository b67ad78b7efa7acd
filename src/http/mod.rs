//! The wire: GraphQL over HTTP, streams of events, files, health, and the way a server starts and stops.

pub mod answer;
mod authorization;
mod body;
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
use std::time::Instant;

use async_graphql::parser::types::OperationType;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next, map_response};
use axum::response::Response;
use axum::routing::{any, get};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::access::{Denied, Gate, Proof, ProofFlaw, Slice, counting};
use crate::error::{Error, code};
use crate::language::Language;
use crate::schema::{Asked, Gateway, NotByGet};
use authorization::Authorization;
use files::FilePlaces;
use follow::{Following, Log};
use graphql::{
    Answer, MediaType, Refusal, check_content_type, guard, is_read_only, negotiate, read_body, read_get,
    read_post, respond, takes_events,
};
use listen::{Limits, Origin, listen};
use proxies::Proxies;
use ready::Readiness;
use running::{Running, Share};
use streams::{Bounds, Streams};

/// Longest name of an operation in the log.
const LONGEST_NAME: usize = 60;

/// What every request needs.
#[derive(Clone)]
pub struct App {
    gate: Gate,
    gateway: Arc<Gateway>,
    readiness: Readiness,
    files: FilePlaces,
    streams: Streams,
    running: Running,
    proxies: Proxies,
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
            proxies: Proxies::default(),
            stop,
        }
    }

    /// Behind proxies whose word on where a request comes from is taken.
    #[must_use]
    pub fn behind(self, proxies: Proxies) -> Self {
        Self { proxies, ..self }
    }

    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// The routes.
    fn router(self) -> Router {
        Router::new()
            .route("/graphql", any(graphql_endpoint))
            .route(jwks::PATH, get(jwks::public_keys))
            .route("/healthz", any(|| async { "ok\n" }))
            .route("/readyz", any(async |State(app): State<Self>| app.readiness.state().await))
            .merge(files::routes())
            .merge(oauth::routes())
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

async fn graphql_endpoint(State(app): State<App>, request: Request) -> Response {
    let started = Instant::now();
    let correlation = uuid::Uuid::now_v7().to_string();
    let work = {
        let correlation = correlation.clone();
        // A task of its own: a client that hangs up does not stop an act half-way through its commit.
        tokio::spawn(counting(async move {
            let mut entry = Entry::default();
            let media = negotiate(request.headers());
            let form = media.clone().unwrap_or(MediaType::Json);
            let answered = answer(&app, request, media, &correlation, &mut entry).await;
            (answered.map(|answered| answered.respond(form)), form, entry)
        }))
    };
    let ((answered, form, mut entry), statements) = match work.await {
        Ok(done) => done,
        Err(_) => {
            let refusal = Refusal::Internal { correlation: correlation.clone() };
            ((Err(refusal), MediaType::Json, Entry::default()), 0)
        }
    };
    let response = answered.unwrap_or_else(|refusal| {
        entry.code = Some(refusal.code().to_owned());
        respond(form, refusal.into())
    });
    entry.log(&correlation, response.status(), started, statements);
    response
}

/// An answer: whole, or a stream that begins.
enum Answered {
    Whole(Answer),
    Stream(Response),
}

impl Answered {
    fn respond(self, form: MediaType) -> Response {
        match self {
            Self::Whole(answer) => respond(form, answer),
            Self::Stream(response) => response,
        }
    }
}

async fn answer(
    app: &App,
    request: Request,
    media: Result<MediaType, Refusal>,
    correlation: &str,
    entry: &mut Entry,
) -> Result<Answered, Refusal> {
    let (head, body) = request.into_parts();
    let takes_events = takes_events(&head.headers);
    if !takes_events {
        media.clone()?;
    }
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
    if is_streamed(
        app.gateway.operation_type(slice.viewer().kind(), &asked),
        read_only,
        takes_events,
        &media,
    )? {
        let bookmark = follow::bookmark(&head.headers)?;
        let partner = Arc::clone(slice.viewer().partner());
        let token = Authorization::of(&head.headers)?.token();
        let subscribed = app.gateway.subscribe(&slice, language, asked, bookmark);
        let subscribed = subscribed.map_err(|error| refused(error, correlation))?;
        entry.operation = subscribed.operation.as_deref().map(shortened);
        let follower = match subscribed.follower {
            Ok(follower) => follower,
            Err(response) => {
                entry.code = first_code(&response);
                return Ok(Answered::Stream(follow::refuse(language, &response)));
            }
        };
        let place = app.streams.take(partner.id)?;
        let following = Following {
            gate: app.gate.clone(),
            gateway: Arc::clone(&app.gateway),
            stop: app.stop.clone(),
            silence: app.streams.bounds.silence,
            token: token.to_owned(),
            origin: origin(app, &head),
            language,
            follower,
            log: Log::new(partner.code.clone(), entry.operation.clone(), correlation.to_owned()),
        };
        return Ok(Answered::Stream(follow::follow(following, place)));
    }
    let _runs = app.running.take(slice.viewer().partner_id()).await?;
    let executed = guard(correlation, app.gateway.execute(slice, language, asked)).await?;
    let executed = executed.map_err(|error| refused(error, correlation))?;
    entry.operation = executed.operation.as_deref().map(shortened);
    let response = executed.response.map_err(Refusal::NotByGet)?;
    entry.code = first_code(&response);
    let mut answer = Answer::of(&response);
    answer.headers.push((header::CONTENT_LANGUAGE, content_language(language)));
    Ok(Answered::Whole(answer))
}

/// Whether the answer is a stream: a subscription's is, and what cannot be read is answered in the form that the client takes.
///
/// # Errors
/// The client does not take what there would be.
fn is_streamed(
    operation: Option<OperationType>,
    read_only: bool,
    takes_events: bool,
    media: &Result<MediaType, Refusal>,
) -> Result<bool, Refusal> {
    match operation {
        Some(OperationType::Subscription) if read_only => Err(Refusal::NotByGet(NotByGet::NotAQuery)),
        Some(OperationType::Subscription) if !takes_events => Err(Refusal::StreamOnly),
        Some(OperationType::Subscription) => Ok(true),
        Some(OperationType::Query | OperationType::Mutation) if media.is_err() => Err(Refusal::OnceOnly),
        Some(OperationType::Query | OperationType::Mutation) => Ok(false),
        None => Ok(media.is_err()),
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
    Some(app.proxies.origin(peer, &head.headers))
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
