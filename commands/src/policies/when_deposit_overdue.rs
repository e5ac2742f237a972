//! When the deposit has not come by the time it was due, the booking is given up and its place is free.

use domain::booking::{BookingEvent, BookingStatus};
use domain::recorded::{DomainEvent, Recorded};
use serde::{Deserialize, Serialize};

use super::{Answers, Policy, Reaction, Reply, when_deposit_captured::booking_of};

/// Gives up bookings.
pub struct WhenDepositOverdue;

/// A booking whose deposit is awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Awaited {}

impl Policy for WhenDepositOverdue {
    type State = Awaited;
    const NAME: &'static str = "when_deposit_overdue";
    const ANSWERS: Answers = Answers::TimeToo;

    fn process(event: &Recorded) -> Option<String> {
        match &event.event {
            DomainEvent::Booking(booking) => about_the_deposit(booking).then(|| event.stream.id.clone()),
            DomainEvent::Payment(_)
            | DomainEvent::Organisation(_)
            | DomainEvent::Station(_)
            | DomainEvent::Chef(_)
            | DomainEvent::User(_)
            | DomainEvent::Customer(_)
            | DomainEvent::PriceList(_)
            | DomainEvent::TaxRate(_)
            | DomainEvent::WorkItem(_)
            | DomainEvent::MessageTemplate(_)
            | DomainEvent::Job(_)
            | DomainEvent::Conversation(_)
            | DomainEvent::Review(_)
            | DomainEvent::Escalation(_)
            | DomainEvent::Message(_)
            | DomainEvent::TaxPeriod(_)
            | DomainEvent::Document(_)
            | DomainEvent::DocumentSeries(_)
            | DomainEvent::PromoCode(_)
            | DomainEvent::Lead(_) => None,
        }
    }

    fn react(_state: Option<Awaited>, event: &Recorded) -> Reaction<Awaited> {
        match &event.event {
            DomainEvent::Booking(BookingEvent::Requested(requested)) => Reaction {
                state: Some(Awaited {}),
                wake_at: Some(requested.deposit_due_at),
                reply: None,
            },
            DomainEvent::Booking(BookingEvent::DepositDueExtended(extended)) => Reaction {
                state: Some(Awaited {}),
                wake_at: Some(extended.due_at),
                reply: None,
            },
            DomainEvent::Booking(BookingEvent::Rescheduled(moved)) if moved.deposit_due_at.is_some() => {
                Reaction {
                    state: Some(Awaited {}),
                    wake_at: moved.deposit_due_at,
                    reply: None,
                }
            }
            DomainEvent::Booking(BookingEvent::Restored(restored))
                if restored.status == BookingStatus::Requested =>
            {
                Reaction {
                    state: Some(Awaited {}),
                    wake_at: Some(restored.deposit_due_at),
                    reply: None,
                }
            }
            DomainEvent::Booking(
                BookingEvent::Confirmed(_)
                | BookingEvent::Completed(_)
                | BookingEvent::Cancelled(_)
                | BookingEvent::Expired(_)
                | BookingEvent::Deleted(_)
                | BookingEvent::Restored(_)
                | BookingEvent::GuestCountChanged(_)
                | BookingEvent::MenuChanged(_)
                | BookingEvent::Rescheduled(_)
                | BookingEvent::ChefAssigned(_)
                | BookingEvent::ChefUnassigned(_)
                | BookingEvent::NoteAdded(_)
                | BookingEvent::TermsAccepted(_)
                | BookingEvent::TaxPlaceSet(_)
                | BookingEvent::TaxAdjusted(_),
            )
            | DomainEvent::Payment(_)
            | DomainEvent::Organisation(_)
            | DomainEvent::Station(_)
            | DomainEvent::Chef(_)
            | DomainEvent::User(_)
            | DomainEvent::Customer(_)
            | DomainEvent::PriceList(_)
            | DomainEvent::TaxRate(_)
            | DomainEvent::WorkItem(_)
            | DomainEvent::MessageTemplate(_)
            | DomainEvent::Job(_)
            | DomainEvent::Conversation(_)
            | DomainEvent::Review(_)
            | DomainEvent::Escalation(_)
            | DomainEvent::Message(_)
            | DomainEvent::TaxPeriod(_)
            | DomainEvent::Document(_)
            | DomainEvent::DocumentSeries(_)
            | DomainEvent::PromoCode(_)
            | DomainEvent::Lead(_) => Reaction::keep(None),
        }
    }

    fn due(process: &str, _state: Awaited) -> Option<Reply> {
        booking_of(process).map(|booking_id| Reply::ExpireBooking { booking_id })
    }
}

/// Whether an event says until when a deposit is awaited, or that none is. The others leave that as it was: a party that
/// is moved has no more time to pay, and less where it is moved to before the deposit was due.
fn about_the_deposit(event: &BookingEvent) -> bool {
    match event {
        BookingEvent::Requested(_)
        | BookingEvent::DepositDueExtended(_)
        | BookingEvent::Confirmed(_)
        | BookingEvent::Completed(_)
        | BookingEvent::Cancelled(_)
        | BookingEvent::Expired(_)
        | BookingEvent::Deleted(_)
        | BookingEvent::Restored(_) => true,
        BookingEvent::Rescheduled(moved) => moved.deposit_due_at.is_some(),
        BookingEvent::GuestCountChanged(_)
        | BookingEvent::MenuChanged(_)
        | BookingEvent::ChefAssigned(_)
        | BookingEvent::ChefUnassigned(_)
        | BookingEvent::NoteAdded(_)
        | BookingEvent::TermsAccepted(_)
        | BookingEvent::TaxPlaceSet(_)
        | BookingEvent::TaxAdjusted(_) => false,
    }
}
