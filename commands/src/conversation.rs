//! Conversations: what customers and staff say, what the assistant answers, and how a person takes over.

use chrono::NaiveDate;
use domain::access::Permission;
use domain::conversation::{
    Conversation, ConversationChannel, ConversationCommand, ConversationError, ConversationEvent,
    ConversationPost, Heard, MESSAGE_EXTERNAL, conversation_of,
};
use domain::customer::Customer;
use domain::decider::Decider;
use domain::escalation::{EscalationOpen, EscalationSource, EscalationSubject, ResumedBy, Severity};
use domain::feature_flag::FeatureFlag;
use domain::ids::{ConversationId, CustomerId, StationId};
use domain::organisation::Organisation;
use domain::router::{self, HumanWord, Intent, Verdict};
use domain::station::{Station, StationCreated};
use serde::Serialize;

use crate::execute::{Plan, UNIQUE, Written, to_the_end};
use crate::load::Loaded;
use crate::organisation::organisation_id;
use crate::{Caller, CommandError, Commands, IdempotencyKey};

mod incoming;
mod sending;
mod silence;
mod words;

pub use incoming::Received;
pub(crate) use words::TEXT_FIELD;
use words::{FROM_FIELD, check_text};

/// Who says something, of those who may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Speaker {
    /// The customer.
    Customer,
    /// A person of the company.
    Staff,
}

/// Something that is said.
#[derive(Clone, Serialize)]
pub struct MessageInput {
    /// In which conversation; a new one where absent.
    pub conversation_id: Option<ConversationId>,
    /// Which way it came or goes: the conversation's own where absent, the company's pages for a new one.
    pub channel: Option<ConversationChannel>,
    /// Who says it.
    pub speaker: Speaker,
    /// What is said; 1 to 10,000 characters.
    pub text: String,
    /// The customer, for a new conversation, where it is known who it is.
    pub customer_id: Option<CustomerId>,
    /// The station that is written to, for a new conversation, where it is known.
    pub station_id: Option<StationId>,
}

/// A customer's message as a provider hands it over.
#[derive(Clone, Serialize)]
pub struct ReceivedMessage {
    /// Which way it came.
    pub channel: ConversationChannel,
    /// What tells the customer's thread from others at the provider: a keyed hash of the sender's address. The same thread
    /// is the same conversation.
    pub thread: String,
    /// The provider's id of the message, 1 to 255 characters: it is heard once.
    pub external_id: String,
    /// The address that it came from, where answers may go there.
    pub from: Option<String>,
    /// What is said; 1 to 10,000 characters.
    pub text: String,
    /// The customer, where it is known who it is.
    pub customer_id: Option<CustomerId>,
    /// The station that is written to, where it is known.
    pub station_id: Option<StationId>,
}

/// A message, and the conversation that it belongs to.
struct Said<'a> {
    id: ConversationId,
    input: &'a MessageInput,
    external_id: Option<&'a str>,
    from: Option<&'a str>,
    /// Whether the conversation may begin with it.
    begins: Begins,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Begins {
    /// If it is not there.
    May,
    /// It must be there.
    Not,
}

impl Commands {
    /// Says something in a conversation, in the customer's or the company's name. To what a customer says the assistant
    /// answers at once, unless only a person may.
    ///
    /// # Errors
    /// `INVALID_TEXT`, and `NOT_FOUND` for a conversation, customer or station that is not there or not within reach.
    pub async fn post_message(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        input: MessageInput,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::ConversationWrite)?;
            let new = ConversationId(this.ports.id());
            let said = Said {
                id: input.conversation_id.unwrap_or(new),
                input: &input,
                external_id: None,
                from: None,
                begins: if input.conversation_id.is_none() {
                    Begins::May
                } else {
                    Begins::Not
                },
            };
            let written = this
                .run(&caller, &key, "message_post", &input, || {
                    this.plan_message(&caller, &said)
                })
                .await?;
            Ok(this.with_answer(&caller, written).await)
        })
        .await
    }

    /// Hears a customer's message that a provider hands over. The same message is heard once, and the same thread is the
    /// same conversation.
    ///
    /// # Errors
    /// `INVALID_TEXT`, `INVALID_EXTERNAL_ID`, `ALREADY_EXISTS` for one that was heard before.
    pub async fn receive_message(
        &self,
        caller: Caller,
        received: ReceivedMessage,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::ConversationWrite)?;
            if !(1..=255).contains(&received.external_id.chars().count()) {
                return Err(CommandError::refused(ConversationError::BadExternalId));
            }
            let channel = received.channel;
            let cause = format!("{}:{}", channel.as_str(), received.external_id);
            let key = IdempotencyKey::of_reaction(MESSAGE_EXTERNAL, &cause);
            let input = MessageInput {
                conversation_id: None,
                channel: Some(channel),
                speaker: Speaker::Customer,
                text: received.text.clone(),
                customer_id: received.customer_id,
                station_id: received.station_id,
            };
            let said = Said {
                id: conversation_of(channel, &received.thread),
                input: &input,
                external_id: Some(&received.external_id),
                from: received.from.as_deref(),
                begins: Begins::May,
            };
            let written = this
                .run(&caller, &key, "message_receive", &received, || {
                    this.plan_message(&caller, &said)
                })
                .await?;
            Ok(this.with_answer(&caller, written).await)
        })
        .await
    }

    /// Lets the assistant answer again in a conversation that a person was called to or has taken over.
    ///
    /// # Errors
    /// `NOT_FOUND`, `WRONG_STATE` where it is not silent.
    pub async fn resume_assistant(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        id: ConversationId,
        seen: Option<i64>,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::ConversationWrite)?;
            this.run(&caller, &key, "assistant_resume", &(id, seen), || async {
                let loaded = this.load_conversation(&caller, id).await?;
                loaded.expect(seen)?;
                let silenced = loaded.state.silenced_by();
                let command = ConversationCommand::Resume {
                    by: ResumedBy::Staff,
                    now: this.ports.now(),
                };
                let events = loaded.state.decide(command).map_err(CommandError::refused)?;
                let plan =
                    Plan::default().write::<Conversation>(&this, id.to_string(), loaded.version, events);
                match silenced {
                    Some(escalation) => {
                        this.plan_resumption(&caller, plan, escalation, ResumedBy::Staff)
                            .await
                    }
                    None => Ok(plan),
                }
            })
            .await
        })
        .await
    }

    async fn plan_message(&self, caller: &Caller, said: &Said<'_>) -> Result<Plan, CommandError> {
        let Said {
            id,
            input,
            external_id,
            from,
            begins,
        } = *said;
        let text = check_text(&input.text)?;
        let loaded = self.load::<Conversation>(caller, &id.to_string()).await?;
        match loaded.state.started() {
            Some(started) => {
                if let Some(station) = started.station_id {
                    caller.reach(station, ConversationError::NotFound.into())?;
                }
            }
            None if begins == Begins::Not => {
                return Err(CommandError::refused(ConversationError::NotFound));
            }
            None => self.check_start(caller, input).await?,
        }
        let customer = match loaded.state.started() {
            Some(started) => started.customer_id,
            None => input.customer_id,
        };
        let station = match loaded.state.started() {
            Some(started) => started.station_id,
            None => input.station_id,
        };
        let now = self.ports.now();
        let subject = EscalationSubject {
            conversation_id: Some(id),
            ..EscalationSubject::default()
        };
        let cause = (loaded.state.messages() + 1).to_string();
        let escalation_id = EscalationSource::Keyword.escalation(&subject, &cause);
        let heard = match input.speaker {
            Speaker::Staff => Heard::Staff {
                by: crate::escalation::person(caller).ok(),
            },
            Speaker::Customer => Heard::Customer {
                verdict: self.verdict(caller, id, text).await?,
                particulars: router::particulars(text, self.today(caller, station).await?),
                escalation_id,
            },
        };
        let own = loaded.state.started().map(|started| started.channel);
        let from = match from {
            Some(from) => Some(self.seal_said(caller, id, customer, FROM_FIELD, from).await?),
            None => None,
        };
        let post = ConversationPost {
            heard,
            channel: input.channel.or(own).unwrap_or(ConversationChannel::Web),
            text: self.seal_said(caller, id, customer, TEXT_FIELD, text).await?,
            external_id: external_id.map(str::to_owned),
            from,
            customer_id: input.customer_id,
            station_id: input.station_id,
            now,
        };
        let events = loaded
            .state
            .decide(ConversationCommand::Post(post))
            .map_err(CommandError::refused)?;
        let plan = self.plan_around(caller, id, &loaded, &events).await?;
        Ok(plan
            .write::<Conversation>(self, id.to_string(), loaded.version, events)
            .on_refused_claim(UNIQUE, ConversationError::HeardBefore))
    }

    /// What is heard in a customer's message, in a conversation in which the assistant may answer or not.
    async fn verdict(
        &self,
        caller: &Caller,
        id: ConversationId,
        text: &str,
    ) -> Result<Verdict, CommandError> {
        let heard = router::hear(text);
        let answers = FeatureFlag::AssistantAnswers;
        Ok(if self.is_in(caller, answers, &id.to_string()).await? {
            heard
        } else {
            heard.for_people()
        })
    }

    /// The day that it is at a station, or where none is named at the company's first.
    async fn today(&self, caller: &Caller, station: Option<StationId>) -> Result<NaiveDate, CommandError> {
        let company = self
            .load::<Organisation>(caller, &organisation_id(caller.tenant))
            .await?;
        let first = company.state.stations().first().map(|added| added.station_id);
        let now = self.ports.now();
        let Some(id) = station.or(first) else {
            return Ok(now.date_naive());
        };
        let station = self.load::<Station>(caller, &id.to_string()).await?;
        let local = |opened: &StationCreated| now.with_timezone(&opened.zone).date_naive();
        Ok(station.state.opened().map_or(now.date_naive(), local))
    }

    /// What a customer's message does beside its conversation: it opens an escalation, or lets the assistant come back in
    /// one.
    async fn plan_around(
        &self,
        caller: &Caller,
        id: ConversationId,
        loaded: &Loaded<Conversation>,
        events: &[ConversationEvent],
    ) -> Result<Plan, CommandError> {
        let mut plan = Plan::default();
        let mut word = None;
        let mut intent = None;
        let mut begun = loaded.state.started();
        for event in events {
            match event {
                ConversationEvent::Started(started) => begun = Some(started),
                ConversationEvent::MessagePosted(posted) => {
                    (word, intent) = (posted.human_word, posted.intent);
                }
                ConversationEvent::AssistantSilenced(silenced) => {
                    let (source, code, severity) = called_for(word);
                    let open = EscalationOpen {
                        id: silenced.escalation_id,
                        source,
                        severity,
                        code: code.to_owned(),
                        reason: match (word, intent) {
                            (Some(word), _) => format!("the customer said: {}", word.as_str()),
                            (None, Some(Intent::Human)) => "the customer wishes for a person".to_owned(),
                            (None, _) => "the assistant does not answer in this conversation".to_owned(),
                        },
                        subject: EscalationSubject {
                            conversation_id: Some(id),
                            ..EscalationSubject::default()
                        },
                        station_id: begun.and_then(|started| started.station_id),
                        customer_id: begun.and_then(|started| started.customer_id),
                    };
                    plan = self.plan_opening(caller, plan, &open).await?;
                }
                ConversationEvent::AssistantResumed(resumed) => {
                    plan = self
                        .plan_resumption(caller, plan, resumed.escalation_id, resumed.by)
                        .await?;
                }
                ConversationEvent::AnswerSent(_) | ConversationEvent::AnswerUndelivered(_) => {}
            }
        }
        Ok(plan)
    }

    /// A conversation within the caller's reach.
    pub(crate) async fn load_conversation(
        &self,
        caller: &Caller,
        id: ConversationId,
    ) -> Result<Loaded<Conversation>, CommandError> {
        let loaded = self.load::<Conversation>(caller, &id.to_string()).await?;
        let started = loaded.state.started();
        let started = started.ok_or_else(|| CommandError::refused(ConversationError::NotFound))?;
        if let Some(station) = started.station_id {
            caller.reach(station, ConversationError::NotFound.into())?;
        }
        Ok(loaded)
    }

    /// Whether a conversation can begin with a customer at a station.
    async fn check_start(&self, caller: &Caller, input: &MessageInput) -> Result<(), CommandError> {
        if let Some(id) = input.customer_id {
            let customer = self.load::<Customer>(caller, &id.to_string()).await?;
            if customer.state.registered().is_none() {
                return Err(CommandError::refused(ConversationError::UnknownCustomer));
            }
        }
        if let Some(id) = input.station_id {
            caller.reach(id, ConversationError::UnknownStation.into())?;
            let station = self.load::<Station>(caller, &id.to_string()).await?;
            if station.state.opened().is_none() {
                return Err(CommandError::refused(ConversationError::UnknownStation));
            }
        }
        Ok(())
    }
}

/// What calls a person: a word that only a person may answer, or the wish for one in other words.
fn called_for(word: Option<HumanWord>) -> (EscalationSource, &'static str, Severity) {
    match word {
        Some(word) => (EscalationSource::Keyword, word.as_str(), word.severity()),
        None => (
            EscalationSource::Request,
            EscalationSource::Request.as_str(),
            Severity::MILD,
        ),
    }
}
