//! Which facts is the tax made of, line by line?

mod query;

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use domain::booking::{BookingCompleted, BookingEvent, BookingTaxAdjusted, TaxAdjustment};
use domain::envelope::{Position, StreamId};
use domain::ids::{BookingId, PaymentId, StationId};
use domain::money::{Cents, RatePpm};
use domain::payment::{PaymentMethod, RefundKind};
use domain::recorded::{DomainEvent, Recorded};
use domain::tax_account::TaxFigures;
use domain::tax_rate::{PlaceConfirmation, PlaceMethod, TaxPlace};
use serde::{Deserialize, Serialize};

use crate::engine::{Column, Fold, Kind, Poison, Source, Value, row, shown_only};

pub(crate) use query::on_days_of;
pub use query::{TaxLineFilter, count, for_bookings, page};

/// What sort of fact a line of the ledger is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaxLineKind {
    /// A party was held: its tax is owed.
    Sale,
    /// A card fee was paid.
    CardFee,
    /// A tip was paid: not taxed where the record shows that the customer chose it.
    Tip,
    /// Money was given back with an effect on tax.
    Refund,
    /// Money that was said to be given back was not.
    RefundFailed,
    /// A tip or a card fee had not come in after all.
    Void,
    /// What was owed at a place or rate that proved wrong, taken back.
    CorrectedFrom,
    /// What is owed at the place or rate that is right.
    CorrectedTo,
    /// Money was kept of a party that was called off, which the company has chosen to be a sale.
    KeptDeposit,
}

impl TaxLineKind {
    /// The word in rows and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sale => "sale",
            Self::CardFee => "card_fee",
            Self::Tip => "tip",
            Self::Refund => "refund",
            Self::RefundFailed => "refund_failed",
            Self::Void => "void",
            Self::CorrectedFrom => "corrected_from",
            Self::CorrectedTo => "corrected_to",
            Self::KeptDeposit => "kept_deposit",
        }
    }

    /// Parties that a line of this sort counts, if nothing else is said.
    fn orders(self) -> i64 {
        match self {
            Self::Sale | Self::CorrectedTo => 1,
            Self::CorrectedFrom => -1,
            // A party that was called off is no party that was held.
            Self::CardFee
            | Self::Tip
            | Self::Refund
            | Self::RefundFailed
            | Self::Void
            | Self::KeptDeposit => 0,
        }
    }
}

impl From<TaxAdjustment> for TaxLineKind {
    fn from(kind: TaxAdjustment) -> Self {
        match kind {
            TaxAdjustment::CardFee => Self::CardFee,
            TaxAdjustment::Tip => Self::Tip,
            TaxAdjustment::Refund => Self::Refund,
            TaxAdjustment::RefundFailed => Self::RefundFailed,
            TaxAdjustment::Void => Self::Void,
            TaxAdjustment::CorrectedFrom => Self::CorrectedFrom,
            TaxAdjustment::CorrectedTo => Self::CorrectedTo,
            TaxAdjustment::KeptDeposit => Self::KeptDeposit,
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
    /// A line of the tax ledger: what one fact adds, in cents; negative where it takes back what a line before said.
    /// `gross = non_taxable + net + tax` and `refund = refunded_non_taxable + refunded_net + refunded_tax`, always.
    pub struct TaxLineRow in "tax_ledger", key (position: Position) {
        /// Place of the fact in the log.
        pub position: Position,
        /// When it was recorded.
        pub recorded_at: DateTime<Utc>,
        /// The booking.
        pub booking_id: BookingId,
        /// Its number.
        pub booking_number: String,
        /// Its station.
        pub station_id: StationId,
        /// What sort of fact.
        pub kind: TaxLineKind,
        /// Local date of the event.
        pub event_on: NaiveDate,
        /// Local day that the line belongs to, and so its period.
        pub tax_on: NaiveDate,
        /// State that is owed the tax.
        pub state: String,
        /// County that is owed the tax.
        pub county: String,
        /// City with a rate of its own that is owed the tax; empty where there is none.
        pub city: String,
        /// ZIP of the venue.
        pub venue_zip: String,
        /// City of the venue as written.
        pub venue_city: String,
        /// County of the venue by its ZIP; none in events of programs that did not write it.
        pub venue_county: Option<String>,
        /// How the place was found.
        pub method: PlaceMethod,
        /// Whether a person must confirm the place.
        pub confirmation: PlaceConfirmation,
        /// Combined rate in millionths; none where none is known.
        pub rate_ppm: Option<RatePpm>,
        /// First day of that rate.
        pub rate_effective_from: Option<NaiveDate>,
        /// All that was charged, tax-inclusive, tips included, after a discount.
        pub gross_cents: Cents,
        /// What a promo code took off before that.
        pub discount_cents: Cents,
        /// Part of the gross that is travel, tax-inclusive.
        pub travel_cents: Cents,
        /// Part of the gross that is mandatory gratuity, tax-inclusive.
        pub gratuity_cents: Cents,
        /// Part of the gross that is card fee.
        pub card_fee_cents: Cents,
        /// Part of the gross that is tips that customers added, taxed or not.
        pub tip_cents: Cents,
        /// Part of the gross that is not taxed.
        pub non_taxable_cents: Cents,
        /// What tax is owed on, without the tax.
        pub taxable_cents: Cents,
        /// What the company keeps of the taxed part.
        pub net_cents: Cents,
        /// Tax.
        pub tax_cents: Cents,
        /// What was given back, tax-inclusive: a positive amount.
        pub refund_cents: Cents,
        /// Part of it that had not been taxed.
        pub refunded_non_taxable_cents: Cents,
        /// Part of it that had been taxed, without the tax.
        pub refunded_net_cents: Cents,
        /// Tax in it.
        pub refunded_tax_cents: Cents,
        /// What the refund is for: `price_adjustment`, `full_reversal`, `tip_only`, `fee_only`, `cancelled_before_service`.
        pub refund_kind: Option<RefundKind>,
        /// Why, of refunds, voids and corrections.
        pub reason: Option<String>,
        /// The payment behind it; none of a sale and a correction.
        pub payment_id: Option<PaymentId>,
        /// How the money moved; none of a sale and a correction.
        pub payment_method: Option<PaymentMethod>,
        /// Parties that the line counts: a correction moves one from one place to another, however many lines it has.
        pub orders: i64,
    }
}

shown_only! {
    RefundKind = |_| 0;
}

/// The fold behind the tax ledger.
pub struct TaxLedger;

impl Fold for TaxLedger {
    type Key = Position;
    type Row = TaxLineRow;
    const NAME: &'static str = "tax_ledger";
    const VERSION: i32 = 3;
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

/// Events that have a line in the ledger: those of a booking, and no others.
pub(crate) const TAXED: &[&str] = &["booking.completed", "booking.tax_adjusted"];

/// The line of an event, where it has one.
pub(crate) fn line(event: &Recorded) -> Option<TaxLineRow> {
    match &event.event {
        DomainEvent::Booking(BookingEvent::Completed(completed)) => {
            Some(sale(event, event.stream.id.parse().ok()?, completed))
        }
        // What the terms propose to give back of a party that was called off was never taxed.
        DomainEvent::Booking(BookingEvent::TaxAdjusted(adjusted))
            if adjusted.kept.is_some() && adjusted.figures.is_zero() =>
        {
            None
        }
        DomainEvent::Booking(BookingEvent::TaxAdjusted(adjusted)) => {
            Some(adjustment(event, event.stream.id.parse().ok()?, adjusted))
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
            | BookingEvent::TaxPlaceSet(_)
            | BookingEvent::Deleted(_)
            | BookingEvent::Restored(_),
        )
        | DomainEvent::Payment(_)
        | DomainEvent::Organisation(_)
        | DomainEvent::Station(_)
        | DomainEvent::Chef(_)
        | DomainEvent::User(_)
        | DomainEvent::Customer(_)
        | DomainEvent::PriceList(_)
        | DomainEvent::TaxRate(_)
        | DomainEvent::WorkItem(_)
        | DomainEvent::MessageTemplate(_)
        | DomainEvent::Job(_)
        | DomainEvent::Conversation(_)
        | DomainEvent::Review(_)
        | DomainEvent::Escalation(_)
        | DomainEvent::Message(_)
        | DomainEvent::TaxPeriod(_)
        | DomainEvent::PromoCode(_)
        | DomainEvent::Document(_)
        | DomainEvent::DocumentSeries(_)
        | DomainEvent::Lead(_) => None,
    }
}

/// What every fact of the ledger has.
struct Fact<'a> {
    number: &'a str,
    station_id: StationId,
    kind: TaxLineKind,
    event_on: NaiveDate,
    tax_on: NaiveDate,
    venue: (&'a str, &'a str, Option<&'a str>),
    place: &'a TaxPlace,
    figures: TaxFigures,
}

fn sale(event: &Recorded, booking_id: BookingId, completed: &BookingCompleted) -> TaxLineRow {
    let fact = Fact {
        number: &completed.number,
        station_id: completed.station_id,
        kind: TaxLineKind::Sale,
        event_on: completed.event_on,
        tax_on: completed.tax_on(),
        venue: (
            &completed.venue_zip,
            &completed.venue_city,
            completed.venue_county.as_deref(),
        ),
        place: &completed.tax_place,
        figures: completed.figures(),
    };
    fact.line(event, booking_id)
}

fn adjustment(event: &Recorded, booking_id: BookingId, adjusted: &BookingTaxAdjusted) -> TaxLineRow {
    let kind = TaxLineKind::from(adjusted.kind);
    let fact = Fact {
        number: &adjusted.number,
        station_id: adjusted.station_id,
        kind,
        event_on: adjusted.event_on,
        tax_on: adjusted.tax_on,
        venue: (
            &adjusted.venue_zip,
            &adjusted.venue_city,
            Some(&adjusted.venue_county),
        ),
        place: &adjusted.tax_place,
        figures: adjusted.figures,
    };
    let payment = adjusted.payment.as_ref();
    TaxLineRow {
        refund_kind: payment.and_then(|payment| payment.refund_kind),
        reason: adjusted.reason.clone(),
        payment_id: payment.map(|payment| payment.payment_id),
        payment_method: payment.map(|payment| payment.method),
        orders: adjusted.parties.map_or_else(|| kind.orders(), i64::from),
        ..fact.line(event, booking_id)
    }
}

impl Fact<'_> {
    fn line(self, event: &Recorded, booking_id: BookingId) -> TaxLineRow {
        let (zip, city, county) = self.venue;
        let (place, figures) = (self.place, self.figures);
        TaxLineRow {
            position: event.position,
            recorded_at: event.recorded_at,
            booking_id,
            booking_number: self.number.to_owned(),
            station_id: self.station_id,
            kind: self.kind,
            event_on: self.event_on,
            tax_on: self.tax_on,
            state: place.jurisdiction.state.clone(),
            county: place.jurisdiction.county.clone(),
            city: place.jurisdiction.city.clone().unwrap_or_default(),
            venue_zip: zip.to_owned(),
            venue_city: city.to_owned(),
            venue_county: county.map(str::to_owned),
            method: place.method,
            confirmation: place.confirmation,
            rate_ppm: place.rate_ppm,
            rate_effective_from: place.rate_effective_from,
            gross_cents: figures.gross_cents,
            discount_cents: figures.discount_cents,
            travel_cents: figures.travel_cents,
            gratuity_cents: figures.gratuity_cents,
            card_fee_cents: figures.card_fee_cents,
            tip_cents: figures.tip_cents,
            non_taxable_cents: figures.non_taxable_cents,
            taxable_cents: figures.net_cents,
            net_cents: figures.net_cents,
            tax_cents: figures.tax_cents,
            refund_cents: figures.refund_cents,
            refunded_non_taxable_cents: figures.refunded_non_taxable_cents,
            refunded_net_cents: figures.refunded_net_cents,
            refunded_tax_cents: figures.refunded_tax_cents,
            refund_kind: None,
            reason: None,
            payment_id: None,
            payment_method: None,
            orders: self.kind.orders(),
        }
    }
}
