//! Identifiers: newtypes, so that a payment's id cannot be passed for a booking's.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($( $(#[$doc:meta])* $name:ident; )+) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    )+ };
}

id! {
    /// One company on the platform: an organisation and everything it owns.
    TenantId;
    /// A city branch of a company, with its own chefs, zone, capacity and prices.
    StationId;
    /// A chef.
    ChefId;
    /// A person who books.
    CustomerId;
    /// A booking.
    BookingId;
    /// A payment: one movement of money, claimed or captured.
    PaymentId;
    /// Money that is given back, or is to be: one of a payment.
    RefundId;
    /// Something that a person of the company should look at.
    WorkItemId;
    /// A request that did not become a booking and is worth a call.
    LeadId;
    /// A customer's review of a party that was held.
    ReviewId;
    /// A message to a customer.
    MessageId;
    /// How a kind of message is worded, by a channel and in a language.
    MessageTemplateId;
    /// Something that is done beside the commands.
    JobId;
    /// A conversation with a customer.
    ConversationId;
    /// Something that a person of the company must take over.
    EscalationId;
    /// A promo code.
    PromoCodeId;
    /// A person of the company who signs in.
    UserId;
    /// One sign-in, for as long as it is prolonged: what a person sees in the list of places where they are signed in.
    SessionId;
    /// A key with which a program acts for a person of the company.
    ApiKeyId;
    /// The person whose data a sealed value is: the key that erasure destroys.
    SubjectId;
    /// One command: the idempotency key of everything it does, unique within a tenant.
    CommandId;
    /// One recorded event.
    EventId;
}
