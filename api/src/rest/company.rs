//! What a company shows to everybody: who it is, where, and what it charges.

#![expect(
    unused_qualifications,
    reason = "what utoipa writes for a handler names its arguments in full"
)]

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use commands::visitor::OpenStation;
use domain::price_list::{BelowMinimum, DepositBack, ItemKind, PriceList};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::problem::{Problem, Refusals};
use super::values::Currency;
use super::{OfCompany, cached, visit};
use crate::app::App;
use domain::ids::StationId;

/// Seconds for which it may be kept.
const KEPT: u32 = 60;

/// A company.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Company {
    /// Its short name, as in paths.
    organisation: String,
    /// Its name.
    name: String,
    /// Whether cards are charged here.
    takes_cards: bool,
    /// Its stations, in the order in which they opened.
    stations: Vec<Station>,
}

/// A station.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Station {
    /// The station.
    station_id: Uuid,
    /// Name of the branch.
    name: String,
    /// ZIP code that travel is measured from.
    zip: String,
    /// Two-letter state.
    state: String,
    /// IANA zone of its clock.
    zone: String,
    /// Local starts that it offers on each day that it is open, as `18:00`.
    starts: Vec<String>,
    /// Length of an event, in minutes.
    event_minutes: i64,
    /// Hours that a party must lie ahead.
    lead_hours: i64,
    /// Days ahead that can be asked for.
    horizon_days: i64,
}

impl From<OpenStation> for Station {
    fn from(OpenStation { id, station, .. }: OpenStation) -> Self {
        let settings = station.settings;
        let start = |at: &chrono::NaiveTime| at.format("%H:%M").to_string();
        Self {
            station_id: id.0,
            name: station.name,
            zip: station.zip.to_string(),
            state: station.state,
            zone: station.zone.to_string(),
            starts: settings.slots.iter().map(start).collect(),
            event_minutes: settings.event_mins,
            lead_hours: settings.lead_hours,
            horizon_days: settings.horizon_days,
        }
    }
}

/// The company and its stations.
///
/// May be kept for a minute; `ETag` and `If-None-Match` tell whether it is still so.
#[utoipa::path(
    get,
    path = "/api/v1/organisations/{organisation}",
    tag = "company",
    params(OfCompany),
    responses(
        (status = 200, description = "The company.", body = Company),
        (status = 304, description = "What `If-None-Match` names is still so."),
        Refusals,
    )
)]
pub(super) async fn company(
    State(app): State<Arc<App>>,
    Path(of): Path<OfCompany>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let visit = visit(&app, &of.organisation, &headers).await?;
    let shown = app.commands.storefront(&visit.caller).await?;
    let company = Company {
        organisation: visit.company.slug,
        name: shown.name,
        takes_cards: app.commands.cards().is_some(),
        stations: shown.stations.into_iter().map(Station::from).collect(),
    };
    cached::public(&headers, KEPT, &company)
}

/// A station of a company.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct OfStation {
    /// The company's short name.
    organisation: String,
    /// The station.
    station_id: Uuid,
}

/// What a station charges now, tax included.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Menu {
    /// The station.
    station_id: Uuid,
    /// What all amounts are in.
    currency: Currency,
    /// Number of changes so far: what a quote names.
    price_list_version: i64,
    /// What there is, by name.
    items: Vec<MenuItem>,
    /// What the way costs; null where it costs nothing.
    travel: Option<TravelPrice>,
    /// The least that a party costs; null where there is no least.
    minimum: Option<MinimumPrice>,
    /// Deposit, in cents, part of the total; all of that where it is less.
    deposit_cents: i64,
    /// Hours after the request until the deposit is due.
    deposit_due_hours: i64,
    /// Gratuity that large parties pay; null where there is none.
    gratuity: Option<Gratuity>,
    /// What paying by card costs, as millionths of price and tip.
    card_fee_millionths: i64,
    /// What is given back to who cancels, the earliest first.
    cancellation: Vec<Cancellation>,
}

/// Something on the menu.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct MenuItem {
    /// Name in a quote's extras.
    item: String,
    /// Name for customers.
    label: String,
    /// What it is the price of.
    kind: MenuItemKind,
    /// Price of one, in cents.
    unit_cents: i64,
}

/// What something on the menu is the price of.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum MenuItemKind {
    /// Each guest from 13 years.
    Adult,
    /// Each guest of 6 to 12 years.
    Child,
    /// Each of an extra.
    AddOn,
}

/// What the way costs.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TravelPrice {
    /// Miles that cost nothing.
    free_miles: i64,
    /// Each started mile beyond, in cents.
    per_mile_cents: i64,
    /// Miles beyond which the company does not go.
    max_miles: i64,
}

/// The least that a party costs.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct MinimumPrice {
    /// Monday to Thursday, in cents.
    weekday_cents: i64,
    /// Friday to Sunday, in cents.
    weekend_cents: i64,
    /// Whether a smaller party is refused; it pays the minimum where not.
    refuses_less: bool,
}

/// A gratuity that large parties pay.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Gratuity {
    /// From how many guests.
    from_guests: i32,
    /// Millionths of the food and service.
    rate_millionths: i64,
}

/// What is given back to who cancels this early.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Cancellation {
    /// At least so many hours before the start.
    hours_before: i64,
    /// Millionths of what was paid beyond the deposit.
    refund_millionths: i64,
    /// Whether the deposit is given back too.
    deposit_back: bool,
}

fn menu_of(id: StationId, prices: &PriceList, now: chrono::DateTime<chrono::Utc>) -> Menu {
    let policy = prices.policy();
    let kind = |kind| match kind {
        ItemKind::Adult => MenuItemKind::Adult,
        ItemKind::Child => MenuItemKind::Child,
        ItemKind::AddOn => MenuItemKind::AddOn,
    };
    Menu {
        station_id: id.0,
        currency: Currency::Usd,
        price_list_version: prices.version(),
        items: prices
            .items_at(now)
            .into_iter()
            .map(|item| MenuItem {
                item: item.item,
                label: item.label,
                kind: kind(item.kind),
                unit_cents: item.price_cents.0,
            })
            .collect(),
        travel: prices.travel().map(|band| TravelPrice {
            free_miles: band.free_miles,
            per_mile_cents: band.per_mile_cents.0,
            max_miles: band.max_miles,
        }),
        minimum: prices.minimum().map(|minimum| MinimumPrice {
            weekday_cents: minimum.weekday_cents.0,
            weekend_cents: minimum.weekend_cents.0,
            refuses_less: minimum.below == BelowMinimum::Refuse,
        }),
        deposit_cents: policy.deposit_cents.0,
        deposit_due_hours: policy.deposit_due_hours,
        gratuity: policy.gratuity.map(|gratuity| Gratuity {
            from_guests: gratuity.from_guests,
            rate_millionths: gratuity.rate_ppm.0,
        }),
        card_fee_millionths: policy.card_fee_ppm.0,
        cancellation: policy
            .cancellation_tiers
            .iter()
            .map(|tier| Cancellation {
                hours_before: tier.hours_before,
                refund_millionths: tier.refund_ppm.0,
                deposit_back: tier.deposit_back == DepositBack::Returned,
            })
            .collect(),
    }
}

/// What a station charges now, and its terms.
///
/// May be kept for a minute; `ETag` and `If-None-Match` tell whether it is still so.
#[utoipa::path(
    get,
    path = "/api/v1/organisations/{organisation}/stations/{station_id}/menu",
    tag = "company",
    params(OfStation),
    responses(
        (status = 200, description = "Prices and terms.", body = Menu),
        (status = 304, description = "What `If-None-Match` names is still so."),
        Refusals,
    )
)]
pub(super) async fn menu(
    State(app): State<Arc<App>>,
    Path(of): Path<OfStation>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let visit = visit(&app, &of.organisation, &headers).await?;
    let id = StationId(of.station_id);
    let station = app.commands.open_station(&visit.caller, id).await?;
    let station = station.ok_or_else(|| Problem::not_found("station"))?;
    cached::public(&headers, KEPT, &menu_of(id, &station.prices, app.clock.now()))
}
