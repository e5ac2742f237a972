//! What an append may come to.

use domain::envelope::{Expectation, StreamId, Version};
use domain::ids::TenantId;
use event_log::{LogError, Outcome, Receipt};
use futures::future::join_all;
use uuid::Uuid;

use super::{OTHER_TENANT, TENANT, World, append, at, conflict, event, exact, one, stream, write};

#[tokio::test]
async fn what_is_appended_is_read_back() {
    let world = World::new().await;
    let receipt = world
        .appended(append(
            1,
            vec![write("a", Expectation::NoStream, vec![event(1), event(2)])],
        ))
        .await;
    assert_eq!(
        receipt,
        Receipt {
            first: at(1),
            last: at(2),
            streams: vec![(stream("a"), Version(2))]
        }
    );
    let events = world.log.read(TENANT, at(0), 10, None).await.unwrap();
    assert_eq!(events.len(), 2);
    for (stored, number) in events.iter().zip(1..) {
        let sent = event(u128::try_from(number).unwrap());
        assert_eq!(stored.tenant, TENANT);
        assert_eq!(stored.position, at(number));
        assert_eq!(stored.stream, stream("a"));
        assert_eq!(stored.sequence, Version(number));
        assert_eq!(stored.event_type, sent.event_type);
        assert_eq!(stored.event_version, sent.event_version);
        assert_eq!(stored.payload, sent.payload);
        assert_eq!(stored.metadata, "{\"channel\":\"cli\"}");
        assert_eq!(stored.event_id, sent.event_id);
        assert_eq!(stored.command_id.0, Uuid::from_u128(1));
    }
    assert_eq!(world.log.read_stream(TENANT, &stream("a")).await.unwrap(), events);
    let head = world.log.head(TENANT).await.unwrap();
    assert_eq!(
        (head.position, head.block, head.recorded_at),
        (at(2), 1, events[1].recorded_at)
    );
}

#[tokio::test]
async fn every_expectation_is_kept() {
    let world = World::new().await;
    let outcome = async |command, expected| world.log.append(one(command, "a", expected)).await.unwrap();
    assert_eq!(outcome(1, Expectation::Exists).await, conflict("a", 0));
    assert_eq!(outcome(2, exact(1)).await, conflict("a", 0));
    assert!(matches!(
        outcome(3, Expectation::NoStream).await,
        Outcome::Appended(_)
    ));
    assert_eq!(outcome(4, Expectation::NoStream).await, conflict("a", 1));
    assert!(matches!(
        outcome(5, Expectation::Exists).await,
        Outcome::Appended(_)
    ));
    assert_eq!(outcome(6, exact(1)).await, conflict("a", 2));
    assert!(matches!(outcome(7, exact(2)).await, Outcome::Appended(_)));
    assert!(matches!(outcome(8, Expectation::Any).await, Outcome::Appended(_)));
    assert!(matches!(
        world.log.append(one(9, "b", Expectation::Any)).await.unwrap(),
        Outcome::Appended(_)
    ));
    assert_eq!(world.log.head(TENANT).await.unwrap().position, at(5));
}

#[tokio::test]
async fn a_conflict_leaves_no_trace_and_its_neighbours_win() {
    let world = World::new().await;
    world.appended(one(1, "a", Expectation::NoStream)).await;
    let outcomes = join_all([
        world.log.append(one(2, "b", Expectation::NoStream)),
        world.log.append(one(3, "a", Expectation::NoStream)),
        world.log.append(one(4, "c", Expectation::NoStream)),
    ])
    .await;
    assert!(matches!(outcomes[0], Ok(Outcome::Appended(_))));
    assert_eq!(outcomes[1], Ok(conflict("a", 1)));
    assert!(matches!(outcomes[2], Ok(Outcome::Appended(_))));
    let head = world.log.head(TENANT).await.unwrap();
    assert_eq!(
        (head.position, head.block),
        (at(3), 2),
        "the three were one batch"
    );
    let loser = one(3, "a", exact(1));
    assert_eq!(world.log.command(TENANT, loser.command_id).await.unwrap(), None);
    assert_eq!(world.appended(loser).await.first, at(4));
}

#[tokio::test]
async fn an_append_that_the_database_cannot_take_does_not_take_its_neighbours_with_it() {
    let world = World::new().await;
    let mut poisonous = one(2, "b", Expectation::Any);
    poisonous.streams[0].events[0].payload = "no json".to_owned();
    let outcomes = join_all([
        world.log.append(one(1, "a", Expectation::Any)),
        world.log.append(poisonous),
        world.log.append(one(3, "c", Expectation::Any)),
    ])
    .await;
    assert!(matches!(outcomes[0], Ok(Outcome::Appended(_))));
    assert!(matches!(&outcomes[1], Err(LogError::Refused { code, .. }) if code == "22P02"));
    assert!(matches!(outcomes[2], Ok(Outcome::Appended(_))));
    assert_eq!(world.log.head(TENANT).await.unwrap().position, at(2));
}

#[tokio::test]
async fn the_same_command_again_is_answered_with_its_first_result() {
    let world = World::new().await;
    let command = one(1, "a", Expectation::NoStream);
    let receipt = world.appended(command.clone()).await;
    world.appended(one(2, "a", exact(1))).await;
    assert_eq!(
        world.log.append(command.clone()).await.unwrap(),
        Outcome::Replayed(receipt.clone())
    );
    let stored = world
        .log
        .command(TENANT, command.command_id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(stored.digest, command.digest);
    assert_eq!(
        (stored.first, stored.last, stored.streams),
        (receipt.first, receipt.last, receipt.streams)
    );
    assert_eq!(world.log.head(TENANT).await.unwrap().position, at(2));
}

#[tokio::test]
async fn the_same_command_sent_twice_at_once_is_carried_out_once() {
    let world = World::new().await;
    let command = one(1, "a", Expectation::Any);
    let outcomes = join_all([
        world.log.append(command.clone()),
        world.log.append(command.clone()),
    ])
    .await;
    assert!(matches!(outcomes[0], Ok(Outcome::Appended(_))));
    assert!(matches!(outcomes[1], Ok(Outcome::Replayed(_))));
}

#[tokio::test]
async fn another_command_under_a_used_id_is_a_mismatch() {
    let world = World::new().await;
    world.appended(one(1, "a", Expectation::Any)).await;
    let mut other = one(1, "b", Expectation::Any);
    other.digest = [9; 32];
    assert_eq!(
        world.log.append(other).await.unwrap(),
        Outcome::IdempotencyMismatch
    );
    assert_eq!(world.log.head(TENANT).await.unwrap().position, at(1));
}

#[tokio::test]
async fn several_streams_are_written_together_or_not_at_all() {
    let world = World::new().await;
    let both = |command, expected_of_b| {
        append(
            command,
            vec![
                write("a", Expectation::Any, vec![event(1), event(2)]),
                write("b", expected_of_b, vec![event(3)]),
            ],
        )
    };
    let receipt = world.appended(both(1, Expectation::NoStream)).await;
    assert_eq!(
        receipt.streams,
        [(stream("a"), Version(2)), (stream("b"), Version(1))]
    );
    assert_eq!((receipt.first, receipt.last), (at(1), at(3)));
    let refused = world.log.append(both(2, Expectation::NoStream)).await.unwrap();
    assert_eq!(refused, conflict("b", 1));
    assert_eq!(
        world.log.read_stream(TENANT, &stream("a")).await.unwrap().len(),
        2
    );
}

#[tokio::test]
async fn a_stream_that_was_read_must_not_have_moved() {
    let world = World::new().await;
    world.appended(one(1, "prices", Expectation::NoStream)).await;
    let reading = |command, id: &str, version| {
        let mut append = one(command, id, Expectation::NoStream);
        append.reads.push((stream("prices"), Version(version)));
        append
    };
    let outcomes = join_all([
        world.log.append(reading(2, "a", 1)),
        world.log.append(reading(3, "b", 1)),
        world.log.append(one(4, "prices", exact(1))),
        world.log.append(reading(5, "c", 1)),
        world.log.append(reading(6, "d", 2)),
    ])
    .await;
    assert!(matches!(outcomes[0], Ok(Outcome::Appended(_))));
    assert!(
        matches!(outcomes[1], Ok(Outcome::Appended(_))),
        "two may read the same stream"
    );
    assert!(matches!(outcomes[2], Ok(Outcome::Appended(_))));
    assert_eq!(outcomes[3], Ok(conflict("prices", 2)));
    assert!(matches!(outcomes[4], Ok(Outcome::Appended(_))));
}

#[tokio::test]
async fn a_command_without_events_is_remembered_all_the_same() {
    let world = World::new().await;
    world.appended(one(1, "a", Expectation::Any)).await;
    let nothing = append(2, Vec::new());
    let receipt = Receipt {
        first: at(2),
        last: at(1),
        streams: Vec::new(),
    };
    assert_eq!(world.appended(nothing.clone()).await, receipt);
    assert_eq!(
        world.log.append(nothing).await.unwrap(),
        Outcome::Replayed(receipt)
    );
    assert_eq!(world.log.head(TENANT).await.unwrap().block, 1);
}

#[tokio::test]
async fn one_batch_writes_many_tenants_and_names_the_unknown_one() {
    let world = World::new().await;
    let of = |command, tenant| {
        let mut append = one(command, "a", Expectation::NoStream);
        append.tenant = tenant;
        append
    };
    let unknown = TenantId(Uuid::from_u128(1));
    let outcomes = join_all([
        world.log.append(of(1, OTHER_TENANT)),
        world.log.append(of(2, unknown)),
        world.log.append(of(3, TENANT)),
        world.log.append(of(4, OTHER_TENANT)),
    ])
    .await;
    assert!(matches!(&outcomes[0], Ok(Outcome::Appended(receipt)) if receipt.first == at(1)));
    assert_eq!(outcomes[1], Err(LogError::UnknownTenant(unknown)));
    assert!(matches!(&outcomes[2], Ok(Outcome::Appended(receipt)) if receipt.first == at(1)));
    assert_eq!(outcomes[3], Ok(conflict("a", 1)));
}

#[tokio::test]
async fn a_stream_written_twice_in_one_append_is_malformed() {
    let world = World::new().await;
    let twice = append(
        1,
        vec![
            write("a", Expectation::Any, vec![event(1)]),
            write("a", Expectation::Any, vec![event(2)]),
        ],
    );
    assert!(matches!(
        world.log.append(twice).await,
        Err(LogError::Malformed(_))
    ));
    let kinds = append(
        2,
        vec![
            write("a", Expectation::Any, vec![event(1)]),
            event_log::StreamWrite {
                stream: StreamId::new("other", "a"),
                expected: Expectation::Any,
                events: vec![event(2)],
            },
        ],
    );
    assert_eq!(
        world.appended(kinds).await.last,
        at(2),
        "the same id of another kind is another stream"
    );
}

#[tokio::test]
async fn a_version_below_zero_is_malformed() {
    let world = World::new().await;
    world.appended(one(1, "there", Expectation::NoStream)).await;
    for version in [-1, -2, i64::MIN] {
        for id in ["there", "not there"] {
            let expecting = one(2, id, exact(version));
            let mut guarded = one(3, "another", Expectation::Any);
            guarded.reads.push((stream(id), Version(version)));
            for append in [expecting, guarded] {
                let outcome = world.log.append(append).await;
                assert!(
                    matches!(outcome, Err(LogError::Malformed(_))),
                    "{id} at {version}: {outcome:?}"
                );
            }
        }
    }
    assert_eq!(world.log.head(TENANT).await.unwrap().position, at(1));
}
