use domain::booking::{BookingCancelled, BookingExpired, BookingStatus, CancelledBy, RefundRule};
use domain::money::{Cents, RatePpm};
use domain::promo_code::{
    AppliedPromo, Discount, PromoAudience, PromoCodeChanged, PromoCodeCreated, PromoCodeEnded,
};
use uuid::Uuid;

use super::*;
use crate::testing::{CUSTOMER, STATION, at, booking_event, fold, recorded, requested};

const PROMO: PromoCodeId = PromoCodeId(Uuid::from_u128(77));

fn terms(limit: i32) -> PromoTerms {
    PromoTerms {
        discount: Discount::Percent {
            rate_ppm: RatePpm(100_000),
        },
        starts_at: at("2026-01-01T00:00:00Z"),
        ends_at: Some(at("2027-01-01T00:00:00Z")),
        minimum_cents: Cents::ZERO,
        limit_total: Some(limit),
        limit_per_customer: None,
        audience: PromoAudience::Everybody,
        stations: Vec::new(),
        customer_id: None,
    }
}

fn of_code(position: i64, event: PromoCodeEvent) -> Recorded {
    recorded(
        position,
        &PROMO.to_string(),
        position,
        DomainEvent::PromoCode(event),
    )
}

fn created() -> Recorded {
    let event = PromoCodeEvent::Created(PromoCodeCreated {
        code: "SPRING".to_owned(),
        terms: terms(2),
        created_at: at("2026-01-01T00:00:00Z"),
    });
    of_code(1, event)
}

fn hold() -> Option<CustomerHold> {
    Some(CustomerHold {
        customer_id: CUSTOMER,
        promo: Some(AppliedPromo {
            promo_id: PROMO,
            code: "SPRING".to_owned(),
            discount: terms(2).discount,
            minimum_cents: Cents::ZERO,
            limit_total: Some(2),
            limit_per_customer: None,
            audience: PromoAudience::Everybody,
        }),
    })
}

fn asked(position: i64) -> Recorded {
    let mut requested = requested(85_118);
    requested.promo = hold().and_then(|hold| hold.promo);
    booking_event(position, 1, BookingEvent::Requested(requested))
}

fn cancelled(position: i64, gives_back: Option<CustomerHold>) -> Recorded {
    let cancelled = BookingCancelled {
        station_id: STATION,
        by: CancelledBy::Customer,
        reason: "ill".to_owned(),
        hours_before: 200,
        was: Some(BookingStatus::Requested),
        refund: RefundRule::Nothing,
        gives_back,
        kept: domain::tax_account::KeptDepositTax::NotASale,
        cancelled_at: at("2026-11-20T00:00:00Z"),
    };
    booking_event(position, 2, BookingEvent::Cancelled(cancelled))
}

fn row(events: &[Recorded]) -> PromoRow {
    fold::<PromoList>(events).get(&PROMO).unwrap().clone()
}

#[test]
fn a_code_counts_the_bookings_that_hold_a_use_of_it() {
    let uses = |events: &[Recorded]| row(events).uses;
    assert_eq!(uses(&[created(), asked(2), asked(3)]), 2);
    assert_eq!(uses(&[created(), asked(2), cancelled(3, hold())]), 0);
    assert_eq!(uses(&[created(), asked(2), cancelled(3, None)]), 1);
    let expired = BookingEvent::Expired(BookingExpired {
        station_id: STATION,
        due_at: at("2026-11-02T00:00:00Z"),
        gives_back: hold(),
        expired_at: at("2026-11-02T00:00:01Z"),
    });
    assert_eq!(uses(&[created(), asked(2), booking_event(3, 2, expired)]), 0);
}

#[test]
fn a_code_is_active_within_its_window_until_it_is_used_up_or_ended() {
    let active = |events: &[Recorded], when| row(events).is_active(at(when));
    assert!(!active(&[created()], "2025-12-31T23:59:59Z"));
    assert!(active(&[created()], "2026-01-01T00:00:00Z"));
    assert!(!active(&[created()], "2027-01-01T00:00:00Z"));
    let full = [created(), asked(2), asked(3)];
    assert!(!active(&full, "2026-06-01T00:00:00Z"));
    let changed = PromoCodeEvent::Changed(PromoCodeChanged {
        before: terms(2),
        terms: terms(3),
        reason: "it goes well".to_owned(),
        changed_at: at("2026-05-01T00:00:00Z"),
    });
    let more = [full.as_slice(), &[of_code(4, changed)]].concat();
    assert!(active(&more, "2026-06-01T00:00:00Z"));
    let ended = PromoCodeEvent::Ended(PromoCodeEnded {
        reason: "enough".to_owned(),
        ended_at: at("2026-05-02T00:00:00Z"),
    });
    let over = [more.as_slice(), &[of_code(5, ended)]].concat();
    assert!(!active(&over, "2026-06-01T00:00:00Z"));
    assert_eq!((row(&over).version, row(&over).uses), (5, 2));
}
