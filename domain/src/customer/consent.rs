//! What a customer agreed to be written by, and took back.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::CustomerError;

/// A way of writing to a customer that has a consent of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentChannel {
    /// Text messages, by whatever service.
    Sms,
    /// E-mail.
    Email,
}

impl ConsentChannel {
    /// Every channel.
    pub const ALL: [Self; 2] = [Self::Sms, Self::Email];

    /// The word in rows and sentences.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Email => "email",
        }
    }
}

/// A person agreed to be written to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// When.
    pub given_at: DateTime<Utc>,
    /// Where they did: `booking_request`.
    pub given_through: String,
    /// Version of the text they saw.
    pub text_version: String,
}

impl Consent {
    /// A consent, checked.
    ///
    /// # Errors
    /// [`CustomerError::BadThrough`], [`CustomerError::BadTextVersion`].
    pub fn check(through: &str, text_version: &str, now: DateTime<Utc>) -> Result<Self, CustomerError> {
        let text_version = text_version.trim();
        if !is_text_version(text_version) {
            return Err(CustomerError::BadTextVersion);
        }
        Ok(Self {
            given_at: now,
            given_through: check_through(through)?,
            text_version: text_version.to_owned(),
        })
    }
}

/// Whether a text can be the name of a version of a text.
pub fn is_text_version(text: &str) -> bool {
    (1..=60).contains(&text.trim().chars().count()) && !text.chars().any(char::is_control)
}

/// Where a consent was given or taken back, as a word.
///
/// # Errors
/// [`CustomerError::BadThrough`].
pub(super) fn check_through(through: &str) -> Result<String, CustomerError> {
    let through = through.trim();
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if (1..=40).contains(&through.len()) && through.chars().all(allowed) {
        return Ok(through.to_owned());
    }
    Err(CustomerError::BadThrough)
}

/// A customer agreed to be written to by a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerConsentGiven {
    /// By which.
    pub channel: ConsentChannel,
    /// When, where, and to which text.
    pub consent: Consent,
    /// Version of the text that they had agreed to until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
}

/// A customer does not want to be written to by a channel any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerConsentWithdrawn {
    /// By which.
    pub channel: ConsentChannel,
    /// Version of the text that they had agreed to.
    pub before: String,
    /// Where they said so.
    pub withdrawn_through: String,
    /// When.
    pub withdrawn_at: DateTime<Utc>,
}
