//! Many who write the same few streams at the same time, each on what it saw last.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::envelope::{Expectation, Version};
use event_log::Outcome;
use rand::Rng;
use tests::database::TestDatabase;
use tests::seed::{random, remark, seed};
use tests::writer::{append, events, write};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::invariants::{Attempt, Fate, assert_hold};
use super::{TENANT, open_logs};

const CLIENTS: u64 = 64;
const STREAMS: u64 = 4;
/// Appends that each client gets through.
const APPENDS: u32 = 6;
/// Attempts at one append: with sixteen clients to a stream, far more than any needs.
const ATTEMPTS: u32 = 5000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_clients_on_four_hot_streams_all_get_through_once() {
    let seed = seed();
    let test = TestDatabase::new().await;
    open_logs(test.superuser_options()).await;
    let nodes = [test.log().await, test.log().await];
    let conflicts = Arc::new(AtomicU64::new(0));
    let began = Instant::now();
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let log = nodes[usize::from(client % 2 == 0)].clone();
        let conflicts = Arc::clone(&conflicts);
        let mut random = random(seed, client);
        clients.spawn(async move {
            let stream = format!("hot {}", client % STREAMS);
            let mut seen = Version(0);
            let mut attempts = Vec::new();
            for _ in 0..APPENDS {
                let count = random.random_range(1..=2);
                let events = events(count, &mut random);
                let mut asked = append(TENANT, Vec::new(), &mut random);
                let mut tries = 0;
                loop {
                    tries += 1;
                    assert!(tries < ATTEMPTS, "client {client} does not get through");
                    asked.streams = vec![write(stream.clone(), Expectation::Exact(seen), events.clone())];
                    let outcome = log.append(asked.clone()).await.expect("the log answers");
                    match &outcome {
                        Outcome::Appended(receipt) => {
                            seen = receipt.streams[0].1;
                            attempts.push(Attempt {
                                append: asked,
                                fate: Fate::of(&outcome),
                            });
                            break;
                        }
                        Outcome::Conflict { actual, .. } => {
                            assert_ne!(*actual, seen, "a conflict with what is there");
                            seen = *actual;
                            conflicts.fetch_add(1, Ordering::Relaxed);
                        }
                        Outcome::Replayed(_)
                        | Outcome::ClaimRefused { .. }
                        | Outcome::IdempotencyMismatch => panic!("{outcome:?}"),
                    }
                }
            }
            attempts
        });
    }
    let attempts: Vec<Attempt> = clients.join_all().await.into_iter().flatten().collect();
    remark(format_args!(
        "{} appends got through in {} ms, after {} conflicts",
        attempts.len(),
        began.elapsed().as_millis(),
        conflicts.load(Ordering::Relaxed)
    ));
    for node in &nodes {
        node.shut_down().await;
    }
    let counts = assert_hold(test.superuser_options(), attempts).await;
    assert_eq!(
        u64::try_from(counts.acknowledged),
        Ok(CLIENTS * u64::from(APPENDS))
    );
}
