//! Errors as they leave the house: every one has a code of the contract, and none carries an inner cause.

use async_graphql::{ErrorExtensionValues, Pos, Response, ServerError, Value};

use super::budget::LimitExceeded;
use super::inputs::BadInput;
use crate::error::code;

/// Longest message that repeats anything of the client's.
const LONGEST_MESSAGE: usize = 300;

/// How the library begins when an argument passed its validation and cannot be read all the same; the rest repeats the value.
const UNREADABLE: &str = "Failed to parse \"";

fn coded(message: String, code: &'static str, at: Option<Pos>) -> ServerError {
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", code);
    ServerError { extensions: Some(extensions), ..ServerError::new(message, at) }
}

/// A document that asks for too much.
pub(super) fn limit(limit: &LimitExceeded) -> Response {
    Response::from_errors(vec![coded(limit.message(), code::LIMIT_EXCEEDED, None)])
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

/// What the executor answered. An uncoded error without a path comes from validation; one with a path is a fault of ours.
pub(super) fn response(mut response: Response) -> Response {
    for error in &mut response.errors {
        let is_coded = error.extensions.as_ref().is_some_and(|extensions| extensions.get("code").is_some());
        if is_coded {
            error.source = None;
            continue;
        }
        let at = error.locations.first().copied();
        *error = if error.path.is_empty() {
            coded(clipped(&error.message), code::VALIDATION_FAILED, at)
        } else if error.message.starts_with(UNREADABLE) {
            ServerError {
                path: std::mem::take(&mut error.path),
                ..coded("An argument cannot be read.".into(), code::BAD_USER_INPUT, at)
            }
        } else {
            tracing::error!(message = clipped(&error.message), "an error without a code");
            ServerError {
                path: std::mem::take(&mut error.path),
                ..coded("Something went wrong on our side.".into(), code::INTERNAL, at)
            }
        };
    }
    response
}

fn clipped(message: &str) -> String {
    match message.char_indices().nth(LONGEST_MESSAGE) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message.to_owned(),
    }
}
