//! Why a request is refused as such, before or beside GraphQL.

use std::borrow::Cow;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use entity::kinds::Scope;

use crate::error::code;
use crate::files::Fault;
use crate::schema::NotByGet;

/// When to ask what became of a request that was not answered in time, in seconds.
const LATE: u32 = 5;

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
    /// 403: the client may send registered documents alone.
    DocumentNotTrusted,
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
    /// 401: the proof that the client holds the token's key is not good; says why.
    Unproven(&'static str),
    /// 401: the proof must carry the nonce that the answer brings.
    NonceWanted,
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
    /// 503: not answered in time; what was asked goes on.
    Late,
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
            Self::Forbidden(_) | Self::DocumentNotTrusted => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::File(fault) if fault.too_much => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BadRequest(_) | Self::File(_) => StatusCode::BAD_REQUEST,
            Self::Unauthenticated { .. } | Self::Unproven(_) | Self::NonceWanted => StatusCode::UNAUTHORIZED,
            Self::Throttled(_) | Self::Streaming { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable(_) | Self::Late => StatusCode::SERVICE_UNAVAILABLE,
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
            Self::DocumentNotTrusted => code::DOCUMENT_NOT_TRUSTED,
            Self::NotFound => "NOT_FOUND",
            Self::TooLarge(_) => code::LIMIT_EXCEEDED,
            Self::File(fault) if fault.too_much => code::LIMIT_EXCEEDED,
            Self::File(_) => code::BAD_USER_INPUT,
            Self::Unauthenticated { .. } | Self::Unproven(_) | Self::NonceWanted => code::UNAUTHENTICATED,
            Self::Throttled(_) | Self::Streaming { .. } => code::THROTTLED,
            Self::Unavailable(_) | Self::Late => code::UNAVAILABLE,
            Self::Internal { .. } => code::INTERNAL,
        }
    }

    pub(super) fn message(&self) -> Cow<'static, str> {
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
            Self::DocumentNotTrusted => {
                "This client may only send documents that were registered for it, byte for byte.".into()
            }
            Self::NotFound => "There is nothing here that this token sees.".into(),
            Self::File(Fault { line: Some(line), message, .. }) => format!("Line {line}: {message}").into(),
            Self::File(Fault { line: None, message, .. }) => message.clone().into(),
            Self::TooLarge(limit) => format!("The body is longer than {limit} bytes.").into(),
            Self::BadRequest(message) => message.clone(),
            Self::Unauthenticated { presented: false } => "A bearer token is needed.".into(),
            Self::Unauthenticated { presented: true } => "The bearer token is not valid.".into(),
            Self::Unproven(why) => format!("The `DPoP` proof is not good: {why}.").into(),
            Self::NonceWanted => "The `DPoP` proof must carry the nonce of the `DPoP-Nonce` header.".into(),
            Self::Throttled(seconds) => format!("Too many requests; try again in {seconds} s.").into(),
            Self::Streaming { most, seconds } => {
                format!("This partner has {most} streams open already; close one, or try again in {seconds} s.").into()
            }
            Self::Unavailable(seconds) => format!("Not available now; try again in {seconds} s.").into(),
            Self::Late => {
                "This takes too long and goes on without you: `operation(key)` tells what becomes of an act, and its key may be sent again.".into()
            }
            Self::Internal { .. } => "Something went wrong here; the same key may be sent again.".into(),
        }
    }

    pub(super) fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        let fixed = |name, value| vec![(name, HeaderValue::from_static(value))];
        match self {
            Self::MethodNotAllowed => fixed(header::ALLOW, "GET, POST"),
            Self::Only(method) => fixed(header::ALLOW, method),
            Self::NotByGet(_) => fixed(header::ALLOW, "POST"),
            Self::Unauthenticated { presented: false } => fixed(header::WWW_AUTHENTICATE, "Bearer"),
            Self::Unauthenticated { presented: true } => {
                fixed(header::WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"")
            }
            Self::Unproven(_) => {
                fixed(header::WWW_AUTHENTICATE, "DPoP error=\"invalid_dpop_proof\", algs=\"EdDSA ES256\"")
            }
            Self::NonceWanted => {
                fixed(header::WWW_AUTHENTICATE, "DPoP error=\"use_dpop_nonce\", algs=\"EdDSA ES256\"")
            }
            Self::Throttled(seconds) | Self::Streaming { seconds, .. } | Self::Unavailable(seconds) => {
                vec![(header::RETRY_AFTER, HeaderValue::from(*seconds))]
            }
            Self::Late => vec![(header::RETRY_AFTER, HeaderValue::from(LATE))],
            // What is left of the body is not read: the connection ends here.
            Self::TooLarge(_) => fixed(header::CONNECTION, "close"),
            Self::NotAcceptable
            | Self::OnceOnly
            | Self::StreamOnly
            | Self::UnsupportedMediaType(_)
            | Self::BadRequest(_)
            | Self::Forbidden(_)
            | Self::DocumentNotTrusted
            | Self::NotFound
            | Self::File(_)
            | Self::Internal { .. } => Vec::new(),
        }
    }
}
