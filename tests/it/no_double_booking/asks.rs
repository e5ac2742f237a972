//! What is asked for, and who gives the command.

use std::sync::Arc;

use chrono::{Duration, NaiveDate, NaiveDateTime};
use commands::booking::{
    BookingChef, BookingChefRelease, BookingDelete, BookingGuestCountChange, BookingInput, BookingReschedule,
    BookingRestore, CustomerInput, OnBehalfOf, SmsConsent, VenueInput,
};
use commands::chef::ChefChange;
use commands::{Caller, CommandError, Commands, IdempotencyKey, Written};
use domain::booking::{CancelledBy, FeeAgreed};
use domain::chef::{ChefCommand, ChefTimeOffAdded};
use domain::guests::Guests;
use domain::ids::{BookingId, ChefId, StationId};
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::company::Company;

/// Something that somebody asks for.
#[derive(Debug, Clone)]
pub(super) enum Ask {
    Request(StationId, NaiveDateTime, i32),
    TimeOff(ChefId, NaiveDate),
    Complete(BookingId),
    Reschedule(BookingId, NaiveDateTime),
    Guests(BookingId, i32),
    Cancel(BookingId),
    Delete(BookingId),
    Restore(BookingId),
    Assign(BookingId, ChefId),
    Unassign(BookingId, ChefId),
}

/// One of few slots, so that they are fought for.
fn slot(random: &mut ChaCha8Rng) -> NaiveDateTime {
    let day =
        NaiveDate::from_ymd_opt(2026, 3, 14).expect("a day") + Duration::days(random.random_range(0..3));
    let hour = *[12, 15, 18, 21].choose(random).expect("there are some");
    day.and_hms_opt(hour, 0, 0).expect("a whole hour")
}

/// Something to ask for, of the youngest bookings most of all.
pub(super) fn ask(random: &mut ChaCha8Rng, company: &Company, bookings: &[BookingId]) -> Ask {
    let station = *[company.san_jose, company.sacramento, company.sacramento]
        .choose(random)
        .expect("there are some");
    let guests = *[8, 20, 26, 40, 51].choose(random).expect("there are some");
    // Of the youngest: most of the old ones are off by now.
    let young = &bookings[bookings.len().saturating_sub(24)..];
    let Some(booking) = young.choose(random).copied() else {
        return Ask::Request(station, slot(random), guests);
    };
    let chef = *company.chefs.choose(random).expect("there are some");
    match random.random_range(0..20) {
        0..4 => Ask::Request(station, slot(random), guests),
        15..18 => Ask::Complete(booking),
        18 => Ask::TimeOff(
            *company.may_be_off.choose(random).expect("there are some"),
            slot(random).date(),
        ),
        4..7 => Ask::Reschedule(booking, slot(random)),
        7..9 => Ask::Guests(booking, guests),
        9 => Ask::Cancel(booking),
        10 => Ask::Delete(booking),
        11 => Ask::Restore(booking),
        12..15 => Ask::Assign(booking, chef),
        _ => Ask::Unassign(booking, chef),
    }
}

fn party(
    company: &Company,
    station: StationId,
    name: &str,
    start: NaiveDateTime,
    adults: i32,
) -> BookingInput {
    let (city, zip) = if station == company.san_jose {
        ("San Jose", "95112")
    } else {
        ("Sacramento", "95814")
    };
    BookingInput {
        station: Some(station),
        customer: CustomerInput {
            id: None,
            name: Some(name.to_owned()),
            email: Some(format!("{name}@example.com")),
            phone: None,
            sms_consent: SmsConsent::NotGiven,
        },
        venue: VenueInput {
            street: "1 Main St".to_owned(),
            city: city.to_owned(),
            state: "CA".to_owned(),
            zip: zip.to_owned(),
            county: None,
        },
        start,
        guests: Guests {
            adults,
            children: 0,
            under6: 0,
        },
        add_ons: vec![],
        promo_code: None,
        source: None,
        terms_version: None,
        note: None,
    }
}

/// Gives the command.
pub(super) async fn give(
    commands: Commands,
    caller: Caller,
    company: Arc<Company>,
    name: String,
    ask: Ask,
) -> Result<Written, CommandError> {
    let key = IdempotencyKey::of_reaction("test", &name);
    let expected_version = None;
    match ask {
        Ask::Request(station, start, adults) => {
            let input = party(&company, station, &name, start, adults);
            commands.request_booking(caller, key, input).await
        }
        Ask::Reschedule(booking_id, start) => {
            let ask = BookingReschedule {
                booking_id,
                expected_version,
                start,
                venue: None,
                fee: FeeAgreed::Yes,
                on_behalf_of: OnBehalfOf::Customer,
                reason: None,
            };
            commands.reschedule_booking(caller, key, ask).await
        }
        Ask::Guests(booking_id, adults) => {
            let ask = BookingGuestCountChange {
                booking_id,
                expected_version,
                guests: Guests {
                    adults,
                    children: 0,
                    under6: 0,
                },
                reason: None,
            };
            commands.change_guest_count(caller, key, ask).await
        }
        Ask::TimeOff(chef_id, day) => {
            let off = ChefTimeOffAdded {
                from: day,
                to: day,
                reason: None,
            };
            let ask = ChefChange {
                chef_id,
                expected_version,
                command: ChefCommand::AddTimeOff(off),
            };
            commands.change_chef(caller, key, ask).await
        }
        Ask::Complete(id) => commands.complete_booking(caller, key, id, None, None).await,
        Ask::Cancel(id) => {
            let why = "plans changed".to_owned();
            commands
                .cancel_booking(caller, key, id, None, CancelledBy::Customer, why)
                .await
        }
        Ask::Delete(booking_id) => {
            let ask = BookingDelete {
                booking_id,
                expected_version,
                reason: "made by mistake".to_owned(),
            };
            commands.delete_booking(caller, key, ask).await
        }
        Ask::Restore(booking_id) => {
            let ask = BookingRestore {
                booking_id,
                expected_version,
                reason: None,
            };
            commands.restore_booking(caller, key, ask).await
        }
        Ask::Assign(booking_id, chef_id) => {
            let ask = BookingChef {
                booking_id,
                expected_version,
                chef_id,
            };
            commands.assign_chef(caller, key, ask).await
        }
        Ask::Unassign(booking_id, chef_id) => {
            let ask = BookingChefRelease {
                booking_id,
                expected_version,
                chef_id,
                reason: None,
            };
            commands.unassign_chef(caller, key, ask).await
        }
    }
}
