//! Requests of the authorisation server: a form in the body, by POST, each parameter once (RFC 6749 §3.2).

use std::time::Duration;

use axum::body::Body;
use axum::http::Method;
use axum::http::request::Parts;

use super::answer::Fault;
use crate::http::body::{self, Bounds};
use crate::http::media::check_body_is;

/// The longest that a client needs: an assertion and a few words.
const BODY: Bounds = Bounds { bytes: 32 * 1024, time: Duration::from_secs(10) };
const TYPE: &str = "application/x-www-form-urlencoded";

pub(super) struct Form(Vec<(String, String)>);

impl Form {
    pub(super) async fn read(head: &Parts, body: Body) -> Result<Self, Fault> {
        if head.method != Method::POST {
            return Err(Fault::Method);
        }
        // Addresses are written down on the way.
        if head.uri.query().is_some() {
            return Err(Fault::Request("parameters must stand in the body"));
        }
        check_body_is(TYPE, "a form", &head.headers)
            .map_err(|_other| Fault::Request("the body must be application/x-www-form-urlencoded"))?;
        let mut bytes = Vec::new();
        let take = |piece: &[u8]| {
            bytes.extend_from_slice(piece);
            Ok(())
        };
        body::read(&head.headers, body, BODY, take).await.map_err(|_refusal| {
            Fault::Request("the body is too long, or did not arrive whole and in time")
        })?;
        let pairs = serde_urlencoded::from_bytes(&bytes)
            .map_err(|_error| Fault::Request("the body is no form in UTF-8"))?;
        Ok(Self(pairs))
    }

    /// The parameter of a name; an empty one is left out (RFC 6749 §3.2).
    pub(super) fn one(&self, name: &'static str) -> Result<Option<&str>, Fault> {
        let mut values = self.0.iter().filter(|(given, _)| given == name).map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (value, None) => Ok(value.filter(|value| !value.is_empty())),
            _ => Err(Fault::Request("a parameter is given more than once")),
        }
    }
}
