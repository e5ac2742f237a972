//! Reading in order, by type, by stream, to an instant.

use chrono::TimeDelta;
use domain::envelope::{Expectation, StoredEvent};
use futures::TryStreamExt;

use super::{TENANT, World, append, at, event, one, stream, write};

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
    let streamed = async |after, until: Option<i64>, types: Option<&str>| {
        let types = types.map(|name| vec![name.to_owned()]);
        let events: Vec<StoredEvent> = world
            .log
            .stream_all(TENANT, at(after), until.map(at), types)
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
    assert_eq!(streamed(0, None, Some("thing.happened")).await.len(), 2502);
    assert_eq!(streamed(0, None, Some("thing.else")).await.len(), 0);
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
