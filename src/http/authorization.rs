//! What a request shows to be let in: a bearer token (RFC 6750), or a bound token with its proof (RFC 9449).

use axum::http::{HeaderMap, header};

use super::refusal::Refusal;

/// The header that brings a proof.
pub const PROOF: &str = "dpop";

/// A token as it came.
#[derive(Clone, Copy)]
pub enum Authorization<'a> {
    Bearer(&'a str),
    Bound { token: &'a str, proof: &'a str },
}

impl<'a> Authorization<'a> {
    /// # Errors
    /// [`Refusal::Unauthenticated`] when there is no token, or more than one.
    pub fn of(headers: &'a HeaderMap) -> Result<Self, Refusal> {
        let nothing = Refusal::Unauthenticated { presented: false };
        let value = only(headers, header::AUTHORIZATION.as_str()).ok_or(nothing.clone())?;
        let (scheme, token) = value.split_once(' ').ok_or(nothing.clone())?;
        let token = token.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            Ok(Self::Bearer(token))
        } else if scheme.eq_ignore_ascii_case("dpop") {
            let proof =
                only(headers, PROOF).ok_or(Refusal::Unproven("a bound token needs one `DPoP` header"))?;
            Ok(Self::Bound { token, proof })
        } else {
            Err(nothing)
        }
    }

    pub const fn token(self) -> &'a str {
        match self {
            Self::Bearer(token) | Self::Bound { token, .. } => token,
        }
    }
}

/// The header of a name, when it is there once.
pub fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}
