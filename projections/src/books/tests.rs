use std::collections::BTreeMap;

use domain::booking::{
    BookingCancelled, BookingEvent, BookingTaxAdjusted, CancelledBy, RefundRule, TaxAdjustment,
};
use domain::ids::{RefundId, UserId};
use domain::money::RatePpm;
use domain::payment::{
    DisputeOutcome, PaymentDisputeClosed, PaymentDisputeOpened, PaymentEvent, PaymentKind, PaymentMethod,
    PaymentRefundFailed, PaymentRefundSucceeded, PaymentSucceeded, PaymentVoided, RefundKind, RefundWas,
};
use domain::tax;
use domain::tax_account::TaxFigures;
use uuid::Uuid;

use super::*;
use crate::testing::{
    BOOKING, PAYMENT, STATION, at, booking_event, completed, fold, paid_booking, recorded, requested,
    tax_place,
};

mod any;
mod events;
mod kept;

use events::*;

fn balances(events: &[Recorded]) -> BTreeMap<String, i64> {
    let mut balances = BTreeMap::new();
    for book in fold::<Books>(events).iter() {
        for posting in book.entries.iter().flat_map(|entry| &entry.postings) {
            *balances.entry(posting.account.clone()).or_default() += posting.cents.0;
        }
    }
    balances.retain(|_, cents| *cents != 0);
    balances
}

fn assert_books(events: &[Recorded], expected: &[(&str, i64)]) {
    let expected: BTreeMap<String, i64> = expected
        .iter()
        .map(|(name, cents)| ((*name).to_owned(), *cents))
        .collect();
    assert_eq!(balances(events), expected);
}

#[test]
fn a_deposit_is_owed_to_the_customer_until_the_party_is_held() {
    let mut events = vec![asked(1, 85_118), paid(2, 10_000, 0, 300)];
    assert_books(
        &events,
        &[
            ("Assets:Clearing:Card", 10_300),
            ("Liabilities:Deposits-Held", -10_000),
            ("Income:Card-Fees", -300),
        ],
    );
    events.push(held(3, 85_118));
    let tax = ("Liabilities:Tax-Payable:CA:Santa-Clara", -7_118);
    assert_books(
        &events,
        &[
            ("Assets:Clearing:Card", 10_300),
            ("Assets:Receivable", 75_118),
            ("Income:Card-Fees", -300),
            ("Income:Sales", -78_000),
            tax,
        ],
    );
    // The balance and too much of it, with a tip.
    events.push(paid(4, 75_200, 12_000, 0));
    assert_books(
        &events,
        &[
            ("Assets:Clearing:Card", 97_500),
            ("Income:Card-Fees", -300),
            ("Income:Sales", -78_000),
            ("Liabilities:Deposits-Held", -82),
            ("Liabilities:Tips-Payable", -12_000),
            tax,
        ],
    );
}

#[test]
fn the_tax_in_a_fee_and_on_a_tip_is_owed_to_the_jurisdiction() {
    let events = [
        asked(1, 85_118),
        held(2, 85_118),
        paid(3, 85_118, 10_000, 2_854),
        adjusted(4, TaxAdjustment::CardFee, 2_854),
        adjusted(5, TaxAdjustment::Tip, 10_000),
    ];
    let found = balances(&events);
    assert_eq!(
        found["Liabilities:Tax-Payable:CA:Santa-Clara"],
        -(7_118 + 239 + 836)
    );
    assert_eq!(
        (found["Income:Card-Fees"], found["Expenses:Tax-On-Tips"]),
        (-(2_854 - 239), 836)
    );
}

#[test]
fn what_is_given_back_lowers_what_it_was_given_for() {
    let paid_and_held = [asked(1, 85_118), paid(2, 85_118, 1_000, 0), held(3, 85_118)];
    let after = |kind, account: &str| {
        let mut events = paid_and_held.to_vec();
        events.push(refunded(4, kind, 5_000, 500, 0));
        let found = balances(&events);
        assert_eq!(found["Liabilities:Tips-Payable"], -500);
        let back = found[account];
        events.push(refund_failed(5, RefundWas::Succeeded));
        assert_eq!(
            balances(&events),
            balances(&paid_and_held),
            "what failed is taken back to the cent"
        );
        back
    };
    assert_eq!(after(RefundKind::PriceAdjustment, "Income:Refunds"), 5_000);
    assert_eq!(after(RefundKind::Goodwill, "Expenses:Goodwill"), 5_000);
    let mut never = paid_and_held.to_vec();
    never.push(refund_failed(4, RefundWas::Pending));
    assert_eq!(balances(&never), balances(&paid_and_held));
}

#[test]
fn a_deposit_that_the_terms_keep_is_earned_when_the_party_is_called_off() {
    let events = [
        asked(1, 85_118),
        paid(2, 10_000, 0, 0),
        called_off(3, RefundRule::Nothing, KeptDepositTax::NotASale),
    ];
    assert_books(
        &events,
        &[
            ("Assets:Clearing:Card", 10_000),
            ("Income:Kept-Deposits", -10_000),
        ],
    );
    let events = [
        asked(1, 85_118),
        paid(2, 10_000, 0, 0),
        called_off(3, RefundRule::Everything, KeptDepositTax::NotASale),
        refunded(4, RefundKind::CancelledBeforeService, 10_000, 0, 0),
    ];
    assert_books(&events, &[]);
}

#[test]
fn money_that_had_not_come_is_owed_again_and_a_dispute_is_open_until_it_is_decided() {
    let events = [
        asked(1, 85_118),
        paid(2, 85_118, 0, 0),
        held(3, 85_118),
        voided(4, 85_118, 0, 0),
    ];
    assert_eq!(balances(&events)["Assets:Receivable"], 85_118);
    let open = [asked(1, 85_118), paid(2, 85_118, 0, 0), disputed(3, 85_118)];
    assert_books(
        &open,
        &[
            ("Assets:Disputed", 85_118),
            ("Liabilities:Deposits-Held", -85_118),
        ],
    );
    let mut lost = open.to_vec();
    lost.push(decided(4, 85_118, DisputeOutcome::Lost));
    assert_books(
        &lost,
        &[
            ("Expenses:Disputes-Lost", 85_118),
            ("Liabilities:Deposits-Held", -85_118),
        ],
    );
    let mut won = open.to_vec();
    won.push(decided(4, 85_118, DisputeOutcome::Won));
    assert_eq!(balances(&won), balances(&open[..2]));
}

#[test]
fn money_is_booked_on_the_stations_day_and_tax_on_its_own() {
    let rows = fold::<Books>(&[
        asked(1, 85_118),
        paid(2, 10_000, 0, 0),
        adjusted(3, TaxAdjustment::CorrectedTo, 85_118),
    ]);
    let book = rows.get(&BOOKING).unwrap();
    // Past midnight in Greenwich, the evening before in San Jose.
    let days: Vec<String> = book.entries.iter().map(|entry| entry.on.to_string()).collect();
    assert_eq!(days, ["2026-11-01", "2026-12-06"]);
}

/// The books of a month are read from the cards with entries in it.
#[test]
fn a_card_knows_the_days_that_it_has_entries_of() {
    let asked_only = fold::<Books>(&[asked(1, 85_118)]);
    let card = asked_only.get(&BOOKING).unwrap();
    assert_eq!((card.first_on, card.last_on), (None, None));
    let rows = fold::<Books>(&[asked(1, 85_118), paid(2, 10_000, 0, 0), held(3, 85_118)]);
    let card = rows.get(&BOOKING).unwrap();
    let days: Vec<_> = card.entries.iter().map(|entry| entry.on).collect();
    assert_eq!(
        (card.first_on, card.last_on),
        (days.iter().min().copied(), days.iter().max().copied())
    );
    assert!(card.first_on < card.last_on, "{days:?}");
}

#[test]
fn a_ledger_for_beancount_is_written_as_it_reads() {
    let rows = fold::<Books>(&[asked(1, 85_118), paid(2, 10_000, 0, 0)]);
    let entry = &rows.get(&BOOKING).unwrap().entries[0];
    let mut out = Vec::new();
    beancount::open(&mut out, &["Assets:Clearing:Card".to_owned()], Some(entry.on));
    beancount::transaction(&mut out, "N\"1\\", entry);
    beancount::close(
        &mut out,
        &[("POSITION", "2".to_owned()), ("HEAD", "ab".to_owned())],
    );
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "option \"operating_currency\" \"USD\"\n\n2026-11-01 open Assets:Clearing:Card USD\n\n\
         2026-11-01 * \"N\\\"1\\\\\" \"card received\"\n  position: 2\n  \
         Assets:Clearing:Card                                           100.00 USD\n  \
         Liabilities:Deposits-Held                                     -100.00 USD\n\n\
         ; POSITION 2\n; HEAD ab\n"
    );
}
