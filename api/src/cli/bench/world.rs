//! Where it is measured: a scratch database with our log and its rivals' tables.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use commands::Commands;
use commands::gateways::{SystemClock, SystemIds, ZipDirectory};
use commands::ports::{Clock, Ids, Ports};
use domain::ids::TenantId;
use event_log::{Database, EventLog, MasterKey, SystemEntropy, Vault};
use sqlx::Executor;
use sqlx::postgres::{PgConnectOptions, PgPool};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::ours::Ours;
use super::work::{Measured, Miss, Work, drive};
use super::{postgres_es, raw};
use crate::app::POOL;
use crate::installation::Scratch;

/// Appends that fill the log at the same time.
const FILLERS: u64 = 8;
/// Share of a case's time that it runs before it is measured.
const WARM_UP: u32 = 10;

/// A rival's table, and how it gets our events.
pub(super) struct Rival {
    fill: &'static str,
    vacuum: &'static str,
}

/// The payload is wrapped as serde wraps the aggregate's event, which is what cqrs-es stores.
pub(super) const ES_EVENTS: Rival = Rival {
    fill: "insert into es_events
        select aggregate_type, aggregate_id, sequence, event_type, event_version,
            ('{\"type\":\"' || event_type || '\",\"payload\":' || payload::text || '}')::json, metadata
        from events where tenant_id = $1 and position > $2 order by position",
    vacuum: "vacuum (analyze) es_events",
};
/// The id of a tab is a UUID, that of a county ends with one.
pub(super) const RAW_STREAM: Rival = Rival {
    fill: "insert into raw_stream
        select right(aggregate_id, 36)::uuid, sequence, payload from events where tenant_id = $1 and position > $2
        order by position",
    vacuum: "vacuum (analyze) raw_stream",
};
pub(super) const RAW_ROW: Rival = Rival {
    fill: "insert into raw_row
        select event_id, payload from events where tenant_id = $1 and position > $2 order by position",
    vacuum: "vacuum (analyze) raw_row",
};

/// A scratch database, connected.
pub(super) struct World {
    /// How the rivals connect: as the owner of the tables.
    pub(super) options: PgConnectOptions,
    /// The owner's, for what is between the cases.
    pub(super) owner: PgPool,
    /// The tenant that cases are measured in.
    pub(super) ours: Ours,
    /// Another one.
    pub(super) other: Ours,
    pub(super) ids: NewIds,
    /// Seals what is personal.
    pub(super) vault: Arc<Vault>,
    database: Database,
    time: Duration,
}

/// New ids, later ones sorting after earlier ones. Clones share one generator.
#[derive(Clone, Default)]
pub(super) struct NewIds(Arc<SystemIds>);

impl NewIds {
    pub(super) fn next(&self) -> Uuid {
        self.0.next(SystemClock.now())
    }

    /// The same generator, for a program.
    pub(super) fn port(&self) -> Arc<SystemIds> {
        Arc::clone(&self.0)
    }
}

/// Streams that are taken in turn, so that clients do not meet. Clones share the turn.
#[derive(Clone)]
pub(super) struct Streams {
    ids: Arc<[Uuid]>,
    turn: Arc<AtomicUsize>,
    length: u64,
}

impl Streams {
    /// Streams of so many events each, none of them taken yet.
    pub(super) fn new(ids: &Arc<[Uuid]>, length: u32) -> Self {
        Self {
            ids: Arc::clone(ids),
            turn: Arc::default(),
            length: u64::from(length),
        }
    }

    /// The next one.
    pub(super) fn next(&self) -> Uuid {
        self.next_with_length().0
    }

    /// The next one, with its events if each turn adds one.
    pub(super) fn next_with_length(&self) -> (Uuid, u64) {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let passed = u64::try_from(turn / self.ids.len()).unwrap_or(u64::MAX);
        (self.ids[turn % self.ids.len()], self.length + passed)
    }
}

impl World {
    /// Connects to a scratch database and makes the rivals' tables.
    pub(super) async fn open(scratch: &Scratch, time: Duration) -> Result<Self> {
        let owner = raw::connect(&scratch.database, 1).await?;
        owner.execute(postgres_es::SCHEMA).await?;
        for table in raw::SCHEMA {
            owner.execute(table).await?;
        }
        let database = Database::connect(scratch.database.clone(), POOL).await?;
        let log = EventLog::start(database.clone());
        let ids = NewIds::default();
        // As the program puts them together; nothing here outlives the run, so any key will do.
        let master_key = MasterKey::new([7; 32]);
        let vault = Arc::new(Vault::new(database.clone(), master_key, Arc::new(SystemEntropy)));
        let ports = Ports {
            clock: Arc::new(SystemClock),
            ids: ids.0.clone(),
            places: Arc::new(ZipDirectory),
        };
        let commands = Commands::new(log.clone(), vault.clone(), ports);
        let tenant = async |slug: &str, name: &str| -> Result<Ours> {
            let tenant = TenantId(ids.next());
            database.create_organisation(tenant, slug, name).await?;
            Ok(Ours {
                log: log.clone(),
                commands: commands.clone(),
                tenant,
                ids: ids.clone(),
            })
        };
        Ok(Self {
            options: scratch.database.clone(),
            owner,
            ours: tenant("bench", "Bench").await?,
            other: tenant("other", "Other").await?,
            ids,
            vault,
            database,
            time,
        })
    }

    /// Lets clients work for as long as cases are measured, after a tenth of that to warm up.
    pub(super) async fn measure<W: Work>(&self, work: &W, clients: u32) -> Result<Measured> {
        self.settle().await;
        drive(work, clients, self.time / WARM_UP).await?;
        drive(work, clients, self.time).await
    }

    /// As [`measure`](Self::measure), while others keep the server busy; gives what they did meanwhile as well.
    pub(super) async fn measure_beside<W: Work>(
        &self,
        work: &W,
        others: &W,
        clients: u32,
    ) -> Result<(Measured, Measured)> {
        self.settle().await;
        let one = drive(work, 1, self.time / WARM_UP);
        let many = drive(others, clients, self.time / WARM_UP);
        tokio::try_join!(one, many)?;
        tokio::try_join!(drive(work, 1, self.time), drive(others, clients, self.time))
    }

    /// Lets no case pay for the one before it: its dirty pages are written first.
    pub(super) async fn settle(&self) {
        if let Err(error) = self.owner.execute("checkpoint").await {
            tracing::warn!(%error, "no checkpoint between the cases, which is unfair to the later ones");
        }
    }

    /// Writes tabs to our log, through the appender, a few at a time.
    pub(super) async fn fill(&self, tabs: u64, length: u32) -> Result<Arc<[Uuid]>> {
        let mut fillers = JoinSet::new();
        for filler in 0..FILLERS {
            let ours = self.ours.clone();
            let share = tabs / FILLERS + u64::from(filler < tabs % FILLERS);
            fillers.spawn(async move {
                let mut ids = Vec::new();
                for _ in 0..share {
                    let id = ours.ids.next();
                    match ours.charge(id, length).await {
                        Ok(_) => ids.push(id),
                        Err(Miss::Failed(error)) => return Err(error),
                        Err(Miss::Conflict) => anyhow::bail!("a new stream was there already"),
                    }
                }
                Ok(ids)
            });
        }
        let mut ids = Vec::new();
        while let Some(filled) = fillers.join_next().await {
            ids.extend(filled??);
        }
        Ok(ids.into())
    }

    /// Gives rivals the events of our log after a position, so that all have the same.
    pub(super) async fn copy_to(&self, rivals: &[Rival], after: i64) -> Result<()> {
        for rival in rivals {
            let copied = sqlx::query(rival.fill)
                .bind(self.ours.tenant.0)
                .bind(after)
                .execute(&self.owner)
                .await?;
            ensure!(copied.rows_affected() > 0, "there was nothing to copy");
            self.owner.execute(rival.vacuum).await?;
        }
        // Like for like: no case is the first to look at rows since they were written.
        self.owner.execute("vacuum (analyze) events").await?;
        Ok(())
    }

    /// Position of the last event of our log.
    pub(super) async fn head(&self) -> Result<i64> {
        Ok(self.ours.log.head(self.ours.tenant).await?.position.0)
    }

    /// Ends the log's work, and every connection.
    pub(super) async fn close(self) {
        self.ours.log.shut_down().await;
        self.owner.close().await;
        self.database.close().await;
    }
}
