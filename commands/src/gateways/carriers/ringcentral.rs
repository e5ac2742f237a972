//! Text messages by RingCentral: `POST /restapi/v1.0/account/~/extension/~/sms`, signed in by a JWT of the account.
//!
//! The service knows no key of a request: a message whose answer is lost may reach the customer twice.

use std::time::Duration;

use async_trait::async_trait;
use domain::customer::fold_phone;
use domain::message::MessageChannel;
use reqwest::StatusCode;
use serde_json::json;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::CarrierSetupError;
use super::service::{Answer, Credential, Service, TIMEOUT, ask, id_of, refused};
use crate::ports::{CarrierError, Letter, MessageCarrier};

/// How long before its end a token is no longer used.
const MARGIN: Duration = Duration::from_secs(60);

/// How to reach RingCentral.
#[derive(Debug, Clone)]
pub struct RingCentralSetup {
    /// Where the API is: [`Self::URL`], or a double of it.
    pub url: String,
    /// The application's id.
    pub client_id: Credential,
    /// The application's secret.
    pub client_secret: Credential,
    /// The JWT that the account was given for the application.
    pub jwt: Credential,
    /// The number that texts come from, of the account.
    pub from: String,
    /// How long one request may take.
    pub timeout: Duration,
}

impl RingCentralSetup {
    /// Where RingCentral is.
    pub const URL: &str = "https://platform.ringcentral.com";
    /// How long one request may take, where nobody has said otherwise.
    pub const TIMEOUT: Duration = TIMEOUT;
}

/// RingCentral.
#[derive(Debug)]
pub struct RingCentral {
    service: Service,
    setup: RingCentralSetup,
    from: String,
    token: Mutex<Option<Token>>,
}

#[derive(Debug, Clone)]
struct Token {
    bearer: Credential,
    until: Instant,
}

impl RingCentral {
    /// A client of RingCentral. It connects with the first message.
    ///
    /// # Errors
    /// When the address is neither HTTPS nor this machine, or the number is none.
    pub fn new(setup: RingCentralSetup) -> Result<Self, CarrierSetupError> {
        Ok(Self {
            service: Service::at(&setup.url, setup.timeout)?,
            from: fold_phone(&setup.from).map_err(|_| CarrierSetupError("the number is none"))?,
            setup,
            token: Mutex::default(),
        })
    }

    /// A token that is good for a while: the one that is known, or a new one.
    async fn bearer(&self) -> Result<Credential, CarrierError> {
        let mut known = self.token.lock().await;
        if let Some(token) = known.as_ref().filter(|token| Instant::now() < token.until) {
            return Ok(token.bearer.clone());
        }
        let asked = self
            .service
            .post(&["restapi", "oauth", "token"])
            .basic_auth(
                self.setup.client_id.reveal(),
                Some(self.setup.client_secret.reveal()),
            )
            .form(&[
                ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                ("assertion", self.setup.jwt.reveal()),
            ]);
        let Answer { status, body } = ask(asked).await?;
        if !status.is_success() {
            tracing::warn!(status = status.as_u16(), "the sign-in to text messages fails");
            // Whatever it says of the request, it says of our credentials.
            return Err(match refused(status) {
                CarrierError::Refused | CarrierError::Misconfigured => CarrierError::Misconfigured,
                CarrierError::Unreachable => CarrierError::Unreachable,
            });
        }
        let bearer = body["access_token"].as_str().and_then(Credential::parse);
        let bearer = bearer.ok_or(CarrierError::Unreachable)?;
        let lives = Duration::from_secs(body["expires_in"].as_u64().unwrap_or_default());
        *known = Some(Token {
            bearer: bearer.clone(),
            until: Instant::now() + lives.saturating_sub(MARGIN),
        });
        Ok(bearer)
    }

    async fn send(&self, letter: &Letter) -> Result<Answer, CarrierError> {
        let message = json!({
            "from": {"phoneNumber": format!("+{}", self.from)},
            "to": [{"phoneNumber": format!("+{}", letter.to)}],
            "text": letter.text,
        });
        let path = ["restapi", "v1.0", "account", "~", "extension", "~", "sms"];
        let bearer = self.bearer().await?;
        ask(self
            .service
            .post(&path)
            .bearer_auth(bearer.reveal())
            .json(&message))
        .await
    }
}

#[async_trait]
impl MessageCarrier for RingCentral {
    fn name(&self, _channel: MessageChannel) -> &'static str {
        "ringcentral"
    }

    fn carries(&self, channel: MessageChannel) -> bool {
        channel == MessageChannel::Sms
    }

    async fn carry(&self, letter: &Letter) -> Result<Option<String>, CarrierError> {
        let mut answer = self.send(letter).await?;
        if answer.status == StatusCode::UNAUTHORIZED {
            // Revoked before its time; nothing was sent.
            *self.token.lock().await = None;
            answer = self.send(letter).await?;
        }
        if answer.status.is_success() {
            return Ok(id_of(&answer.body["id"]));
        }
        let code = answer.body["errorCode"].as_str().unwrap_or_default();
        tracing::warn!(
            message = %letter.message_id,
            status = answer.status.as_u16(),
            code = %code.chars().take(40).collect::<String>(),
            "a text message is not taken"
        );
        Err(refused(answer.status))
    }
}
