//! Messages that providers hand over: whose they are, whose conversation it is, and that each is heard once.

use domain::conversation::{
    Conversation, ConversationChannel, ConversationStarted, LONGEST_TEXT, MESSAGE_EXTERNAL, conversation_of,
};
use domain::customer::{CUSTOMER_PHONE, ConsentChannel, Customer};
use domain::envelope::Channel;
use domain::ids::{ConversationId, CustomerId, SubjectId, TenantId};
use event_log::LogError;
use sha2::{Digest, Sha256};

use super::ReceivedMessage;
use crate::consent::CustomerConsentSet;
use crate::gateways::incoming::IncomingMessage;
use crate::{Caller, CommandError, Commands, IdempotencyKey, Refused};

/// What became of a message that was handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// It is part of a conversation now.
    Kept,
    /// It was before, or there is nothing in it to keep.
    NothingNew,
}

/// What the sender of a message is told apart by, as a keyed hash.
const THREAD: &str = "conversation.thread";
/// The longest id of a provider that is kept as it is, in characters.
const LONGEST_ID: usize = 255;
/// How often a sender's conversation is looked for: once more for each time that they were erased, and a few for what happens
/// meanwhile.
const ATTEMPTS: usize = 12;

/// Words by which somebody takes back that they may be texted, each a message of its own (47 CFR 64.1200(a)(10)).
const STOP_WORDS: [&str; 8] = [
    "stop",
    "stopall",
    "quit",
    "end",
    "revoke",
    "opt out",
    "cancel",
    "unsubscribe",
];

impl Commands {
    /// Hears a customer's message that a provider hands over, once. When this returns, what it changes is in the log: who
    /// texts that they want no more texts has taken their consent back.
    ///
    /// # Errors
    /// When the log is out of reach, or others keep changing the same conversation: the provider tells again.
    pub async fn hear_message(
        &self,
        tenant: TenantId,
        message: IncomingMessage,
    ) -> Result<Received, CommandError> {
        let mut caller = Caller::system(tenant, message.provider);
        caller.channel = Channel::Webhook;
        let external_id = short_id(&message.external_id);
        if message.text.trim().is_empty() || self.is_heard(tenant, message.channel, &external_id).await? {
            return Ok(Received::NothingNew);
        }
        let mut after = String::new();
        for _ in 0..ATTEMPTS {
            let customer_id = self.sender(&caller, &message).await?;
            if let Some(id) = customer_id {
                self.stop_texts(&caller, id, &message, &external_id).await?;
            }
            let thread = self
                .thread(tenant, message.channel, &message.sender, &after)
                .await?;
            let received = ReceivedMessage {
                channel: message.channel,
                thread: thread.clone(),
                external_id: external_id.clone(),
                from: takes_answers(&message).then(|| message.sender.clone()),
                text: message.text.chars().take(LONGEST_TEXT).collect(),
                customer_id,
                station_id: None,
            };
            match self.receive_message(caller.clone(), received).await {
                Ok(written) if written.replayed => return Ok(Received::NothingNew),
                Ok(_) => return Ok(Received::Kept),
                // Heard at the same time by another program, or from somebody who is a customer only since.
                Err(CommandError::IdempotencyMismatch) => {
                    if self.is_heard(tenant, message.channel, &external_id).await? {
                        return Ok(Received::NothingNew);
                    }
                }
                Err(CommandError::Refused(Refused {
                    code: "ALREADY_EXISTS",
                    ..
                })) => return Ok(Received::NothingNew),
                // Nothing more is kept of the person that they were.
                Err(CommandError::Refused(Refused {
                    code: "CUSTOMER_ERASED",
                    ..
                })) => {
                    let id = conversation_of(message.channel, &thread);
                    let found = self.load::<Conversation>(&caller, &id.to_string()).await?;
                    if let Some(started) = found.state.started() {
                        after = after_erasure(id, started);
                    }
                }
                Err(CommandError::Refused(refused)) => {
                    tracing::warn!(code = refused.code, "a message that was handed over is not kept");
                    return Ok(Received::NothingNew);
                }
                Err(error) => return Err(error),
            }
        }
        Err(CommandError::Conflict)
    }

    async fn is_heard(
        &self,
        tenant: TenantId,
        channel: ConversationChannel,
        external_id: &str,
    ) -> Result<bool, CommandError> {
        let key = format!("{}:{external_id}", channel.as_str());
        let holder = self.log.unique_holder(tenant, MESSAGE_EXTERNAL, &key).await?;
        Ok(holder.is_some())
    }

    /// The customer whose phone a message comes from.
    async fn sender(
        &self,
        caller: &Caller,
        message: &IncomingMessage,
    ) -> Result<Option<CustomerId>, CommandError> {
        if !is_by_phone(message.channel) {
            return Ok(None);
        }
        let key = self
            .vault
            .index_key(caller.tenant, CUSTOMER_PHONE, &message.sender)
            .await?;
        let holder = self
            .log
            .unique_holder(caller.tenant, CUSTOMER_PHONE, &key)
            .await?;
        let Some(id) = holder.and_then(|holder| holder.id.parse().ok()) else {
            return Ok(None);
        };
        let found = self.load::<Customer>(caller, &CustomerId::to_string(&id)).await?;
        Ok(found.state.known().is_ok().then_some(id))
    }

    /// What tells a sender's conversation from others: a keyed hash of their address, and of after which erasure they wrote.
    async fn thread(
        &self,
        tenant: TenantId,
        channel: ConversationChannel,
        sender: &str,
        after: &str,
    ) -> Result<String, LogError> {
        let sender = format!("{}\n{sender}{after}", channel.as_str());
        self.vault.index_key(tenant, THREAD, &sender).await
    }

    /// Conversations that a phone wrote in before anybody knew whose it is: what is sealed in them has a key of its own.
    pub(crate) async fn conversations_of_phone(
        &self,
        caller: &Caller,
        phone: &str,
    ) -> Result<Vec<SubjectId>, CommandError> {
        let mut found = Vec::new();
        for channel in ConversationChannel::ALL
            .into_iter()
            .filter(|one| is_by_phone(*one))
        {
            let mut after = String::new();
            for _ in 0..ATTEMPTS {
                let thread = self.thread(caller.tenant, channel, phone, &after).await?;
                let id = conversation_of(channel, &thread);
                let loaded = self.load::<Conversation>(caller, &id.to_string()).await?;
                let Some(started) = loaded.state.started() else {
                    break;
                };
                if started.customer_id.is_none() {
                    found.push(SubjectId(id.0));
                }
                after = after_erasure(id, started);
            }
        }
        Ok(found)
    }

    /// Takes back that a customer may be texted, where that is what they text. Before the message is heard: one that was is not
    /// looked at again.
    async fn stop_texts(
        &self,
        caller: &Caller,
        customer_id: CustomerId,
        message: &IncomingMessage,
        external_id: &str,
    ) -> Result<(), CommandError> {
        if !is_by_phone(message.channel) || !is_stop_word(&message.text) {
            return Ok(());
        }
        let cause = format!("{}:{external_id}", message.channel.as_str());
        let key = IdempotencyKey::of_reaction("message_stop", &cause);
        let ask = CustomerConsentSet {
            customer_id,
            expected_version: None,
            channel: ConsentChannel::Sms,
            text_version: None,
            through: message.channel.as_str().to_owned(),
        };
        match self.set_customer_consent(caller.clone(), key, ask).await {
            // They had not agreed, or are erased in this very moment.
            Ok(_) | Err(CommandError::Refused(_) | CommandError::IdempotencyMismatch) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Whether a channel's senders are phone numbers.
fn is_by_phone(channel: ConversationChannel) -> bool {
    match channel {
        ConversationChannel::Sms | ConversationChannel::Whatsapp => true,
        ConversationChannel::Web
        | ConversationChannel::Instagram
        | ConversationChannel::Messenger
        | ConversationChannel::Email
        | ConversationChannel::Phone => false,
    }
}

/// What tells the conversation that a sender begins next, once nothing more is kept of the person that they were in this one.
fn after_erasure(id: ConversationId, started: &ConversationStarted) -> String {
    match started.customer_id {
        Some(customer) => format!("\nafter {customer}"),
        None => format!("\nafter {id}"),
    }
}

/// Whether an answer may go to the address that a message came from.
fn takes_answers(message: &IncomingMessage) -> bool {
    is_by_phone(message.channel) && !is_stop_word(&message.text)
}

fn is_stop_word(text: &str) -> bool {
    let plain = |letter: char| if letter.is_alphanumeric() { letter } else { ' ' };
    let words: String = text.to_lowercase().chars().map(plain).collect();
    let words: Vec<&str> = words.split_whitespace().take(3).collect();
    STOP_WORDS.contains(&words.join(" ").as_str())
}

/// A provider's id that fits: a long one stands for itself by its hash.
fn short_id(id: &str) -> String {
    if id.chars().count() <= LONGEST_ID {
        return id.to_owned();
    }
    format!("sha256:{}", hex::encode(Sha256::digest(id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_texts_stop_alone_wants_no_more_texts() {
        for text in ["STOP", " Stop. ", "opt-out", "OPT OUT!", "unsubscribe", "Cancel"] {
            assert!(is_stop_word(text), "{text}");
        }
        for text in [
            "stop by at six",
            "please cancel my booking",
            "don't stop",
            "",
            "opt out please now",
        ] {
            assert!(!is_stop_word(text), "{text}");
        }
    }

    #[test]
    fn a_long_id_stands_for_itself_by_its_hash() {
        assert_eq!(short_id("wamid.x"), "wamid.x");
        let long = "x".repeat(256);
        assert_eq!(short_id(&long).len(), 71);
        assert_ne!(short_id(&long), short_id(&"y".repeat(256)));
    }
}
