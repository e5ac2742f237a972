//! When a customer has written and nobody has answered, the assistant is asked to, again and again for a while: whoever
//! heard the message may have gone down before.

use chrono::{DateTime, TimeDelta, Utc};
use domain::conversation::{ConversationEvent, MessageAuthor};
use domain::escalation::ResumedBy;
use domain::recorded::{DomainEvent, Recorded};
use serde::{Deserialize, Serialize};

use super::{Answers, Policy, Reaction, Reply};

/// Asks for answers.
pub struct WhenCustomerWrites;

/// A message that waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waits {
    /// How often the assistant was asked.
    asked: u32,
}

/// Seconds until the assistant is asked, and asked again. Whoever heard the message has the first few.
const SECONDS: [i64; 4] = [5, 30, 120, 600];

impl Waits {
    fn next(self, from: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let asked = usize::try_from(self.asked).ok()?;
        SECONDS.get(asked).map(|secs| from + TimeDelta::seconds(*secs))
    }
}

impl Policy for WhenCustomerWrites {
    type State = Waits;
    const NAME: &'static str = "when_customer_writes";
    const ANSWERS: Answers = Answers::TimeToo;

    fn process(event: &Recorded) -> Option<String> {
        let DomainEvent::Conversation(_) = &event.event else {
            return None;
        };
        Some(event.stream.id.clone())
    }

    fn react(state: Option<Waits>, event: &Recorded) -> Reaction<Waits> {
        let DomainEvent::Conversation(happened) = &event.event else {
            return Reaction::keep(state);
        };
        match happened {
            ConversationEvent::MessagePosted(posted)
                if posted.author == MessageAuthor::Customer && !posted.human_only =>
            {
                let waits = Waits { asked: 0 };
                Reaction {
                    state: Some(waits),
                    wake_at: waits.next(posted.posted_at),
                    reply: None,
                }
            }
            ConversationEvent::AssistantResumed(resumed) if resumed.by == ResumedBy::Auto => {
                let waits = Waits { asked: 0 };
                Reaction {
                    state: Some(waits),
                    wake_at: waits.next(resumed.resumed_at),
                    reply: None,
                }
            }
            ConversationEvent::AnswerSent(_) | ConversationEvent::AnswerUndelivered(_) => {
                Reaction::keep(state)
            }
            ConversationEvent::Started(_)
            | ConversationEvent::MessagePosted(_)
            | ConversationEvent::AssistantSilenced(_)
            | ConversationEvent::AssistantResumed(_) => Reaction::keep(None),
        }
    }

    fn due(process: &str, _state: Waits) -> Option<Reply> {
        let conversation_id = process.parse().ok()?;
        Some(Reply::AnswerMessage { conversation_id })
    }

    fn again(state: &Waits, now: DateTime<Utc>) -> Option<(Waits, DateTime<Utc>)> {
        let next = Waits {
            asked: state.asked.saturating_add(1),
        };
        next.next(now).map(|at| (next, at))
    }
}
