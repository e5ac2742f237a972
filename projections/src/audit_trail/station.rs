//! Which station is an event about?

use domain::booking::BookingEvent;
use domain::conversation::ConversationEvent;
use domain::document::DocumentEvent;
use domain::escalation::EscalationEvent;
use domain::ids::StationId;
use domain::job::JobEvent;
use domain::lead::LeadEvent;
use domain::message::MessageEvent;
use domain::organisation::OrganisationEvent;
use domain::recorded::{DomainEvent, Recorded};
use domain::work_item::WorkItemEvent;

/// The station that an event is about; none for what concerns the whole company, such as customers, chefs, users and tax
/// rates, and for a confirmation, a note or accepted terms of a program that did not write the station.
pub(crate) fn of(event: &Recorded) -> Option<StationId> {
    match &event.event {
        DomainEvent::Station(_) | DomainEvent::PriceList(_) => event.stream.id.parse().ok(),
        DomainEvent::Booking(booking) => match booking {
            BookingEvent::Requested(requested) => Some(requested.station_id),
            BookingEvent::Confirmed(confirmed) => confirmed.station_id,
            BookingEvent::Completed(completed) => Some(completed.station_id),
            BookingEvent::Cancelled(cancelled) => Some(cancelled.station_id),
            BookingEvent::Expired(expired) => Some(expired.station_id),
            BookingEvent::DepositDueExtended(extended) => Some(extended.station_id),
            BookingEvent::GuestCountChanged(changed) => Some(changed.station_id),
            BookingEvent::MenuChanged(changed) => Some(changed.station_id),
            BookingEvent::Rescheduled(moved) => Some(moved.station_id),
            BookingEvent::ChefAssigned(assigned) => Some(assigned.station_id),
            BookingEvent::ChefUnassigned(unassigned) => Some(unassigned.station_id),
            BookingEvent::Deleted(deleted) => Some(deleted.station_id),
            BookingEvent::Restored(restored) => Some(restored.station_id),
            BookingEvent::TaxPlaceSet(set) => Some(set.station_id),
            BookingEvent::TaxAdjusted(adjusted) => Some(adjusted.station_id),
            BookingEvent::NoteAdded(added) => added.station_id,
            BookingEvent::TermsAccepted(accepted) => accepted.station_id,
        },
        DomainEvent::Payment(payment) => Some(payment.booking().station_id),
        DomainEvent::WorkItem(WorkItemEvent::Opened(opened)) => opened.station_id,
        DomainEvent::WorkItem(WorkItemEvent::Resolved(resolved)) => resolved.station_id,
        DomainEvent::WorkItem(WorkItemEvent::Settled(settled)) => settled.station_id,
        DomainEvent::Review(review) => Some(review.party().station_id),
        DomainEvent::Message(message) => match message {
            MessageEvent::Requested(requested) => requested.station_id,
            MessageEvent::Sent(sent) => sent.station_id,
            MessageEvent::Suppressed(suppressed) => suppressed.station_id,
            MessageEvent::Failed(failed) => failed.station_id,
        },
        DomainEvent::Job(job) => match job {
            JobEvent::Failed(failed) => failed.job.station_id,
            JobEvent::Died(died) => died.job.station_id,
            JobEvent::Retried(retried) => retried.job.station_id,
            JobEvent::Dropped(dropped) => dropped.job.station_id,
            JobEvent::Completed(completed) => completed.job.station_id,
        },
        DomainEvent::Conversation(ConversationEvent::Started(started)) => started.station_id,
        DomainEvent::Escalation(escalation) => match escalation {
            EscalationEvent::Opened(opened) => opened.station_id,
            EscalationEvent::Assigned(assigned) => assigned.station_id,
            EscalationEvent::Joined(joined) => joined.station_id,
            EscalationEvent::Resolved(resolved) => resolved.station_id,
            EscalationEvent::AssistantResumed(resumed) => resumed.station_id,
            EscalationEvent::Surveyed(surveyed) => surveyed.station_id,
        },
        DomainEvent::Lead(lead) => Some(match lead {
            LeadEvent::Captured(captured) => captured.station_id,
            LeadEvent::Contacted(contacted) => contacted.station_id,
            LeadEvent::Won(won) => won.station_id,
            LeadEvent::Lost(lost) => lost.station_id,
            LeadEvent::FollowUpSet(set) => set.station_id,
            LeadEvent::FollowUpDone(done) => done.station_id,
            LeadEvent::Purged(purged) => purged.station_id,
        }),
        DomainEvent::Document(DocumentEvent::Issued(issued)) => Some(issued.issuer.station_id),
        DomainEvent::Organisation(OrganisationEvent::StationAdded(added)) => Some(added.station_id),
        DomainEvent::Organisation(
            OrganisationEvent::Created(_)
            | OrganisationEvent::TaxChoiceMade(_)
            | OrganisationEvent::KeptDepositTaxChosen(_)
            | OrganisationEvent::RefundLimitSet(_)
            | OrganisationEvent::WebhookRefused(_)
            | OrganisationEvent::ReviewSettingsChanged(_)
            | OrganisationEvent::ReviewRoutingSet(_)
            | OrganisationEvent::LeadWindowSet(_)
            | OrganisationEvent::MessageSettingsChanged(_)
            | OrganisationEvent::SecondFactorRuleSet(_)
            | OrganisationEvent::FeatureFlagSet(_),
        )
        | DomainEvent::Conversation(
            ConversationEvent::MessagePosted(_)
            | ConversationEvent::AssistantSilenced(_)
            | ConversationEvent::AssistantResumed(_)
            | ConversationEvent::AnswerSent(_)
            | ConversationEvent::AnswerUndelivered(_),
        )
        | DomainEvent::Chef(_)
        | DomainEvent::User(_)
        | DomainEvent::Customer(_)
        | DomainEvent::PromoCode(_)
        | DomainEvent::MessageTemplate(_)
        | DomainEvent::DocumentSeries(_)
        | DomainEvent::TaxPeriod(_)
        | DomainEvent::TaxRate(_) => None,
    }
}
