//! The end of Postgres amid appends, and its return.

use std::time::Duration;

use event_log::{Database, EventLog};
use rand::Rng;
use tests::private_postgres::PrivatePostgres;
use tests::seed::{random, remark, seed};
use tests::writer::Writer;
use tokio::time::sleep;

use super::clients::Clients;
use super::invariants::assert_hold;
use super::{OTHER_TENANT, TENANT, open_logs};

/// How often it ends.
const ROUNDS: u32 = 6;
/// Writers on each of two nodes.
const WRITERS: u32 = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_of_postgres_loses_nothing_and_its_clients_go_on_by_themselves() {
    let seed = seed();
    let mut random = random(seed, 0);
    let mut postgres = PrivatePostgres::new().await;
    open_logs(postgres.superuser_options()).await;
    let mut nodes = Vec::new();
    let mut clients = Clients::new();
    for node in 0..2 {
        let database = Database::connect(postgres.superuser_options(), 2).await.unwrap();
        let log = EventLog::start(database);
        for number in 0..WRITERS {
            let writer = Writer {
                seed,
                number: node * WRITERS + number,
                tenant: if number % 2 == 0 { TENANT } else { OTHER_TENANT },
            };
            clients.start(log.clone(), writer);
        }
        nodes.push(log);
    }
    let (mut postmasters, mut children) = (0, 0);
    for round in 0..ROUNDS {
        clients.progress(20).await;
        sleep(Duration::from_millis(random.random_range(0..80))).await;
        if round % 2 == 0 {
            postgres.kill();
            postmasters += 1;
            // Away for a while, sometimes for longer than the appender tries.
            sleep(Duration::from_millis(random.random_range(0..800))).await;
            postgres.start();
        } else if postgres.kill_a_child(random.random_range(0..64)) {
            children += 1;
        }
    }
    clients.progress(20).await;
    let failed = clients.failed();
    let attempts = clients.stop().await;
    for node in &nodes {
        node.shut_down().await;
    }
    remark(format_args!(
        "killed: {postmasters} postmasters, {children} children; {failed} times unavailable"
    ));
    assert_hold(postgres.superuser_options(), attempts).await;
}
