//! Dashboard, calendar and ledger over one company: each agrees with the rows that it can be opened to, live and as of a
//! position, and shows nobody more than is in reach.

use chrono::NaiveDate;
use domain::access::{Role, StationScope, Viewer};
use domain::booking::BookingStatus;
use domain::envelope::Position;
use domain::ids::{BookingId, StationId};
use domain::money::Cents;
use projections::booking_ledger::{self, LedgerKind};
use projections::booking_list::{self, BookingFilter, BookingRow, BookingSort};
use projections::calendar::{CalendarError, calendar};
use projections::dashboard::{DashboardError, DashboardFilter, Figures, Grain, dashboard};
use projections::payment_list::{self, PaymentFilter, PaymentStatus};
use projections::{At, ReadError, Slice};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::company::{Company, OAKLAND, SAN_JOSE, TENANT, auditor, id, station, viewer};

/// Somebody who reads everything of one station.
pub(super) fn kept_to(station: StationId) -> Viewer {
    viewer(Role::Auditor, StationScope::Only(vec![station]))
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("it is a day")
}

async fn bookings(company: &Company, viewer: &Viewer, at: At) -> Vec<BookingRow> {
    let all = Slice::first(1_000);
    let filter = BookingFilter::default();
    let page = booking_list::page(&company.models, viewer, filter, BookingSort::StartAsc, all, at);
    let page = page.await.expect("the read models answer");
    page.rows.into_iter().map(|listed| listed.row).collect()
}

/// The figures of rows, by the definitions and not by the code.
fn summed(rows: &[&BookingRow]) -> Figures {
    let count = |status| i64::try_from(rows.iter().filter(|row| row.status == status).count()).expect("few");
    let gone = [BookingStatus::Cancelled, BookingStatus::Expired];
    let stand = || rows.iter().filter(|row| !gone.contains(&row.status));
    Figures {
        requested: count(BookingStatus::Requested),
        confirmed: count(BookingStatus::Confirmed),
        completed: count(BookingStatus::Completed),
        cancelled: count(BookingStatus::Cancelled),
        expired: count(BookingStatus::Expired),
        guests: stand()
            .map(|row| i64::from(row.adults + row.children + row.under6))
            .sum(),
        booked_cents: stand().map(|row| row.total_cents).sum(),
        collected_cents: rows.iter().map(|row| row.paid_cents).sum(),
        refunded_cents: rows.iter().map(|row| row.refunded_cents).sum(),
        outstanding_cents: stand().map(|row| row.balance_due_cents()).sum(),
    }
}

/// Thirty bookings on twenty days of December, each with a fate of its own; positions on the way.
pub(super) async fn december() -> (Company, Vec<Position>) {
    let company = Company::new().await;
    company.open().await;
    let mut runner = TestRunner::deterministic();
    let mut positions = Vec::new();
    for n in 1..=30 {
        let mut last = company.request(n).await;
        let fate = (0..5_u8)
            .new_tree(&mut runner)
            .expect("a strategy gives values")
            .current();
        if fate >= 1 {
            last = company.pay(n).await;
        }
        if fate == 2 || fate == 3 {
            last = company.complete(n).await;
        }
        if fate == 4 {
            last = company.cancel(n).await;
        }
        positions.push(last);
    }
    company
        .models
        .catch_up(TENANT)
        .await
        .expect("the read models answer");
    (company, positions)
}

#[tokio::test]
async fn a_dashboard_has_the_sums_of_its_bookings_in_every_bucket_live_and_as_of_any_position() {
    let (company, positions) = december().await;
    let mut runner = TestRunner::deterministic();
    let asked = (0_u64..25, 0_u64..40, 0_usize..3, 0_usize..4, 0_usize..31);
    for _ in 0..64 {
        let (offset, length, grain, who, when) = asked.new_tree(&mut runner).expect("values").current();
        let from = day("2026-11-20") + chrono::Days::new(offset);
        let to = from + chrono::Days::new(length);
        let (viewer, station_id) = match who {
            0 => (auditor(), None),
            1 => (auditor(), Some(OAKLAND)),
            2 => (kept_to(SAN_JOSE), None),
            _ => (kept_to(SAN_JOSE), Some(OAKLAND)),
        };
        let at = positions
            .get(when)
            .map_or(At::NOW, |position| At::AsOf(*position));
        let grain = Grain::ALL[grain];
        let filter = DashboardFilter {
            station_id,
            from,
            to,
            grain,
        };
        let found = dashboard(&company.models, &viewer, filter, at)
            .await
            .expect("it is answered");
        let rows = bookings(&company, &viewer, at).await;
        let within = |from: NaiveDate, to: NaiveDate| -> Vec<&BookingRow> {
            let of_station = |row: &&BookingRow| station_id.is_none_or(|station| row.station_id == station);
            let on = |row: &&BookingRow| (from..=to).contains(&row.start_local.date());
            rows.iter().filter(of_station).filter(on).collect()
        };
        for bucket in &found.value.buckets {
            assert_eq!(
                bucket.figures,
                summed(&within(bucket.from, bucket.to)),
                "{bucket:?}"
            );
        }
        assert_eq!(
            found.value.total.figures,
            summed(&within(from, to)),
            "{from} {to} {at:?}"
        );
        if who == 3 {
            assert_eq!(
                found.value.total.figures,
                Figures::default(),
                "Oakland is out of reach"
            );
        }
    }
    super::assert_rebuilds_to_the_same(&company.models).await;
}

#[tokio::test]
async fn a_dashboard_is_for_those_who_may_see_bookings_and_money() {
    let company = Company::new().await;
    company.open().await;
    company.models.catch_up(TENANT).await.unwrap();
    let filter = DashboardFilter {
        station_id: None,
        from: day("2026-12-01"),
        to: day("2026-12-31"),
        grain: Grain::Month,
    };
    for role in Role::ALL {
        let who = viewer(role, StationScope::All);
        let asked = dashboard(&company.models, &who, filter.clone(), At::NOW).await;
        let refused = matches!(asked, Err(DashboardError::Read(ReadError::Forbidden(_))));
        assert_eq!(refused, role == Role::Chef, "{role:?}");
    }
    let too_long = DashboardFilter {
        to: day("2028-12-31"),
        grain: Grain::Day,
        ..filter
    };
    let refused = dashboard(&company.models, &auditor(), too_long, At::NOW).await;
    assert!(
        matches!(refused, Err(DashboardError::TooLong { days: 762, .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_calendar_has_what_takes_the_stations_chefs_on_each_of_its_days() {
    let (company, positions) = december().await;
    let (from, to) = (day("2026-11-30"), day("2026-12-31"));
    for at in [At::NOW, At::AsOf(positions[10])] {
        for station_id in [SAN_JOSE, OAKLAND] {
            let found = calendar(&company.models, &auditor(), station_id, from, to, at)
                .await
                .unwrap();
            let calendar = found.value.expect("the station is there");
            assert_eq!((calendar.chefs, calendar.days.len()), (1, 32));
            let gone = [BookingStatus::Cancelled, BookingStatus::Expired];
            let rows = bookings(&company, &auditor(), at).await;
            for day in &calendar.days {
                let taken: Vec<BookingId> =
                    day.entries.iter().map(|entry| entry.booking.booking_id).collect();
                let mut there: Vec<&BookingRow> = rows
                    .iter()
                    .filter(|row| row.station_id == station_id && !gone.contains(&row.status))
                    .filter(|row| row.start_local.date() == day.date)
                    .collect();
                there.sort_by_key(|row| (row.blocked_from, row.booking_id));
                let there: Vec<BookingId> = there.iter().map(|row| row.booking_id).collect();
                assert_eq!(taken, there, "{}", day.date);
                assert_eq!(day.chefs_taken, i32::try_from(taken.len()).unwrap());
            }
        }
    }
    let out_of_reach = calendar(&company.models, &kept_to(SAN_JOSE), OAKLAND, from, to, At::NOW).await;
    assert_eq!(out_of_reach.unwrap().value, None);
    let chef = viewer(Role::Chef, StationScope::All);
    let refused = calendar(&company.models, &chef, SAN_JOSE, from, to, At::NOW).await;
    assert!(
        matches!(refused, Err(CalendarError::Read(ReadError::Forbidden(_)))),
        "{refused:?}"
    );
    let too_long = calendar(
        &company.models,
        &auditor(),
        SAN_JOSE,
        from,
        day("2027-01-11"),
        At::NOW,
    )
    .await;
    assert!(
        matches!(too_long, Err(CalendarError::TooLong(43))),
        "{too_long:?}"
    );
}

#[tokio::test]
async fn ledgers_agree_with_bookings_and_payments_live_and_as_of_any_position() {
    let (company, positions) = december().await;
    let ids: Vec<BookingId> = (1..=30).map(|n| BookingId(id(n))).collect();
    let all = || Slice::first(1_000);
    for at in [At::NOW, At::AsOf(positions[7]), At::AsOf(positions[22])] {
        let ledgers = booking_ledger::for_bookings(&company.models, &auditor(), &ids, at)
            .await
            .unwrap();
        let rows = bookings(&company, &auditor(), at).await;
        assert_eq!(ledgers.value.len(), rows.len());
        let payments =
            payment_list::page(&company.models, &auditor(), PaymentFilter::default(), all(), at).await;
        let payments = payments.unwrap().rows;
        for row in rows {
            let entries = &ledgers.value[&row.booking_id].entries;
            let of = |kind| entries.iter().filter(move |entry| entry.row.kind == kind);
            let found = LedgerKind::PaymentVerified;
            let charged: Cents = of(LedgerKind::Charge).map(|entry| entry.amount_cents).sum();
            let paid: Cents = of(found).map(|entry| entry.amount_cents).sum();
            let tips: Cents = of(found).map(|entry| entry.tip_cents).sum();
            assert_eq!(
                (charged, paid, tips),
                (row.total_cents, row.paid_cents, row.tip_cents)
            );
            let listed = payments.iter().map(|listed| &listed.row).filter(|payment| {
                payment.booking_id == row.booking_id && payment.status == PaymentStatus::Verified
            });
            assert_eq!(paid, listed.map(|payment| payment.amount_cents).sum());
            let last = entries.last().expect("every booking was charged");
            assert_eq!(last.balance_cents, row.total_cents - row.paid_cents);
            let proposal = row.refund_proposal.map(|proposal| proposal.proposed_refund_cents);
            assert_eq!(last.proposed_refund_cents, proposal);
        }
    }
    let of_oakland = booking_ledger::for_bookings(&company.models, &kept_to(OAKLAND), &ids, At::NOW)
        .await
        .unwrap();
    let mut seen: Vec<BookingId> = of_oakland.value.into_keys().collect();
    seen.sort();
    let there: Vec<BookingId> = (1..=30)
        .filter(|n| station(*n) == OAKLAND)
        .map(|n| BookingId(id(n)))
        .collect();
    assert_eq!(seen, there);
}
