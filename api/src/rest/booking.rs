//! Asking for a party, and looking at one's own.

#![expect(
    unused_qualifications,
    reason = "what utoipa writes for a handler names its arguments in full"
)]

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use chrono::{DateTime, Utc};
use commands::booking::{BookingInput, CustomerInput, SmsConsent, VenueInput};
use commands::visitor::OwnBooking;
use domain::booking::{Booking, BookingStatus};
use domain::decider::Decider;
use domain::ids::{BookingId, StationId, TenantId};
use domain::quote::AddOn as DomainAddOn;
use projections::booking_list::{self, BookingRow};
use projections::{At, Fresh, Late};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::allowance::{self, Spender};
use super::problem::{BodyRefusals, Problem, Refusals, RuleRefusals};
use super::sent::{Body, idempotency_key};
use super::values::{AddOn, Contact, Currency, Guests, LocalStart, PriceLine, StartTime};
use super::{OfCompany, Visit, cached, visit};
use crate::app::App;

/// Says whether the answer is that of an earlier request with the same key.
pub(super) const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// How long somebody waits for their own booking to be shown as it is.
const PATIENCE: Duration = Duration::from_secs(5);

/// The key that a command is given under.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it describes a header, which is read as one")]
pub(super) struct UnderKey {
    /// A random UUID, or what else nobody guesses: 16 to 255 letters, digits and signs. The same key with the same body gives
    /// the same answer, and nothing is done twice; with another body it is refused.
    #[param(rename = "Idempotency-Key", pattern = "^[!-~]{16,255}$")]
    idempotency_key: String,
}

/// Where a party is to be held.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Venue {
    /// Street and number. Sealed.
    street: String,
    /// City.
    city: String,
    /// Two-letter state.
    state: String,
    /// ZIP code, five digits.
    zip: String,
    /// County without the word County, where it is known: a ZIP may touch several.
    county: Option<String>,
}

/// A party to ask for.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct BookingAsked {
    /// The station; the nearest to the venue where absent.
    station_id: Option<Uuid>,
    /// Who books.
    customer: Contact,
    /// Whether text messages about the booking were agreed to. It is written down with the time and the version of its words
    /// for whoever is new; known customers keep what they said before.
    #[serde(default)]
    sms_consent: bool,
    /// Where.
    venue: Venue,
    /// Local start: one of the station's.
    start: LocalStart,
    /// The party.
    guests: Guests,
    /// Extras.
    #[serde(default)]
    add_ons: Vec<AddOn>,
    /// A promo code; a try at one costs more of what an address may ask.
    promo_code: Option<String>,
    /// Where the customer came from.
    source: Option<String>,
    /// Version of the terms that the customer accepted.
    terms_version: Option<String>,
    /// What the customer wrote. Sealed.
    note: Option<String>,
}

impl BookingAsked {
    fn read(self) -> Result<BookingInput, Problem> {
        Ok(BookingInput {
            station: self.station_id.map(StationId),
            customer: CustomerInput {
                id: None,
                name: Some(self.customer.name),
                email: self.customer.email,
                phone: self.customer.phone,
                sms_consent: if self.sms_consent {
                    SmsConsent::Given
                } else {
                    SmsConsent::NotGiven
                },
            },
            venue: VenueInput {
                street: self.venue.street,
                city: self.venue.city,
                state: self.venue.state,
                zip: self.venue.zip,
                county: self.venue.county,
            },
            start: self.start.read()?,
            guests: self.guests.into(),
            add_ons: self.add_ons.into_iter().map(DomainAddOn::from).collect(),
            promo_code: self.promo_code,
            source: self.source,
            terms_version: self.terms_version,
            note: self.note,
        })
    }
}

/// A booking as it was asked for. The place is held until the deposit is due.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct BookingMade {
    /// Number for people to name it by.
    number: String,
    /// The secret of the booking's link: whoever has it sees the booking and pays for it. Nobody guesses it, and it is for
    /// the customer alone.
    link: String,
    /// Where the booking is looked at.
    path: String,
    /// The station that serves.
    station_id: Uuid,
    /// When.
    start: StartTime,
    /// The party.
    guests: Guests,
    /// What all amounts are in.
    currency: Currency,
    /// Every line of the price; they sum to the total.
    lines: Vec<PriceLine>,
    /// Total, in cents.
    total_cents: i64,
    /// Deposit, in cents, part of the total.
    deposit_cents: i64,
    /// Until when the deposit must come, in UTC.
    deposit_due_at: DateTime<Utc>,
}

impl BookingMade {
    fn of(organisation: &str, link: String, booking: OwnBooking) -> Self {
        let requested = booking.requested;
        Self {
            number: requested.number,
            path: format!("/api/v1/organisations/{organisation}/bookings/{link}"),
            link,
            station_id: requested.station_id.0,
            start: requested.start.into(),
            guests: requested.guests.into(),
            currency: Currency::Usd,
            total_cents: requested.quote.total_cents.0,
            deposit_cents: requested.quote.deposit_cents.0,
            lines: requested.quote.lines.into_iter().map(PriceLine::from).collect(),
            deposit_due_at: requested.deposit_due_at,
        }
    }
}

/// Asks for a party, and holds its place until the deposit is due.
///
/// A refusal after which somebody should call is kept for the staff, with the contact. The same key leads to the same
/// booking; what became of it since is to be seen at its path.
#[utoipa::path(
    post,
    path = "/api/v1/organisations/{organisation}/bookings",
    tag = "booking",
    params(OfCompany, UnderKey),
    request_body = BookingAsked,
    responses(
        (
            status = 201,
            description = "The booking, whose place is held.",
            body = BookingMade,
            headers(
                ("location" = String, description = "The booking's path."),
                ("idempotency-replayed" = bool, description = "Whether it was asked for before with this key."),
            )
        ),
        Refusals,
        BodyRefusals,
        RuleRefusals,
        (status = 410, description = "The customer was erased.", content_type = "application/problem+json", body = super::problem::ProblemDetails),
    )
)]
pub(super) async fn request(
    State(app): State<Arc<App>>,
    Path(of): Path<OfCompany>,
    Extension(spender): Extension<Spender>,
    headers: HeaderMap,
    Body(asked): Body<BookingAsked>,
) -> Result<Response, Problem> {
    let key = idempotency_key(&headers)?;
    let Visit { company, caller } = visit(&app, &of.organisation, &headers).await?;
    if asked.promo_code.is_some() {
        spender.spend(allowance::GUESS)?;
    }
    let input = asked.read()?;
    let written = app.commands.request_booking(caller.clone(), key, input).await?;
    let id = written.id_of(Booking::STREAM).parse::<BookingId>();
    let id = id.map_err(|error| Problem::unavailable(&error))?;
    let booking = app.commands.own_booking(&caller, id).await?;
    let link = app.commands.booking_link(company.tenant, id).await?;
    let made = BookingMade::of(&company.slug, link, booking);
    let location = HeaderValue::try_from(&made.path);
    let mut response = cached::private(StatusCode::CREATED, made);
    told(response.headers_mut(), written.replayed);
    if let Ok(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// Says whether the answer was given before.
pub(super) fn told(headers: &mut HeaderMap, replayed: bool) {
    let word = if replayed { "true" } else { "false" };
    headers.insert(REPLAYED, HeaderValue::from_static(word));
}

/// A booking by its link.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct OfBooking {
    /// The company's short name.
    pub(super) organisation: String,
    /// The secret of the booking's link.
    pub(super) link: String,
}

/// The booking that a link leads to.
pub(super) async fn linked(app: &App, visit: &Visit, link: &str) -> Result<(BookingId, OwnBooking), Problem> {
    let missing = || Problem::not_found("booking");
    let id = app.commands.linked_booking(visit.company.tenant, link).await?;
    let id = id.ok_or_else(missing)?;
    Ok((id, app.commands.own_booking(&visit.caller, id).await?))
}

/// Where a booking stands.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum BookingStands {
    /// Asked for; the place is held until the deposit is due.
    Requested,
    /// The deposit has come.
    Confirmed,
    /// Held.
    Completed,
    /// Called off.
    Cancelled,
    /// The deposit did not come.
    Expired,
}

impl From<BookingStatus> for BookingStands {
    fn from(status: BookingStatus) -> Self {
        match status {
            BookingStatus::Requested => Self::Requested,
            BookingStatus::Confirmed => Self::Confirmed,
            BookingStatus::Completed => Self::Completed,
            BookingStatus::Cancelled => Self::Cancelled,
            BookingStatus::Expired => Self::Expired,
        }
    }
}

/// A booking as its customer sees it. It names nobody.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct BookingSeen {
    /// Number for people to name it by.
    number: String,
    /// Where it stands.
    status: BookingStands,
    /// The station that serves.
    station_id: Uuid,
    /// When.
    start: StartTime,
    /// City of the venue.
    city: String,
    /// ZIP code of the venue.
    zip: String,
    /// The party.
    guests: Guests,
    /// What all amounts are in.
    currency: Currency,
    /// Every line of the price; they sum to the total.
    lines: Vec<PriceLine>,
    /// Total, in cents.
    total_cents: i64,
    /// What has come towards the total, in cents.
    paid_cents: i64,
    /// What was given back of it, in cents.
    refunded_cents: i64,
    /// What is left to pay, in cents; negative where too much has come.
    balance_cents: i64,
    /// Tips that have come, in cents.
    tip_cents: i64,
    /// Deposit, in cents, part of the total.
    deposit_cents: i64,
    /// Until when the deposit must come, in UTC.
    deposit_due_at: DateTime<Utc>,
    /// What paying by card costs, as millionths of price and tip.
    card_fee_millionths: i64,
}

impl BookingSeen {
    fn of(row: BookingRow) -> Self {
        Self {
            status: row.status.into(),
            station_id: row.station_id.0,
            balance_cents: row.balance_due_cents().0,
            start: domain::schedule::EventTime {
                utc: row.start_utc,
                local: row.start_local,
                zone: row.zone,
                offset_secs: row.offset_secs,
                moved_forward_secs: row.moved_forward_secs,
            }
            .into(),
            guests: domain::guests::Guests {
                adults: row.adults,
                children: row.children,
                under6: row.under6,
            }
            .into(),
            number: row.number,
            city: row.city,
            zip: row.zip,
            currency: Currency::Usd,
            lines: row.lines.into_iter().map(PriceLine::from).collect(),
            total_cents: row.total_cents.0,
            paid_cents: row.paid_cents.0,
            refunded_cents: row.refunded_cents.0,
            tip_cents: row.tip_cents.0,
            deposit_cents: row.deposit_cents.0,
            deposit_due_at: row.deposit_due_at,
            card_fee_millionths: row.card_fee_ppm.0,
        }
    }
}

/// A booking as it is now, by the secret of its link.
#[utoipa::path(
    get,
    path = "/api/v1/organisations/{organisation}/bookings/{link}",
    tag = "booking",
    params(OfBooking),
    responses(
        (status = 200, description = "The booking.", body = BookingSeen),
        Refusals,
    )
)]
pub(super) async fn own(
    State(app): State<Arc<App>>,
    Path(of): Path<OfBooking>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let visit = visit(&app, &of.organisation, &headers).await?;
    let (id, _) = linked(&app, &visit, &of.link).await?;
    let at = up_to_now(&app, visit.company.tenant).await?;
    let row = booking_list::by_link(&app.views, visit.company.tenant, id, at).await?;
    let row = row.ok_or_else(|| Problem::not_found("booking"))?;
    Ok(cached::private(StatusCode::OK, BookingSeen::of(row)))
}

/// As of all that has happened by now: whoever has just asked for something finds it.
pub(super) async fn up_to_now(app: &App, tenant: TenantId) -> Result<At, Problem> {
    let head = app.log.head(tenant).await;
    let head = head.map_err(|error| Problem::unavailable(&error))?;
    Ok(At::Live {
        fresh: Some(Fresh {
            at_least: head.position,
            wait: PATIENCE,
            then: Late::Refuse,
        }),
    })
}
