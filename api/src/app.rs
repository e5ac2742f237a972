//! The running program: the write side, the read side and sign-in over one installation.

use std::sync::Arc;

use anyhow::{Context, Result};
use commands::Commands;
use commands::gateways::{SystemClock, SystemIds, ZipDirectory};
use commands::ports::{Clock, Ports};
use event_log::{Database, EventLog, Organisation, SystemEntropy, Vault};
use projections::ReadModels;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::auth::Auth;
use crate::installation::Installation;

/// Connections that one program keeps to its database.
const POOL: u32 = 24;

/// Everything that a request needs. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The write side.
    pub commands: Commands,
    /// The read side.
    pub views: ReadModels,
    /// Sign-in.
    pub auth: Auth,
    /// Opens what is sealed.
    pub vault: Arc<Vault>,
    /// The log.
    pub log: EventLog,
    /// The way to the database.
    pub database: Database,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

impl App {
    /// Connects to an installation.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn connect(installation: &Installation) -> Result<Self> {
        let ports = Ports {
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds::default()),
            places: Arc::new(ZipDirectory::bundled()),
        };
        let database = Database::connect(installation.database.clone(), POOL).await;
        let database = database.context("the database does not answer")?;
        Ok(Self::compose(
            database,
            installation.master_key.clone(),
            &installation.token_key,
            ports,
        ))
    }

    /// Puts the parts together over a database.
    pub fn compose(
        database: Database,
        master_key: event_log::MasterKey,
        token_key: &[u8; 32],
        ports: Ports,
    ) -> Self {
        let log = EventLog::start(database.clone());
        let vault = Arc::new(Vault::new(database.clone(), master_key, Arc::new(SystemEntropy)));
        let clock = ports.clock.clone();
        let commands = Commands::new(log.clone(), vault.clone(), ports);
        let auth = Auth::new(commands.clone(), database.clone(), clock.clone(), token_key);
        let views = ReadModels::new(log.clone());
        Self {
            commands,
            views,
            auth,
            vault,
            log,
            database,
            clock,
        }
    }

    /// The company of a slug.
    ///
    /// # Errors
    /// When there is none, or the database does not answer.
    pub async fn organisation(&self, slug: &str) -> Result<Organisation> {
        let found = self.database.organisation_by_slug(slug).await?;
        found.with_context(|| format!("there is no organisation with the slug {slug}"))
    }

    /// Starts what runs beside the requests: read models that follow the log, and policies.
    pub fn start_workers(&self) -> Workers {
        let (stop, stopped) = watch::channel(false);
        let views = self.views.clone();
        let commands = self.commands.clone();
        let policies_stop = stopped.clone();
        Workers {
            stop,
            tasks: vec![
                tokio::spawn(async move { views.follow_until(stopped).await }),
                tokio::spawn(async move { commands.react_until(policies_stop).await }),
            ],
        }
    }
}

/// The tasks beside the requests.
pub struct Workers {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Workers {
    /// Lets the tasks finish what they are at, and waits for them.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a worker did not end well");
            }
        }
    }
}
