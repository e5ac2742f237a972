//! `hibachi bench`: each line of the answer is one case as JSON. Rivals run in the same run, on the same server,
//! in a scratch database that is dropped at the end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use commands::gateways::{SystemClock, SystemIds};
use commands::ports::{Clock, Ids};
use domain::envelope::{Expectation, NewEvent, StreamId};
use domain::ids::{CommandId, EventId, TenantId};
use event_log::{Append, Database, EventLog, Outcome, StreamWrite};
use serde_json::{Value, json};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use super::{Verdict, say};
use crate::installation::{Location, Scratch};

/// Measure.
#[derive(Debug, Subcommand)]
pub(super) enum Bench {
    /// Appending one event to a new stream, beside one row in one transaction.
    Append(AppendBench),
}

#[derive(Debug, Args)]
pub(super) struct AppendBench {
    #[command(flatten)]
    location: Location,
    /// Seconds that each case is measured.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Rounds; the cases take turns.
    #[arg(long, default_value_t = 3)]
    rounds: u32,
}

const CLIENTS: [u32; 2] = [1, 64];

impl Bench {
    pub(super) async fn run(self) -> Result<Verdict> {
        let Self::Append(ask) = self;
        let scratch = Scratch::create(&ask.location).await?;
        let measured = ask.measure(&scratch).await;
        scratch.remove().await?;
        measured?;
        Ok(Verdict::Well)
    }
}

impl AppendBench {
    async fn measure(&self, scratch: &Scratch) -> Result<()> {
        let database = Database::connect(scratch.database.clone(), 16).await?;
        let tenant = TenantId(SystemIds::default().next(SystemClock.now()));
        database.create_organisation(tenant, "bench", "Bench").await?;
        let log = EventLog::start(database.clone());
        let rows = PgPoolOptions::new()
            .max_connections(64)
            .test_before_acquire(false)
            .connect_with(scratch.database.clone())
            .await?;
        sqlx::query("create table raw_row (id uuid primary key, payload json not null)")
            .execute(&rows)
            .await?;
        let server = server(&rows).await?;
        let time = Duration::from_secs(self.seconds);
        for round in 1..=self.rounds {
            for clients in CLIENTS {
                let ours = Ours {
                    log: log.clone(),
                    tenant,
                    ids: Arc::default(),
                };
                report(
                    "ours",
                    clients,
                    round,
                    &server,
                    &drive(clients, time, &ours).await?,
                );
                let raw = RawRow {
                    rows: rows.clone(),
                    ids: Arc::default(),
                };
                report(
                    "raw_row",
                    clients,
                    round,
                    &server,
                    &drive(clients, time, &raw).await?,
                );
            }
        }
        log.shut_down().await;
        rows.close().await;
        database.close().await;
        Ok(())
    }
}

async fn server(rows: &PgPool) -> Result<Value> {
    let setting = async |name: &str| -> Result<String> {
        Ok(sqlx::query_scalar("select current_setting($1)")
            .bind(name)
            .fetch_one(rows)
            .await?)
    };
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZeroUsize::get);
    Ok(json!({
        "postgres": setting("server_version").await?,
        "fsync": setting("fsync").await?,
        "synchronous_commit": setting("synchronous_commit").await?,
        "cores": cores,
    }))
}

/// One way to write one fact durably.
trait Writer: Clone + Send + Sync + 'static {
    fn write(&self) -> impl Future<Output = Result<()>> + Send;
}

fn payload() -> String {
    let filler = "x".repeat(340);
    json!({ "note": filler, "total_cents": 85_118 }).to_string()
}

#[derive(Clone)]
struct Ours {
    log: EventLog,
    tenant: TenantId,
    ids: Arc<SystemIds>,
}

impl Writer for Ours {
    async fn write(&self) -> Result<()> {
        let id = || self.ids.next(SystemClock.now());
        let command = id();
        let outcome = self.log.append(Append {
            tenant: self.tenant,
            command_id: CommandId(command),
            digest: [0; 32],
            streams: vec![StreamWrite {
                stream: StreamId::new("bench", id().to_string()),
                expected: Expectation::NoStream,
                events: vec![NewEvent {
                    event_id: EventId(id()),
                    event_type: "bench.happened",
                    event_version: 1,
                    payload: payload(),
                    claims: Vec::new(),
                }],
            }],
            reads: Vec::new(),
            meta: [("command_id".to_owned(), command.to_string())].into(),
        });
        let outcome = outcome.await?;
        if let Outcome::Appended(_) = outcome {
            Ok(())
        } else {
            bail!("an append to a new stream came to {outcome:?}")
        }
    }
}

#[derive(Clone)]
struct RawRow {
    rows: PgPool,
    ids: Arc<SystemIds>,
}

impl Writer for RawRow {
    async fn write(&self) -> Result<()> {
        sqlx::query("insert into raw_row (id, payload) values ($1, $2::json)")
            .bind(self.ids.next(SystemClock.now()))
            .bind(payload())
            .execute(&self.rows)
            .await?;
        Ok(())
    }
}

/// Latencies in microseconds, sorted, and the time that all took.
struct Measured {
    micros: Vec<u64>,
    took: Duration,
}

async fn drive<W: Writer>(clients: u32, time: Duration, writer: &W) -> Result<Measured> {
    let began = Instant::now();
    let tasks: Vec<_> = (0..clients)
        .map(|_| {
            let writer = writer.clone();
            tokio::spawn(async move {
                let mut micros = Vec::new();
                while began.elapsed() < time {
                    let one = Instant::now();
                    writer.write().await?;
                    micros.push(u64::try_from(one.elapsed().as_micros()).unwrap_or(u64::MAX));
                }
                Ok::<_, anyhow::Error>(micros)
            })
        })
        .collect();
    let mut micros = Vec::new();
    for task in tasks {
        micros.extend(task.await??);
    }
    micros.sort_unstable();
    Ok(Measured {
        micros,
        took: began.elapsed(),
    })
}

fn report(peer: &str, clients: u32, round: u32, server: &Value, measured: &Measured) {
    let events = measured.micros.len();
    let percentile = |permille: usize| {
        let index = (events * permille / 1_000).min(events.saturating_sub(1));
        measured
            .micros
            .get(index)
            .map(|micros| format!("{}.{:03}", micros / 1_000, micros % 1_000))
    };
    let millis = u64::try_from(measured.took.as_millis())
        .unwrap_or(u64::MAX)
        .max(1);
    let per_second = u64::try_from(events).unwrap_or(u64::MAX) * 1_000 / millis;
    say(json!({
        "peer": peer,
        "case": format!("append_1ev_new_{clients}"),
        "round": round,
        "clients": clients,
        "events": events,
        "seconds": format!("{}.{:03}", millis / 1_000, millis % 1_000),
        "events_per_s": per_second,
        "p50_ms": percentile(500),
        "p99_ms": percentile(990),
        "p999_ms": percentile(999),
        "server": server,
    }));
}
