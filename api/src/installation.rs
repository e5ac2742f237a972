//! Where an installation keeps its things: its database, private or given, and its secrets.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use replays::independent::Address;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor, PgConnection};

mod master_keys;
mod media;
mod messages;
mod scratch;
mod stripe;
mod token_keys;

pub use master_keys::{MasterKeyPlace, Rotation};
pub use media::MediaSettings;
pub use messages::{MessageSettings, Outgoing};
pub use scratch::{Local, Scratch};
pub use stripe::StripeSettings;
pub use token_keys::{Retired, TokenKeyPlace};

/// Name of the database on the private server.
pub(crate) const DATABASE: &str = "hibachi";
/// The role that the program runs as; owns nothing.
const APP_ROLE: &str = "hibachi_app";

/// From when on a statement is slow where nothing else is said.
const SLOW: Duration = Duration::from_secs(1);

/// How to reach an installation: the settings that every command takes.
#[derive(Debug, Clone, clap::Args)]
pub struct Location {
    /// Directory of the private database and the secrets.
    #[arg(
        long,
        value_name = "DIR",
        env = "HIBACHI_DATA_DIR",
        default_value = ".hibachi"
    )]
    pub data_dir: PathBuf,
    /// A Postgres (15 or newer) of your own, instead of a private one.
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
}

/// An installation that is up: its database answers and has the newest schema.
pub struct Installation {
    /// How the program connects.
    pub database: PgConnectOptions,
    /// The same for software with a driver of its own.
    pub address: Address,
    /// Above all keys that seal personal data.
    pub master_keys: Arc<MasterKeyPlace>,
    /// Sign access tokens.
    pub token_keys: Arc<TokenKeyPlace>,
    /// Signs heads of logs.
    pub signing_key: [u8; 32],
    /// How cards are charged, where they are.
    pub stripe: StripeSettings,
    /// Who takes messages to customers, and who brings theirs.
    pub messages: MessageSettings,
    /// Where customers' pictures and videos are kept.
    pub media: MediaSettings,
    /// What addresses begin with that customers are sent, where that is not where the program listens.
    pub public_url: Option<String>,
    /// From when on a statement is slow.
    pub slow_after: Duration,
    /// What to paste to look at the private database, where it is private.
    pub psql: Option<String>,
    server: Option<embedded_postgres::Server>,
}

impl Installation {
    /// Opens an installation: adopts or starts its database, migrates it, reads or makes its secrets.
    ///
    /// # Errors
    /// Says what is missing or in the way, and what to do about it.
    pub async fn open(location: &Location) -> Result<Self> {
        let data_dir = data_directory(location)?;
        let secrets = data_dir.join("secrets");
        let (database, address, private) = match &location.database_url {
            Some(url) => {
                let given =
                    PgConnectOptions::from_str(url).context("DATABASE_URL is not a Postgres address")?;
                migrations::migrate(given.clone())
                    .await
                    .context("cannot bring the database up to date")?;
                let url = url.clone();
                (given, Address { url, sign_in: None }, None)
            }
            None => {
                let (admin, server, psql) = private_server(&data_dir).await?;
                let password = hex::encode(secret(&secrets, "database-key", "HIBACHI_DATABASE_KEY")?);
                let app = private_role(&admin, &password).await?;
                let url = server.url(DATABASE);
                let sign_in = Some((APP_ROLE.to_owned(), password));
                (app, Address { url, sign_in }, Some((server, psql)))
            }
        };
        let (server, psql) = private.unzip();
        if !MasterKeyPlace::has_key(&secrets)? && has_companies(&database).await? {
            bail!(
                "the master key is missing: put it back as {}, or set HIBACHI_MASTER_KEY; what is sealed opens with no \
                 other",
                secrets.join("master-key").display()
            );
        }
        let slow_after = slow_after()?;
        Ok(Self {
            database: database.log_slow_statements("warn".parse().expect("that is a level"), slow_after),
            address,
            master_keys: Arc::new(MasterKeyPlace::open(&secrets)?),
            token_keys: Arc::new(TokenKeyPlace::open(&secrets)?),
            signing_key: secret(&secrets, "signing-key", "HIBACHI_SIGNING_KEY")?,
            stripe: StripeSettings::read(&secrets)?,
            messages: MessageSettings::read(&secrets)?,
            media: MediaSettings::read(&data_dir, &secrets)?,
            public_url: public_url()?,
            slow_after,
            psql,
            server,
        })
    }

    /// Closes the installation: a database that it started is stopped.
    ///
    /// # Errors
    /// When the private database does not stop.
    pub async fn close(self) -> Result<()> {
        let Some(server) = self.server else { return Ok(()) };
        tokio::task::spawn_blocking(move || server.stop())
            .await?
            .context("the private database did not stop")
    }
}

/// Whether anybody's data is in the database already, which a new master key would open none of.
async fn has_companies(database: &PgConnectOptions) -> Result<bool> {
    let mut connection = database.clone().connect().await?;
    let found = sqlx::query_scalar("select exists (select from list_organisations())")
        .fetch_one(&mut connection)
        .await?;
    connection.close().await?;
    Ok(found)
}

/// The data directory, made where absent.
fn data_directory(location: &Location) -> Result<PathBuf> {
    let named = &location.data_dir;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(named)
        .and_then(|()| fs::canonicalize(named))
        .with_context(|| format!("cannot create the data directory {}", named.display()))
}

fn public_url() -> Result<Option<String>> {
    let Ok(url) = std::env::var("HIBACHI_PUBLIC_URL") else {
        return Ok(None);
    };
    if !(url.starts_with("https://") || url.starts_with("http://")) {
        bail!("HIBACHI_PUBLIC_URL must begin with https:// or http://");
    }
    Ok(Some(url))
}

/// From when on a statement is told in the log as slow.
fn slow_after() -> Result<Duration> {
    let Ok(text) = std::env::var("HIBACHI_SLOW_STATEMENT_MS") else {
        return Ok(SLOW);
    };
    match text.parse::<u32>() {
        Ok(milliseconds) if milliseconds > 0 => Ok(Duration::from_millis(milliseconds.into())),
        Ok(_) | Err(_) => {
            bail!("HIBACHI_SLOW_STATEMENT_MS must be a whole number of milliseconds, 1 or more")
        }
    }
}

type PrivateServer = (PgConnectOptions, embedded_postgres::Server, String);

async fn private_server(data_dir: &Path) -> Result<PrivateServer> {
    let settings = embedded_postgres::Settings::new(data_dir);
    let server = tokio::task::spawn_blocking(move || embedded_postgres::start(settings)).await??;
    let maintenance = PgConnectOptions::from_str(&server.url("postgres"))?;
    let mut connection = maintenance
        .clone()
        .connect()
        .await
        .context("the private database does not answer")?;
    let exists: bool = sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
        .bind(DATABASE)
        .fetch_one(&mut connection)
        .await?;
    if !exists {
        // Two programs may be here at once; the one that comes second finds it there.
        match connection.execute("create database hibachi").await {
            Ok(_) => {}
            Err(sqlx::Error::Database(error))
                if matches!(error.code().as_deref(), Some("42P04" | "23505")) => {}
            Err(error) => return Err(error).context("cannot create the database"),
        }
    }
    connection.close().await?;
    let psql = server.psql_command(DATABASE);
    Ok((maintenance.database(DATABASE), server, psql))
}

/// Migrates the private database and lets the program's own role sign in to it.
async fn private_role(admin: &PgConnectOptions, password: &str) -> Result<PgConnectOptions> {
    migrations::migrate(admin.clone())
        .await
        .context("cannot bring the database up to date")?;
    let app = admin.clone().username(APP_ROLE).password(password);
    if let Ok(connection) = PgConnection::connect_with(&app).await {
        connection.close().await?;
        return Ok(app);
    }
    let mut connection = admin.connect().await?;
    // A role's password cannot be bound; ours is hexadecimal and nothing else.
    let statement = format!("alter role {APP_ROLE} login password '{password}'");
    connection
        .execute(sqlx::AssertSqlSafe(statement))
        .await
        .context("cannot let the program's role sign in")?;
    connection.close().await?;
    Ok(app)
}

/// A secret of 32 bytes: from the environment, else from its file, else made and kept there.
fn secret(directory: &Path, name: &str, variable: &str) -> Result<[u8; 32]> {
    if let Ok(text) = std::env::var(variable) {
        return parse_secret(&text).with_context(|| format!("{variable} must be 64 hexadecimal digits"));
    }
    let path = directory.join(name);
    match fs::read_to_string(&path) {
        Ok(text) => {
            parse_secret(&text).with_context(|| format!("{} must hold 64 hexadecimal digits", path.display()))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => make_secret(directory, &path),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

fn parse_secret(text: &str) -> Result<[u8; 32]> {
    let mut bytes = [0; 32];
    if hex::decode_to_slice(text.trim(), &mut bytes).is_err() {
        bail!("this is not 64 hexadecimal digits");
    }
    Ok(bytes)
}

/// Makes a secret and keeps it. Written beside its place and linked there, so that two programs that start at
/// once end with the same one, whole.
fn make_secret(directory: &Path, path: &Path) -> Result<[u8; 32]> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)?;
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).context("the operating system gives no randomness")?;
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(hex::encode(bytes).as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&beside, path);
    fs::remove_file(&beside)?;
    fs::File::open(directory)?.sync_all()?;
    match linked {
        Ok(()) => Ok(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            parse_secret(&fs::read_to_string(path)?)
        }
        Err(error) => Err(error).with_context(|| format!("cannot keep {}", path.display())),
    }
}
