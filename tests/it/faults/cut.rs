//! A bad network: connections cut before a request, within it, between COMMIT and its answer, and within the answer.

use std::sync::atomic::Ordering;
use std::time::Duration;

use event_log::{Database, EventLog};
use tests::database::TestDatabase;
use tests::proxy::{Badness, Proxy};
use tests::seed::{remark, seed};
use tests::writer::Writer;

use super::clients::Clients;
use super::invariants::assert_hold;
use super::{OTHER_TENANT, TENANT, open_logs};

const NODES: u32 = 2;
/// Writers on each.
const WRITERS: u32 = 8;
/// Answers to wait for while the lines are bad.
const ANSWERS: usize = 600;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_cut_anywhere_loses_nothing_and_doubles_nothing() {
    let seed = seed();
    let test = TestDatabase::new().await;
    open_logs(test.superuser_options()).await;
    let badness = Badness {
        cuts: 250,
        late: 200,
        delay: Duration::from_millis(8),
    };
    let mut lines = Vec::new();
    let mut nodes = Vec::new();
    let mut clients = Clients::new();
    for node in 0..NODES {
        let line = Proxy::open(&test.superuser_options(), badness, seed ^ u64::from(node));
        let database = Database::connect(line.through(test.superuser_options()), 2)
            .await
            .unwrap();
        let log = EventLog::start(database);
        for number in 0..WRITERS {
            let writer = Writer {
                seed,
                number: node * WRITERS + number,
                tenant: if number % 2 == 0 { TENANT } else { OTHER_TENANT },
            };
            clients.start(log.clone(), writer);
        }
        line.arm(true);
        lines.push(line);
        nodes.push(log);
    }
    clients.progress(ANSWERS).await;
    for line in &lines {
        line.arm(false);
    }
    clients.progress(50).await;
    let failed = clients.failed();
    let attempts = clients.stop().await;
    for (node, line) in nodes.iter().zip(&lines) {
        node.shut_down().await;
        remark(format_args!("{:?}", line.counts()));
    }
    let cut = |line: &Proxy| line.counts().cut_answer.load(Ordering::Relaxed);
    assert!(lines.iter().map(cut).sum::<u64>() > 0, "no answer was cut off");
    remark(format_args!("{failed} times unavailable"));
    assert_hold(test.superuser_options(), attempts).await;
}
