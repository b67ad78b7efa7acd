//! How a client shows who it is: in the `Authorization` header, in the form, or by an assertion; in one way at a time.

use std::net::IpAddr;

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::answer::Fault;
use super::form::Form;
use crate::access::{Caller, ClientProof, Gate, NotProven};
use crate::http::authorization::only;

/// RFC 7523 §2.2.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The client that asks.
pub(super) async fn caller(
    gate: &Gate,
    headers: &HeaderMap,
    form: &Form,
    origin: Option<IpAddr>,
) -> Result<Caller, Fault> {
    let basic = match headers.contains_key(header::AUTHORIZATION) {
        true => Some(basic(headers).ok_or(Fault::Client)?),
        false => None,
    };
    let (client_id, secret) = (form.one("client_id")?, form.one("client_secret")?);
    let (assertion, kind) = (form.one("client_assertion")?, form.one("client_assertion_type")?);
    let proof = match (&basic, secret, assertion) {
        (Some((id, secret)), None, None) if client_id.is_none_or(|stated| stated == id) => {
            ClientProof::Secret { client_id: id, secret }
        }
        (None, Some(secret), None) => {
            let client_id = client_id.ok_or(Fault::Request("`client_id` is missing"))?;
            ClientProof::Secret { client_id, secret }
        }
        (None, None, Some(assertion)) if kind == Some(ASSERTION_TYPE) => {
            ClientProof::Assertion { client_id, assertion }
        }
        (None, None, Some(_)) => {
            return Err(Fault::Request(
                "client_assertion_type must be urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ));
        }
        (None, None, None) => return Err(Fault::Client),
        _ => return Err(Fault::Request("a client proves who it is in one way, and under one `client_id`")),
    };
    gate.caller(&proof, origin).await.map_err(|why| match why {
        NotProven::Unknown => Fault::Client,
        NotProven::Shut(seconds) => Fault::Shut(seconds),
        NotProven::Failed(error) => Fault::Failed(Some(error)),
    })
}

/// Id and secret of HTTP's Basic scheme; each is encoded as in a form (RFC 6749 §2.3.1).
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let (scheme, encoded) = only(headers, header::AUTHORIZATION.as_str())?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    Some((decoded(id)?, decoded(secret)?))
}

fn decoded(text: &str) -> Option<String> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(&format!("x={text}")).ok()?;
    match <[(String, String); 1]>::try_from(pairs) {
        Ok([(_, value)]) => Some(value),
        Err(_) => None,
    }
}
