//! The write side: gather the facts through ports, let the domain decide, append.
//!
//! Every command runs to its end in a task of its own, so that a client that hangs up leaves nothing
//! half done, and is idempotent by its key.

pub mod assistant;
pub mod availability;
mod bank_mail;
pub mod booking;
pub mod calendar;
pub mod chef;
mod consent;
pub mod conversation;
mod customer;
pub mod document;
mod erasure;
mod error;
pub mod escalation;
mod execute;
pub mod feature_flag;
pub mod gateways;
pub mod jobs;
pub mod lead;
mod load;
pub mod message;
pub mod organisation;
pub mod payment;
pub mod policies;
pub mod ports;
pub mod price_list;
pub mod promo_code;
pub mod quote;
mod remembered;
pub mod review;
pub mod root;
mod running;
pub mod station;
pub mod tax_period;
pub mod tax_rate;
pub mod user;
pub mod visitor;
pub mod work;

use std::sync::Arc;

use domain::access::{ApiKeyGrant, ON_PAGES, Permission, Role, StationScope, left_by};
use domain::envelope::{Actor, ActorKind, Channel};
use domain::ids::{CommandId, EventId, StationId, TenantId};
use domain::message::MessageChannel;
use event_log::{EventLog, Vault};
use tokio::sync::Semaphore;
use uuid::Uuid;

pub use consent::CustomerConsentSet;
pub use customer::CustomerLocaleChange;
pub use erasure::CustomerErase;
pub use error::{CommandError, Refused};
pub use execute::Written;

use ports::Ports;
use remembered::Remembered;
use running::Running;

/// How many questions of policies the payment provider is asked at a time, for all companies: after a long rest, thousands
/// may be due at once.
const ASKED_AT_ONCE: usize = 8;

/// The commands of one installation. Cheap to clone.
#[derive(Clone)]
pub struct Commands {
    log: EventLog,
    vault: Arc<Vault>,
    ports: Ports,
    running: Running,
    remembered: Remembered,
    issuing: document::Issuing,
    /// Who answers customers.
    assistant: Arc<dyn ports::Assistant>,
    /// Who charges cards; none where no provider is set up.
    cards: Option<Arc<dyn ports::PaymentGateway>>,
    /// Where customers' pictures and videos are kept.
    media: Arc<dyn ports::MediaStore>,
    /// Who takes messages to customers.
    carrier: Arc<dyn ports::MessageCarrier>,
    /// How jobs are done.
    jobs: jobs::JobSettings,
    /// Who holds logs against their hashes; none where nobody was found to.
    log_check: Option<Arc<dyn ports::LogCheck>>,
    /// What addresses of this server begin with, where it was told.
    public_url: Option<Arc<str>>,
    /// How many questions of policies the provider is asked at a time.
    asking: Arc<Semaphore>,
    /// Who alone gives this company's reactions for a while.
    policies_holder: Option<Uuid>,
    /// Whether policies write to customers.
    correspondence: Correspondence,
}

/// Whether a company's policies write to its customers and ask them for reviews.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Correspondence {
    /// They do.
    Kept,
    /// They do not: what happens belongs to a past that nobody is to hear of any more.
    Paused,
}

impl Commands {
    /// What addresses of a server begin with that was not told.
    const HERE: &'static str = "http://127.0.0.1:8080";

    /// Commands over a log, with the ports that tell them the time, new ids and places.
    pub fn new(log: EventLog, vault: Arc<Vault>, ports: Ports) -> Self {
        Self {
            log,
            vault,
            ports,
            running: Running::default(),
            remembered: Remembered::default(),
            issuing: document::Issuing::default(),
            assistant: Arc::new(gateways::FactsAssistant),
            cards: None,
            media: Arc::new(gateways::ObjectMedia::in_memory()),
            carrier: Arc::new(gateways::carriers::Carriers::default()),
            jobs: jobs::JobSettings::default(),
            log_check: None,
            public_url: None,
            asking: Arc::new(Semaphore::new(ASKED_AT_ONCE)),
            policies_holder: None,
            correspondence: Correspondence::Kept,
        }
    }

    /// The same commands under another clock and other ids: simulated ones, say. Places stay as they are.
    #[must_use]
    pub fn under(&self, clock: Arc<dyn ports::Clock>, ids: Arc<dyn ports::Ids>) -> Self {
        let places = self.ports.places.clone();
        Self {
            ports: Ports { clock, ids, places },
            ..self.clone()
        }
    }

    /// The same commands, charging cards through a provider.
    #[must_use]
    pub fn taking_cards(&self, cards: Arc<dyn ports::PaymentGateway>) -> Self {
        Self {
            cards: Some(cards),
            ..self.clone()
        }
    }

    /// The same commands, whose customers another assistant answers.
    #[must_use]
    pub fn answering_with(&self, assistant: Arc<dyn ports::Assistant>) -> Self {
        Self {
            assistant,
            ..self.clone()
        }
    }

    /// The same commands, keeping customers' pictures and videos there; otherwise in memory, for as long as the program runs.
    #[must_use]
    pub fn keeping_media(&self, media: Arc<dyn ports::MediaStore>) -> Self {
        Self {
            media,
            ..self.clone()
        }
    }

    /// The same commands, with somebody to take messages to customers; otherwise none goes out.
    #[must_use]
    pub fn sending_through(&self, carrier: Arc<dyn ports::MessageCarrier>) -> Self {
        Self {
            carrier,
            ..self.clone()
        }
    }

    /// The same commands, with somebody to hold logs against their hashes; otherwise no log is checked by itself.
    #[must_use]
    pub fn checking_logs(&self, log_check: Arc<dyn ports::LogCheck>) -> Self {
        Self {
            log_check: Some(log_check),
            ..self.clone()
        }
    }

    /// The same commands, doing jobs another way.
    #[must_use]
    pub fn doing_jobs(&self, jobs: jobs::JobSettings) -> Self {
        Self { jobs, ..self.clone() }
    }

    /// The same commands, whose policies write to customers or do not.
    #[must_use]
    pub fn with_correspondence(&self, correspondence: Correspondence) -> Self {
        Self {
            correspondence,
            ..self.clone()
        }
    }

    /// The same commands, for a server whose addresses begin with this, where it was not told before.
    #[must_use]
    pub fn reached_at(&self, public_url: &str) -> Self {
        let told = || public_url.trim_end_matches('/').into();
        Self {
            public_url: Some(self.public_url.clone().unwrap_or_else(told)),
            ..self.clone()
        }
    }

    /// What addresses of this server begin with.
    pub fn public_url(&self) -> &str {
        self.public_url.as_deref().unwrap_or(Self::HERE)
    }

    /// Whether messages go out that way.
    pub fn carries(&self, channel: MessageChannel) -> bool {
        self.carrier.carries(channel)
    }

    /// Who charges cards, where a provider is set up.
    pub fn cards(&self) -> Option<&Arc<dyn ports::PaymentGateway>> {
        self.cards.as_ref()
    }

    /// Forgets what this program remembers of aggregates, as a new one would begin: the next commands load theirs from
    /// the log.
    pub fn forget(&self) {
        self.remembered.forget_all();
    }

    /// The log that the commands write to.
    pub fn log(&self) -> &EventLog {
        &self.log
    }
}

/// Who gives a command, and how it came in.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Whose log it writes to.
    pub tenant: TenantId,
    /// Who.
    pub actor: Actor,
    /// The stations within reach.
    pub stations: StationScope,
    /// Where it came in.
    pub channel: Channel,
    /// The request it came with.
    pub request_id: Option<String>,
    /// The event that caused it, for reactions.
    pub causation: Option<EventId>,
    /// The business process it belongs to, for reactions.
    pub correlation: Option<String>,
    /// The key that a program gives it through, for a person; none for a person.
    pub through: Option<ApiKeyGrant>,
}

impl Caller {
    /// The program itself: set-up, demo, the operator's command line.
    pub fn system(tenant: TenantId, name: &str) -> Self {
        Self {
            tenant,
            actor: Actor {
                kind: ActorKind::System,
                id: name.to_owned(),
                role: None,
            },
            stations: StationScope::All,
            channel: Channel::Cli,
            request_id: None,
            causation: None,
            correlation: None,
            through: None,
        }
    }

    /// The same caller, acting as a person of the company.
    #[must_use]
    pub fn acting_as(mut self, user: Uuid, role: Role) -> Self {
        self.actor = Actor {
            kind: ActorKind::User,
            id: user.to_string(),
            role: Some(role),
        };
        self
    }

    /// Whether the caller may do it. The program and its policies may; people by their role, and programs that act for them
    /// by their key as well; customers what the company's own pages offer.
    pub fn may(&self, permission: Permission) -> bool {
        let by_role = match self.actor.kind {
            ActorKind::System | ActorKind::Policy => true,
            ActorKind::User => self.actor.role.is_some_and(|role| role.may(permission)),
            ActorKind::Customer => ON_PAGES.contains(&permission),
        };
        by_role && left_by(self.through.as_ref(), permission)
    }

    /// Lets the caller pass or refuses.
    fn require(&self, permission: Permission) -> Result<(), CommandError> {
        if self.may(permission) {
            Ok(())
        } else {
            Err(CommandError::Forbidden(permission))
        }
    }

    /// Lets the caller pass if the station is within reach; otherwise there is no such thing for them.
    fn reach(&self, station: StationId, missing: Refused) -> Result<(), CommandError> {
        if self.stations.covers(station) {
            Ok(())
        } else {
            Err(CommandError::Refused(missing))
        }
    }
}

/// The idempotency key of a command: whatever the client chose, 1 to 255 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(CommandId);

impl IdempotencyKey {
    const CLIENTS: Uuid = Uuid::from_u128(0x6f1c_32a5_57b1_4e0c_9a3e_1f8d_6b2c_4a01);
    const VISITORS: Uuid = Uuid::from_u128(0x6f1c_32a5_57b1_4e0c_9a3e_1f8d_6b2c_4a03);
    const REACTIONS: Uuid = Uuid::from_u128(0x6f1c_32a5_57b1_4e0c_9a3e_1f8d_6b2c_4a02);

    /// The key that a client sent.
    ///
    /// # Errors
    /// `INVALID_IDEMPOTENCY_KEY` for an empty or overlong one.
    pub fn from_client(text: &str) -> Result<Self, CommandError> {
        if text.is_empty() || text.chars().count() > 255 {
            return Err(CommandError::Refused(Refused {
                code: "INVALID_IDEMPOTENCY_KEY",
                field: vec!["idempotencyKey"],
                message: "an idempotency key has 1 to 255 characters".to_owned(),
            }));
        }
        Ok(Self(CommandId(Uuid::new_v5(&Self::CLIENTS, text.as_bytes()))))
    }

    /// The key that a company's page sent for somebody who has not signed in. Whoever sends the same key with the same body
    /// hears the first one's answer, so that it has to be one that nobody guesses. It is none of those that people send.
    ///
    /// # Errors
    /// `INVALID_IDEMPOTENCY_KEY` for one that is not of 16 to 255 letters, digits and signs.
    pub fn from_visitor(text: &str) -> Result<Self, CommandError> {
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
        if !plain || !(16..=255).contains(&text.len()) {
            return Err(CommandError::Refused(Refused {
                code: "INVALID_IDEMPOTENCY_KEY",
                field: vec!["Idempotency-Key"],
                message: "an idempotency key has 16 to 255 letters, digits and signs: make a random UUID"
                    .to_owned(),
            }));
        }
        Ok(Self(CommandId(Uuid::new_v5(&Self::VISITORS, text.as_bytes()))))
    }

    /// The key of a reaction: the same for the same cause, so that a repeat does nothing.
    pub fn of_reaction(name: &str, cause: &str) -> Self {
        Self(CommandId(Uuid::new_v5(
            &Self::REACTIONS,
            format!("{name}\n{cause}").as_bytes(),
        )))
    }

    /// The id of the command that is given under it.
    pub(crate) fn command_id(&self) -> CommandId {
        self.0
    }

    fn derived(&self, name: &str) -> Self {
        Self::of_reaction(name, &self.0.to_string())
    }
}
