//! Whatever happens, the books balance.

use proptest::prelude::*;

use super::*;

/// Any fact at a position, whether or not it makes sense there.
fn any_fact() -> impl Strategy<Value = (u8, i64, i64, i64)> {
    (0_u8..20, 0_i64..200_000, 0_i64..20_000, 0_i64..6_000)
}

fn event((which, amount, tip, fee): (u8, i64, i64, i64), position: i64) -> Recorded {
    match which {
        0 => asked(position, amount.max(14)),
        1 => held(position, amount),
        2 => called_off(
            position,
            if tip % 2 == 0 {
                RefundRule::Everything
            } else {
                RefundRule::Nothing
            },
            if fee % 2 == 0 {
                KeptDepositTax::Sale
            } else {
                KeptDepositTax::NotASale
            },
        ),
        3 => voided(position, amount, tip, fee),
        4 => refund_failed(position, RefundWas::Succeeded),
        5 => disputed(position, amount),
        6 => decided(position, amount, DisputeOutcome::Lost),
        7 => decided(position, amount, DisputeOutcome::Won),
        8 => adjusted(position, TaxAdjustment::CardFee, fee),
        9 => adjusted(position, TaxAdjustment::Tip, tip),
        10 => adjusted(position, TaxAdjustment::CorrectedFrom, -amount),
        11 => adjusted(position, TaxAdjustment::CorrectedTo, amount),
        12 => adjusted(position, TaxAdjustment::Void, -fee),
        13..=16 => {
            let kind = RefundKind::ALL[usize::try_from(amount).unwrap() % RefundKind::ALL.len()];
            refunded(position, kind, amount, tip, fee)
        }
        _ => paid(position, amount, tip, fee),
    }
}

proptest! {
    #[test]
    fn the_books_sum_to_zero_after_every_event(facts in prop::collection::vec(any_fact(), 1..40)) {
        let mut events = vec![asked(1, 85_118)];
        events.extend(facts.into_iter().zip(2..).map(|(fact, position)| event(fact, position)));
        let mut row: Option<BookRow> = None;
        for event in &events {
            let before = row.as_ref().map_or(0, |row| row.entries.len());
            row = Books::apply(row, event);
            let book = row.as_ref().unwrap();
            for entry in &book.entries[before..] {
                let sum: Cents = entry.postings.iter().map(|posting| posting.cents).sum();
                prop_assert_eq!(sum, Cents::ZERO, "{:?}", entry);
                prop_assert!(entry.postings.len() >= 2);
                prop_assert_eq!(entry.position, event.position);
                let mut names: Vec<&str> = entry.postings.iter().map(|posting| posting.account.as_str()).collect();
                names.sort_unstable();
                names.dedup();
                prop_assert_eq!(names.len(), entry.postings.len());
            }
            prop_assert!(book.entries.len() <= before + 1);
        }
        // Folded at once, it is the same.
        let rows = fold::<Books>(&events);
        prop_assert_eq!(rows.get(&BOOKING), row.as_ref());
    }

    #[test]
    fn what_is_held_and_owed_follows_from_what_was_paid(
        total in 14_i64..500_000, before in prop::collection::vec(0_i64..200_000, 0..4),
        after in prop::collection::vec(0_i64..200_000, 0..4),
    ) {
        let mut events = vec![asked(1, total)];
        let mut position = 1;
        let mut pay = |events: &mut Vec<Recorded>, amounts: &[i64]| for amount in amounts {
            position += 1;
            events.push(paid(position, *amount, 0, 0));
        };
        pay(&mut events, &before);
        events.push(held(100, total));
        position = 100;
        let mut pay = |events: &mut Vec<Recorded>, amounts: &[i64]| for amount in amounts {
            position += 1;
            events.push(paid(position, *amount, 0, 0));
        };
        pay(&mut events, &after);
        let all: i64 = before.iter().chain(&after).sum();
        let found = balances(&events);
        let of = |name: &str| found.get(name).copied().unwrap_or_default();
        prop_assert_eq!(of("Assets:Receivable"), (total - all).max(0));
        prop_assert_eq!(of("Liabilities:Deposits-Held"), -(all - total).max(0));
        prop_assert_eq!(of("Income:Sales") + of("Liabilities:Tax-Payable:CA:Santa-Clara"), -total);
    }
}
