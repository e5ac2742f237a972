use domain::booking::{BookingChefUnassigned, BookingStatus, UnassignedBecause};
use domain::ids::ChefId;
use domain::money::RatePpm;
use domain::price_list::{
    BookingPolicy, ChangePolicy, MinimumSet, PriceListEvent, PricesOfChange, TravelBandSet,
};
use domain::tax_rate::TaxRateSet;

use super::super::{FieldChange, FieldType};
use super::*;
use crate::testing::{STATION, at, completed, guests_changed, moved, requested, tax_place, verified};

fn change(path: &str, kind: FieldType, before: Option<&str>, after: &str) -> FieldChange {
    FieldChange {
        path: path.to_owned(),
        kind,
        before: before.map(str::to_owned),
        after: Some(after.to_owned()),
    }
}

#[test]
fn a_request_is_told_without_whom_it_is_for() {
    let request = DomainEvent::Booking(BookingEvent::Requested(requested(83_920)));
    let told = describe(&request);
    let number = domain::booking::Booking::number(crate::testing::BOOKING);
    assert_eq!(
        told.summary,
        format!(
            "Booking {number} requested for 17 guests at San Jose 95112 on 2026-12-05 18:00, total 839.20"
        )
    );
    assert!(told.redacted);
    let all = format!("{told:?}");
    assert!(!all.contains("street") && !all.contains("note"), "{all}");
    assert_eq!(
        told.changes,
        [
            change("status", FieldType::Status, None, "requested"),
            change("start", FieldType::Instant, None, "2026-12-06T02:00:00Z"),
            change("guests", FieldType::Count, None, "17"),
            change("total", FieldType::Money, None, "839.20"),
            change("deposit", FieldType::Money, None, "100.00"),
            change("deposit_due_at", FieldType::Instant, None, "2026-11-02T00:00:00Z"),
        ]
    );
}

#[test]
fn a_status_is_told_before_and_after() {
    let held = BookingEvent::Completed(completed(85_118, Some(91_250)));
    let told = describe(&DomainEvent::Booking(held));
    assert_eq!(
        told.changes,
        [
            change("status", FieldType::Status, Some("confirmed"), "completed"),
            change("tax.rate", FieldType::Rate, None, "0.09125"),
            change("tax.amount", FieldType::Money, None, "71.18"),
        ]
    );
    let told = describe(&verified(1, 50_000, 10_000).event);
    assert_eq!(
        told.summary,
        "Payment of 500.00 and a tip of 100.00 by zelle for booking N verified"
    );
}

#[test]
fn a_cancellation_tells_where_the_booking_stood_where_its_event_says_so() {
    let status = |was| {
        let cancelled = BookingCancelled {
            station_id: STATION,
            by: CancelledBy::Customer,
            reason: "ill".to_owned(),
            hours_before: 200,
            was,
            refund: RefundRule::Nothing,
            cancelled_at: at("2026-11-20T00:00:00Z"),
        };
        let told = describe(&DomainEvent::Booking(BookingEvent::Cancelled(cancelled)));
        told.changes[0].clone()
    };
    let confirmed = status(Some(BookingStatus::Confirmed));
    assert_eq!(
        confirmed,
        change("status", FieldType::Status, Some("confirmed"), "cancelled")
    );
    assert_eq!(status(None).before, None);
}

#[test]
fn a_change_of_a_booking_is_told_with_what_was_before_it() {
    let told = |event| describe(&DomainEvent::Booking(event));
    let grown = told(BookingEvent::GuestCountChanged(guests_changed(85_118, 120_000)));
    assert_eq!(grown.summary, "Guests changed from 17 to 23, total 1200.00");
    assert_eq!(
        grown.changes,
        [
            change("guests", FieldType::Count, Some("17"), "23"),
            change("total", FieldType::Money, Some("851.18"), "1200.00"),
            change("chefs_needed", FieldType::Count, Some("1"), "2"),
        ]
    );
    let later = told(BookingEvent::Rescheduled(moved(85_118, 90_118)));
    assert_eq!((later.reason.as_deref(), later.redacted), (Some("ill"), true));
    assert_eq!(
        later.changes,
        [
            change(
                "start",
                FieldType::Instant,
                Some("2026-12-06T02:00:00Z"),
                "2026-12-13T02:00:00Z"
            ),
            change("total", FieldType::Money, Some("851.18"), "901.18"),
        ]
    );
    let chef = ChefId(uuid::Uuid::from_u128(11));
    let off = told(BookingEvent::ChefUnassigned(BookingChefUnassigned {
        station_id: STATION,
        chef_id: chef,
        because: UnassignedBecause::Rescheduled,
        reason: None,
        unassigned_at: at("2026-11-06T00:00:00Z"),
    }));
    assert_eq!(off.summary, "A chef taken off the booking as the party was moved");
    let gone = &off.changes[0];
    assert_eq!(
        (gone.kind, gone.before.as_deref(), gone.after.as_deref()),
        (FieldType::Id, Some(chef.to_string().as_str()), None)
    );
}

#[test]
fn how_a_booking_may_be_changed_is_told_where_it_is_not_as_it_was() {
    let terms = |fee, prices, before| BookingPolicy {
        changes: ChangePolicy {
            reschedule_fee_cents: fee,
            prices,
            ..ChangePolicy::default()
        },
        before,
        ..BookingPolicy::default()
    };
    let first = terms(None, PricesOfChange::Current, Some(Box::default()));
    let told = describe(&DomainEvent::PriceList(PriceListEvent::PolicySet(first.clone())));
    let fee = FieldChange {
        path: "policy.changes.reschedule_fee".to_owned(),
        kind: FieldType::Money,
        before: Some("50.00".to_owned()),
        after: None,
    };
    let prices = change(
        "policy.changes.prices",
        FieldType::Status,
        Some("as requested"),
        "current",
    );
    assert_eq!(told.changes[3..], [fee, prices]);
    let same = terms(None, PricesOfChange::Current, Some(Box::new(first)));
    let told = describe(&DomainEvent::PriceList(PriceListEvent::PolicySet(same)));
    assert_eq!(told.changes.len(), 3);
}

#[test]
fn what_was_set_before_is_told_beside_what_is_set_now() {
    let band = |free_miles, before| TravelBandSet {
        free_miles,
        per_mile_cents: Cents(200),
        max_miles: 80,
        before,
    };
    let set = PriceListEvent::TravelBandSet(band(30, Some(Box::new(band(25, None)))));
    let told = describe(&DomainEvent::PriceList(set));
    assert_eq!(
        told.changes[0],
        change("travel.free_miles", FieldType::Count, Some("25"), "30")
    );
    let least = |weekday, before| MinimumSet {
        weekday_cents: Cents(weekday),
        weekend_cents: Cents(60_000),
        below: domain::price_list::BelowMinimum::TopUp,
        before,
    };
    let set = PriceListEvent::MinimumSet(least(55_000, Some(Box::new(least(50_000, None)))));
    let told = describe(&DomainEvent::PriceList(set));
    assert_eq!(
        told.changes[0],
        change("minimum.weekday", FieldType::Money, Some("500.00"), "550.00")
    );
    let terms = BookingPolicy {
        deposit_cents: Cents(20_000),
        before: Some(Box::default()),
        ..BookingPolicy::default()
    };
    let told = describe(&DomainEvent::PriceList(PriceListEvent::PolicySet(terms)));
    assert_eq!(
        told.changes[0],
        change("policy.deposit", FieldType::Money, Some("100.00"), "200.00")
    );
    let set = TaxRateSet {
        jurisdiction: tax_place(None).jurisdiction,
        rate_ppm: RatePpm(97_500),
        effective_from: "2026-04-01".parse().unwrap(),
        effective_until: None,
        source: "CDTFA".to_owned(),
        before_ppm: Some(RatePpm(91_250)),
    };
    let told = describe(&DomainEvent::TaxRate(TaxRateEvent::Set(set)));
    assert_eq!(
        told.changes[0],
        change("rate", FieldType::Rate, Some("0.09125"), "0.0975")
    );
    assert_eq!(
        told.changes[1],
        change("effective_from", FieldType::Date, None, "2026-04-01")
    );
}
