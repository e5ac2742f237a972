//! Many writers, several nodes, lost connections, callers that go away.

use std::future::Future;
use std::time::Duration;

use domain::envelope::Expectation;
use domain::ids::TenantId;
use event_log::{Append, Database, EventLog, LogError, Outcome};
use futures::future::join_all;
use sqlx::Executor;
use sqlx::postgres::PgConnection;
use tests::database::TestDatabase;
use tokio::runtime::Runtime;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::{OTHER_TENANT, TENANT, World, append, at, conflict, event, exact, one, write};

const WRITERS: u128 = 32;
const APPENDS: u128 = 8;

async fn write_many(log: EventLog, writer: u128) {
    for turn in 0..APPENDS {
        let command = 1000 * (writer + 1) + turn;
        let own = format!("of {writer}");
        let both = append(
            command,
            vec![
                write(&own, Expectation::Any, vec![event(command)]),
                write("of all", Expectation::Any, vec![event(command + 500)]),
            ],
        );
        assert!(matches!(log.append(both).await, Ok(Outcome::Appended(_))));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_follower_of_many_writers_on_two_nodes_sees_every_position_in_order() {
    let world = World::new().await;
    let second_node = world.test.log().await;
    let mut wake_ups = world.log.appended();
    let log = world.log.clone();
    let total = i64::try_from(WRITERS * APPENDS * 2).unwrap();
    let follower = tokio::spawn(async move {
        let mut seen = at(0);
        while seen < at(total) {
            // `read` asserts that nothing is missing after what was seen.
            let events = log.read(TENANT, seen, 7, None).await.unwrap();
            match events.last() {
                Some(event) => seen = event.position,
                None => drop(timeout(Duration::from_millis(20), wake_ups.recv()).await),
            }
        }
    });
    let writers = (0..WRITERS).map(|writer| {
        let log = if writer % 2 == 0 {
            world.log.clone()
        } else {
            second_node.clone()
        };
        tokio::spawn(write_many(log, writer))
    });
    for writer in join_all(writers).await {
        writer.unwrap();
    }
    timeout(Duration::from_secs(30), follower).await.unwrap().unwrap();
    let verified = replays::verify(&world.log, TENANT, &()).await.unwrap();
    assert_eq!(verified.events, total);
}

#[tokio::test]
async fn an_append_is_carried_out_though_its_caller_goes_away() {
    let world = World::new().await;
    let mut wake_ups = world.log.appended();
    {
        let mut abandoned = Box::pin(world.log.append(one(1, "a", Expectation::Any)));
        assert!(futures::poll!(&mut abandoned).is_pending());
    }
    let told = timeout(Duration::from_secs(10), wake_ups.recv())
        .await
        .unwrap()
        .unwrap();
    assert_eq!((told.tenant, told.position), (TENANT, at(1)));
    assert_eq!(world.log.head(TENANT).await.unwrap().position, at(1));
}

#[tokio::test]
async fn an_append_survives_the_loss_of_the_appenders_connection() {
    let world = World::new().await;
    world.appended(one(1, "a", Expectation::Any)).await;
    let mut superuser = world.test.superuser().await;
    superuser
        .execute(
            "select pg_terminate_backend(pid) from pg_stat_activity
             where datname = current_database() and pid <> pg_backend_pid()",
        )
        .await
        .unwrap();
    assert_eq!(world.appended(one(2, "a", Expectation::Any)).await.first, at(2));
}

#[tokio::test]
async fn shutting_down_answers_what_waits_and_takes_no_more() {
    let world = World::new().await;
    let ids: Vec<String> = (0..50).map(|stream| stream.to_string()).collect();
    let waiting = join_all(
        (1..)
            .zip(&ids)
            .map(|(command, id)| world.log.append(one(command, id, Expectation::NoStream))),
    );
    let (outcomes, ()) = futures::join!(waiting, world.log.shut_down());
    assert!(
        outcomes
            .iter()
            .all(|outcome| matches!(outcome, Ok(Outcome::Appended(_))))
    );
    let late = world.log.append(one(100, "late", Expectation::Any)).await;
    assert!(matches!(late, Err(LogError::Unavailable { .. })));
    world.log.shut_down().await;
}

/// Appends as many as 5,000 at once find room for in an empty queue, and what becomes of the others.
async fn flood(log: &EventLog) -> (usize, usize) {
    let ids: Vec<String> = (0..5000).map(|stream| stream.to_string()).collect();
    let outcomes = join_all(
        (1..)
            .zip(&ids)
            .map(|(command, id)| log.append(one(command, id, Expectation::NoStream))),
    )
    .await;
    let count = |well: fn(&Result<Outcome, LogError>) -> bool| {
        outcomes.iter().filter(|outcome| well(outcome)).count()
    };
    (
        count(|outcome| matches!(outcome, Ok(Outcome::Appended(_)))),
        count(|outcome| matches!(outcome, Err(LogError::Unavailable { .. }))),
    )
}

#[tokio::test]
async fn a_full_queue_refuses_with_a_hint() {
    let world = World::new().await;
    assert_eq!(flood(&world.log).await, (1024, 3976));
    world
        .appended(one(9000, "afterwards", Expectation::NoStream))
        .await;
}

#[tokio::test]
async fn the_flood_of_one_company_leaves_room_and_turns_for_another() {
    let world = World::new().await;
    let other = async {
        let mut last = at(0);
        for command in 1..=20 {
            let mut append = one(command, "quiet", exact(i64::try_from(command).unwrap() - 1));
            append.tenant = OTHER_TENANT;
            last = world.appended(append).await.last;
        }
        last
    };
    let ((appended, refused), last) = futures::join!(flood(&world.log), other);
    assert_eq!((appended, refused), (1024, 3976));
    assert_eq!(last, at(20));
}

#[tokio::test]
async fn one_batch_serves_several_companies_and_their_outcomes_are_not_mixed_up() {
    let world = World::new().await;
    let unknown = TenantId(Uuid::from_u128(0x9999));
    let of = |tenant, append: Append| Append { tenant, ..append };
    world.appended(one(1, "held", Expectation::Any)).await;
    // The first occupies the appender, so that the others come together.
    let outcomes = join_all([
        world.log.append(one(2, "first", Expectation::Any)),
        world
            .log
            .append(of(OTHER_TENANT, one(3, "a", Expectation::NoStream))),
        world.log.append(of(OTHER_TENANT, one(4, "b", exact(7)))),
        world.log.append(of(unknown, one(5, "a", Expectation::NoStream))),
        world.log.append(one(6, "held", Expectation::NoStream)),
        world.log.append(one(7, "c", Expectation::NoStream)),
        world.log.append(of(OTHER_TENANT, one(8, "d", Expectation::Any))),
        world.log.append(one(1, "held", Expectation::Any)),
    ])
    .await;
    let position = |outcome: &Result<Outcome, LogError>| match outcome {
        Ok(Outcome::Appended(receipt) | Outcome::Replayed(receipt)) => receipt.last,
        other => panic!("not in the log: {other:?}"),
    };
    assert_eq!(position(&outcomes[0]), at(2));
    assert_eq!(position(&outcomes[1]), at(1));
    assert_eq!(outcomes[2], Ok(conflict("b", 0)));
    assert_eq!(outcomes[3], Err(LogError::UnknownTenant(unknown)));
    assert_eq!(outcomes[4], Ok(conflict("held", 1)));
    assert_eq!(position(&outcomes[5]), at(3));
    assert_eq!(position(&outcomes[6]), at(2));
    assert!(matches!(outcomes[7], Ok(Outcome::Replayed(_))));
    for tenant in [TENANT, OTHER_TENANT] {
        replays::verify(&world.log, tenant, &()).await.unwrap();
    }
}

/// Appends, and hears within a few seconds that nobody carries it out.
async fn assert_unavailable(append: impl Future<Output = Result<Outcome, LogError>>) {
    let heard = timeout(Duration::from_secs(4), append).await;
    let heard = heard.expect("whoever appends hears of the end");
    assert!(matches!(heard, Err(LogError::Unavailable { .. })), "{heard:?}");
}

/// Waits until a backend waits for a lock.
async fn until_one_waits(superuser: &mut PgConnection) {
    for _ in 0..1000 {
        let waiting: i64 = sqlx::query_scalar(
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
        )
        .fetch_one(&mut *superuser)
        .await
        .expect("the activity can be read");
        if waiting > 0 {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("no append waits for the log");
}

#[tokio::test]
async fn when_the_runtime_of_the_appender_ends_who_waits_and_who_comes_later_hear_of_it() {
    let world = World::new().await;
    let runtime = Runtime::new().unwrap();
    let options = world.test.superuser_options();
    let log = runtime
        .spawn(async { EventLog::start(Database::connect(options, 2).await.unwrap()) })
        .await
        .unwrap();
    let mut holding = world.test.superuser().await;
    holding.execute("begin").await.unwrap();
    sqlx::query("select from log_head where tenant_id = $1 for update")
        .bind(TENANT.0)
        .execute(&mut holding)
        .await
        .unwrap();
    let ask = |command: u128| {
        let log = log.clone();
        tokio::spawn(async move {
            log.append(one(command, &command.to_string(), Expectation::Any))
                .await
        })
    };
    // One is being carried out, the others are in the queue.
    let carried_out = ask(1);
    until_one_waits(&mut world.test.superuser().await).await;
    let queued = join_all((2..10).map(ask));
    let mut queued = Box::pin(queued);
    for _ in 0..100 {
        assert!(futures::poll!(&mut queued).is_pending(), "the first is not done");
        tokio::task::yield_now().await;
    }
    runtime.shutdown_background();
    assert_unavailable(async { carried_out.await.unwrap() }).await;
    for waited in timeout(Duration::from_secs(4), queued)
        .await
        .expect("whoever waits hears of the end")
    {
        assert_unavailable(async { waited.unwrap() }).await;
    }
    for command in 20..24 {
        assert_unavailable(log.append(one(command, "late", Expectation::Any))).await;
    }
    assert_unavailable(log.clone().append(one(24, "late", Expectation::Any))).await;
    timeout(Duration::from_secs(4), log.shut_down())
        .await
        .expect("there is nothing to wait for");
    holding.execute("rollback").await.unwrap();
    // Another appender takes over, and what was queued was not written.
    world.appended(one(30, "after", Expectation::NoStream)).await;
    assert!(world.log.head(TENANT).await.unwrap().position <= at(2));
}

#[tokio::test]
async fn a_log_whose_runtime_ended_before_its_first_append_says_so() {
    let test = TestDatabase::new().await;
    let options = test.superuser_options();
    let runtime = Runtime::new().unwrap();
    let log = runtime
        .spawn(async { EventLog::start(Database::connect(options, 2).await.unwrap()) })
        .await
        .unwrap();
    runtime.shutdown_background();
    for command in 1..4 {
        assert_unavailable(log.append(one(command, "a", Expectation::Any))).await;
    }
}
