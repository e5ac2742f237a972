//! When more or less has come for a booking than it costs, when money comes for one that is over, when a bank disputes and
//! when a refund fails, a person is told. What becomes right by itself is taken out of the queue again.

use domain::booking::{BookingEvent, BookingStatus};
use domain::ids::{StationId, WorkItemId};
use domain::money::Cents;
use domain::payment::{BookingMoney, PaymentEvent};
use domain::recorded::{DomainEvent, Recorded};
use domain::work_item::{WorkItemOpened, WorkKind};
use serde::{Deserialize, Serialize};

use super::{Policy, Reaction, Reply, WorkStep, when_deposit_captured::booking_of};

/// Fills the work queue.
pub struct WhenMoneyNeedsAPerson;

/// What a booking costs, and what has come for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    number: String,
    station_id: StationId,
    status: BookingStatus,
    price_cents: Cents,
    paid_cents: Cents,
    refunded_cents: Cents,
    waived_cents: Cents,
    /// The item that tells of too much, while it does.
    overpaid: Option<WorkItemId>,
    /// The item that tells of too little, while it does.
    underpaid: Option<WorkItemId>,
    /// Items that tell of money for a booking that is over.
    unexpected: Vec<WorkItemId>,
}

impl Policy for WhenMoneyNeedsAPerson {
    type State = Account;
    const NAME: &'static str = "when_money_needs_a_person";

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
            | DomainEvent::TaxPeriod(_)
            | DomainEvent::Document(_)
            | DomainEvent::DocumentSeries(_)
            | DomainEvent::PromoCode(_)
            | DomainEvent::Lead(_) => None,
        }
    }

    fn react(state: Option<Account>, event: &Recorded) -> Reaction<Account> {
        match &event.event {
            DomainEvent::Booking(BookingEvent::Requested(requested)) => Reaction::keep(Some(Account {
                number: requested.number.clone(),
                station_id: requested.station_id,
                status: BookingStatus::Requested,
                price_cents: requested.quote.total_cents,
                paid_cents: Cents::ZERO,
                refunded_cents: Cents::ZERO,
                waived_cents: Cents::ZERO,
                overpaid: None,
                underpaid: None,
                unexpected: Vec::new(),
            })),
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

impl Account {
    fn money(&self) -> BookingMoney {
        BookingMoney {
            paid_cents: self.paid_cents,
            tip_cents: Cents::ZERO,
            refunded_cents: self.refunded_cents,
            waived_cents: self.waived_cents,
        }
    }

    fn is_over(&self) -> bool {
        match self.status {
            BookingStatus::Cancelled | BookingStatus::Expired => true,
            BookingStatus::Requested | BookingStatus::Confirmed | BookingStatus::Completed => false,
        }
    }

    fn item(&self, event: &Recorded, kind: WorkKind, amount: Cents, detail: String) -> WorkItemOpened {
        let (booking, payment) = if let DomainEvent::Payment(payment) = &event.event {
            (Some(payment.booking().booking_id), event.stream.id.parse().ok())
        } else {
            (booking_of(&event.stream.id), None)
        };
        WorkItemOpened {
            kind,
            station_id: Some(self.station_id),
            booking_id: booking,
            booking_number: Some(self.number.clone()),
            payment_id: payment,
            amount_cents: Some(amount),
            detail,
            mail: None,
            provider_event: None,
            opened_at: event.recorded_at,
        }
    }

    fn changed(mut self, event: &Recorded, booking: &BookingEvent) -> Reaction<Self> {
        let mut steps = Vec::new();
        match booking {
            BookingEvent::GuestCountChanged(changed) => self.price_cents = changed.quote.total_cents,
            BookingEvent::MenuChanged(changed) => self.price_cents = changed.quote.total_cents,
            BookingEvent::Rescheduled(moved) => self.price_cents = moved.quote.total_cents,
            BookingEvent::Confirmed(_) => self.status = BookingStatus::Confirmed,
            BookingEvent::Cancelled(_) => self.status = BookingStatus::Cancelled,
            BookingEvent::Restored(restored) => self.status = restored.status,
            BookingEvent::Completed(completed) => {
                self.status = BookingStatus::Completed;
                self.price_cents = completed.gross_cents;
                let due = self.money().due_cents(self.price_cents);
                if due > Cents::ZERO {
                    let id = WorkKind::Underpayment.item(&event.event_id.to_string());
                    let detail = format!("the party was held, and {due} is still to come");
                    let opened = self.item(event, WorkKind::Underpayment, due, detail);
                    self.underpaid = Some(id);
                    steps.push(WorkStep::Open { id, opened });
                }
            }
            BookingEvent::Expired(_) => {
                self.status = BookingStatus::Expired;
                let held = self.money().held_cents();
                if held > Cents::ZERO {
                    let detail =
                        format!("{held} had come, less than the deposit, when the booking was given up");
                    self.unexpected(event, held, detail, &mut steps);
                }
            }
            BookingEvent::Requested(_)
            | BookingEvent::DepositDueExtended(_)
            | BookingEvent::ChefAssigned(_)
            | BookingEvent::ChefUnassigned(_)
            | BookingEvent::NoteAdded(_)
            | BookingEvent::TermsAccepted(_)
            | BookingEvent::TaxPlaceSet(_)
            | BookingEvent::TaxAdjusted(_)
            | BookingEvent::Deleted(_) => {}
        }
        self.weigh(event, steps)
    }

    fn unexpected(&mut self, event: &Recorded, amount: Cents, detail: String, steps: &mut Vec<WorkStep>) {
        let id = WorkKind::PaymentForClosedBooking.item(&event.event_id.to_string());
        let opened = self.item(event, WorkKind::PaymentForClosedBooking, amount, detail);
        self.unexpected.push(id);
        steps.push(WorkStep::Open { id, opened });
    }

    fn paid(mut self, event: &Recorded, payment: &PaymentEvent) -> Reaction<Self> {
        let moved = payment.money().unwrap_or_default();
        self.paid_cents += moved.paid_cents;
        self.refunded_cents += moved.refunded_cents;
        self.waived_cents += moved.waived_cents;
        let mut steps = Vec::new();
        match payment {
            PaymentEvent::Verified(_) | PaymentEvent::Succeeded(_) if self.is_over() => {
                let came = moved.paid_cents + moved.tip_cents;
                let detail = format!("{came} has come for a booking that is {}", self.status.as_str());
                self.unexpected(event, came, detail, &mut steps);
            }
            PaymentEvent::DisputeOpened(opened) => {
                let amount = opened.parts().total();
                let detail = format!(
                    "the customer's bank wants {amount} back: {}",
                    opened.reason.as_deref().unwrap_or("it does not say why")
                );
                steps.push(WorkStep::Open {
                    id: WorkKind::Dispute.item(&opened.dispute_id),
                    opened: self.item(event, WorkKind::Dispute, amount, detail),
                });
            }
            PaymentEvent::DisputeClosed(closed) => steps.push(WorkStep::Close {
                id: WorkKind::Dispute.item(&closed.dispute_id),
                because: "the bank has decided",
            }),
            PaymentEvent::RefundFailed(failed) => {
                let amount = failed.parts().total();
                let detail = format!(
                    "{amount} was not given back: {}",
                    failed.code.as_deref().unwrap_or("nobody says why")
                );
                steps.push(WorkStep::Open {
                    id: WorkKind::RefundFailed.item(&failed.refund_id.to_string()),
                    opened: self.item(event, WorkKind::RefundFailed, amount, detail),
                });
            }
            PaymentEvent::Claimed(_)
            | PaymentEvent::Verified(_)
            | PaymentEvent::Rejected(_)
            | PaymentEvent::Voided(_)
            | PaymentEvent::IntentCreated(_)
            | PaymentEvent::Processing(_)
            | PaymentEvent::Succeeded(_)
            | PaymentEvent::Failed(_)
            | PaymentEvent::RefundRequested(_)
            | PaymentEvent::RefundSucceeded(_) => {}
        }
        self.weigh(event, steps)
    }

    /// Says so when too much has come, and that it is right when it is.
    fn weigh(mut self, event: &Recorded, mut steps: Vec<WorkStep>) -> Reaction<Self> {
        let close = |id, because| WorkStep::Close { id, because };
        let due = self.money().due_cents(self.price_cents);
        if self.is_over() {
            if self.money().held_cents() <= Cents::ZERO {
                let settled = self.unexpected.drain(..);
                steps.extend(settled.map(|id| close(id, "the money was given back")));
            }
        } else if due < Cents::ZERO && self.overpaid.is_none() {
            let id = WorkKind::Overpayment.item(&event.event_id.to_string());
            let detail = format!("{} more has come than the party costs", -due);
            let opened = self.item(event, WorkKind::Overpayment, -due, detail);
            self.overpaid = Some(id);
            steps.push(WorkStep::Open { id, opened });
        }
        if due >= Cents::ZERO {
            let settled = self.overpaid.take();
            steps.extend(settled.map(|id| close(id, "no more has come than the party costs")));
        }
        if due <= Cents::ZERO {
            let settled = self.underpaid.take();
            steps.extend(settled.map(|id| close(id, "the rest has come")));
        }
        Reaction {
            state: Some(self),
            wake_at: None,
            reply: (!steps.is_empty()).then_some(Reply::Work(steps)),
        }
    }
}
