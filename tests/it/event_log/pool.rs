//! Connections that are kept: which are broken is noticed, and closing does not wait for ever.

use std::time::{Duration, Instant};

use event_log::LogError;
use futures::future::join_all;
use sqlx::postgres::PgConnection;
use tokio::time::{sleep, timeout};

use super::{TENANT, World, at};

/// Connections of a test's pool.
const CONNECTIONS: usize = 8;
/// How long a connection lies idle before it is asked whether it is still there, and a little.
const IDLE: Duration = Duration::from_millis(1_200);

/// Server processes at work for this database but the one that is asked.
async fn backends(superuser: &mut PgConnection) -> i64 {
    sqlx::query_scalar(
        "select count(*) from pg_stat_activity
         where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()",
    )
    .fetch_one(superuser)
    .await
    .expect("the activity can be read")
}

async fn until_there_are(superuser: &mut PgConnection, wanted: i64) {
    for _ in 0..1000 {
        if backends(superuser).await == wanted {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("{} backends instead of {wanted}", backends(superuser).await);
}

#[tokio::test]
async fn idle_connections_that_the_server_closed_are_replaced_before_anybody_gets_them() {
    let world = World::new().await;
    let database = world.log.database();
    let mut superuser = world.test.superuser().await;
    for round in 0..2 {
        let open = join_all((0..CONNECTIONS).map(|_| database.begin(TENANT))).await;
        for transaction in open {
            transaction.unwrap().commit().await.unwrap();
        }
        assert_eq!(backends(&mut superuser).await, 8, "all are idle");
        sqlx::query(
            "select pg_terminate_backend(pid) from pg_stat_activity
             where datname = current_database() and pid <> pg_backend_pid()",
        )
        .execute(&mut superuser)
        .await
        .unwrap();
        until_there_are(&mut superuser, 0).await;
        sleep(IDLE).await;
        if round == 0 {
            // All at once, so that each connection serves one.
            let reads = join_all((0..CONNECTIONS).map(|_| world.log.head(TENANT))).await;
            for head in reads {
                assert_eq!(head.unwrap().position, at(0));
            }
        } else {
            // One after the other, each while those before hold theirs.
            let mut open = Vec::new();
            for _ in 0..CONNECTIONS {
                let mut transaction = database.begin_read(TENANT).await.unwrap();
                let one: i32 = sqlx::query_scalar("select 1")
                    .fetch_one(&mut *transaction)
                    .await
                    .unwrap();
                open.push((transaction, one));
            }
            for (transaction, one) in open {
                assert_eq!(one, 1);
                transaction.rollback().await.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn closing_ends_though_a_transaction_stays_open() {
    let world = World::new().await;
    let database = world.log.database();
    let held = database.begin(TENANT).await.unwrap();
    let began = Instant::now();
    timeout(Duration::from_secs(7), database.close())
        .await
        .expect("closing ends");
    assert!(
        began.elapsed() >= Duration::from_secs(1),
        "who is at work has a while to end"
    );
    let late = database.begin(TENANT).await;
    assert!(matches!(late, Err(LogError::Unavailable { .. })), "{late:?}");
    drop(held);
}

#[tokio::test]
async fn closing_waits_for_a_transaction_that_ends_and_what_it_wrote_is_there() {
    let world = World::new().await;
    let database = world.log.database();
    let mut superuser = world.test.superuser().await;
    let mut held = database.begin(TENANT).await.unwrap();
    sqlx::query("insert into claims_unique values ($1, 'pool', 'key', 'thing', 'a')")
        .bind(TENANT.0)
        .execute(&mut *held)
        .await
        .unwrap();
    let began = Instant::now();
    let work = async {
        sleep(Duration::from_millis(300)).await;
        held.commit().await
    };
    let (committed, ()) = futures::join!(work, database.close());
    committed.unwrap();
    assert!(
        began.elapsed() < Duration::from_secs(4),
        "it closes when the last is done"
    );
    let there: bool = sqlx::query_scalar("select exists (select from claims_unique where scope = 'pool')")
        .fetch_one(&mut superuser)
        .await
        .unwrap();
    assert!(there);
    until_there_are(&mut superuser, 0).await;
}
