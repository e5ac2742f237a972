//! Many writers, several nodes, lost connections, callers that go away.

use std::time::Duration;

use domain::envelope::Expectation;
use event_log::{EventLog, LogError, Outcome};
use futures::future::join_all;
use sqlx::Executor;
use tokio::time::timeout;

use super::{TENANT, World, append, at, event, one, write};

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

#[tokio::test]
async fn a_full_queue_refuses_with_a_hint() {
    let world = World::new().await;
    let ids: Vec<String> = (0..5000).map(|stream| stream.to_string()).collect();
    let outcomes = join_all(
        (1..)
            .zip(&ids)
            .map(|(command, id)| world.log.append(one(command, id, Expectation::NoStream))),
    )
    .await;
    let appended = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Ok(Outcome::Appended(_))))
        .count();
    let refused = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Err(LogError::Unavailable { .. })))
        .count();
    assert_eq!((appended, refused), (4096, 904));
}
