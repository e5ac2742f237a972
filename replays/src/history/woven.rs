//! What belongs to a booking, in other streams than its own.

use std::collections::BTreeSet;
use std::pin::pin;

use domain::decider::Decider;
use domain::document::{DocumentEvent, Documents};
use domain::envelope::{Position, StreamId};
use domain::escalation::{Escalation, EscalationEvent};
use domain::ids::TenantId;
use domain::job::{Job, JobCompleted, JobDied, JobDropped, JobEvent, JobFailed, JobRetried};
use domain::lead::{Lead, LeadEvent};
use domain::message::{Message, MessageEvent};
use domain::payment::Payment;
use domain::recorded::DomainEvent;
use domain::review::Review;
use domain::work_item::{WorkItem, WorkItemEvent};
use event_log::EventLog;
use futures::TryStreamExt;
use uuid::Uuid;

use super::HistoryError;
use super::find::read;

/// Kinds of streams that may belong to a booking.
const KINDS: [&str; 8] = [
    Payment::STREAM,
    Documents::STREAM,
    Message::STREAM,
    Review::STREAM,
    Escalation::STREAM,
    WorkItem::STREAM,
    Lead::STREAM,
    Job::STREAM,
];

/// The streams that belong to a booking: its payments, documents, messages, its review, and the escalations, work items and
/// jobs about any of them, and the lead that it came from. What an event is about is in the log before it, so that one walk
/// from the booking's first event on finds all.
pub(super) async fn belonging(
    log: &EventLog,
    tenant: TenantId,
    booking: &StreamId,
) -> Result<Vec<StreamId>, HistoryError> {
    let first = log.read_stream(tenant, booking).await?;
    let after = first.first().map_or(Position::START, |event| event.position);
    let is_of_kind = |name: &str| {
        let kind = name.split_once('.').map(|(kind, _)| kind);
        kind.is_some_and(|kind| KINDS.contains(&kind))
    };
    let types: Vec<&str> = domain::recorded::catalogue()
        .into_iter()
        .map(|event| event.name)
        .filter(|name| is_of_kind(name))
        .collect();
    // Of many events few name any of these, and only those are read back.
    let mut ids = BTreeSet::from([booking.id.clone()]);
    let mut found = BTreeSet::new();
    let mut events = pin!(log.stream_types(tenant, after, &types));
    while let Some(stored) = events.try_next().await? {
        if found.contains(&stored.stream) || !ids.iter().any(|id| stored.payload.contains(id.as_str())) {
            continue;
        }
        let stream = stored.stream.clone();
        let about = about(&read(stored)?);
        if about.iter().any(|id| ids.contains(&id.to_string())) {
            ids.insert(stream.id.clone());
            found.insert(stream);
        }
    }
    Ok(found.into_iter().collect())
}

/// What an event says that its stream is about: ids of bookings, payments, reviews and messages.
fn about(event: &DomainEvent) -> Vec<Uuid> {
    match event {
        DomainEvent::Payment(payment) => vec![payment.booking().booking_id.0],
        DomainEvent::Document(DocumentEvent::Issued(issued)) => vec![issued.party.booking_id.0],
        DomainEvent::Review(review) => vec![review.party().booking_id.0],
        DomainEvent::Message(MessageEvent::Requested(asked)) => {
            asked.booking_id.map(|id| id.0).into_iter().collect()
        }
        DomainEvent::Escalation(EscalationEvent::Opened(opened)) => {
            let subject = &opened.subject;
            let ids = [
                subject.booking_id.map(|id| id.0),
                subject.review_id.map(|id| id.0),
                subject.payment_id.map(|id| id.0),
            ];
            ids.into_iter().flatten().collect()
        }
        DomainEvent::WorkItem(WorkItemEvent::Opened(opened)) => {
            let ids = [opened.booking_id.map(|id| id.0), opened.payment_id.map(|id| id.0)];
            ids.into_iter().flatten().collect()
        }
        DomainEvent::Lead(LeadEvent::Won(won)) => won.booking_id.map(|id| id.0).into_iter().collect(),
        DomainEvent::Job(
            JobEvent::Failed(JobFailed { job, .. })
            | JobEvent::Died(JobDied { job, .. })
            | JobEvent::Retried(JobRetried { job, .. })
            | JobEvent::Dropped(JobDropped { job, .. })
            | JobEvent::Completed(JobCompleted { job, .. }),
        ) => vec![job.subject],
        // What goes on in a stream that is found, or in one of no booking.
        DomainEvent::Message(_)
        | DomainEvent::Escalation(_)
        | DomainEvent::WorkItem(_)
        | DomainEvent::Lead(_)
        | DomainEvent::Organisation(_)
        | DomainEvent::Station(_)
        | DomainEvent::Chef(_)
        | DomainEvent::User(_)
        | DomainEvent::Customer(_)
        | DomainEvent::Booking(_)
        | DomainEvent::PriceList(_)
        | DomainEvent::PromoCode(_)
        | DomainEvent::TaxRate(_)
        | DomainEvent::TaxPeriod(_)
        | DomainEvent::DocumentSeries(_)
        | DomainEvent::Conversation(_)
        | DomainEvent::MessageTemplate(_) => Vec::new(),
    }
}
