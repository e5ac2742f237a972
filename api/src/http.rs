//! HTTP: the GraphQL endpoint, a page to try it on, and health; and on a listener of their own the figures.

mod cors;
mod documents;
pub(crate) mod edge;
mod exports;
mod files;
mod forwarded;
mod live;
mod page;
mod serving;
mod shielding;

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

use crate::app::App;
use crate::auth::{self, Origin, Recognised, TokenError};
use crate::calendar;
use crate::graphql::{self, Answered, Schema, Session};
use crate::observing::{self, measured};
use crate::rest;
use crate::reviews;
use crate::throttle::{Credential, Left, Throttled, seconds};
use crate::webhooks;

pub(crate) use cors::is_under;
pub use edge::{BadNetwork, BadOrigin, Edge, Network, PageOrigin, Transport};
pub(crate) use forwarded::ClientAddress;
pub use serving::{Patience, serve};

/// The largest request body, in bytes.
const MAX_BODY: usize = 256 * 1024;
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// What somebody may ask, and what is left of it: as the IETF's draft of these headers has them.
const ALLOWANCE: HeaderName = HeaderName::from_static("ratelimit-policy");
const ALLOWANCE_LEFT: HeaderName = HeaderName::from_static("ratelimit");

#[derive(Clone)]
struct Server {
    app: Arc<App>,
    schema: Schema,
}

/// All routes of the program.
pub fn router(app: App) -> Router {
    // One for all: each request has several, and there is much in it.
    let app = Arc::new(app);
    let schema = graphql::schema(Arc::clone(&app));
    let calendars = Router::new()
        .route("/calendar/{file}", get(calendar::feed))
        .with_state(Arc::clone(&app));
    let webhooks = webhooks::router(Arc::clone(&app));
    let (customers, uploads) = (rest::router(&app), reviews::uploads(Arc::clone(&app)));
    let (requests, deadline) = (app.figures.requests.clone(), app.patience.request);
    let origins: Arc<[PageOrigin]> = app.edge.cors_origins.clone().into();
    let (transport, behind) = (app.edge.transport, Arc::clone(&app));
    Router::new()
        .route("/graphql", post(graphql_post))
        .route("/graphql/live", get(live::socket))
        .route("/graphql/stream", post(live::events))
        .route("/documents/{file}", get(documents::pdf))
        .route("/exports/tax", get(exports::tax))
        .route("/exports/books", get(exports::books))
        .route("/graphiql", get(page::graphiql))
        .route("/", get(page::home))
        .route("/health/live", get(|| async { "live\n" }))
        .route("/health/ready", get(ready))
        .with_state(Server { app, schema })
        .merge(calendars)
        .merge(webhooks)
        .merge(customers)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            deadline,
        ))
        .merge(uploads)
        .layer(axum::middleware::from_fn_with_state(behind, forwarded::arrived))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(axum::middleware::from_fn(rest::as_problems))
        .layer(axum::middleware::from_fn(with_words))
        .layer(CompressionLayer::new().compress_when(shielding::PublicTexts))
        .layer(axum::middleware::from_fn_with_state(origins, cors::from_pages))
        .layer(axum::middleware::from_fn_with_state(requests, measured))
        .layer(axum::middleware::map_response_with_state(
            transport,
            shielding::shielded,
        ))
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(TraceLayer::new_for_http().make_span_with(span))
        .layer(SetRequestIdLayer::new(REQUEST_ID, MakeRequestUuid))
        .layer(axum::middleware::map_request(own_request_id))
}

/// Keeps a request id that a client chose only if it is short and plain: it is kept with every event.
async fn own_request_id(mut request: Request) -> Request {
    let plain = |id: &str| {
        (1..=64).contains(&id.len())
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    if !text_header(request.headers(), &REQUEST_ID).is_some_and(plain) {
        request.headers_mut().remove(REQUEST_ID);
    }
    request
}

/// The figures of the program, for a listener of their own: they tell how much business there is, and name no company.
pub fn figures(app: App) -> Router {
    let figures = async |State(app): State<Arc<App>>| {
        let text = app.figures.text(&app).await;
        ([(header::CONTENT_TYPE, observing::MEDIA_TYPE)], text)
    };
    Router::new()
        .route("/metrics", get(figures))
        .with_state(Arc::new(app))
}

/// One span a request, with its id and route. Neither body nor query string is logged, nor what stands in the path: there are
/// secrets in some.
fn span<B>(request: &axum::http::Request<B>) -> tracing::Span {
    let id = request
        .headers()
        .get(REQUEST_ID)
        .and_then(|id| id.to_str().ok())
        .unwrap_or_default();
    tracing::info_span!(
        "request",
        id,
        method = %request.method(),
        route = observing::route(request),
        tenant = tracing::field::Empty,
        role = tracing::field::Empty,
    )
}

/// A mistake in the program costs the request it happened in, and nothing else.
fn panicked(_panic: Box<dyn std::any::Any + Send>) -> Response {
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

/// Gives what is refused without a word, by the framework or for want of time, a code and the request's id. Customers' pages
/// have words of their own.
async fn with_words(request: Request, next: Next) -> Response {
    let request_id = text_header(request.headers(), &REQUEST_ID)
        .unwrap_or_default()
        .to_owned();
    let mut response = next.run(request).await;
    let status = response.status();
    let refused = status.is_client_error() || status.is_server_error();
    if !refused || response.headers().contains_key(header::CONTENT_TYPE) {
        return response;
    }
    let (code, told) = rest::words_for(status);
    let mut worded = failure(status, code, told, &request_id);
    response.headers_mut().remove(header::CONTENT_LENGTH);
    worded
        .headers_mut()
        .extend(std::mem::take(response.headers_mut()));
    worded
}

async fn ready(State(server): State<Server>) -> Response {
    match server.app.database.ping().await {
        Ok(()) => (StatusCode::OK, "ready\n").into_response(),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response()
        }
    }
}

async fn graphql_post(
    State(server): State<Server>,
    headers: HeaderMap,
    extensions: Extensions,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let unread = body.is_err();
    let mut response = answer(&server, &headers, origin(&headers, &extensions), body).await;
    if unread {
        // The rest of the body is never read, so that the connection is of no further use; the client must
        // know, or it sends its next request into it.
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    response
}

async fn answer(
    server: &Server,
    headers: &HeaderMap,
    origin: Origin,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let request_id = text_header(headers, &REQUEST_ID).unwrap_or_default().to_owned();
    let (session, request) = match received(server, headers, origin, body, &request_id).await {
        Ok(received) => received,
        Err(refused) => return *refused,
    };
    let who = credential(&session);
    told(server.schema.execute(request, session, &who).await, &request_id)
}

/// Who sends what, where it is a GraphQL request of somebody.
async fn received(
    server: &Server,
    headers: &HeaderMap,
    origin: Origin,
    body: Result<Bytes, BytesRejection>,
    request_id: &str,
) -> Result<(Session, async_graphql::Request), Box<Response>> {
    if !is_json(headers) {
        let message = "send the request as application/json";
        return Err(Box::new(failure(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_MEDIA_TYPE",
            message,
            request_id,
        )));
    }
    let session = session(&server.app, headers, request_id).await;
    let session = session.map_err(|error| Box::new(unrecognised(error, request_id)))?;
    let body = body.map_err(|rejected| {
        let code = if rejected.status() == StatusCode::PAYLOAD_TOO_LARGE {
            "PAYLOAD_TOO_LARGE"
        } else {
            "BAD_REQUEST"
        };
        Box::new(failure(
            rejected.status(),
            code,
            &rejected.body_text(),
            request_id,
        ))
    })?;
    let request = serde_json::from_slice::<async_graphql::Request>(&body).map_err(|error| {
        let message = format!("the body is not a GraphQL request: {error}");
        Box::new(failure(
            StatusCode::BAD_REQUEST,
            "BAD_REQUEST",
            &message,
            request_id,
        ))
    })?;
    Ok((Session { origin, ..session }, request))
}

/// Whose allowance a request comes out of.
fn credential(session: &Session) -> Credential {
    if let Some(Recognised {
        viewer, credential, ..
    }) = &session.recognised
    {
        return match credential {
            auth::Credential::Session(_) => Credential::User(viewer.tenant, viewer.user),
            auth::Credential::ApiKey(key) => Credential::Key(viewer.tenant, *key),
        };
    }
    of_address(session.origin.address)
}

/// The allowance of everybody at an address. Of one of version 6 the part counts that a household or a host has.
pub(crate) fn of_address(address: Option<IpAddr>) -> Credential {
    Credential::Address(match address {
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => {
            let [first, second, third, fourth, ..] = address.segments();
            format!("{first:x}:{second:x}:{third:x}:{fourth:x}::/64")
        }
        None => String::new(),
    })
}

/// An answer with what is left to whoever asked; or that they have asked too much, and when to come again.
fn told(answered: Answered, request_id: &str) -> Response {
    let mut response = match &answered.throttled {
        None => match &answered.data {
            None => axum::Json(answered.response).into_response(),
            Some(data) => given_again(data, &answered.response),
        },
        Some(short) => throttled(short, request_id),
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    tell_left(headers, &answered.left);
    response
}

/// That it costs more than is left, and when to come again.
fn throttled(short: &Throttled, request_id: &str) -> Response {
    let wait = seconds(short.retry_after);
    let message = format!("this costs more than is left to you; ask again in {wait} s");
    let mut refused = failure(StatusCode::TOO_MANY_REQUESTS, "THROTTLED", &message, request_id);
    refused.headers_mut().insert(header::RETRY_AFTER, wait.into());
    refused
}

/// An answer whose data were written before: all else is the response's.
fn given_again(data: &str, response: &async_graphql::Response) -> Response {
    let extensions = json!(response.extensions);
    let body = format!("{{\"data\":{data},\"extensions\":{extensions}}}");
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// Says what somebody may ask, and what is left of it.
pub(crate) fn tell_left(headers: &mut HeaderMap, left: &[Left]) {
    let lists = [
        (ALLOWANCE, left.iter().map(Left::policy).collect::<Vec<_>>()),
        (ALLOWANCE_LEFT, left.iter().map(Left::remaining).collect()),
    ];
    for (name, list) in lists {
        if let Ok(value) = HeaderValue::try_from(list.join(", "))
            && !list.is_empty()
        {
            headers.insert(name, value);
        }
    }
}

/// Who sends the request: nobody without a token or a key, refused with a broken one.
async fn session(app: &App, headers: &HeaderMap, request_id: &str) -> Result<Session, TokenError> {
    let recognised = match bearer(headers)? {
        None => None,
        Some(shown) => Some(app.auth.recognise(shown).await?),
    };
    if let Some(Recognised { viewer, .. }) = &recognised {
        let span = tracing::Span::current();
        span.record("tenant", tracing::field::display(viewer.tenant));
        span.record("role", viewer.role.as_str());
    }
    Ok(Session {
        recognised,
        request_id: request_id.to_owned(),
        origin: Origin::default(),
    })
}

/// The token or key that a request shows, where it shows one.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, TokenError> {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Ok(None);
    };
    let shown = value
        .to_str()
        .ok()
        .and_then(|value| value.strip_prefix("Bearer "));
    shown.map(Some).ok_or(TokenError::Forged)
}

/// Says that a token or a key stands for nobody, or that it cannot be told.
fn unrecognised(error: TokenError, request_id: &str) -> Response {
    let code = code_of(error);
    let status = match error {
        TokenError::Forged | TokenError::Expired | TokenError::Ended | TokenError::NoKey => {
            StatusCode::UNAUTHORIZED
        }
        TokenError::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    };
    failure(status, code, &error.to_string(), request_id)
}

/// The code of an answer to somebody whose token or key stands for nobody, or of whom that cannot be told.
fn code_of(error: TokenError) -> &'static str {
    match error {
        TokenError::Forged | TokenError::Expired | TokenError::Ended | TokenError::NoKey => "UNAUTHENTICATED",
        TokenError::Unavailable => "UNAVAILABLE",
    }
}

/// Where the request comes from.
fn origin(headers: &HeaderMap, extensions: &Extensions) -> Origin {
    let address = extensions.get::<ClientAddress>();
    Origin {
        address: address.map(|ClientAddress(address)| *address),
        agent: text_header(headers, &header::USER_AGENT).map(str::to_owned),
    }
}

pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let content = text_header(headers, &header::CONTENT_TYPE).unwrap_or_default();
    content
        .split(';')
        .next()
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

pub(crate) fn text_header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn failure(status: StatusCode, code: &str, message: &str, request_id: &str) -> Response {
    let body: Value = json!({
        "errors": [{ "message": message, "extensions": { "code": code, "requestId": request_id } }],
    });
    let mut response = (status, axum::Json(body)).into_response();
    if status == StatusCode::UNAUTHORIZED {
        // RFC 9110, 11.6.1: it says by what one is recognised.
        let bearer = HeaderValue::from_static("Bearer");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, bearer);
    }
    response
}
