//! Which facts is the tax made of, line by line?

use std::fmt;

use chrono::NaiveDate;
use domain::access::{Permission, Viewer};
use domain::booking::{BookingCompleted, BookingEvent};
use domain::envelope::{Position, StreamId};
use domain::ids::{BookingId, StationId};
use domain::money::{Cents, RatePpm};
use domain::payment::{PaymentEvent, PaymentMethod, PaymentVerified};
use domain::recorded::{DomainEvent, Recorded};
use domain::tax_rate::{PlaceConfirmation, PlaceMethod};
use serde::{Deserialize, Serialize};

use crate::engine::{
    Answer, At, Column, Condition, Fold, Kind, Order, Page, Poison, ReadError, ReadModels, Select, Slice,
    Source, Value, row, station_scope,
};
use crate::period::Period;

/// What sort of fact a line of the ledger is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaxLineKind {
    /// A party was held: its tax is owed.
    Sale,
    /// A voluntary tip was found: not taxed, and shown.
    Tip,
}

impl TaxLineKind {
    /// The word in rows and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sale => "sale",
            Self::Tip => "tip",
        }
    }
}

impl fmt::Display for TaxLineKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Column for TaxLineKind {
    const KIND: Option<Kind> = Some(Kind::Text);

    fn value(&self) -> Option<Value> {
        Some(Value::Text(self.as_str().to_owned()))
    }
}

row! {
    /// A line of the tax ledger. `gross = tip + net + tax`, always.
    pub struct TaxLineRow in "tax_ledger", key (position: Position) {
        /// Place of the fact in the log.
        pub position: Position,
        /// The booking.
        pub booking_id: BookingId,
        /// Its number.
        pub booking_number: String,
        /// Its station.
        pub station_id: StationId,
        /// What sort of fact.
        pub kind: TaxLineKind,
        /// Local date of the event: the day that it belongs to.
        pub event_on: NaiveDate,
        /// State that is owed the tax.
        pub state: String,
        /// County that is owed the tax.
        pub county: String,
        /// City with a rate of its own that is owed the tax; empty where there is none.
        pub city: String,
        /// ZIP of the venue; known of sales.
        pub venue_zip: Option<String>,
        /// How the place was found; known of sales.
        pub method: Option<PlaceMethod>,
        /// Whether a person must confirm the place; known of sales.
        pub confirmation: Option<PlaceConfirmation>,
        /// Combined rate in millionths; none where none is known.
        pub rate_ppm: Option<RatePpm>,
        /// First day of that rate; known of sales.
        pub rate_effective_from: Option<NaiveDate>,
        /// All that was charged, tax-inclusive, in cents.
        pub gross_cents: Cents,
        /// Part of it that is travel, tax-inclusive, in cents.
        pub travel_cents: Cents,
        /// Part of it that is mandatory gratuity, tax-inclusive, in cents.
        pub gratuity_cents: Cents,
        /// Part of it that is a voluntary tip, not taxed, in cents.
        pub tip_cents: Cents,
        /// What tax is owed on, without the tax, in cents.
        pub taxable_cents: Cents,
        /// What the company keeps of the taxed part, in cents.
        pub net_cents: Cents,
        /// Tax in cents.
        pub tax_cents: Cents,
        /// How the money moved; known of tips.
        pub payment_method: Option<PaymentMethod>,
    }
}

/// The fold behind the tax ledger.
pub struct TaxLedger;

impl Fold for TaxLedger {
    type Key = Position;
    type Row = TaxLineRow;
    const NAME: &'static str = "tax_ledger";
    const VERSION: i32 = 1;
    const POISON: Poison = Poison::Halt;

    fn event_types() -> &'static [&'static str] {
        TAXED
    }

    fn key(event: &Recorded) -> Option<Position> {
        line(event).map(|line| line.position)
    }

    fn apply(_: Option<TaxLineRow>, event: &Recorded) -> Option<TaxLineRow> {
        line(event)
    }

    fn key_of(_: &StreamId, position: Position) -> Option<Position> {
        Some(position)
    }

    fn source(position: &Position) -> Source {
        Source::At(*position)
    }
}

/// Events that have a line in the ledger.
pub(crate) const TAXED: &[&str] = &["booking.completed", "payment.verified"];

/// The line of an event, where it has one.
pub(crate) fn line(event: &Recorded) -> Option<TaxLineRow> {
    match &event.event {
        DomainEvent::Booking(BookingEvent::Completed(completed)) => {
            Some(sale(event.position, event.stream.id.parse().ok()?, completed))
        }
        DomainEvent::Payment(PaymentEvent::Verified(verified)) => {
            (!verified.tip_cents.is_zero()).then(|| tip(event.position, verified))
        }
        DomainEvent::Booking(
            BookingEvent::Requested(_)
            | BookingEvent::Confirmed(_)
            | BookingEvent::Cancelled(_)
            | BookingEvent::Expired(_)
            | BookingEvent::DepositDueExtended(_)
            | BookingEvent::GuestCountChanged(_)
            | BookingEvent::MenuChanged(_)
            | BookingEvent::Rescheduled(_)
            | BookingEvent::ChefAssigned(_)
            | BookingEvent::ChefUnassigned(_)
            | BookingEvent::NoteAdded(_)
            | BookingEvent::TermsAccepted(_)
            | BookingEvent::Deleted(_)
            | BookingEvent::Restored(_),
        )
        | DomainEvent::Payment(PaymentEvent::Claimed(_) | PaymentEvent::Rejected(_))
        | DomainEvent::Organisation(_)
        | DomainEvent::Station(_)
        | DomainEvent::Chef(_)
        | DomainEvent::User(_)
        | DomainEvent::Customer(_)
        | DomainEvent::PriceList(_)
        | DomainEvent::TaxRate(_)
        | DomainEvent::Lead(_) => None,
    }
}

fn sale(position: Position, booking_id: BookingId, completed: &BookingCompleted) -> TaxLineRow {
    let place = &completed.tax_place;
    // Without a rate the whole price stands as taxable until somebody finds one.
    let (net_cents, tax_cents) = completed.tax.map_or((completed.gross_cents, Cents::ZERO), |tax| {
        (tax.net_cents, tax.tax_cents)
    });
    TaxLineRow {
        position,
        booking_id,
        booking_number: completed.number.clone(),
        station_id: completed.station_id,
        kind: TaxLineKind::Sale,
        event_on: completed.event_on,
        state: place.jurisdiction.state.clone(),
        county: place.jurisdiction.county.clone(),
        city: place.jurisdiction.city.clone().unwrap_or_default(),
        venue_zip: Some(completed.venue_zip.clone()),
        method: Some(place.method),
        confirmation: Some(place.confirmation),
        rate_ppm: completed.tax.map(|tax| tax.rate_ppm),
        rate_effective_from: place.rate_effective_from,
        gross_cents: completed.gross_cents,
        travel_cents: completed.travel_cents,
        gratuity_cents: completed.gratuity_cents,
        tip_cents: Cents::ZERO,
        taxable_cents: net_cents,
        net_cents,
        tax_cents,
        payment_method: None,
    }
}

fn tip(position: Position, verified: &PaymentVerified) -> TaxLineRow {
    let booking = &verified.booking;
    TaxLineRow {
        position,
        booking_id: booking.booking_id,
        booking_number: booking.number.clone(),
        station_id: booking.station_id,
        kind: TaxLineKind::Tip,
        event_on: booking.event_on,
        state: booking.jurisdiction.state.clone(),
        county: booking.jurisdiction.county.clone(),
        city: booking.jurisdiction.city.clone().unwrap_or_default(),
        venue_zip: None,
        method: None,
        confirmation: None,
        rate_ppm: booking.rate_ppm,
        rate_effective_from: None,
        gross_cents: verified.tip_cents,
        travel_cents: Cents::ZERO,
        gratuity_cents: Cents::ZERO,
        tip_cents: verified.tip_cents,
        taxable_cents: Cents::ZERO,
        net_cents: Cents::ZERO,
        tax_cents: Cents::ZERO,
        payment_method: Some(verified.method),
    }
}

/// Which lines to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaxLineFilter {
    /// Of this state.
    pub state: Option<String>,
    /// On the days of this period.
    pub period: Option<Period>,
    /// Of this county.
    pub county: Option<String>,
    /// Of this sort.
    pub kind: Option<TaxLineKind>,
    /// Whose place a person must confirm.
    pub confirmation: Option<PlaceConfirmation>,
    /// Of this station.
    pub station_id: Option<StationId>,
    /// Of this booking.
    pub booking_id: Option<BookingId>,
}

impl TaxLineFilter {
    fn conditions(self, viewer: &Viewer) -> Vec<Condition> {
        let mut conditions = station_scope(viewer);
        let text = |column: &'static str, text: String| Condition::Eq(column, Value::Text(text));
        let state = self.state.map(|state| text("state", state));
        let county = self.county.map(|county| text("county", county));
        let kind = self.kind.map(|kind| text("kind", kind.as_str().to_owned()));
        let confirmation = self
            .confirmation
            .and_then(|wanted| wanted.value())
            .map(|value| Condition::Eq("confirmation", value));
        let booking = self
            .booking_id
            .map(|id| Condition::Eq("booking_id", Value::Uuid(id.0)));
        let station = self
            .station_id
            .map(|id| Condition::Eq("station_id", Value::Uuid(id.0)));
        let all = [state, county, kind, confirmation, station, booking];
        conditions.extend(all.into_iter().flatten());
        conditions.extend(self.period.iter().flat_map(on_days_of));
        conditions
    }
}

/// Conditions that hold for the days of a period.
pub(crate) fn on_days_of(period: &Period) -> Vec<Condition> {
    let after = period.until().succ_opt().unwrap_or(NaiveDate::MAX);
    vec![
        Condition::AtLeast("event_on", Value::Date(period.from())),
        Condition::Below("event_on", Value::Date(after)),
    ]
}

/// A page of lines, by day and place in the log.
///
/// # Errors
/// [`ReadError`] when the viewer may not see tax, or there is no answer.
pub async fn page(
    models: &ReadModels,
    viewer: &Viewer,
    filter: TaxLineFilter,
    slice: Slice,
    at: At,
) -> Result<Page<TaxLineRow>, ReadError> {
    viewer.require(Permission::TaxRead)?;
    let select = Select {
        conditions: filter.conditions(viewer),
        order: Order::ascending(&["event_on", "position"]),
        after: slice.after,
        first: slice.first,
    };
    models.page::<TaxLedger>(viewer.tenant, select, at).await
}

/// How many lines there are.
///
/// # Errors
/// As [`page`].
pub async fn count(
    models: &ReadModels,
    viewer: &Viewer,
    filter: TaxLineFilter,
    at: At,
) -> Result<Answer<u64>, ReadError> {
    viewer.require(Permission::TaxRead)?;
    models
        .count::<TaxLedger>(viewer.tenant, filter.conditions(viewer), at)
        .await
}

/// The lines of these bookings, in no order.
///
/// # Errors
/// As [`page`].
pub async fn for_bookings(
    models: &ReadModels,
    viewer: &Viewer,
    bookings: &[BookingId],
    at: At,
) -> Result<Answer<Vec<TaxLineRow>>, ReadError> {
    viewer.require(Permission::TaxRead)?;
    let mut conditions = station_scope(viewer);
    conditions.push(Condition::OneOf(
        "booking_id",
        bookings.iter().map(|id| Value::Uuid(id.0)).collect(),
    ));
    models.all::<TaxLedger>(viewer.tenant, conditions, at).await
}
