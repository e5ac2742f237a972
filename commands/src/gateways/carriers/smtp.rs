//! E-mail by a mail server of the company's, over SMTP.
//!
//! A message has the same `Message-ID` however often it is handed over, so that whoever gets it twice can tell.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use domain::message::MessageChannel;
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, SinglePart};
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Code;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use reqwest::Url;

use super::CarrierSetupError;
use super::service::is_here;
use crate::ports::{CarrierError, Letter, MessageCarrier};

/// The longest name or subject line that is written, in characters: what is longer is cut.
const LONGEST_LINE: usize = 200;

/// How to reach a mail server.
#[derive(Clone)]
pub struct SmtpSetup {
    url: Url,
    from: Mailbox,
    /// How long one step of the talk with the server may take.
    pub timeout: Duration,
}

impl fmt::Debug for SmtpSetup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpSetup")
            .field("host", &self.url.host_str())
            .finish_non_exhaustive()
    }
}

impl SmtpSetup {
    /// How long one step of the talk may take, where nobody has said otherwise.
    pub const TIMEOUT: Duration = Duration::from_secs(6);

    /// The setup of an address, such as `smtps://user:password@mail.example.com`, or `smtp://…?tls=required` for STARTTLS,
    /// and of who writes: `hello@example.com`, or `My Hibachi <hello@example.com>`.
    ///
    /// # Errors
    /// For what is no address, and for a server elsewhere that would be talked to without TLS.
    pub fn parse(url: &str, from: &str) -> Result<Self, CarrierSetupError> {
        let url = Url::parse(url.trim()).map_err(|_| CarrierSetupError("the server's address is none"))?;
        let host = url
            .host_str()
            .ok_or(CarrierSetupError("the server's address has no host"))?;
        let tls = url.query_pairs().find(|(name, _)| name == "tls");
        let is_required = tls.is_some_and(|(_, how)| how == "required");
        match url.scheme() {
            "smtps" => {}
            "smtp" if is_required || is_here(host) => {}
            "smtp" => {
                return Err(CarrierSetupError(
                    "a server elsewhere is talked to by smtps://, or by smtp:// with ?tls=required",
                ));
            }
            _ => {
                return Err(CarrierSetupError(
                    "the server's address is neither smtp nor smtps",
                ));
            }
        }
        let from = from
            .trim()
            .parse()
            .map_err(|_| CarrierSetupError("the sender's address is none"))?;
        Ok(Self {
            url,
            from,
            timeout: Self::TIMEOUT,
        })
    }
}

/// Says that no person wrote it, so that no program answers it (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// A mail server.
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    /// How long all of a talk may take.
    patience: Duration,
}

impl Smtp {
    /// A client of a mail server. It connects with each message.
    ///
    /// # Errors
    /// When the address cannot be used.
    pub fn new(setup: SmtpSetup) -> Result<Self, CarrierSetupError> {
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(setup.url.as_str())
            .map_err(|_| CarrierSetupError("the server's address cannot be used"))?;
        let name = ClientId::Domain(setup.from.email.domain().to_owned());
        Ok(Self {
            transport: builder.timeout(Some(setup.timeout)).hello_name(name).build(),
            patience: setup.timeout * 2,
            from: setup.from,
        })
    }

    /// The message as it is sent, and its id.
    fn write(&self, letter: &Letter) -> Option<(Message, String)> {
        let to: Address = letter.to.parse().ok()?;
        let name = self.from.name.as_deref().unwrap_or(&letter.company);
        let name = Some(one_line(name)).filter(|name| !name.is_empty());
        let id = format!("<{}@{}>", letter.message_id, self.from.email.domain());
        let message = Message::builder()
            .from(Mailbox::new(name, self.from.email.clone()))
            .to(Mailbox::new(None, to))
            .subject(one_line(letter.subject_line.as_deref().unwrap_or_default()))
            .message_id(Some(id.clone()))
            .header(AutoSubmitted)
            .singlepart(SinglePart::plain(letter.text.clone()))
            .ok()?;
        Some((message, id))
    }
}

/// A text as a header holds it: whatever would begin another line is a space.
fn one_line(text: &str) -> String {
    let plain = text
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter });
    plain.take(LONGEST_LINE).collect::<String>().trim().to_owned()
}

#[async_trait]
impl MessageCarrier for Smtp {
    fn name(&self, _channel: MessageChannel) -> &'static str {
        "smtp"
    }

    fn carries(&self, channel: MessageChannel) -> bool {
        channel == MessageChannel::Email
    }

    async fn carry(&self, letter: &Letter) -> Result<Option<String>, CarrierError> {
        let Some((message, id)) = self.write(letter) else {
            tracing::warn!(message = %letter.message_id, "an e-mail has no address that it can go to");
            return Err(CarrierError::Refused);
        };
        match tokio::time::timeout(self.patience, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(Some(id)),
            Ok(Err(error)) => {
                // What the server says may name the customer.
                let code = error.status().map(|code| code.to_string());
                tracing::warn!(message = %letter.message_id, code, "an e-mail is not taken");
                Err(told(&error, letter))
            }
            Err(_) => {
                tracing::warn!(message = %letter.message_id, "an e-mail takes too long");
                Err(CarrierError::Unreachable)
            }
        }
    }
}

fn told(error: &SmtpError, letter: &Letter) -> CarrierError {
    match error.status() {
        Some(code) if error.is_permanent() => permanent(code),
        Some(_) => CarrierError::Unreachable,
        // An address that this server cannot be told (RFC 6531).
        None if error.is_client() && !letter.to.is_ascii() => CarrierError::Refused,
        // It has no TLS, no sign-in that we know, or another's certificate.
        None if error.is_client() || error.is_tls() => CarrierError::Misconfigured,
        None => CarrierError::Unreachable,
    }
}

/// What a permanent refusal means: of us (RFC 4954, RFC 3207), or of the message.
fn permanent(code: Code) -> CarrierError {
    match u16::from(code) {
        530 | 534 | 535 | 538 => CarrierError::Misconfigured,
        _ => CarrierError::Refused,
    }
}
