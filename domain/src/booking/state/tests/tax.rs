use super::*;
use crate::booking::{
    BookingTaxAdjusted, PaymentFact, PaymentWay, RecordTax, SetTaxPlace, TaxAdjustment, TaxPlaceBecause,
};
use crate::ids::EventId;
use crate::payment::{PaymentMethod, RefundKind, TipChoice};
use crate::tax_account::CardFeeTax;
use crate::tax_period::{TaxDays, TaxPeriodClosingBegun, TaxPeriodEvent};

const HELD: &str = "2025-12-07T02:00:00Z";
const LATER: &str = "2026-01-20T20:00:00Z";

fn held() -> Booking {
    given(&[confirm(), complete(HELD)])
}

fn after(mut booking: Booking, commands: Vec<BookingCommand>) -> Booking {
    for command in commands {
        for event in booking.decide(command).unwrap() {
            booking.evolve(&event);
        }
    }
    booking
}

/// The fourth quarter of 2025, closed.
fn closed() -> TaxPeriods {
    let mut periods = TaxPeriods::default();
    periods.evolve(&TaxPeriodEvent::ClosingBegun(TaxPeriodClosingBegun {
        state: "CA".to_owned(),
        period: TaxDays {
            name: "2025-Q4".to_owned(),
            from: "2025-10-01".parse().unwrap(),
            until: "2025-12-31".parse().unwrap(),
        },
        begun_at: at(LATER),
    }));
    periods
}

fn fact(cause: u128, amount: i64, tip: i64, fee: i64, way: PaymentWay) -> PaymentFact {
    PaymentFact {
        cause: EventId(Uuid::from_u128(cause)),
        payment_id: PaymentId(Uuid::from_u128(1)),
        method: PaymentMethod::Card,
        amount_cents: Cents(amount),
        tip_cents: Cents(tip),
        fee_cents: Cents(fee),
        at: at(LATER),
        way,
    }
}

fn captured(screen: &str, preselected: bool) -> PaymentWay {
    PaymentWay::Captured {
        tip_choice: Some(TipChoice {
            chosen_at: at(LATER),
            screen: screen.to_owned(),
            preselected,
        }),
    }
}

fn given_back(kind: RefundKind) -> PaymentWay {
    PaymentWay::Refunded {
        refund_id: Some("r".to_owned()),
        kind,
        reason: Some("cold rice".to_owned()),
    }
}

fn record(facts: Vec<PaymentFact>, periods: TaxPeriods) -> BookingCommand {
    BookingCommand::RecordTax(RecordTax {
        facts,
        kept: None,
        card_fee: CardFeeTax::Whole,
        periods,
        now: at(LATER),
    })
}

fn lines(events: Vec<E>) -> Vec<BookingTaxAdjusted> {
    let mut lines = Vec::new();
    for event in events {
        if let E::TaxAdjusted(adjusted) = event {
            lines.push(adjusted);
        }
    }
    lines
}

fn recorded(booking: &Booking, facts: Vec<PaymentFact>, periods: TaxPeriods) -> Vec<BookingTaxAdjusted> {
    lines(booking.decide(record(facts, periods)).unwrap())
}

fn place(city: &str, rate: i64) -> TaxPlace {
    TaxPlace {
        jurisdiction: Jurisdiction {
            state: "CA".to_owned(),
            county: "Santa Clara".to_owned(),
            city: Some(city.to_owned()),
        },
        rate_ppm: Some(RatePpm(rate)),
        method: PlaceMethod::Manual,
        ..ask().tax_place
    }
}

fn set(place: TaxPlace, reason: Option<&str>, periods: TaxPeriods) -> BookingCommand {
    BookingCommand::SetTaxPlace(Box::new(SetTaxPlace {
        tax_place: place,
        because: TaxPlaceBecause::SetByHand,
        reason: reason.map(str::to_owned),
        periods_before: periods.clone(),
        periods,
        now: at(LATER),
    }))
}

#[test]
fn a_tip_and_a_fee_belong_to_the_day_of_the_party_and_a_refund_to_its_own() {
    let facts = vec![
        fact(1, 0, 5_000, 150, captured("pay by card", false)),
        fact(2, 1_000, 0, 0, given_back(RefundKind::PriceAdjustment)),
    ];
    let lines = recorded(&held(), facts, TaxPeriods::default());
    let told: Vec<_> = lines
        .iter()
        .map(|line| (line.kind, line.tax_on.to_string(), line.figures.net_tax()))
        .collect();
    assert_eq!(told.len(), 3);
    assert_eq!(told[0], (TaxAdjustment::Tip, "2025-12-06".to_owned(), Cents(0)));
    assert_eq!(
        (told[1].0, told[1].1.as_str()),
        (TaxAdjustment::CardFee, "2025-12-06")
    );
    assert_eq!(
        (told[2].0, told[2].1.as_str()),
        (TaxAdjustment::Refund, "2026-01-20")
    );
    assert_eq!(lines[2].reason.as_deref(), Some("cold rice"));
}

#[test]
fn what_comes_after_the_closing_belongs_to_a_day_that_is_open() {
    let tip = fact(1, 0, 5_000, 0, captured("pay by card", false));
    let lines = recorded(&held(), vec![tip], closed());
    assert_eq!(lines[0].tax_on, "2026-01-20".parse().unwrap());
    let late = BookingCommand::Complete(Box::new(CompleteBooking {
        note: None,
        tax_place: None,
        periods: closed(),
        now: at(LATER),
    }));
    let E::Completed(completed) = &given(&[confirm()]).decide(late).unwrap()[0] else {
        panic!("it is completed")
    };
    assert_eq!(completed.tax_on(), "2026-01-20".parse().unwrap());
    assert_eq!(completed.event_on, "2025-12-06".parse().unwrap());
}

#[test]
fn only_a_tip_that_the_record_shows_to_be_chosen_is_not_taxed() {
    let taxed = |way| recorded(&held(), vec![fact(1, 0, 5_000, 0, way)], TaxPeriods::default())[0].figures;
    assert_eq!(
        taxed(captured("pay by card", false)).non_taxable_cents,
        Cents(5_000)
    );
    for unknown in [
        captured("pay by card", true),
        captured(" ", false),
        PaymentWay::Captured { tip_choice: None },
    ] {
        let figures = taxed(unknown);
        assert_eq!(
            (figures.non_taxable_cents, figures.tip_cents),
            (Cents(0), Cents(5_000))
        );
        assert!(figures.tax_cents > Cents::ZERO);
    }
}

#[test]
fn each_kind_of_refund_changes_the_tax_in_its_own_way() {
    let tip = fact(1, 0, 5_000, 150, captured("pay by card", false));
    let booking = after(held(), vec![record(vec![tip], TaxPeriods::default())]);
    let back = |kind, amount, tip, fee| {
        let fact = fact(2, amount, tip, fee, given_back(kind));
        let decided = booking.decide(record(vec![fact], TaxPeriods::default()));
        decided.map(|events| lines(events)[0].figures)
    };
    assert_eq!(
        back(RefundKind::Goodwill, 1_000, 500, 10),
        Err(BookingError::Unchanged)
    );
    assert_eq!(
        back(RefundKind::Overpayment, 1_000, 0, 0),
        Err(BookingError::Unchanged)
    );
    // What was paid too much was never taxed; the card fee on it was, and is given back with it.
    let too_much = back(RefundKind::Overpayment, 1_000, 0, 10).unwrap();
    assert_eq!(
        (
            too_much.refund_cents,
            too_much.refunded_net_cents + too_much.refunded_tax_cents
        ),
        (Cents(10), Cents(10))
    );
    let tip = back(RefundKind::TipOnly, 0, 5_000, 0).unwrap();
    assert_eq!(
        (tip.refunded_non_taxable_cents, tip.refunded_tax_cents),
        (Cents(5_000), Cents(0))
    );
    let fee = back(RefundKind::FeeOnly, 0, 0, 150).unwrap();
    assert_eq!(
        (fee.refund_cents, fee.refunded_net_cents + fee.refunded_tax_cents),
        (Cents(150), Cents(150))
    );
    let all = back(RefundKind::FullReversal, 85_118, 5_000, 150).unwrap();
    assert_eq!(
        all.refunded_tax_cents,
        booking.tax().unwrap().recorded().tax_cents
    );
    let part = back(RefundKind::PriceAdjustment, 10_000, 0, 0).unwrap();
    assert_eq!(
        part.refund_cents,
        part.refunded_net_cents + part.refunded_tax_cents
    );
}

#[test]
fn a_fact_is_on_record_once_and_a_refund_that_failed_is_taken_back() {
    let refund = fact(1, 1_000, 0, 0, given_back(RefundKind::PriceAdjustment));
    let booking = after(held(), vec![record(vec![refund.clone()], TaxPeriods::default())]);
    let again = booking.decide(record(vec![refund], TaxPeriods::default()));
    assert_eq!(again, Err(BookingError::Unchanged));
    let failed = PaymentWay::RefundFailed {
        refund_id: Some("r".to_owned()),
        kind: RefundKind::PriceAdjustment,
        reason: None,
    };
    let booking = after(
        booking,
        vec![record(vec![fact(2, 1_000, 0, 0, failed)], TaxPeriods::default())],
    );
    assert_eq!(booking.tax().unwrap().recorded().net_tax(), Cents(7_118));
}

#[test]
fn nothing_is_taxed_before_the_party_is_held() {
    let tip = fact(1, 0, 5_000, 0, captured("pay by card", false));
    let early = given(&[confirm()]).decide(record(vec![tip], TaxPeriods::default()));
    assert_eq!(early.unwrap_err().code(), "WRONG_STATE");
    let off = given(&[cancel(CancelledBy::Customer, NOW)]);
    let moved = off.decide(set(
        place("San Jose", 93_750),
        Some("the map"),
        TaxPeriods::default(),
    ));
    assert_eq!(moved.unwrap_err().code(), "WRONG_STATE");
}

#[test]
fn another_place_takes_back_all_and_takes_it_there() {
    let refund = fact(1, 10_000, 0, 0, given_back(RefundKind::PriceAdjustment));
    let booking = after(held(), vec![record(vec![refund], TaxPeriods::default())]);
    let san_jose = place("San Jose", 93_750);
    let events = booking
        .decide(set(san_jose.clone(), Some("the map"), closed()))
        .unwrap();
    let told: Vec<_> = lines(events.clone())
        .iter()
        .map(|line| {
            let tax = line.figures.net_tax().0;
            (line.kind, line.tax_on.to_string(), tax, line.parties)
        })
        .collect();
    let from = TaxAdjustment::CorrectedFrom;
    let to = TaxAdjustment::CorrectedTo;
    assert_eq!(
        told,
        [
            (from, "2026-01-20".to_owned(), -7_118, Some(-1)),
            (from, "2026-01-20".to_owned(), 836, Some(0)),
            (to, "2026-01-20".to_owned(), 7_296, Some(1)),
            (to, "2026-01-20".to_owned(), -857, Some(0)),
        ],
        "it is one party, however many days it has lines on"
    );
    let mut moved = booking;
    for event in &events {
        moved.evolve(event);
    }
    let again = moved.decide(set(san_jose, Some("the map"), TaxPeriods::default()));
    assert_eq!(again, Err(BookingError::Unchanged));
    // What comes later is of the new place, and everything can be given back there.
    let rest = fact(2, 75_118, 0, 0, given_back(RefundKind::FullReversal));
    let lines = recorded(&moved, vec![rest], TaxPeriods::default());
    assert_eq!(lines[0].tax_place.jurisdiction.city.as_deref(), Some("San Jose"));
    assert_eq!(lines[0].figures.net_tax(), Cents(-(7_296 - 857)));
}

#[test]
fn a_person_says_why_the_tax_belongs_elsewhere() {
    let ask = |reason| held().decide(set(place("San Jose", 93_750), reason, TaxPeriods::default()));
    assert_eq!(ask(None), Err(BookingError::ReasonRequired));
    assert_eq!(ask(Some("x")), Err(BookingError::BadReason));
    let open = given(&[confirm()]).decide(set(place("San Jose", 93_750), Some("the map"), closed()));
    assert_eq!(open.unwrap().len(), 1, "nothing is on record yet");
}

#[test]
fn a_rate_that_differs_when_the_party_is_held_is_an_event_of_its_own() {
    let held = BookingCommand::Complete(Box::new(CompleteBooking {
        note: None,
        tax_place: Some(place("San Jose", 93_750)),
        periods: TaxPeriods::default(),
        now: at(HELD),
    }));
    let events = given(&[confirm()]).decide(held).unwrap();
    let [E::TaxPlaceSet(set), E::Completed(completed)] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(set.because, TaxPlaceBecause::RatesAtCompletion);
    assert_eq!(completed.tax.unwrap().rate_ppm, RatePpm(93_750));
}

#[test]
fn a_party_that_is_moved_again_and_again_is_one_party() {
    let refund = fact(1, 10_000, 0, 0, given_back(RefundKind::PriceAdjustment));
    let mut booking = after(held(), vec![record(vec![refund], TaxPeriods::default())]);
    let mut counted = Vec::new();
    for (city, rate) in [("San Jose", 93_750), ("Campbell", 95_000), ("San Jose", 93_750)] {
        let events = booking.decide(set(place(city, rate), Some("the map"), TaxPeriods::default()));
        let events = events.unwrap();
        let parties: Vec<_> = lines(events.clone())
            .iter()
            .filter_map(|line| line.parties)
            .collect();
        counted.push(parties);
        for event in &events {
            booking.evolve(event);
        }
    }
    assert_eq!(counted, vec![vec![-1, 0, 1, 0]; 3]);
}

#[test]
fn the_tip_that_a_bank_took_back_belongs_to_the_day_that_the_dispute_was_lost() {
    let tip = fact(1, 0, 5_000, 150, captured("pay by card", false));
    let booking = after(held(), vec![record(vec![tip], TaxPeriods::default())]);
    // Eleven in the evening of New Year's Eve in San Jose, where it is 2026 in Greenwich already.
    let lost = PaymentFact {
        at: at("2026-01-01T07:00:00Z"),
        ..fact(2, 0, 5_000, 0, given_back(RefundKind::TipOnly))
    };
    let line = &recorded(&booking, vec![lost], TaxPeriods::default())[0];
    assert_eq!(
        (line.kind, line.tax_on.to_string()),
        (TaxAdjustment::Refund, "2025-12-31".to_owned())
    );
    assert_eq!(
        (
            line.figures.refunded_non_taxable_cents,
            line.figures.refunded_tax_cents
        ),
        (Cents(5_000), Cents(0))
    );
}
