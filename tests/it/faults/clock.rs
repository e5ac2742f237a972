//! A clock that jumps back.

use chrono::{DateTime, TimeDelta, Utc};
use domain::envelope::{Position, StoredEvent};
use domain::ids::TenantId;
use event_log::EventLog;
use sqlx::postgres::PgConnection;
use tests::database::TestDatabase;
use tests::seed::seed;
use tests::writer::Writer;

use super::invariants::{Attempt, Fate, assert_hold};
use super::{OTHER_TENANT, TENANT, open_logs};

/// The clock is the database's, and a test cannot set it. To the log it is the same whether the clock has jumped
/// back or the last append was ahead.
async fn jump_back(superuser: &mut PgConnection, tenant: TenantId, by: TimeDelta) -> DateTime<Utc> {
    let ahead: DateTime<Utc> = sqlx::query_scalar(
        "update log_head set recorded_at = clock_timestamp() + make_interval(secs => $2)
         where tenant_id = $1 returning recorded_at",
    )
    .bind(tenant.0)
    .bind(f64::from(i32::try_from(by.num_seconds()).expect("a few hours")))
    .fetch_one(superuser)
    .await
    .expect("the superuser may lie");
    ahead
}

async fn append(log: &EventLog, writer: Writer, turns: std::ops::Range<u32>, attempts: &mut Vec<Attempt>) {
    for turn in turns {
        let append = writer.append(turn);
        let outcome = log.append(append.clone()).await.expect("the log answers");
        attempts.push(Attempt {
            append,
            fate: Fate::of(&outcome),
        });
    }
}

async fn all(log: &EventLog, tenant: TenantId) -> Vec<StoredEvent> {
    log.read(tenant, Position::START, 1000, None)
        .await
        .expect("the log answers")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_does_not_go_back_in_time_though_the_clock_does() {
    let seed = seed();
    let test = TestDatabase::new().await;
    open_logs(test.superuser_options()).await;
    let log = test.log().await;
    let mut superuser = test.superuser().await;
    let writer = |number, tenant| Writer { seed, number, tenant };
    let (ours, theirs) = (writer(0, TENANT), writer(1, OTHER_TENANT));
    let mut attempts = Vec::new();
    append(&log, ours, 0..10, &mut attempts).await;
    let before = all(&log, TENANT).await;
    let ahead = jump_back(&mut superuser, TENANT, TimeDelta::hours(1)).await;
    append(&log, ours, 10..30, &mut attempts).await;
    append(&log, theirs, 0..10, &mut attempts).await;

    let after = all(&log, TENANT).await.split_off(before.len());
    assert!(!after.is_empty());
    assert!(
        after.iter().all(|event| event.recorded_at == ahead),
        "time stands until the clock has caught up"
    );
    let last = after.last().map(|event| event.position);
    let at = async |instant| log.position_at(TENANT, instant).await.unwrap();
    assert_eq!(Some(at(ahead).await), last);
    assert_eq!(
        Some(at(ahead - TimeDelta::microseconds(1)).await),
        before.last().map(|event| event.position)
    );
    assert!(
        all(&log, OTHER_TENANT)
            .await
            .iter()
            .all(|event| event.recorded_at < ahead),
        "another tenant's time goes on"
    );
    // The clock catches up.
    jump_back(&mut superuser, OTHER_TENANT, TimeDelta::milliseconds(1)).await;
    append(&log, theirs, 10..20, &mut attempts).await;
    assert!(
        all(&log, OTHER_TENANT)
            .await
            .is_sorted_by_key(|event| event.recorded_at)
    );
    log.shut_down().await;
    assert_hold(test.superuser_options(), attempts).await;
}
