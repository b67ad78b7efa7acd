//! Subscriptions over server-sent events, as the "distinct connections" mode of GraphQL over SSE has them: `next` with an answer,
//! `complete` at the end, and a comment now and then so that nobody takes the stream for dead.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;
use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::sync::watch;
use tokio::time::Instant;

use super::answer::{Answer, guard};
use super::places::Place;
use super::refusal::Refusal;
use super::{code_of, content_language, first_code, refused};
use crate::access::{Gate, counting};
use crate::error::{Error, code};
use crate::language::Language;
use crate::schema::Gateway;
use crate::schema::follow::{Bookmark, Follower, Told};

/// How often the feed is looked at, besides when this process has put something into it.
const LOOKS: Duration = Duration::from_millis(500);
/// How long a page that was read is given out: after that it is read again, with the rights of then. Together with the age of a
/// cached token this is less than the five seconds in which a revoked one must be dead.
const GOOD_FOR: Duration = Duration::from_millis(500);

const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream; charset=utf-8");
const COMMENT: &[u8] = b":\n\n";
const COMPLETE: &[u8] = b"event: complete\ndata:\n\n";

/// Where a client that lost its stream says that it goes on.
///
/// # Errors
/// [`Refusal::BadRequest`] when `Last-Event-ID` is no cursor.
pub fn bookmark(headers: &HeaderMap) -> Result<Bookmark, Refusal> {
    let Some(last) = headers.get("last-event-id").filter(|last| !last.is_empty()) else {
        return Ok(Bookmark::default());
    };
    let read = last.to_str().ok().and_then(Bookmark::after);
    read.ok_or(Refusal::BadRequest("`Last-Event-ID` must be the id of an event that a stream told.".into()))
}

/// What a stream needs for as long as it is open.
pub struct Following {
    pub gate: Gate,
    pub gateway: Arc<Gateway>,
    pub stop: watch::Receiver<bool>,
    /// How long it may say nothing.
    pub silence: Duration,
    pub token: String,
    pub origin: Option<IpAddr>,
    pub language: Language,
    pub follower: Follower,
    pub log: Log,
}

/// What the log says of a stream when it has ended.
pub struct Log {
    partner: String,
    operation: Option<String>,
    correlation: String,
    started: Instant,
    code: Option<String>,
    events: u64,
    statements: u64,
}

impl Log {
    pub fn new(partner: String, operation: Option<String>, correlation: String) -> Self {
        let started = Instant::now();
        Self { partner, operation, correlation, started, code: None, events: 0, statements: 0 }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        tracing::info!(
            partner = self.partner,
            operation = self.operation.as_deref().unwrap_or("-"),
            code = self.code.as_deref().unwrap_or("OK"),
            micros = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX),
            events = self.events,
            statements = self.statements,
            correlation = self.correlation,
            "stream ended"
        );
    }
}

/// A stream that ends with its first answer: nothing can be followed.
#[must_use]
pub fn refuse(language: Language, response: &async_graphql::Response) -> Response {
    let mut piece = next(None, &Answer::of(response));
    piece.extend_from_slice(COMPLETE);
    answer(language, Body::from(piece))
}

/// The stream as an answer.
#[must_use]
pub fn follow(following: Following, place: Place) -> Response {
    let language = following.language;
    let numbered = following.gate.numbered();
    let spoke = Instant::now();
    let open = Open { following, numbered, page: None, spoke, ended: false, _place: place };
    // The client, and whoever stands between, sees at once that the stream is there.
    let begun = stream::once(async { COMMENT.to_vec() });
    let pieces = begun.chain(stream::unfold(open, Open::piece)).map(Ok::<_, Infallible>);
    answer(language, Body::from_stream(pieces))
}

fn answer(language: Language, body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, EVENTS);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // nginx would collect events before it passes them on.
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    headers.insert(header::CONTENT_LANGUAGE, content_language(language));
    response
}

/// A `next` event; JSON as it is written here has no line breaks.
fn next(cursor: Option<&str>, answer: &Answer) -> Vec<u8> {
    let mut piece = b"event: next\n".to_vec();
    if let Some(cursor) = cursor {
        piece.extend_from_slice(format!("id: {cursor}\n").as_bytes());
    }
    piece.extend_from_slice(b"data: ");
    piece.extend_from_slice(&answer.body);
    piece.extend_from_slice(b"\n\n");
    piece
}

/// What comes next in a stream.
enum Next {
    Told(Box<Told>),
    /// Nothing has come for as long as a stream may say nothing.
    Silence,
    /// The end, and why.
    End(Option<Refusal>),
}

struct Open {
    following: Following,
    numbered: watch::Receiver<()>,
    page: Option<Page>,
    /// When it last said anything.
    spoke: Instant,
    ended: bool,
    _place: Place,
}

/// Events that were read together; each is told when the client takes it.
struct Page {
    told: BoxStream<'static, Told>,
    read: Instant,
    is_empty: bool,
}

impl Open {
    /// The next piece of text.
    async fn piece(mut self) -> Option<(Vec<u8>, Self)> {
        if self.ended {
            return None;
        }
        let mut stop = self.following.stop.clone();
        let correlation = self.following.log.correlation.clone();
        let working = guard(&correlation, self.go_on());
        let came = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => Next::End(None),
            came = working => came.unwrap_or_else(|refusal| Next::End(Some(refusal))),
        };
        self.spoke = Instant::now();
        let piece = match came {
            Next::Told(told) => self.tell(&told),
            Next::Silence => COMMENT.to_vec(),
            Next::End(why) => {
                self.following.log.code = why.as_ref().map(|why| why.code().to_owned());
                self.end(why.map(Answer::from))
            }
        };
        Some((piece, self))
    }

    /// Waits for what comes next.
    async fn go_on(&mut self) -> Next {
        loop {
            if let Some(page) = self.page.as_mut().filter(|page| page.read.elapsed() < GOOD_FOR) {
                let (told, statements) = counting(page.told.next()).await;
                self.following.log.statements += u64::from(statements);
                if let Some(told) = told {
                    page.is_empty = false;
                    return Next::Told(Box::new(told));
                }
            }
            if self.page.take().is_some_and(|page| page.is_empty) {
                let silent_until = self.spoke + self.following.silence;
                tokio::select! {
                    () = tokio::time::sleep(LOOKS) => {}
                    _ = self.numbered.changed() => {}
                    () = tokio::time::sleep_until(silent_until) => return Next::Silence,
                }
            }
            match self.read().await {
                Ok(page) => self.page = Some(page),
                Err(error) => return Next::End(Some(refused(error, &self.following.log.correlation))),
            }
        }
    }

    /// The next page, with the rights that the token has now.
    async fn read(&mut self) -> Result<Page, Error> {
        let Following { gate, gateway, token, origin, follower, log, .. } = &mut self.following;
        self.numbered.mark_unchanged();
        let (slice, statements) = counting(gate.go_on(token)).await;
        log.statements += u64::from(statements);
        let slice = slice?.asked_from(*origin);
        Ok(Page { told: gateway.page(slice, follower)?, read: Instant::now(), is_empty: true })
    }

    fn tell(&mut self, told: &Told) -> Vec<u8> {
        let answer = Answer::of(&told.response);
        let mut codes = told.response.errors.iter().filter_map(code_of);
        // Told only in part, because the database was away, it is told again to who comes back; its cursor is not given.
        if told.cursor.is_none() || codes.any(|found| found == code::UNAVAILABLE) {
            self.following.log.code = first_code(&told.response);
            return self.end(Some(answer));
        }
        self.following.log.events += 1;
        next(told.cursor.as_deref(), &answer)
    }

    fn end(&mut self, last: Option<Answer>) -> Vec<u8> {
        self.ended = true;
        let mut piece = last.map(|answer| next(None, &answer)).unwrap_or_default();
        piece.extend_from_slice(COMPLETE);
        piece
    }
}
