//! Takes a message to a customer: writes it by its template, finds the way, hands it over, and says so in the log.

mod ask;
mod settings;
mod template;
mod values;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use domain::booking::Booking;
use domain::customer::{ConsentChannel, Customer, CustomerError, PlainContact};
use domain::decider::Decider;
use domain::envelope::StreamId;
use domain::ids::{MessageId, StationId, SubjectId};
use domain::job::{Hope, Job, JobCommand, JobOf};
use domain::message::{
    HandedOver, Message, MessageChannel, MessageCommand, MessageError, MessageRequested, SuppressedBecause,
};
use domain::organisation::{Organisation, OrganisationCreated};
use domain::station::Station;
use event_log::LogError;

use crate::execute::Plan;
use crate::organisation::organisation_id;
use crate::ports::{CarrierError, Letter};
use crate::{Caller, CommandError, Commands, IdempotencyKey};

pub use ask::{MessageAsk, PriceNews};
pub use template::{Previewed, TemplatePreview, TemplateRetire, TemplateSave};

/// What came of an attempt that did not fail.
pub(crate) enum Delivered {
    /// What was asked for is done, or will never be; either is in the log.
    Settled,
    /// It is not the time for it, or somebody else is at it: it is to be tried again then.
    Waits(DateTime<Utc>),
}

/// Why an attempt failed.
pub(crate) struct Undelivered {
    /// A stable word.
    pub(crate) code: &'static str,
    /// Whether another attempt may come to something else.
    pub(crate) hope: Hope,
}

impl Undelivered {
    /// Another attempt may come to something else.
    pub(crate) fn passing(code: &'static str) -> Self {
        let hope = Hope::Some;
        Self { code, hope }
    }

    /// Another attempt will come to the same.
    pub(crate) fn lasting(code: &'static str) -> Self {
        let hope = Hope::None;
        Self { code, hope }
    }
}

impl From<CommandError> for Undelivered {
    fn from(error: CommandError) -> Self {
        tracing::warn!(%error, "a job waits");
        Self::passing("UNAVAILABLE")
    }
}

impl From<LogError> for Undelivered {
    fn from(error: LogError) -> Self {
        CommandError::from(error).into()
    }
}

impl From<CarrierError> for Undelivered {
    fn from(error: CarrierError) -> Self {
        match error {
            CarrierError::Unreachable => Self::passing("UNREACHABLE"),
            CarrierError::Refused => Self::lasting("REFUSED"),
            CarrierError::Misconfigured => Self::passing("MISCONFIGURED"),
        }
    }
}

/// The way to a customer.
struct Way {
    channel: MessageChannel,
    to: String,
}

impl Commands {
    /// Takes a message to its customer. One that is settled already is left as it is.
    pub(crate) async fn deliver(
        &self,
        caller: &Caller,
        id: MessageId,
        job: &JobOf,
    ) -> Result<Delivered, Undelivered> {
        let loaded = self.load::<Message>(caller, &id.to_string()).await?;
        let requested = match loaded.state.waiting() {
            Ok(requested) => requested.clone(),
            Err(MessageError::Settled(_)) => return Ok(Delivered::Settled),
            Err(MessageError::NotFound | MessageError::Exists | MessageError::OldNews) => {
                return Err(Undelivered::lasting("NOT_FOUND"));
            }
        };
        if is_late(&requested, self.ports.now()) || self.is_over(caller, &requested).await? {
            return self.suppress(caller, id, job, SuppressedBecause::TooLate).await;
        }
        let Some(contact) = self.known_contact(caller, requested.customer_id).await? else {
            return self.suppress(caller, id, job, SuppressedBecause::Erased).await;
        };
        let way = match self.way_to(caller, &requested, &contact).await? {
            Ok(way) => way,
            Err(because) => return self.suppress(caller, id, job, because).await,
        };
        let settings = self.messages_of(caller).await?;
        let now = self.ports.now();
        let released = settings.release(way.channel, now, self.zone_of(caller, &requested).await?);
        if now < released {
            return Ok(Delivered::Waits(released));
        }
        let stream = StreamId::new(Message::STREAM, id.to_string());
        let languages = self
            .languages_of(caller, requested.customer_id, &settings.locale)
            .await?;
        let chosen = self
            .template_for(caller, requested.kind, way.channel, &languages)
            .await?;
        let values = self
            .values(caller, &stream, &requested, contact.name, &chosen.language())
            .await?;
        let written = chosen
            .template
            .write(&values)
            .map_err(|_| Undelivered::lasting("MISSING_VARIABLE"))?;
        let letter = Letter {
            tenant: caller.tenant,
            company: self.company_name(caller).await?,
            message_id: id,
            kind: Some(requested.kind),
            channel: way.channel,
            to: way.to,
            subject_line: written.subject,
            text: written.text,
        };
        let carrier_id = self.carrier.carry(&letter).await?;
        let sealer = self
            .vault
            .sealer(caller.tenant, SubjectId(requested.customer_id.0))
            .await;
        let sealer = match sealer {
            Ok(sealer) => sealer,
            // Erased in this very moment: nothing of it may be kept.
            Err(LogError::Erased(_)) => {
                return self.suppress(caller, id, job, SuppressedBecause::Erased).await;
            }
            Err(error) => return Err(error.into()),
        };
        let handed = HandedOver {
            channel: letter.channel,
            carrier: self.carrier.name(letter.channel).to_owned(),
            carrier_id,
            template_version: chosen.number,
            template_locale: chosen.saved_in,
            subject_line: letter
                .subject_line
                .as_deref()
                .map(|line| sealer.seal(&stream, "subject_line", line)),
            text: sealer.seal(&stream, "text", &letter.text),
        };
        let now = self.ports.now();
        self.settle_message(caller, id, job, MessageCommand::Send { handed, now })
            .await
    }

    async fn suppress(
        &self,
        caller: &Caller,
        id: MessageId,
        job: &JobOf,
        because: SuppressedBecause,
    ) -> Result<Delivered, Undelivered> {
        let now = self.ports.now();
        self.settle_message(caller, id, job, MessageCommand::Suppress { because, now })
            .await
    }

    /// Says what became of a message, and of its job where that had failed before.
    async fn settle_message(
        &self,
        caller: &Caller,
        id: MessageId,
        job: &JobOf,
        command: MessageCommand,
    ) -> Result<Delivered, Undelivered> {
        let key = IdempotencyKey::of_reaction("message_settle", &id.to_string());
        let written = self
            .run(caller, &key, "message_settle", &id, || async {
                let message = self.load::<Message>(caller, &id.to_string()).await?;
                let events = message
                    .state
                    .decide(command.clone())
                    .map_err(CommandError::refused)?;
                let plan = Plan::default().write::<Message>(self, id.to_string(), message.version, events);
                self.complete_job(caller, plan, job).await
            })
            .await;
        match written {
            // Settled meanwhile, by whoever took the job up when this program was slow.
            Ok(_) | Err(CommandError::Refused(_)) => Ok(Delivered::Settled),
            Err(error) => Err(error.into()),
        }
    }

    /// Says that a job is done, where it had failed before.
    pub(crate) async fn complete_job(
        &self,
        caller: &Caller,
        plan: Plan,
        job: &JobOf,
    ) -> Result<Plan, CommandError> {
        let job_id = job.id().to_string();
        let failed_before = self.load::<Job>(caller, &job_id).await?;
        let complete = JobCommand::Complete {
            job: *job,
            count: None,
            now: self.ports.now(),
        };
        let events = failed_before
            .state
            .decide(complete)
            .map_err(CommandError::refused)?;
        if events.is_empty() {
            return Ok(plan);
        }
        Ok(plan.write::<Job>(self, job_id, failed_before.version, events))
    }

    /// The way that a message takes: the one it asks for, else e-mail, else the phone. Text messages go to whom agreed to
    /// them alone (47 CFR 64.1200).
    async fn way_to(
        &self,
        caller: &Caller,
        requested: &MessageRequested,
        contact: &PlainContact,
    ) -> Result<Result<Way, SuppressedBecause>, Undelivered> {
        let customer = self
            .load::<Customer>(caller, &requested.customer_id.to_string())
            .await?;
        let has = |channel| customer.state.consent(channel).is_some();
        let (agreed, by_mail) = match customer.state.known() {
            Ok(_) => (
                has(ConsentChannel::Sms),
                has(ConsentChannel::Email) || !requested.kind.asks_consent(),
            ),
            Err(CustomerError::Erased) => return Ok(Err(SuppressedBecause::Erased)),
            Err(refused) => return Err(CommandError::refused(refused).into()),
        };
        let mut because = SuppressedBecause::NoAddress;
        for channel in requested.preferred.into_iter().chain(MessageChannel::ALL) {
            let (to, agreed) = match channel {
                MessageChannel::Email => (&contact.email, by_mail),
                MessageChannel::Sms | MessageChannel::Whatsapp => (&contact.phone, agreed),
            };
            match to {
                Some(to) if self.carrier.carries(channel) => {
                    if agreed {
                        let to = to.clone();
                        return Ok(Ok(Way { channel, to }));
                    }
                    because = SuppressedBecause::NoConsent;
                }
                Some(_) if because == SuppressedBecause::NoAddress => {
                    because = SuppressedBecause::NoCarrier;
                }
                Some(_) | None => {}
            }
        }
        Ok(Err(because))
    }

    /// The name that the company goes by.
    pub(crate) async fn company_name(&self, caller: &Caller) -> Result<String, Undelivered> {
        let company = self
            .load::<Organisation>(caller, &organisation_id(caller.tenant))
            .await?;
        let name = |created: &OrganisationCreated| created.name.clone();
        Ok(company.state.created().map(name).unwrap_or_default())
    }

    /// Whether what a message about a booking would tell is not so any more: it may have waited for the morning.
    async fn is_over(&self, caller: &Caller, requested: &MessageRequested) -> Result<bool, CommandError> {
        let Some(id) = requested.booking_id else {
            return Ok(false);
        };
        let booking = self.load::<Booking>(caller, &id.to_string()).await?;
        let Some(party) = booking.state.requested() else {
            return Ok(false);
        };
        let now = self.ports.now();
        Ok(!ask::is_so(
            requested.kind,
            booking.state.status(),
            party.start.utc,
            now,
        ))
    }

    /// By which clock a message's hours are told: the party's, else the station's, else that of the company's first.
    async fn zone_of(&self, caller: &Caller, requested: &MessageRequested) -> Result<Tz, CommandError> {
        if let Some(id) = requested.booking_id {
            let booking = self.load::<Booking>(caller, &id.to_string()).await?;
            if let Some(party) = booking.state.requested() {
                return Ok(party.start.zone);
            }
        }
        self.zone_of_station(caller, requested.station_id).await
    }

    /// The clock of a station; of the company's first where none is named.
    pub(crate) async fn zone_of_station(
        &self,
        caller: &Caller,
        station: Option<StationId>,
    ) -> Result<Tz, CommandError> {
        let company = self
            .load::<Organisation>(caller, &organisation_id(caller.tenant))
            .await?;
        let first = company.state.stations().first().map(|added| added.station_id);
        if let Some(id) = station.or(first) {
            let station = self.load::<Station>(caller, &id.to_string()).await?;
            if let Some(opened) = station.state.opened() {
                return Ok(opened.zone);
            }
        }
        Ok(Tz::UTC)
    }
}

/// Whether what a message would tell is over.
fn is_late(requested: &MessageRequested, now: DateTime<Utc>) -> bool {
    let good_for = requested.kind.good_for();
    good_for.is_some_and(|good| requested.due_at + good < now)
}
