//! What is kept of a party that was called off, where the company has chosen that it is a sale.

use domain::booking::{Booking, BookingCommand, OpenKept, PaymentFact, PaymentWay, RecordTax};
use domain::decider::Decider;
use domain::ids::{EventId, PaymentId};
use domain::price_list::{CancellationTier, DepositBack};
use domain::tax_account::CardFeeTax;
use domain::tax_period::TaxPeriods;
use proptest::prelude::*;

use super::*;

/// A booking that was called off with money held, and its events.
struct Story {
    booking: Booking,
    events: Vec<Recorded>,
    held: i64,
    rate: i64,
}

impl Story {
    fn called_off(refund: RefundRule, held: i64, rate: i64) -> Self {
        let asked = requested(85_118);
        let mut story = Self {
            booking: Booking::default(),
            events: Vec::new(),
            held,
            rate,
        };
        story.add(booking_event(1, 1, BookingEvent::Requested(asked)));
        story.add(paid(2, held, 0, 0));
        story.add(called_off(3, refund, KeptDepositTax::Sale));
        story.tax(Vec::new());
        story
    }

    fn position(&self) -> i64 {
        self.events.last().map_or(1, |event| event.position.0 + 1)
    }

    fn add(&mut self, event: Recorded) {
        if let DomainEvent::Booking(booking) = &event.event {
            self.booking.evolve(booking);
        }
        self.events.push(event);
    }

    fn tax(&mut self, facts: Vec<PaymentFact>) {
        let kept = self.booking.tax().is_none().then(|| OpenKept {
            held_cents: Cents(self.held),
            beside: Vec::new(),
            tax_place: tax_place(Some(self.rate)),
        });
        let decided = self.booking.decide(BookingCommand::RecordTax(RecordTax {
            facts,
            kept,
            card_fee: CardFeeTax::Whole,
            periods: TaxPeriods::default(),
            now: at(NOW),
        }));
        for event in decided.unwrap_or_default() {
            let position = self.position();
            self.add(booking_event(position, position, event));
        }
    }

    fn moves(&mut self, event: impl FnOnce(i64) -> Recorded, amount: i64, way: PaymentWay) {
        let event = event(self.position());
        let fact = PaymentFact {
            cause: EventId(Uuid::from_u128(u128::try_from(self.position()).unwrap())),
            payment_id: PaymentId(PAYMENT),
            method: PaymentMethod::Card,
            amount_cents: Cents(amount),
            tip_cents: Cents::ZERO,
            fee_cents: Cents::ZERO,
            at: at(NOW),
            way,
        };
        self.add(event);
        self.tax(vec![fact]);
    }

    fn came(&mut self, amount: i64) {
        let way = PaymentWay::Captured { tip_choice: None };
        self.moves(|position| paid(position, amount, 0, 0), amount, way);
    }

    fn refund(&mut self, kind: RefundKind, amount: i64) {
        let way = PaymentWay::Refunded {
            refund_id: None,
            kind,
            reason: None,
        };
        self.moves(|position| refunded(position, kind, amount, 0, 0), amount, way);
    }

    fn lose(&mut self, amount: i64) {
        let position = self.position();
        self.add(disputed(position, amount));
        let way = PaymentWay::Refunded {
            refund_id: None,
            kind: RefundKind::FullReversal,
            reason: None,
        };
        let lost = |position| decided(position, amount, DisputeOutcome::Lost);
        self.moves(lost, amount, way);
    }

    fn void(&mut self, amount: i64) {
        let way = PaymentWay::Voided { reason: None };
        self.moves(|position| voided(position, amount, 0, 0), amount, way);
    }
}

fn half() -> RefundRule {
    RefundRule::Tier(CancellationTier {
        hours_before: 72,
        refund_ppm: RatePpm(500_000),
        deposit_back: DepositBack::Kept,
    })
}

#[test]
fn what_is_kept_is_revenue_and_tax_and_what_is_given_back_of_it_lowers_both() {
    let mut story = Story::called_off(RefundRule::Nothing, 10_000, 91_250);
    assert_books(
        &story.events,
        &[
            ("Assets:Clearing:Card", 10_000),
            ("Income:Sales", -9_164),
            ("Liabilities:Tax-Payable:CA:Santa-Clara", -836),
        ],
    );
    story.refund(RefundKind::Goodwill, 4_000);
    assert_books(
        &story.events,
        &[
            ("Assets:Clearing:Card", 6_000),
            ("Income:Refunds", 3_666),
            ("Income:Sales", -9_164),
            ("Liabilities:Tax-Payable:CA:Santa-Clara", -502),
        ],
    );
    story.refund(RefundKind::CancelledBeforeService, 6_000);
    assert_books(
        &story.events,
        &[("Income:Refunds", 9_164), ("Income:Sales", -9_164)],
    );
}

#[test]
fn money_that_is_found_later_is_revenue_as_far_as_the_terms_keep_it() {
    let mut story = Story::called_off(RefundRule::Nothing, 0, 91_250);
    story.came(10_000);
    let kept = [
        ("Assets:Clearing:Card", 10_000),
        ("Income:Sales", -9_164),
        ("Liabilities:Tax-Payable:CA:Santa-Clara", -836),
    ];
    assert_books(&story.events, &kept);
    story.void(10_000);
    assert_books(&story.events, &[]);
}

proptest! {
    #[test]
    fn the_books_say_of_what_is_kept_what_the_tax_says(
        held in 1_i64..200_000, ppm in 0_i64..=250_000, steps in prop::collection::vec((0_u8..4, 0_i64..120_000), 0..10),
    ) {
        let mut story = Story::called_off(half(), held, ppm);
        let (mut came, mut back) = (held, 0);
        for (which, amount) in steps {
            let amount = amount.min(came - back);
            match which {
                0 => {
                    story.came(amount + 1);
                    came += amount + 1;
                }
                _ if amount == 0 => {}
                1 => {
                    story.lose(amount);
                    back += amount;
                }
                2 => {
                    story.refund(RefundKind::Goodwill, amount);
                    back += amount;
                }
                _ => {
                    story.refund(RefundKind::CancelledBeforeService, amount);
                    back += amount;
                }
            }
            let books = balances(&story.events);
            let of = |account: &str| books.get(account).copied().unwrap_or(0);
            let tax = story.booking.tax().map(|tax| tax.recorded()).unwrap_or_default();
            prop_assert_eq!(of("Liabilities:Tax-Payable:CA:Santa-Clara"), -tax.net_tax().0);
            let proposed = half().proposed(Cents(came), Cents(story.booking.kept().unwrap().deposit_cents.0)).0;
            let kept = came - proposed.max(back);
            prop_assert_eq!((tax.gross_cents - tax.refund_cents).0, kept);
            let earned = of("Income:Sales") + of("Income:Refunds") - tax.net_tax().0;
            prop_assert_eq!(earned, -kept);
            prop_assert_eq!(of("Liabilities:Deposits-Held"), -(proposed - back).max(0));
        }
    }
}
