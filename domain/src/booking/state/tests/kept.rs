use super::*;
use crate::booking::{
    BookingTaxAdjusted, OpenKept, PaymentFact, PaymentWay, RecordTax, SetTaxPlace, TaxAdjustment,
    TaxPlaceBecause,
};
use crate::ids::EventId;
use crate::payment::{PaymentMethod, RefundKind};
use crate::tax_account::CardFeeTax;
use crate::tax_period::{TaxDays, TaxPeriodClosingBegun, TaxPeriodEvent};

/// The evening before the party, in San Jose: too late for anything to be given back.
const OFF: &str = "2025-12-06T03:00:00Z";
const LATER: &str = "2025-12-10T20:00:00Z";

fn called_off(by: CancelledBy, kept: KeptDepositTax) -> Booking {
    given(&[
        confirm(),
        BookingCommand::Cancel {
            by,
            reason: "rain".to_owned(),
            kept,
            now: at(OFF),
        },
    ])
}

fn place(rate: Option<i64>) -> TaxPlace {
    TaxPlace {
        rate_ppm: rate.map(RatePpm),
        ..ask().tax_place
    }
}

fn fact(cause: u128, amount: i64, fee: i64, way: PaymentWay) -> PaymentFact {
    PaymentFact {
        cause: EventId(Uuid::from_u128(cause)),
        payment_id: PaymentId(Uuid::from_u128(1)),
        method: PaymentMethod::Card,
        amount_cents: Cents(amount),
        tip_cents: Cents::ZERO,
        fee_cents: Cents(fee),
        at: at(LATER),
        way,
    }
}

fn came() -> PaymentWay {
    PaymentWay::Captured { tip_choice: None }
}

fn back(kind: RefundKind) -> PaymentWay {
    PaymentWay::Refunded {
        refund_id: None,
        kind,
        reason: Some("be kind".to_owned()),
    }
}

fn opening(held: i64, beside: Vec<PaymentFact>, rate: Option<i64>) -> OpenKept {
    OpenKept {
        held_cents: Cents(held),
        beside,
        tax_place: place(rate),
    }
}

fn record(kept: Option<OpenKept>, facts: Vec<PaymentFact>, periods: TaxPeriods) -> BookingCommand {
    BookingCommand::RecordTax(RecordTax {
        facts,
        kept,
        card_fee: CardFeeTax::Whole,
        periods,
        now: at("2025-12-20T20:00:00Z"),
    })
}

fn after(booking: &mut Booking, command: BookingCommand) -> Vec<BookingTaxAdjusted> {
    let mut lines = Vec::new();
    for event in booking.decide(command).unwrap() {
        booking.evolve(&event);
        if let E::TaxAdjusted(line) = event {
            lines.push(line);
        }
    }
    lines
}

fn told(line: &BookingTaxAdjusted) -> (TaxAdjustment, String, i64, i64) {
    let kept = line.figures.gross_cents - line.figures.refund_cents;
    (
        line.kind,
        line.tax_on.to_string(),
        kept.0,
        line.figures.net_tax().0,
    )
}

#[test]
fn what_is_kept_is_no_sale_unless_the_company_has_chosen_so() {
    let booking = called_off(CancelledBy::Customer, KeptDepositTax::NotASale);
    assert!(booking.kept().is_none());
    let ask = record(
        Some(opening(10_000, vec![], Some(91_250))),
        vec![],
        TaxPeriods::default(),
    );
    assert_eq!(booking.decide(ask).unwrap_err().code(), "WRONG_STATE");
}

#[test]
fn what_is_kept_is_taxed_on_the_day_that_it_was_called_off_and_goes_back_in_parts() {
    let mut booking = called_off(CancelledBy::Customer, KeptDepositTax::Sale);
    let off = booking.taxed_on().unwrap();
    assert_eq!(off.to_string(), "2025-12-05");
    let card = PaymentFact {
        at: at("2025-11-20T20:00:00Z"),
        ..fact(1, 10_000, 300, came())
    };
    let open = opening(10_000, vec![card], Some(91_250));
    let lines = after(&mut booking, record(Some(open), vec![], TaxPeriods::default()));
    let day = "2025-12-05".to_owned();
    assert_eq!(
        lines.iter().map(told).collect::<Vec<_>>(),
        [
            (TaxAdjustment::KeptDeposit, day.clone(), 10_000, 836),
            (TaxAdjustment::CardFee, day, 300, 25),
        ]
    );
    assert!(lines[0].parties.is_none() && lines[0].payment.is_none());
    for (cause, amount, fee) in [(2, 4_000, 0), (3, 6_000, 300)] {
        let refund = fact(cause, amount, fee, back(RefundKind::Goodwill));
        let lines = after(&mut booking, record(None, vec![refund], TaxPeriods::default()));
        assert_eq!(lines[0].kind, TaxAdjustment::Refund);
        assert_eq!(lines[0].figures.refund_cents, Cents(amount + fee));
    }
    let all = booking.tax().unwrap().recorded();
    assert_eq!((all.net_tax(), all.refund_cents), (Cents::ZERO, all.gross_cents));
    let again = fact(3, 6_000, 300, back(RefundKind::Goodwill));
    let again = booking.decide(record(None, vec![again], TaxPeriods::default()));
    assert_eq!(again, Err(BookingError::Unchanged));
}

#[test]
fn a_closed_month_stays_and_another_rate_on_that_day_is_said_first() {
    let mut periods = TaxPeriods::default();
    periods.evolve(&TaxPeriodEvent::ClosingBegun(TaxPeriodClosingBegun {
        state: "CA".to_owned(),
        period: TaxDays {
            name: "2025-12".to_owned(),
            from: "2025-12-01".parse().unwrap(),
            until: "2025-12-31".parse().unwrap(),
        },
        begun_at: at(OFF),
    }));
    let mut booking = called_off(CancelledBy::Customer, KeptDepositTax::Sale);
    let ask = record(Some(opening(10_000, vec![], Some(93_750))), vec![], periods);
    let events = booking.decide(ask).unwrap();
    let [E::TaxPlaceSet(set), E::TaxAdjusted(line)] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(set.because, TaxPlaceBecause::RatesAtCancellation);
    assert_eq!(line.tax_place.rate_ppm, Some(RatePpm(93_750)));
    assert_eq!(line.tax_on.to_string(), "2026-01-01");
    for event in &events {
        booking.evolve(event);
    }
    assert_eq!(
        booking.requested().unwrap().tax_place.rate_ppm,
        Some(RatePpm(93_750))
    );
}

#[test]
fn nothing_is_said_where_nothing_had_come_and_what_is_found_later_has_its_own_line() {
    let mut booking = called_off(CancelledBy::Customer, KeptDepositTax::Sale);
    let empty = || Some(opening(0, vec![], Some(91_250)));
    let nothing = booking.decide(record(empty(), vec![], TaxPeriods::default()));
    assert_eq!(nothing, Err(BookingError::Unchanged));
    let found = fact(1, 10_000, 0, came());
    let lines = after(&mut booking, record(empty(), vec![found], TaxPeriods::default()));
    let found = (TaxAdjustment::KeptDeposit, "2025-12-10".to_owned(), 10_000, 836);
    assert_eq!(lines.iter().map(told).collect::<Vec<_>>(), [found]);
    let gone = fact(2, 10_000, 0, PaymentWay::Voided { reason: None });
    let lines = after(&mut booking, record(None, vec![gone], TaxPeriods::default()));
    let gone = (TaxAdjustment::Void, "2025-12-10".to_owned(), -10_000, -836);
    assert_eq!(lines.iter().map(told).collect::<Vec<_>>(), [gone]);
}

#[test]
fn nothing_is_kept_of_what_the_company_called_off() {
    let mut booking = called_off(CancelledBy::Company, KeptDepositTax::Sale);
    let open = opening(10_000, vec![], Some(91_250));
    let lines = after(&mut booking, record(Some(open), vec![], TaxPeriods::default()));
    assert!(lines[0].figures.is_zero());
    let refund = fact(1, 10_000, 0, back(RefundKind::CancelledBeforeService));
    let lines = after(&mut booking, record(None, vec![refund], TaxPeriods::default()));
    assert!(lines[0].figures.is_zero());
}

#[test]
fn a_rate_that_is_known_later_is_taken_and_the_booking_stays_where_it_is() {
    let mut booking = called_off(CancelledBy::Customer, KeptDepositTax::Sale);
    let open = opening(10_000, vec![], None);
    let lines = after(&mut booking, record(Some(open), vec![], TaxPeriods::default()));
    assert_eq!(
        (lines[0].figures.gross_cents, lines[0].figures.tax_cents),
        (Cents(10_000), Cents(0))
    );
    let known = BookingCommand::SetTaxPlace(Box::new(SetTaxPlace {
        tax_place: place(Some(91_250)),
        because: TaxPlaceBecause::RatesLoaded,
        reason: None,
        periods_before: TaxPeriods::default(),
        periods: TaxPeriods::default(),
        now: at("2025-12-20T20:00:00Z"),
    }));
    let lines = after(&mut booking, known);
    assert_eq!(lines.iter().filter_map(|line| line.parties).sum::<i32>(), 0);
    let all = booking.tax().unwrap().recorded();
    assert_eq!((all.gross_cents, all.tax_cents), (Cents(10_000), Cents(836)));
    let refund = fact(1, 10_000, 0, back(RefundKind::CancelledBeforeService));
    after(&mut booking, record(None, vec![refund], TaxPeriods::default()));
    assert_eq!(booking.tax().unwrap().recorded().net_tax(), Cents::ZERO);
    let put_away = BookingCommand::Delete {
        reason: "made by mistake".to_owned(),
        now: at("2025-12-21T20:00:00Z"),
    };
    assert_eq!(booking.decide(put_away).unwrap_err().code(), "WRONG_STATE");
}
