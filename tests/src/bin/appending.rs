//! A program that appends until it is killed, and prints what was acknowledged.
//!
//! `appending SEED TENANT WRITER:TURN…`, with the database's URL in `HIBACHI_TEST_DATABASE`. Each writer goes on from
//! its turn, one append after another, and asks again until it has an answer. A line for each answer: the writer,
//! the turn, and `at FIRST LAST` or `refused`.

use std::io::{self, Write};
use std::str::FromStr;
use std::time::Duration;

use domain::ids::TenantId;
use event_log::{Database, EventLog, LogError, Outcome};
use sqlx::postgres::PgConnectOptions;
use tests::writer::Writer;

/// Names the database to append to.
const DATABASE: &str = "HIBACHI_TEST_DATABASE";
/// Wait before the log is asked again.
const PAUSE: Duration = Duration::from_millis(20);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().expect("a seed, a tenant and writers");
    let seed = next().parse().expect("a seed is a number");
    let tenant = TenantId(next().parse().expect("a tenant is a UUID"));
    let url = std::env::var(DATABASE).expect("the database is named");
    let options = PgConnectOptions::from_str(&url).expect("it is a Postgres URL");
    let database = Database::connect(options, 1)
        .await
        .expect("the database takes connections");
    let log = EventLog::start(database);
    let mut writers = tokio::task::JoinSet::new();
    for start in arguments {
        let (number, turn) = start.split_once(':').expect("a writer and its turn");
        let writer = Writer {
            seed,
            number: number.parse().expect("a writer is a number"),
            tenant,
        };
        writers.spawn(go_on(
            log.clone(),
            writer,
            turn.parse().expect("a turn is a number"),
        ));
    }
    if let Some(ended) = writers.join_next().await {
        ended.expect("a writer goes on as long as somebody listens");
    }
}

/// Returns when nobody listens any more.
async fn go_on(log: EventLog, writer: Writer, from: u32) {
    for turn in from.. {
        let answer = loop {
            match log.append(writer.append(turn)).await {
                Ok(outcome) => break outcome,
                Err(LogError::Unavailable { .. }) => tokio::time::sleep(PAUSE).await,
                Err(error) => panic!("writer {} in turn {turn}: {error}", writer.number),
            }
        };
        let told = match answer {
            Outcome::Appended(receipt) | Outcome::Replayed(receipt) => {
                format!("at {} {}", receipt.first, receipt.last)
            }
            Outcome::ClaimRefused { .. } => "refused".to_owned(),
            unexpected @ (Outcome::Conflict { .. } | Outcome::IdempotencyMismatch) => {
                panic!("writer {} in turn {turn}: {unexpected:?}", writer.number)
            }
        };
        let line = format!("{} {turn} {told}\n", writer.number);
        if io::stdout().lock().write_all(line.as_bytes()).is_err() {
            return;
        }
    }
}
