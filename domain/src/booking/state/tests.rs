use super::*;

mod changes;
mod crew;
mod kept;
mod promises;
mod promo;
mod tax;

use crate::booking::BookingEvent as E;
use crate::booking::CompleteBooking;
use crate::chef::Roster;
use crate::decider::Refusal;
use crate::envelope::{Claim, Sealed};
use crate::guests::Guests;
use crate::ids::{ChefId, CustomerId, StationId, SubjectId};
use crate::money::RatePpm;
use crate::place::{Travel, Venue};
use crate::price_list::{ItemAdded, ItemKind, PriceList, PriceListEvent};
use crate::quote::{LineKind, QuoteError};
use crate::station::{Station, StationChefJoined, StationCreated, StationEvent, StationSettings};
use crate::tax_period::TaxPeriods;
use crate::tax_rate::{Jurisdiction, PlaceConfirmation, PlaceMethod, TaxPlace};
use uuid::Uuid;

const NOW: &str = "2025-11-01T12:00:00Z";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn station(chefs: u128) -> Station {
    let mut station = Station::default();
    station.evolve(&StationEvent::Created(StationCreated {
        name: "San Jose".to_owned(),
        zone: chrono_tz::America::Los_Angeles,
        zip: "95112".parse().unwrap(),
        state: "CA".to_owned(),
        settings: StationSettings::default(),
    }));
    for chef in 1..=chefs {
        station.evolve(&StationEvent::ChefJoined(StationChefJoined {
            chef_id: ChefId(Uuid::from_u128(chef)),
            counted_at: None,
        }));
    }
    station
}

fn price_list() -> PriceList {
    let mut list = PriceList::default();
    list.evolve(&PriceListEvent::ItemAdded(ItemAdded {
        item: "adult".to_owned(),
        label: "Adult".to_owned(),
        kind: ItemKind::Adult,
        price_cents: Cents(85_118),
        min_cents: Cents(1),
        max_cents: Cents(1_000_000),
        effective_from: at("2025-01-01T00:00:00Z"),
    }));
    list
}

fn ask() -> RequestBooking {
    RequestBooking {
        booking_id: BookingId(Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0001)),
        customer_id: CustomerId(Uuid::nil()),
        station_id: StationId(Uuid::nil()),
        station: station(2),
        roster: Roster::default(),
        price_list: price_list(),
        venue: Venue {
            street: Sealed {
                subject: SubjectId(Uuid::nil()),
                sealed: String::new(),
            },
            city: "Milpitas".to_owned(),
            county: "Santa Clara".to_owned(),
            state: "CA".to_owned(),
            zip: "95035".parse().unwrap(),
        },
        tax_place: TaxPlace {
            jurisdiction: Jurisdiction {
                state: "CA".to_owned(),
                county: "Santa Clara".to_owned(),
                city: None,
            },
            rate_ppm: Some(RatePpm(91_250)),
            rate_effective_from: Some("2021-07-01".parse().unwrap()),
            method: PlaceMethod::CityZip,
            confirmation: PlaceConfirmation::NotNeeded,
        },
        travel: Travel {
            tenths_of_mile: 70,
            minutes: 20,
            source: "test".to_owned(),
        },
        start: "2025-12-06T18:00:00".parse().unwrap(),
        guests: Guests {
            adults: 1,
            children: 0,
            under6: 0,
        },
        add_ons: vec![],
        promo: None,
        source: None,
        terms_version: None,
        note: None,
        now: at(NOW),
    }
}

fn request(ask: RequestBooking) -> Result<Vec<E>, BookingError> {
    Booking::default().decide(BookingCommand::Request(Box::new(ask)))
}

fn given(commands: &[BookingCommand]) -> Booking {
    let mut booking = Booking::default();
    booking.evolve(&request(ask()).unwrap()[0]);
    for command in commands {
        for event in booking.decide(command.clone()).unwrap() {
            booking.evolve(&event);
        }
    }
    booking
}

fn confirm() -> BookingCommand {
    BookingCommand::Confirm {
        payment_id: PaymentId(Uuid::nil()),
        captured_cents: Cents(10_000),
        now: at(NOW),
    }
}

fn complete(now: &str) -> BookingCommand {
    BookingCommand::Complete(Box::new(CompleteBooking {
        note: None,
        tax_place: None,
        periods: TaxPeriods::default(),
        now: at(now),
    }))
}

fn cancel(by: CancelledBy, now: &str) -> BookingCommand {
    BookingCommand::Cancel {
        by,
        reason: "rain".to_owned(),
        kept: KeptDepositTax::NotASale,
        now: at(now),
    }
}

#[test]
fn a_request_holds_its_place_over_travel_setup_event_and_teardown() {
    let events = request(ask()).unwrap();
    let E::Requested(requested) = &events[0] else {
        panic!("{events:?}")
    };
    assert_eq!(requested.start.utc, at("2025-12-07T02:00:00Z"));
    assert_eq!(requested.blocked_from, at("2025-12-07T00:40:00Z"));
    assert_eq!(requested.blocked_until, at("2025-12-07T04:30:00Z"));
    assert_eq!(requested.deposit_due_at, at("2025-11-02T12:00:00Z"));
    assert_eq!(requested.number, "00000-00001");
    let [
        Claim::TakeCapacity { units, limit, .. },
        Claim::TakeCapacity { .. },
    ] = &crate::decider::Event::claims(&events[0])[..]
    else {
        panic!("the place, and that it is one of the customer's bookings")
    };
    assert_eq!((*units, *limit), (1, 2));
}

#[test]
fn a_request_that_cannot_be_served_is_refused() {
    let start = |text: &str| {
        request(RequestBooking {
            start: text.parse().unwrap(),
            ..ask()
        })
        .unwrap_err()
    };
    assert_eq!(
        start("2025-12-06T18:30:00"),
        BookingError::NotASlot {
            offered: "12:00, 15:00, 18:00, 21:00".to_owned()
        }
    );
    assert_eq!(start("2025-11-03T03:00:00").code(), "NOT_A_SLOT");
    assert_eq!(
        start("2025-11-02T12:00:00"),
        BookingError::TooSoon { lead_hours: 48 }
    );
    assert_eq!(
        start("2026-12-06T18:00:00"),
        BookingError::TooFar { horizon_days: 365 }
    );
    let guests = |adults| {
        request(RequestBooking {
            guests: Guests {
                adults,
                children: 0,
                under6: 0,
            },
            ..ask()
        })
    };
    assert_eq!(
        guests(51),
        Err(BookingError::PartyTooLarge {
            guests: 51,
            needed: 3,
            chefs: 2
        })
    );
    assert_eq!(guests(0).unwrap_err().code(), "GUESTS_REQUIRED");
    assert!(matches!(
        guests(10_000),
        Err(BookingError::Quote(QuoteError::Guests(_)))
    ));
    assert_eq!(
        request(RequestBooking {
            station: Station::default(),
            ..ask()
        }),
        Err(BookingError::StationNotFound)
    );
    assert_eq!(
        request(RequestBooking {
            source: Some("x".repeat(201)),
            ..ask()
        }),
        Err(BookingError::TooLong {
            what: "a source",
            max: 200
        })
    );
    let twice = given(&[]).decide(BookingCommand::Request(Box::new(ask())));
    assert_eq!(twice, Err(BookingError::Exists));
}

#[test]
fn the_deposit_confirms_and_less_does_not() {
    let short = BookingCommand::Confirm {
        payment_id: PaymentId(Uuid::nil()),
        captured_cents: Cents(9_999),
        now: at(NOW),
    };
    assert_eq!(
        given(&[]).decide(short),
        Err(BookingError::DepositShort {
            deposit: Cents(10_000),
            captured: Cents(9_999)
        })
    );
    assert_eq!(given(&[confirm()]).status(), Some(BookingStatus::Confirmed));
    assert_eq!(
        given(&[confirm()]).decide(confirm()),
        Err(BookingError::WrongState {
            status: "confirmed",
            wanted: "confirmed"
        })
    );
}

#[test]
fn an_event_is_completed_from_its_start_on_with_its_tax() {
    let booking = given(&[confirm()]);
    let start = at("2025-12-07T02:00:00Z");
    assert_eq!(
        booking.decide(complete("2025-12-07T01:59:59Z")),
        Err(BookingError::NotYetHeld { start })
    );
    let events = booking.decide(complete("2025-12-07T02:00:00Z")).unwrap();
    let E::Completed(held) = &events[0] else {
        panic!("{events:?}")
    };
    assert_eq!(held.event_on, "2025-12-06".parse().unwrap());
    let tax = held.tax.unwrap();
    assert_eq!((tax.net_cents, tax.tax_cents), (Cents(78_000), Cents(7_118)));
    assert_eq!(
        given(&[]).decide(complete("2025-12-07T02:00:00Z")),
        Err(BookingError::WrongState {
            status: "requested",
            wanted: "completed"
        })
    );
    assert_eq!(
        Booking::default().decide(complete(NOW)),
        Err(BookingError::NotFound)
    );
}

#[test]
fn a_cancellation_frees_the_place_and_proposes_what_the_terms_give_back() {
    let refund = |by, now: &str| {
        let events = given(&[confirm()]).decide(cancel(by, now)).unwrap();
        let [E::Cancelled(cancelled)] = &events[..] else {
            panic!("{events:?}")
        };
        assert!(matches!(
            crate::decider::Event::claims(&events[0])[..],
            [Claim::ReleaseCapacity { .. }, ..]
        ));
        assert_eq!(cancelled.was, Some(BookingStatus::Confirmed));
        cancelled.refund.clone()
    };
    let tier = |index: usize| RefundRule::Tier(price_list().policy().cancellation_tiers[index].clone());
    let by_customer = |now: &str| refund(CancelledBy::Customer, now);
    assert_eq!(by_customer("2025-11-05T00:00:00Z"), tier(0));
    assert_eq!(by_customer("2025-11-25T00:00:00Z"), tier(1));
    assert_eq!(by_customer("2025-12-03T00:00:00Z"), tier(2));
    assert_eq!(by_customer("2025-12-06T00:00:00Z"), RefundRule::Nothing);
    assert_eq!(
        refund(CancelledBy::Company, "2025-12-06T00:00:00Z"),
        RefundRule::Everything
    );
    let unexplained = BookingCommand::Cancel {
        by: CancelledBy::Company,
        reason: " ".to_owned(),
        kept: KeptDepositTax::NotASale,
        now: at(NOW),
    };
    assert_eq!(given(&[]).decide(unexplained), Err(BookingError::BadReason));
    let cancelled = given(&[cancel(CancelledBy::Customer, NOW)]);
    assert_eq!(
        cancelled.decide(cancel(CancelledBy::Customer, NOW)),
        Err(BookingError::WrongState {
            status: "cancelled",
            wanted: "cancelled"
        })
    );
}

#[test]
fn a_request_without_deposit_expires_when_it_is_due() {
    let expire = |now: &str| BookingCommand::Expire { now: at(now) };
    let due_at = at("2025-11-02T12:00:00Z");
    assert_eq!(
        given(&[]).decide(expire(NOW)),
        Err(BookingError::NotYetDue { due_at })
    );
    let events = given(&[]).decide(expire("2025-11-02T12:00:00Z")).unwrap();
    assert!(matches!(
        crate::decider::Event::claims(&events[0])[..],
        [Claim::ReleaseCapacity { .. }, Claim::ReleaseCapacity { .. }]
    ));
    assert_eq!(
        given(&[confirm()]).decide(expire("2025-11-02T12:00:00Z")),
        Err(BookingError::WrongState {
            status: "confirmed",
            wanted: "expired"
        })
    );
}

#[test]
fn every_event_of_a_booking_survives_its_stored_text() {
    let later = "2025-12-07T02:00:00Z";
    let mut events = request(ask()).unwrap();
    events.extend(given(&[]).decide(confirm()).unwrap());
    events.extend(given(&[confirm()]).decide(complete(later)).unwrap());
    events.extend(given(&[]).decide(cancel(CancelledBy::Customer, NOW)).unwrap());
    events.extend(
        given(&[])
            .decide(BookingCommand::Expire { now: at(later) })
            .unwrap(),
    );
    for event in events {
        use crate::decider::Event;
        assert_eq!(
            BookingEvent::decode(event.name(), event.version(), &event.payload()),
            Ok(event)
        );
    }
}
