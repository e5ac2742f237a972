//! The independent reader: postgres-es reads our events table unmodified, and understands it as we do.

use std::collections::{BTreeMap, BTreeSet};

use domain::canonical;
use domain::decider::{Decider, Event};
use domain::envelope::{Expectation, NewEvent, StreamId, Version};
use domain::ids::EventId;
use domain::recorded::catalogue;
use domain::station::{Station, StationEvent};
use event_log::{Snapshot, StreamWrite};
use replays::independent::{Address, Compared, IndependentError, Mismatch, compare};
use sqlx::{AssertSqlSafe, Executor};
use uuid::Uuid;

use super::{TENANT, World, append};
use crate::catalogue::{Golden, golden};

fn address(world: &World) -> Address {
    Address {
        url: world.test.url(),
        sign_in: None,
    }
}

/// Compares what our store reads in one database with what postgres-es reads in another.
async fn compared(ours: &World, theirs: &World) -> Result<Compared, IndependentError> {
    compare(&ours.log, TENANT, &address(theirs), &()).await
}

async fn mismatch(ours: &World, theirs: &World) -> (String, Mismatch) {
    match compared(ours, theirs).await {
        Err(IndependentError::Disagreement(found)) => (found.stream.to_string(), found.what),
        other => panic!("{other:?}"),
    }
}

fn new_event(number: u128, golden: &Golden) -> NewEvent {
    let kinds = catalogue();
    let kind = kinds
        .iter()
        .find(|kind| kind.name == golden.name)
        .expect("it is in the catalogue");
    NewEvent {
        event_id: EventId(Uuid::from_u128(number)),
        event_type: kind.name,
        event_version: golden.version,
        payload: canonical::json(&golden.payload),
        claims: Vec::new(),
    }
}

fn kind_of(golden: &Golden) -> String {
    golden
        .name
        .split_once('.')
        .expect("names have a dot")
        .0
        .to_owned()
}

/// Every event that was ever released, of every version: a stream for each kind of aggregate.
async fn released() -> World {
    let world = World::new().await;
    let mut streams: BTreeMap<String, Vec<NewEvent>> = BTreeMap::new();
    for (golden, number) in golden().iter().zip(1..) {
        let events = streams.entry(kind_of(golden)).or_default();
        events.push(new_event(number, golden));
    }
    let write = |(kind, events): (String, Vec<NewEvent>)| StreamWrite {
        stream: StreamId {
            kind: kind.into(),
            id: "it".to_owned(),
        },
        expected: Expectation::NoStream,
        events,
    };
    world
        .appended(append(1, streams.into_iter().map(write).collect()))
        .await;
    world
}

/// Changes the log past its guards.
async fn lie(world: &World, sql: &str) {
    let mut superuser = world.test.superuser().await;
    superuser
        .execute("set session_replication_role = replica")
        .await
        .expect("the test database answers");
    let done = superuser
        .execute(AssertSqlSafe(sql.to_owned()))
        .await
        .expect("the test database answers");
    assert_eq!(done.rows_affected(), 1, "{sql}");
}

#[tokio::test]
async fn both_readers_come_to_the_same_state_of_every_kind_of_aggregate() {
    let world = released().await;
    let kinds: BTreeSet<String> = golden().iter().map(kind_of).collect();
    let expected = Compared {
        aggregates: kinds.into_iter().map(|kind| (kind, 1)).collect(),
        events: i64::try_from(golden().len()).unwrap(),
    };
    assert_eq!(compared(&world, &world).await, Ok(expected));
}

#[tokio::test]
async fn streams_are_compared_page_by_page_and_other_companies_left_alone() {
    let world = World::new().await;
    let golden = golden();
    let chef = golden
        .iter()
        .find(|golden| golden.name == "chef.registered")
        .unwrap();
    let write = |number: u128| StreamWrite {
        stream: StreamId::new("chef", format!("chef {number}")),
        expected: Expectation::NoStream,
        events: vec![new_event(number, chef), new_event(10_000 + number, chef)],
    };
    for first in [0, 600] {
        let streams = (first + 1..=first + 600).map(write).collect();
        world.appended(append(first + 1, streams)).await;
    }
    let mut other = append(9_999, vec![write(9_999)]);
    other.tenant = super::OTHER_TENANT;
    world.appended(other).await;
    let expected = Compared {
        aggregates: BTreeMap::from([("chef".to_owned(), 1_200)]),
        events: 2_400,
    };
    assert_eq!(compared(&world, &world).await, Ok(expected));
}

#[tokio::test]
async fn an_event_that_the_other_reads_differently_is_named_with_its_stream() {
    let (ours, theirs) = (released().await, released().await);
    let station = "aggregate_type = 'station' and sequence = 2";
    for (change, field) in [
        ("payload = '{\"chef_id\":1}'", "payload"),
        ("metadata = '{}'", "metadata"),
        ("event_type = 'station.left'", "type"),
        ("event_version = '01'", "version"),
    ] {
        let theirs = released().await;
        lie(&theirs, &format!("update events set {change} where {station}")).await;
        let found = mismatch(&ours, &theirs).await;
        assert_eq!(
            found,
            ("station:it".to_owned(), Mismatch::Event { sequence: 2, field })
        );
    }
    assert!(compared(&ours, &theirs).await.is_ok());
    let last = "delete from events where aggregate_type = 'tax_rate'
        and sequence = (select max(sequence) from events where aggregate_type = 'tax_rate')";
    lie(&theirs, last).await;
    let fewer = Mismatch::Count { theirs: 5, ours: 6 };
    assert_eq!(mismatch(&ours, &theirs).await, ("tax_rate:it".to_owned(), fewer));
    let more = Mismatch::Count { theirs: 6, ours: 5 };
    assert_eq!(mismatch(&theirs, &ours).await, ("tax_rate:it".to_owned(), more));
}

#[tokio::test]
async fn a_stream_with_a_hole_is_named_whichever_event_it_lacks() {
    let world = released().await;
    lie(
        &world,
        "delete from events where aggregate_type = 'station' and sequence = 1",
    )
    .await;
    assert_eq!(
        mismatch(&world, &world).await,
        ("station:it".to_owned(), Mismatch::Missing(1))
    );
    let world = released().await;
    lie(
        &world,
        "delete from events where aggregate_type = 'payment' and sequence = 3",
    )
    .await;
    let (stream, what) = mismatch(&world, &world).await;
    assert_eq!(
        format!("{stream}: {what}"),
        "payment:it: event 3 of the stream is missing"
    );
}

#[tokio::test]
async fn what_this_program_does_not_know_is_named() {
    for (change, said) in [
        (
            "event_type = 'station.flew_away'",
            "station:it: event 2: unknown event station.flew_away version 1",
        ),
        (
            "event_version = '7'",
            "station:it: event 2: unknown event station.chef_joined version 7",
        ),
        (
            "payload = '{}'",
            "station:it: event 2: event station.chef_joined version 1 does not fit its shape: \
             missing field `chef_id` at line 1 column 2",
        ),
        (
            "aggregate_type = 'spaceship', sequence = 1",
            "spaceship:it: this program knows no aggregate of that kind",
        ),
        (
            "event_version = 'first'",
            "station:it: our store cannot read it: corrupt at position POSITION: the event version first is no number",
        ),
    ] {
        let world = released().await;
        let station = "aggregate_type = 'station' and sequence = 2";
        let mut superuser = world.test.superuser().await;
        let position: i64 = sqlx::query_scalar(AssertSqlSafe(format!(
            "select position from events where {station}"
        )))
        .fetch_one(&mut superuser)
        .await
        .unwrap();
        lie(&world, &format!("update events set {change} where {station}")).await;
        let (stream, what) = mismatch(&world, &world).await;
        let said = said.replace("POSITION", &position.to_string());
        assert_eq!(format!("{stream}: {what}"), said);
    }
}

#[tokio::test]
async fn a_database_that_does_not_let_the_reader_in_is_no_finding() {
    let world = World::new().await;
    let nowhere = Address {
        url: world.test.url(),
        sign_in: Some(("nobody".to_owned(), "x".to_owned())),
    };
    let failed = compare(&world.log, TENANT, &nowhere, &()).await;
    assert!(matches!(failed, Err(IndependentError::Reader(_))), "{failed:?}");
    let nothing = Address {
        url: "no address".to_owned(),
        sign_in: None,
    };
    let failed = compare(&world.log, TENANT, &nothing, &()).await;
    assert!(matches!(failed, Err(IndependentError::Reader(_))), "{failed:?}");
}

#[tokio::test]
async fn a_snapshot_that_says_something_else_than_the_events_is_named() {
    let world = released().await;
    let station = StreamId::new("station", "it");
    let keep = async |version, state: &Station| {
        let snapshot = Snapshot {
            version: Version(version),
            state: canonical::json(state),
        };
        let kept = world
            .log
            .keep_snapshot(TENANT, &station, &domain::SOURCE_HASH, &snapshot);
        kept.await.unwrap();
    };
    let mut right = Station::default();
    let mut last = 0;
    for stored in world.log.read_stream(TENANT, &station).await.unwrap() {
        let event = StationEvent::decode(&stored.event_type, stored.event_version, &stored.payload);
        right.evolve(&event.unwrap());
        last = stored.sequence.0;
    }
    keep(last, &right).await;
    assert!(compared(&world, &world).await.is_ok());
    keep(last, &Station::default()).await;
    assert_eq!(
        mismatch(&world, &world).await,
        (
            "station:it".to_owned(),
            Mismatch::State {
                version: usize::try_from(last).unwrap()
            }
        )
    );
}
