//! What the authorisation server answers, and why it does not (RFC 6749 §5).

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::access::ProofFlaw;
use crate::error::Error;

/// Why nothing is given.
pub(super) enum Fault {
    /// 405.
    Method,
    /// `invalid_request`; says what is wrong.
    Request(&'static str),
    /// `invalid_client`: unknown, suspended, or not proven; which of them is nobody's business.
    Client,
    /// 429: clients failed to prove who they are too often; again after so many seconds.
    Shut(u64),
    /// `unsupported_grant_type`.
    GrantType,
    /// `invalid_scope`; names what cannot be had.
    Scope(String),
    /// `invalid_target` (RFC 8707).
    Target,
    /// `invalid_dpop_proof` or `use_dpop_nonce` (RFC 9449 §5, §8).
    Proof(ProofFlaw),
    /// The database is away; or a fault of ours, with its cause.
    Failed(Option<Error>),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Failed(Some(error))
    }
}

impl Fault {
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::Method | Self::Request(_) => "invalid_request",
            Self::Client => "invalid_client",
            Self::GrantType => "unsupported_grant_type",
            Self::Scope(_) => "invalid_scope",
            Self::Target => "invalid_target",
            Self::Proof(ProofFlaw::Nonce) => "use_dpop_nonce",
            Self::Proof(ProofFlaw::Invalid(_)) => "invalid_dpop_proof",
            Self::Shut(_) | Self::Failed(Some(Error::Unavailable(_))) => "temporarily_unavailable",
            Self::Failed(_) => "server_error",
        }
    }

    const fn status(&self) -> StatusCode {
        match self {
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Client => StatusCode::UNAUTHORIZED,
            Self::Shut(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Request(_) | Self::GrantType | Self::Scope(_) | Self::Target | Self::Proof(_) => {
                StatusCode::BAD_REQUEST
            }
            Self::Failed(Some(Error::Unavailable(_))) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn description(&self) -> String {
        match self {
            Self::Method => "use POST".into(),
            Self::Request(why) => (*why).into(),
            Self::Client => "the client is not known, or has not proven who it is".into(),
            Self::Shut(seconds) => format!("too many failed to prove who they are; try again in {seconds} s"),
            Self::GrantType => "grant_type must be client_credentials".into(),
            Self::Scope(word) => format!("{word} is not a scope that this client may hold"),
            Self::Target => "resource must be the issuer of this server".into(),
            Self::Proof(ProofFlaw::Nonce) => "the proof must carry the nonce of the DPoP-Nonce header".into(),
            Self::Proof(ProofFlaw::Invalid(why)) => format!("the DPoP proof is not good: {why}"),
            Self::Failed(_) => "send the same request again".into(),
        }
    }

    pub(super) fn log(&self, correlation: &str) {
        match self {
            Self::Failed(Some(Error::Unavailable(_))) => {
                tracing::warn!(correlation, "database unavailable");
            }
            Self::Failed(Some(error)) => {
                tracing::error!(
                    correlation,
                    cause = error.cause_for_log(),
                    "the authorisation server failed"
                );
            }
            _ => {}
        }
    }

    pub(super) fn respond(self) -> Response {
        let said = json!({ "error": self.code(), "error_description": self.description() });
        let mut response = answer(&said);
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        let fixed = HeaderValue::from_static;
        match self {
            Self::Method => drop(headers.insert(header::ALLOW, fixed("POST"))),
            Self::Client => drop(headers.insert(header::WWW_AUTHENTICATE, fixed("Basic realm=\"onestop\""))),
            Self::Shut(seconds) => drop(headers.insert(header::RETRY_AFTER, seconds.into())),
            Self::Failed(Some(Error::Unavailable(_))) => {
                drop(headers.insert(header::RETRY_AFTER, fixed("1")))
            }
            _ => {}
        }
        response
    }
}

/// An answer that nobody keeps.
pub(super) fn answer(said: &Value) -> Response {
    let mut response = Json(said).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
