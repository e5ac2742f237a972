//! Why a conversation refuses.

use crate::decider::Refusal;

/// Why a conversation refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConversationError {
    /// There is no such conversation.
    #[error("there is no such conversation")]
    NotFound,
    /// There is no such station.
    #[error("there is no such station")]
    UnknownStation,
    /// There is no such customer.
    #[error("there is no such customer")]
    UnknownCustomer,
    /// Nothing is said.
    #[error("a message has 1 to 10000 characters")]
    BadText,
    /// Not a way to talk.
    #[error("a channel is web, sms, whatsapp, instagram, messenger, email or phone")]
    BadChannel,
    /// Not a provider's id.
    #[error("a provider's id of a message has 1 to 255 characters")]
    BadExternalId,
    /// The message was heard before.
    #[error("the message was heard before")]
    HeardBefore,
    /// A person is to see to it.
    #[error("the assistant is silent: a person is to see to the conversation")]
    AssistantSilent,
    /// The message has its answer, or another came after it.
    #[error("the message has its answer already")]
    Answered,
    /// It answers already.
    #[error("the assistant is not silent")]
    NotSilent,
    /// It was sent already, or goes nowhere.
    #[error("the answer was sent already, or goes nowhere")]
    NotOutgoing,
}

impl Refusal for ConversationError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound | Self::UnknownStation | Self::UnknownCustomer => "NOT_FOUND",
            Self::BadText => "INVALID_TEXT",
            Self::BadChannel => "INVALID_CHANNEL",
            Self::BadExternalId => "INVALID_EXTERNAL_ID",
            Self::HeardBefore => "ALREADY_EXISTS",
            Self::AssistantSilent => "ASSISTANT_SILENT",
            Self::Answered => "ALREADY_ANSWERED",
            Self::NotSilent | Self::NotOutgoing => "WRONG_STATE",
        }
    }
    fn field(&self) -> &'static [&'static str] {
        match self {
            Self::NotFound => &["conversationId"],
            Self::UnknownStation => &["stationId"],
            Self::UnknownCustomer => &["customerId"],
            Self::BadText => &["text"],
            Self::BadChannel => &["channel"],
            Self::BadExternalId | Self::HeardBefore => &["externalId"],
            Self::AssistantSilent | Self::Answered | Self::NotSilent | Self::NotOutgoing => &[],
        }
    }
}
