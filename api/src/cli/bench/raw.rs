//! What Postgres itself can do: rows and nothing else. No order, no idempotency, no proof, no row-level security.

use anyhow::Result;
use chrono::{DateTime, Utc};
use domain::decider::{Decider, Event};
use domain::ids::TenantId;
use domain::tax_rate::{CountyRates, TaxRateCommand};
use futures::TryStreamExt;
use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolCopyExt, PgPoolOptions};
use uuid::Uuid;

use super::county::rate;
use super::tab::{Charged, Tab, TabEvent};
use super::work::{Done, Miss, Work};
use super::world::{NewIds, Streams};

/// Rows of facts without a stream, rows in bulk, and rows of streams.
pub(super) const SCHEMA: [&str; 3] = [
    "create table raw_row (id uuid primary key, payload json not null)",
    "create table raw_bulk (id uuid primary key, payload json not null)",
    "create table raw_stream (
        stream uuid,
        sequence bigint,
        payload json not null,
        primary key (stream, sequence)
    )",
];

/// Rows in one statement of `raw_batch`.
const BATCH: u32 = 100;
/// Rows in one statement of `copy`.
const COPY: u32 = 1_000;
/// Bytes that `copy` sends at a time.
const CHUNK: usize = 64 << 10;
/// Rows of a page, as our own reader has them.
const PAGE: i64 = 1_000;

/// A pool of as many connections as there are clients, without the ping that sqlx sends by itself whenever a connection
/// is taken.
pub(super) async fn connect(options: &PgConnectOptions, clients: u32) -> Result<PgPool> {
    let pool = PgPoolOptions::new()
        .max_connections(clients)
        .test_before_acquire(false)
        .connect_with(options.clone().disable_statement_logging())
        .await?;
    let connections = (0..clients).map(|_| pool.acquire());
    drop(futures::future::try_join_all(connections).await?);
    Ok(pool)
}

fn payload() -> String {
    TabEvent::Charged(Charged::sample()).payload()
}

fn written(rows: u32) -> Done {
    Done {
        events: u64::from(rows),
        loaded: 0,
    }
}

/// New rows in one statement, which is one transaction.
#[derive(Clone)]
pub(super) struct NewRows(pub(super) PgPool, pub(super) NewIds, pub(super) u32);

impl Work for NewRows {
    async fn once(&self) -> Result<Done, Miss> {
        let Self(pool, ids, rows) = self;
        if *rows == 1 {
            sqlx::query("insert into raw_row (id, payload) values ($1, $2::json)")
                .bind(ids.next())
                .bind(payload())
                .execute(pool)
                .await?;
        } else {
            insert(
                pool,
                ids,
                *rows,
                "insert into raw_row (id, payload) select * from unnest($1, $2::json[])",
            )
            .await?;
        }
        Ok(written(*rows))
    }
}

/// New rows, a hundred a statement.
#[derive(Clone)]
pub(super) struct NewBatches(pub(super) PgPool, pub(super) NewIds);

impl Work for NewBatches {
    async fn once(&self) -> Result<Done, Miss> {
        let Self(pool, ids) = self;
        insert(
            pool,
            ids,
            BATCH,
            "insert into raw_bulk (id, payload) select * from unnest($1, $2::json[])",
        )
        .await?;
        Ok(written(BATCH))
    }
}

async fn insert(pool: &PgPool, ids: &NewIds, rows: u32, statement: &'static str) -> Result<(), Miss> {
    let ids: Vec<Uuid> = (0..rows).map(|_| ids.next()).collect();
    let payloads = vec![payload(); ids.len()];
    sqlx::query(statement)
        .bind(ids)
        .bind(payloads)
        .execute(pool)
        .await?;
    Ok(())
}

/// New rows by `COPY … FROM STDIN`, a thousand a statement.
#[derive(Clone)]
pub(super) struct NewCopies(pub(super) PgPool, pub(super) NewIds);

impl Work for NewCopies {
    async fn once(&self) -> Result<Done, Miss> {
        let Self(pool, ids) = self;
        let mut copy = pool.copy_in_raw("copy raw_bulk (id, payload) from stdin").await?;
        let mut chunk = String::with_capacity(CHUNK + 512);
        let payload = payload();
        for _ in 0..COPY {
            chunk.push_str(&ids.next().to_string());
            chunk.push('\t');
            // Nothing in it needs an escape.
            chunk.push_str(&payload);
            chunk.push('\n');
            if chunk.len() >= CHUNK {
                copy.send(chunk.as_bytes()).await?;
                chunk.clear();
            }
        }
        copy.send(chunk.as_bytes()).await?;
        copy.finish().await?;
        Ok(written(COPY))
    }
}

/// One more row of a stream whose rows are read first.
#[derive(Clone)]
pub(super) struct Existing(pub(super) PgPool, pub(super) Streams);

impl Work for Existing {
    async fn once(&self) -> Result<Done, Miss> {
        let Self(pool, streams) = self;
        let (id, cities) = streams.next_with_length();
        let (county, loaded) = load::<CountyRates>(pool, id, "tax_rate.set").await?;
        let set = TaxRateCommand::Set(rate(id, cities + 1));
        for (event, sequence) in county.decide(set)?.iter().zip(loaded + 1..) {
            let inserted =
                sqlx::query("insert into raw_stream (stream, sequence, payload) values ($1, $2, $3::json)")
                    .bind(id)
                    .bind(i64::try_from(sequence)?)
                    .bind(event.payload())
                    .execute(pool)
                    .await;
            match inserted {
                Ok(_) => {}
                Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
                    return Err(Miss::Conflict);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Done { events: 1, loaded })
    }
}

/// A stream's rows, read and folded.
#[derive(Clone)]
pub(super) struct Load(pub(super) PgPool, pub(super) Streams);

impl Work for Load {
    async fn once(&self) -> Result<Done, Miss> {
        let (tab, loaded) = load::<Tab>(&self.0, self.1.next(), "tab.charged").await?;
        std::hint::black_box(tab);
        Ok(Done {
            events: loaded,
            loaded,
        })
    }
}

/// An aggregate whose events are all of one type, and how many they are.
async fn load<D: Decider>(pool: &PgPool, id: Uuid, event_type: &str) -> Result<(D, u64), Miss> {
    let payloads: Vec<String> =
        sqlx::query_scalar("select payload::text from raw_stream where stream = $1 order by sequence")
            .bind(id)
            .fetch_all(pool)
            .await?;
    let mut state = D::default();
    for payload in &payloads {
        state.evolve(&D::Event::decode(event_type, 1, payload)?);
    }
    Ok((state, u64::try_from(payloads.len())?))
}

/// A row of our events table, with every column that our own reader reads.
type EventRow = (
    i64,
    String,
    String,
    i64,
    String,
    String,
    String,
    String,
    Uuid,
    Uuid,
    DateTime<Utc>,
    Vec<u8>,
);

/// Our events in order, by pages, past row-level security and without the assertions of our own reader.
#[derive(Clone)]
pub(super) struct ReadPages(pub(super) PgPool, pub(super) TenantId);

impl Work for ReadPages {
    async fn once(&self) -> Result<Done, Miss> {
        let mut after = 0;
        let mut loaded = 0;
        loop {
            let page: Vec<EventRow> = sqlx::query_as(
                "select position, aggregate_type, aggregate_id, sequence, event_type, event_version,
                     payload::text, metadata::text, event_id, command_id, recorded_at, leaf_hash
                 from events where tenant_id = $1 and position > $2 order by position limit $3",
            )
            .bind(self.1.0)
            .bind(after)
            .bind(PAGE)
            .fetch_all(&self.0)
            .await?;
            let Some((position, ..)) = page.last() else { break };
            after = *position;
            loaded += u64::try_from(page.len())?;
            std::hint::black_box(page);
        }
        Ok(Done {
            events: loaded,
            loaded,
        })
    }
}

/// The same rows by `COPY … TO STDOUT`, received and dropped.
#[derive(Clone)]
pub(super) struct CopyOut(pub(super) PgPool, pub(super) TenantId);

impl Work for CopyOut {
    async fn once(&self) -> Result<Done, Miss> {
        // COPY takes no parameters; an id is hexadecimal digits and dashes.
        let statement = format!(
            "copy (select position, aggregate_type, aggregate_id, sequence, event_type, event_version,
                 payload, metadata, event_id, command_id, recorded_at, leaf_hash
             from events where tenant_id = '{}' order by position) to stdout",
            self.1
        );
        let mut rows = self.0.copy_out_raw(&statement).await?;
        let mut loaded = 0;
        // The server sends each row in a message of its own.
        while let Some(row) = rows.try_next().await? {
            std::hint::black_box(row);
            loaded += 1;
        }
        Ok(Done {
            events: loaded,
            loaded,
        })
    }
}

/// Forgets the rows in bulk, which would fill the disk.
pub(super) async fn empty_bulk(pool: &PgPool) -> Result<()> {
    sqlx::query("truncate raw_bulk").execute(pool).await?;
    Ok(())
}
