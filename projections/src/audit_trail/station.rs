//! Which station is an event about?

use domain::booking::BookingEvent;
use domain::document::DocumentEvent;
use domain::ids::StationId;
use domain::lead::LeadEvent;
use domain::organisation::OrganisationEvent;
use domain::recorded::{DomainEvent, Recorded};
use domain::work_item::WorkItemEvent;

/// The station that an event is about; none for what concerns the whole company, such as customers, chefs, users and tax
/// rates, and for a confirmation, a note or accepted terms of a program that did not write the station.
pub(super) fn of(event: &Recorded) -> Option<StationId> {
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
        DomainEvent::Lead(LeadEvent::Captured(captured)) => Some(captured.station_id),
        DomainEvent::Document(DocumentEvent::Issued(issued)) => Some(issued.issuer.station_id),
        DomainEvent::Organisation(OrganisationEvent::StationAdded(added)) => Some(added.station_id),
        DomainEvent::Organisation(
            OrganisationEvent::Created(_)
            | OrganisationEvent::TaxChoiceMade(_)
            | OrganisationEvent::KeptDepositTaxChosen(_)
            | OrganisationEvent::RefundLimitSet(_)
            | OrganisationEvent::WebhookRefused(_),
        )
        | DomainEvent::Chef(_)
        | DomainEvent::User(_)
        | DomainEvent::Customer(_)
        | DomainEvent::PromoCode(_)
        | DomainEvent::DocumentSeries(_)
        | DomainEvent::TaxPeriod(_)
        | DomainEvent::TaxRate(_) => None,
    }
}
