//! The description of all of it (OpenAPI 3.1), made of the handlers and types themselves.

use std::sync::Arc;

use axum::Extension;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::Value;
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Description;

use super::cached;
use super::problem::{Problem, Refusals};

/// Seconds for which it may be kept.
const KEPT: u32 = 300;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Customers' pages",
        version = "1",
        description = "What a company's own pages ask on behalf of customers, who do not sign in. Money is whole cents of US \
            dollars, tax included. Instants are UTC (RFC 3339); local times have no zone, and theirs beside them. Whatever is \
            refused is answered as application/problem+json (RFC 9457) with a stable code. What is written is given under an \
            Idempotency-Key. RateLimit says with every answer what an address may still ask.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    servers((url = "/", description = "This server.")),
    tags(
        (name = "company", description = "What everybody may see of a company: prices, free slots, quotes."),
        (name = "booking", description = "Asking for a party, looking at it, paying for it, and being called back."),
        (name = "conversation", description = "Talking on a company's page."),
        (name = "review", description = "Reviews: by a link, and those that are published."),
    )
)]
struct Pages;

/// The description, without the operations, which come with their routes.
pub(super) fn described() -> Description {
    Pages::openapi()
}

/// What is served of it.
pub(super) type Served = Extension<Arc<Value>>;

/// The description as it is served.
pub(super) fn served(described: &Description) -> Served {
    let described = serde_json::to_value(described);
    Extension(Arc::new(described.expect("a description is JSON")))
}

/// This description.
#[utoipa::path(
    get,
    path = "/api/v1/openapi.json",
    tag = "company",
    responses(
        (status = 200, description = "OpenAPI 3.1.", body = Value),
        (status = 304, description = "What `If-None-Match` names is still so."),
        Refusals,
    )
)]
pub(super) async fn description(
    Extension(described): Served,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    cached::public(&headers, KEPT, described.as_ref())
}
