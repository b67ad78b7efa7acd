//! Reads GraphQL requests as HTTP brings them. Authentication and execution are the caller's, between
//! [`negotiate`] and [`respond`].

use axum::body::Body;
use axum::extract::Query;
use axum::http::{HeaderMap, Method, Uri, header};
use futures_util::StreamExt;
use serde_json::{Map, Value};

pub use super::answer::{Answer, Refusal, error, guard, respond};
pub use super::media::{MediaType, check_content_type, negotiate, takes_events};

/// The longest body, in bytes.
pub const MAX_BODY: usize = 1024 * 1024;

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

/// Reads a body of at most [`MAX_BODY`] bytes; a longer one is refused by its announced length before any of
/// it is read.
///
/// # Errors
/// [`Refusal::TooLarge`], or [`Refusal::BadRequest`] when the body does not arrive whole.
pub async fn read_body(headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Refusal> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let announced: u64 = announced.unwrap_or_default();
    if announced > MAX_BODY as u64 {
        return Err(Refusal::TooLarge(MAX_BODY));
    }
    let mut bytes = Vec::new();
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_error| Refusal::BadRequest("The body did not arrive whole.".into()))?;
        if bytes.len() + chunk.len() > MAX_BODY {
            return Err(Refusal::TooLarge(MAX_BODY));
        }
        bytes.extend_from_slice(&chunk);
    }
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
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
        .map_err(|_rejection| bad("The query part of the address cannot be read."))?;
    let take = |wanted: &str| {
        let mut values = pairs.iter().filter(|(name, _)| name == wanted).map(|(_, value)| value.clone());
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            _ => Err(Refusal::BadRequest(format!("`{wanted}` is given more than once.").into())),
        }
    };
    let json = |name: &str| {
        let value = take(name)?.map(|text| serde_json::from_str(&text)).transpose();
        value.map_err(|_error| Refusal::BadRequest(format!("`{name}` is not valid JSON.").into()))
    };
    request(take("query")?, take("operationName")?, json("variables")?, json("extensions")?, true)
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
    use axum::http::HeaderValue;
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

    #[tokio::test]
    async fn a_body_ends_at_the_limit() {
        let none = HeaderMap::new();
        let full = vec![b' '; MAX_BODY];
        assert_eq!(read_body(&none, Body::from(full.clone())).await.map(|bytes| bytes.len()), Ok(MAX_BODY));
        let chunks = [full, vec![b' ']].into_iter().map(Ok::<_, std::io::Error>);
        let endless = Body::from_stream(futures_util::stream::iter(chunks));
        assert_eq!(read_body(&none, endless).await, Err(Refusal::TooLarge(MAX_BODY)));
        let announced = HeaderMap::from_iter([(header::CONTENT_LENGTH, HeaderValue::from(MAX_BODY + 1))]);
        let pending = Body::from_stream(futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>());
        assert_eq!(read_body(&announced, pending).await, Err(Refusal::TooLarge(MAX_BODY)));
        let broken = futures_util::stream::iter([Err::<Vec<u8>, _>(std::io::Error::other("gone"))]);
        assert_eq!(
            read_body(&none, Body::from_stream(broken)).await.map_err(|refusal| refusal.code()),
            Err("BAD_REQUEST")
        );
    }

    #[test]
    fn debug_prints_no_content() {
        let request = post(r#"{"query":"{ secret }","variables":{"name":"secret"}}"#).expect("a request");
        assert!(!format!("{request:?}").contains("secret"));
    }
}
