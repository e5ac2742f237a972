use proptest::prelude::*;

use super::*;
use crate::decider::Refusal;

fn days(name: &str, from: &str, until: &str) -> TaxDays {
    TaxDays {
        name: name.to_owned(),
        from: from.parse().unwrap(),
        until: until.parse().unwrap(),
    }
}

fn quarter() -> TaxDays {
    days("2026-Q1", "2026-01-01", "2026-03-31")
}

fn now() -> DateTime<Utc> {
    "2026-04-02T12:00:00Z".parse().unwrap()
}

fn begin(period: TaxDays, today: &str) -> TaxPeriodCommand {
    TaxPeriodCommand::BeginClosing {
        state: "CA".to_owned(),
        period,
        today: today.parse().unwrap(),
        now: now(),
    }
}

fn close(period: TaxDays, unresolved: UnresolvedTax) -> TaxPeriodCommand {
    close_under(Some(1), period, unresolved)
}

fn close_under(closing: Option<i64>, period: TaxDays, unresolved: UnresolvedTax) -> TaxPeriodCommand {
    let closed = TaxPeriodClosed {
        state: "CA".to_owned(),
        period,
        position: Position(9),
        checksum: "c".to_owned(),
        net_tax_cents: Cents(7_118),
        closed_at: now(),
    };
    TaxPeriodCommand::Close {
        closed: Box::new(closed),
        closing,
        unresolved,
    }
}

fn reopen(period: TaxDays, reason: &str) -> TaxPeriodCommand {
    TaxPeriodCommand::Reopen {
        state: "CA".to_owned(),
        period,
        reason: reason.to_owned(),
        now: now(),
    }
}

fn after(commands: Vec<TaxPeriodCommand>) -> TaxPeriods {
    let mut periods = TaxPeriods::default();
    for command in commands {
        for event in periods.decide(command).unwrap() {
            periods.evolve(&event);
        }
    }
    periods
}

fn closed() -> TaxPeriods {
    after(vec![
        begin(quarter(), "2026-04-01"),
        close(quarter(), UnresolvedTax::default()),
    ])
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[test]
fn a_period_that_is_being_closed_or_is_closed_takes_no_lines() {
    for periods in [after(vec![begin(quarter(), "2026-04-01")]), closed()] {
        assert_eq!(periods.open_day(day("2026-02-14")), day("2026-04-01"));
        assert!(periods.is_open(day("2025-12-31")) && periods.is_open(day("2026-04-01")));
    }
    let both = after(vec![
        begin(quarter(), "2026-06-01"),
        close(quarter(), UnresolvedTax::default()),
        begin(days("2026-04", "2026-04-01", "2026-04-30"), "2026-06-01"),
    ]);
    assert_eq!(both.open_day(day("2026-03-31")), day("2026-05-01"));
}

#[test]
fn a_period_is_closed_when_it_is_over_and_once() {
    let none = TaxPeriods::default();
    let not_over = none.decide(begin(quarter(), "2026-03-31")).unwrap_err();
    assert_eq!(
        (not_over.code(), not_over.field()),
        ("TAX_PERIOD_NOT_OVER", ["period"].as_slice())
    );
    let again = closed().decide(begin(quarter(), "2026-04-01")).unwrap_err();
    assert_eq!(again.code(), "TAX_PERIOD_CLOSED");
    let month = days("2026-03", "2026-03-01", "2026-03-31");
    let overlapping = closed().decide(begin(month.clone(), "2026-04-01")).unwrap_err();
    assert_eq!(
        overlapping,
        TaxPeriodError::Overlaps {
            name: "2026-Q1".to_owned()
        }
    );
    assert_eq!(overlapping.code(), "TAX_PERIOD_OVERLAPS");
    let never_begun = none.decide(close(month, UnresolvedTax::default())).unwrap_err();
    assert_eq!(
        (never_begun.code(), never_begun.field()),
        ("TAX_PERIOD_OPENED_MEANWHILE", ["period"].as_slice())
    );
    let mut small = begin(quarter(), "2026-04-01");
    if let TaxPeriodCommand::BeginClosing { state, .. } = &mut small {
        *state = "ca".to_owned();
    }
    assert_eq!(none.decide(small).unwrap_err().code(), "INVALID_STATE");
    let twice = closed().decide(close(quarter(), UnresolvedTax::default()));
    assert_eq!(twice.unwrap_err().code(), "TAX_PERIOD_CLOSED");
}

#[test]
fn what_is_unresolved_is_named_and_withdraws_the_closing() {
    let unresolved = UnresolvedTax {
        without_rate: vec!["A".to_owned()],
        unconfirmed: vec!["B".to_owned(), "C".to_owned()],
        events_behind: 2,
    };
    let mut closing = after(vec![begin(quarter(), "2026-04-01")]);
    let refused = closing.decide(close(quarter(), unresolved.clone())).unwrap_err();
    assert_eq!(refused.code(), "TAX_PERIOD_UNRESOLVED");
    assert_eq!(
        refused.to_string(),
        "the period cannot be closed: no rate is known for A; the place is to be confirmed of B, C; \
         2 events are still being followed"
    );
    let withdraw = TaxPeriodCommand::Withdraw(TaxPeriodClosingWithdrawn {
        state: "CA".to_owned(),
        period: quarter(),
        unresolved,
        withdrawn_at: now(),
    });
    for event in closing.decide(withdraw.clone()).unwrap() {
        closing.evolve(&event);
    }
    assert!(closing.is_open(day("2026-03-31")));
    assert_eq!(
        closing.decide(withdraw).unwrap_err().code(),
        "TAX_PERIOD_NOT_CLOSED"
    );
}

#[test]
fn opening_again_needs_a_reason_and_remembers_what_was_closed() {
    let mut periods = closed();
    assert_eq!(
        periods.decide(reopen(quarter(), "x")).unwrap_err().code(),
        "INVALID_REASON"
    );
    let year = days("2026", "2026-01-01", "2026-12-31");
    assert_eq!(
        periods.decide(reopen(year, "a mistake")).unwrap_err().code(),
        "TAX_PERIOD_NOT_CLOSED"
    );
    let events = periods.decide(reopen(quarter(), "a mistake")).unwrap();
    let TaxPeriodEvent::Reopened(reopened) = &events[0] else {
        panic!("{events:?}")
    };
    assert_eq!(
        (reopened.position, reopened.checksum.as_deref()),
        (Some(Position(9)), Some("c"))
    );
    periods.evolve(&events[0]);
    assert!(periods.is_open(day("2026-01-01")));
    assert!(periods.decide(begin(quarter(), "2026-04-01")).is_ok());
}

/// The days were opened, took a line, and are being closed again: the report of the closing before lacks the line.
#[test]
fn a_report_that_was_made_under_an_earlier_closing_closes_nothing() {
    let begun = after(vec![begin(quarter(), "2026-04-01")]);
    let first = begun.closing(&quarter());
    let mut periods = begun;
    for command in [
        reopen(quarter(), "a party is missing"),
        begin(quarter(), "2026-04-01"),
    ] {
        for event in periods.decide(command).unwrap() {
            periods.evolve(&event);
        }
    }
    let second = periods.closing(&quarter());
    assert_ne!(first, second);
    let stale = periods.decide(close_under(first, quarter(), UnresolvedTax::default()));
    assert_eq!(stale.unwrap_err().code(), "TAX_PERIOD_OPENED_MEANWHILE");
    let fresh = close_under(second, quarter(), UnresolvedTax::default());
    for event in periods.decide(fresh).unwrap() {
        periods.evolve(&event);
    }
    assert_eq!(periods.closing(&quarter()), second);
}

proptest! {
    #[test]
    fn the_open_day_is_the_first_one_that_is_open(spans in prop::collection::vec((0_u64..200, 0_u64..30), 0..6), from in 0_u64..230) {
        let start = day("2025-01-01");
        let at = |offset: u64| start.checked_add_days(chrono::Days::new(offset)).unwrap();
        let mut periods = TaxPeriods::default();
        for (first, length) in spans {
            let (from, until) = (at(first), at(first + length));
            let period = TaxDays { name: format!("{from}..{until}"), from, until };
            if let Ok(events) = periods.decide(begin(period, "2026-01-01")) {
                periods.evolve(&events[0]);
            }
        }
        let found = periods.open_day(at(from));
        prop_assert!(periods.is_open(found) && found >= at(from));
        let mut day = at(from);
        while day < found {
            prop_assert!(!periods.is_open(day));
            day = day.succ_opt().unwrap();
        }
    }
}
