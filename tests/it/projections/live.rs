//! Following the log: at once, in turns, together, and without losing anything.

use std::time::{Duration, Instant};

use domain::envelope::Position;
use domain::ids::TenantId;
use event_log::EventLog;
use projections::{ReadModels, Unwatched, Waited, Worker, registry};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor};
use uuid::Uuid;

use super::company::{Company, TENANT};

const OTHER: TenantId = TenantId(Uuid::from_u128(0x7f));
const PATIENCE: Duration = Duration::from_secs(20);
/// The longest wait of a worker for what other programs append.
const LONGEST_POLL: Duration = Duration::from_secs(1);

async fn reached(models: &ReadModels, tenant: TenantId, position: Position) -> Duration {
    let began = Instant::now();
    for projection in registry() {
        let waited = models
            .wait_for(tenant, projection.name(), position, PATIENCE)
            .await;
        assert_eq!(
            waited.expect("the test's own world"),
            Waited::Reached,
            "{}",
            projection.name()
        );
    }
    began.elapsed()
}

async fn assert_equal_to_the_log(models: &ReadModels, tenant: TenantId) {
    for projection in registry() {
        let checked = projection
            .check(models, tenant, &Unwatched)
            .await
            .expect("the test's own world");
        assert_eq!(checked.differences, [], "{}", projection.name());
    }
}

/// The lowest position of a company's read models.
async fn lowest(superuser: &mut PgConnection, tenant: TenantId) -> Position {
    let lowest: Option<i64> =
        sqlx::query_scalar("select min(position) from projection_checkpoints where tenant_id = $1")
            .bind(tenant.0)
            .fetch_one(superuser)
            .await
            .expect("the test's own world");
    Position(lowest.unwrap_or_default())
}

/// Makes a company's log longer by so many bookings, each like the first one, past the appender.
async fn lengthen(superuser: &mut PgConnection, tenant: TenantId, by: i64) -> Position {
    sqlx::query(
        "insert into events
         select e.tenant_id, h.position + n, aggregate_type, gen_random_uuid(), 1, event_type, event_version, payload,
             metadata, gen_random_uuid(), gen_random_uuid(), e.recorded_at, leaf_hash
         from log_head h join generate_series(1, $2) n on true
         join lateral (
             select * from events where tenant_id = $1 and event_type = 'booking.requested' order by position limit 1
         ) e on true
         where h.tenant_id = $1",
    )
    .bind(tenant.0)
    .bind(by)
    .execute(&mut *superuser)
    .await
    .expect("the test's own world");
    let head: i64 = sqlx::query_scalar(
        "update log_head set position = position + $2 where tenant_id = $1 returning position",
    )
    .bind(tenant.0)
    .bind(by)
    .fetch_one(superuser)
    .await
    .expect("the test's own world");
    Position(head)
}

/// Gives another company a log of its own, like ours.
async fn copy_company(company: &Company, tenant: TenantId) {
    let database = company.log.database();
    database
        .create_organisation(tenant, &format!("c{}", tenant.0.as_u128()), "Other")
        .await
        .expect("the test's own world");
    let mut superuser = company.database.superuser().await;
    sqlx::query(
        "insert into events
         select $1, position, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata,
             gen_random_uuid(), gen_random_uuid(), recorded_at, leaf_hash
         from events where tenant_id = $2",
    )
    .bind(tenant.0)
    .bind(TENANT.0)
    .execute(&mut superuser)
    .await
    .expect("the test's own world");
    sqlx::query(
        "update log_head set position = (select count(*) from events where tenant_id = $1) where tenant_id = $1",
    )
    .bind(tenant.0)
    .execute(&mut superuser)
    .await
    .expect("the test's own world");
}

#[tokio::test]
async fn what_this_program_appends_is_followed_before_the_next_look_at_all_logs() {
    let company = Company::new().await;
    let worker = Worker::start(company.models.clone());
    company.open().await;
    let mut took = Vec::new();
    for n in 1..=5 {
        // By then the worker looks at all logs once a second only.
        tokio::time::sleep(LONGEST_POLL / 2).await;
        let position = company.request(n).await;
        took.push(reached(&company.models, TENANT, position).await);
    }
    worker.stop().await;
    took.sort();
    assert!(took[2] < LONGEST_POLL / 4, "{took:?}");
    assert_equal_to_the_log(&company.models, TENANT).await;
}

#[tokio::test]
async fn what_another_program_appends_is_found() {
    let company = Company::new().await;
    company.open().await;
    let worker = Worker::start(ReadModels::new(company.database.log().await));
    for n in 1..=3 {
        let position = company.request(n).await;
        reached(&company.models, TENANT, position).await;
        tokio::time::sleep(LONGEST_POLL / 5).await;
    }
    worker.stop().await;
}

#[tokio::test]
async fn read_models_at_one_position_go_on_in_one_transaction() {
    let company = Company::busy(4).await;
    company.models.catch_up(TENANT).await.unwrap();
    let mut superuser = company.database.superuser().await;
    let transactions: i64 =
        sqlx::query_scalar("select count(distinct xmin::text::bigint) from projection_checkpoints")
            .fetch_one(&mut superuser)
            .await
            .unwrap();
    assert_eq!(transactions, 1);
}

#[tokio::test]
async fn read_models_that_stand_apart_come_together_and_none_counts_twice() {
    let company = Company::busy(8).await;
    company.models.catch_up(TENANT).await.unwrap();
    let mut superuser = company.database.superuser().await;
    for (table, position) in [("booking_list", 0), ("payment_list", 0)] {
        let back = format!(
            "delete from {table}; update projection_checkpoints set position = {position} where projection = '{table}'"
        );
        superuser.execute(AssertSqlSafe(back)).await.unwrap();
    }
    let head = lengthen(&mut superuser, TENANT, 200).await;
    let worker = Worker::start(company.models.clone());
    reached(&company.models, TENANT, head).await;
    let next = company.request(20).await;
    reached(&company.models, TENANT, next).await;
    worker.stop().await;
    assert_equal_to_the_log(&company.models, TENANT).await;
    let transactions: i64 =
        sqlx::query_scalar("select count(distinct xmin::text::bigint) from projection_checkpoints")
            .fetch_one(&mut superuser)
            .await
            .unwrap();
    assert_eq!(transactions, 1, "they go together again");
}

#[tokio::test]
async fn a_company_with_far_to_go_does_not_hold_up_another_and_a_stop_finishes_what_is_begun() {
    let company = Company::busy(1).await;
    copy_company(&company, OTHER).await;
    let mut superuser = company.database.superuser().await;
    let far = lengthen(&mut superuser, OTHER, 40_000).await;
    let worker = Worker::start(company.models.clone());
    while lowest(&mut superuser, OTHER).await == Position::START {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for n in 2..=6 {
        let position = company.request(n).await;
        reached(&company.models, TENANT, position).await;
    }
    let began = Instant::now();
    worker.stop().await;
    let took = began.elapsed();
    let reached = lowest(&mut superuser, OTHER).await;
    assert!(reached > Position::START && reached < far, "{reached} of {far}");
    assert!(took < PATIENCE / 4, "{took:?}");
    assert_equal_to_the_log(&company.models, TENANT).await;
    let list = projections::projection("booking_list").unwrap();
    let checked = list.check(&company.models, OTHER, &Unwatched).await.unwrap();
    assert_eq!((checked.differences, checked.position), (vec![], reached));
}

#[tokio::test]
async fn what_a_crashed_server_took_back_is_done_again_though_nothing_is_appended() {
    let company = Company::busy(4).await;
    let head = company.log.head(TENANT).await.unwrap().position;
    let worker = Worker::start(company.models.clone());
    reached(&company.models, TENANT, head).await;
    // What was committed last was not on the disk yet.
    let mut superuser = company.database.superuser().await;
    superuser
        .execute("delete from tax_summary; update projection_checkpoints set position = 0 where projection = 'tax_summary'")
        .await
        .unwrap();
    reached(&company.models, TENANT, head).await;
    worker.stop().await;
    assert_equal_to_the_log(&company.models, TENANT).await;
}

#[tokio::test]
async fn a_hole_in_the_log_stops_every_read_model_before_it() {
    let company = Company::busy(3).await;
    let mut superuser = company.database.superuser().await;
    superuser
        .execute("alter table events disable trigger all; delete from events where position = 9")
        .await
        .unwrap();
    company.models.catch_up(TENANT).await.unwrap_err();
    let worker = Worker::start(company.models.clone());
    let waited = company
        .models
        .wait_for(TENANT, "audit_trail", Position(9), Duration::from_millis(300));
    assert_ne!(waited.await.unwrap(), Waited::Reached);
    worker.stop().await;
    assert!(lowest(&mut superuser, TENANT).await < Position(9));
}

#[tokio::test]
async fn companies_that_nothing_happens_to_cost_no_more_than_the_look_at_all_logs() {
    const COMPANIES: u128 = 40;
    /// Fewer than one for every other company.
    const QUIET: i64 = 15;
    let company = Company::busy(1).await;
    let head = company.log.head(TENANT).await.unwrap().position;
    for n in 0..COMPANIES {
        copy_company(&company, TenantId(Uuid::from_u128(0x1_0000 + n))).await;
    }
    let other: EventLog = company.database.log().await;
    let worker = Worker::start(ReadModels::new(other));
    for n in 0..COMPANIES {
        reached(&company.models, TenantId(Uuid::from_u128(0x1_0000 + n)), head).await;
    }
    let mut superuser = company.database.superuser().await;
    let mut during = Vec::new();
    // What was done is looked at once more, and sessions tell of it some seconds later; then there is nothing to do, and that
    // stays so.
    for _ in 0..12 {
        during.push(transactions_of_two_seconds(&mut superuser).await);
        if stays_quiet(&during, QUIET) {
            break;
        }
    }
    worker.stop().await;
    assert!(
        stays_quiet(&during, QUIET),
        "{during:?} transactions in two seconds each"
    );
}

/// Whether there were fewer transactions than that three times running.
fn stays_quiet(during: &[i64], limit: i64) -> bool {
    during.len() >= 3 && during.iter().rev().take(3).all(|count| *count < limit)
}

async fn transactions_of_two_seconds(superuser: &mut PgConnection) -> i64 {
    let before = transactions(superuser).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    transactions(superuser).await - before
}

/// Transactions of the database so far, of sessions that have said so: each does at most a second later.
async fn transactions(superuser: &mut PgConnection) -> i64 {
    sqlx::query_scalar(
        "select xact_commit + xact_rollback from pg_stat_database where datname = current_database()",
    )
    .fetch_one(superuser)
    .await
    .expect("the test's own world")
}
