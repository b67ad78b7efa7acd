//! What goes back: GraphQL answers, and refusals as answers.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use futures_util::FutureExt;
use serde_json::{Value, json};

use super::media::MediaType;
use super::refusal::Refusal;
use crate::error::code;
use crate::files::Fault;

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
            true => serde_json::to_writer(&mut body, &NoData::of(response)),
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
struct NoData<'a> {
    errors: &'a [async_graphql::ServerError],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    extensions: &'a BTreeMap<String, async_graphql::Value>,
}

impl<'a> NoData<'a> {
    fn of(response: &'a async_graphql::Response) -> Self {
        Self { errors: &response.errors, extensions: &response.extensions }
    }
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
    use crate::schema::NotByGet;

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
