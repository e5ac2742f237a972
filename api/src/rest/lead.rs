//! Whoever leaves without booking and agrees to be called back.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use commands::booking::{CustomerInput, SmsConsent};
use commands::lead::LeadCapture;
use domain::ids::StationId;
use domain::lead::Abandoned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::booking::{UnderKey, told};
use super::problem::{BodyRefusals, Problem, Refusals, RuleRefusals};
use super::sent::{Body, idempotency_key};
use super::values::{Contact, Guests, LocalStart};
use super::{OfCompany, cached, visit};
use crate::app::App;

/// What somebody looked at and left.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum LeftAt {
    /// A quote.
    Quote,
    /// Free slots.
    Availability,
}

/// Somebody who left without booking, and agreed to be called.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct LeadLeft {
    /// The station that they asked; the nearest to the venue where absent.
    station_id: Option<Uuid>,
    /// Who.
    customer: Contact,
    /// ZIP code of where the party would have been, five digits.
    zip: String,
    /// Local start that was wanted.
    start: LocalStart,
    /// The party.
    guests: Guests,
    /// What they left.
    abandoned: LeftAt,
    /// Where they came from; at most 200 characters.
    source: Option<String>,
    /// Version of the words by which they agreed to be called, 1 to 60 characters. Nobody is kept without.
    consent_text_version: String,
}

/// Somebody will call.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct LeadKept {
    /// Always true: it is in the staff's queue.
    captured: bool,
}

/// Keeps somebody who left without booking, for the staff to call.
///
/// Nothing is told of whether they are known.
#[utoipa::path(
    post,
    path = "/api/v1/organisations/{organisation}/leads",
    tag = "booking",
    params(OfCompany, UnderKey),
    request_body = LeadLeft,
    responses(
        (
            status = 201,
            description = "It is in the staff's queue.",
            body = LeadKept,
            headers(
                ("idempotency-replayed" = bool, description = "Whether it was kept before with this key."),
            )
        ),
        Refusals,
        BodyRefusals,
        RuleRefusals,
    )
)]
pub(super) async fn leave(
    State(app): State<Arc<App>>,
    Path(of): Path<OfCompany>,
    headers: HeaderMap,
    Body(left): Body<LeadLeft>,
) -> Result<Response, Problem> {
    let key = idempotency_key(&headers)?;
    let visit = visit(&app, &of.organisation, &headers).await?;
    let capture = LeadCapture {
        station: left.station_id.map(StationId),
        customer: CustomerInput {
            id: None,
            name: Some(left.customer.name),
            email: left.customer.email,
            phone: left.customer.phone,
            sms_consent: SmsConsent::NotGiven,
        },
        zip: left.zip,
        start: left.start.read()?,
        guests: left.guests.into(),
        abandoned: match left.abandoned {
            LeftAt::Quote => Abandoned::Quote,
            LeftAt::Availability => Abandoned::Availability,
        },
        source: left.source,
        consent_text_version: Some(left.consent_text_version),
    };
    let kept = app.commands.capture_abandoned(visit.caller, key, capture).await?;
    let mut response = cached::private(StatusCode::CREATED, LeadKept { captured: true });
    told(response.headers_mut(), kept.replayed);
    Ok(response)
}
