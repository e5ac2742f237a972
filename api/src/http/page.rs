//! Pages for people: where things are, and a page to try the API on. They load nothing from elsewhere.

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{Html, IntoResponse};

const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; frame-ancestors 'none'";

/// The page at `/`.
pub(super) async fn home() -> impl IntoResponse {
    page(include_str!("home.html"))
}

/// The page at `/graphiql`: write a query, run it, read the schema.
pub(super) async fn graphiql() -> impl IntoResponse {
    page(include_str!("graphiql.html"))
}

fn page(text: &'static str) -> impl IntoResponse {
    let headers: [(HeaderName, HeaderValue); 2] = [
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (
            header::CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=300"),
        ),
    ];
    (headers, Html(text))
}
