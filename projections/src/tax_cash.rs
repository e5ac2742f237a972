//! What came and went for the parties that were held, and when? What a report by the day of payment is made of.
//!
//! Each booking has its card. What of a refund, a tip or a card fee is taxed, the booking's own events say: here is kept on
//! which day the money moved. A card says how it stood after any position since the party was held, so that what is long is
//! read from the cards a page at a time, as of a position.

mod line;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use domain::booking::{BookingCompleted, BookingEvent, BookingTaxAdjusted, TaxAdjustment};
use domain::envelope::Position;
use domain::ids::{BookingId, EventId, PaymentId, StationId};
use domain::money::{Cents, RatePpm};
use domain::payment::{DisputeOutcome, PaymentEvent, RefundKind, RefundWas};
use domain::recorded::{DomainEvent, Recorded};
use domain::tax_account::{KeptDepositTax, KeptMoney, Movement};
use domain::tax_rate::{PlaceConfirmation, TaxPlace};
use serde::{Deserialize, Serialize};

use crate::engine::{Fold, Poison, row, shown_only};

pub use line::{CashLineKind, CashLineRow};

/// What one event of a payment moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// The event.
    pub cause: EventId,
    /// Its place in the log.
    pub position: Position,
    /// What sort of event.
    pub kind: CashLineKind,
    /// The payment.
    pub payment_id: PaymentId,
    /// The local day of the station.
    pub on: NaiveDate,
    /// What came towards the price, in cents; negative where it counts no more.
    pub price_cents: Cents,
    /// What of the price was given back beside that, in cents; negative where it was not: a price that was lowered, kindness.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub back_cents: Cents,
}

fn is_nothing(cents: &Cents) -> bool {
    cents.is_zero()
}

/// What the booking's own event said of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adjusted {
    /// The payment's event.
    pub cause: EventId,
    /// The place in the log of the booking's.
    pub position: Position,
    /// What of it the tax looks at.
    pub movement: Movement,
}

/// Where a party that was held is taxed, from a position on; or what is kept of one that was called off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    /// The place in the log of what said so.
    pub position: Position,
    /// State that is owed the tax.
    pub state: String,
    /// County that is owed the tax.
    pub county: String,
    /// City with a rate of its own that is owed the tax; empty where there is none.
    pub city: String,
    /// Combined rate in millionths; none where none is known.
    pub rate_ppm: Option<RatePpm>,
    /// Whether a person must confirm the place.
    pub confirmation: PlaceConfirmation,
    /// What is known of the money of a party that was called off, where what is kept is a sale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<KeptMoney>,
}

shown_only! {
    Vec<Moved>;
    Vec<Adjusted>;
    Vec<Placed>;
}

row! {
    /// A booking's card.
    pub struct TaxCashRow in "tax_cash", key (booking_id: BookingId) {
        /// The booking.
        pub booking_id: BookingId,
        /// The place in the log of its request: cards are read in this order.
        pub position: Position,
        /// Its number.
        pub booking_number: String,
        /// Its station.
        pub station_id: StationId,
        /// Zone whose days money is counted on.
        pub zone: Tz,
        /// State that is owed the tax; empty until the party was held, as what follows.
        pub state: String,
        /// County that is owed the tax.
        pub county: String,
        /// City with a rate of its own that is owed the tax; empty where there is none.
        pub city: String,
        /// Combined rate in millionths; none where none is known.
        pub rate_ppm: Option<RatePpm>,
        /// Whether a person must confirm the place.
        pub confirmation: PlaceConfirmation,
        /// What the party was sold for, tax-inclusive, in cents.
        pub price_cents: Cents,
        /// The first day that money moved on; none before the party was held.
        pub first_on: Option<NaiveDate>,
        /// The last.
        pub last_on: Option<NaiveDate>,
        /// What moved, in the order of the log.
        pub moved: Vec<Moved>,
        /// What is taxed of it beside the price.
        pub adjusted: Vec<Adjusted>,
        /// Where it was taxed since the party was held; the last is where it is now.
        pub places: Vec<Placed>,
    }
}

/// The fold behind the report by the day of payment.
pub struct TaxCash;

impl Fold for TaxCash {
    type Key = BookingId;
    type Row = TaxCashRow;
    const NAME: &'static str = "tax_cash";
    const VERSION: i32 = 2;
    const POISON: Poison = Poison::Halt;

    fn event_types() -> &'static [&'static str] {
        &[
            "booking.requested",
            "booking.completed",
            "booking.tax_adjusted",
            "booking.cancelled",
            "booking.expired",
            "payment.verified",
            "payment.succeeded",
            "payment.voided",
            "payment.refund_succeeded",
            "payment.refund_failed",
            "payment.dispute_closed",
        ]
    }

    fn key(event: &Recorded) -> Option<BookingId> {
        if !Self::event_types().contains(&event.event.name()) {
            return None;
        }
        if let DomainEvent::Payment(payment) = &event.event {
            return Some(payment.booking().booking_id);
        }
        event.stream.id.parse().ok()
    }

    fn apply(row: Option<TaxCashRow>, event: &Recorded) -> Option<TaxCashRow> {
        if let DomainEvent::Booking(booking) = &event.event {
            return of_booking(row, event, booking);
        }
        // Money of a party that was called off is no sale's, unless what is kept is one.
        let mut row = row?;
        if let DomainEvent::Payment(payment) = &event.event
            && let Some((kind, at, price_cents)) = moved(payment)
        {
            row.moved.push(Moved {
                cause: event.event_id,
                position: event.position,
                kind,
                payment_id: event.stream.id.parse().ok()?,
                on: at.with_timezone(&row.zone).date_naive(),
                price_cents,
                back_cents: beside(payment),
            });
            row.span();
        }
        Some(row)
    }
}

fn of_booking(row: Option<TaxCashRow>, event: &Recorded, booking: &BookingEvent) -> Option<TaxCashRow> {
    match booking {
        BookingEvent::Requested(asked) => Some(TaxCashRow {
            booking_id: event.stream.id.parse().ok()?,
            position: event.position,
            booking_number: asked.number.clone(),
            station_id: asked.station_id,
            zone: asked.start.zone,
            state: String::new(),
            county: String::new(),
            city: String::new(),
            rate_ppm: None,
            confirmation: PlaceConfirmation::NotNeeded,
            price_cents: Cents::ZERO,
            first_on: None,
            last_on: None,
            moved: Vec::new(),
            adjusted: Vec::new(),
            places: Vec::new(),
        }),
        BookingEvent::Completed(held) => row.map(|row| row.held(held, event.position)),
        BookingEvent::TaxAdjusted(adjusted) => row.map(|row| row.adjusted(adjusted, event.position)),
        BookingEvent::Cancelled(cancelled) => match cancelled.kept {
            KeptDepositTax::NotASale => None,
            KeptDepositTax::Sale => row,
        },
        BookingEvent::Expired(_) => None,
        BookingEvent::Confirmed(_)
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
        | BookingEvent::Restored(_) => row,
    }
}

/// What sort of event moved money, when, and what of it came towards the price. What is given back of a price that was
/// lowered, the booking's own event says.
fn moved(payment: &PaymentEvent) -> Option<(CashLineKind, DateTime<Utc>, Cents)> {
    let of_refund = |kind, amount| match kind {
        RefundKind::Overpayment | RefundKind::CancelledBeforeService => amount,
        RefundKind::Goodwill
        | RefundKind::PriceAdjustment
        | RefundKind::FullReversal
        | RefundKind::TipOnly
        | RefundKind::FeeOnly => Cents::ZERO,
    };
    let came = CashLineKind::Payment;
    match payment {
        PaymentEvent::Succeeded(it) => Some((came, it.succeeded_at, it.parts().amount_cents)),
        PaymentEvent::Verified(it) => Some((came, it.verified_at, it.parts().amount_cents)),
        PaymentEvent::Voided(it) => Some((CashLineKind::Void, it.voided_at, -it.parts().amount_cents)),
        PaymentEvent::RefundSucceeded(it) => {
            let back = of_refund(it.kind, it.parts().amount_cents);
            Some((CashLineKind::Refund, it.succeeded_at, -back))
        }
        PaymentEvent::RefundFailed(it) => match it.was {
            RefundWas::Succeeded => {
                let not_back = of_refund(it.kind, it.parts().amount_cents);
                Some((CashLineKind::RefundFailed, it.failed_at, not_back))
            }
            RefundWas::Pending => None,
        },
        PaymentEvent::DisputeClosed(it) => match it.outcome {
            DisputeOutcome::Lost => Some((CashLineKind::DisputeLost, it.closed_at, -it.parts().amount_cents)),
            DisputeOutcome::Won => None,
        },
        PaymentEvent::Claimed(_)
        | PaymentEvent::Rejected(_)
        | PaymentEvent::IntentCreated(_)
        | PaymentEvent::Processing(_)
        | PaymentEvent::Failed(_)
        | PaymentEvent::RefundRequested(_)
        | PaymentEvent::DisputeOpened(_) => None,
    }
}

/// What of the price was given back, beside what counts no more.
fn beside(payment: &PaymentEvent) -> Cents {
    let amount = match payment {
        PaymentEvent::RefundSucceeded(it) => it.parts().amount_cents,
        PaymentEvent::RefundFailed(it) => match it.was {
            RefundWas::Succeeded => -it.parts().amount_cents,
            RefundWas::Pending => return Cents::ZERO,
        },
        PaymentEvent::Succeeded(_)
        | PaymentEvent::Verified(_)
        | PaymentEvent::Voided(_)
        | PaymentEvent::DisputeClosed(_)
        | PaymentEvent::Claimed(_)
        | PaymentEvent::Rejected(_)
        | PaymentEvent::IntentCreated(_)
        | PaymentEvent::Processing(_)
        | PaymentEvent::Failed(_)
        | PaymentEvent::RefundRequested(_)
        | PaymentEvent::DisputeOpened(_) => return Cents::ZERO,
    };
    let counted = moved(payment).map_or(Cents::ZERO, |(_, _, cents)| cents);
    amount + counted
}

impl TaxCashRow {
    fn held(self, held: &BookingCompleted, position: Position) -> Self {
        let mut row = self.at(&held.tax_place, position);
        row.price_cents = held.gross_cents;
        row.span();
        row
    }

    fn adjusted(self, adjusted: &BookingTaxAdjusted, position: Position) -> Self {
        let mut row = match adjusted.kind {
            TaxAdjustment::CorrectedTo => self.at(&adjusted.tax_place, position),
            TaxAdjustment::CorrectedFrom
            | TaxAdjustment::CardFee
            | TaxAdjustment::Tip
            | TaxAdjustment::Refund
            | TaxAdjustment::RefundFailed
            | TaxAdjustment::Void
            | TaxAdjustment::KeptDeposit => self.kept(adjusted, position),
        };
        let cause = adjusted.payment.as_ref().map(|payment| payment.cause);
        let said = cause.zip(adjusted.movement());
        row.adjusted.extend(said.map(|(cause, movement)| Adjusted {
            cause,
            position,
            movement,
        }));
        row
    }

    /// Where the first line of what is kept of a party that was called off says so.
    fn kept(self, adjusted: &BookingTaxAdjusted, position: Position) -> Self {
        if adjusted.kept.is_none() || !self.places.is_empty() {
            return self;
        }
        let mut row = self.at(&adjusted.tax_place, position);
        if let Some(place) = row.places.last_mut() {
            place.kept.clone_from(&adjusted.kept);
        }
        row.span();
        row
    }

    fn at(mut self, place: &TaxPlace, position: Position) -> Self {
        let kept = self.places.last().and_then(|before| before.kept.clone());
        let there = &place.jurisdiction;
        let placed = Placed {
            position,
            state: there.state.clone(),
            county: there.county.clone(),
            city: there.city.clone().unwrap_or_default(),
            rate_ppm: place.rate_ppm,
            confirmation: place.confirmation,
            kept,
        };
        // A correction over several days says the same place more than once.
        let same = |before: &Placed| {
            Placed {
                position,
                ..before.clone()
            } == placed
        };
        if !self.places.last().is_some_and(same) {
            self.places.push(placed.clone());
        }
        self.placed(placed)
    }

    fn placed(self, placed: Placed) -> Self {
        Self {
            state: placed.state,
            county: placed.county,
            city: placed.city,
            rate_ppm: placed.rate_ppm,
            confirmation: placed.confirmation,
            ..self
        }
    }

    fn span(&mut self) {
        if !self.state.is_empty() {
            self.first_on = self.moved.iter().map(|moved| moved.on).min();
            self.last_on = self.moved.iter().map(|moved| moved.on).max();
        }
    }

    /// The card as it was right after a position; none where the party had not been held by then.
    pub fn as_of(mut self, position: Position) -> Option<Self> {
        self.places.retain(|place| place.position <= position);
        self.moved.retain(|moved| moved.position <= position);
        self.adjusted.retain(|adjusted| adjusted.position <= position);
        let place = self.places.last().cloned()?;
        let mut card = self.placed(place);
        card.span();
        Some(card)
    }
}

#[cfg(test)]
mod tests;
