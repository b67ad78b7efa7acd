//! Web pages of other origins that may ask (Fetch Standard, "HTTP extensions"): none, unless their exact origins are set.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::routing::MethodRouter;
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::App;
use super::authorization::PROOF;

/// How long a browser may keep what it was told.
const KEPT: Duration = Duration::from_secs(600);

/// What tells browsers of these pages; nothing when there are none.
pub(super) fn of(origins: &[HeaderValue]) -> Option<CorsLayer> {
    let layer = || {
        CorsLayer::new()
            .allow_origin(AllowOrigin::list(origins.iter().cloned()))
            .allow_methods([Method::POST])
            .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, HeaderName::from_static(PROOF)])
            .expose_headers([
                header::RETRY_AFTER,
                HeaderName::from_static("dpop-nonce"),
                header::WWW_AUTHENTICATE,
            ])
            .max_age(KEPT)
    };
    (!origins.is_empty()).then(layer)
}

/// A route that such pages may ask.
pub(super) fn open_to(pages: Option<&CorsLayer>, route: MethodRouter<App>) -> MethodRouter<App> {
    match pages {
        Some(pages) => route.layer(pages.clone()),
        None => route,
    }
}
