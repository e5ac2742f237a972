//! The one gateway to the database: nothing gets a connection without saying whose data it is after.

use std::time::Duration;

use domain::ids::TenantId;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, Executor};

use crate::error::LogError;

/// A transaction that sees and writes one tenant's rows only. Dropped without a commit it is rolled back.
pub type Transaction = sqlx::Transaction<'static, sqlx::Postgres>;

/// How long a caller waits for a connection before it hears that the log is unavailable.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// The role that owns nothing and cannot get round row-level security.
const ENTER_ROLE: &str = "set role hibachi_app; set client_min_messages = error";

/// The database, as the application's role and one tenant at a time.
#[derive(Clone)]
pub struct Database {
    pool: PgPool,
    options: PgConnectOptions,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database")
            .field("host", &self.options.get_host())
            .field("database", &self.options.get_database())
            .finish_non_exhaustive()
    }
}

impl Database {
    /// Connects, with at most `pool_size` connections. The user must be, or be a member of, `hibachi_app`.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when the database is out of reach, [`LogError::Refused`] when it does not let
    /// us in.
    pub async fn connect(options: PgConnectOptions, pool_size: u32) -> Result<Self, LogError> {
        let pool = PgPoolOptions::new()
            .max_connections(pool_size)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false)
            .after_connect(|connection, _| Box::pin(enter_role(connection)))
            // sqlx 0.9.0 can give back a connection inside an open transaction, after a `begin` that was
            // cancelled; the next one's writes would be lost with it.
            .after_release(|connection, _| {
                Box::pin(async move {
                    // With a begin before it, so that a connection that is in order draws no warning; in a
                    // failed transaction the begin fails, and the connection is closed.
                    connection.execute("begin; rollback").await?;
                    Ok(true)
                })
            })
            .connect_with(options.clone())
            .await?;
        Ok(Self { pool, options })
    }

    /// Begins a transaction on a tenant's rows.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when no connection comes free in time or the database is out of reach.
    pub async fn begin(&self, tenant: TenantId) -> Result<Transaction, LogError> {
        for_tenant(self.pool.begin().await?, tenant).await
    }

    /// Begins a transaction that reads a tenant's rows as they are at its first query, whatever is written
    /// meanwhile.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub async fn begin_read(&self, tenant: TenantId) -> Result<Transaction, LogError> {
        let transaction = self
            .pool
            .begin_with("begin isolation level repeatable read read only")
            .await?;
        for_tenant(transaction, tenant).await
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when it does not.
    pub async fn ping(&self) -> Result<(), LogError> {
        self.pool.execute("select 1").await?;
        Ok(())
    }

    /// Closes every connection, waiting for those in use.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// The pool without a tenant: for the directory of organisations, whose functions need none.
    pub(crate) fn directory(&self) -> &PgPool {
        &self.pool
    }

    /// A connection outside the pool, for the appender.
    pub(crate) async fn dedicated(&self) -> Result<PgConnection, sqlx::Error> {
        let mut connection = self.options.connect().await?;
        enter_role(&mut connection).await?;
        connection.ping().await?;
        Ok(connection)
    }
}

async fn enter_role(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    connection.execute(ENTER_ROLE).await.map(drop)
}

async fn for_tenant(mut transaction: Transaction, tenant: TenantId) -> Result<Transaction, LogError> {
    sqlx::query("select set_config('hibachi.tenant', $1, true)")
        .bind(tenant.0.to_string())
        .execute(&mut *transaction)
        .await?;
    Ok(transaction)
}
