//! When somebody books who asked in vain before, what was kept of that is won: by e-mail or phone, or by the customer whom
//! it was of already.

use std::collections::BTreeSet;

use domain::booking::BookingEvent;
use domain::customer::CustomerEvent;
use domain::envelope::Position;
use domain::ids::{CustomerId, LeadId};
use domain::lead::LeadEvent;
use domain::recorded::{DomainEvent, Recorded};
use serde::{Deserialize, Serialize};

use super::{Policy, Reaction, Reply};

/// Marks leads as won.
pub struct WhenBookingRequestedByLead;

/// What was kept of a person, as far as one way to find them tells.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    leads: BTreeSet<LeadId>,
}

/// The processes of whoever has this e-mail, and of whoever has this phone.
fn of_contact(email_key: Option<&String>, phone_key: Option<&String>) -> Vec<String> {
    let email = email_key.map(|key| format!("email {key}"));
    let phone = phone_key.map(|key| format!("phone {key}"));
    email.into_iter().chain(phone).collect()
}

fn of_customer(id: CustomerId) -> String {
    format!("customer {id}")
}

impl Kept {
    /// All of it is won by the customer's first booking after a place in the log.
    fn won(self, customer_id: CustomerId, after: Position) -> Reaction<Self> {
        let leads: Vec<LeadId> = self.leads.into_iter().collect();
        let reply = (!leads.is_empty()).then_some(Reply::WinLeads {
            leads,
            customer_id,
            after,
        });
        Reaction {
            state: None,
            wake_at: None,
            reply,
        }
    }
}

impl Policy for WhenBookingRequestedByLead {
    type State = Kept;
    const NAME: &'static str = "when_booking_requested_by_lead";

    fn process(event: &Recorded) -> Option<String> {
        Self::processes(event).into_iter().next()
    }

    fn processes(event: &Recorded) -> Vec<String> {
        if let DomainEvent::Lead(LeadEvent::Captured(lead)) = &event.event {
            return match lead.customer_id {
                Some(customer) => vec![of_customer(customer)],
                None => of_contact(lead.email_key.as_ref(), lead.phone_key.as_ref()),
            };
        }
        if let DomainEvent::Customer(CustomerEvent::Registered(customer)) = &event.event {
            return of_contact(customer.email_key.as_ref(), customer.phone_key.as_ref());
        }
        if let DomainEvent::Booking(BookingEvent::Requested(requested)) = &event.event {
            return vec![of_customer(requested.customer_id)];
        }
        Vec::new()
    }

    fn react(state: Option<Kept>, event: &Recorded) -> Reaction<Kept> {
        let mut kept = state.unwrap_or_default();
        if let DomainEvent::Customer(_) = &event.event {
            // Whoever becomes known does so by booking: the booking is the next in the log.
            return match event.stream.id.parse() {
                Ok(customer) => kept.won(customer, event.position),
                Err(_) => Reaction::keep(Some(kept)),
            };
        }
        if let DomainEvent::Booking(BookingEvent::Requested(requested)) = &event.event {
            return kept.won(requested.customer_id, Position(event.position.0 - 1));
        }
        kept.leads.extend(event.stream.id.parse::<LeadId>());
        Reaction::keep(Some(kept).filter(|kept| !kept.leads.is_empty()))
    }

    fn due(_process: &str, _state: Kept) -> Option<Reply> {
        None
    }
}
