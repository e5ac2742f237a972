//! The proof: what is stored is what was hashed, and a lie is found where it begins.

use domain::envelope::Expectation;
use event_log::proof::leaf_hash;
use replays::{Finding, Lie, VerifyError, verify};
use sqlx::Executor;

use super::{OTHER_TENANT, TENANT, World, append, at, event, one, write};

/// Ten events in six blocks: positions 1–5 alone, 6–10 in one.
async fn ten_events() -> World {
    let world = World::new().await;
    for command in 1..=5 {
        world.appended(one(command, "a", Expectation::Any)).await;
    }
    let five = (6..=10).map(event).collect();
    world
        .appended(append(6, vec![write("b", Expectation::NoStream, five)]))
        .await;
    world
}

async fn found_after(lie: &'static str) -> Finding {
    let world = ten_events().await;
    assert_eq!(
        verify(&world.log, TENANT, &())
            .await
            .expect("it is honest")
            .events,
        10
    );
    let mut superuser = world.test.superuser().await;
    superuser
        .execute("set session_replication_role = replica")
        .await
        .expect("the superuser may lie");
    superuser.execute(lie).await.expect("the superuser may lie");
    match verify(&world.log, TENANT, &()).await {
        Err(VerifyError::Lie(finding)) => finding,
        other => panic!("the lie was not found: {other:?}"),
    }
}

fn finding(position: i64, what: Lie) -> Finding {
    Finding {
        position: at(position),
        what,
    }
}

#[tokio::test]
async fn the_database_hashes_an_event_as_we_do() {
    let world = ten_events().await;
    let events = world.log.read(TENANT, at(0), 100, None).await.unwrap();
    assert_eq!(events.len(), 10);
    for event in events {
        assert_eq!(leaf_hash(&event), event.leaf_hash);
    }
}

#[tokio::test]
async fn an_honest_log_and_an_empty_one_verify() {
    let world = ten_events().await;
    let verified = verify(&world.log, TENANT, &()).await.unwrap();
    assert_eq!((verified.events, verified.blocks), (10, 6));
    assert_eq!(verified.head, world.log.head(TENANT).await.unwrap());
    assert_eq!(verify(&world.log, OTHER_TENANT, &()).await.unwrap().events, 0);
}

#[tokio::test]
async fn one_changed_byte_is_found() {
    let finding = found_after(
        "update events set payload = replace(payload::text, '\"number\":7', '\"number\":8')::json
         where position = 7",
    )
    .await;
    assert_eq!(finding, self::finding(7, Lie::ChangedContent));
    assert_eq!(
        finding.to_string(),
        "position 7: the stored event does not match its hash"
    );
}

#[tokio::test]
async fn changed_metadata_is_found() {
    let finding =
        found_after("update events set metadata = '{\"channel\":\"api\"}' where position = 3").await;
    assert_eq!(finding, self::finding(3, Lie::ChangedContent));
}

#[tokio::test]
async fn a_version_that_is_no_number_is_found() {
    let finding = found_after("update events set event_version = '01' where position = 3").await;
    assert_eq!(finding, self::finding(3, Lie::ChangedContent));
}

#[tokio::test]
async fn a_deleted_event_is_found() {
    let finding = found_after("delete from events where position = 4").await;
    assert_eq!(finding, self::finding(4, Lie::MissingEvent));
}

#[tokio::test]
async fn the_first_lie_is_the_one_that_is_named() {
    let finding = found_after(
        "delete from events where position = 4; update events set payload = '{}' where position = 2",
    )
    .await;
    assert_eq!(finding, self::finding(2, Lie::ChangedContent));
}

#[tokio::test]
async fn a_cut_tail_is_found() {
    let finding = found_after("delete from events where position > 8").await;
    assert_eq!(finding, self::finding(9, Lie::MissingEvent));
}

#[tokio::test]
async fn a_tail_cut_with_its_block_and_a_head_turned_back_are_found() {
    let finding = found_after(
        "delete from events where position > 5; delete from log_blocks where block > 5;
         update log_head set position = 5, block = 5",
    )
    .await;
    assert_eq!(finding, self::finding(5, Lie::WrongHead));
}

#[tokio::test]
async fn swapped_events_are_found() {
    let finding = found_after(
        "update events set position = 100 where position = 3;
         update events set position = 3 where position = 4;
         update events set position = 4 where position = 100",
    )
    .await;
    assert_eq!(finding, self::finding(3, Lie::ChangedContent));
}

#[tokio::test]
async fn an_event_changed_with_its_hash_is_found_by_its_block() {
    let finding = found_after(
        "update events set event_type = 'thing.forged', leaf_hash = event_leaf(
             tenant_id, position, aggregate_type, aggregate_id, sequence, 'thing.forged', event_version,
             payload::text, metadata::text, event_id, command_id,
             (extract(epoch from recorded_at) * 1000000)::bigint)
         where position = 8",
    )
    .await;
    assert_eq!(finding, self::finding(6, Lie::ChangedBlock { block: 6 }));
}

#[tokio::test]
async fn a_missing_and_a_rewritten_block_are_found() {
    let missing = found_after("delete from log_blocks where block = 3").await;
    assert_eq!(missing, finding(3, Lie::MissingBlock { block: 3 }));
    let rewritten = found_after("update log_blocks set block_hash = merkle_root where block = 2").await;
    assert_eq!(rewritten, finding(2, Lie::BrokenChain { block: 2 }));
}

#[tokio::test]
async fn an_event_put_in_behind_the_head_is_found() {
    let finding = found_after(
        "insert into events select tenant_id, 11, aggregate_type, aggregate_id, 6, event_type, event_version,
             payload, metadata, event_id, command_id, recorded_at, leaf_hash
         from events where position = 10",
    )
    .await;
    assert_eq!(finding, self::finding(11, Lie::InsertedEvent));
}

#[tokio::test]
async fn a_gap_stops_a_reader() {
    let world = ten_events().await;
    let mut superuser = world.test.superuser().await;
    superuser
        .execute("set session_replication_role = replica")
        .await
        .unwrap();
    superuser
        .execute("delete from events where position = 4")
        .await
        .unwrap();
    let gap = event_log::LogError::Gap {
        expected: at(4),
        found: at(5),
    };
    assert_eq!(world.log.read(TENANT, at(2), 10, None).await, Err(gap));
    let instant = world.log.head(TENANT).await.unwrap().recorded_at;
    superuser
        .execute("delete from events where position between 2 and 9")
        .await
        .unwrap();
    let halved = world.log.position_at(TENANT, instant).await;
    assert!(matches!(halved, Err(event_log::LogError::Corrupt { .. })));
}
