//! What came and went for the parties that were held, and when? What a report by the day of payment is made of.
//!
//! Each booking has its card. What of a refund, a tip or a card fee is taxed, the booking's own events say: here is kept on
//! which day the money moved.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use domain::booking::{BookingCompleted, BookingEvent, BookingTaxAdjusted, TaxAdjustment};
use domain::envelope::Position;
use domain::ids::{BookingId, EventId, PaymentId, StationId};
use domain::money::{Cents, RatePpm};
use domain::payment::{DisputeOutcome, PaymentEvent, RefundKind, RefundWas};
use domain::recorded::{DomainEvent, Recorded};
use domain::tax_account::cash::{CashMovement, lines};
use domain::tax_account::{Movement, TaxFigures};
use domain::tax_rate::{PlaceConfirmation, TaxPlace};
use serde::{Deserialize, Serialize};

use crate::engine::{Fold, Poison, row, shown_only};

/// What one event of a payment moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// The event.
    pub cause: EventId,
    /// Its place in the log.
    pub position: Position,
    /// The payment.
    pub payment_id: PaymentId,
    /// The local day of the station.
    pub on: NaiveDate,
    /// What came towards the price, in cents; negative where it counts no more.
    pub price_cents: Cents,
}

/// What the booking's own event said of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adjusted {
    /// The payment's event.
    pub cause: EventId,
    /// What of it the tax looks at.
    pub movement: Movement,
}

shown_only! {
    Vec<Moved>;
    Vec<Adjusted>;
}

row! {
    /// A booking's card.
    pub struct TaxCashRow in "tax_cash", key (booking_id: BookingId) {
        /// The booking.
        pub booking_id: BookingId,
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
    }
}

/// The fold behind the report by the day of payment.
pub struct TaxCash;

impl Fold for TaxCash {
    type Key = BookingId;
    type Row = TaxCashRow;
    const NAME: &'static str = "tax_cash";
    const VERSION: i32 = 1;
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
        // Money of a party that was called off is no sale's.
        let mut row = row?;
        if let DomainEvent::Payment(payment) = &event.event
            && let Some((at, price_cents)) = moved(payment)
        {
            row.moved.push(Moved {
                cause: event.event_id,
                position: event.position,
                payment_id: event.stream.id.parse().ok()?,
                on: at.with_timezone(&row.zone).date_naive(),
                price_cents,
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
        }),
        BookingEvent::Completed(held) => row.map(|row| row.held(held)),
        BookingEvent::TaxAdjusted(adjusted) => row.map(|row| row.adjusted(adjusted)),
        BookingEvent::Cancelled(_) | BookingEvent::Expired(_) => None,
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

/// When money moved, and what of it came towards the price. What is given back of a price that was lowered, the booking's
/// own event says.
fn moved(payment: &PaymentEvent) -> Option<(DateTime<Utc>, Cents)> {
    let of_refund = |kind, amount| match kind {
        RefundKind::Overpayment | RefundKind::CancelledBeforeService => amount,
        RefundKind::Goodwill
        | RefundKind::PriceAdjustment
        | RefundKind::FullReversal
        | RefundKind::TipOnly
        | RefundKind::FeeOnly => Cents::ZERO,
    };
    match payment {
        PaymentEvent::Succeeded(it) => Some((it.succeeded_at, it.parts().amount_cents)),
        PaymentEvent::Verified(it) => Some((it.verified_at, it.parts().amount_cents)),
        PaymentEvent::Voided(it) => Some((it.voided_at, -it.parts().amount_cents)),
        PaymentEvent::RefundSucceeded(it) => {
            Some((it.succeeded_at, -of_refund(it.kind, it.parts().amount_cents)))
        }
        PaymentEvent::RefundFailed(it) => match it.was {
            RefundWas::Succeeded => Some((it.failed_at, of_refund(it.kind, it.parts().amount_cents))),
            RefundWas::Pending => None,
        },
        PaymentEvent::DisputeClosed(it) => match it.outcome {
            DisputeOutcome::Lost => Some((it.closed_at, -it.parts().amount_cents)),
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

impl TaxCashRow {
    fn held(self, held: &BookingCompleted) -> Self {
        let mut row = self.at(&held.tax_place);
        row.price_cents = held.gross_cents;
        row.span();
        row
    }

    fn adjusted(self, adjusted: &BookingTaxAdjusted) -> Self {
        let mut row = match adjusted.kind {
            TaxAdjustment::CorrectedTo => self.at(&adjusted.tax_place),
            TaxAdjustment::CorrectedFrom
            | TaxAdjustment::CardFee
            | TaxAdjustment::Tip
            | TaxAdjustment::Refund
            | TaxAdjustment::RefundFailed
            | TaxAdjustment::Void => self,
        };
        let cause = adjusted.payment.as_ref().map(|payment| payment.cause);
        let said = cause.zip(adjusted.movement());
        row.adjusted
            .extend(said.map(|(cause, movement)| Adjusted { cause, movement }));
        row
    }

    fn at(self, place: &TaxPlace) -> Self {
        let there = &place.jurisdiction;
        Self {
            state: there.state.clone(),
            county: there.county.clone(),
            city: there.city.clone().unwrap_or_default(),
            rate_ppm: place.rate_ppm,
            confirmation: place.confirmation,
            ..self
        }
    }

    fn span(&mut self) {
        if !self.state.is_empty() {
            self.first_on = self.moved.iter().map(|moved| moved.on).min();
            self.last_on = self.moved.iter().map(|moved| moved.on).max();
        }
    }

    /// What each movement adds to the tax on its day, by day and place in the log.
    pub fn lines(&self) -> Vec<(NaiveDate, TaxFigures)> {
        let mut moved: Vec<&Moved> = self.moved.iter().collect();
        moved.sort_by_key(|moved| (moved.on, moved.position));
        let mut movements = Vec::new();
        for it in moved {
            let movement = |price_cents, beside| CashMovement {
                day: it.on,
                payment: it.payment_id,
                price_cents,
                beside,
            };
            let said: Vec<Movement> = self
                .adjusted
                .iter()
                .filter(|adjusted| adjusted.cause == it.cause)
                .map(|adjusted| adjusted.movement)
                .collect();
            // What is given back of the price lowers it: the money that came stays what came.
            let lowers = said.iter().any(Movement::lowers_price);
            let price_cents = if lowers { Cents::ZERO } else { it.price_cents };
            movements.push(movement(price_cents, None));
            movements.extend(said.into_iter().map(|beside| movement(Cents::ZERO, Some(beside))));
        }
        lines(self.price_cents, self.rate_ppm, &movements)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{at, booking_event, completed, fold, requested, verified};

    #[test]
    fn money_is_counted_on_its_own_day_once_the_party_was_held() {
        let on = |position, verified_at: &str, amount| {
            let mut event = verified(position, amount, 0);
            if let DomainEvent::Payment(PaymentEvent::Verified(it)) = &mut event.event {
                it.verified_at = at(verified_at);
            }
            event
        };
        let events = [
            booking_event(1, 1, BookingEvent::Requested(requested(85_118))),
            on(2, "2026-11-20T20:00:00Z", 10_000),
            booking_event(3, 2, BookingEvent::Completed(completed(85_118, Some(91_250)))),
            // Eleven in the evening of New Year's Eve at the station.
            on(4, "2027-01-01T07:00:00Z", 75_118),
        ];
        let before = fold::<TaxCash>(&events[..2]);
        let card = before.iter().next().unwrap();
        assert_eq!((card.first_on, card.lines()), (None, Vec::new()));
        let rows = fold::<TaxCash>(&events);
        let card = rows.iter().next().unwrap();
        let told: Vec<_> = card
            .lines()
            .into_iter()
            .map(|(on, figures)| (on.to_string(), figures.gross_cents, figures.tax_cents))
            .collect();
        assert_eq!(
            told,
            [
                ("2026-11-20".to_owned(), Cents(10_000), Cents(836)),
                ("2026-12-31".to_owned(), Cents(75_118), Cents(6_282)),
            ]
        );
        assert_eq!(
            (card.first_on, card.last_on),
            (
                Some("2026-11-20".parse().unwrap()),
                Some("2026-12-31".parse().unwrap())
            )
        );
    }
}
