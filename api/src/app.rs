//! The running program: the write side, the read side and sign-in over one installation.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use commands::Commands;
use commands::gateways::stripe::{Stripe, WebhookSecrets};
use commands::gateways::{LogCarrier, SystemClock, SystemIds, ZipDirectory};
use commands::ports::{Clock, Ports};
use domain::message::MessageChannel;
use event_log::{Database, EventLog, MasterKeys, Organisation, Retention, SystemEntropy, Vault};
use projections::ReadModels;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::auth::{Auth, TokenKeys};
use crate::checking;
use crate::http::{Edge, Patience, Transport};
use crate::installation::{Installation, MessageSettings, Outgoing, StripeSettings};
use crate::live::{Live, LiveSettings};
use crate::log_check::VerifyLogs;
use crate::observing::Figures;
use crate::signing::HeadSchedule;
use crate::throttle::Throttle;
use crate::webhooks::MessageSecrets;

/// Connections that one program keeps to its database.
pub(crate) const POOL: u32 = 24;

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
    /// How long results of commands are kept.
    pub retention: Retention,
    /// When heads are signed, and by whom; not at all where absent.
    pub head_schedule: Option<HeadSchedule>,
    /// With which the payment provider signs what it sends; none where no card is charged.
    pub webhook_secrets: WebhookSecrets,
    /// With which the providers of messages prove who they are.
    pub message_secrets: MessageSecrets,
    /// How often rows of the read models are compared with their log; never where absent.
    pub check_every: Option<Duration>,
    /// Whether this program queues the jobs that recur.
    pub recurring: Recurring,
    /// What it counts and times of itself.
    pub figures: Figures,
    /// How much of the admin API somebody may ask; as much as they like where absent.
    pub throttle: Option<Throttle>,
    /// What it takes of its clients at most.
    pub patience: Patience,
    /// Those who follow what happens.
    pub live: Live,
    /// What stands between it and its clients.
    pub edge: Edge,
    /// Memory for answers of the admin API that are given again while nothing happens, in bytes; 0 for none.
    pub answer_memory: usize,
}

/// Memory for such answers where nothing else is said: some hundred pages.
pub const ANSWER_MEMORY_MIB: u16 = 16;

/// Whether a program queues the jobs that recur.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recurring {
    /// It does, as every other may.
    Queued,
    /// It leaves them to others.
    LeftAlone,
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
            places: Arc::new(ZipDirectory),
        };
        let database = Database::connect(installation.database.clone(), POOL).await;
        let database = database.context("the database does not answer")?;
        let database = database.slow_after(installation.slow_after);
        let app = Self::compose(
            database,
            installation.master_keys.clone(),
            installation.token_keys.clone(),
            ports,
        );
        let media = installation.media.open()?;
        let commands = app.commands.keeping_media(Arc::new(media));
        let app = Self { commands, ..app };
        let app = match &installation.public_url {
            Some(url) => app.reached_at(url),
            None => app,
        };
        app.exchanging_messages(&installation.messages)
            .charging_cards(&installation.stripe)
    }

    /// The same program, whose messages go out and come in as the settings have it.
    #[must_use]
    pub fn exchanging_messages(self, settings: &MessageSettings) -> Self {
        let app = Self {
            message_secrets: settings.secrets.clone(),
            ..self
        };
        match &settings.outgoing {
            Outgoing::Log => app.logging_messages(),
            Outgoing::By(carriers) => Self {
                commands: app.commands.sending_through(Arc::new(carriers.clone())),
                ..app
            },
        }
    }

    /// The same program, whose messages go nowhere: its log says that there were some.
    #[must_use]
    pub fn logging_messages(self) -> Self {
        Self {
            commands: self.commands.sending_through(Arc::new(LogCarrier)),
            ..self
        }
    }

    /// The same program, with other keys for access tokens.
    #[must_use]
    pub fn signing_tokens_with(self, token_keys: impl TokenKeys + 'static) -> Self {
        Self {
            auth: self.auth.signing_with(token_keys),
            ..self
        }
    }

    /// The same program, queueing the jobs that recur.
    #[must_use]
    pub fn queueing_what_recurs(self) -> Self {
        Self {
            recurring: Recurring::Queued,
            ..self
        }
    }

    /// The same program, whose addresses begin with this, where it was not told before.
    #[must_use]
    pub fn reached_at(self, public_url: &str) -> Self {
        let commands = self.commands.reached_at(public_url);
        let edge = Edge {
            transport: Transport::of(commands.public_url()),
            ..self.edge
        };
        Self {
            commands,
            edge,
            ..self
        }
    }

    /// The same program, charging cards as the settings have it.
    ///
    /// # Errors
    /// When the provider's address is none that a key may be sent to.
    pub fn charging_cards(self, settings: &StripeSettings) -> Result<Self> {
        let commands = match &settings.setup {
            Some(setup) => {
                let stripe = Stripe::new(setup.clone()).context("HIBACHI_STRIPE_URL is no address to use")?;
                self.commands.taking_cards(Arc::new(stripe))
            }
            None => self.commands.clone(),
        };
        Ok(Self {
            commands,
            webhook_secrets: settings.webhook_secrets.clone(),
            ..self
        })
    }

    /// Puts the parts together over a database.
    pub fn compose(
        database: Database,
        master_keys: impl MasterKeys + 'static,
        token_keys: impl TokenKeys + 'static,
        ports: Ports,
    ) -> Self {
        let log = EventLog::start(database.clone());
        let vault = Arc::new(Vault::new(database.clone(), master_keys, Arc::new(SystemEntropy)));
        let clock = ports.clock.clone();
        let commands = Commands::new(log.clone(), vault.clone(), ports);
        let commands = commands.checking_logs(Arc::new(VerifyLogs(log.clone())));
        let auth = Auth::new(
            commands.clone(),
            database.clone(),
            vault.clone(),
            clock.clone(),
            token_keys,
        );
        let views = ReadModels::new(log.clone());
        let figures = Figures::of(&log, &views);
        Self {
            commands,
            views,
            auth,
            vault,
            log,
            database,
            clock,
            retention: Retention::default(),
            head_schedule: None,
            webhook_secrets: WebhookSecrets::default(),
            message_secrets: MessageSecrets::default(),
            check_every: None,
            recurring: Recurring::LeftAlone,
            figures,
            throttle: None,
            patience: Patience::default(),
            live: Live::new(LiveSettings::default()),
            edge: Edge::default(),
            answer_memory: usize::from(ANSWER_MEMORY_MIB) << 20,
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

    /// Starts what runs beside the requests: read models that follow the log, policies, jobs and what queues those that recur,
    /// what forgets old results of commands, what signs heads, and what compares read models with their log.
    pub fn start_workers(&self) -> Workers {
        let every = [
            MessageChannel::Email,
            MessageChannel::Sms,
            MessageChannel::Whatsapp,
        ];
        if !every.iter().any(|channel| self.commands.carries(*channel)) {
            tracing::warn!("no service takes messages to customers: they are suppressed");
        }
        let (stop, stopped) = watch::channel(false);
        let views = self.views.clone();
        let commands = self.commands.clone();
        let policies_stop = stopped.clone();
        let (jobs, jobs_stop) = (self.commands.clone(), stopped.clone());
        let (log, retention, sweep_stop) = (self.log.clone(), self.retention, stopped.clone());
        let sign_stop = stopped.clone();
        let signing = self.head_schedule.clone().map(|schedule| {
            let (log, clock) = (self.log.clone(), self.clock.clone());
            tokio::spawn(async move { schedule.sign_until(log, clock, sign_stop).await })
        });
        let check_stop = stopped.clone();
        let checking = self.check_every.map(|every| {
            let (views, database) = (self.views.clone(), self.database.clone());
            tokio::spawn(checking::check_until(views, database, every, check_stop))
        });
        let (recurs, recurring_stop) = (self.commands.clone(), stopped.clone());
        let recurring = (self.recurring == Recurring::Queued)
            .then(|| tokio::spawn(async move { recurs.queue_recurring_until(recurring_stop).await }));
        let mut tasks = vec![
            tokio::spawn(async move { views.follow_until(stopped).await }),
            tokio::spawn(async move { commands.react_until(policies_stop).await }),
            tokio::spawn(async move { jobs.do_jobs_until(jobs_stop).await }),
            tokio::spawn(async move { log.forget_until(retention, sweep_stop).await }),
        ];
        tasks.extend(signing);
        tasks.extend(checking);
        tasks.extend(recurring);
        Workers { stop, tasks }
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
