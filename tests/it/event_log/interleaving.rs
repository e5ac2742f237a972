//! Many writers on two nodes and readers that follow them: nothing is missed, nothing comes twice or out of order.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::envelope::Position;
use domain::ids::{EventId, TenantId};
use event_log::{EventLog, LogError, Outcome};
use rand::Rng;
use tests::seed::{random, remark, seed};
use tests::writer::Writer;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::{OTHER_TENANT, TENANT, World};

/// Names another time for which the writers write.
const SECONDS: &str = "HIBACHI_TEST_SECONDS";
const WRITING: Duration = Duration::from_secs(30);
const WRITERS: u32 = 32;
const READERS: u64 = 8;
const TENANTS: [TenantId; 3] = [TENANT, OTHER_TENANT, TenantId(Uuid::from_u128(0x1003))];
/// Longest rest of a writer between two appends: the readers are to catch up now and then, and wait.
const REST: Duration = Duration::from_millis(40);
/// Longest wait for a wake-up, which tells only of the own node's batches.
const POLL: Duration = Duration::from_millis(20);
/// Time to read what was written last.
const CATCHING_UP: Duration = Duration::from_secs(30);

/// What a writer was told is in the log.
struct Written {
    appends: u64,
    refused: u64,
    events: HashSet<(TenantId, EventId)>,
}

/// What a reader saw.
#[derive(Debug, Default)]
struct Seen {
    reads: u64,
    wake_ups: u64,
    missed: i64,
    out_of_order: u64,
    duplicates: u64,
    events: HashSet<EventId>,
}

async fn write(log: EventLog, writer: Writer, stop: Arc<AtomicBool>) -> Written {
    let mut rests = random(writer.seed, u64::MAX - u64::from(writer.number));
    let mut written = Written {
        appends: 0,
        refused: 0,
        events: HashSet::new(),
    };
    for turn in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let append = writer.append(turn);
        let events = append.streams.iter().flat_map(|write| &write.events);
        let events: Vec<_> = events.map(|event| (writer.tenant, event.event_id)).collect();
        match log.append(append).await.expect("the log takes appends") {
            Outcome::Appended(_) => {
                written.appends += 1;
                written.events.extend(events);
            }
            Outcome::ClaimRefused { .. } => written.refused += 1,
            other @ (Outcome::Replayed(_) | Outcome::Conflict { .. } | Outcome::IdempotencyMismatch) => {
                panic!("writer {} in turn {turn}: {other:?}", writer.number)
            }
        }
        sleep(rests.random_range(Duration::ZERO..REST)).await;
    }
    written
}

/// Follows a tenant's log from its start until it has seen the end that is set when the writers are done.
async fn follow(log: EventLog, tenant: TenantId, limit: u32, done: Arc<AtomicBool>) -> Seen {
    let mut wake_ups = log.appended();
    let mut seen = Seen::default();
    let mut checkpoint = Position::START;
    loop {
        // Asked before the read: what is written until then is in it.
        let last = done.load(Ordering::Acquire);
        seen.reads += 1;
        let events = match log.read(tenant, checkpoint, limit, None).await {
            Ok(events) => events,
            Err(LogError::Gap { expected, found }) => {
                seen.missed += found.0 - expected.0;
                checkpoint = Position(found.0 - 1);
                continue;
            }
            Err(error) => panic!("a reader at {checkpoint}: {error}"),
        };
        for event in &events {
            if !seen.events.insert(event.event_id) {
                seen.duplicates += 1;
            } else if event.position != checkpoint.next() {
                seen.out_of_order += 1;
            }
            checkpoint = event.position;
        }
        if !events.is_empty() {
            continue;
        }
        if last {
            return seen;
        }
        match timeout(POLL, wake_ups.recv()).await {
            Ok(Ok(_)) => seen.wake_ups += 1,
            Ok(Err(RecvError::Lagged(_))) | Err(_) => {}
            Ok(Err(RecvError::Closed)) => panic!("the log goes on"),
        }
    }
}

fn writing() -> Duration {
    match std::env::var(SECONDS) {
        Ok(seconds) => Duration::from_secs(seconds.parse().expect("a number of seconds")),
        Err(_) => WRITING,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_who_follow_many_writers_miss_nothing_and_see_nothing_twice_or_out_of_order() {
    let seed = seed();
    let world = World::new().await;
    let nodes = [world.log.clone(), world.test.log().await];
    let third = nodes[0]
        .database()
        .create_organisation(TENANTS[2], "three", "Company");
    third.await.expect("the slug is free");
    let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let mut readers = JoinSet::new();
    let mut node = nodes.iter().cycle();
    let mut tenant = TENANTS.into_iter().cycle();
    for reader in 0..READERS {
        let limit = random(seed, reader).random_range(1..300);
        let (log, tenant) = (node.next().expect("it goes round"), tenant.next());
        let tenant = tenant.expect("it goes round");
        let follower = follow(log.clone(), tenant, limit, Arc::clone(&done));
        readers.spawn(async move { (tenant, follower.await) });
    }
    let mut writers = JoinSet::new();
    for number in 0..WRITERS {
        let writer = Writer {
            seed,
            number,
            tenant: tenant.next().expect("it goes round"),
        };
        let log = node.next().expect("it goes round").clone();
        writers.spawn(write(log, writer, Arc::clone(&stop)));
    }
    sleep(writing()).await;
    stop.store(true, Ordering::Relaxed);
    let written = writers.join_all().await;
    done.store(true, Ordering::Release);
    let seen = timeout(CATCHING_UP, readers.join_all()).await;
    assert_nothing_is_missed(&written, &seen.expect("the readers catch up"));
    for tenant in TENANTS {
        replays::verify(&world.log, tenant, &()).await.unwrap();
    }
}

fn assert_nothing_is_missed(written: &[Written], seen: &[(TenantId, Seen)]) {
    let all: HashSet<(TenantId, EventId)> = written
        .iter()
        .flat_map(|written| written.events.iter().copied())
        .collect();
    remark(format_args!(
        "{} writers, {} appends, {} refused, {} events",
        written.len(),
        written.iter().map(|written| written.appends).sum::<u64>(),
        written.iter().map(|written| written.refused).sum::<u64>(),
        all.len()
    ));
    let mut bad = 0;
    for (tenant, seen) in seen {
        let missed = all
            .iter()
            .filter(|(of, event)| of == tenant && !seen.events.contains(event))
            .count();
        let unknown = seen
            .events
            .iter()
            .filter(|event| !all.contains(&(*tenant, **event)));
        let unknown = unknown.count();
        remark(format_args!(
            "reader of {tenant}: {} events in {} reads, {} wake-ups; missed {} and {missed}, \
             out of order {}, duplicates {}, unknown {unknown}",
            seen.events.len(),
            seen.reads,
            seen.wake_ups,
            seen.missed,
            seen.out_of_order,
            seen.duplicates
        ));
        let clean = (seen.missed, missed, seen.out_of_order, seen.duplicates, unknown) == (0, 0, 0, 0, 0);
        bad += usize::from(!clean);
    }
    assert_eq!(bad, 0, "readers that did not see the log as it is");
    assert!(all.len() > 100, "there was something to read");
}
