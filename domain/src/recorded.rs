//! Recorded events, read back with their types: what folds and policies look at.

use chrono::{DateTime, Utc};

use crate::booking::{Booking, BookingEvent};
use crate::chef::{Chef, ChefEvent};
use crate::conversation::{Conversation, ConversationEvent};
use crate::customer::{Customer, CustomerEvent};
use crate::decider::{Decider, DecodeError, Event, EventKind};
use crate::document::series::{DocumentSeries, DocumentSeriesEvent};
use crate::document::{DocumentEvent, Documents};
use crate::envelope::{Position, RecordedMeta, StoredEvent, StreamId, Version};
use crate::escalation::{Escalation, EscalationEvent};
use crate::ids::{EventId, TenantId};
use crate::job::{Job, JobEvent};
use crate::lead::{Lead, LeadEvent};
use crate::message::{Message, MessageEvent};
use crate::message_template::{MessageTemplate, MessageTemplateEvent};
use crate::organisation::{Organisation, OrganisationEvent};
use crate::payment::{Payment, PaymentEvent};
use crate::price_list::{PriceList, PriceListEvent};
use crate::promo_code::{PromoCode, PromoCodeEvent};
use crate::review::{Review, ReviewEvent};
use crate::station::{Station, StationEvent};
use crate::tax_period::{TaxPeriodEvent, TaxPeriods};
use crate::tax_rate::{CountyRates, TaxRateEvent};
use crate::user::{User, UserEvent};
use crate::work_item::{WorkItem, WorkItemEvent};

/// Work that is done alike for every kind of aggregate.
pub trait KindVisitor {
    /// What comes of it.
    type Output;

    /// Does it for the aggregates of one kind.
    fn visit<D: Decider>(self) -> Self::Output;
}

macro_rules! domain_events {
    ($( $variant:ident($event:ty, $aggregate:ty); )+) => {
        /// Any event of any aggregate.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum DomainEvent {
            $(
                #[doc = concat!("An event of the aggregate ", stringify!($aggregate), ".")]
                $variant($event),
            )+
        }

        impl DomainEvent {
            /// Reads a stored payload back.
            ///
            /// # Errors
            /// [`DecodeError`] names what is unknown or does not fit.
            pub fn decode(name: &str, version: u16, payload: &str) -> Result<Self, DecodeError> {
                match name.split_once('.').map(|(kind, _)| kind) {
                    $( Some(<$aggregate>::STREAM) => <$event>::decode(name, version, payload).map(Self::$variant), )+
                    Some(_) | None => Err(DecodeError::Unknown { name: name.to_owned(), version }),
                }
            }

            /// Stable wire name.
            pub fn name(&self) -> &'static str {
                match self { $( Self::$variant(event) => event.name(), )+ }
            }

            /// The persons whose data keys recording the event destroyed.
            pub fn erases(&self) -> Vec<crate::ids::SubjectId> {
                match self { $( Self::$variant(event) => event.erases(), )+ }
            }

            /// What the event takes and releases.
            pub fn claims(&self) -> Vec<crate::envelope::Claim> {
                match self { $( Self::$variant(event) => event.claims(), )+ }
            }
        }

        /// Calls a visitor with the aggregate of a kind; none where there is no such kind.
        pub fn visit_kind<V: KindVisitor>(kind: &str, visitor: V) -> Option<V::Output> {
            match kind {
                $( <$aggregate>::STREAM => Some(visitor.visit::<$aggregate>()), )+
                _ => None,
            }
        }

        /// Every event of every aggregate: the catalogue.
        pub fn catalogue() -> Vec<EventKind> {
            let mut kinds = Vec::new();
            $( kinds.extend(<$event>::kinds()); )+
            kinds
        }
    };
}

domain_events! {
    Organisation(OrganisationEvent, Organisation);
    Station(StationEvent, Station);
    Chef(ChefEvent, Chef);
    User(UserEvent, User);
    Customer(CustomerEvent, Customer);
    Booking(BookingEvent, Booking);
    Payment(PaymentEvent, Payment);
    PriceList(PriceListEvent, PriceList);
    PromoCode(PromoCodeEvent, PromoCode);
    TaxRate(TaxRateEvent, CountyRates);
    TaxPeriod(TaxPeriodEvent, TaxPeriods);
    Document(DocumentEvent, Documents);
    DocumentSeries(DocumentSeriesEvent, DocumentSeries);
    Lead(LeadEvent, Lead);
    WorkItem(WorkItemEvent, WorkItem);
    Escalation(EscalationEvent, Escalation);
    Conversation(ConversationEvent, Conversation);
    Message(MessageEvent, Message);
    MessageTemplate(MessageTemplateEvent, MessageTemplate);
    Job(JobEvent, Job);
    Review(ReviewEvent, Review);
}

/// An event as it stands in the log, with its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Whose log.
    pub tenant: TenantId,
    /// Place in that log.
    pub position: Position,
    /// Stream it belongs to.
    pub stream: StreamId,
    /// Place in the stream, from 1.
    pub sequence: Version,
    /// Its identity.
    pub event_id: EventId,
    /// When the database recorded it.
    pub recorded_at: DateTime<Utc>,
    /// Who, through what, why.
    pub meta: RecordedMeta,
    /// What happened.
    pub event: DomainEvent,
}

impl TryFrom<StoredEvent> for Recorded {
    type Error = DecodeError;

    fn try_from(stored: StoredEvent) -> Result<Self, DecodeError> {
        let event = DomainEvent::decode(&stored.event_type, stored.event_version, &stored.payload)?;
        let meta = serde_json::from_str(&stored.metadata).map_err(|error| DecodeError::Shape {
            name: stored.event_type,
            version: stored.event_version,
            reason: format!("metadata: {error}"),
        })?;
        Ok(Self {
            tenant: stored.tenant,
            position: stored.position,
            stream: stored.stream,
            sequence: stored.sequence,
            event_id: stored.event_id,
            recorded_at: stored.recorded_at,
            meta,
            event,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_that_is_unknown_is_named() {
        let unknown = DomainEvent::decode("booking.teleported", 1, "{}").unwrap_err();
        assert_eq!(unknown.to_string(), "unknown event booking.teleported version 1");
        let newer = DomainEvent::decode("booking.confirmed", 9, "{}").unwrap_err();
        assert_eq!(newer.to_string(), "unknown event booking.confirmed version 9");
        assert!(DomainEvent::decode("nothing", 1, "{}").is_err());
    }

    #[test]
    fn a_payload_that_does_not_fit_says_what_is_missing() {
        let shape = DomainEvent::decode("station.chef_joined", 1, "{}").unwrap_err();
        assert!(shape.to_string().contains("chef_id"), "{shape}");
    }

    #[test]
    fn every_event_is_named_after_its_aggregate_once() {
        let kinds = catalogue();
        let mut names: Vec<&str> = kinds.iter().map(|kind| kind.name).collect();
        assert!(names.iter().all(|name| name.split_once('.').is_some()));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), kinds.len());
    }
}
