//! `GET /review/{token}`: the page that a link leads to, for companies that have none of their own.

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{Html, IntoResponse};

const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// The page. It asks for what it shows by the token in its own address, and loads nothing from elsewhere.
pub(super) async fn page() -> impl IntoResponse {
    let headers: [(HeaderName, HeaderValue); 3] = [
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (
            header::CACHE_CONTROL,
            HeaderValue::from_static("private, no-store"),
        ),
        (
            HeaderName::from_static("x-robots-tag"),
            HeaderValue::from_static("noindex"),
        ),
    ];
    (headers, Html(include_str!("page.html")))
}
