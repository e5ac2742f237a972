//! The rival: the same aggregate through cqrs-es, over postgres-es and its own table.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Arc;

use anyhow::{Context, Result};
use commands::root::Root;
use cqrs_es::persist::{PersistedEventRepository, PersistedEventStore};
use cqrs_es::{AggregateContext, AggregateError, CqrsFramework, EventStore};
use domain::decider::{Decider, Refusal};
use domain::ids::TenantId;
use domain::tax_rate::{CountyRates, TaxRateCommand};
use postgres_es::PostgresEventRepository;
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx_08::postgres::PgPoolOptions;
use sqlx_08::{Pool, Postgres};

use super::county::{rate, stream_key};
use super::ours::meta;
use super::tab::{Charge, Tab};
use super::work::{Done, Miss, Work};
use super::world::{NewIds, Streams};

/// As published in the crate's `db/init.sql`, under another name, since `events` is ours.
pub(super) const SCHEMA: &str = "create table es_events (
        aggregate_type text not null,
        aggregate_id text not null,
        sequence bigint check (sequence >= 0) not null,
        event_type text not null,
        event_version text not null,
        payload json not null,
        metadata json not null,
        primary key (aggregate_type, aggregate_id, sequence)
    )";

type Store<D> = PersistedEventStore<PostgresEventRepository, Root<D>>;
type Framework<D> = CqrsFramework<Root<D>, Store<D>>;

/// The rival over a pool of its own. Cheap to clone.
#[derive(Clone)]
pub(super) struct PostgresEs {
    pool: Pool<Postgres>,
    tabs: Arc<Framework<Tab>>,
    counties: Arc<Framework<CountyRates>>,
    ids: NewIds,
    tenant: TenantId,
}

impl PostgresEs {
    /// Opens as many connections as there are clients.
    pub(super) async fn connect(
        options: &PgConnectOptions,
        clients: u32,
        ids: NewIds,
        tenant: TenantId,
    ) -> Result<Self> {
        let address = options.to_url_lossy();
        let options = sqlx_08::postgres::PgConnectOptions::from_str(address.as_str())
            .context("the rival does not understand the database's address")?;
        // Without the ping that sqlx sends by itself whenever a connection is taken: so do all peers.
        let pool = PgPoolOptions::new()
            .max_connections(clients)
            .test_before_acquire(false)
            .connect_with(sqlx_08::ConnectOptions::disable_statement_logging(options))
            .await?;
        let connections = (0..clients).map(|_| pool.acquire());
        drop(futures::future::try_join_all(connections).await?);
        Ok(Self {
            tabs: framework(&pool),
            counties: framework(&pool),
            pool,
            ids,
            tenant,
        })
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    /// Loads, decides and commits: a whole command of the rival.
    async fn execute<D: Decider>(
        &self,
        framework: &Framework<D>,
        id: &str,
        command: D::Command,
    ) -> Result<(), Miss> {
        let meta: HashMap<String, String> = meta(self.tenant, self.ids.next()).into_iter().collect();
        let executed = framework.execute_with_metadata(id, command, meta).await;
        executed.map_err(miss)
    }
}

fn repository(pool: &Pool<Postgres>) -> PostgresEventRepository {
    PostgresEventRepository::new(pool.clone()).with_tables("es_events", "es_snapshots")
}

fn store<D: Decider>(pool: &Pool<Postgres>) -> Store<D> {
    PersistedEventStore::new_event_store(repository(pool))
}

fn framework<D: Decider>(pool: &Pool<Postgres>) -> Arc<Framework<D>> {
    Arc::new(CqrsFramework::new(store(pool), Vec::new(), ()))
}

fn miss(error: AggregateError<impl Refusal>) -> Miss {
    match error {
        AggregateError::AggregateConflict => Miss::Conflict,
        AggregateError::UserError(refusal) => refusal.into(),
        AggregateError::DatabaseConnectionError(source)
        | AggregateError::DeserializationError(source)
        | AggregateError::UnexpectedError(source) => Miss::Failed(anyhow::Error::from_boxed(source)),
    }
}

/// A new tab, with its first charges. The framework looks for it first, as it always does.
#[derive(Clone)]
pub(super) struct New(pub(super) PostgresEs, pub(super) u32);

impl Work for New {
    async fn once(&self) -> Result<Done, Miss> {
        let Self(rival, times) = self;
        let id = rival.ids.next().to_string();
        let charge = Charge { times: *times };
        rival.execute(&rival.tabs, &id, charge).await?;
        Ok(Done {
            events: u64::from(*times),
            loaded: 0,
        })
    }
}

/// One more city of a county, which has to be loaded first.
#[derive(Clone)]
pub(super) struct Existing(pub(super) PostgresEs, pub(super) Streams);

impl Work for Existing {
    async fn once(&self) -> Result<Done, Miss> {
        let Self(rival, streams) = self;
        let (county, cities) = streams.next_with_length();
        let set = TaxRateCommand::Set(rate(county, cities + 1));
        rival.execute(&rival.counties, &stream_key(county), set).await?;
        Ok(Done {
            events: 1,
            loaded: cities,
        })
    }
}

/// A tab, loaded.
#[derive(Clone)]
pub(super) struct Load(pub(super) PostgresEs, pub(super) Streams);

impl Work for Load {
    async fn once(&self) -> Result<Done, Miss> {
        let id = self.1.next().to_string();
        let mut context = store::<Tab>(&self.0.pool)
            .load_aggregate(&id)
            .await
            .map_err(miss)?;
        let charges = context.aggregate().0.charges;
        Ok(Done {
            events: charges,
            loaded: charges,
        })
    }
}

/// All events as its replays get them: ordered by their place in their stream, since it has no order of all.
#[derive(Clone)]
pub(super) struct ReadAll(pub(super) PostgresEs);

impl Work for ReadAll {
    async fn once(&self) -> Result<Done, Miss> {
        let mut events = repository(&self.0.pool).stream_all_events::<Root<Tab>>().await?;
        let mut loaded = 0;
        while let Some(event) = events.next::<Root<Tab>>(&[]).await {
            std::hint::black_box(event?);
            loaded += 1;
        }
        Ok(Done {
            events: loaded,
            loaded,
        })
    }
}
