//! Takes answers to customers by the channel that they wrote by.
//!
//! Who writes asks for an answer there: it needs no consent that was given before, and within a quarter of an hour it waits for
//! no morning. Who has taken back that they may be texted since gets none.

use chrono::{DateTime, TimeDelta, Utc};
use domain::conversation::{
    AnswerOutcome, Conversation, ConversationCommand, ConversationEvent, ConversationMessagePosted,
    ConversationStarted, ReplyTo, UndeliveredBecause, answer_good_for, answer_id,
};
use domain::customer::Customer;
use domain::decider::Decider;
use domain::envelope::{Sealed, StreamId, Version};
use domain::ids::ConversationId;
use domain::job::JobOf;
use domain::message::MessageChannel;
use domain::recorded::{DomainEvent, Recorded};
use event_log::Opened;

use super::{FROM_FIELD, TEXT_FIELD};
use crate::execute::Plan;
use crate::message::{Delivered, Undelivered};
use crate::ports::Letter;
use crate::{Caller, CommandError, Commands, IdempotencyKey};

/// How long an answer waits for another that was given before it.
const IN_TURN: TimeDelta = TimeDelta::seconds(5);

impl Commands {
    /// Takes an answer to its customer. One that was taken already is left as it is.
    pub(crate) async fn send_answer(&self, caller: &Caller, job: &JobOf) -> Result<Delivered, Undelivered> {
        let (id, message) = (ConversationId(job.subject), job.version.unwrap_or_default());
        let loaded = self.load::<Conversation>(caller, &id.to_string()).await?;
        let (Some(started), Some(_)) = (loaded.state.started(), loaded.state.outgoing(message)) else {
            return Ok(Delivered::Settled);
        };
        let lost = |because| AnswerOutcome::Undelivered {
            because,
            code: None,
            attempts: None,
        };
        let stream = StreamId::new(Conversation::STREAM, id.to_string());
        let answer = self.answer_of(caller, &stream, message).await?;
        let answer = answer.ok_or(Undelivered::lasting("NOT_FOUND"))?;
        let now = self.ports.now();
        let way = self
            .way_of_answer(caller, loaded.state.reply_to(), started, &answer, now)
            .await?;
        let (channel, to) = match way {
            Ok(way) => way,
            Err(because) => return self.settle_answer(caller, job, lost(because)).await,
        };
        if !to.is_expecting(now) {
            let settings = self.messages_of(caller).await?;
            let released = settings.release(
                channel,
                now,
                self.zone_of_station(caller, started.station_id).await?,
            );
            if now < released {
                return Ok(Delivered::Waits(released));
            }
        }
        if loaded.state.another_first(message) {
            return Ok(Delivered::Waits(now + IN_TURN));
        }
        let opened = (
            self.plain(caller, &stream, TEXT_FIELD, &answer.text).await?,
            self.plain(caller, &stream, FROM_FIELD, &to.address).await?,
        );
        let (Some(text), Some(to)) = opened else {
            return self
                .settle_answer(caller, job, lost(UndeliveredBecause::Erased))
                .await;
        };
        let letter = Letter {
            tenant: caller.tenant,
            company: self.company_name(caller).await?,
            message_id: answer_id(id, message),
            kind: None,
            channel,
            to,
            subject_line: None,
            text,
        };
        let carrier_id = self.carrier.carry(&letter).await?;
        let sent = AnswerOutcome::Sent {
            channel,
            carrier: self.carrier.name(channel).to_owned(),
            carrier_id,
        };
        self.settle_answer(caller, job, sent).await
    }

    /// The way that an answer takes, and where to; or why there is none.
    async fn way_of_answer<'a>(
        &self,
        caller: &Caller,
        reply_to: Option<&'a ReplyTo>,
        started: &ConversationStarted,
        answer: &ConversationMessagePosted,
        now: DateTime<Utc>,
    ) -> Result<Result<(MessageChannel, &'a ReplyTo), UndeliveredBecause>, Undelivered> {
        if answer.posted_at + answer_good_for() < now {
            return Ok(Err(UndeliveredBecause::TooLate));
        }
        let channel = answer.channel.carried_as();
        let Some(channel) = channel.filter(|channel| self.carrier.carries(*channel)) else {
            return Ok(Err(UndeliveredBecause::NoCarrier));
        };
        let Some(to) = reply_to.filter(|to| to.channel == answer.channel) else {
            return Ok(Err(UndeliveredBecause::NoConsent));
        };
        if let Some(id) = started.customer_id {
            let customer = self.load::<Customer>(caller, &id.to_string()).await?;
            if customer.state.known().is_err() {
                return Ok(Err(UndeliveredBecause::Erased));
            }
            let withdrawn = customer.state.texts_withdrawn_at();
            if withdrawn.is_some_and(|at| to.written_at < at) {
                return Ok(Err(UndeliveredBecause::NoConsent));
            }
        }
        Ok(Ok((channel, to)))
    }

    /// What was said at a version of a conversation.
    async fn answer_of(
        &self,
        caller: &Caller,
        stream: &StreamId,
        message: i64,
    ) -> Result<Option<ConversationMessagePosted>, CommandError> {
        let before = Version(message.saturating_sub(1));
        let events = self.log.read_stream_after(caller.tenant, stream, before).await?;
        let Some(first) = events.into_iter().next() else {
            return Ok(None);
        };
        let DomainEvent::Conversation(ConversationEvent::MessagePosted(posted)) =
            Recorded::try_from(first)?.event
        else {
            return Ok(None);
        };
        Ok(Some(posted))
    }

    /// What is sealed; none once it is erased.
    async fn plain(
        &self,
        caller: &Caller,
        stream: &StreamId,
        field: &str,
        sealed: &Sealed,
    ) -> Result<Option<String>, Undelivered> {
        let opened = self.vault.open(caller.tenant, stream, field, sealed).await?;
        Ok(match opened {
            Opened::Text(text) => Some(text),
            Opened::Erased => None,
        })
    }

    /// Says what became of an answer, and of its job where that had failed before.
    async fn settle_answer(
        &self,
        caller: &Caller,
        job: &JobOf,
        outcome: AnswerOutcome,
    ) -> Result<Delivered, Undelivered> {
        let job_id = job.id().to_string();
        // A person may let one be tried again that was given up before.
        let key = IdempotencyKey::of_reaction("answer_settle", &format!("{job_id} {}", self.ports.id()));
        let written = self
            .run(caller, &key, "answer_settle", &job_id, || async {
                let plan = self.plan_settled(caller, Plan::default(), job, &outcome).await?;
                self.complete_job(caller, plan, job).await
            })
            .await;
        match written {
            // Settled meanwhile, by whoever took the job up when this program was slow.
            Ok(_) | Err(CommandError::Refused(_)) => Ok(Delivered::Settled),
            Err(error) => Err(error.into()),
        }
    }

    /// What became of the answer that a job was to take to its customer.
    pub(crate) async fn plan_settled(
        &self,
        caller: &Caller,
        plan: Plan,
        job: &JobOf,
        outcome: &AnswerOutcome,
    ) -> Result<Plan, CommandError> {
        let id = ConversationId(job.subject).to_string();
        let loaded = self.load::<Conversation>(caller, &id).await?;
        let command = ConversationCommand::Settle {
            message: job.version.unwrap_or_default(),
            outcome: outcome.clone(),
            now: self.ports.now(),
        };
        let events = loaded.state.decide(command).map_err(CommandError::refused)?;
        Ok(plan.write::<Conversation>(self, id, loaded.version, events))
    }
}
