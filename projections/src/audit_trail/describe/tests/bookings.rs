use domain::booking::{
    BookingChefAssigned, BookingChefUnassigned, BookingGuestCountChanged, BookingMenuChanged,
    BookingRescheduled, BookingStatus, ByName, ChangedBy, MovedFrom, UnassignedBecause,
};
use domain::chef::ChefCapsSet;
use domain::guests::Guests;
use domain::ids::ChefId;
use domain::money::{Cents, RatePpm};
use domain::quote::AddOn;

use super::*;
use crate::testing::{STATION, at, completed, guests_changed, moved, requested, verified};

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
            gives_back: None,
            kept: KeptDepositTax::NotASale,
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
    assert_eq!(
        grown.summary,
        "Guests changed from 14 adults, 2 children, 1 under 6 to 20 adults, 2 children, 1 under 6, total 1200.00"
    );
    assert_eq!(
        grown.changes,
        [
            change("guests", FieldType::Count, Some("17"), "23"),
            change("guests.adults", FieldType::Count, Some("14"), "20"),
            change("chefs_needed", FieldType::Count, Some("1"), "2"),
            change("total", FieldType::Money, Some("851.18"), "1200.00"),
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
        place: None,
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
fn a_party_that_only_changes_its_kinds_of_guests_is_told_by_kind() {
    let guests = |adults, children| Guests {
        adults,
        children,
        under6: 0,
    };
    let changed = BookingGuestCountChanged {
        before: guests(10, 0),
        guests: guests(8, 2),
        chefs_before: 2,
        ..guests_changed(85_118, 80_000)
    };
    let told = describe(&DomainEvent::Booking(BookingEvent::GuestCountChanged(changed)));
    assert_eq!(
        told.summary,
        "Guests changed from 10 adults to 8 adults, 2 children, total 800.00"
    );
    assert_eq!(
        told.changes,
        [
            change("guests.adults", FieldType::Count, Some("10"), "8"),
            change("guests.children", FieldType::Count, Some("0"), "2"),
            change("total", FieldType::Money, Some("851.18"), "800.00"),
        ]
    );
}

#[test]
fn extras_are_told_each_with_how_many_there_were() {
    let add_on = |item: &str, quantity| AddOn {
        item: item.to_owned(),
        quantity,
    };
    let asked = requested(90_118);
    let now = asked.quote.add_ons();
    let menu = |add_ons_before| {
        let changed = BookingMenuChanged {
            station_id: STATION,
            total_before_cents: Cents(85_118),
            quote: asked.quote.clone(),
            add_ons_before,
            by: ChangedBy::Customer,
            reason: None,
            changed_at: at("2026-11-05T00:00:00Z"),
        };
        describe(&DomainEvent::Booking(BookingEvent::MenuChanged(changed))).changes
    };
    let total = change("total", FieldType::Money, Some("851.18"), "901.18");
    assert_eq!(
        menu(None),
        std::slice::from_ref(&total),
        "as programs before wrote it"
    );
    let mut before = now;
    before.push(add_on("lobster", 3));
    let gone = change("add_ons.lobster", FieldType::Count, Some("3"), "0");
    assert_eq!(menu(Some(before)), [gone, total]);
}

#[test]
fn a_move_to_another_place_is_told_with_the_place_before() {
    let event = moved(85_118, 90_118);
    let from = MovedFrom {
        city: "Milpitas".to_owned(),
        state: event.venue.state.clone(),
        zip: "95035".parse().unwrap(),
        travel: domain::place::Travel {
            tenths_of_mile: event.travel.tenths_of_mile + 105,
            ..event.travel.clone()
        },
        tax_place: domain::tax_rate::TaxPlace {
            rate_ppm: Some(RatePpm(93_750)),
            ..event.tax_place.clone()
        },
        deposit_due_at: None,
    };
    let rate = event.tax_place.rate_ppm;
    let miles = |tenths: i64| format!("{}.{}", tenths / 10, tenths % 10);
    let (far, near) = (
        miles(from.travel.tenths_of_mile),
        miles(event.travel.tenths_of_mile),
    );
    let event = BookingRescheduled {
        start: event.before.clone(),
        moved_from: Some(Box::new(from)),
        ..event
    };
    let told = describe(&DomainEvent::Booking(BookingEvent::Rescheduled(event)));
    let rate = FieldChange {
        after: rate.map(|rate| rate.to_string()),
        ..change("tax.rate", FieldType::Rate, Some("0.09375"), "")
    };
    assert_eq!(
        told.changes,
        [
            change("venue.city", FieldType::Text, Some("Milpitas"), "San Jose"),
            change("venue.zip", FieldType::Text, Some("95035"), "95112"),
            change("travel.miles", FieldType::Text, Some(&far), &near),
            rate,
            change("total", FieldType::Money, Some("851.18"), "901.18"),
        ]
    );
}

#[test]
fn a_move_that_leaves_less_time_to_pay_is_told_with_the_time_before() {
    let event = moved(85_118, 85_118);
    let from = MovedFrom {
        city: event.venue.city.clone(),
        state: event.venue.state.clone(),
        zip: event.venue.zip.clone(),
        travel: event.travel.clone(),
        tax_place: event.tax_place.clone(),
        deposit_due_at: Some(at("2026-11-09T00:00:00Z")),
    };
    let due = |moved_from| {
        let event = BookingRescheduled {
            deposit_due_at: Some(at("2026-11-08T02:00:00Z")),
            moved_from,
            ..event.clone()
        };
        let told = describe(&DomainEvent::Booking(BookingEvent::Rescheduled(event)));
        let due = |change: &FieldChange| change.path == "deposit_due_at";
        told.changes.into_iter().find(due)
    };
    let earlier = |before| {
        let after = "2026-11-08T02:00:00Z";
        Some(change("deposit_due_at", FieldType::Instant, before, after))
    };
    assert_eq!(due(Some(Box::new(from))), earlier(Some("2026-11-09T00:00:00Z")));
    assert_eq!(due(None), earlier(None), "as programs before wrote it");
}

#[test]
fn a_chef_who_is_held_by_name_is_told_as_one() {
    let chef = ChefId(uuid::Uuid::from_u128(11));
    let asked = requested(85_118);
    let told = |by_name| {
        let assigned = BookingChefAssigned {
            station_id: STATION,
            number: asked.number.clone(),
            chef_id: chef,
            blocked_from: asked.blocked_from,
            blocked_until: asked.blocked_until,
            zone: asked.start.zone,
            day: (asked.blocked_from, asked.blocked_until),
            week: (asked.blocked_from, asked.blocked_until),
            caps: ChefCapsSet::default(),
            by_name,
            place: None,
            assigned_at: at("2026-11-06T00:00:00Z"),
        };
        describe(&DomainEvent::Booking(BookingEvent::ChefAssigned(assigned)))
    };
    let who = change("chefs", FieldType::Id, None, &chef.to_string());
    let counted = told(ByName::No);
    assert_eq!(counted.summary, "A chef assigned to the booking");
    assert_eq!(counted.changes, std::slice::from_ref(&who));
    let named = told(ByName::Yes);
    assert_eq!(
        named.summary,
        "A chef of several stations held by name for the booking"
    );
    assert_eq!(
        named.changes,
        [who, change("chefs.by_name", FieldType::Flag, None, "true")]
    );
}
