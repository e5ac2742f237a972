use domain::booking::{
    BookingChefUnassigned, BookingGuestCountChanged, BookingMenuChanged, BookingRescheduled, BookingStatus,
    ChangedBy, MovedFrom, UnassignedBecause,
};
use domain::chef::{
    CapsBefore, ChefAvailabilitySet, ChefCapsSet, ChefDateExceptionSet, ChefEvent, ChefSkillsSet, Hours,
    WeeklyHours,
};
use domain::guests::Guests;
use domain::ids::ChefId;
use domain::money::{Cents, RatePpm};
use domain::price_list::{
    BookingPolicy, ChangePolicy, MinimumSet, PriceListEvent, PricesOfChange, TravelBandSet,
};
use domain::quote::AddOn;
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
            gives_back: None,
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
        zips: Vec::new(),
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
fn what_a_chef_could_and_when_is_told_beside_what_is_set() {
    let told = |event| describe(&DomainEvent::Chef(event));
    let hours = |from: &str, until: &str| Hours {
        from: from.parse().unwrap(),
        until: until.parse().unwrap(),
    };
    let week = |day, hours: Hours| WeeklyHours {
        day,
        from: hours.from,
        until: hours.until,
    };
    let saturday = week(chrono::Weekday::Sat, hours("12:00:00", "02:00:00"));
    let sunday = week(chrono::Weekday::Sun, hours("10:00:00", "20:00:00"));
    let set = told(ChefEvent::AvailabilitySet(ChefAvailabilitySet {
        weekly: vec![saturday, sunday],
        before: Some(vec![saturday]),
    }));
    assert_eq!(set.summary, "Chef's week set: Sat 12:00-02:00, Sun 10:00-20:00");
    assert_eq!(
        set.changes,
        [change(
            "weekly",
            FieldType::Text,
            Some("Sat 12:00-02:00"),
            "Sat 12:00-02:00, Sun 10:00-20:00"
        )]
    );
    let day = |hours, before| {
        told(ChefEvent::DateExceptionSet(ChefDateExceptionSet {
            on: "2026-03-14".parse().unwrap(),
            hours,
            before,
        }))
    };
    let evening = vec![hours("16:00:00", "22:00:00")];
    let free = day(Some(vec![]), Some(evening.clone()));
    assert_eq!(free.summary, "Chef's times on 2026-03-14 set: none");
    assert_eq!(
        free.changes,
        [change(
            "days.2026-03-14",
            FieldType::Text,
            Some("16:00-22:00"),
            "none"
        )]
    );
    let back = day(None, Some(evening));
    assert_eq!(
        (
            back.changes[0].before.as_deref(),
            back.changes[0].after.as_deref()
        ),
        (Some("16:00-22:00"), None)
    );
    assert_eq!(day(None, None).changes, []);
    let skills = told(ChefEvent::SkillsSet(ChefSkillsSet {
        skills: vec!["vegan".to_owned(), "halal".to_owned()],
        before: Some(vec!["vegan".to_owned()]),
    }));
    assert_eq!(
        skills.changes,
        [change("skills", FieldType::Text, Some("vegan"), "vegan, halal")]
    );
    let caps = told(ChefEvent::CapsSet(ChefCapsSet {
        per_day: Some(2),
        per_week: None,
        before: Some(CapsBefore {
            per_day: Some(1),
            per_week: Some(5),
        }),
    }));
    let none = FieldChange {
        after: None,
        ..change("per_week", FieldType::Count, Some("5"), "")
    };
    assert_eq!(
        caps.changes,
        [change("per_day", FieldType::Count, Some("1"), "2"), none]
    );
}
