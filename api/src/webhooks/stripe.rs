//! `POST /webhooks/stripe`: the payment provider's word on cards, refunds and disputes.
//!
//! Whose word it is shows the signature over the raw body; whose company it is about, in this order: the address
//! (`/webhooks/stripe/{organisation}`, for an installation whose companies have endpoints of their own), the object's own
//! metadata, the metadata of the intent that it belongs to, and, where there is only one, the only company there is.
//! Answered with 2xx once what it changes is in the log, or once it is known that it changes nothing; with 400 where it
//! cannot be shown to be the provider's; with 503 where it could not be kept, so that the provider tells again.

use std::sync::Arc;

use anyhow::Result;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::Response;
use commands::gateways::stripe::{Notice, SignatureError, check_signature};
use commands::payment::Heard;
use commands::ports::GatewayError;
use domain::ids::TenantId;

use super::plain;
use crate::app::App;

const SIGNATURE: HeaderName = HeaderName::from_static("stripe-signature");

/// An event for whichever company it names.
pub(super) async fn stripe(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    answer(&app, None, &headers, body).await
}

/// An event for the company of the address.
pub(super) async fn stripe_of(
    State(app): State<Arc<App>>,
    Path(organisation): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    answer(&app, Some(&organisation), &headers, body).await
}

async fn answer(
    app: &App,
    slug: Option<&str>,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    if app.webhook_secrets.is_empty() {
        return plain(StatusCode::NOT_FOUND, "cards are not charged here\n");
    }
    let body = match body {
        Ok(body) => body,
        Err(rejected) => {
            tracing::warn!(status = %rejected.status(), "a webhook cannot be read");
            let mut response = plain(rejected.status(), "the message cannot be read\n");
            let close = axum::http::HeaderValue::from_static("close");
            response
                .headers_mut()
                .insert(axum::http::header::CONNECTION, close);
            return response;
        }
    };
    match hear(app, slug, headers, &body).await {
        Ok(response) => response,
        Err(error) => {
            tracing::error!(%error, "a webhook is not kept; the provider tells again");
            plain(StatusCode::SERVICE_UNAVAILABLE, "try again later\n")
        }
    }
}

async fn hear(app: &App, slug: Option<&str>, headers: &HeaderMap, body: &[u8]) -> Result<Response> {
    let named = match slug {
        Some(slug) => app
            .database
            .organisation_by_slug(slug)
            .await?
            .map(|found| found.tenant),
        None => None,
    };
    let now = app.clock.now();
    let signature = headers.get(SIGNATURE).and_then(|value| value.to_str().ok());
    if let Err(error) = check_signature(signature.unwrap_or_default(), body, &app.webhook_secrets, now) {
        // Who cannot sign is not told which organisations there are.
        turn_away(app, slug, named, error).await?;
        return Ok(plain(StatusCode::BAD_REQUEST, "the signature is not good\n"));
    }
    if slug.is_some() && named.is_none() {
        return Ok(plain(StatusCode::NOT_FOUND, "there is no such organisation\n"));
    }
    let Ok(notice) = Notice::read(body, now) else {
        tracing::warn!("a signed webhook holds no event");
        return Ok(plain(StatusCode::BAD_REQUEST, "this is no event\n"));
    };
    let Some(tenant) = company(app, named, &notice).await? else {
        tracing::warn!(kind = notice.kind, "a webhook is of no company here");
        return Ok(plain(
            StatusCode::NOT_FOUND,
            "this is about no organisation here\n",
        ));
    };
    if notice.subject.tenant.is_some_and(|said| said != tenant) {
        // The other company hears it at its own address.
        return Ok(plain(StatusCode::OK, "this is another organisation's\n"));
    }
    Ok(match app.commands.hear_provider(tenant, notice).await? {
        Heard::Recorded => plain(StatusCode::OK, "recorded\n"),
        Heard::NothingNew => plain(StatusCode::OK, "nothing new\n"),
    })
}

/// Logs that a message was turned away, without a word of it, and notes it for the company, where that is known.
async fn turn_away(
    app: &App,
    slug: Option<&str>,
    named: Option<TenantId>,
    error: SignatureError,
) -> Result<()> {
    tracing::warn!(why = %error, "a webhook is turned away");
    let company = match slug {
        Some(_) => named,
        None => only_company(app).await?,
    };
    if let Some(tenant) = company {
        app.commands
            .note_refused_webhook(tenant, "stripe", error.into())
            .await?;
    }
    Ok(())
}

/// The company that an event is about.
async fn company(app: &App, named: Option<TenantId>, notice: &Notice) -> Result<Option<TenantId>> {
    if let Some(tenant) = named.or(notice.subject.tenant) {
        return known(app, tenant).await;
    }
    if let Some(tenant) = only_company(app).await? {
        return Ok(Some(tenant));
    }
    let (Some(cards), Some(intent)) = (app.commands.cards(), &notice.subject.intent_id) else {
        return Ok(None);
    };
    // Disputes, and refunds made at the provider, say no more than which intent they are of.
    let found = match cards.intent(intent).await {
        Ok(found) => found,
        // The provider knows of no such intent: asking again changes nothing.
        Err(GatewayError::Refused { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    match found.tenant {
        Some(tenant) => known(app, tenant).await,
        None => Ok(None),
    }
}

async fn known(app: &App, tenant: TenantId) -> Result<Option<TenantId>> {
    let organisations = app.database.organisations().await?;
    Ok(organisations
        .iter()
        .any(|organisation| organisation.tenant == tenant)
        .then_some(tenant))
}

pub(super) async fn only_company(app: &App) -> Result<Option<TenantId>> {
    let organisations = app.database.organisations().await?;
    Ok(match organisations.as_slice() {
        [only] => Some(only.tenant),
        _ => None,
    })
}
