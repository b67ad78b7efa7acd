//! Reads GraphQL requests as HTTP brings them. Authentication and execution are the caller's, between
//! [`negotiate`] and [`respond`].

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, Method, Uri};
use serde_json::{Map, Value};

pub use super::answer::{Answer, error, guard, respond};
use super::body::{self, Bounds};
pub use super::media::{MediaType, check_content_type, negotiate, takes_events};
use super::params::Params;
pub use super::refusal::Refusal;

/// The longest body, in bytes.
pub const MAX_BODY: usize = 1024 * 1024;
/// What a client's body may use up.
const BODY: Bounds = Bounds { bytes: MAX_BODY, time: Duration::from_secs(10) };

/// A GraphQL request as sent; nothing in it is judged yet.
#[derive(Clone, PartialEq)]
pub struct GraphqlRequest {
    /// The text of the document.
    pub query: String,
    /// Which of its operations to run; an empty name is none.
    pub operation_name: Option<String>,
    /// The variables by name.
    pub variables: Map<String, Value>,
    /// Came by GET.
    pub read_only: bool,
}

/// Prints no content: documents and variables carry personal data.
impl std::fmt::Debug for GraphqlRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GraphqlRequest")
            .field("query_bytes", &self.query.len())
            .field("variables", &self.variables.len())
            .field("read_only", &self.read_only)
            .finish_non_exhaustive()
    }
}

/// Whether the method promises to change nothing.
///
/// # Errors
/// [`Refusal::MethodNotAllowed`] for anything but GET and POST.
pub fn is_read_only(method: &Method) -> Result<bool, Refusal> {
    match *method {
        Method::GET => Ok(true),
        Method::POST => Ok(false),
        _ => Err(Refusal::MethodNotAllowed),
    }
}

/// Reads a body within [`BODY`].
///
/// # Errors
/// Those of [`body::read`].
pub async fn read_body(headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    let take = |piece: &[u8]| {
        bytes.extend_from_slice(piece);
        Ok(())
    };
    body::read(headers, body, BODY, take).await?;
    Ok(bytes)
}

/// Reads a POST.
///
/// # Errors
/// [`Refusal::UnsupportedMediaType`], [`Refusal::TooLarge`], or [`Refusal::BadRequest`] naming what is wrong.
pub fn read_post(headers: &HeaderMap, bytes: &[u8]) -> Result<GraphqlRequest, Refusal> {
    check_content_type(headers)?;
    if bytes.len() > MAX_BODY {
        return Err(Refusal::TooLarge(MAX_BODY));
    }
    match bytes.iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n')) {
        Some(b'{') => {}
        Some(b'[') => return Err(bad("Batches are not taken: send one operation per request.")),
        _ => return Err(bad("The body must be a JSON object.")),
    }
    let mut members: Map<String, Value> = serde_json::from_slice(bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Refusal::BadRequest(format!("The body is not valid JSON: line {line}, column {column}.").into())
    })?;
    let query = text("query", members.remove("query"))?;
    let operation_name = text("operationName", members.remove("operationName"))?;
    request(query, operation_name, members.remove("variables"), members.remove("extensions"), false)
}

/// Reads a GET from the query part of its address.
///
/// # Errors
/// [`Refusal::BadRequest`] naming what is wrong.
pub fn read_get(uri: &Uri) -> Result<GraphqlRequest, Refusal> {
    let mut params = Params::of(uri)?;
    let (query, operation_name) = (params.take("query")?, params.take("operationName")?);
    let mut json = |name: &str| {
        let value = params.take(name)?.map(|text| serde_json::from_str(&text)).transpose();
        value.map_err(|_error| Refusal::BadRequest(format!("`{name}` is not valid JSON.").into()))
    };
    request(query, operation_name, json("variables")?, json("extensions")?, true)
}

fn request(
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<Value>,
    extensions: Option<Value>,
    read_only: bool,
) -> Result<GraphqlRequest, Refusal> {
    let query = query.ok_or_else(|| bad("`query` is missing."))?;
    let operation_name = operation_name.filter(|name| !name.is_empty());
    let variables = object("variables", variables)?;
    object("extensions", extensions)?;
    Ok(GraphqlRequest { query, operation_name, variables, read_only })
}

fn text(name: &str, value: Option<Value>) -> Result<Option<String>, Refusal> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Refusal::BadRequest(format!("`{name}` must be a string.").into())),
    }
}

fn object(name: &str, value: Option<Value>) -> Result<Map<String, Value>, Refusal> {
    match value {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(members)) => Ok(members),
        Some(_) => Err(Refusal::BadRequest(format!("`{name}` must be a JSON object.").into())),
    }
}

fn bad(message: &'static str) -> Refusal {
    Refusal::BadRequest(message.into())
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderValue, header};
    use serde_json::json;

    use super::*;

    fn json_headers() -> HeaderMap {
        HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))])
    }

    fn post(body: &str) -> Result<GraphqlRequest, Refusal> {
        read_post(&json_headers(), body.as_bytes())
    }

    fn get(parameters: &str) -> Result<GraphqlRequest, Refusal> {
        read_get(&format!("/graphql?{parameters}").parse().expect("an address"))
    }

    fn why(result: Result<GraphqlRequest, Refusal>) -> String {
        match result.expect_err("refused") {
            Refusal::BadRequest(message) => message.into_owned(),
            other => panic!("another refusal: {other:?}"),
        }
    }

    #[test]
    fn a_post_is_read() {
        let members = r#""operationName":"A","variables":{"x":[1]},"extensions":{},"other":1"#;
        let request = post(&format!(" \r\n\t{{\"query\":\"{{ a }}\",{members}}}")).expect("a request");
        assert_eq!((request.query.as_str(), request.operation_name.as_deref()), ("{ a }", Some("A")));
        assert_eq!((Value::Object(request.variables), request.read_only), (json!({ "x": [1] }), false));
    }

    #[test]
    fn null_and_left_out_are_the_same() {
        let request = post(r#"{"query":"{ a }","operationName":null,"variables":null,"extensions":null}"#);
        assert_eq!(request, post(r#"{"query":"{ a }"}"#));
        assert_eq!(request, post(r#"{"query":"{ a }","operationName":""}"#));
        assert!(request.is_ok());
    }

    #[test]
    fn members_of_the_wrong_type_are_named() {
        for (body, message) in [
            (r#"{"query":1}"#, "`query` must be a string."),
            (r#"{"query":null}"#, "`query` is missing."),
            (r#"{"Query":"{ a }"}"#, "`query` is missing."),
            (r#"{"query":"{ a }","operationName":[]}"#, "`operationName` must be a string."),
            (r#"{"query":"{ a }","variables":"{}"}"#, "`variables` must be a JSON object."),
            (r#"{"query":"{ a }","variables":[]}"#, "`variables` must be a JSON object."),
            (r#"{"query":"{ a }","extensions":0}"#, "`extensions` must be a JSON object."),
        ] {
            assert_eq!(why(post(body)), message, "{body}");
        }
    }

    #[test]
    fn a_body_is_one_json_object() {
        assert_eq!(
            why(post(r#" [{"query":"{ a }"}]"#)),
            "Batches are not taken: send one operation per request."
        );
        for body in ["", "  ", "null", "\"{ a }\"", "query=x", "\u{feff}{}"] {
            assert_eq!(why(post(body)), "The body must be a JSON object.", "{body}");
        }
        for body in ["{", "{} {}", "{\"query\":\"{ a }\",}", "{query:1}"] {
            assert!(why(post(body)).starts_with("The body is not valid JSON: line 1"), "{body}");
        }
        let deep = format!("{{\"query\":\"a\",\"variables\":{{\"x\":{}", "[".repeat(3_000));
        assert!(why(post(&deep)).len() < 60);
        assert!(read_post(&json_headers(), b"{\"query\":\"\xff\"}").is_err());
    }

    #[test]
    fn a_post_must_say_that_it_is_json() {
        let mut headers = json_headers();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        let refused = read_post(&headers, b"{\"query\":\"{ a }\"}").expect_err("no preflight was needed");
        assert_eq!(refused.status().as_u16(), 415);
        assert!(read_post(&HeaderMap::new(), b"{\"query\":\"{ a }\"}").is_err());
    }

    #[test]
    fn a_get_is_read() {
        let request =
            get("query=%7B+a+%7D&operationName=A&variables=%7B%22x%22%3A1%7D&extensions=null&other=1");
        let request = request.expect("a request");
        assert_eq!((request.query.as_str(), request.operation_name.as_deref()), ("{ a }", Some("A")));
        assert_eq!((Value::Object(request.variables), request.read_only), (json!({ "x": 1 }), true));
        assert_eq!(get("query=a&operationName=").expect("a request").operation_name, None);
    }

    #[test]
    fn a_bad_get_is_refused_by_name() {
        assert_eq!(why(get("")), "`query` is missing.");
        assert_eq!(why(read_get(&Uri::from_static("/graphql"))), "`query` is missing.");
        assert_eq!(why(get("query=a&query=b")), "`query` is given more than once.");
        assert_eq!(why(get("query=a&variables=x")), "`variables` is not valid JSON.");
        assert_eq!(why(get("query=a&variables=")), "`variables` is not valid JSON.");
        assert_eq!(
            why(get("query=a&variables=[]".replace('[', "%5B").as_str())),
            "`variables` must be a JSON object."
        );
        assert_eq!(why(get("query=a&extensions=1")), "`extensions` must be a JSON object.");
    }

    #[test]
    fn methods_are_two() {
        assert_eq!((is_read_only(&Method::GET), is_read_only(&Method::POST)), (Ok(true), Ok(false)));
        for method in [Method::HEAD, Method::PUT, Method::DELETE, Method::OPTIONS, Method::PATCH] {
            assert_eq!(is_read_only(&method), Err(Refusal::MethodNotAllowed));
        }
    }

    #[test]
    fn debug_prints_no_content() {
        let request = post(r#"{"query":"{ secret }","variables":{"name":"secret"}}"#).expect("a request");
        assert!(!format!("{request:?}").contains("secret"));
    }
}
