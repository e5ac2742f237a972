//! A database of its own for each test, copied from a migrated template.

use std::str::FromStr;
use std::time::Duration;

use event_log::{Database, EventLog};
use sha2::{Digest, Sha256};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor};

/// Names the server to test on: a superuser's URL.
pub const SERVER: &str = "HIBACHI_TEST_POSTGRES";

/// Any number that no other program on a test server locks: it makes one process at a time build the template.
const TEMPLATE_LOCK: i64 = 0x6869_6261_6368_6931;

/// Connections of a test's pool.
const POOL_SIZE: u32 = 8;

/// A migrated, empty database, dropped when the test is done with it.
#[derive(Debug)]
pub struct TestDatabase {
    server: PgConnectOptions,
    name: String,
}

impl TestDatabase {
    /// Makes one.
    ///
    /// # Panics
    /// When there is no server to test on, or it refuses.
    pub async fn new() -> Self {
        let server = server();
        let mut connection = server.connect().await.expect("the test server takes connections");
        let template = template(&server, &mut connection).await;
        let name = format!("t_{}", random_hex());
        execute(
            &mut connection,
            format!("create database {name} template {template}"),
        )
        .await;
        Self { server, name }
    }

    /// How a superuser connects to it.
    pub fn superuser_options(&self) -> PgConnectOptions {
        self.server.clone().database(&self.name)
    }

    /// A superuser's address of it, for software with a driver of its own.
    ///
    /// # Panics
    /// When there is no server to test on.
    pub fn url(&self) -> String {
        let server = std::env::var(SERVER).expect("there is a server: the database is on it");
        let joint = if server.contains('?') { '&' } else { '?' };
        format!("{server}{joint}dbname={}", self.name)
    }

    /// A superuser's connection: past row-level security, for looking and for lying.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn superuser(&self) -> PgConnection {
        self.superuser_options()
            .connect()
            .await
            .expect("the test database takes connections")
    }

    /// The gateway, as the application uses it.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn database(&self) -> Database {
        Database::connect(self.superuser_options(), POOL_SIZE)
            .await
            .expect("the test database takes connections")
    }

    /// Rows of a table that all connections which are closed by now have read, by whichever plan.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn rows_read(&self, table: &str) -> i64 {
        // A connection says what it has read when it goes, at the latest; it goes soon after it is closed.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let mut superuser = self.superuser().await;
        sqlx::query_scalar(
            "select coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) from pg_stat_user_tables where relname = $1",
        )
        .bind(table)
        .fetch_one(&mut superuser)
        .await
        .expect("the statistics can be read")
    }

    /// A log with an appender of its own.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn log(&self) -> EventLog {
        EventLog::start(self.database().await)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let server = self.server.clone();
        let drop_it = format!("drop database if exists {} with (force)", self.name);
        // A thread, because a runtime may not be entered again from within itself. What fails here is swept
        // when the next template is made.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.is_ok_and(|runtime| {
                runtime.block_on(async {
                    match server.connect().await {
                        Ok(mut connection) => connection.execute(AssertSqlSafe(drop_it)).await.is_ok(),
                        Err(_) => false,
                    }
                })
            })
        });
        drop(dropped.join());
    }
}

fn server() -> PgConnectOptions {
    let url = std::env::var(SERVER).unwrap_or_default();
    assert!(
        !url.is_empty(),
        "{SERVER} is not set: run `make test`, which starts a private Postgres"
    );
    PgConnectOptions::from_str(&url).expect("the test server's address is a Postgres URL")
}

/// The template of this schema; made by whoever comes first, while the others wait.
async fn template(server: &PgConnectOptions, connection: &mut PgConnection) -> String {
    let template = template_name();
    sqlx::query("select pg_advisory_lock($1)")
        .bind(TEMPLATE_LOCK)
        .execute(&mut *connection)
        .await
        .expect("the lock comes free");
    let there: bool = sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
        .bind(&template)
        .fetch_one(&mut *connection)
        .await
        .expect("the catalog can be read");
    if !there {
        sweep(connection).await;
        // Renamed when complete, so that a run that was killed leaves no half-made template.
        let unfinished = format!("t_{}", random_hex());
        execute(connection, format!("create database {unfinished}")).await;
        migrations::migrate(server.clone().database(&unfinished))
            .await
            .expect("the migrations apply to an empty database");
        execute(
            connection,
            format!("alter database {unfinished} rename to {template}"),
        )
        .await;
    }
    sqlx::query("select pg_advisory_unlock($1)")
        .bind(TEMPLATE_LOCK)
        .execute(&mut *connection)
        .await
        .expect("the lock is ours");
    template
}

/// Drops what runs before left behind; what is in use stays.
async fn sweep(connection: &mut PgConnection) {
    let names: Vec<String> =
        sqlx::query_scalar("select datname from pg_database where datname ~ '^(t|template)_[0-9a-f]{16}$'")
            .fetch_all(&mut *connection)
            .await
            .expect("the catalog can be read");
    for name in names {
        let dropped = connection
            .execute(AssertSqlSafe(format!("drop database {name}")))
            .await;
        drop(dropped);
    }
}

fn template_name() -> String {
    let mut hasher = Sha256::new();
    for migration in migrations::MIGRATOR.iter() {
        hasher.update(migration.version.to_be_bytes());
        hasher.update(&migration.checksum);
    }
    format!("template_{}", hex::encode(&hasher.finalize()[..8]))
}

fn random_hex() -> String {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).expect("the operating system has randomness");
    hex::encode(bytes)
}

async fn execute(connection: &mut PgConnection, sql: String) {
    connection
        .execute(AssertSqlSafe(sql))
        .await
        .expect("the test server takes orders from its superuser");
}
