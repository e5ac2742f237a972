//! Messages from customers, as the providers of their channels hand them over: who proves to be which provider, and what of it
//! somebody has said.

mod meta;
mod ringcentral;
mod secrets;

use domain::conversation::ConversationChannel;

pub use meta::{check_meta_signature, read_meta};
pub use ringcentral::{check_ringcentral_token, read_ringcentral};
pub use secrets::{Proven, SharedSecrets, prove_token};

/// A customer's message. Not to be logged: it has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct IncomingMessage {
    /// Who hands it over: `meta`, `ringcentral`.
    pub provider: &'static str,
    /// Which way it came.
    pub channel: ConversationChannel,
    /// Whom the provider says it is from: a phone number with its country code, else an id that the provider made for the
    /// company's page.
    pub sender: String,
    /// The provider's id of the message.
    pub external_id: String,
    /// What is said; what is no text is told in brackets.
    pub text: String,
}

/// A provider's notice that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the notice cannot be read")]
pub struct NoticeUnreadable;

/// What a message is that has no words: `[a picture]`, with the words that go with it.
fn in_brackets(kind: &str, words: Option<&str>) -> String {
    let what = match kind {
        "image" => "a picture",
        "video" => "a video",
        "audio" | "voice" => "a recording",
        "sticker" => "a sticker",
        "document" | "file" => "a file",
        "location" => "a point on a map",
        "contacts" | "contact" => "a contact",
        "order" => "a list of goods",
        _ => "something that is not text",
    };
    match words.map(str::trim).filter(|words| !words.is_empty()) {
        Some(words) => format!("[{what}] {words}"),
        None => format!("[{what}]"),
    }
}

#[cfg(test)]
mod tests;
