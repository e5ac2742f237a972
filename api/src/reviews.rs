//! Reviews for customers and for everybody, under `/api/v1/reviews`: whoever has a link's token can answer, once; what was
//! approved anybody can read. No cookie and no sign-in is looked at, so that a company's own page on another host may ask.

mod answer;
mod files;
mod page;
mod published;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use commands::{CommandError, Refused};
use domain::ids::{ReviewId, TenantId};
use domain::review::ReviewMedia;
use serde_json::json;
use tokio::sync::Semaphore;
use tower_http::timeout::TimeoutLayer;

use crate::app::App;

/// The largest answer, in bytes: its words, and names of files.
const MAX_ANSWER: usize = 64 * 1024;
/// How long an upload may take: fifty megabytes over a slow line.
const UPLOAD_DEADLINE: Duration = Duration::from_secs(300);
/// Uploads that are held in memory at one time.
const UPLOADS: usize = 4;

/// What every request here needs.
#[derive(Clone)]
struct Reviews {
    app: App,
    uploads: Arc<Semaphore>,
}

/// What is answered at once.
pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/review/{token}", get(page::page))
        .route("/api/v1/reviews/validate/{token}", get(answer::validate))
        .route(
            "/api/v1/reviews/submit/{token}",
            post(answer::submit)
                .options(preflight)
                .layer(DefaultBodyLimit::max(MAX_ANSWER)),
        )
        .route("/api/v1/reviews/click/{token}/{site}", get(answer::click))
        .route("/api/v1/reviews/published/{organisation}", get(published::list))
        .route(
            "/api/v1/reviews/files/{organisation}/{review}/{file}",
            get(files::fetch),
        )
        .layer(axum::middleware::map_response(for_any_page))
        .with_state(app)
}

/// What may take its time.
pub(crate) fn uploads(app: App) -> Router {
    let uploads = Arc::new(Semaphore::new(UPLOADS));
    Router::new()
        .route(
            "/api/v1/reviews/upload/{token}",
            post(files::upload).options(preflight),
        )
        .layer(axum::middleware::map_response(for_any_page))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            UPLOAD_DEADLINE,
        ))
        .with_state(Reviews { app, uploads })
}

/// A browser asks before it sends JSON, or a file, from another host's page.
async fn preflight() -> Response {
    (
        StatusCode::NO_CONTENT,
        [
            (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type"),
            (header::ACCESS_CONTROL_MAX_AGE, "86400"),
        ],
    )
        .into_response()
}

async fn for_any_page(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    // The token is in the address.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

/// Where a picture or video is fetched from.
pub(crate) fn media_path(slug: &str, review: ReviewId, media: &ReviewMedia) -> String {
    format!("/api/v1/reviews/files/{slug}/{review}/{}", media.file_name())
}

/// The short name of a company.
pub(crate) async fn slug_of(app: &App, tenant: TenantId) -> anyhow::Result<String> {
    let organisations = app.database.organisations().await?;
    let found = organisations.into_iter().find(|company| company.tenant == tenant);
    Ok(found.map(|company| company.slug).unwrap_or_default())
}

fn refuse(status: StatusCode, code: &str, field: &[&str], message: &str) -> Response {
    let body = json!({ "error": { "code": code, "field": field, "message": message } });
    (status, no_store(), axum::Json(body)).into_response()
}

fn no_store() -> [(HeaderName, HeaderValue); 1] {
    [(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-store"),
    )]
}

/// What a refusal of a command is over HTTP.
fn refused(error: &CommandError) -> Response {
    match error {
        CommandError::Refused(Refused { code, field, message }) => {
            let status = match *code {
                "LINK_UNKNOWN" | "SITE_NOT_SHOWN" => StatusCode::NOT_FOUND,
                "LINK_USED" | "LINK_EXPIRED" | "LINK_CANCELLED" | "CUSTOMER_ERASED" => StatusCode::GONE,
                "MEDIA_TOO_LARGE" => StatusCode::PAYLOAD_TOO_LARGE,
                "MEDIA_TYPE_REFUSED" => StatusCode::UNSUPPORTED_MEDIA_TYPE,
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            };
            refuse(status, code, field, message)
        }
        CommandError::Conflict
        | CommandError::InProgress { .. }
        | CommandError::IdempotencyMismatch
        | CommandError::VersionConflict { .. } => {
            refuse(StatusCode::CONFLICT, "CONFLICT", &[], "try again in a moment")
        }
        CommandError::Forbidden(_) => refuse(StatusCode::FORBIDDEN, "FORBIDDEN", &[], "you may not do that"),
        CommandError::Unavailable(_) | CommandError::Store(_) | CommandError::Unreadable(_) => {
            unavailable(error)
        }
    }
}

fn unavailable(error: &dyn std::fmt::Display) -> Response {
    tracing::error!(%error, "a review is not answered");
    let told = "this cannot be answered now; try again later";
    refuse(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", &[], told)
}
