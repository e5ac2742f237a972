//! The proof: what is stored is what was hashed, and a lie is found where it begins.

mod inclusion;
mod schedule;
mod signed;

use std::pin::pin;

use chrono::{DateTime, Utc};
use domain::envelope::{Expectation, Version};
use event_log::Organisation;
use event_log::proof::{HeadSigner, SignedHead, leaf_hash};
use futures::TryStreamExt;
use replays::{Finding, Lie, Part, Trust, Verified, VerifyError, sign_head, verify, verify_references};
use sqlx::{AssertSqlSafe, Executor};

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

/// What the test's database says as if it had always been so.
async fn lie(world: &World, sql: &str) {
    let mut superuser = world.test.superuser().await;
    superuser
        .execute("set session_replication_role = replica")
        .await
        .expect("the superuser may lie");
    superuser
        .execute(AssertSqlSafe(sql.to_owned()))
        .await
        .expect("the superuser may lie");
}

/// What is found after a lie in ten events of which no head was signed.
async fn found_after(sql: &'static str) -> Finding {
    let world = ten_events().await;
    assert_eq!(
        verify(&world.log, TENANT, &())
            .await
            .expect("it is honest")
            .events,
        10
    );
    lie(&world, sql).await;
    match verify(&world.log, TENANT, &()).await {
        Ok(verified) => {
            let referred = verify_references(&world.log, TENANT, verified.head.position).await;
            lie_in(referred.map(|()| verified))
        }
        found => lie_in(found),
    }
}

fn lie_in(verified: Result<Verified, VerifyError>) -> Finding {
    match verified {
        Err(VerifyError::Lie(finding)) => finding,
        other => panic!("the lie was not found: {other:?}"),
    }
}

fn signer() -> HeadSigner {
    HeadSigner::new(&[1; 32])
}

/// An instant at which a test signs.
fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_micros(1_800_000_000_000_000).expect("a valid instant")
}

async fn company(world: &World) -> Organisation {
    let found = world
        .log
        .database()
        .organisation_by_slug("one")
        .await
        .expect("the log answers");
    found.expect("the world has it")
}

async fn signed(world: &World) -> SignedHead {
    let company = company(world).await;
    sign_head(&world.log, &company, &signer(), now(), &())
        .await
        .expect("the log is as it was written")
}

fn trusting(heads: Vec<SignedHead>) -> Trust {
    Trust {
        keys: vec![signer().public_key()],
        heads,
    }
}

fn unexplained(block: i64) -> Lie {
    Lie::ChangedBlock {
        block,
        part: Part::Unknown,
    }
}

fn changed(part: Part) -> Lie {
    Lie::ChangedContent { part }
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
    assert_eq!(finding, self::finding(7, changed(Part::Unknown)));
    assert_eq!(
        finding.to_string(),
        "position 7: the stored event does not match its hash: its payload, its metadata or another column was \
         changed"
    );
}

#[tokio::test]
async fn changed_metadata_is_found() {
    let finding =
        found_after("update events set metadata = '{\"channel\":\"api\"}' where position = 3").await;
    assert_eq!(finding, self::finding(3, changed(Part::Metadata)));
}

#[tokio::test]
async fn a_version_that_is_no_number_is_found() {
    let finding = found_after("update events set event_version = '01' where position = 3").await;
    assert_eq!(finding, self::finding(3, changed(Part::OtherColumn)));
}

#[tokio::test]
async fn a_deleted_event_is_found() {
    let finding = found_after("delete from events where position = 4").await;
    assert_eq!(finding, self::finding(4, Lie::MissingEvent));
}

#[tokio::test]
async fn the_first_lie_is_the_one_that_is_named() {
    let finding = found_after(
        "delete from events where position = 4; update events set payload = '{ }' where position = 2",
    )
    .await;
    // No payload is written with a space in it.
    assert_eq!(finding, self::finding(2, changed(Part::Payload)));
    let finding = found_after(
        "update events set event_version = '01' where position = 4;
         update events set payload = '{ }' where position = 2",
    )
    .await;
    assert_eq!(finding, self::finding(2, changed(Part::Payload)));
}

#[tokio::test]
async fn a_cut_tail_is_found() {
    let finding = found_after("delete from events where position > 8").await;
    assert_eq!(finding, self::finding(9, Lie::CutTail { until: at(10) }));
}

#[tokio::test]
async fn a_tail_cut_with_its_block_and_a_head_turned_back_are_found() {
    let finding = found_after(
        "delete from events where position > 5; delete from log_blocks where block > 5;
         update log_head set position = 5, block = 5",
    )
    .await;
    assert_eq!(finding, self::finding(6, Lie::CutTail { until: at(10) }));
}

#[tokio::test]
async fn swapped_events_are_found() {
    let finding = found_after(
        "update events set position = 100 where position = 3;
         update events set position = 3 where position = 4;
         update events set position = 4 where position = 100",
    )
    .await;
    assert_eq!(finding, self::finding(3, Lie::SwappedEvents { with: at(4) }));
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
    assert_eq!(finding, self::finding(6, unexplained(6)));
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

/// Every event's leaf as the database hashes it.
const NEW_LEAVES: &str = "update events set leaf_hash = event_leaf(
    tenant_id, position, aggregate_type, aggregate_id, sequence, event_type, event_version,
    payload::text, metadata::text, event_id, command_id, (extract(epoch from recorded_at) * 1000000)::bigint);";

/// The chain and its head computed anew from the events, block by block.
const NEW_CHAIN: &str = "do $$
    declare
        v_block log_blocks;
        v_hash bytea := decode(repeat('00', 32), 'hex');
        v_root bytea;
    begin
        for v_block in select * from log_blocks order by block loop
            select merkle_root(array_agg(leaf_hash order by position)) into v_root from events
            where position between v_block.first_position and v_block.last_position;
            v_hash := sha256(v_hash || v_root
                || int8send(v_block.first_position) || int8send(v_block.last_position));
            update log_blocks set merkle_root = v_root, block_hash = v_hash where block = v_block.block;
        end loop;
        update log_head set block_hash = v_hash where position > 0;
    end $$;";

#[tokio::test]
async fn an_event_deleted_with_those_after_it_moved_up_is_found() {
    let found = found_after(
        "delete from events where position = 7;
         update events set position = position + 100 where position > 7;
         update events set position = position - 101 where position > 100",
    );
    assert_eq!(found.await, finding(7, Lie::MissingEvent));
}

/// A forged event at position 7, with those after it moved down.
const INSERTED: &str = "update events set position = position + 100 where position >= 7;
    update events set position = position - 99 where position > 100;
    insert into events select tenant_id, 7, aggregate_type, 'forged', 1, event_type, event_version,
        '{\"number\":0}', metadata, gen_random_uuid(), command_id, recorded_at, leaf_hash
    from events where position = 6;";

#[tokio::test]
async fn an_event_inserted_amid_the_log_is_found() {
    assert_eq!(found_after(INSERTED).await, finding(7, Lie::InsertedEvent));
    // Though every hash of an event is made to fit.
    let with_leaves: &'static str = Box::leak((INSERTED.to_owned() + NEW_LEAVES).into_boxed_str());
    assert_eq!(found_after(with_leaves).await, finding(7, Lie::InsertedEvent));
}

#[tokio::test]
async fn swapped_contents_are_found_though_positions_and_hashes_stay_and_so_are_swapped_hashes() {
    let contents = found_after(
        "update events e set payload = o.payload, event_id = o.event_id
         from events o where (e.position, o.position) in ((7, 9), (9, 7)) and e.tenant_id = o.tenant_id",
    );
    let payloads = found_after(
        "update events e set payload = o.payload
         from events o where (e.position, o.position) in ((7, 9), (9, 7)) and e.tenant_id = o.tenant_id",
    );
    let swapped = finding(7, Lie::SwappedEvents { with: at(9) });
    assert_eq!(contents.await, swapped);
    assert_eq!(payloads.await, swapped);
    let sql = "update events set position = 100, sequence = 100 where position = 7;
        update events set position = 7, sequence = 2 where position = 9;
        update events set position = 9, sequence = 4 where position = 100;";
    let with_leaves: &'static str = Box::leak((sql.to_owned() + NEW_LEAVES).into_boxed_str());
    assert_eq!(found_after(with_leaves).await, swapped);
}

#[tokio::test]
async fn a_tail_cut_without_its_commands_is_found_by_them() {
    let found = found_after(
        "delete from events where position > 5; delete from log_blocks where block > 5;
         update log_head h set position = 5, block = 5, block_hash = b.block_hash
         from log_blocks b where b.tenant_id = h.tenant_id and b.block = 5",
    );
    assert_eq!(found.await, finding(6, Lie::CutTail { until: at(10) }));
}

#[tokio::test]
async fn an_event_out_of_its_stream_dated_back_or_with_anothers_id_is_found_though_the_chain_fits() {
    let forged = |sql: &str| -> &'static str {
        Box::leak((sql.to_owned() + ";" + NEW_LEAVES + NEW_CHAIN).into_boxed_str())
    };
    let sequence = found_after(forged("update events set sequence = 7 where position = 10")).await;
    let expected = Lie::OutOfSequence {
        expected: Version(5),
        found: Version(7),
    };
    assert_eq!(sequence, finding(10, expected));
    let time = found_after(forged(
        "update events set recorded_at = recorded_at - interval '1 day' where position = 4",
    ));
    assert_eq!(time.await, finding(4, Lie::TimeGoesBack));
    let id = found_after(forged(
        "update events set event_id = (select event_id from events where position = 2) where position = 8",
    ));
    assert_eq!(id.await, finding(8, Lie::RepeatedId));
    let command = found_after(forged(
        "update events set command_id = gen_random_uuid() where position = 3",
    ));
    assert_eq!(command.await, finding(3, Lie::MisattributedCommand));
}

#[tokio::test]
async fn the_block_of_a_position_is_found_by_halving() {
    let world = ten_events().await;
    for position in 1..=10 {
        let block = world.log.block_of(TENANT, at(position)).await.unwrap();
        assert_eq!(block, Some(position.min(6)), "of position {position}");
    }
    assert_eq!(world.log.block_of(TENANT, at(11)).await.unwrap(), None);
    assert_eq!(world.log.block_of(TENANT, at(0)).await.unwrap(), None);
    assert_eq!(world.log.block_of(OTHER_TENANT, at(1)).await.unwrap(), None);
    let blocks = pin!(world.log.stream_blocks_after(TENANT, 4));
    let numbers: Vec<i64> = blocks.map_ok(|block| block.block).try_collect().await.unwrap();
    assert_eq!(numbers, [5, 6]);
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

#[tokio::test]
async fn an_event_that_nobody_knows_is_named_and_not_taken_to_claim_nothing() {
    let world = ten_events().await;
    let unknown = replays::verify_claims(&world.log, TENANT, &()).await.unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "position 1: unknown event thing.happened version 1"
    );
    assert_eq!(replays::verify_claims(&world.log, OTHER_TENANT, &()).await, Ok(0));
}
