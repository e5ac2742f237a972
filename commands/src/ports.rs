//! What the write side asks of the world.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::{BookingId, PaymentId, RefundId, TenantId};
use domain::money::Cents;
use domain::payment::{ProviderFact, ProviderRefund};
use domain::place::{Place, Travel, ZipCode};
use uuid::Uuid;

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
