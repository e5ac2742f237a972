//! Callers that go away at every await: nothing that was acknowledged is lost, nothing is done by half, and the
//! connection serves the next.

use std::future::Future;
use std::task::Poll;
use std::time::Duration;

use domain::envelope::Position;
use event_log::{Database, EventLog, LogError};
use futures::StreamExt;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use sqlx::Connection;
use sqlx::postgres::{PgConnection, PgPool, PgPoolOptions};
use tests::database::TestDatabase;
use tests::proxy::{Badness, Proxy};
use tests::seed::{random, remark, seed};
use tests::writer::Writer;
use tokio::time::{sleep, timeout};

use super::{TENANT, World, at};
use crate::faults::invariants::{Attempt, Fate, assert_hold};

/// Rounds of each test; each goes away after other polls than the one before.
const ROUNDS: u32 = 240;
/// Polls after which a caller goes away at the latest, unless it is done.
const POLLS: u32 = 12;
/// Longest rest between two polls.
const REST: Duration = Duration::from_micros(400);
/// How long the next caller may wait for its connection.
const PATIENCE: Duration = Duration::from_secs(10);

/// Polls a future so many times, with rests in between in which answers come, and then drops it unless it is done.
async fn give_up<F: Future>(future: F, polls: u32, random: &mut ChaCha8Rng) -> Option<F::Output> {
    let mut future = Box::pin(future);
    for _ in 0..polls {
        if let Poll::Ready(done) = futures::poll!(&mut future) {
            return Some(done);
        }
        if random.random_bool(0.5) {
            tokio::task::yield_now().await;
        } else {
            sleep(random.random_range(Duration::ZERO..REST)).await;
        }
    }
    None
}

/// A bad line that is only slow, so that there is more to wait for.
fn slow(test: &TestDatabase, seed: u64) -> Proxy {
    let badness = Badness {
        cuts: 0,
        late: 800,
        delay: Duration::from_millis(2),
    };
    let line = Proxy::open(&test.superuser_options(), badness, seed);
    line.arm(true);
    line
}

#[tokio::test]
async fn an_append_whose_caller_goes_away_at_any_await_is_there_whole_or_not_at_all() {
    let seed = seed();
    let mut random = random(seed, 0);
    let world = World::new().await;
    let line = slow(&world.test, seed);
    let options = line.through(world.test.superuser_options());
    let log = EventLog::start(Database::connect(options, 1).await.unwrap());
    let writer = Writer {
        seed,
        number: 1,
        tenant: TENANT,
    };
    let mut attempts = Vec::new();
    for turn in 0..ROUNDS {
        let append = writer.append(turn);
        // Now and then one stays until it has its answer.
        let polls = if turn % 20 == 19 { u32::MAX } else { turn % POLLS };
        let outcome = give_up(log.append(append.clone()), polls, &mut random).await;
        let fate = outcome.map_or(Fate::Unknown, |outcome| Fate::of(&outcome.unwrap()));
        attempts.push(Attempt { append, fate });
    }
    // Whatever was queued is carried out.
    log.shut_down().await;
    let counts = assert_hold(world.test.superuser_options(), attempts).await;
    assert!(counts.unknown_but_there > 0 && counts.acknowledged > 0);
    assert!(
        counts.unknown > counts.unknown_but_there,
        "what was never polled was not queued"
    );
}

/// Writes a row under a key.
async fn insert(executor: &mut PgConnection, key: &str) -> Result<(), sqlx::Error> {
    sqlx::query("insert into claims_unique values ($1, 'round', $2, 'thing', 'a')")
        .bind(TENANT.0)
        .bind(key)
        .execute(executor)
        .await
        .map(drop)
}

/// Whether others see it.
async fn is_there(other: &mut PgConnection, key: &str) -> bool {
    sqlx::query_scalar("select exists (select from claims_unique where scope = 'round' and key = $1)")
        .bind(key)
        .fetch_one(other)
        .await
        .expect("the database answers")
}

/// The next caller's write, of a key.
async fn write(database: &Database, key: &str) {
    let mut transaction = timeout(PATIENCE, database.begin(TENANT))
        .await
        .expect("the one connection came back")
        .expect("the database answers");
    insert(&mut transaction, key).await.expect("the database answers");
    transaction.commit().await.expect("the database answers");
}

/// What a caller of the gateway may be in the middle of.
async fn work(database: &Database, round: u32) -> Result<(), LogError> {
    match round % 3 {
        0 => drop(database.begin(TENANT).await?),
        1 => drop(database.begin_read(TENANT).await?),
        _ => {
            let mut transaction = database.begin(TENANT).await?;
            insert(&mut transaction, &format!("given up in round {round}")).await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn after_a_caller_that_went_away_at_any_await_the_next_ones_write_is_not_lost() {
    let seed = seed();
    let mut random = random(seed, 0);
    let world = World::new().await;
    let line = slow(&world.test, seed);
    let options = line.through(world.test.superuser_options());
    let database = Database::connect(options, 1).await.unwrap();
    let mut other = world.test.superuser().await;
    let mut given_up = 0;
    for round in 0..ROUNDS {
        let polls = random.random_range(0..POLLS);
        if give_up(work(&database, round), polls, &mut random)
            .await
            .is_none()
        {
            given_up += 1;
        }
        let key = round.to_string();
        write(&database, &key).await;
        assert!(
            is_there(&mut other, &key).await,
            "the write of round {round} is lost"
        );
    }
    let given_up_yet_there: i64 =
        sqlx::query_scalar("select count(*) from claims_unique where key like 'given up%'")
            .fetch_one(&mut other)
            .await
            .unwrap();
    assert_eq!(given_up_yet_there, 0, "what was not committed");
    remark(format_args!("{given_up} of {ROUNDS} given up, no write lost"));
    assert!(given_up > 0);
    assert_none_within_a_transaction(&mut other).await;
}

async fn assert_none_within_a_transaction(other: &mut PgConnection) {
    let stuck: i64 = sqlx::query_scalar(
        "select count(*) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid() and state like 'idle in transaction%'",
    )
    .fetch_one(other)
    .await
    .expect("the database answers");
    assert_eq!(stuck, 0, "connections left within a transaction");
}

/// What the gateway's rollback is against. When this fails since nothing is lost any more, sqlx has mended it and the
/// rollback of `Database::connect` may go.
#[tokio::test]
async fn a_pool_without_the_gateways_rollback_loses_the_next_write() {
    let seed = seed();
    let mut random = random(seed, 0);
    let world = World::new().await;
    let pool: PgPool = PgPoolOptions::new()
        .max_connections(1)
        .test_before_acquire(false)
        .connect_with(world.test.superuser_options())
        .await
        .unwrap();
    let mut other = world.test.superuser().await;
    let mut lost_after = None;
    // Where the giving up falls is the scheduler's to say: on a quick machine it takes a while.
    for round in 0..300 {
        // Made beforehand, so that the begin is given up and not the connecting.
        drop(pool.acquire().await.unwrap());
        drop(give_up(pool.begin(), 1 + round % 4, &mut random).await);
        let mut connection = timeout(PATIENCE, pool.acquire()).await.unwrap().unwrap();
        let key = round.to_string();
        insert(&mut connection, &key).await.unwrap();
        if !is_there(&mut other, &key).await {
            lost_after = Some(round);
            break;
        }
        // The next round has a new connection.
        connection.detach().close().await.unwrap();
    }
    remark(format_args!(
        "the first write that was reported as done and lost: {lost_after:?}"
    ));
    assert_ne!(lost_after, None);
}

#[tokio::test]
async fn a_commit_that_is_given_up_is_there_whole_or_not_at_all() {
    let seed = seed();
    let mut random = random(seed, 0);
    let world = World::new().await;
    let line = slow(&world.test, seed);
    let options = line.through(world.test.superuser_options());
    let database = Database::connect(options, 1).await.unwrap();
    let mut other = world.test.superuser().await;
    let (mut there, mut given_up) = (0, 0);
    for round in 0..ROUNDS / 4 {
        let mut transaction = database.begin(TENANT).await.unwrap();
        let halves = [format!("{round} one"), format!("{round} other")];
        for half in &halves {
            insert(&mut transaction, half).await.unwrap();
        }
        let committed = give_up(transaction.commit(), random.random_range(0..4), &mut random).await;
        // The next caller has the connection only when what was under way on it has ended.
        let next = format!("{round} next");
        write(&database, &next).await;
        let [one, another, next] = [
            is_there(&mut other, &halves[0]).await,
            is_there(&mut other, &halves[1]).await,
            is_there(&mut other, &next).await,
        ];
        assert_eq!(one, another, "half of round {round} is there");
        assert!(next);
        match committed {
            Some(committed) => {
                committed.unwrap();
                assert!(one, "round {round} was acknowledged");
            }
            None => given_up += 1,
        }
        there += u32::from(one);
    }
    remark(format_args!(
        "{given_up} commits given up; {there} of {} there",
        ROUNDS / 4
    ));
    assert_none_within_a_transaction(&mut other).await;
}

#[tokio::test]
async fn readers_that_stop_half_way_leave_the_connection_to_the_next() {
    let seed = seed();
    let mut random = random(seed, 0);
    let world = World::new().await;
    let writer = Writer {
        seed,
        number: 1,
        tenant: TENANT,
    };
    for turn in 0..40 {
        world.log.append(writer.append(turn)).await.unwrap();
    }
    let line = slow(&world.test, seed);
    let options = line.through(world.test.superuser_options());
    let log = EventLog::start(Database::connect(options, 1).await.unwrap());
    let head = world.log.head(TENANT).await.unwrap().position;
    let mut half_way = 0;
    for round in 0..ROUNDS / 2 {
        let polls = random.random_range(0..POLLS);
        let taken = random.random_range(0..5);
        let stopped = match round % 4 {
            0 => {
                let mut events = Box::pin(log.stream_all(TENANT, Position::START, None, None));
                let some = async {
                    for _ in 0..taken {
                        events.next().await;
                    }
                };
                give_up(some, polls, &mut random).await.is_none()
            }
            1 => give_up(log.read(TENANT, at(0), 20, None), polls, &mut random)
                .await
                .is_none(),
            2 => give_up(log.stream_blocks(TENANT).count(), polls, &mut random)
                .await
                .is_none(),
            _ => give_up(log.head(TENANT), polls, &mut random).await.is_none(),
        };
        half_way += u32::from(stopped);
        let again = timeout(PATIENCE, log.head(TENANT)).await;
        assert_eq!(
            again.expect("the one connection came back").unwrap().position,
            head
        );
    }
    remark(format_args!("{half_way} of {} stopped half-way", ROUNDS / 2));
    assert!(half_way > 0);
    assert_none_within_a_transaction(&mut world.test.superuser().await).await;
}
