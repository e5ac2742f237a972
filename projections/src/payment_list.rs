//! Which payments were made, and which of them count?

use chrono::{DateTime, Utc};
use domain::access::{Permission, Viewer};
use domain::decider::Decider;
use domain::envelope::{Position, StreamId};
use domain::ids::{BookingId, PaymentId, StationId};
use domain::money::Cents;
use domain::payment::{Payment, PaymentEvent, PaymentKind, PaymentMethod, Refund};
use domain::recorded::{DomainEvent, Recorded};

use crate::engine::{
    Answer, At, Column, Condition, FirstPages, Fold, Kind, Order, Page, Poison, ReadError, ReadModels,
    Select, Slice, Source, Value, row, shown_only, station_scope,
};

pub use domain::payment::PaymentStatus;

impl Column for PaymentStatus {
    const KIND: Option<Kind> = Some(Kind::Text);

    fn value(&self) -> Option<Value> {
        Some(Value::Text(self.as_str().to_owned()))
    }
}

shown_only! {
    Payment;
}

row! {
    /// A payment.
    pub struct PaymentRow in "payment_list", key (payment_id: PaymentId) {
        /// The payment.
        pub payment_id: PaymentId,
        /// Events of the payment so far: what a command expects of it.
        pub version: i64,
        /// The booking that it is for.
        pub booking_id: BookingId,
        /// Number of that booking.
        pub booking_number: String,
        /// Station of that booking.
        pub station_id: StationId,
        /// What it is for.
        pub kind: PaymentKind,
        /// How the money moved.
        pub method: PaymentMethod,
        /// Where it stands.
        pub status: PaymentStatus,
        /// Towards the booking's price, in cents.
        pub amount_cents: Cents,
        /// Voluntary tip on top, in cents.
        pub tip_cents: Cents,
        /// Card fee on top, in cents.
        pub fee_cents: Cents,
        /// What came of all that, in cents; nothing until it counts.
        pub captured_cents: Cents,
        /// What was given back, all parts together, in cents.
        pub refunded_cents: Cents,
        /// What can still be given back, all parts together, in cents.
        pub refundable_cents: Cents,
        /// What the bank or the receipt calls it.
        pub reference: Option<String>,
        /// When it was recorded that it was made.
        pub recorded_at: DateTime<Utc>,
        /// The payment itself, as its stream tells it.
        pub payment: Payment,
    }
}

/// The fold behind the list of payments.
pub struct PaymentList;

impl Fold for PaymentList {
    type Key = PaymentId;
    type Row = PaymentRow;
    const NAME: &'static str = "payment_list";
    const VERSION: i32 = 3;
    const POISON: Poison = Poison::Halt;

    fn event_types() -> &'static [&'static str] {
        &[
            "payment.claimed",
            "payment.verified",
            "payment.rejected",
            "payment.voided",
            "payment.intent_created",
            "payment.processing",
            "payment.succeeded",
            "payment.failed",
            "payment.refund_requested",
            "payment.refund_succeeded",
            "payment.refund_failed",
            "payment.dispute_opened",
            "payment.dispute_closed",
        ]
    }

    fn key(event: &Recorded) -> Option<PaymentId> {
        payment(event)?;
        event.stream.id.parse().ok()
    }

    fn apply(row: Option<PaymentRow>, event: &Recorded) -> Option<PaymentRow> {
        let Some(happened) = payment(event) else {
            return row;
        };
        let recorded_at = row.as_ref().map_or(event.recorded_at, |row| row.recorded_at);
        let mut payment = row.map(|row| row.payment).unwrap_or_default();
        payment.evolve(happened);
        let (terms, status) = (payment.terms()?.clone(), payment.status()?);
        Some(PaymentRow {
            payment_id: Self::key(event)?,
            version: event.sequence.0,
            booking_id: terms.booking.booking_id,
            booking_number: terms.booking.number,
            station_id: terms.booking.station_id,
            kind: terms.kind,
            method: terms.method,
            status,
            amount_cents: terms.amount_cents,
            tip_cents: terms.tip_cents,
            fee_cents: terms.fee_cents,
            captured_cents: payment.captured().total(),
            refunded_cents: payment.refunded().total(),
            refundable_cents: payment.refundable().total(),
            reference: terms.reference,
            recorded_at,
            payment,
        })
    }

    fn key_of(stream: &StreamId, _: Position) -> Option<PaymentId> {
        (stream.kind == "payment").then(|| stream.id.parse().ok())?
    }

    fn source(payment: &PaymentId) -> Source {
        Source::Stream(StreamId::new("payment", payment.to_string()))
    }
}

impl PaymentRow {
    /// Its refunds, the oldest first.
    pub fn refunds(&self) -> &[Refund] {
        self.payment.refunds()
    }
}

fn payment(event: &Recorded) -> Option<&PaymentEvent> {
    match &event.event {
        DomainEvent::Payment(payment) => Some(payment),
        DomainEvent::Organisation(_)
        | DomainEvent::Station(_)
        | DomainEvent::Chef(_)
        | DomainEvent::User(_)
        | DomainEvent::Customer(_)
        | DomainEvent::Booking(_)
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

/// Which payments to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PaymentFilter {
    /// Any of these; empty is all.
    pub status: Vec<PaymentStatus>,
    /// That moved in this way.
    pub method: Option<PaymentMethod>,
    /// For this booking.
    pub booking_id: Option<BookingId>,
    /// Recorded at or after.
    pub from: Option<DateTime<Utc>>,
    /// Recorded before.
    pub to: Option<DateTime<Utc>>,
}

impl PaymentFilter {
    fn conditions(self, viewer: &Viewer) -> Vec<Condition> {
        let mut conditions = station_scope(viewer);
        if !self.status.is_empty() {
            let words = self
                .status
                .iter()
                .map(|status| Value::Text(status.as_str().to_owned()));
            conditions.push(Condition::one_of("status", words.collect()));
        }
        let method = self
            .method
            .map(|method| Condition::Eq("method", Value::Text(method.as_str().to_owned())));
        let booking = self
            .booking_id
            .map(|id| Condition::Eq("booking_id", Value::Uuid(id.0)));
        let from = self
            .from
            .map(|at| Condition::AtLeast("recorded_at", Value::Instant(at)));
        let to = self
            .to
            .map(|at| Condition::Below("recorded_at", Value::Instant(at)));
        conditions.extend([method, booking, from, to].into_iter().flatten());
        conditions
    }
}

/// The latest first.
const ORDER: Order = Order::descending(&["recorded_at", "payment_id"]);

/// A page of payments, the latest first.
///
/// # Errors
/// [`ReadError`] when the viewer may not see payments, or there is no answer.
pub async fn page(
    models: &ReadModels,
    viewer: &Viewer,
    filter: PaymentFilter,
    slice: Slice,
    at: At,
) -> Result<Page<PaymentRow>, ReadError> {
    viewer.require(Permission::PaymentRead)?;
    let select = Select {
        conditions: filter.conditions(viewer),
        order: ORDER,
        after: slice.after,
        first: slice.first,
    };
    models.page::<PaymentList>(viewer.tenant, select, at).await
}

/// The first page of each of these bookings' payments, the latest first.
///
/// # Errors
/// As [`page`].
pub async fn first_of_each(
    models: &ReadModels,
    viewer: &Viewer,
    bookings: &[BookingId],
    first: u16,
    at: At,
) -> Result<FirstPages<PaymentRow>, ReadError> {
    viewer.require(Permission::PaymentRead)?;
    let select = Select::first(station_scope(viewer), ORDER, first);
    let of = ("booking_id", bookings);
    models
        .first_of_each::<PaymentList>(viewer.tenant, of, select, at)
        .await
}

/// How many payments there are.
///
/// # Errors
/// As [`page`].
pub async fn count(
    models: &ReadModels,
    viewer: &Viewer,
    filter: PaymentFilter,
    at: At,
) -> Result<Answer<u64>, ReadError> {
    viewer.require(Permission::PaymentRead)?;
    models
        .count::<PaymentList>(viewer.tenant, filter.conditions(viewer), at)
        .await
}

/// One payment, where it exists within the viewer's reach.
///
/// # Errors
/// As [`page`].
pub async fn one(
    models: &ReadModels,
    viewer: &Viewer,
    id: PaymentId,
    at: At,
) -> Result<Answer<Option<PaymentRow>>, ReadError> {
    let found = any_of(models, viewer, "payment_id", vec![Value::Uuid(id.0)], at).await?;
    Ok(found.map(|rows| rows.into_iter().next()))
}

/// Every payment for these bookings, in no order.
///
/// # Errors
/// As [`page`].
pub async fn for_bookings(
    models: &ReadModels,
    viewer: &Viewer,
    bookings: &[BookingId],
    at: At,
) -> Result<Answer<Vec<PaymentRow>>, ReadError> {
    let ids = bookings.iter().map(|id| Value::Uuid(id.0)).collect();
    any_of(models, viewer, "booking_id", ids, at).await
}

async fn any_of(
    models: &ReadModels,
    viewer: &Viewer,
    column: &'static str,
    values: Vec<Value>,
    at: At,
) -> Result<Answer<Vec<PaymentRow>>, ReadError> {
    viewer.require(Permission::PaymentRead)?;
    let mut conditions = station_scope(viewer);
    conditions.push(Condition::OneOf(column, values));
    models.all::<PaymentList>(viewer.tenant, conditions, at).await
}

#[cfg(test)]
mod tests {
    use domain::payment::{PaymentClaimed, PaymentRejected};

    use super::*;
    use crate::testing::{PAYMENT, at, fold, paid_booking, recorded, verified};

    fn payment(position: i64, sequence: i64, event: PaymentEvent) -> Recorded {
        recorded(
            position,
            &PAYMENT.to_string(),
            sequence,
            DomainEvent::Payment(event),
        )
    }

    fn claimed() -> Recorded {
        let claimed = PaymentClaimed {
            booking: paid_booking(),
            kind: PaymentKind::Balance,
            method: PaymentMethod::Zelle,
            amount_cents: Cents(50_000),
            tip_cents: Cents(10_000),
            tip_choice: None,
            reference: Some("Z1".to_owned()),
            reference_key: None,
            claimed_at: at("2026-11-01T00:00:00Z"),
        };
        payment(1, 1, PaymentEvent::Claimed(claimed))
    }

    fn row(events: &[Recorded]) -> PaymentRow {
        fold::<PaymentList>(events)
            .get(&PaymentId(PAYMENT))
            .cloned()
            .unwrap()
    }

    #[test]
    fn a_claim_waits_for_its_verdict() {
        let row = row(&[claimed()]);
        assert_eq!((row.status, row.version), (PaymentStatus::Claimed, 1));
        assert_eq!(
            (row.amount_cents, row.tip_cents, row.fee_cents),
            (Cents(50_000), Cents(10_000), Cents::ZERO)
        );
        assert_eq!(row.recorded_at, at("2026-11-01T00:00:01Z"));
    }

    #[test]
    fn a_verdict_changes_the_status_and_whether_the_money_counts_and_nothing_else() {
        let rejected = PaymentRejected {
            booking: paid_booking(),
            note: None,
            reference_key: None,
            rejected_at: at("2026-11-02T00:00:00Z"),
        };
        let rejected = payment(2, 2, PaymentEvent::Rejected(rejected));
        for (verdict, status, came) in [
            (
                verified(2, 50_000, 10_000),
                PaymentStatus::Verified,
                Cents(60_000),
            ),
            (rejected, PaymentStatus::Rejected, Cents::ZERO),
        ] {
            let found = row(&[claimed(), verdict]);
            let decided = PaymentRow {
                status,
                version: 2,
                captured_cents: came,
                refundable_cents: came,
                payment: found.payment.clone(),
                ..row(&[claimed()])
            };
            assert_eq!(found, decided);
        }
    }
}
