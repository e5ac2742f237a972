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
use axum::routing::{get, options};
use commands::CommandError;
use domain::ids::{ReviewId, TenantId};
use domain::review::ReviewMedia;
use tokio::sync::Semaphore;
use tower_http::timeout::TimeoutLayer;
use utoipa::IntoResponses;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::rest::allowance;
use crate::rest::problem::{Problem, ProblemDetails};

/// The largest answer, in bytes: its words, and names of files.
const MAX_ANSWER: usize = 64 * 1024;
/// How long an upload may take: fifty megabytes over a slow line.
const UPLOAD_DEADLINE: Duration = Duration::from_secs(300);
/// Uploads that are held in memory at one time.
const UPLOADS: usize = 4;

/// What every request here needs.
#[derive(Clone)]
struct Reviews {
    app: Arc<App>,
    uploads: Arc<Semaphore>,
}

/// What a link may be answered with as well.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it describes answers; they are made of `Problem`")]
enum LinkRefusals {
    /// The link was good once: it is used, over or called off, or its customer was erased.
    #[response(status = 410, content_type = "application/problem+json")]
    Gone(ProblemDetails),
}

/// What is answered at once.
pub(crate) fn router() -> OpenApiRouter<Arc<App>> {
    let submit = OpenApiRouter::new()
        .routes(routes!(answer::submit))
        .route("/api/v1/reviews/submit/{token}", options(preflight))
        .layer(DefaultBodyLimit::max(MAX_ANSWER));
    OpenApiRouter::new()
        .routes(routes!(answer::validate))
        .merge(submit)
        .routes(routes!(answer::click))
        .routes(routes!(published::list))
        .routes(routes!(files::fetch))
        .layer(axum::middleware::map_response(for_any_page))
}

/// The page that a link leads to, for companies that have none of their own.
pub(crate) fn page() -> Router<Arc<App>> {
    Router::new()
        .route("/review/{token}", get(page::page))
        .layer(axum::middleware::map_response(for_any_page))
}

/// What may take its time.
pub(crate) fn uploads(app: Arc<App>) -> Router {
    let uploads = Arc::new(Semaphore::new(UPLOADS));
    let (routes, _) = upload().split_for_parts();
    let spends = axum::middleware::from_fn_with_state((Arc::clone(&app), allowance::DO), allowance::spend);
    routes
        .layer(spends)
        .route("/api/v1/reviews/upload/{token}", options(preflight))
        .layer(axum::middleware::map_response(for_any_page))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            UPLOAD_DEADLINE,
        ))
        .with_state(Reviews { app, uploads })
}

fn upload() -> OpenApiRouter<Reviews> {
    OpenApiRouter::new().routes(routes!(files::upload))
}

/// The description of what may take its time.
pub(crate) fn upload_described() -> OpenApi {
    upload().split_for_parts().1
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
    let problem = Problem::new(status, code, message).of_field(field);
    problem.with_error().into_response()
}

fn no_store() -> [(HeaderName, HeaderValue); 1] {
    [(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-store"),
    )]
}

/// What a refusal of a command is over HTTP.
fn refused(error: CommandError) -> Response {
    Problem::from(error).with_error().into_response()
}

fn unavailable(error: &dyn std::fmt::Display) -> Response {
    Problem::unavailable(error).with_error().into_response()
}
