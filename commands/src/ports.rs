//! What the write side asks of the world.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::envelope::Position;
use domain::ids::{BookingId, MessageId, PaymentId, RefundId, TenantId};
use domain::message::{MessageChannel, MessageKind};
use domain::money::Cents;
use domain::payment::{ProviderFact, ProviderRefund};
use domain::place::{Place, Travel, ZipCode};
use event_log::LogError;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::assistant::{CompanyFacts, Question};

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The present instant, UTC.
    fn now(&self) -> DateTime<Utc>;
}

/// Makes identifiers.
pub trait Ids: Send + Sync {
    /// A new id; later ones sort after earlier ones.
    fn next(&self, now: DateTime<Utc>) -> Uuid;
}

/// Knows where ZIP codes are.
pub trait Places: Send + Sync {
    /// What is known of a ZIP; none for one that does not exist.
    fn find(&self, zip: &ZipCode) -> Option<Place>;
    /// The way from one ZIP to another; none where one is unknown.
    fn travel(&self, from: &ZipCode, to: &ZipCode) -> Option<Travel>;
}

/// Charges cards, and gives back what was charged. Never called within a database transaction.
#[async_trait]
pub trait PaymentGateway: Send + Sync {
    /// Makes an intent, for the customer to pay. The same key gives the same intent.
    async fn create_intent(&self, key: &str, ask: &IntentAsk) -> Result<CardIntent, GatewayError>;

    /// An intent as it stands.
    async fn intent(&self, id: &str) -> Result<CardIntent, GatewayError>;

    /// Gives money of a charged intent back. The same key gives it back once.
    async fn refund(&self, key: &str, ask: &RefundAsk) -> Result<ProviderRefund, GatewayError>;

    /// What was given back of an intent so far.
    async fn refunds(&self, intent_id: &str) -> Result<Vec<ProviderRefund>, GatewayError>;
}

/// Money that a customer is to pay by card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntentAsk {
    /// The company.
    pub tenant: TenantId,
    /// What for.
    pub booking_id: BookingId,
    /// That booking's number.
    pub booking_number: String,
    /// The payment that it will be.
    pub payment_id: PaymentId,
    /// How much, all parts together, in cents.
    pub total_cents: Cents,
}

/// What the provider made of it.
#[derive(Clone, PartialEq, Eq)]
pub struct CardIntent {
    /// The provider's id of it.
    pub id: String,
    /// With which the customer's browser pays it; no part of any event or log line.
    pub client_secret: Option<String>,
    /// The company that it was made for, where it was made here.
    pub tenant: Option<TenantId>,
    /// The payment that it was made for, where it was made here.
    pub payment_id: Option<PaymentId>,
    /// What has become of it; none where that cannot be told.
    pub fact: Option<ProviderFact>,
}

impl std::fmt::Debug for CardIntent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CardIntent")
            .field("id", &self.id)
            .field("payment_id", &self.payment_id)
            .finish_non_exhaustive()
    }
}

/// Money that a customer is to get back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundAsk {
    /// The company.
    pub tenant: TenantId,
    /// The provider's id of what was charged.
    pub intent_id: String,
    /// The payment.
    pub payment_id: PaymentId,
    /// Its refund.
    pub refund_id: RefundId,
    /// How much, all parts together, in cents.
    pub total_cents: Cents,
}

/// Why the provider did not do it, or may not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GatewayError {
    /// It said no, and will again.
    #[error("the payment provider refuses: {code}")]
    Refused {
        /// The provider's word for why: `charge_already_refunded`.
        code: String,
    },
    /// It did not answer, or not now; whether it did it is unknown. The same key is safe to ask again with.
    #[error("the payment provider does not answer: {0}")]
    Unreachable(String),
    /// It answered with what cannot be read; whether it did it is unknown.
    #[error("the payment provider's answer cannot be read")]
    Unreadable,
    /// The key was used for something else.
    #[error("the payment provider was asked for something else under this key")]
    KeyReused,
    /// It does not know us, or this program asked what it may not: for the operator to mend.
    #[error("the payment provider does not let us in: {code}")]
    Misconfigured {
        /// The provider's word for why.
        code: String,
    },
}

/// Keeps customers' pictures and videos, beside the log. Names have folders in them.
#[async_trait]
pub trait MediaStore: Send + Sync {
    /// Keeps a file, whole; over the one of the name, if there is one.
    async fn put(&self, name: &str, bytes: Vec<u8>) -> Result<(), StoreError>;

    /// A file; none where there is none of the name.
    async fn get(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Names and sizes of the files below a folder, in no order.
    async fn list(&self, folder: &str) -> Result<Vec<(String, i64)>, StoreError>;

    /// Destroys every file below a folder.
    async fn delete(&self, folder: &str) -> Result<(), StoreError>;

    /// Destroys a file, if there is one of the name.
    async fn remove(&self, name: &str) -> Result<(), StoreError>;
}

/// The store did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the store of files does not answer: {0}")]
pub struct StoreError(pub String);

/// Answers customers. Never called within a database transaction.
#[async_trait]
pub trait Assistant: Send + Sync {
    /// What to say to a question, from the company's facts; none where it has nothing to say. An answer that names an
    /// amount which is in no facts is not used.
    async fn answer(&self, question: &Question, facts: &CompanyFacts) -> Option<String>;
}

/// Takes messages to customers. Never called within a database transaction, and with the same message again when it is not
/// known whether it took it.
#[async_trait]
pub trait MessageCarrier: Send + Sync {
    /// Its name in events, for what goes that way: `log`, `smtp`.
    fn name(&self, channel: MessageChannel) -> &'static str;

    /// Whether it goes that way.
    fn carries(&self, channel: MessageChannel) -> bool;

    /// Takes a message, and says by which id it knows it. The same message again is the same, where the other end can tell.
    async fn carry(&self, letter: &Letter) -> Result<Option<String>, CarrierError>;
}

/// A message, written and addressed.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// The company.
    pub tenant: TenantId,
    /// The company's name, for channels that show who writes.
    pub company: String,
    /// The message: what it is known by however often it is handed over.
    pub message_id: MessageId,
    /// What for; none for an answer in a conversation.
    pub kind: Option<MessageKind>,
    /// How it goes out.
    pub channel: MessageChannel,
    /// Where to: an e-mail address, or the digits of a phone number with the country code.
    pub to: String,
    /// Its subject line, where the channel has one.
    pub subject_line: Option<String>,
    /// Its words.
    pub text: String,
}

impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Letter")
            .field("message_id", &self.message_id)
            .field("channel", &self.channel)
            .finish_non_exhaustive()
    }
}

/// Why a message was not taken, or may not have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CarrierError {
    /// Nobody answered, or not now; whether it was taken is unknown.
    #[error("the carrier of messages does not answer")]
    Unreachable,
    /// It was refused, and will be again.
    #[error("the carrier of messages refuses")]
    Refused,
    /// The carrier does not know us: for the operator to mend, and to be tried again.
    #[error("the carrier of messages does not let us in")]
    Misconfigured,
}

/// Holds logs against their hashes. Never called within a database transaction.
#[async_trait]
pub trait LogCheck: Send + Sync {
    /// Holds a company's log against its hashes, from where it was checked to or from its beginning, up to its head or until
    /// so much time has passed.
    async fn check_on(
        &self,
        tenant: TenantId,
        from: Option<CheckedTo>,
        at_most: Duration,
    ) -> Result<LogChecked, LogCheckError>;
}

/// Up to where a log was found to be as it was written: the end of a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckedTo {
    /// The last event.
    pub position: Position,
    /// Number of the block that it closes.
    pub block: i64,
    /// That block's hash, in hexadecimal digits.
    pub block_hash: String,
}

/// How far a log is as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogChecked {
    /// Up to where.
    pub to: CheckedTo,
    /// Whether that was its head when the check began; otherwise the time was over.
    pub is_head: bool,
}

/// Why a log is not known to be as it was written.
#[derive(Debug, thiserror::Error)]
pub enum LogCheckError {
    /// It is not: what is wrong first.
    #[error("the log is not as it was written: {0}")]
    Changed(String),
    /// It could not be read.
    #[error("the log cannot be read")]
    Unavailable(#[source] LogError),
}

/// All ports of the write side. Cheap to clone.
#[derive(Clone)]
pub struct Ports {
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes identifiers.
    pub ids: Arc<dyn Ids>,
    /// Knows where ZIP codes are.
    pub places: Arc<dyn Places>,
}

impl Ports {
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(crate) fn id(&self) -> Uuid {
        self.ids.next(self.clock.now())
    }
}
