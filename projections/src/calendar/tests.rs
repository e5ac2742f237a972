use domain::booking::BookingEvent;
use domain::ids::BookingId;
use domain::schedule::EventTime;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::testing::{BOOKING, booking_event, fold, requested};

const ZONE: Tz = chrono_tz::America::Los_Angeles;

/// A booking that takes chefs for so many minutes from a local time on.
fn booking(number: u128, from: &str, minutes: i64, chefs: i32) -> BookingRow {
    let asked = [booking_event(1, 1, BookingEvent::Requested(requested(85_118)))];
    let row = fold::<BookingList>(&asked).get(&BOOKING).cloned().unwrap();
    let blocked_from = EventTime::resolve(from.parse().unwrap(), ZONE).utc;
    BookingRow {
        booking_id: BookingId(Uuid::from_u128(number)),
        blocked_from,
        blocked_until: blocked_from + Duration::minutes(minutes),
        chefs_needed: chefs,
        ..row
    }
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn numbers(day: &Day) -> Vec<u128> {
    let entries = day.entries.iter();
    entries
        .map(|entry| entry.booking.booking_id.0.as_u128())
        .collect()
}

#[test]
fn a_booking_over_midnight_is_on_both_days_and_one_that_ends_there_on_its_own() {
    let bookings = vec![
        booking(2, "2026-12-05T21:00:00", 300, 1),
        booking(1, "2026-12-05T18:00:00", 360, 1),
        booking(3, "2026-12-06T00:00:00", 60, 1),
    ];
    let days = lay(bookings, day("2026-12-05"), day("2026-12-07"), ZONE);
    let told: Vec<_> = days.iter().map(|day| (numbers(day), day.chefs_taken)).collect();
    assert_eq!(told, [(vec![1, 2], 2), (vec![2, 3], 2), (vec![], 0)]);
    assert_eq!(
        days[1].entries[0].blocked_from_local.to_string(),
        "2026-12-05 21:00:00"
    );
    assert_eq!(
        days[1].entries[0].blocked_until_local.to_string(),
        "2026-12-06 02:00:00"
    );
}

#[test]
fn the_clocks_change_and_a_day_has_23_or_25_hours() {
    let spring = vec![booking(1, "2026-03-08T01:30:00", 120, 2)];
    let days = lay(spring, day("2026-03-08"), day("2026-03-08"), ZONE);
    assert_eq!((days[0].ends - days[0].begins).num_hours(), 23);
    let entry = &days[0].entries[0];
    assert_eq!(entry.blocked_until_local.to_string(), "2026-03-08 04:30:00");
    let autumn = lay(Vec::new(), day("2026-11-01"), day("2026-11-02"), ZONE);
    assert_eq!((autumn[0].ends - autumn[0].begins).num_hours(), 25);
    assert_eq!(autumn[0].ends, autumn[1].begins);
}

#[test]
fn chefs_are_taken_together_only_where_their_bookings_meet() {
    let bookings = vec![
        booking(1, "2026-12-05T10:00:00", 120, 2),
        booking(2, "2026-12-05T12:00:00", 120, 3),
        booking(3, "2026-12-05T13:00:00", 120, 1),
    ];
    let days = lay(bookings, day("2026-12-05"), day("2026-12-05"), ZONE);
    assert_eq!(days[0].chefs_taken, 4);
}

proptest! {
    #[test]
    fn a_booking_is_on_exactly_the_days_whose_midnights_it_reaches_past(
        bookings in proptest::collection::vec((0_i64..40_000, 1_i64..3_000), 0..30),
    ) {
        // Over both changes of the clocks of 2026.
        for from in ["2026-03-01", "2026-10-25"] {
            let from = day(from);
            let to = from + chrono::Days::new(20);
            let first = local_day::begins(from, ZONE) - Duration::days(3);
            let rows: Vec<BookingRow> = bookings
                .iter()
                .zip(1..)
                .map(|((start, minutes), number)| {
                    let blocked_from = first + Duration::minutes(*start);
                    BookingRow {
                        blocked_from,
                        blocked_until: blocked_from + Duration::minutes(*minutes),
                        ..booking(number, "2026-01-01T00:00:00", 1, 1)
                    }
                })
                .collect();
            for day in lay(rows.clone(), from, to, ZONE) {
                let mut expected: Vec<&BookingRow> = rows
                    .iter()
                    .filter(|row| {
                        let last = row.blocked_until - Duration::microseconds(1);
                        let local = |at: DateTime<Utc>| at.with_timezone(&ZONE).date_naive();
                        (local(row.blocked_from)..=local(last)).contains(&day.date)
                    })
                    .collect();
                expected.sort_by_key(|row| (row.blocked_from, row.booking_id));
                let expected: Vec<u128> = expected.iter().map(|row| row.booking_id.0.as_u128()).collect();
                prop_assert_eq!(numbers(&day), expected);
            }
        }
    }
}
