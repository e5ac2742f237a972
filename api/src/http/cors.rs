//! Pages of other hosts: those that are named may ask the two APIs from a browser. No cookie is ever looked at, so that
//! nothing is lent to them but what they could ask for anyway.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::edge::PageOrigin;

/// What is for such pages: the admin API with what can be followed, its files, and customers' pages.
const FOR_PAGES: [&str; 4] = ["/graphql", "/exports", "/documents", "/api/v1"];
/// What such a page may send.
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST");
const HEADERS: HeaderValue = HeaderValue::from_static(
    "authorization, content-type, idempotency-key, if-none-match, last-event-id, x-request-id",
);
/// What its script may see of an answer's head.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "content-disposition, etag, idempotency-replayed, location, ratelimit, ratelimit-policy, retry-after, x-log-head, \
     x-log-position, x-request-id",
);
/// For how long a browser need not ask again: two hours, which is as long as any keeps it.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");

/// Answers browsers that ask whether a page may, and tells them with each answer.
pub(super) async fn from_pages(
    State(origins): State<Arc<[PageOrigin]>>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    // Reviews have always been for any page: their secret is in the address.
    let concerned =
        FOR_PAGES.iter().any(|folder| is_under(path, folder)) && !is_under(path, "/api/v1/reviews");
    if origins.is_empty() || !concerned {
        return next.run(request).await;
    }
    let origin = request.headers().get(header::ORIGIN).cloned();
    let named = origin.filter(|origin| origins.iter().any(|known| origin == known.as_str()));
    let asks = request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if asks {
        StatusCode::NO_CONTENT.into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = named {
        allowed(headers, origin, asks);
    }
    response
}

/// Whether a path is that of a folder, or in it.
pub(crate) fn is_under(path: &str, folder: &str) -> bool {
    let rest = path.strip_prefix(folder);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn allowed(headers: &mut HeaderMap, origin: HeaderValue, asks: bool) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    if asks {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    } else {
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
}
