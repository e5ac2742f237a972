//! Reading in order, by type, by stream, to an instant.

use std::pin::pin;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::TimeDelta;
use domain::envelope::{Expectation, NewEvent, Position, StoredEvent, Version};
use domain::ids::CommandId;
use event_log::{Database, EventLog, LogError};
use futures::{StreamExt, TryStreamExt};
use sqlx::Executor;
use tests::proxy::{Badness, Proxy};
use uuid::Uuid;

use super::{OTHER_TENANT, TENANT, World, append, at, event, one, stream, write};

/// Memory that the pages of a stream take together.
const IN_FLIGHT: usize = 8 << 20;

fn positions(events: &[StoredEvent]) -> Vec<i64> {
    events.iter().map(|event| event.position.0).collect()
}

#[tokio::test]
async fn a_read_is_bounded_and_filtered_by_type() {
    let world = World::new().await;
    let mut other = event(3);
    other.event_type = "thing.ended";
    world
        .appended(append(
            1,
            vec![write(
                "a",
                Expectation::Any,
                vec![event(1), event(2), other, event(4)],
            )],
        ))
        .await;
    let read = async |after, limit, types: Option<&[&str]>| {
        positions(&world.log.read(TENANT, at(after), limit, types).await.unwrap())
    };
    assert_eq!(read(0, 2, None).await, [1, 2]);
    assert_eq!(read(2, 9, None).await, [3, 4]);
    assert_eq!(read(0, 9, Some(&["thing.happened"])).await, [1, 2, 4]);
    assert_eq!(read(0, 9, Some(&["thing.ended", "thing.unknown"])).await, [3]);
    assert_eq!(read(4, 9, None).await, [0; 0]);
    assert_eq!(world.log.read_stream(TENANT, &stream("b")).await.unwrap(), []);
}

#[tokio::test]
async fn the_whole_log_streams_over_its_pages() {
    let world = World::new().await;
    for command in 0..3_u128 {
        let events = (0..834).map(|number| event(command * 1000 + number)).collect();
        world
            .appended(append(command, vec![write("a", Expectation::Any, events)]))
            .await;
    }
    let streamed = async |after, until: Option<i64>, but: Option<&str>| {
        let but = but.map(|name| vec![name.to_owned()]);
        let events: Vec<StoredEvent> = world
            .log
            .stream_all(TENANT, at(after), until.map(at), but)
            .try_collect()
            .await
            .unwrap();
        positions(&events)
    };
    assert_eq!(streamed(0, None, None).await, (1..=2502).collect::<Vec<i64>>());
    assert_eq!(
        streamed(10, Some(2010), None).await,
        (11..=2010).collect::<Vec<i64>>()
    );
    assert_eq!(streamed(0, None, Some("thing.happened")).await.len(), 0);
    assert_eq!(streamed(0, None, Some("thing.else")).await.len(), 2502);
    assert_eq!(replays::verify(&world.log, TENANT, &()).await.unwrap().blocks, 3);
}

#[tokio::test]
async fn an_instant_has_its_position() {
    let world = World::new().await;
    assert_eq!(
        world
            .log
            .position_at(TENANT, chrono::DateTime::UNIX_EPOCH)
            .await
            .unwrap(),
        at(0)
    );
    for command in 1..=9 {
        world.appended(one(command, "a", Expectation::Any)).await;
    }
    let events = world.log.read(TENANT, at(0), 10, None).await.unwrap();
    assert!(events.is_sorted_by_key(|event| event.recorded_at));
    for event in &events {
        let last_then = events
            .iter()
            .rfind(|other| other.recorded_at <= event.recorded_at)
            .unwrap();
        let found = world.log.position_at(TENANT, event.recorded_at).await.unwrap();
        assert_eq!(found, last_then.position);
    }
    let before = events[0].recorded_at - TimeDelta::microseconds(1);
    assert_eq!(world.log.position_at(TENANT, before).await.unwrap(), at(0));
}

#[tokio::test]
async fn a_stream_is_read_from_any_version_of_it() {
    let world = World::new().await;
    let events = (1..=5).map(event).collect();
    world
        .appended(append(1, vec![write("a", Expectation::NoStream, events)]))
        .await;
    let all = world.log.read_stream(TENANT, &stream("a")).await.unwrap();
    for after in 0..=6 {
        let read = world
            .log
            .read_stream_after(TENANT, &stream("a"), Version(after))
            .await;
        let rest = usize::try_from(after).unwrap().min(all.len());
        assert_eq!(read.unwrap(), all[rest..]);
    }
    let elsewhere = world.log.read_stream(OTHER_TENANT, &stream("a")).await;
    assert_eq!(elsewhere.unwrap(), []);
}

#[tokio::test]
async fn a_read_and_a_copy_give_the_same_events() {
    let world = World::new().await;
    let events = (0..600).map(event).collect();
    world
        .appended(append(1, vec![write("a", Expectation::Any, events)]))
        .await;
    let read = world.log.read(TENANT, at(0), 1000, None).await.unwrap();
    let copied: Vec<StoredEvent> = world
        .log
        .stream_all(TENANT, at(0), None, None)
        .try_collect()
        .await
        .unwrap();
    assert_eq!(read.len(), 600);
    assert_eq!(copied, read);
    let none: Vec<StoredEvent> = world
        .log
        .stream_all(OTHER_TENANT, at(0), None, None)
        .try_collect()
        .await
        .unwrap();
    assert_eq!(none, []);
}

fn large(number: u128, bytes: usize) -> NewEvent {
    NewEvent {
        payload: format!("{{\"text\":\"{}\"}}", "x".repeat(bytes)),
        ..event(number)
    }
}

#[tokio::test]
async fn large_events_make_small_pages() {
    let world = World::new().await;
    let mut number = 0;
    for command in 0..6 {
        // Small ones before large ones, so that a page is asked for that they do not fit in.
        let sizes = if command < 2 {
            vec![10; 400]
        } else {
            vec![1 << 20; 5]
        };
        let events = sizes
            .into_iter()
            .map(|bytes| {
                number += 1;
                large(number, bytes)
            })
            .collect();
        world
            .appended(append(command, vec![write("a", Expectation::Any, events)]))
            .await;
    }
    let pages: Vec<Vec<StoredEvent>> = world
        .log
        .stream_pages(TENANT, at(0), None, None)
        .try_collect()
        .await
        .unwrap();
    let sizes: Vec<usize> = pages
        .iter()
        .map(|page| {
            page.iter()
                .map(|event| event.payload.len() + event.metadata.len())
                .sum()
        })
        .collect();
    assert!(
        sizes
            .windows(2)
            .all(|two| two.iter().sum::<usize>() <= IN_FLIGHT + (1 << 20)),
        "{sizes:?}"
    );
    assert!(pages.len() > 6, "{sizes:?}");
    assert_eq!(positions(&pages.concat()), (1..=820).collect::<Vec<i64>>());
}

#[tokio::test]
async fn a_hole_ends_a_stream_after_the_events_before_it() {
    // Within the first page, and right at its end.
    for hole in [100, 512, 513] {
        let world = World::new().await;
        let events = (0..1200).map(event).collect();
        world
            .appended(append(1, vec![write("a", Expectation::Any, events)]))
            .await;
        let mut superuser = world.test.superuser().await;
        superuser
            .execute("set session_replication_role = replica")
            .await
            .unwrap();
        sqlx::query("delete from events where position = $1")
            .bind(hole)
            .execute(&mut superuser)
            .await
            .unwrap();
        let mut events = pin!(world.log.stream_all(TENANT, at(0), None, None));
        for expected in 1..hole {
            assert_eq!(events.next().await.unwrap().unwrap().position, at(expected));
        }
        let gap = LogError::Gap {
            expected: at(hole),
            found: at(hole + 1),
        };
        assert_eq!(events.next().await, Some(Err(gap)));
        assert_eq!(events.next().await, None);
    }
}

#[tokio::test]
async fn a_long_stream_reads_each_event_once() {
    let world = World::new().await;
    for command in 0..20 {
        let events = (0..1000).map(event).collect();
        world
            .appended(append(command, vec![write("a", Expectation::Any, events)]))
            .await;
    }
    world.log.database().close().await;
    let mut superuser = world.test.superuser().await;
    superuser.execute("analyze events").await.unwrap();
    let before = world.test.rows_read("events").await;
    let log = over_one_connection(world.test.superuser_options()).await;
    for but in [None, Some(vec!["nothing.such".to_owned()])] {
        let pages: Vec<Vec<StoredEvent>> = log
            .stream_pages(TENANT, at(0), None, but)
            .try_collect()
            .await
            .unwrap();
        assert!(pages.len() > 4, "{} pages", pages.len());
        assert_eq!(pages.concat().len(), 20_000);
    }
    log.database().close().await;
    let read = world.test.rows_read("events").await - before;
    assert!(
        (40_000..41_000).contains(&read),
        "twice 20,000 events, and {read} rows"
    );
}

/// The log of a world over another gateway, which has one connection.
async fn over_one_connection(options: sqlx::postgres::PgConnectOptions) -> EventLog {
    EventLog::start(Database::connect(options, 1).await.expect("the database answers"))
}

#[tokio::test]
async fn who_uses_a_stream_may_use_the_only_connection_too_and_drop_the_stream() {
    let world = World::new().await;
    let events = (0..3000).map(event).collect();
    world
        .appended(append(1, vec![write("a", Expectation::Any, events)]))
        .await;
    let log = over_one_connection(world.test.superuser_options()).await;
    let mut pages = Box::pin(log.stream_pages(TENANT, at(0), None, None));
    let mut read = 0;
    while let Some(page) = pages.try_next().await.unwrap() {
        read += page.len();
        assert_eq!(log.head(TENANT).await.unwrap().position, at(3000));
    }
    assert_eq!(read, 3000);
    for taken in 0..40 {
        let mut events = Box::pin(log.stream_all(TENANT, at(0), None, None));
        for _ in 0..taken * 40 {
            events.next().await.unwrap().unwrap();
        }
        drop(events);
        let next = log.read(TENANT, at(2990), 100, None).await.unwrap();
        assert_eq!(positions(&next), (2991..=3000).collect::<Vec<i64>>());
    }
}

#[tokio::test]
async fn each_small_read_is_one_round_trip() {
    let world = World::new().await;
    for command in 1..=9 {
        world.appended(one(command, "a", Expectation::Any)).await;
    }
    let good = Badness {
        cuts: 0,
        late: 0,
        delay: Duration::ZERO,
    };
    let line = Proxy::open(&world.test.superuser_options(), good, 0);
    let log = over_one_connection(line.through(world.test.superuser_options())).await;
    let now = log.head(TENANT).await.unwrap().recorded_at;
    let everything = async || {
        log.head(TENANT).await.unwrap();
        log.read(TENANT, Position::START, 100, None).await.unwrap();
        log.read_stream(TENANT, &stream("a")).await.unwrap();
        log.load(TENANT, &stream("a"), Some(&[0; 32])).await.unwrap();
        log.position_at(TENANT, now).await.unwrap();
        log.command(TENANT, CommandId(Uuid::from_u128(1))).await.unwrap();
        log.unique_holder(TENANT, "scope", "key").await.unwrap();
    };
    // Prepared once for each connection.
    everything().await;
    let before = line.counts().passed.load(Ordering::Relaxed);
    everything().await;
    assert_eq!(line.counts().passed.load(Ordering::Relaxed) - before, 7);
}

#[tokio::test]
async fn a_read_leaves_no_tenant_on_the_connection() {
    let world = World::new().await;
    world.appended(one(1, "a", Expectation::Any)).await;
    let log = over_one_connection(world.test.superuser_options()).await;
    assert_eq!(log.read(TENANT, at(0), 9, None).await.unwrap().len(), 1);
    assert_eq!(log.read(OTHER_TENANT, at(0), 9, None).await.unwrap(), []);
    assert_eq!(log.head(OTHER_TENANT).await.unwrap().position, at(0));
    // Any function, for any caller, past none of the rules.
    let mut connection = world.test.superuser().await;
    connection.execute("set role hibachi_app").await.unwrap();
    let read = "select count(*) from read_events('00000000-0000-0000-0000-000000001001', 0, 9, null)";
    connection.execute(read).await.unwrap();
    let after = connection.execute("select from events").await;
    assert!(after.is_err(), "a tenant outlives the function's transaction");
    let definers: i64 = sqlx::query_scalar(
        "select count(*) from pg_proc
         where (proname like 'read%' or proname in ('load_stream', 'keep_snapshot')) and prosecdef",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!(definers, 0);
}
