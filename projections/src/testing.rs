//! Events for the tests of folds.

use chrono::{DateTime, Utc};
use domain::booking::{
    BookingCompleted, BookingEvent, BookingGuestCountChanged, BookingRequested, BookingRescheduled,
    ChangedBy, HeldPlace, HeldTax, Room,
};
use domain::envelope::{Position, RecordedMeta, Sealed, StreamId, Version};
use domain::guests::Guests;
use domain::ids::{BookingId, CustomerId, EventId, StationId, SubjectId, TenantId};
use domain::money::{Cents, RatePpm};
use domain::payment::{PaidBooking, PaymentEvent, PaymentMethod, PaymentVerified};
use domain::place::{Travel, Venue};
use domain::price_list::BookingPolicy;
use domain::quote::{LineKind, Quote, QuoteLine};
use domain::recorded::{DomainEvent, Recorded};
use domain::schedule::EventTime;
use domain::tax;
use domain::tax_rate::{Jurisdiction, PlaceConfirmation, PlaceMethod, TaxPlace};
use uuid::Uuid;

use crate::engine::{Fold, Rows};

pub(crate) const STATION: StationId = StationId(Uuid::from_u128(7));
pub(crate) const BOOKING: BookingId = BookingId(Uuid::from_u128(8));
pub(crate) const PAYMENT: Uuid = Uuid::from_u128(9);
pub(crate) const CUSTOMER: CustomerId = CustomerId(Uuid::from_u128(10));

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(crate) fn sealed(text: &str) -> Sealed {
    Sealed {
        subject: SubjectId(Uuid::nil()),
        sealed: text.to_owned(),
    }
}

pub(crate) fn recorded(position: i64, stream: &str, sequence: i64, event: DomainEvent) -> Recorded {
    let kind = event.name().split_once('.').unwrap().0;
    Recorded {
        tenant: TenantId(Uuid::nil()),
        position: Position(position),
        stream: StreamId {
            kind: kind.to_owned().into(),
            id: stream.to_owned(),
        },
        sequence: Version(sequence),
        event_id: EventId(Uuid::from_u128(u128::try_from(position).unwrap())),
        recorded_at: at("2026-11-01T00:00:00Z") + chrono::Duration::seconds(position),
        meta: RecordedMeta {
            actor_kind: "user".to_owned(),
            actor_id: "u1".to_owned(),
            actor_role: Some("ADMIN".to_owned()),
            channel: "graphql".to_owned(),
            correlation_id: "c1".to_owned(),
            causation_id: None,
            request_id: None,
        },
        event,
    }
}

/// Everything that a fold makes of events.
pub(crate) fn fold<F: Fold>(events: &[Recorded]) -> Rows<F> {
    let mut rows = Rows::default();
    for event in events {
        rows.apply(event);
    }
    rows
}

pub(crate) fn booking_event(position: i64, sequence: i64, event: BookingEvent) -> Recorded {
    recorded(
        position,
        &BOOKING.to_string(),
        sequence,
        DomainEvent::Booking(event),
    )
}

pub(crate) fn tax_place(rate: Option<i64>) -> TaxPlace {
    TaxPlace {
        jurisdiction: Jurisdiction {
            state: "CA".to_owned(),
            county: "Santa Clara".to_owned(),
            city: None,
        },
        rate_ppm: rate.map(RatePpm),
        rate_effective_from: rate.map(|_| "2021-07-01".parse().unwrap()),
        method: PlaceMethod::ZipOnly,
        confirmation: PlaceConfirmation::Needed,
    }
}

pub(crate) fn requested(total: i64) -> BookingRequested {
    let start = EventTime::resolve(
        "2026-12-05T18:00:00".parse().unwrap(),
        chrono_tz::America::Los_Angeles,
    );
    BookingRequested {
        number: domain::booking::Booking::number(BOOKING),
        customer_id: CUSTOMER,
        station_id: STATION,
        venue: Venue {
            street: sealed("street"),
            city: "San Jose".to_owned(),
            county: "Santa Clara".to_owned(),
            state: "CA".to_owned(),
            zip: "95112".parse().unwrap(),
        },
        blocked_from: start.utc - chrono::Duration::minutes(80),
        blocked_until: start.utc + chrono::Duration::minutes(150),
        start,
        guests: Guests {
            adults: 14,
            children: 2,
            under6: 1,
        },
        chefs_needed: 1,
        station_chefs: 2,
        by_name: 0,
        quote: Quote {
            lines: vec![QuoteLine {
                kind: LineKind::Guests,
                item: "adult".to_owned(),
                label: "Adult".to_owned(),
                quantity: 14,
                unit_cents: Cents(total / 14),
                total_cents: Cents(total),
            }],
            discount_cents: Cents::ZERO,
            total_cents: Cents(total),
            deposit_cents: Cents(10_000.min(total)),
            price_list_version: 1,
        },
        promo: None,
        counted_for: Some(CUSTOMER),
        policy: BookingPolicy::default(),
        deposit_due_at: at("2026-11-02T00:00:00Z"),
        tax_place: tax_place(Some(91_250)),
        travel: Travel {
            tenths_of_mile: 70,
            minutes: 20,
            source: "test".to_owned(),
        },
        source: Some("web".to_owned()),
        terms_version: None,
        note: Some(sealed("note")),
        requested_at: at("2026-11-01T00:00:00.123456789Z"),
    }
}

pub(crate) fn completed(total: i64, rate: Option<i64>) -> BookingCompleted {
    BookingCompleted {
        station_id: STATION,
        number: "N".to_owned(),
        event_on: "2026-12-05".parse().unwrap(),
        tax_on: None,
        guests: requested(total).guests,
        gross_cents: Cents(total),
        discount_cents: Cents(0),
        travel_cents: Cents(0),
        gratuity_cents: Cents(0),
        tax: rate.map(|rate| {
            let parts = tax::extract(Cents(total), RatePpm(rate));
            HeldTax {
                rate_ppm: RatePpm(rate),
                net_cents: parts.net_cents,
                tax_cents: parts.tax_cents,
            }
        }),
        tax_place: tax_place(rate),
        venue_zip: "95112".to_owned(),
        venue_city: "San Jose".to_owned(),
        venue_county: Some("Santa Clara".to_owned()),
        note: None,
        chefs: Vec::new(),
        taken_until: None,
        completed_at: at("2026-12-06T05:00:00Z"),
    }
}

pub(crate) fn paid_booking() -> PaidBooking {
    PaidBooking {
        booking_id: BOOKING,
        number: "N".to_owned(),
        station_id: STATION,
        event_on: "2026-12-05".parse().unwrap(),
        jurisdiction: tax_place(None).jurisdiction,
        rate_ppm: Some(RatePpm(91_250)),
    }
}

pub(crate) fn verified(position: i64, amount: i64, tip: i64) -> Recorded {
    let verified = PaymentVerified {
        booking: paid_booking(),
        method: PaymentMethod::Zelle,
        amount_cents: Cents(amount),
        tip_cents: Cents(tip),
        note: None,
        kind: None,
        fee_cents: Cents::ZERO,
        tip_choice: None,
        reference: None,
        reference_key: None,
        evidence: None,
        verified_by: None,
        verified_at: at("2026-11-02T00:00:00Z"),
    };
    let event = DomainEvent::Payment(PaymentEvent::Verified(verified));
    recorded(position, &PAYMENT.to_string(), 2, event)
}

/// The party of [`requested`] with other guests at a new price, from a total before.
pub(crate) fn guests_changed(before: i64, total: i64) -> BookingGuestCountChanged {
    let asked = requested(total);
    BookingGuestCountChanged {
        station_id: STATION,
        before: asked.guests,
        guests: Guests {
            adults: 20,
            ..asked.guests
        },
        chefs_before: 1,
        place: HeldPlace {
            blocked_from: asked.blocked_from,
            blocked_until: asked.blocked_until,
            chefs_needed: 2,
            station_chefs: 2,
            by_name: 0,
            room: Room::Asked,
        },
        total_before_cents: Cents(before),
        quote: asked.quote,
        by: ChangedBy::Customer,
        reason: None,
        changed_at: at("2026-11-05T00:00:00Z"),
    }
}

/// The party of [`requested`] a week later, for a total that it may have had before.
pub(crate) fn moved(before: i64, total: i64) -> BookingRescheduled {
    let asked = requested(total);
    let week = chrono::Duration::weeks(1);
    BookingRescheduled {
        station_id: STATION,
        start: EventTime::resolve(asked.start.local + week, asked.start.zone),
        before: asked.start,
        place: HeldPlace {
            blocked_from: asked.blocked_from + week,
            blocked_until: asked.blocked_until + week,
            chefs_needed: 1,
            station_chefs: 2,
            by_name: 0,
            room: Room::Asked,
        },
        deposit_due_at: None,
        venue: asked.venue,
        tax_place: asked.tax_place,
        travel: asked.travel,
        moved_from: None,
        total_before_cents: Cents(before),
        quote: asked.quote,
        fee_cents: None,
        by: ChangedBy::Customer,
        reason: Some("ill".to_owned()),
        rescheduled_at: at("2026-11-06T00:00:00Z"),
    }
}
