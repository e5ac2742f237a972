//! Messages to customers: what is to be said, to whom and when. Whoever asks for one does so in the append of its cause.

mod event;
mod kind;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::decider::{Decider, Refusal};
use crate::envelope::Sealed;
use crate::locale::Locale;

pub use event::{MessageFailed, MessageRequested, MessageSent, MessageSuppressed, SuppressedBecause};
pub use kind::MessageKind;

crate::events! {
    /// What can happen to a message.
    pub enum MessageEvent {
        "A message to a customer was asked for." Requested(MessageRequested) = "message.requested" v 1;
        "A message was handed over for the customer." Sent(MessageSent) = "message.sent" v 1;
        "A message may not go out, or has nowhere to go." Suppressed(MessageSuppressed) = "message.suppressed" v 1;
        "A message could not be handed over, however often it was tried." Failed(MessageFailed) = "message.failed" v 1;
    }
}

/// How a message reaches a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageChannel {
    /// E-mail.
    Email,
    /// Text message.
    Sms,
    /// WhatsApp.
    Whatsapp,
}

impl MessageChannel {
    /// Every channel, the cheapest first.
    pub const ALL: [Self; 3] = [Self::Email, Self::Sms, Self::Whatsapp];

    /// The word in events, rows and sentences.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Whatsapp => "whatsapp",
        }
    }
}

/// What a message came to once it was handed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HandedOver {
    /// How it went out.
    pub channel: MessageChannel,
    /// Who took it.
    pub carrier: String,
    /// The carrier's id of it.
    pub carrier_id: Option<String>,
    /// Version of the template.
    pub template_version: i64,
    /// Language of the template; none for the one that comes with the program.
    pub template_locale: Option<Locale>,
    /// Its subject line, sealed.
    pub subject_line: Option<Sealed>,
    /// Its words, sealed.
    pub text: Sealed,
}

/// What can be asked of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum MessageCommand {
    /// Let it be sent.
    Request(MessageRequested),
    /// Say that it was handed over.
    Send {
        /// What it came to.
        handed: HandedOver,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// Say that it does not go out.
    Suppress {
        /// Why.
        because: SuppressedBecause,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// Say that nobody took it.
    Fail {
        /// How often it was tried.
        attempts: i32,
        /// Why the last attempt failed.
        code: String,
        /// The time of asking.
        now: DateTime<Utc>,
    },
}

/// Why a message refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// It was asked for already.
    #[error("the message was asked for already")]
    Exists,
    /// Nobody has asked for it.
    #[error("there is no such message")]
    NotFound,
    /// It is over.
    #[error("the message is {0} already")]
    Settled(&'static str),
    /// What it would tell is not so any more, or was told too long ago.
    #[error("there is nothing new to tell")]
    OldNews,
}

impl Refusal for MessageError {
    fn code(&self) -> &'static str {
        match self {
            Self::Exists => "ALREADY_EXISTS",
            Self::NotFound => "NOT_FOUND",
            Self::Settled(_) => "WRONG_STATE",
            Self::OldNews => "OLD_NEWS",
        }
    }
}

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageStatus {
    /// It waits to go out.
    Requested,
    /// It was handed over.
    Sent,
    /// It does not go out.
    Suppressed,
    /// Nobody took it; a person may let it be tried again.
    Failed,
}

impl MessageStatus {
    /// The word in rows and sentences.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Sent => "sent",
            Self::Suppressed => "suppressed",
            Self::Failed => "failed",
        }
    }
}

/// A message as the stream tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    requested: Option<MessageRequested>,
    status: Option<MessageStatus>,
}

impl Message {
    /// What was asked for, once it was.
    pub fn requested(&self) -> Option<&MessageRequested> {
        self.requested.as_ref()
    }

    /// Where it stands, once it was asked for.
    pub fn status(&self) -> Option<MessageStatus> {
        self.status
    }

    /// What was asked for, of a message that is still to go out.
    ///
    /// # Errors
    /// [`MessageError::NotFound`], and [`MessageError::Settled`] for one that was handed over or does not go out.
    pub fn waiting(&self) -> Result<&MessageRequested, MessageError> {
        let (requested, status) = self
            .requested
            .as_ref()
            .zip(self.status)
            .ok_or(MessageError::NotFound)?;
        match status {
            MessageStatus::Requested | MessageStatus::Failed => Ok(requested),
            MessageStatus::Sent | MessageStatus::Suppressed => Err(MessageError::Settled(status.as_str())),
        }
    }
}

impl Decider for Message {
    const STREAM: &'static str = "message";
    type Command = MessageCommand;
    type Event = MessageEvent;
    type Error = MessageError;

    fn decide(&self, command: MessageCommand) -> Result<Vec<MessageEvent>, MessageError> {
        Ok(vec![match command {
            MessageCommand::Request(requested) => match self.requested {
                Some(_) => return Err(MessageError::Exists),
                None => MessageEvent::Requested(requested),
            },
            MessageCommand::Send { handed, now } => {
                let asked = self.waiting()?;
                MessageEvent::Sent(MessageSent {
                    kind: asked.kind,
                    customer_id: asked.customer_id,
                    station_id: asked.station_id,
                    channel: handed.channel,
                    carrier: handed.carrier,
                    carrier_id: handed.carrier_id,
                    template_version: handed.template_version,
                    template_locale: handed.template_locale,
                    subject_line: handed.subject_line,
                    text: handed.text,
                    sent_at: now,
                })
            }
            MessageCommand::Suppress { because, now } => {
                let asked = self.waiting()?;
                MessageEvent::Suppressed(MessageSuppressed {
                    kind: asked.kind,
                    customer_id: asked.customer_id,
                    station_id: asked.station_id,
                    because,
                    suppressed_at: now,
                })
            }
            MessageCommand::Fail { attempts, code, now } => {
                let asked = self.waiting()?;
                MessageEvent::Failed(MessageFailed {
                    kind: asked.kind,
                    customer_id: asked.customer_id,
                    station_id: asked.station_id,
                    attempts,
                    code,
                    failed_at: now,
                })
            }
        }])
    }

    fn evolve(&mut self, event: &MessageEvent) {
        self.status = Some(match event {
            MessageEvent::Requested(requested) => {
                self.requested = Some(requested.clone());
                MessageStatus::Requested
            }
            MessageEvent::Sent(_) => MessageStatus::Sent,
            MessageEvent::Suppressed(_) => MessageStatus::Suppressed,
            MessageEvent::Failed(_) => MessageStatus::Failed,
        });
    }
}

#[cfg(test)]
mod tests;
