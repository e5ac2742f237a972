//! REST for customers' pages, under `/api/v1`: whoever is on a company's own page looks at its prices and free slots, asks for
//! a party, pays for it, talks, and is called back, without signing in. The company stands in the path. What is a customer's
//! own is reached by the secret of its link. The same commands are behind it as behind the admin API.

pub(crate) mod allowance;
mod availability;
mod booking;
pub(crate) mod cached;
mod company;
mod conversation;
mod lead;
mod openapi;
mod payment;
pub(crate) mod problem;
mod promo;
mod quote;
mod sent;
pub(crate) mod values;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::HeaderMap;
use commands::Caller;
use event_log::Organisation;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::http::{REQUEST_ID, text_header};
use crate::reviews;
use problem::Problem;

pub(crate) use problem::{as_problems, words_for};

/// The largest body, in bytes: words of a customer, and no files.
const MAX_BODY: usize = 64 * 1024;

/// All of it, reviews included, but for what may take its time.
pub(crate) fn router(app: &Arc<App>) -> Router {
    let read = OpenApiRouter::new()
        .routes(routes!(openapi::description))
        .routes(routes!(company::company))
        .routes(routes!(company::menu));
    let asked = OpenApiRouter::new()
        .routes(routes!(availability::slots))
        .routes(routes!(quote::quote))
        .routes(routes!(booking::own))
        .routes(routes!(conversation::messages));
    let done = OpenApiRouter::new()
        .routes(routes!(booking::request))
        .routes(routes!(payment::begin))
        .routes(routes!(conversation::begin))
        .routes(routes!(conversation::say))
        .routes(routes!(lead::leave));
    let guessed = OpenApiRouter::new().routes(routes!(promo::check));
    let costing = |routes: OpenApiRouter<Arc<App>>, points| {
        let spends = axum::middleware::from_fn_with_state((Arc::clone(app), points), allowance::spend);
        routes.layer(spends)
    };
    let (router, mut described) = OpenApiRouter::with_openapi(openapi::described())
        .merge(costing(read, allowance::READ))
        .merge(costing(asked, allowance::ASK))
        .merge(costing(done, allowance::DO))
        .merge(costing(guessed, allowance::GUESS))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .merge(costing(reviews::router(), allowance::ASK))
        .split_for_parts();
    described.merge(reviews::upload_described());
    router
        .layer(openapi::served(&described))
        .merge(reviews::page())
        .with_state(Arc::clone(app))
}

/// The company that a path is about.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct OfCompany {
    /// The company's short name: what its people sign in to.
    pub(super) organisation: String,
}

/// A company's page, and who is on it.
pub(super) struct Visit {
    pub(super) company: Organisation,
    pub(super) caller: Caller,
}

/// Whose page it is. A company that is not there and one that is another's look alike.
pub(super) async fn visit(app: &App, slug: &str, headers: &HeaderMap) -> Result<Visit, Problem> {
    let found = app.database.organisation_by_slug(slug).await;
    let company = found.map_err(|error| Problem::unavailable(&error))?;
    let company = company.ok_or_else(|| Problem::not_found("company"))?;
    let request_id = text_header(headers, &REQUEST_ID).map(str::to_owned);
    tracing::Span::current().record("tenant", tracing::field::display(company.tenant));
    Ok(Visit {
        caller: Caller::visitor(company.tenant, request_id),
        company,
    })
}
