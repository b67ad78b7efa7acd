//! Errors as they leave the house: every one has a code of the contract, and none carries an inner cause.

use async_graphql::parser::types::{ExecutableDocument, SelectionSet};
use async_graphql::{ErrorExtensionValues, PathSegment, Pos, Response, ServerError, Value};

use super::budget::LimitExceeded;
use super::complete::find;
use super::inputs::{BadInput, chosen};
use crate::error::code;

/// Longest message that repeats anything of the client's.
const LONGEST_MESSAGE: usize = 300;

/// Most errors of validation that one answer lists.
const MOST_ERRORS: usize = 50;

/// How the library begins when an argument passed its validation and cannot be read all the same; the rest repeats the value.
const UNREADABLE: [&str; 2] = ["Failed to parse \"", "Expected input type \""];

fn coded(message: String, code: &'static str, at: Option<Pos>) -> ServerError {
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", code);
    ServerError { extensions: Some(extensions), ..ServerError::new(message, at) }
}

/// A document that asks for too much.
pub(super) fn limit(limit: &LimitExceeded) -> Response {
    Response::from_errors(vec![coded(limit.message(), code::LIMIT_EXCEEDED, None)])
}

/// A document that breaks a rule of GraphQL which the library does not hold.
pub(super) fn invalid(message: &str, at: Pos) -> Response {
    Response::from_errors(vec![coded(message.into(), code::VALIDATION_FAILED, Some(at))])
}

/// A document that cannot be read; its text, which may hold personal data, is not repeated.
pub(super) fn parse(error: &async_graphql::parser::Error) -> Response {
    let at = error.positions().next();
    let place = at.map_or(String::new(), |at| format!(": line {}, column {}", at.line, at.column));
    Response::from_errors(vec![coded(
        format!("The document cannot be parsed{place}."),
        code::PARSE_FAILED,
        at,
    )])
}

/// Scalars that were not what they must be, each with its place.
pub(super) fn bad_inputs(bad: &[BadInput]) -> Response {
    let errors = bad.iter().map(|input| {
        let mut error =
            coded(format!("`{}` {}", input.path.join("."), input.why), code::BAD_USER_INPUT, Some(input.pos));
        if let Some(extensions) = &mut error.extensions {
            extensions.set("path", Value::from_json(input.path.clone().into()).unwrap_or_default());
        }
        error
    });
    Response::from_errors(errors.collect())
}

/// What the executor answered. An uncoded error without a path comes from validation; one with a path is a fault of ours. Its
/// message may repeat what the client sent, or what a row holds, so the log has its place alone.
pub(super) fn response(
    document: &ExecutableDocument,
    operation_name: Option<&str>,
    mut response: Response,
) -> Response {
    if response.errors.iter().all(|error| error.path.is_empty()) {
        response.errors.truncate(MOST_ERRORS);
    }
    for error in &mut response.errors {
        let is_coded = error.extensions.as_ref().is_some_and(|extensions| extensions.get("code").is_some());
        if is_coded {
            error.source = None;
            continue;
        }
        let at = error.locations.first().copied();
        *error = if error.path.is_empty() {
            coded(clipped(&error.message), code::VALIDATION_FAILED, at)
        } else if UNREADABLE.iter().any(|begin| error.message.starts_with(begin)) {
            ServerError {
                path: std::mem::take(&mut error.path),
                ..coded("An argument cannot be read.".into(), code::BAD_USER_INPUT, at)
            }
        } else {
            let field = field_names(document, operation_name, &error.path);
            tracing::error!(field, code = code::INTERNAL, "a field failed with an error that has no code");
            ServerError {
                path: std::mem::take(&mut error.path),
                ..coded("Something went wrong on our side.".into(), code::INTERNAL, at)
            }
        };
    }
    response
}

/// A path in the schema's own words: a client may give its fields any alias.
fn field_names(document: &ExecutableDocument, operation_name: Option<&str>, path: &[PathSegment]) -> String {
    let mut sets: Vec<&SelectionSet> =
        chosen(document, operation_name).map(|operation| &operation.selection_set.node).into_iter().collect();
    let mut names = Vec::new();
    for step in path {
        let PathSegment::Field(key) = step else { continue };
        let mut found = Vec::new();
        for set in sets {
            find(document, set, "", key, &mut found);
        }
        names.extend(found.first().map(|(_, field)| field.name.node.as_str()));
        sets = found.iter().map(|(_, field)| &field.selection_set.node).collect();
    }
    names.join(".")
}

fn clipped(message: &str) -> String {
    match message.char_indices().nth(LONGEST_MESSAGE) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use async_graphql::parser::parse_query;

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("one thread").write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// The answer and the log of an error that the library made itself.
    fn sealed(text: &str, message: &str, path: Vec<PathSegment>) -> (ServerError, String) {
        let log = Log::default();
        let written = log.clone();
        let subscriber = tracing_subscriber::fmt().with_writer(move || written.clone()).finish();
        let failed = ServerError { path, ..ServerError::new(message, None) };
        let document = parse_query(text).expect("parses");
        let mut answer = tracing::subscriber::with_default(subscriber, || {
            response(&document, None, Response::from_errors(vec![failed]))
        });
        let log = String::from_utf8(log.0.lock().expect("one thread").clone()).expect("text");
        (answer.errors.remove(0), log)
    }

    fn field(key: &str) -> PathSegment {
        PathSegment::Field(key.to_owned())
    }

    #[test]
    fn the_log_has_the_place_of_a_fault_and_nothing_that_was_sent() {
        let text = "{ x419999197001010014: referrals { ...F } } fragment F on C { all: nodes { of_Li: person { name } } }";
        let path = vec![field("x419999197001010014"), field("all"), PathSegment::Index(3), field("of_Li")];
        let (error, log) = sealed(text, "no row for 李小明 419999197001010014", path);
        assert!(log.contains("referrals.nodes.person"), "{log}");
        assert!(!log.contains("李小明") && !log.contains("41999") && !log.contains("of_Li"), "{log}");
        assert_eq!(error.message, "Something went wrong on our side.");
    }

    #[test]
    fn an_argument_that_cannot_be_read_is_the_clients_fault() {
        for message in ["Failed to parse \"Int\": 李小明", "Expected input type \"String\", found 李小明."]
        {
            let (error, log) = sealed("{ node { id } }", message, vec![field("node")]);
            let code = error.extensions.as_ref().and_then(|extensions| extensions.get("code"));
            assert_eq!(code, Some(&Value::from(code::BAD_USER_INPUT)));
            assert_eq!((error.message.as_str(), log.as_str()), ("An argument cannot be read.", ""));
        }
    }

    #[test]
    fn errors_of_validation_are_listed_up_to_a_number() {
        let document = parse_query("{ a }").expect("parses");
        let errors = |path: Vec<PathSegment>| {
            let error = ServerError { path, ..ServerError::new("wrong", None) };
            response(&document, None, Response::from_errors(vec![error; 1_000])).errors.len()
        };
        assert_eq!(errors(Vec::new()), MOST_ERRORS);
        assert_eq!(errors(vec![field("a")]), 1_000, "every field that failed is named");
    }
}
