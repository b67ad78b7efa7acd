//! What goes back: GraphQL answers, and refusals of the request as such.

use std::borrow::Cow;
use std::panic::AssertUnwindSafe;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use entity::kinds::Scope;
use futures_util::FutureExt;
use serde_json::{Value, json};

use super::media::MediaType;
use crate::error::code;
use crate::files::Fault;
use crate::schema::NotByGet;

/// The longest answer, in bytes.
const MAX_ANSWER: usize = 4 << 20;

/// A GraphQL answer, written out, with what HTTP needs to know about it.
pub struct Answer {
    /// The answer as JSON.
    pub body: Vec<u8>,
    /// Whether nothing was executed: the answer has no `data`.
    pub request_error: bool,
    /// The status, where it is not the usual one.
    pub status: Option<StatusCode>,
    /// Headers besides those that every answer has.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

impl Answer {
    /// What the executor said. Without data, and with no error that belongs to a field, nothing was executed:
    /// the answer then has no `data` at all.
    #[must_use]
    pub fn of(response: &async_graphql::Response) -> Self {
        let empty = response.data == async_graphql::Value::Null && response.is_err();
        let request_error = empty && response.errors.iter().all(|error| error.path.is_empty());
        // Written straight from the response, whose fields stand in the order in which they were asked for.
        let mut body = UpTo { bytes: Vec::new(), most: MAX_ANSWER };
        let written = match request_error {
            true => serde_json::to_writer(&mut body, &OnlyErrors { errors: &response.errors }),
            false => serde_json::to_writer(&mut body, response),
        };
        let body = match written {
            Ok(()) => body.bytes,
            Err(error) if error.is_io() => return Self::too_long(),
            Err(error) => {
                tracing::error!(category = ?error.classify(), "an answer cannot be written as JSON");
                return Refusal::Internal { correlation: String::new() }.into();
            }
        };
        let headers = response.http_headers.iter().map(|(name, value)| (name.clone(), value.clone()));
        Self { body, request_error, status: None, headers: headers.collect() }
    }

    /// Instead of an answer that is too long to send. It did run.
    fn too_long() -> Self {
        tracing::warn!(code = code::LIMIT_EXCEEDED, "an answer is longer than {MAX_ANSWER} bytes");
        let message = format!(
            "The answer is longer than {MAX_ANSWER} bytes; ask for less of it. What it did is done: the same key gives its answer."
        );
        let body = json!({ "data": null, "errors": [error(code::LIMIT_EXCEEDED, &message)] });
        Self { body: body.to_string().into_bytes(), request_error: false, status: None, headers: Vec::new() }
    }

    /// A request error: the document or its inputs were refused before anything ran.
    #[must_use]
    pub fn request_error(errors: &[Value]) -> Self {
        let body = json!({ "errors": errors }).to_string().into_bytes();
        Self { body, request_error: true, status: None, headers: Vec::new() }
    }
}

/// Takes bytes until there are too many.
struct UpTo {
    bytes: Vec<u8>,
    most: usize,
}

impl std::io::Write for UpTo {
    fn write(&mut self, more: &[u8]) -> std::io::Result<usize> {
        if self.bytes.len() + more.len() > self.most {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(more);
        Ok(more.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[derive(serde::Serialize)]
struct OnlyErrors<'a> {
    errors: &'a [async_graphql::ServerError],
}

/// One entry of `errors`.
#[must_use]
pub fn error(code: &str, message: &str) -> Value {
    json!({ "message": message, "extensions": { "code": code } })
}

/// Writes an answer in the form that was negotiated.
#[must_use]
pub fn respond(media: MediaType, answer: Answer) -> Response {
    let usual = match media {
        MediaType::GraphqlResponse if answer.request_error => StatusCode::BAD_REQUEST,
        MediaType::GraphqlResponse | MediaType::Json => StatusCode::OK,
    };
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = answer.status.unwrap_or(usual);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    for (name, value) in answer.headers {
        headers.append(name, value);
    }
    headers.insert(header::CONTENT_TYPE, media.content_type());
    response
}

/// Why a request is not even looked at as GraphQL, or could not be finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// 406: neither form of answer is wanted.
    NotAcceptable,
    /// 406: what is answered once is wanted as a stream.
    OnceOnly,
    /// 406: what comes as a stream is wanted at once.
    StreamOnly,
    /// 415: the body is something else than JSON in UTF-8; says what to do.
    UnsupportedMediaType(&'static str),
    /// 405: neither GET nor POST.
    MethodNotAllowed,
    /// 405: only this method.
    Only(&'static str),
    /// 405: what a GET asks for must come by POST.
    NotByGet(NotByGet),
    /// 403: the token lacks this scope.
    Forbidden(Scope),
    /// 404: absent, or not this partner's.
    NotFound,
    /// 400, or 413 for too much: a file, or what is asked of one.
    File(Fault),
    /// 413: the body is longer than this many bytes.
    TooLarge(usize),
    /// 400: says what is wrong.
    BadRequest(Cow<'static, str>),
    /// 401; `presented` when there was a token, and it was not accepted.
    Unauthenticated {
        /// Whether the request carried a token.
        presented: bool,
    },
    /// 429: come back after this many seconds.
    Throttled(u32),
    /// 429: the partner has as many streams open as it may.
    Streaming {
        /// How many.
        most: u32,
        /// Come back after this many seconds.
        seconds: u32,
    },
    /// 503: come back after this many seconds.
    Unavailable(u32),
    /// 500; the correlation id, which may be empty, is what the log has.
    Internal {
        /// By which the log can be searched.
        correlation: String,
    },
}

impl Refusal {
    /// The status, the same in both forms of answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NotAcceptable | Self::OnceOnly | Self::StreamOnly => StatusCode::NOT_ACCEPTABLE,
            Self::UnsupportedMediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::MethodNotAllowed | Self::Only(_) | Self::NotByGet(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::File(fault) if fault.too_much => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BadRequest(_) | Self::File(_) => StatusCode::BAD_REQUEST,
            Self::Unauthenticated { .. } => StatusCode::UNAUTHORIZED,
            Self::Throttled(_) | Self::Streaming { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The code in `extensions`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAcceptable
            | Self::OnceOnly
            | Self::StreamOnly
            | Self::UnsupportedMediaType(_)
            | Self::MethodNotAllowed
            | Self::Only(_)
            | Self::NotByGet(_)
            | Self::BadRequest(_) => code::BAD_REQUEST,
            Self::Forbidden(_) => code::FORBIDDEN,
            Self::NotFound => "NOT_FOUND",
            Self::TooLarge(_) => code::LIMIT_EXCEEDED,
            Self::File(fault) if fault.too_much => code::LIMIT_EXCEEDED,
            Self::File(_) => code::BAD_USER_INPUT,
            Self::Unauthenticated { .. } => code::UNAUTHENTICATED,
            Self::Throttled(_) | Self::Streaming { .. } => code::THROTTLED,
            Self::Unavailable(_) => code::UNAVAILABLE,
            Self::Internal { .. } => code::INTERNAL,
        }
    }

    fn message(&self) -> Cow<'static, str> {
        match self {
            Self::NotAcceptable => "Accept `application/graphql-response+json` or `application/json`.".into(),
            Self::OnceOnly => {
                "Only a subscription comes as a stream; accept `application/graphql-response+json` or `application/json`."
                    .into()
            }
            Self::StreamOnly => "A subscription comes as a stream; accept `text/event-stream`.".into(),
            Self::UnsupportedMediaType(message) => (*message).into(),
            Self::MethodNotAllowed => "Use POST, or GET for queries.".into(),
            Self::Only(method) => format!("Use {method}.").into(),
            Self::NotByGet(NotByGet::NotAQuery) => "GET is for queries; use POST.".into(),
            Self::NotByGet(NotByGet::Personal) => {
                "This query takes personal data, which must not stand in an address; use POST.".into()
            }
            Self::Forbidden(scope) => format!("This token lacks the scope {}.", scope.word()).into(),
            Self::NotFound => "There is nothing here that this token sees.".into(),
            Self::File(Fault { line: Some(line), message, .. }) => format!("Line {line}: {message}").into(),
            Self::File(Fault { line: None, message, .. }) => message.clone().into(),
            Self::TooLarge(limit) => format!("The body is longer than {limit} bytes.").into(),
            Self::BadRequest(message) => message.clone(),
            Self::Unauthenticated { presented: false } => "A bearer token is needed.".into(),
            Self::Unauthenticated { presented: true } => "The bearer token is not valid.".into(),
            Self::Throttled(seconds) => format!("Too many requests; try again in {seconds} s.").into(),
            Self::Streaming { most, seconds } => {
                format!("This partner has {most} streams open already; close one, or try again in {seconds} s.").into()
            }
            Self::Unavailable(seconds) => format!("Not available now; try again in {seconds} s.").into(),
            Self::Internal { .. } => "Something went wrong here; the same key may be sent again.".into(),
        }
    }

    fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        let fixed = |name, value| vec![(name, HeaderValue::from_static(value))];
        match self {
            Self::MethodNotAllowed => fixed(header::ALLOW, "GET, POST"),
            Self::Only(method) => fixed(header::ALLOW, method),
            Self::NotByGet(_) => fixed(header::ALLOW, "POST"),
            Self::Unauthenticated { presented: false } => fixed(header::WWW_AUTHENTICATE, "Bearer"),
            Self::Unauthenticated { presented: true } => {
                fixed(header::WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"")
            }
            Self::Throttled(seconds) | Self::Streaming { seconds, .. } | Self::Unavailable(seconds) => {
                vec![(header::RETRY_AFTER, HeaderValue::from(*seconds))]
            }
            // What is left of the body is not read: the connection ends here.
            Self::TooLarge(_) => fixed(header::CONNECTION, "close"),
            Self::NotAcceptable
            | Self::OnceOnly
            | Self::StreamOnly
            | Self::UnsupportedMediaType(_)
            | Self::BadRequest(_)
            | Self::Forbidden(_)
            | Self::NotFound
            | Self::File(_)
            | Self::Internal { .. } => Vec::new(),
        }
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        let mut error = error(refusal.code(), &refusal.message());
        match &refusal {
            Refusal::Internal { correlation } if !correlation.is_empty() => {
                error["extensions"]["correlationId"] = correlation.as_str().into();
            }
            Refusal::Forbidden(scope) => error["extensions"]["scope"] = scope.word().into(),
            Refusal::File(Fault { line: Some(line), .. }) => error["extensions"]["line"] = (*line).into(),
            _ => {}
        }
        Self { status: Some(refusal.status()), headers: refusal.headers(), ..Self::request_error(&[error]) }
    }
}

/// Does the work; a panic in it becomes [`Refusal::Internal`] with the correlation id, which the log then has
/// too. What the panic said is left to the panic hook. Dropping the work must roll back what it began.
///
/// # Errors
/// [`Refusal::Internal`] when the work panics.
pub async fn guard<F: Future>(correlation: &str, work: F) -> Result<F::Output, Refusal> {
    AssertUnwindSafe(work).catch_unwind().await.map_err(|_payload| {
        tracing::error!(correlation, "a request panicked");
        Refusal::Internal { correlation: correlation.to_owned() }
    })
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};

    use super::*;

    struct Query;

    #[Object]
    impl Query {
        async fn fine(&self) -> i32 {
            1
        }

        async fn fails(&self) -> Result<i32, async_graphql::Error> {
            Err("no".into())
        }

        async fn panics(&self) -> i32 {
            "x".parse().expect("a secret")
        }
    }

    async fn run(text: &str) -> Result<Answer, Refusal> {
        let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
        guard("c-1", schema.execute(text)).await.map(|response| Answer::of(&response))
    }

    async fn sent(media: MediaType, answer: Answer) -> (u16, axum::http::HeaderMap, Value) {
        let (head, body) = respond(media, answer).into_parts();
        let bytes = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
        (head.status.as_u16(), head.headers, serde_json::from_slice(&bytes).expect("JSON"))
    }

    #[tokio::test]
    async fn data_is_a_200_in_both_forms() {
        for (media, kind) in [
            (MediaType::GraphqlResponse, "application/graphql-response+json; charset=utf-8"),
            (MediaType::Json, "application/json; charset=utf-8"),
        ] {
            let (status, headers, body) = sent(media, run("{ fine }").await.expect("an answer")).await;
            assert_eq!((status, body), (200, json!({ "data": { "fine": 1 } })));
            assert_eq!(headers[header::CONTENT_TYPE], kind);
            assert_eq!(headers[header::CACHE_CONTROL], "no-store");
        }
    }

    #[tokio::test]
    async fn a_request_error_has_no_data_and_its_status_follows_the_form() {
        for text in ["{", "{ unknown }", "query A { fine } query B { fine }"] {
            for (media, expected) in [(MediaType::GraphqlResponse, 400), (MediaType::Json, 200)] {
                let (status, _, body) = sent(media, run(text).await.expect("an answer")).await;
                assert_eq!(status, expected, "{text}");
                assert!(body.get("data").is_none() && body["errors"][0]["message"].is_string(), "{body}");
            }
        }
    }

    #[tokio::test]
    async fn an_answer_ends_at_the_limit() {
        let answer = |bytes: usize| {
            Answer::of(&async_graphql::Response::new(async_graphql::Value::String("x".repeat(bytes))))
        };
        let around = r#"{"data":""}"#.len();
        assert_eq!(answer(MAX_ANSWER - around).body.len(), MAX_ANSWER);
        for media in [MediaType::GraphqlResponse, MediaType::Json] {
            let (status, _, body) = sent(media, answer(MAX_ANSWER - around + 1)).await;
            assert_eq!((status, &body["data"]), (200, &Value::Null));
            assert_eq!(body["errors"][0]["extensions"]["code"], "LIMIT_EXCEEDED");
        }
    }

    #[tokio::test]
    async fn a_field_error_keeps_data() {
        let (status, _, body) =
            sent(MediaType::GraphqlResponse, run("{ fails }").await.expect("an answer")).await;
        assert_eq!((status, &body["data"]), (200, &Value::Null));
        assert!(body.as_object().is_some_and(|members| members.contains_key("data")));
    }

    #[tokio::test]
    async fn a_panic_is_a_500_with_a_correlation_id() {
        let refusal = run("{ panics }").await.err().expect("a refusal");
        for media in [MediaType::GraphqlResponse, MediaType::Json] {
            let (status, _, body) = sent(media, refusal.clone().into()).await;
            assert_eq!(status, 500);
            assert_eq!(
                body["errors"][0]["extensions"],
                json!({ "code": "INTERNAL", "correlationId": "c-1" })
            );
            assert!(!body.to_string().contains("secret"));
        }
    }

    #[tokio::test]
    async fn refusals_say_the_same_in_both_forms() {
        for (refusal, expected, code, name, value) in [
            (Refusal::NotAcceptable, 406, "BAD_REQUEST", header::CACHE_CONTROL, "no-store"),
            (Refusal::OnceOnly, 406, "BAD_REQUEST", header::CACHE_CONTROL, "no-store"),
            (Refusal::StreamOnly, 406, "BAD_REQUEST", header::CACHE_CONTROL, "no-store"),
            (Refusal::Streaming { most: 4, seconds: 5 }, 429, "THROTTLED", header::RETRY_AFTER, "5"),
            (Refusal::MethodNotAllowed, 405, "BAD_REQUEST", header::ALLOW, "GET, POST"),
            (Refusal::NotByGet(NotByGet::NotAQuery), 405, "BAD_REQUEST", header::ALLOW, "POST"),
            (Refusal::NotByGet(NotByGet::Personal), 405, "BAD_REQUEST", header::ALLOW, "POST"),
            (Refusal::UnsupportedMediaType("x"), 415, "BAD_REQUEST", header::CACHE_CONTROL, "no-store"),
            (Refusal::TooLarge(9), 413, "LIMIT_EXCEEDED", header::CONNECTION, "close"),
            (Refusal::BadRequest("x".into()), 400, "BAD_REQUEST", header::CACHE_CONTROL, "no-store"),
            (
                Refusal::Unauthenticated { presented: false },
                401,
                "UNAUTHENTICATED",
                header::WWW_AUTHENTICATE,
                "Bearer",
            ),
            (
                Refusal::Unauthenticated { presented: true },
                401,
                "UNAUTHENTICATED",
                header::WWW_AUTHENTICATE,
                "Bearer error=\"invalid_token\"",
            ),
            (Refusal::Throttled(7), 429, "THROTTLED", header::RETRY_AFTER, "7"),
            (Refusal::Unavailable(8), 503, "UNAVAILABLE", header::RETRY_AFTER, "8"),
        ] {
            for media in [MediaType::GraphqlResponse, MediaType::Json] {
                let (status, headers, body) = sent(media, refusal.clone().into()).await;
                assert_eq!(status, expected);
                assert_eq!(headers[&name], value);
                assert_eq!(body["errors"][0]["extensions"]["code"], code);
                assert!(body.get("data").is_none());
            }
        }
    }

    #[tokio::test]
    async fn refused_documents_are_request_errors() {
        let errors = [error("LIMIT_EXCEEDED", "too deep")];
        let (status, _, body) = sent(MediaType::GraphqlResponse, Answer::request_error(&errors)).await;
        assert_eq!(status, 400);
        assert_eq!(
            body,
            json!({ "errors": [{ "message": "too deep", "extensions": { "code": "LIMIT_EXCEEDED" } }] })
        );
        assert_eq!(sent(MediaType::Json, Answer::request_error(&errors)).await.0, 200);
    }
}
