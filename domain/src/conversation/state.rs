//! How a conversation decides.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::command::{ConversationAnswer, ConversationCommand, ConversationPost, Heard};
use super::error::ConversationError;
use super::{
    AnswerOutcome, ConversationAnswerSent, ConversationAnswerUndelivered, ConversationAssistantResumed,
    ConversationAssistantSilenced, ConversationChannel, ConversationEvent, ConversationMessagePosted,
    ConversationStarted, HumanNeed, MessageAuthor, Outgoing, ReplyTo, SilencedBy, Unanswered,
};
use crate::decider::Decider;
use crate::envelope::Version;
use crate::escalation::ResumedBy;
use crate::ids::EscalationId;
use crate::router::{Intent, Particulars, Verdict};

/// How many characters a message has at most.
pub const LONGEST_TEXT: usize = 10_000;

/// What keeps the assistant silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Silence {
    escalation_id: EscalationId,
    by: SilencedBy,
}

/// A conversation as the stream tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    started: Option<ConversationStarted>,
    version: Version,
    messages: i64,
    unanswered: Option<Unanswered>,
    /// What was said of the party so far.
    particulars: Particulars,
    /// What the assistant answered last was about.
    topic: Option<Intent>,
    silence: Option<Silence>,
    needs_human: bool,
    /// Whether a person of the company had a part in it.
    had_human: bool,
    /// Where answers go.
    #[serde(default)]
    reply_to: Option<ReplyTo>,
    /// Answers that have not gone out, by the version with each.
    #[serde(default)]
    outgoing: BTreeMap<i64, Outgoing>,
}

impl Conversation {
    /// How it began, once it has.
    pub fn started(&self) -> Option<&ConversationStarted> {
        self.started.as_ref()
    }

    /// How many messages there are.
    pub fn messages(&self) -> i64 {
        self.messages
    }

    /// The customer's message that the assistant may answer now.
    pub fn to_answer(&self) -> Option<&Unanswered> {
        self.unanswered.as_ref().filter(|_| self.silence.is_none())
    }

    /// What the message to answer is about: where it says of a party alone, what was answered last.
    pub fn topic(&self) -> Option<Intent> {
        let waits = self.unanswered.as_ref()?;
        let goes_on = waits.intent == Intent::Other && waits.says_of_party;
        Some(self.topic.filter(|_| goes_on).unwrap_or(waits.intent))
    }

    /// What was said of the party so far.
    pub fn particulars(&self) -> &Particulars {
        &self.particulars
    }

    /// The escalation that keeps the assistant silent.
    pub fn silenced_by(&self) -> Option<EscalationId> {
        self.silence.map(|silence| silence.escalation_id)
    }

    /// Where answers go; none where nobody wrote by a channel that takes some, or they want no more.
    pub fn reply_to(&self) -> Option<&ReplyTo> {
        self.reply_to.as_ref()
    }

    /// Where the answer of a version stands; none for one that was sent or goes nowhere.
    pub fn outgoing(&self, message: i64) -> Option<Outgoing> {
        self.outgoing.get(&message).copied()
    }

    /// Whether another answer is to go out before that of a version.
    pub fn another_first(&self, message: i64) -> bool {
        let mut before = self.outgoing.range(..message);
        before.any(|(_, outgoing)| *outgoing == Outgoing::Waits)
    }

    fn goes_out(&self, channel: ConversationChannel) -> bool {
        self.reply_to.as_ref().is_some_and(|to| to.channel == channel)
    }

    fn known(&self) -> Result<&ConversationStarted, ConversationError> {
        self.started.as_ref().ok_or(ConversationError::NotFound)
    }

    fn need(&self, is_needed: bool, started_at: DateTime<Utc>) -> Option<HumanNeed> {
        (self.needs_human != is_needed).then_some(HumanNeed {
            is_needed,
            started_at,
        })
    }

    fn post(&self, post: ConversationPost) -> Vec<ConversationEvent> {
        let ConversationPost {
            heard,
            channel,
            text,
            external_id,
            from,
            customer_id,
            station_id,
            now,
        } = post;
        let started_at = self.started.as_ref().map_or(now, |started| started.started_at);
        let mut events = Vec::with_capacity(3);
        if self.started.is_none() {
            events.push(ConversationEvent::Started(ConversationStarted {
                channel,
                customer_id,
                station_id,
                started_at: now,
            }));
        }
        let mut posted = ConversationMessagePosted {
            author: MessageAuthor::Customer,
            channel,
            text,
            intent: None,
            human_word: None,
            human_only: false,
            particulars: Particulars::default(),
            external_id,
            from,
            goes_out: false,
            by: None,
            human_need: None,
            posted_at: now,
        };
        match heard {
            Heard::Staff { by } => {
                posted.author = MessageAuthor::Staff;
                posted.by = by;
                posted.from = None;
                posted.goes_out = self.goes_out(channel);
                posted.human_need = self.need(true, started_at);
                events.push(ConversationEvent::MessagePosted(posted));
            }
            Heard::Customer {
                verdict,
                particulars,
                escalation_id,
            } => {
                posted.particulars = particulars;
                posted.intent = Some(verdict.intent);
                posted.human_word = verdict.human_word;
                posted.human_only = verdict.is_human_only();
                events.push(ConversationEvent::MessagePosted(posted));
                events.extend(self.after(verdict, escalation_id, started_at, now));
            }
        }
        events
    }

    /// What a customer's message does to the assistant.
    fn after(
        &self,
        verdict: Verdict,
        escalation_id: EscalationId,
        started_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Option<ConversationEvent> {
        match self.silence {
            None if verdict.is_human_only() => Some(ConversationEvent::AssistantSilenced(
                ConversationAssistantSilenced {
                    escalation_id,
                    by: SilencedBy::Escalation,
                    human_need: self.need(true, started_at),
                    silenced_at: now,
                },
            )),
            Some(silence) if silence.by == SilencedBy::Escalation && verdict.is_resumable => Some(
                ConversationEvent::AssistantResumed(ConversationAssistantResumed {
                    escalation_id: silence.escalation_id,
                    by: ResumedBy::Auto,
                    human_need: self.need(self.had_human, started_at),
                    resumed_at: now,
                }),
            ),
            None | Some(_) => None,
        }
    }

    fn answer(&self, answer: ConversationAnswer) -> Result<ConversationEvent, ConversationError> {
        let channel = self.known()?.channel;
        if self.silence.is_some() {
            return Err(ConversationError::AssistantSilent);
        }
        if self.unanswered.as_ref().map(|waits| waits.number) != Some(answer.to) {
            return Err(ConversationError::Answered);
        }
        Ok(ConversationEvent::MessagePosted(ConversationMessagePosted {
            author: MessageAuthor::Assistant,
            channel,
            text: answer.text,
            intent: Some(answer.intent),
            human_word: None,
            human_only: false,
            particulars: Particulars::default(),
            external_id: None,
            from: None,
            goes_out: self.goes_out(channel),
            by: None,
            human_need: None,
            posted_at: answer.now,
        }))
    }

    fn silence(
        &self,
        escalation_id: EscalationId,
        by: SilencedBy,
        now: DateTime<Utc>,
    ) -> Result<Vec<ConversationEvent>, ConversationError> {
        let started_at = self.known()?.started_at;
        let joined = |silence: Silence| silence.by == SilencedBy::Person;
        let changes = match by {
            SilencedBy::Escalation => self.silence.is_none(),
            SilencedBy::Person => !self.silence.is_some_and(joined),
        };
        let silenced = changes.then(|| {
            ConversationEvent::AssistantSilenced(ConversationAssistantSilenced {
                escalation_id,
                by,
                human_need: self.need(true, started_at),
                silenced_at: now,
            })
        });
        Ok(silenced.into_iter().collect())
    }

    fn settle(
        &self,
        message: i64,
        outcome: AnswerOutcome,
        now: DateTime<Utc>,
    ) -> Result<ConversationEvent, ConversationError> {
        self.known()?;
        self.outgoing(message).ok_or(ConversationError::NotOutgoing)?;
        Ok(match outcome {
            AnswerOutcome::Sent {
                channel,
                carrier,
                carrier_id,
            } => ConversationEvent::AnswerSent(ConversationAnswerSent {
                message,
                channel,
                carrier,
                carrier_id,
                sent_at: now,
            }),
            AnswerOutcome::Undelivered {
                because,
                code,
                attempts,
            } => ConversationEvent::AnswerUndelivered(ConversationAnswerUndelivered {
                message,
                because,
                code,
                attempts,
                undelivered_at: now,
            }),
        })
    }

    fn evolve_posted(&mut self, posted: &ConversationMessagePosted) {
        self.messages += 1;
        self.particulars = self.particulars.and(&posted.particulars);
        // Somebody who writes down what a customer says elsewhere changes nothing of where answers go.
        if posted.author == MessageAuthor::Customer && posted.external_id.is_some() {
            self.reply_to = posted.from.clone().map(|address| ReplyTo {
                channel: posted.channel,
                address,
                written_at: posted.posted_at,
            });
        }
        if posted.goes_out {
            self.outgoing.insert(self.version.0, Outgoing::Waits);
        }
        match posted.author {
            MessageAuthor::Customer => {
                let waits = Unanswered {
                    number: self.messages,
                    version: self.version,
                    text: posted.text.clone(),
                    intent: posted.intent.unwrap_or(Intent::Other),
                    says_of_party: !posted.particulars.is_empty(),
                };
                self.unanswered = Some(waits).filter(|_| !posted.human_only);
            }
            MessageAuthor::Assistant => {
                self.unanswered = None;
                self.topic = posted.intent;
            }
            MessageAuthor::Staff => {
                self.unanswered = None;
                self.had_human = true;
            }
        }
    }

    fn resume(&self, by: ResumedBy, now: DateTime<Utc>) -> Result<ConversationEvent, ConversationError> {
        self.known()?;
        let silence = self.silence.ok_or(ConversationError::NotSilent)?;
        Ok(ConversationEvent::AssistantResumed(
            ConversationAssistantResumed {
                escalation_id: silence.escalation_id,
                by,
                human_need: None,
                resumed_at: now,
            },
        ))
    }
}

impl Decider for Conversation {
    const STREAM: &'static str = "conversation";
    type Command = ConversationCommand;
    type Event = ConversationEvent;
    type Error = ConversationError;

    fn decide(&self, command: ConversationCommand) -> Result<Vec<ConversationEvent>, ConversationError> {
        match command {
            ConversationCommand::Post(post) => Ok(self.post(post)),
            ConversationCommand::Answer(answer) => Ok(vec![self.answer(answer)?]),
            ConversationCommand::Silence {
                escalation_id,
                by,
                now,
            } => self.silence(escalation_id, by, now),
            ConversationCommand::Resume { by, now } => Ok(vec![self.resume(by, now)?]),
            ConversationCommand::Settle {
                message,
                outcome,
                now,
            } => Ok(vec![self.settle(message, outcome, now)?]),
        }
    }

    fn evolve(&mut self, event: &ConversationEvent) {
        self.version = self.version.next();
        if let Some(need) = event.human_need() {
            self.needs_human = need.is_needed;
        }
        match event {
            ConversationEvent::Started(started) => self.started = Some(started.clone()),
            ConversationEvent::MessagePosted(posted) => self.evolve_posted(posted),
            ConversationEvent::AssistantSilenced(silenced) => {
                self.silence = Some(Silence {
                    escalation_id: silenced.escalation_id,
                    by: silenced.by,
                });
                self.had_human |= silenced.by == SilencedBy::Person;
            }
            ConversationEvent::AnswerSent(sent) => {
                self.outgoing.remove(&sent.message);
            }
            ConversationEvent::AnswerUndelivered(lost) => {
                self.outgoing.insert(lost.message, Outgoing::Undelivered);
            }
            ConversationEvent::AssistantResumed(resumed) => {
                self.silence = None;
                match resumed.by {
                    // What the customer went on with is answered; what came while a person had it is not.
                    ResumedBy::Auto => {}
                    ResumedBy::Staff | ResumedBy::Resolution => {
                        self.unanswered = None;
                        self.had_human = true;
                    }
                }
            }
        }
    }
}
