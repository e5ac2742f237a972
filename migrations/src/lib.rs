//! The schema: forward-only numbered SQL, one purpose a file, and the migrator that applies it.
//!
//! Numbers 0001–0019 are the log's, 0020–0029 the read models', 0030 and up the accounts'. A landed
//! file is never edited.

use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;

/// Every migration, compiled in.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("./sql");

/// A schema that could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The database did not let us in.
    #[error("cannot connect to migrate")]
    Connect(#[source] sqlx::Error),
    /// A migration failed; it left nothing behind.
    #[error("cannot migrate")]
    Migrate(#[source] sqlx::migrate::MigrateError),
}

/// Brings a database's schema up to date and says how many migrations it has then.
///
/// The role that connects comes to own the tables. It needs the right to create a role, or the role
/// `hibachi_app` must exist and be granted to it; it need not be a superuser. Several processes may
/// call this at once: a lock makes the others wait.
///
/// # Errors
/// [`MigrateError`] when the database is out of reach or refuses a statement.
pub async fn migrate(admin: PgConnectOptions) -> Result<usize, MigrateError> {
    let mut connection = admin.connect().await.map_err(MigrateError::Connect)?;
    MIGRATOR
        .run(&mut connection)
        .await
        .map_err(MigrateError::Migrate)?;
    Ok(MIGRATOR.iter().count())
}
