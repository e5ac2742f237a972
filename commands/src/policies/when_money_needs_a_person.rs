//! When more or less has come for a booking than it costs, when money comes for one that is over, when a bank disputes and
//! when a refund fails, a person is told. What becomes right by itself is taken out of the queue again.

mod account;

use domain::booking::BookingEvent;
use domain::payment::PaymentEvent;
use domain::recorded::{DomainEvent, Recorded};

use super::{Answers, Policy, Reaction, Reply};
pub(in crate::policies) use account::Account;

/// Fills the work queue.
pub struct WhenMoneyNeedsAPerson;

impl Policy for WhenMoneyNeedsAPerson {
    type State = Account;
    const NAME: &'static str = "when_money_needs_a_person";
    const ANSWERS: Answers = Answers::TimeToo;

    fn process(event: &Recorded) -> Option<String> {
        match &event.event {
            DomainEvent::Booking(_) => Some(event.stream.id.clone()),
            DomainEvent::Payment(payment) => {
                let looked_at = payment.money().is_some()
                    || matches!(
                        payment,
                        PaymentEvent::DisputeOpened(_)
                            | PaymentEvent::DisputeClosed(_)
                            | PaymentEvent::RefundFailed(_)
                    );
                looked_at.then(|| payment.booking().booking_id.to_string())
            }
            DomainEvent::Organisation(_)
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

    fn react(state: Option<Account>, event: &Recorded) -> Reaction<Account> {
        match &event.event {
            DomainEvent::Booking(BookingEvent::Requested(requested)) => {
                Reaction::keep(Some(Account::of(requested)))
            }
            DomainEvent::Booking(booking) => match state {
                Some(account) => account.changed(event, booking),
                None => Reaction::keep(None),
            },
            DomainEvent::Payment(payment) => match state {
                Some(account) => account.paid(event, payment),
                None => Reaction::keep(None),
            },
            DomainEvent::Organisation(_)
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
            | DomainEvent::Lead(_) => Reaction::keep(state),
        }
    }

    fn due(_process: &str, _state: Account) -> Option<Reply> {
        None
    }
}

#[cfg(test)]
mod tests;
