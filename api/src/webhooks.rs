//! What other programs tell this one by themselves.

mod messages;
mod stripe;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;

use crate::app::App;

pub use messages::MessageSecrets;

/// Where the providers tell.
pub(crate) fn router(app: Arc<App>) -> Router {
    let meta = post(messages::meta).get(messages::meta_asks);
    let meta_of = post(messages::meta_of).get(messages::meta_asks_of);
    let meta = Router::new()
        .route("/webhooks/meta", meta)
        .route("/webhooks/meta/{organisation}", meta_of)
        .layer(DefaultBodyLimit::max(messages::LARGEST_META));
    Router::new()
        .route("/webhooks/stripe", post(stripe::stripe))
        .route("/webhooks/stripe/{organisation}", post(stripe::stripe_of))
        .route("/webhooks/ringcentral", post(messages::ringcentral))
        .route(
            "/webhooks/ringcentral/{organisation}",
            post(messages::ringcentral_of),
        )
        .route(
            "/webhooks/ringcentral/{organisation}/{token}",
            post(messages::ringcentral_secret),
        )
        .merge(meta)
        .with_state(app)
}

fn plain(status: StatusCode, said: &'static str) -> Response {
    (status, said).into_response()
}
