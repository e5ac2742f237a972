//! Read models: live, rebuilt and as of a position, all three from one fold.

mod as_of;
mod as_of_api;
mod checks;
pub(crate) mod company;
mod evolution;
mod fresh;
mod frugal;
mod generations;
mod golden_log;
mod live;
mod nodes;
mod parking;
mod plans;
mod trail;
mod views;

use std::time::Duration;

use domain::access::{Role, StationScope};
use domain::booking::BookingStatus;
use domain::envelope::Position;
use domain::ids::BookingId;
use domain::money::Cents;
use projections::audit_trail::{self, AuditFilter, AuditSort};
use projections::booking_list::{self, BookingFilter, BookingRow, BookingSort};
use projections::payment_list::{self, PaymentFilter};
use projections::tax_ledger::{self, TaxLineFilter};
use projections::tax_rates::{self, TaxRateFilter};
use projections::tax_report::tax_report;
use projections::{
    At, Cursor, Fresh, Late, Page, ProjectionError, ProjectionState, ReadError, ReadModels, Slice, Unwatched,
    Waited, Worker, projection, registry,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::json;
use sqlx::Executor;

use self::company::{Company, OAKLAND, SAN_JOSE, TENANT, auditor, id, station, viewer};

/// Every read model equals what the log gives, and a rebuild changes nothing.
async fn assert_rebuilds_to_the_same(models: &ReadModels) {
    for projection in registry() {
        let checked = projection
            .check(models, TENANT, &Unwatched)
            .await
            .expect("the read models answer");
        assert_eq!(checked.differences, [], "{}", projection.name());
        let rebuilt = projection
            .rebuild(models, TENANT, &Unwatched)
            .await
            .expect("the read models answer");
        assert_eq!(rebuilt.differences, Some(vec![]), "{}", projection.name());
        assert_eq!((rebuilt.rows, rebuilt.position), (checked.rows, checked.position));
        let again = projection
            .check(models, TENANT, &Unwatched)
            .await
            .expect("the read models answer");
        assert_eq!(
            (again.differences, again.rows),
            (vec![], rebuilt.rows),
            "{}",
            projection.name()
        );
    }
}

async fn bookings(models: &ReadModels, at: At) -> Page<BookingRow> {
    let all = Slice::first(1_000);
    let filter = BookingFilter::default();
    booking_list::page(models, &auditor(), filter, BookingSort::StartAsc, all, at)
        .await
        .expect("the read models answer")
}

#[tokio::test]
async fn read_models_follow_the_log_and_rebuild_to_the_same() {
    let company = Company::busy(12).await;
    let head = company.models.catch_up(TENANT).await.unwrap();
    let page = bookings(&company.models, At::NOW).await;
    assert_eq!((page.rows.len(), page.has_next), (12, false));
    assert_eq!(
        (page.info.position, page.info.lag_events, page.info.lag_ms),
        (head, 0, 0)
    );
    let held: Vec<_> = page
        .rows
        .iter()
        .filter(|listed| listed.row.status == BookingStatus::Completed)
        .collect();
    assert_eq!(held.len(), 3);
    assert!(held.iter().all(|listed| listed.row.paid_cents == Cents(85_118)));
    let entries = audit_trail::count(&company.models, &auditor(), AuditFilter::default(), At::NOW)
        .await
        .unwrap();
    assert_eq!(entries.value, u64::try_from(head.0).unwrap());
    assert_rebuilds_to_the_same(&company.models).await;
    assert_eq!(bookings(&company.models, At::NOW).await, page);
    let status = company.models.status(TENANT).await.unwrap();
    assert!(
        status
            .iter()
            .all(|status| status.generation == 2 && status.state == ProjectionState::Live)
    );
}

#[tokio::test]
async fn a_row_that_somebody_changed_is_found_and_named_and_a_rebuild_mends_it() {
    let company = Company::busy(8).await;
    company.models.catch_up(TENANT).await.unwrap();
    let mut superuser = company.database.superuser().await;
    for lie in [
        "update booking_list set paid_cents = paid_cents + 1 where booking_id = '01930000-0000-7000-8000-000000000004'",
        "delete from booking_list where booking_id = '01930000-0000-7000-8000-000000000005'",
    ] {
        assert_eq!(superuser.execute(lie).await.unwrap().rows_affected(), 1);
    }
    let list = projection("booking_list").unwrap();
    let found = list
        .check(&company.models, TENANT, &Unwatched)
        .await
        .unwrap()
        .differences;
    let keys: Vec<&str> = found.iter().map(|difference| difference.key.as_str()).collect();
    assert_eq!(keys.len(), 2, "{found:?}");
    assert!(
        keys[0].contains(&id(4).to_string()) && keys[1].contains(&id(5).to_string()),
        "{keys:?}"
    );
    assert_eq!(found[0].live.as_ref().unwrap()["paid_cents"], json!(85_119));
    assert_eq!(found[0].refolded.as_ref().unwrap()["paid_cents"], json!(85_118));
    assert_eq!(found[1].live, None);
    let rebuilt = list.rebuild(&company.models, TENANT, &Unwatched).await.unwrap();
    assert_eq!(rebuilt.differences, Some(found));
    assert_rebuilds_to_the_same(&company.models).await;
}

#[tokio::test]
async fn an_answer_as_of_a_position_is_what_was_live_there() {
    let company = Company::new().await;
    company.open().await;
    let mut seen = Vec::new();
    for n in 1..=4 {
        company.request(n).await;
        company.pay(n).await;
        let position = if n % 2 == 0 {
            company.complete(n).await
        } else {
            company.cancel(n).await
        };
        company.models.catch_up(TENANT).await.unwrap();
        let live = everything(&company.models, At::NOW).await;
        seen.push((position, live));
    }
    for (position, live) in seen {
        assert_eq!(everything(&company.models, At::AsOf(position)).await, live);
    }
    assert_rebuilds_to_the_same(&company.models).await;
}

/// What several read models answer, as text.
async fn everything(models: &ReadModels, at: At) -> Vec<String> {
    let (viewer, all) = (auditor(), || Slice::first(1_000));
    let payments = payment_list::page(models, &viewer, PaymentFilter::default(), all(), at)
        .await
        .expect("it can be asked");
    let lines = tax_ledger::page(models, &viewer, TaxLineFilter::default(), all(), at)
        .await
        .expect("it can be asked");
    let oldest = AuditSort::OldestFirst;
    let trail = audit_trail::page(models, &viewer, AuditFilter::default(), oldest, all(), at)
        .await
        .expect("it can be asked");
    let rates = TaxRateFilter {
        state: Some("CA".to_owned()),
        on: Some("2026-12-05".parse().expect("it can be asked")),
    };
    let rates = tax_rates::page(models, &viewer, rates, all(), at)
        .await
        .expect("it can be asked");
    let report = tax_report(
        models,
        &viewer,
        "CA",
        "2026-12".parse().expect("it can be asked"),
        at,
    )
    .await
    .expect("it can be asked");
    vec![
        format!("{:?}", bookings(models, at).await),
        format!("{payments:?}"),
        format!("{lines:?}"),
        format!("{trail:?}"),
        format!("{rates:?}"),
        format!("{report:?}"),
    ]
}

#[tokio::test]
async fn a_tax_report_sums_what_was_held() {
    let company = Company::busy(8).await;
    company.models.catch_up(TENANT).await.unwrap();
    let period = "2026-Q4".parse().unwrap();
    let report = tax_report(&company.models, &auditor(), "CA", period, At::NOW)
        .await
        .unwrap();
    assert_eq!(
        (report.rows.len(), report.unresolved, report.unconfirmed),
        (1, 0, 2)
    );
    let row = &report.rows[0];
    assert_eq!(
        (row.orders, row.taxable_cents, row.tax_cents),
        (2, Cents(156_000), Cents(14_236))
    );
    assert_eq!(
        row.gross_cents,
        row.non_taxable_cents + row.taxable_cents + row.tax_cents
    );
    let other = tax_report(
        &company.models,
        &auditor(),
        "CA",
        "2025".parse().unwrap(),
        At::NOW,
    )
    .await
    .unwrap();
    assert_eq!(other.rows, []);
    assert_rebuilds_to_the_same(&company.models).await;
}

#[tokio::test]
async fn a_worker_that_is_killed_at_any_point_applies_every_event_once() {
    let company = Company::busy(16).await;
    for pause in (0..40).chain([200]) {
        let models = company.models.clone();
        let run = tokio::spawn(async move { models.catch_up(TENANT).await });
        tokio::time::sleep(Duration::from_millis(pause)).await;
        run.abort();
        let _ = run.await;
        if pause % 8 == 0 {
            company.request(100 + pause).await;
        }
    }
    company.models.catch_up(TENANT).await.unwrap();
    assert_rebuilds_to_the_same(&company.models).await;
}

#[tokio::test]
async fn two_workers_at_once_do_nothing_twice() {
    let company = Company::new().await;
    let other_node = ReadModels::new(company.database.log().await);
    let workers = [
        Worker::start(company.models.clone()),
        Worker::start(other_node.clone()),
    ];
    company.open().await;
    let mut last = Position::START;
    for n in 1..=30 {
        company.request(n).await;
        company.pay(n).await;
        last = company.complete(n).await;
    }
    for projection in registry() {
        let reached = other_node
            .wait_for(TENANT, projection.name(), last, Duration::from_secs(20))
            .await;
        assert_eq!(reached.unwrap(), Waited::Reached, "{}", projection.name());
    }
    for worker in workers {
        worker.stop().await;
    }
    assert_rebuilds_to_the_same(&company.models).await;
}

#[tokio::test]
async fn a_rebuild_loses_nothing_that_is_appended_meanwhile() {
    let company = Company::busy(8).await;
    let worker = Worker::start(company.models.clone());
    for n in 20..30 {
        company.request(n).await;
        let list = projection("booking_list").unwrap();
        let (rebuilt, _) = tokio::join!(list.rebuild(&company.models, TENANT, &Unwatched), company.pay(n));
        rebuilt.unwrap();
    }
    let list = projection("booking_list").unwrap();
    let models = &company.models;
    let (a, b) = tokio::join!(
        list.rebuild(models, TENANT, &Unwatched),
        list.rebuild(models, TENANT, &Unwatched)
    );
    assert_ne!(a.unwrap().generation, b.unwrap().generation);
    worker.stop().await;
    company.models.catch_up(TENANT).await.unwrap();
    assert_rebuilds_to_the_same(&company.models).await;
}

#[tokio::test]
async fn a_fresh_read_waits_for_its_position_and_says_when_it_does_not_come() {
    let company = Company::new().await;
    company.open().await;
    let position = company.request(1).await;
    let fresh = |wait| At::Live {
        fresh: Some(Fresh {
            at_least: position,
            wait,
            then: Late::Refuse,
        }),
    };
    let one = |at| booking_list::one(&company.models, &STAFF, BookingId(id(1)), at);
    let stale = one(fresh(Duration::from_millis(60))).await.unwrap_err();
    assert!(
        matches!(
            stale,
            ReadError::StaleRead {
                projection: "booking_list",
                position: Position(0),
                ..
            }
        ),
        "{stale:?}"
    );
    let lagging = one(At::NOW).await.unwrap();
    assert_eq!((lagging.value, lagging.info.lag_events), (None, position.0));
    let (found, caught_up) = tokio::join!(
        one(fresh(Duration::from_secs(20))),
        company.models.catch_up(TENANT)
    );
    caught_up.unwrap();
    assert_eq!(found.unwrap().value.unwrap().booking_id, BookingId(id(1)));
    assert_rebuilds_to_the_same(&company.models).await;
}

static STAFF: std::sync::LazyLock<domain::access::Viewer> = std::sync::LazyLock::new(auditor);

#[tokio::test]
async fn rows_of_an_older_fold_are_rebuilt_and_those_of_a_newer_left_alone() {
    let company = Company::busy(4).await;
    company.models.catch_up(TENANT).await.unwrap();
    let mut superuser = company.database.superuser().await;
    superuser
        .execute("update projection_checkpoints set fold_version = 0 where projection = 'booking_list'")
        .await
        .unwrap();
    // At once, though nothing has happened since.
    company.models.catch_up(TENANT).await.unwrap();
    let generation = |status: Vec<projections::ProjectionStatus>| status[0].generation;
    assert_eq!(generation(company.models.status(TENANT).await.unwrap()), 2);
    superuser
        .execute("update projection_checkpoints set fold_version = 99 where projection = 'booking_list'")
        .await
        .unwrap();
    company.request(10).await;
    let newer = company.models.catch_up(TENANT).await.unwrap_err();
    let version = projection("booking_list").unwrap().fold_version();
    assert!(
        matches!(newer, ProjectionError::NewerFold { stored: 99, ours, .. } if ours == version),
        "{newer:?}"
    );
}

#[tokio::test]
async fn a_viewer_sees_the_stations_within_reach_and_what_the_role_may() {
    let company = Company::busy(12).await;
    company.models.catch_up(TENANT).await.unwrap();
    let manager = viewer(Role::StationManager, StationScope::Only(vec![OAKLAND]));
    for at in [
        At::NOW,
        At::AsOf(company.log.head(TENANT).await.unwrap().position),
    ] {
        let all = Slice::first(100);
        let filter = BookingFilter::default();
        let page =
            booking_list::page(&company.models, &manager, filter, BookingSort::StartAsc, all, at).await;
        let page = page.unwrap();
        assert_eq!(page.rows.len(), 4);
        assert!(page.rows.iter().all(|listed| listed.row.station_id == OAKLAND));
        let hidden = (1..).find(|n| station(*n) == SAN_JOSE).unwrap();
        let hidden = booking_list::one(&company.models, &manager, BookingId(id(hidden)), at)
            .await
            .unwrap();
        assert_eq!(hidden.value, None);
    }
    let chef = viewer(Role::Chef, StationScope::All);
    let refused = booking_list::count(&company.models, &chef, BookingFilter::default(), At::NOW).await;
    assert!(matches!(refused, Err(ReadError::Forbidden(_))));
    let nowhere = viewer(Role::Admin, StationScope::Only(vec![]));
    let nothing = booking_list::count(&company.models, &nowhere, BookingFilter::default(), At::NOW)
        .await
        .unwrap();
    assert_eq!(nothing.value, 0);
    assert_rebuilds_to_the_same(&company.models).await;
}

#[tokio::test]
async fn what_cannot_be_answered_is_refused_by_name() {
    let company = Company::busy(2).await;
    let head = company.models.catch_up(TENANT).await.unwrap();
    let page = |slice, at| {
        booking_list::page(
            &company.models,
            &STAFF,
            BookingFilter::default(),
            BookingSort::StartAsc,
            slice,
            at,
        )
    };
    let future = page(Slice::first(1), At::AsOf(head.next())).await;
    assert!(matches!(future, Err(ReadError::AsOfInFuture { head: end, .. }) if end == head));
    let payments = PaymentFilter::default();
    let other = payment_list::page(&company.models, &STAFF, payments, Slice::first(1), At::NOW)
        .await
        .unwrap();
    for cursor in [other.rows[0].cursor.clone(), Cursor::from("broken".to_owned())] {
        for at in [At::NOW, At::AsOf(head)] {
            let after = Some(cursor.clone());
            let refused = page(Slice { after, first: 1 }, at).await;
            assert!(matches!(refused, Err(ReadError::BadCursor(_))));
        }
    }
    let before = company
        .models
        .as_of_instant(TENANT, "2001-01-01T00:00:00Z".parse().unwrap())
        .await
        .unwrap();
    let nothing = page(Slice::first(1), At::AsOf(before)).await.unwrap();
    assert_eq!((nothing.rows.len(), nothing.info.recorded_at), (0, None));
    let to_come = company
        .models
        .as_of_instant(TENANT, "2999-01-01T00:00:00Z".parse().unwrap())
        .await;
    assert!(matches!(to_come, Err(ReadError::InstantInFuture { .. })));
}

fn any_query() -> impl Strategy<Value = (BookingFilter, BookingSort, u16)> {
    let status = prop::sample::subsequence(
        vec![
            BookingStatus::Requested,
            BookingStatus::Completed,
            BookingStatus::Cancelled,
        ],
        0..3,
    );
    let day = || {
        prop::option::of((1_u32..22).prop_map(|day| {
            format!("2026-12-{day:02}T20:00:00Z")
                .parse()
                .expect("a day of December")
        }))
    };
    let search = prop::sample::select(vec![
        "", "san", "SÉ", "josé", "milp", "land", "951", "%", "_", "\\", "0", "a\0b",
    ]);
    let station = prop::option::of(prop::sample::select(vec![SAN_JOSE, OAKLAND]));
    let sort = prop::sample::select(vec![
        BookingSort::StartAsc,
        BookingSort::StartDesc,
        BookingSort::CreatedDesc,
    ]);
    (
        status,
        station,
        day(),
        day(),
        prop::option::of(search),
        sort,
        1_u16..6,
    )
        .prop_map(|(status, station_id, from, to, search, sort, first)| {
            let filter = BookingFilter {
                status,
                station_id,
                from,
                to,
                search: search.map(str::to_owned),
                ..BookingFilter::default()
            };
            (filter, sort, first)
        })
}

#[tokio::test]
async fn a_query_means_the_same_in_sql_and_in_memory() {
    let company = Company::busy(24).await;
    let head = company.models.catch_up(TENANT).await.unwrap();
    let (models, viewer) = (&company.models, &auditor());
    let mut runner = TestRunner::deterministic();
    for _ in 0..48 {
        let (filter, sort, first) = any_query().new_tree(&mut runner).unwrap().current();
        let mut after = None;
        let mut seen = 0;
        loop {
            let slice = || Slice {
                after: after.clone(),
                first,
            };
            let live = booking_list::page(models, viewer, filter.clone(), sort, slice(), At::NOW)
                .await
                .unwrap();
            let as_of =
                booking_list::page(models, viewer, filter.clone(), sort, slice(), At::AsOf(head)).await;
            assert_eq!(live, as_of.unwrap(), "{filter:?} {sort:?}");
            seen += live.rows.len();
            after = live.rows.last().map(|listed| listed.cursor.clone());
            if !live.has_next {
                break;
            }
        }
        for at in [At::NOW, At::AsOf(head)] {
            let count = booking_list::count(models, viewer, filter.clone(), at)
                .await
                .unwrap()
                .value;
            assert_eq!(count, u64::try_from(seen).unwrap(), "{filter:?}");
        }
    }
    assert_rebuilds_to_the_same(models).await;
}
