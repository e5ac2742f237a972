//! WhatsApp messages by Meta's Cloud API: `POST /{phone number id}/messages` below the address of a version of the Graph API.
//!
//! The service knows no key of a request: a message whose answer is lost may reach the customer twice. A text of our own is
//! taken only within 24 hours of the customer's last message; otherwise it is refused for good (131047).

use std::time::Duration;

use async_trait::async_trait;
use domain::message::MessageChannel;
use reqwest::StatusCode;
use serde_json::json;

use super::CarrierSetupError;
use super::service::{Credential, Service, TIMEOUT, ask, id_of, refused};
use crate::ports::{CarrierError, Letter, MessageCarrier};

/// How to reach WhatsApp.
#[derive(Debug, Clone)]
pub struct WhatsappSetup {
    /// Where the API is, with its version: [`Self::URL`], or a double of it.
    pub url: String,
    /// A token of a system user that may send.
    pub token: Credential,
    /// The id of the number that messages come from; digits.
    pub phone_id: String,
    /// How long one request may take.
    pub timeout: Duration,
}

impl WhatsappSetup {
    /// Where the Graph API is.
    pub const URL: &str = "https://graph.facebook.com/v23.0";
    /// How long one request may take, where nobody has said otherwise.
    pub const TIMEOUT: Duration = TIMEOUT;
}

/// WhatsApp.
#[derive(Debug)]
pub struct Whatsapp {
    service: Service,
    setup: WhatsappSetup,
}

impl Whatsapp {
    /// A client of WhatsApp. It connects with the first message.
    ///
    /// # Errors
    /// When the address is neither HTTPS nor this machine, or the number's id is none.
    pub fn new(setup: WhatsappSetup) -> Result<Self, CarrierSetupError> {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(&setup.phone_id) {
            return Err(CarrierSetupError("the id of the number has digits alone"));
        }
        let service = Service::at(&setup.url, setup.timeout)?;
        Ok(Self { service, setup })
    }
}

#[async_trait]
impl MessageCarrier for Whatsapp {
    fn name(&self, _channel: MessageChannel) -> &'static str {
        "whatsapp"
    }

    fn carries(&self, channel: MessageChannel) -> bool {
        channel == MessageChannel::Whatsapp
    }

    async fn carry(&self, letter: &Letter) -> Result<Option<String>, CarrierError> {
        let message = json!({
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": letter.to,
            "type": "text",
            "text": {"preview_url": false, "body": letter.text},
            // Comes back with what becomes of it.
            "biz_opaque_callback_data": letter.message_id.to_string(),
        });
        let request = self
            .service
            .post(&[&self.setup.phone_id, "messages"])
            .bearer_auth(self.setup.token.reveal())
            .json(&message);
        let answer = ask(request).await?;
        if answer.status.is_success() {
            return Ok(id_of(&answer.body["messages"][0]["id"]));
        }
        let code = answer.body["error"]["code"].as_i64();
        tracing::warn!(
            message = %letter.message_id,
            status = answer.status.as_u16(),
            code,
            "a WhatsApp message is not taken"
        );
        Err(told(answer.status, code))
    }
}

/// What an answer that is no success means; most come with status 400, and the code tells them apart
/// (developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes).
fn told(status: StatusCode, code: Option<i64>) -> CarrierError {
    match code {
        // The token has run out, the account is locked, a right is missing.
        Some(0 | 3 | 10 | 190 | 200..=299 | 368 | 131005 | 131031 | 131042 | 133010) => {
            CarrierError::Misconfigured
        }
        // Too many at once, or not now.
        Some(1 | 2 | 4 | 80007 | 130429 | 131000 | 131016 | 131048 | 131056 | 131057 | 133004) => {
            CarrierError::Unreachable
        }
        Some(_) | None => refused(status),
    }
}

/// What a code means with a status.
#[cfg(test)]
pub(super) fn told_by(status: u16, code: i64) -> CarrierError {
    let status = StatusCode::from_u16(status).expect("a status");
    told(status, Some(code))
}
