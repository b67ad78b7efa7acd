//! The address of GraphQL.

use std::sync::Arc;
use std::time::Instant;

use async_graphql::parser::types::OperationType;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::Response;
use tokio::time::timeout;

use super::authorization::Authorization;
use super::follow::{self, Following, Log};
use super::graphql::{
    Answer, MediaType, Refusal, check_content_type, guard, is_read_only, negotiate, read_body, read_get,
    read_post, respond, takes_events,
};
use super::{App, Entry, content_language, enter, first_code, origin, refused, shortened};
use crate::access::counting;
use crate::error::code;
use crate::language::Language;
use crate::schema::{Asked, NotByGet};

pub(super) async fn graphql_endpoint(State(app): State<App>, request: Request) -> Response {
    let correlation = uuid::Uuid::now_v7().to_string();
    let form = negotiate(request.headers()).unwrap_or(MediaType::Json);
    let time = app.settings.request_time;
    // A task of its own: neither a client that hangs up nor one that is told that it took too long stops an act half-way through its
    // commit.
    let working = tokio::spawn(work(app, request, correlation.clone()));
    match timeout(time, working).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => {
            tracing::error!(correlation, code = code::INTERNAL, "a request broke off");
            respond(form, Refusal::Internal { correlation }.into())
        }
        Err(_) => {
            tracing::warn!(correlation, "a request is not answered in time, and goes on");
            respond(form, Refusal::Late.into())
        }
    }
}

/// Answers a request, and logs how it ended.
async fn work(app: App, request: Request, correlation: String) -> Response {
    let started = Instant::now();
    let mut entry = Entry::default();
    let media = negotiate(request.headers());
    let form = media.clone().unwrap_or(MediaType::Json);
    let answering = answer(&app, request, media, &correlation, &mut entry);
    let (answered, statements) = counting(answering).await;
    let response = answered.map(|answered| answered.respond(form)).unwrap_or_else(|refusal| {
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
    if !slice.viewer().may_send(&read.query) {
        return Err(Refusal::DocumentNotTrusted);
    }
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
