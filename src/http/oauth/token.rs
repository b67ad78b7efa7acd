//! The token endpoint (RFC 6749 §4.4.2): an access token for a client's own slice.

use axum::http::HeaderMap;
use axum::response::Response;
use entity::kinds::Scope;
use serde_json::json;

use super::TOKEN_PATH;
use super::answer::{Fault, answer};
use super::form::Form;
use crate::access::{Caller, Gate, IssueError};
use crate::http::authorization::{PROOF, only};

pub(super) async fn issue(
    gate: &Gate,
    headers: &HeaderMap,
    form: &Form,
    caller: Caller,
) -> Result<Response, Fault> {
    if form.one("grant_type")?.ok_or(Fault::Request("`grant_type` is missing"))? != "client_credentials" {
        return Err(Fault::GrantType);
    }
    if form.one("resource")?.is_some_and(|resource| resource.trim_end_matches('/') != gate.issuer()) {
        return Err(Fault::Target);
    }
    let scopes = form.one("scope")?.map(scopes).transpose()?;
    let thumbprint = match headers.contains_key(PROOF) {
        true => {
            let proof = only(headers, PROOF).ok_or(Fault::Request("`DPoP` must be there once"))?;
            Some(gate.proven_key(proof, TOKEN_PATH).map_err(Fault::Proof)?)
        }
        false if caller.client.sender_constrained => {
            return Err(Fault::Request("this client is registered for bound tokens: send a `DPoP` proof"));
        }
        false => None,
    };
    let kind = if thumbprint.is_some() { "DPoP" } else { "Bearer" };
    let issued = gate.issue_to_client(caller.partner, caller.client, scopes.as_deref(), thumbprint).await;
    let issued = issued.map_err(|error| match error {
        IssueError::ScopeNotAllowed(scope) => Fault::Scope(scope.word().to_owned()),
        IssueError::Suspended | IssueError::NoSuchPartner | IssueError::NoSuchStaff => Fault::Client,
        IssueError::LifetimeOutOfRange => Fault::Failed(None),
        IssueError::Failed(error) => Fault::Failed(Some(error)),
    })?;
    let words: Vec<&str> = issued.scopes.iter().map(|scope| scope.word()).collect();
    Ok(answer(&json!({
        "access_token": issued.token,
        "token_type": kind,
        "expires_in": issued.life.as_secs(),
        "scope": words.join(" "),
    })))
}

/// Scopes as RFC 6749 §3.3 has them: words between single spaces, each once.
fn scopes(text: &str) -> Result<Vec<Scope>, Fault> {
    let mut scopes = Vec::new();
    for word in text.split(' ') {
        // As RFC 6749 §5.2 allows in a description.
        let allowed = |sign: &char| sign.is_ascii_graphic() && !matches!(sign, '"' | '\\');
        let shown = || word.chars().filter(allowed).take(60).collect::<String>();
        let scope = Scope::of_word(word).ok_or_else(|| Fault::Scope(shown()))?;
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    Ok(scopes)
}
