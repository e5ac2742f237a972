//! The independent reader: postgres-es with its own driver and its own connections. The only file of this crate that
//! names them.

use std::convert::Infallible;
use std::str::FromStr;
use std::time::Duration;

use cqrs_es::event_sink::EventSink;
use cqrs_es::persist::PersistedEventRepository;
use cqrs_es::{Aggregate, DomainEvent};
use domain::decider::{Decider, Event};
use domain::ids::TenantId;
use postgres_es::PostgresEventRepository;
use serde::{Deserialize, Serialize};
use sqlx_08::Executor;
use sqlx_08::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

use super::Address;

/// An event as postgres-es gives it.
pub(super) use cqrs_es::persist::SerializedEvent;

/// Connections of the reader.
pub(super) const CONNECTIONS: u32 = 4;
/// How long a connection is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// An aggregate as postgres-es rehydrates it. It is only read: there is no command that it could be given.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent, bound = "")]
pub(super) struct Rehydrated<D: Decider>(D);

impl<D: Decider> Rehydrated<D> {
    /// Applies the next event of the stream.
    pub(super) fn rehydrate(&mut self, event: D::Event) {
        self.apply(Read(event));
    }
}

/// An event of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent, bound = "")]
pub(super) struct Read<E: Event>(E);

impl<E: Event> DomainEvent for Read<E> {
    fn event_type(&self) -> String {
        self.0.name().to_owned()
    }
    fn event_version(&self) -> String {
        self.0.version().to_string()
    }
}

impl<D: Decider> Aggregate for Rehydrated<D> {
    const TYPE: &'static str = D::STREAM;
    type Command = Infallible;
    type Event = Read<D::Event>;
    type Error = Infallible;
    type Services = ();

    async fn handle(
        &mut self,
        command: Infallible,
        _services: &(),
        _sink: &EventSink<Self>,
    ) -> Result<(), Infallible> {
        match command {}
    }

    fn apply(&mut self, event: Read<D::Event>) {
        self.0.evolve(&event.0);
    }
}

/// One tenant's events through postgres-es.
pub(super) struct Reader {
    pool: PgPool,
    repository: PostgresEventRepository,
}

impl Reader {
    /// Connects, kept to one tenant's rows and unable to write any.
    pub(super) async fn connect(address: &Address, tenant: TenantId) -> Result<Self, String> {
        let mut options = PgConnectOptions::from_str(&address.url).map_err(|error| error.to_string())?;
        if let Some((user, password)) = &address.sign_in {
            options = options.username(user).password(password);
        }
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(PATIENCE)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    connection
                        .execute("set role hibachi_app; set default_transaction_read_only = on")
                        .await?;
                    sqlx_08::query("select set_config('hibachi.tenant', $1, false)")
                        .bind(tenant.to_string())
                        .execute(connection)
                        .await?;
                    Ok(())
                })
            })
            .connect_with(options)
            .await
            .map_err(|error| error.to_string())?;
        let repository = PostgresEventRepository::new(pool.clone());
        Ok(Self { pool, repository })
    }

    /// One stream's events, as stored.
    pub(super) async fn events<D: Decider>(&self, id: &str) -> Result<Vec<SerializedEvent>, String> {
        let events = self.repository.get_events::<Rehydrated<D>>(id).await;
        events.map_err(|error| error.to_string())
    }

    /// Closes every connection.
    pub(super) async fn close(self) {
        self.pool.close().await;
    }
}
