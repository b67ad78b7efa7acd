//! What clients' libraries look up before they ask (RFC 8414).

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, header};
use axum::response::IntoResponse;
use entity::kinds::Scope;
use serde_json::json;

use super::{INTROSPECTION_PATH, REVOCATION_PATH, TOKEN_PATH};
use crate::access::{ALGORITHMS, is_of_people};
use crate::http::App;
use crate::http::jwks::PATH as JWKS_PATH;

/// How long others may keep it.
const CACHED: &str = "public, max-age=3600";
const METHODS: [&str; 3] = ["client_secret_basic", "client_secret_post", "private_key_jwt"];

pub(super) async fn metadata(State(app): State<App>) -> impl IntoResponse {
    let issuer = app.gate.issuer();
    let scopes: Vec<&str> =
        Scope::ALL.iter().filter(|scope| !is_of_people(**scope)).map(|scope| scope.word()).collect();
    let at = |path: &str| format!("{issuer}{path}");
    let headers: [(HeaderName, &str); 1] = [(header::CACHE_CONTROL, CACHED)];
    let said = json!({
        "issuer": issuer,
        "token_endpoint": at(TOKEN_PATH),
        "token_endpoint_auth_methods_supported": METHODS,
        "token_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "revocation_endpoint": at(REVOCATION_PATH),
        "revocation_endpoint_auth_methods_supported": METHODS,
        "revocation_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "introspection_endpoint": at(INTROSPECTION_PATH),
        "introspection_endpoint_auth_methods_supported": METHODS,
        "introspection_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "jwks_uri": at(JWKS_PATH),
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "scopes_supported": scopes,
        "dpop_signing_alg_values_supported": ALGORITHMS,
    });
    (headers, Json(said))
}
