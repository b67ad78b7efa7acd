//! The keys that verify what the server signs, for everybody.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, header};
use axum::response::IntoResponse;

use super::App;

/// Where they are.
pub const PATH: &str = "/.well-known/jwks.json";
/// How long others may keep them.
const CACHED: &str = "public, max-age=300";

pub(super) async fn public_keys(State(app): State<App>) -> impl IntoResponse {
    let headers: [(HeaderName, &str); 2] =
        [(header::CONTENT_TYPE, "application/jwk-set+json"), (header::CACHE_CONTROL, CACHED)];
    (headers, Json(app.gate.keys().public()))
}
