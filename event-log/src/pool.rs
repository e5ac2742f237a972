//! Connections that are used again: with no round trip between one user and the next when the last was answered to
//! the end, and never inside somebody's transaction.
//!
//! sqlx's own pool asks the server twice each time a connection comes back: `after_release` must roll back, since
//! sqlx 0.9.0 does not know of a transaction whose `begin` was cancelled, and a ping follows. Here a user says
//! when nothing is open any more, and whoever cannot say so has it rolled back, or the connection closed.

use std::io;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection, Executor};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

use crate::measures::{Measures, PoolUse};

/// How long a caller waits for a connection, and a connection for its rollback.
const PATIENCE: Duration = Duration::from_secs(5);
/// First wait before a server that is starting up is asked again; doubled each time.
const BACK_OFF: Duration = Duration::from_millis(10);
/// Longest such wait.
const BACK_OFF_LIMIT: Duration = Duration::from_secs(1);
/// Age from which a connection is replaced: a server process keeps what it has cached.
const LIFETIME: Duration = Duration::from_secs(30 * 60);

/// How long a connection is taken to be there after it was used.
const TRUSTED: Duration = Duration::from_secs(1);
/// How long a connection has to say that it is there.
const PING: Duration = Duration::from_secs(1);

/// The role that owns nothing and cannot get round row-level security.
const ENTER_ROLE: &str = "set role hibachi_app; set client_min_messages = error";

/// At most so many connections, each as the application's role, and none with a tenant.
#[derive(Clone)]
pub(crate) struct Pool {
    shared: Arc<Shared>,
    size: u32,
    pub(crate) measures: Measures,
}

struct Shared {
    options: PgConnectOptions,
    /// One for each connection that is in use. Closed with the pool.
    permits: Arc<Semaphore>,
    /// Those that are not, the last used last.
    idle: Mutex<Vec<Pooled>>,
}

struct Pooled {
    connection: PgConnection,
    opened: Instant,
    used: Instant,
}

impl Pool {
    pub(crate) fn new(options: PgConnectOptions, size: u32) -> Self {
        let permits = usize::try_from(size).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            shared: Arc::new(Shared {
                options,
                permits: Arc::new(Semaphore::new(permits)),
                idle: Mutex::new(Vec::new()),
            }),
            size,
            measures: Measures::default(),
        }
    }

    pub(crate) fn options(&self) -> &PgConnectOptions {
        &self.shared.options
    }

    /// A connection with no transaction open, the one that was used last if there is any.
    pub(crate) async fn lease(&self) -> Result<Lease, sqlx::Error> {
        let began = Instant::now();
        let leased = timeout(PATIENCE, self.shared.lease()).await;
        match &leased {
            Ok(_) => self.measures.leased(began.elapsed()),
            Err(_) => self.measures.not_leased(),
        }
        leased.map_err(|_| sqlx::Error::PoolTimedOut)?
    }

    /// How the connections are at the moment.
    pub(crate) fn in_use(&self) -> PoolUse {
        let free = u32::try_from(self.shared.permits.available_permits()).unwrap_or(self.size);
        PoolUse {
            size: self.size,
            in_use: self.size.saturating_sub(free),
            idle: u32::try_from(self.shared.idle().len()).unwrap_or(u32::MAX),
        }
    }

    /// Waits for the connections in use, a while, and closes all.
    pub(crate) async fn close(&self) {
        // With every permit in one hand nobody is at a connection, or can come by one afterwards.
        let all = timeout(PATIENCE, self.shared.permits.acquire_many(self.size)).await;
        self.shared.permits.close();
        drop(all);
        let idle = std::mem::take(&mut *self.shared.idle());
        for pooled in idle {
            // The server lets go of it either way.
            pooled.connection.close().await.ok();
        }
    }
}

impl Shared {
    fn idle(&self) -> MutexGuard<'_, Vec<Pooled>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn lease(self: &Arc<Self>) -> Result<Lease, sqlx::Error> {
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let permit = permit.map_err(|_| sqlx::Error::PoolClosed)?;
        let pooled = match self.idle_and_alive().await {
            Some(pooled) => pooled,
            None => Pooled {
                connection: self.patiently_open().await?,
                opened: Instant::now(),
                used: Instant::now(),
            },
        };
        Ok(Lease {
            pooled: Some(pooled),
            permit: Some(permit),
            shared: Arc::clone(self),
        })
    }

    /// The connection that was used last, unless it is too old. One that has not been used for a moment is asked first
    /// whether it is still there: the server may have been restarted.
    async fn idle_and_alive(&self) -> Option<Pooled> {
        loop {
            let mut pooled = self.idle().pop()?;
            if pooled.opened.elapsed() >= LIFETIME {
                continue;
            }
            if pooled.used.elapsed() < TRUSTED {
                return Some(pooled);
            }
            match timeout(PING, pooled.connection.ping()).await {
                Ok(Ok(())) => return Some(pooled),
                Ok(Err(error)) => tracing::debug!(%error, "a connection is gone"),
                Err(_) => tracing::debug!("a connection does not answer"),
            }
        }
    }

    /// A connection back; closed, where the pool is.
    fn take_back(&self, mut pooled: Pooled) {
        let mut idle = self.idle();
        if !self.permits.is_closed() {
            pooled.used = Instant::now();
            idle.push(pooled);
        }
    }

    /// Opens a connection, however often a server that is starting up refuses; the caller stops it in time.
    async fn patiently_open(&self) -> Result<PgConnection, sqlx::Error> {
        let mut wait = BACK_OFF;
        loop {
            match open(&self.options).await {
                Err(error) if starts_up(&error) => sleep(wait).await,
                opened => return opened,
            }
            wait = (wait * 2).min(BACK_OFF_LIMIT);
        }
    }
}

/// A connection of one's own, as the application's role.
pub(crate) async fn open(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    let mut connection = options.connect().await?;
    connection.execute(ENTER_ROLE).await?;
    Ok(connection)
}

fn starts_up(error: &sqlx::Error) -> bool {
    match error.as_database_error() {
        // Cannot connect now; too many connections.
        Some(refusal) => ["57P03", "53300"].contains(&refusal.code().unwrap_or_default().as_ref()),
        None => matches!(error, sqlx::Error::Io(failed) if failed.kind() == io::ErrorKind::ConnectionRefused),
    }
}

/// A connection in use. Dropped, what may be open on it is rolled back before anybody else gets it.
pub(crate) struct Lease {
    pooled: Option<Pooled>,
    permit: Option<OwnedSemaphorePermit>,
    shared: Arc<Shared>,
}

impl Lease {
    /// Gives the connection to the next as it is. Only for who has read the last answer to its end and has no
    /// transaction open.
    pub(crate) fn give_back(mut self) {
        if let Some(pooled) = self.pooled.take() {
            self.shared.take_back(pooled);
        }
    }

    /// Closes the connection, whatever the server is at.
    pub(crate) fn discard(mut self) {
        self.pooled.take();
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let (Some(mut pooled), Some(permit)) = (self.pooled.take(), self.permit.take()) else {
            return;
        };
        // Without a runtime there is nobody to wait for the rollback: the connection closes, and the server
        // rolls back.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let shared = Arc::clone(&self.shared);
        runtime.spawn(async move {
            // With a begin before it, so that a connection that is in order draws no warning; in a failed
            // transaction the begin fails, and the connection is closed.
            let rolled_back = timeout(PATIENCE, pooled.connection.execute("begin; rollback")).await;
            match rolled_back {
                Ok(Ok(_)) => shared.take_back(pooled),
                Ok(Err(error)) => tracing::debug!(%error, "a connection is closed: it could not roll back"),
                Err(_) => tracing::debug!("a connection is closed: it did not roll back in time"),
            }
            // After the connection is back, so that whoever waits for the permit finds it.
            drop(permit);
        });
    }
}

impl Deref for Lease {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        let pooled = self
            .pooled
            .as_ref()
            .expect("only what ends a lease takes its connection");
        &pooled.connection
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut PgConnection {
        let pooled = self
            .pooled
            .as_mut()
            .expect("only what ends a lease takes its connection");
        &mut pooled.connection
    }
}
