//! kill -9 of a program amid its jobs.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use sqlx::ConnectOptions;
use tests::seed::{random, remark, seed};

use super::*;

/// How long a program holds on to a job.
const HOLD: Duration = Duration::from_secs(4);
/// How long handing one message over takes at most.
const SLOWEST: Duration = Duration::from_millis(120);
/// How often a program is killed.
const ROUNDS: usize = 4;
/// Messages to hand over.
const MESSAGES: u128 = 80;

/// A program that does jobs.
pub(super) struct Program {
    child: Child,
    lines: Receiver<String>,
}

impl Program {
    /// Starts one by the real clock.
    fn start(server: &Server) -> Self {
        Self::spawn(server, &mut Command::new(env!("CARGO_BIN_EXE_delivering")))
    }

    /// Starts one whose clock shows what the test's does.
    pub(super) fn start_now(server: &Server) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_delivering"));
        Self::spawn(
            server,
            command.env("HIBACHI_TEST_CLOCK", server.now().to_rfc3339()),
        )
    }

    fn spawn(server: &Server, command: &mut Command) -> Self {
        let options = server.database().superuser_options();
        let mut child = command
            .args([HOLD.as_millis().to_string(), SLOWEST.as_millis().to_string()])
            .env("HIBACHI_TEST_DATABASE", options.to_url_lossy().as_str())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program can be run");
        let out = child.stdout.take().expect("its output was asked for");
        let (send, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, lines }
    }

    /// Ends it at once, and says all that it had printed by then.
    pub(super) fn kill(mut self) -> Vec<String> {
        assert_eq!(
            self.child.try_wait().expect("it is our child"),
            None,
            "it ended by itself"
        );
        self.child.kill().expect("it is our child");
        self.child.wait().expect("it is our child");
        std::mem::replace(&mut self.lines, channel().1).iter().collect()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_of_a_program_amid_its_jobs_loses_no_message_and_tells_of_each_once() {
    let seed = seed();
    let mut random = random(seed, 0);
    let double = Arc::new(Double::of(&ALL));
    // The test's own program queues, and leaves the work to the others.
    let idle = JobSettings {
        at_once: 0,
        ..JobSettings::default()
    };
    let (server, _, customer) = open(&double, idle).await;
    let tenant = server.company.tenant;
    let party = booking(&server).await;
    ask(&server, tenant, customer, 1..MESSAGES + 1, |asked| {
        asked.booking_id = party
    })
    .await;
    let mut lines = Vec::new();
    let mut in_hand = 0;
    for _ in 0..ROUNDS {
        let program = Program::start(&server);
        let first = tokio::task::block_in_place(|| program.lines.recv_timeout(PATIENCE));
        lines.push(first.expect("it takes up a job within the time that a dead program held it"));
        tokio::time::sleep(rand::Rng::random_range(&mut random, Duration::ZERO..SLOWEST * 2)).await;
        lines.extend(program.kill());
        in_hand += usize::from(JobSettings::default().at_once);
    }
    let last = Program::start(&server);
    let sent = async || {
        let events = events(&server, tenant).await;
        events
            .iter()
            .filter(|event| matches!(&event.event, DomainEvent::Message(MessageEvent::Sent(_))))
            .map(|event| event.stream.id.clone())
            .collect::<Vec<_>>()
    };
    until("all are sent", async || {
        sent().await.len() >= usize::try_from(MESSAGES).expect("a few")
    })
    .await;
    lines.extend(last.kill());
    let sent = sent().await;
    let distinct: BTreeSet<&String> = sent.iter().collect();
    assert_eq!((sent.len(), distinct.len()), (80, 80), "each is told of once");
    let mut took: BTreeMap<&str, usize> = BTreeMap::new();
    for line in &lines {
        if let Some(message) = line.strip_prefix("took ") {
            *took.entry(message).or_default() += 1;
        }
    }
    // What was handed over and not yet told of when its program ended goes out again, and nothing else does.
    let twice: usize = took.values().map(|times| times - 1).sum();
    remark(format_args!("{ROUNDS} kills, {twice} messages handed over twice"));
    assert_eq!(took.len(), 80, "each was handed over");
    assert!(twice <= in_hand, "{twice} of at most {in_hand}");
    assert!(!told(&server, tenant).await.contains(&"job.died"));
    server.assert_rebuild_changes_nothing(&server.company).await;
}
