use super::*;
use domain::tax_account::TaxFigures;

use crate::testing::{at, booking_event, completed, fold, requested, tax_place, verified};

/// The party's tax is owed in another county, at another rate.
fn corrected(position: i64) -> Recorded {
    let mut there = tax_place(Some(102_500));
    there.jurisdiction.county = "Alameda".to_owned();
    let adjusted = BookingTaxAdjusted {
        station_id: crate::testing::STATION,
        number: "N".to_owned(),
        event_on: "2026-12-05".parse().unwrap(),
        tax_on: "2026-12-05".parse().unwrap(),
        kind: TaxAdjustment::CorrectedTo,
        tax_place: there,
        venue_zip: "94536".to_owned(),
        venue_city: "Fremont".to_owned(),
        venue_county: "Alameda".to_owned(),
        figures: TaxFigures::default(),
        parties: None,
        kept: None,
        payment: None,
        reason: None,
        adjusted_at: at("2026-12-07T00:00:00Z"),
    };
    booking_event(position, position, BookingEvent::TaxAdjusted(adjusted))
}

#[test]
fn money_is_counted_on_its_own_day_once_the_party_was_held() {
    let on = |position, verified_at: &str, amount| {
        let mut event = verified(position, amount, 0);
        if let DomainEvent::Payment(PaymentEvent::Verified(it)) = &mut event.event {
            it.verified_at = at(verified_at);
        }
        event
    };
    let events = [
        booking_event(1, 1, BookingEvent::Requested(requested(85_118))),
        on(2, "2026-11-20T20:00:00Z", 10_000),
        booking_event(3, 2, BookingEvent::Completed(completed(85_118, Some(91_250)))),
        // Eleven in the evening of New Year's Eve at the station.
        on(4, "2027-01-01T07:00:00Z", 75_118),
    ];
    let before = fold::<TaxCash>(&events[..2]);
    let card = before.iter().next().unwrap();
    assert_eq!((card.first_on, card.lines()), (None, Vec::new()));
    let rows = fold::<TaxCash>(&events);
    let card = rows.iter().next().unwrap();
    let told: Vec<_> = card
        .lines()
        .into_iter()
        .map(|line| {
            (
                line.paid_on.to_string(),
                line.figures.gross_cents,
                line.figures.tax_cents,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("2026-11-20".to_owned(), Cents(10_000), Cents(836)),
            ("2026-12-31".to_owned(), Cents(75_118), Cents(6_282)),
        ]
    );
    assert_eq!(
        (card.first_on, card.last_on),
        (
            Some("2026-11-20".parse().unwrap()),
            Some("2026-12-31".parse().unwrap())
        )
    );
}

#[test]
fn a_card_says_how_it_stood_after_any_position_since_the_party_was_held() {
    let events = [
        booking_event(1, 1, BookingEvent::Requested(requested(85_118))),
        verified(2, 10_000, 0),
        booking_event(3, 2, BookingEvent::Completed(completed(85_118, Some(91_250)))),
        verified(4, 75_118, 0),
        corrected(5),
        // Over several days a correction says so more than once.
        corrected(6),
    ];
    let now = fold::<TaxCash>(&events).iter().next().unwrap().clone();
    assert_eq!((now.position, now.places.len()), (Position(1), 2));
    for count in 1..=events.len() {
        let then = fold::<TaxCash>(&events[..count]).iter().next().unwrap().clone();
        let held = !then.places.is_empty();
        let position = Position(i64::try_from(count).unwrap());
        assert_eq!(now.clone().as_of(position), held.then_some(then), "{position}");
    }
}
