//! The one gateway to the database: nothing gets a connection without saying whose data it is after.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use domain::ids::TenantId;
use prometheus_client::registry::Registry;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow, Postgres};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Connection, Executor};

use crate::error::LogError;
use crate::measures::{Asking, Measures, PoolUse};
use crate::pool::{Lease, Pool, open};

/// A statement with its values bound.
pub type Statement = Query<'static, Postgres, sqlx::postgres::PgArguments>;

/// Plans are kept for the appender's connection's life, and the first are made while the tables are empty: whatever
/// the statistics say then, each look-up is to go by its index, and none is planned again for each batch.
///
/// Who waits longer for a head than an attempt may take is not kept waiting by the server either.
const OF_APPENDER: &str = "set plan_cache_mode = force_generic_plan; set enable_seqscan = off; \
     set lock_timeout = '20s'; set statement_timeout = '25s'";

/// For a transaction that copies a page of a table in the order of positions: it is read along their index, from where the page
/// before it ended. A copy takes no parameters, and of the settings that stand for them the planner knows nothing: what it
/// takes for few rows it would read all of and sort, for each page.
pub const BY_POSITION: &str = "set local enable_seqscan = off; set local enable_bitmapscan = off; \
     set local enable_sort = off; set local max_parallel_workers_per_gather = 0";

/// The database, as the application's role and one tenant at a time.
#[derive(Clone)]
pub struct Database {
    pool: Pool,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database")
            .field("host", &self.pool.options().get_host())
            .field("database", &self.pool.options().get_database())
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
        let pool = Pool::new(options, pool_size);
        pool.lease().await?.give_back();
        Ok(Self { pool })
    }

    /// The same, where a question that takes so long counts as slow; a second otherwise. For before anybody has a copy.
    #[must_use]
    pub fn slow_after(mut self, limit: Duration) -> Self {
        self.pool.measures.slow_after = limit;
        self
    }

    /// Takes the time of a question until what this gives is dropped. Both words are the program's own: whose rows are
    /// asked for, and what of them.
    #[must_use]
    pub fn asking(&self, of: &'static str, what: &'static str) -> Asking {
        Asking::new(self.measures().clone(), of, what)
    }

    /// How the connections are at the moment.
    pub fn pool(&self) -> PoolUse {
        self.pool.in_use()
    }

    /// Puts what is measured of the database, and of the log in it, among the figures of a program.
    pub fn register(&self, registry: &mut Registry) {
        self.measures().register(registry);
    }

    pub(crate) fn measures(&self) -> &Measures {
        &self.pool.measures
    }

    /// Begins a transaction on a tenant's rows.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when no connection comes free in time or the database is out of reach.
    pub async fn begin(&self, tenant: TenantId) -> Result<Transaction, LogError> {
        self.begin_with("begin", tenant).await
    }

    /// As [`begin`](Self::begin), with a commit that does not wait for the flush. A crash of the database may take it back,
    /// and then all that was committed later with it: for what says how far somebody has come, and is gone through again.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub async fn begin_unflushed(&self, tenant: TenantId) -> Result<Transaction, LogError> {
        self.begin_with("begin; set local synchronous_commit = off", tenant)
            .await
    }

    /// Begins a transaction that reads a tenant's rows as they are at its first query, whatever is written
    /// meanwhile.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub async fn begin_read(&self, tenant: TenantId) -> Result<Transaction, LogError> {
        self.begin_with("begin isolation level repeatable read read only", tenant)
            .await
    }

    /// Begins, and says for whom, in one message: each of the two alone would cost every transaction a round trip. What no
    /// value can be bound to carries the tenant as text: of an id that is hexadecimal digits and hyphens.
    async fn begin_with(&self, begin: &'static str, tenant: TenantId) -> Result<Transaction, LogError> {
        let mut lease = self.pool.lease().await?;
        let begin = format!("{begin}; set local hibachi.tenant = '{}'", tenant.0.hyphenated());
        lease.execute(AssertSqlSafe(begin)).await?;
        Ok(Transaction { lease })
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when it does not.
    pub async fn ping(&self) -> Result<(), LogError> {
        let mut lease = self.pool.lease().await?;
        lease.ping().await?;
        lease.give_back();
        Ok(())
    }

    /// Closes every connection, waiting for those in use.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// The rows of a statement that is a transaction by itself, as [`call_for_one`](Self::call_for_one) has it.
    pub(crate) async fn call(&self, statement: Statement) -> Result<Vec<PgRow>, LogError> {
        let mut lease = self.pool.lease().await?;
        let rows = statement.fetch_all(&mut *lease).await?;
        lease.give_back();
        Ok(rows)
    }

    /// The row of a statement that is a transaction by itself, if it has one; of several the first. It has no tenant: it calls
    /// a function that sets the tenant it is given, or that is allowed to do without.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when no connection comes free in time or the database is out of reach.
    pub async fn call_for_one(&self, statement: Statement) -> Result<Option<PgRow>, LogError> {
        Ok(self.call(statement).await?.into_iter().next())
    }

    /// A connection outside the pool, for the appender.
    pub(crate) async fn dedicated(&self) -> Result<PgConnection, sqlx::Error> {
        let mut connection = open(self.pool.options()).await?;
        connection.execute(OF_APPENDER).await?;
        Ok(connection)
    }
}

/// A transaction that sees and writes one tenant's rows only. Dropped without a commit it is rolled back.
///
/// It does not nest: sqlx does not know that it is one.
pub struct Transaction {
    lease: Lease,
}

impl std::fmt::Debug for Transaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transaction").finish_non_exhaustive()
    }
}

impl Transaction {
    /// Makes what was written last, and lets go of the connection.
    ///
    /// # Errors
    /// The driver's, when the database is out of reach: what was written may be there or not.
    pub async fn commit(mut self) -> Result<(), sqlx::Error> {
        self.lease.execute("commit").await?;
        self.lease.give_back();
        Ok(())
    }

    /// Takes back what was written, and lets go of the connection.
    ///
    /// # Errors
    /// The driver's, when the database is out of reach: nothing was written then either.
    pub async fn rollback(mut self) -> Result<(), sqlx::Error> {
        self.lease.execute("rollback").await?;
        self.lease.give_back();
        Ok(())
    }
}

impl Deref for Transaction {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.lease
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.lease
    }
}

/// A transaction whose connection is sending a copy. Dropped before the copy's end, it closes the connection: what is
/// still to come would be taken for the answer to the next user's statement.
#[derive(Debug)]
pub struct MidCopy {
    transaction: Option<Transaction>,
}

impl MidCopy {
    /// The transaction that is about to copy.
    pub fn of(transaction: Transaction) -> Self {
        Self {
            transaction: Some(transaction),
        }
    }

    /// What the copy is asked of.
    ///
    /// # Panics
    /// Never: only the end takes it.
    pub fn connection(&mut self) -> &mut PgConnection {
        self.transaction.as_mut().expect("only the end takes it")
    }

    /// The transaction again, once the copy has been read to its end.
    ///
    /// # Panics
    /// Never: nobody has taken it before.
    pub fn at_its_end(mut self) -> Transaction {
        self.transaction.take().expect("only the end takes it")
    }
}

impl Drop for MidCopy {
    fn drop(&mut self) {
        if let Some(transaction) = self.transaction.take() {
            transaction.lease.discard();
        }
    }
}
