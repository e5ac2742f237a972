//! What was charged for a booking, what came, and what is still due after each of these facts?

mod statement;

use std::fmt;

use chrono::{DateTime, Utc};
use domain::booking::{BookingEvent, RefundRule};
use domain::envelope::Position;
use domain::ids::{BookingId, PaymentId, StationId};
use domain::money::Cents;
use domain::payment::{
    DisputeOutcome, PaidBooking, PaymentEvent, PaymentKind, PaymentMethod, PaymentParts, RefundKind,
    RefundWas,
};
use domain::quote::Quote;
use domain::recorded::{DomainEvent, Recorded};
use serde::{Deserialize, Serialize};

use crate::engine::{Column, Fold, Kind, Poison, Value, row, shown_only};

pub use statement::{LedgerEntry, Statement, for_bookings, page_of};

/// What sort of fact an entry of the ledger is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerKind {
    /// The price was agreed, or changed: it is due, or what the change adds to it.
    Charge,
    /// Somebody says that money was sent or handed over: it does not count yet.
    PaymentClaimed,
    /// The money was found: it counts.
    PaymentVerified,
    /// The money was not found: it never counted.
    PaymentRejected,
    /// A card was charged: it counts.
    PaymentSucceeded,
    /// Money that was found is not there after all: it does not count any more.
    PaymentVoided,
    /// Money was given back.
    Refunded,
    /// Money that was said to be given back was not, after all.
    RefundUndone,
    /// The customer's bank has taken money back: it does not count any more.
    ChargedBack,
    /// The booking was called off, and something, or nothing, is proposed to be given back. A person confirms it.
    RefundProposed,
}

impl LedgerKind {
    /// The word in rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::PaymentClaimed => "payment_claimed",
            Self::PaymentVerified => "payment_verified",
            Self::PaymentRejected => "payment_rejected",
            Self::PaymentSucceeded => "payment_succeeded",
            Self::PaymentVoided => "payment_voided",
            Self::Refunded => "refunded",
            Self::RefundUndone => "refund_undone",
            Self::ChargedBack => "charged_back",
            Self::RefundProposed => "refund_proposed",
        }
    }
}

impl fmt::Display for LedgerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Column for LedgerKind {
    const KIND: Option<Kind> = Some(Kind::Text);

    fn value(&self) -> Option<Value> {
        Some(Value::Text(self.as_str().to_owned()))
    }
}

shown_only! {
    RefundRule;
}

row! {
    /// A fact about a booking's money, as its event tells it. What follows from the facts before is not stored.
    pub struct LedgerRow in "booking_ledger", key (position: Position) {
        /// Place of the fact in the log.
        pub position: Position,
        /// The booking.
        pub booking_id: BookingId,
        /// Its station.
        pub station_id: StationId,
        /// What sort of fact.
        pub kind: LedgerKind,
        /// The payment that it is about; none of a charge or a proposal.
        pub payment_id: Option<PaymentId>,
        /// What the payment is for; known when it is claimed.
        pub payment_kind: Option<PaymentKind>,
        /// How the money moved; not said when it was not found.
        pub method: Option<PaymentMethod>,
        /// What a charge adds to the price, negative where a change made it less, or a payment's part towards the price, in
        /// cents; none where the event does not say.
        pub amount_cents: Option<Cents>,
        /// A payment's voluntary tip, in cents; none where the event does not say.
        pub tip_cents: Option<Cents>,
        /// Part of the price that is its deposit, in cents.
        pub deposit_cents: Option<Cents>,
        /// Why money was given back, as the tax sees it.
        pub refund_kind: Option<RefundKind>,
        /// What decides how much is proposed to be given back.
        pub refund_rule: Option<RefundRule>,
        /// When it was recorded.
        pub recorded_at: DateTime<Utc>,
    }
}

/// The fold behind the ledger of bookings.
pub struct BookingLedger;

impl Fold for BookingLedger {
    type Key = Position;
    type Row = LedgerRow;
    const NAME: &'static str = "booking_ledger";
    const VERSION: i32 = 2;
    const POISON: Poison = Poison::Halt;

    fn event_types() -> &'static [&'static str] {
        &[
            "booking.requested",
            "booking.cancelled",
            "booking.guest_count_changed",
            "booking.menu_changed",
            "booking.rescheduled",
            "payment.claimed",
            "payment.verified",
            "payment.rejected",
            "payment.succeeded",
            "payment.voided",
            "payment.refund_succeeded",
            "payment.refund_failed",
            "payment.dispute_closed",
        ]
    }

    fn key(event: &Recorded) -> Option<Position> {
        entry(event).map(|row| row.position)
    }

    fn apply(_: Option<LedgerRow>, event: &Recorded) -> Option<LedgerRow> {
        entry(event)
    }
}

/// The entry of an event, where it has one.
fn entry(event: &Recorded) -> Option<LedgerRow> {
    match &event.event {
        DomainEvent::Booking(booking) => of_booking(event, booking),
        DomainEvent::Payment(payment) => of_payment(event, payment),
        DomainEvent::Organisation(_)
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
        | DomainEvent::Document(_)
        | DomainEvent::DocumentSeries(_)
        | DomainEvent::PromoCode(_)
        | DomainEvent::Lead(_) => None,
    }
}

fn blank(event: &Recorded, booking_id: BookingId, station_id: StationId, kind: LedgerKind) -> LedgerRow {
    LedgerRow {
        position: event.position,
        booking_id,
        station_id,
        kind,
        payment_id: None,
        payment_kind: None,
        method: None,
        amount_cents: None,
        tip_cents: None,
        deposit_cents: None,
        refund_kind: None,
        refund_rule: None,
        recorded_at: event.recorded_at,
    }
}

fn of_booking(event: &Recorded, booking: &BookingEvent) -> Option<LedgerRow> {
    let booking_id = event.stream.id.parse().ok()?;
    match booking {
        BookingEvent::Requested(requested) => Some(LedgerRow {
            amount_cents: Some(requested.quote.total_cents),
            deposit_cents: Some(requested.quote.deposit_cents),
            ..blank(event, booking_id, requested.station_id, LedgerKind::Charge)
        }),
        BookingEvent::Cancelled(cancelled) => Some(LedgerRow {
            refund_rule: Some(cancelled.refund.clone()),
            ..blank(
                event,
                booking_id,
                cancelled.station_id,
                LedgerKind::RefundProposed,
            )
        }),
        BookingEvent::GuestCountChanged(changed) => {
            let row = blank(event, booking_id, changed.station_id, LedgerKind::Charge);
            repriced(row, changed.total_before_cents, &changed.quote)
        }
        BookingEvent::MenuChanged(changed) => {
            let row = blank(event, booking_id, changed.station_id, LedgerKind::Charge);
            repriced(row, changed.total_before_cents, &changed.quote)
        }
        BookingEvent::Rescheduled(moved) => {
            let row = blank(event, booking_id, moved.station_id, LedgerKind::Charge);
            repriced(row, moved.total_before_cents, &moved.quote)
        }
        BookingEvent::Confirmed(_)
        | BookingEvent::Completed(_)
        | BookingEvent::Expired(_)
        | BookingEvent::DepositDueExtended(_)
        | BookingEvent::ChefAssigned(_)
        | BookingEvent::ChefUnassigned(_)
        | BookingEvent::NoteAdded(_)
        | BookingEvent::TermsAccepted(_)
        | BookingEvent::TaxPlaceSet(_)
        | BookingEvent::TaxAdjusted(_)
        | BookingEvent::Deleted(_)
        | BookingEvent::Restored(_) => None,
    }
}

/// What a new price adds to what was charged, or takes off it; none where the total is what it was.
fn repriced(charge: LedgerRow, before: Cents, quote: &Quote) -> Option<LedgerRow> {
    let added = quote.total_cents - before;
    (!added.is_zero()).then_some(LedgerRow {
        amount_cents: Some(added),
        deposit_cents: Some(quote.deposit_cents),
        ..charge
    })
}

fn of_payment(event: &Recorded, payment: &PaymentEvent) -> Option<LedgerRow> {
    let payment_id = Some(event.stream.id.parse().ok()?);
    let of = |booking: &PaidBooking, kind| LedgerRow {
        payment_id,
        ..blank(event, booking.booking_id, booking.station_id, kind)
    };
    let moved = |booking: &PaidBooking, kind, method, parts: PaymentParts| LedgerRow {
        method: Some(method),
        amount_cents: Some(parts.amount_cents),
        tip_cents: Some(parts.tip_cents),
        ..of(booking, kind)
    };
    Some(match payment {
        PaymentEvent::Claimed(claimed) => LedgerRow {
            payment_kind: Some(claimed.kind),
            method: Some(claimed.method),
            amount_cents: Some(claimed.amount_cents),
            tip_cents: Some(claimed.tip_cents),
            ..of(&claimed.booking, LedgerKind::PaymentClaimed)
        },
        PaymentEvent::Verified(verified) => LedgerRow {
            method: Some(verified.method),
            amount_cents: Some(verified.amount_cents),
            tip_cents: Some(verified.tip_cents),
            ..of(&verified.booking, LedgerKind::PaymentVerified)
        },
        PaymentEvent::Rejected(rejected) => of(&rejected.booking, LedgerKind::PaymentRejected),
        PaymentEvent::Succeeded(succeeded) => LedgerRow {
            payment_kind: Some(succeeded.kind),
            ..moved(
                &succeeded.booking,
                LedgerKind::PaymentSucceeded,
                succeeded.method,
                succeeded.parts(),
            )
        },
        PaymentEvent::Voided(voided) => moved(
            &voided.booking,
            LedgerKind::PaymentVoided,
            voided.method,
            voided.parts(),
        ),
        PaymentEvent::RefundSucceeded(done) => LedgerRow {
            refund_kind: Some(done.kind),
            ..moved(&done.booking, LedgerKind::Refunded, done.method, done.parts())
        },
        PaymentEvent::RefundFailed(failed) if failed.was == RefundWas::Succeeded => LedgerRow {
            refund_kind: Some(failed.kind),
            ..moved(
                &failed.booking,
                LedgerKind::RefundUndone,
                failed.method,
                failed.parts(),
            )
        },
        PaymentEvent::DisputeClosed(closed) if closed.outcome == DisputeOutcome::Lost => moved(
            &closed.booking,
            LedgerKind::ChargedBack,
            PaymentMethod::Card,
            closed.parts(),
        ),
        PaymentEvent::IntentCreated(_)
        | PaymentEvent::Processing(_)
        | PaymentEvent::Failed(_)
        | PaymentEvent::RefundRequested(_)
        | PaymentEvent::RefundFailed(_)
        | PaymentEvent::DisputeOpened(_)
        | PaymentEvent::DisputeClosed(_) => return None,
    })
}
