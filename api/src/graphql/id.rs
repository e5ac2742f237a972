//! Global opaque ids: the type and the id, so that `node` can find anything.

use async_graphql::ID;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::document::DocumentNumber;
use domain::ids::{
    ApiKeyId, BookingId, ChefId, ConversationId, CustomerId, EscalationId, JobId, LeadId, MessageId,
    MessageTemplateId, PaymentId, PromoCodeId, RefundId, ReviewId, SessionId, StationId, TenantId, UserId,
    WorkItemId,
};

/// A noun that has a global id.
pub(super) trait Noun: std::fmt::Display + std::str::FromStr {
    /// Name of its type in the schema.
    const NAME: &'static str;
}

macro_rules! nouns {
    ($( $id:ty = $name:literal; )+) => { $( impl Noun for $id { const NAME: &'static str = $name; } )+ };
}

nouns! {
    TenantId = "Organisation";
    StationId = "Station";
    ChefId = "Chef";
    CustomerId = "Customer";
    BookingId = "Booking";
    PaymentId = "Payment";
    RefundId = "Refund";
    DocumentNumber = "Document";
    LeadId = "Lead";
    WorkItemId = "WorkItem";
    PromoCodeId = "PromoCode";
    ReviewId = "Review";
    EscalationId = "Escalation";
    ConversationId = "Conversation";
    MessageId = "Message";
    MessageTemplateId = "MessageTemplate";
    JobId = "Job";
    UserId = "User";
    SessionId = "Session";
    ApiKeyId = "ApiKey";
}

/// The global id of a noun.
pub(super) fn global<N: Noun>(id: N) -> ID {
    named(N::NAME, &id.to_string())
}

/// The global id of something by type and id.
pub(super) fn named(name: &str, id: &str) -> ID {
    ID(URL_SAFE_NO_PAD.encode(format!("{name}:{id}")))
}

/// Type and id behind a global id; none for what is not one of ours.
pub(super) fn parts(id: &ID) -> Option<(String, String)> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(id.as_bytes()).ok()?).ok()?;
    let (name, id) = text.split_once(':')?;
    Some((name.to_owned(), id.to_owned()))
}

/// The noun behind a global id; none for what is not one, or is another noun's.
pub(super) fn local<N: Noun>(id: &ID) -> Option<N> {
    let (name, id) = parts(id)?;
    (name == N::NAME).then(|| id.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_leads_back_to_its_noun_and_to_no_other() {
        let booking = BookingId(uuid::Uuid::from_u128(7));
        let id = global(booking);
        assert_eq!(local::<BookingId>(&id), Some(booking));
        assert_eq!(local::<PaymentId>(&id), None);
        for odd in ["", "Booking:7", "%%%", "Qm9va2luZzo3"] {
            assert_eq!(local::<BookingId>(&ID(odd.to_owned())), None, "{odd}");
        }
    }
}
