//! Which station is an event about?

use domain::booking::BookingEvent;
use domain::ids::StationId;
use domain::lead::LeadEvent;
use domain::organisation::OrganisationEvent;
use domain::payment::PaymentEvent;
use domain::recorded::{DomainEvent, Recorded};

/// The station that an event is about; none for what concerns the whole company, such as customers, chefs, users and tax
/// rates, for notes and accepted terms, and for a confirmation by a program that did not write the station.
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
            BookingEvent::NoteAdded(_) | BookingEvent::TermsAccepted(_) => None,
        },
        DomainEvent::Payment(payment) => Some(match payment {
            PaymentEvent::Claimed(claimed) => claimed.booking.station_id,
            PaymentEvent::Verified(verified) => verified.booking.station_id,
            PaymentEvent::Rejected(rejected) => rejected.booking.station_id,
        }),
        DomainEvent::Lead(LeadEvent::Captured(captured)) => Some(captured.station_id),
        DomainEvent::Organisation(OrganisationEvent::StationAdded(added)) => Some(added.station_id),
        DomainEvent::Organisation(OrganisationEvent::Created(_))
        | DomainEvent::Chef(_)
        | DomainEvent::User(_)
        | DomainEvent::Customer(_)
        | DomainEvent::TaxRate(_) => None,
    }
}
