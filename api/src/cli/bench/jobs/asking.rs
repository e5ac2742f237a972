//! A company that asks for messages to a customer of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Result, bail};
use commands::gateways::SystemClock;
use commands::message::TemplateSave;
use commands::ports::Clock;
use commands::{Caller, IdempotencyKey};
use domain::customer::{Contact, Customer, CustomerEvent, CustomerRegistered};
use domain::decider::{Decider, Event};
use domain::envelope::{Expectation, NewEvent, Position, StoredEvent, StreamId};
use domain::ids::{CommandId, CustomerId, EventId, MessageId, SubjectId, TenantId};
use domain::locale::Locale;
use domain::message::{Message, MessageChannel, MessageEvent, MessageKind, MessageRequested};
use domain::message_template::{TemplateOf, TemplateWords};
use domain::organisation::OrganisationCreated;
use event_log::{Append, Outcome, StreamWrite};

use crate::cli::bench::ours::{Ours, meta};
use crate::cli::bench::world::World;

/// Messages that are asked for in one append, where many are.
const TOGETHER: u32 = 100;
/// What is told of a message that went out.
const SENT: &str = "message.sent";

/// A company that asks for messages. Clones ask for the same.
#[derive(Clone)]
pub(super) struct Asking {
    ours: Ours,
    customer: CustomerId,
    /// When each was due, by its stream.
    due: Arc<Mutex<HashMap<String, Instant>>>,
}

impl Asking {
    /// A new company with a customer, who is written to by words of its own.
    pub(super) async fn open(world: &World, slug: &str) -> Result<Self> {
        let tenant = TenantId(world.ids.next());
        let ours = Ours {
            tenant,
            ..world.ours.clone()
        };
        let caller = Caller::system(tenant, "bench");
        let created = OrganisationCreated {
            name: "Bench".to_owned(),
            slug: slug.to_owned(),
        };
        ours.commands.create_organisation(caller.clone(), created).await?;
        let template = TemplateSave {
            template: TemplateOf {
                kind: MessageKind::BookingConfirmed,
                channel: MessageChannel::Email,
                locale: Locale::english(),
            },
            expected_version: None,
            words: TemplateWords {
                subject: Some("See you soon".to_owned()),
                text: "Hello {{customer_name}}, your deposit is here, and we look forward to your party."
                    .to_owned(),
            },
        };
        let key = IdempotencyKey::of_reaction("bench", "template");
        ours.commands.save_message_template(caller, key, template).await?;
        let asking = Self {
            customer: CustomerId(world.ids.next()),
            ours,
            due: Arc::default(),
        };
        asking.register(world).await?;
        Ok(asking)
    }

    async fn register(&self, world: &World) -> Result<()> {
        let stream = StreamId::new(Customer::STREAM, self.customer.to_string());
        let subject = SubjectId(self.customer.0);
        let sealer = world.vault.sealer(self.ours.tenant, subject).await?;
        let contact = Contact {
            name: sealer.seal(&stream, "name", "Guest"),
            email: Some(sealer.seal(&stream, "email", "guest@example.com")),
            phone: None,
        };
        let registered = CustomerEvent::Registered(CustomerRegistered {
            contact,
            email_key: None,
            phone_key: None,
            sms_consent: None,
        });
        self.append(vec![self.write(stream, &registered)]).await
    }

    /// Asks for one message that was due at a time.
    pub(super) async fn ask(&self, due: Instant) -> Result<()> {
        let write = self.request(due);
        self.append(vec![write]).await
    }

    /// Asks for so many, in appends of a hundred.
    pub(super) async fn ask_all(&self, count: u32) -> Result<()> {
        let mut left = count;
        while left > 0 {
            let now = left.min(TOGETHER);
            let due = Instant::now();
            self.append((0..now).map(|_| self.request(due)).collect()).await?;
            left -= now;
        }
        Ok(())
    }

    fn request(&self, due: Instant) -> StreamWrite {
        let message = MessageId(self.ours.ids.next());
        let stream = StreamId::new(Message::STREAM, message.to_string());
        self.due
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(stream.id.clone(), due);
        let requested = MessageEvent::Requested(MessageRequested {
            kind: MessageKind::BookingConfirmed,
            customer_id: self.customer,
            booking_id: None,
            station_id: None,
            preferred: None,
            variables: None,
            due_at: SystemClock.now(),
        });
        self.write(stream, &requested)
    }

    fn write(&self, stream: StreamId, event: &impl Event) -> StreamWrite {
        StreamWrite {
            stream,
            expected: Expectation::NoStream,
            events: vec![NewEvent {
                event_id: EventId(self.ours.ids.next()),
                event_type: event.name(),
                event_version: event.version(),
                payload: event.payload(),
                claims: event.claims(),
            }],
        }
    }

    async fn append(&self, streams: Vec<StreamWrite>) -> Result<()> {
        let command = self.ours.ids.next();
        let append = Append {
            tenant: self.ours.tenant,
            command_id: CommandId(command),
            digest: [7; 32],
            streams,
            reads: Vec::new(),
            erases: Vec::new(),
            meta: meta(self.ours.tenant, command),
        };
        match self.ours.log.append(append).await? {
            Outcome::Appended(_) => Ok(()),
            outcome @ (Outcome::Conflict { .. }
            | Outcome::Replayed(_)
            | Outcome::ClaimRefused { .. }
            | Outcome::IdempotencyMismatch) => bail!("an append came to {outcome:?}"),
        }
    }

    /// What has gone out after a place in the log.
    pub(super) async fn sent_after(&self, after: Position, most: u32) -> Result<Vec<StoredEvent>> {
        let sent = self
            .ours
            .log
            .read(self.ours.tenant, after, most, Some(&[SENT]))
            .await?;
        Ok(sent)
    }

    /// When a message was due that was asked for, by its stream.
    pub(super) fn due(&self, message: &str) -> Option<Instant> {
        let due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        due.get(message).copied()
    }
}
