//! A database of its own for a measurement, beside the installation's: gone when it is over, however it ends.

use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context, Result};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection};

use super::{Location, data_directory, private_server};

/// Scratch databases are called so, and nothing else is.
const PREFIX: &str = "hibachi_scratch_";
/// First half of the advisory lock that the maker of a scratch database holds for as long as it lives; the second is
/// the hash of the name. Locks are seen from every database of a server, and end with their session.
const LOCK: i32 = 0x4862_5363;

/// A migrated database for a measurement.
pub struct Scratch {
    /// How to connect to it, as its owner.
    pub database: PgConnectOptions,
    /// What of its server is on this machine; none for a server that was given by its address.
    pub local: Option<Local>,
    name: String,
    keeper: PgConnection,
    server: Option<embedded_postgres::Server>,
}

/// Where a private server's things are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Local {
    /// The installation's data directory, which the cluster is in.
    pub data_dir: PathBuf,
    /// The directory of the server's programs.
    pub programs: PathBuf,
}

impl Scratch {
    /// Makes a migrated scratch database beside the installation's own, after dropping those whose makers were
    /// killed.
    ///
    /// # Errors
    /// When the server is out of reach or may not make databases, or the schema cannot be made. Nothing is left
    /// behind then.
    pub async fn create(location: &Location) -> Result<Self> {
        let data_dir = data_directory(location)?;
        let (maintenance, server) = match &location.database_url {
            Some(url) => (
                PgConnectOptions::from_str(url).context("DATABASE_URL is not a Postgres address")?,
                None,
            ),
            None => {
                let (admin, server, _) = private_server(&data_dir).await?;
                (admin, Some(server))
            }
        };
        let local = server.as_ref().map(|server| Local {
            data_dir,
            programs: server.binaries().to_owned(),
        });
        // Process ids come again, on other machines and in other containers at the same time.
        let mut random = [0; 4];
        getrandom::fill(&mut random).context("the operating system gives no randomness")?;
        let name = format!("{PREFIX}{}_{}", std::process::id(), hex::encode(random));
        let mut keeper = maintenance.clone().disable_statement_logging().connect().await?;
        // Before the database is there, so that it is never there without its lock.
        lock(&mut keeper, &name).await?;
        sweep(&mut keeper).await?;
        let statement = format!("create database {name}");
        keeper
            .execute(AssertSqlSafe(statement))
            .await
            .context("cannot make a scratch database")?;
        let scratch = Self {
            database: maintenance.database(&name),
            local,
            name,
            keeper,
            server,
        };
        if let Err(error) = migrations::migrate(scratch.database.clone()).await {
            scratch.remove().await?;
            return Err(error).context("cannot migrate the scratch database");
        }
        Ok(scratch)
    }

    /// Drops the database, with the sessions that are still in it.
    ///
    /// # Errors
    /// When the server is out of reach.
    pub async fn remove(mut self) -> Result<()> {
        drop_database(&mut self.keeper, &self.name).await?;
        self.keeper.close().await?;
        let Some(server) = self.server else { return Ok(()) };
        tokio::task::spawn_blocking(move || server.stop())
            .await?
            .context("the private database did not stop")
    }
}

async fn lock(keeper: &mut PgConnection, name: &str) -> Result<()> {
    sqlx::query("select pg_advisory_lock($1, hashtext($2))")
        .bind(LOCK)
        .bind(name)
        .execute(keeper)
        .await?;
    Ok(())
}

/// Drops the scratch databases that nobody holds: their makers were killed.
async fn sweep(keeper: &mut PgConnection) -> Result<()> {
    let left: Vec<String> = sqlx::query_scalar(
        "select datname::text from pg_database
         where starts_with(datname, $1) and pg_has_role(datdba, 'member') and not exists (
             select from pg_locks
             where locktype = 'advisory' and granted and objsubid = 2
                 and classid::bigint = $2 and objid::bigint = hashtext(datname)::bigint & 4294967295
         )",
    )
    .bind(PREFIX)
    .bind(i64::from(LOCK))
    .fetch_all(&mut *keeper)
    .await?;
    for name in left {
        tracing::warn!(name, "dropping a scratch database that was left behind");
        // Somebody else's run may be dropping it too.
        if let Err(error) = drop_database(keeper, &name).await {
            tracing::warn!(name, %error, "it stays for the next run");
        }
    }
    Ok(())
}

async fn drop_database(keeper: &mut PgConnection, name: &str) -> Result<()> {
    let name = name.replace('"', "\"\"");
    let statement = format!("drop database if exists \"{name}\" with (force)");
    keeper
        .execute(AssertSqlSafe(statement))
        .await
        .context("cannot drop the scratch database")?;
    Ok(())
}
