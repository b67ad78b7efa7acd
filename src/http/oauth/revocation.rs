//! The revocation endpoint (RFC 7009): what is not the client's own, or no token at all, is answered as if it were.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::answer::Fault;
use super::form::Form;
use super::token_of;
use crate::access::{Caller, Gate};

pub(super) async fn revoke(gate: &Gate, form: &Form, caller: &Caller) -> Result<Response, Fault> {
    gate.revoke_own(caller, token_of(form)?).await?;
    Ok(StatusCode::OK.into_response())
}
