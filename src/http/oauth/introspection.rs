//! The introspection endpoint (RFC 7662): of the partner's own tokens; the bureau may ask about any.

use axum::response::Response;
use serde_json::json;

use super::answer::{Fault, answer};
use super::form::Form;
use super::token_of;
use crate::access::{Caller, Gate};

pub(super) async fn introspect(gate: &Gate, form: &Form, caller: &Caller) -> Result<Response, Fault> {
    let said = gate.introspect(caller, token_of(form)?).await?;
    Ok(answer(&said.unwrap_or_else(|| json!({ "active": false }))))
}
