use std::collections::HashSet;

use proptest::prelude::*;
use uuid::Uuid;

use super::select_memory;
use super::*;
use crate::booking_list::{BookingList, BookingRow};
use crate::testing::{BOOKING, booking_event, fold, requested};
use domain::booking::BookingEvent;

const BY_START: Order = Order::ascending(&["start_utc", "booking_id"]);
const LATEST: Order = Order::descending(&["requested_at", "booking_id"]);

fn sample() -> BookingRow {
    let rows = fold::<BookingList>(&[booking_event(1, 1, BookingEvent::Requested(requested(85_118)))]);
    rows.get(&BOOKING).cloned().unwrap()
}

#[test]
fn every_projection_has_a_name_of_its_own_and_looks_at_events_that_there_are() {
    let names: HashSet<&str> = registry().iter().map(|projection| projection.name()).collect();
    assert_eq!(names.len(), registry().len());
    assert!(matches!(projection("nothing"), Err(ProjectionError::Unknown(_))));
    let known: HashSet<&str> = domain::recorded::catalogue()
        .into_iter()
        .map(|kind| kind.name)
        .collect();
    for projection in registry() {
        let unknown: Vec<_> = projection
            .event_types()
            .iter()
            .filter(|name| !known.contains(*name))
            .collect();
        assert!(unknown.is_empty(), "{}: {unknown:?}", projection.name());
    }
}

#[test]
fn a_cursor_holds_in_its_own_list_and_order_only() {
    let row = sample();
    let cursor = Cursor::of(&row, BY_START);
    assert_eq!(cursor.read::<BookingRow>(BY_START).unwrap(), BY_START.place(&row));
    assert_eq!(cursor.read::<BookingRow>(LATEST), Err(BadCursor));
    let descending = Order {
        direction: Direction::Descending,
        ..BY_START
    };
    assert_eq!(cursor.read::<BookingRow>(descending), Err(BadCursor));
    for broken in [
        "",
        "x",
        "e30",
        "bnVsbA",
        "💥",
        cursor.as_str().trim_end_matches(char::is_alphanumeric),
    ] {
        assert_eq!(
            Cursor::from(broken.to_owned()).read::<BookingRow>(BY_START),
            Err(BadCursor),
            "{broken}"
        );
    }
}

#[test]
fn a_row_survives_its_json() {
    let row = sample();
    let json = serde_json::to_string(&row).unwrap();
    assert_eq!(serde_json::from_str::<BookingRow>(&json).unwrap(), row);
}

fn rows(starts: &[i64]) -> Vec<BookingRow> {
    let row = |(index, seconds): (usize, &i64)| {
        let mut row = sample();
        row.booking_id.0 = Uuid::from_u128(u128::try_from(index).unwrap());
        row.start_utc += chrono::Duration::seconds(*seconds);
        row
    };
    starts.iter().enumerate().map(row).collect()
}

proptest! {
    #[test]
    fn pages_show_every_row_once_in_order(starts in prop::collection::vec(0_i64..5, 0..20), first in 1_u16..6) {
        let all = rows(&starts);
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let select = Select { conditions: vec![], order: BY_START, after, first };
            let mut sieve = select_memory::Sieve::page(select.clone()).unwrap();
            all.iter().for_each(|row| sieve.offer(row));
            let mut page = sieve.into_rows();
            let more = page.len() > usize::from(first);
            page.truncate(usize::from(first));
            after = page.last().map(|row| Cursor::of(row, BY_START));
            seen.extend(page);
            if !more {
                break;
            }
        }
        let mut sorted = all;
        sorted.sort_by_key(|row| (row.start_utc, row.booking_id));
        prop_assert_eq!(seen, sorted);
    }

    #[test]
    fn no_text_as_a_cursor_makes_it_panic(text in ".{0,60}") {
        let _ = Cursor::from(text).read::<BookingRow>(BY_START);
    }
}
