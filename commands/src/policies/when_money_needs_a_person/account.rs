//! What a booking costs, what has come for it, and which items of the work queue tell of a difference.

use chrono::{DateTime, Utc};
use domain::booking::{BookingCancelled, BookingEvent, BookingRequested, BookingStatus};
use domain::ids::{StationId, WorkItemId};
use domain::money::Cents;
use domain::payment::{BookingMoney, DisputeOutcome, PaymentEvent};
use domain::recorded::{DomainEvent, Recorded};
use domain::work_item::{WorkItemOpened, WorkKind};
use serde::{Deserialize, Serialize};

use crate::policies::{
    BookingAccount, MONEY_FOLLOWED, Reaction, Reply, WorkStep, when_deposit_captured::booking_of,
};

/// What a booking costs, and what has come for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    number: String,
    station_id: StationId,
    status: BookingStatus,
    /// Whether it was put away.
    #[serde(default)]
    is_deleted: bool,
    price_cents: Cents,
    #[serde(default)]
    deposit_cents: Cents,
    paid_cents: Cents,
    refunded_cents: Cents,
    waived_cents: Cents,
    /// The item that tells of too much, while it does.
    overpaid: Option<WorkItemId>,
    /// How much too much it was when that was last weighed.
    #[serde(default)]
    overpaid_cents: Cents,
    /// The item that tells of too little, while it does.
    underpaid: Option<WorkItemId>,
    /// How much too little it was when that was last weighed.
    #[serde(default)]
    underpaid_cents: Cents,
    /// Items that tell of money for a booking that is over.
    unexpected: Vec<WorkItemId>,
    /// The item that tells what is proposed to be given back, while it is not.
    #[serde(default)]
    proposed: Option<Proposed>,
    /// When it was held, called off, given up or put away.
    #[serde(default)]
    over_at: Option<DateTime<Utc>>,
}

/// Money that is proposed to be given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Proposed {
    item: WorkItemId,
    /// What was given back in all once that is done, in cents.
    refunded_cents: Cents,
}

impl Account {
    /// Of a booking that was just requested.
    pub(super) fn of(requested: &BookingRequested) -> Self {
        Self {
            number: requested.number.clone(),
            station_id: requested.station_id,
            status: BookingStatus::Requested,
            is_deleted: false,
            price_cents: requested.quote.total_cents,
            deposit_cents: requested.quote.deposit_cents,
            paid_cents: Cents::ZERO,
            refunded_cents: Cents::ZERO,
            waived_cents: Cents::ZERO,
            overpaid: None,
            overpaid_cents: Cents::ZERO,
            underpaid: None,
            underpaid_cents: Cents::ZERO,
            unexpected: Vec::new(),
            proposed: None,
            over_at: None,
        }
    }

    fn money(&self) -> BookingMoney {
        BookingMoney {
            paid_cents: self.paid_cents,
            tip_cents: Cents::ZERO,
            refunded_cents: self.refunded_cents,
            waived_cents: self.waived_cents,
        }
    }

    /// What it costs, and what is left to pay of it: nothing for what is over, however little has come.
    pub(in crate::policies) fn standing(&self) -> BookingAccount {
        let due = self.due();
        BookingAccount {
            price_cents: self.price_cents,
            due_cents: if self.over().is_some() {
                due.min(Cents::ZERO)
            } else {
                due
            },
        }
    }

    fn due(&self) -> Cents {
        self.money().due_cents(self.price_cents)
    }

    /// Why nobody is asked to pay for it any more; none while somebody may be.
    fn over(&self) -> Option<&'static str> {
        match self.status {
            BookingStatus::Cancelled | BookingStatus::Expired => Some(self.status.as_str()),
            BookingStatus::Requested | BookingStatus::Confirmed | BookingStatus::Completed => {
                self.is_deleted.then_some("deleted")
            }
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

    /// An item about an event; its id follows from both.
    fn open(
        &self,
        event: &Recorded,
        kind: WorkKind,
        amount: Cents,
        detail: String,
    ) -> (WorkItemId, WorkStep) {
        let id = kind.item(&event.event_id.to_string());
        let opened = self.item(event, kind, amount, detail);
        (id, WorkStep::Open { id, opened })
    }

    /// What an event of the booking changes.
    pub(super) fn changed(mut self, event: &Recorded, booking: &BookingEvent) -> Reaction<Self> {
        let mut steps = Vec::new();
        match booking {
            BookingEvent::GuestCountChanged(changed) => {
                self.price(changed.quote.total_cents, changed.quote.deposit_cents)
            }
            BookingEvent::MenuChanged(changed) => {
                self.price(changed.quote.total_cents, changed.quote.deposit_cents)
            }
            BookingEvent::Rescheduled(moved) => {
                self.price(moved.quote.total_cents, moved.quote.deposit_cents)
            }
            BookingEvent::Confirmed(_) => self.status = BookingStatus::Confirmed,
            BookingEvent::Cancelled(cancelled) => self.cancelled(event, cancelled, &mut steps),
            BookingEvent::Restored(restored) => {
                self.status = restored.status;
                self.is_deleted = false;
                self.over_at = match restored.status {
                    BookingStatus::Requested | BookingStatus::Confirmed => None,
                    BookingStatus::Completed | BookingStatus::Cancelled | BookingStatus::Expired => {
                        Some(event.recorded_at)
                    }
                };
            }
            BookingEvent::Completed(completed) => {
                self.over_at = Some(completed.completed_at);
                self.status = BookingStatus::Completed;
                self.price_cents = completed.gross_cents;
            }
            BookingEvent::Expired(_) => {
                self.status = BookingStatus::Expired;
                self.over_at = Some(event.recorded_at);
                let held = self.money().held_cents();
                let detail = format!("{held} had come, less than the deposit, when the booking was given up");
                self.unexpected(event, held, detail, &mut steps);
            }
            BookingEvent::Deleted(_) => {
                let was_over = self.over().is_some();
                self.is_deleted = true;
                self.over_at = Some(event.recorded_at);
                let held = self.money().held_cents();
                if !was_over {
                    let detail = format!("{held} had come when the booking was deleted");
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
            | BookingEvent::TaxAdjusted(_) => {}
        }
        self.weigh(event, steps)
    }

    fn price(&mut self, total: Cents, deposit: Cents) {
        self.price_cents = total;
        self.deposit_cents = deposit;
    }

    /// What the terms propose to give back is nobody's until a person confirms it.
    fn cancelled(&mut self, event: &Recorded, cancelled: &BookingCancelled, steps: &mut Vec<WorkStep>) {
        self.status = BookingStatus::Cancelled;
        self.over_at = Some(event.recorded_at);
        let held = self.money().held_cents().max(Cents::ZERO);
        let proposed = cancelled.refund.proposed(held, self.deposit_cents);
        if proposed > Cents::ZERO {
            let detail = format!(
                "the booking was called off; of {held} that came, {proposed} is proposed to be given back"
            );
            let (item, step) = self.open(event, WorkKind::RefundProposed, proposed, detail);
            let refunded_cents = self.refunded_cents + proposed;
            self.proposed = Some(Proposed { item, refunded_cents });
            steps.push(step);
        }
    }

    fn unexpected(&mut self, event: &Recorded, amount: Cents, detail: String, steps: &mut Vec<WorkStep>) {
        if amount > Cents::ZERO {
            let (id, step) = self.open(event, WorkKind::PaymentForClosedBooking, amount, detail);
            self.unexpected.push(id);
            steps.push(step);
        }
    }

    /// What an event of a payment for the booking changes.
    pub(super) fn paid(mut self, event: &Recorded, payment: &PaymentEvent) -> Reaction<Self> {
        let moved = payment.money().unwrap_or_default();
        self.paid_cents += moved.paid_cents;
        self.refunded_cents += moved.refunded_cents;
        self.waived_cents += moved.waived_cents;
        let mut steps = Vec::new();
        match payment {
            PaymentEvent::Verified(_) | PaymentEvent::Succeeded(_) => {
                if let Some(over) = self.over() {
                    let came = moved.paid_cents + moved.tip_cents;
                    let detail = format!("{came} has come for a booking that is {over}");
                    self.unexpected(event, came, detail, &mut steps);
                }
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
            PaymentEvent::DisputeClosed(closed) => {
                let id = WorkKind::Dispute.item(&closed.dispute_id);
                let because = match closed.outcome {
                    DisputeOutcome::Won => "the bank has decided: the money stays",
                    DisputeOutcome::Lost => "the bank has decided: it took the money back",
                };
                steps.push(WorkStep::Close { id, because });
                let due = self.due();
                if closed.outcome == DisputeOutcome::Lost && self.over().is_none() && due > Cents::ZERO {
                    let amount = closed.parts().total();
                    let detail = format!("the customer's bank has taken {amount} back, and {due} is to come");
                    self.short(event, due, detail, &mut steps);
                }
            }
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
            | PaymentEvent::Rejected(_)
            | PaymentEvent::Voided(_)
            | PaymentEvent::IntentCreated(_)
            | PaymentEvent::Processing(_)
            | PaymentEvent::Failed(_)
            | PaymentEvent::RefundRequested(_)
            | PaymentEvent::RefundSucceeded(_) => {}
        }
        self.weigh(event, steps)
    }

    /// Says so when too much has come, or too little, and that it is right when it is. What has grown since is said anew:
    /// a person may have seen to what was said before.
    fn weigh(mut self, event: &Recorded, mut steps: Vec<WorkStep>) -> Reaction<Self> {
        let due = self.due();
        let held = self.money().held_cents();
        if let Some(proposed) = self.proposed
            && (self.refunded_cents >= proposed.refunded_cents || held <= Cents::ZERO)
        {
            self.proposed = None;
            close(proposed.item, "it was given back", &mut steps);
        }
        if self.over().is_some() {
            if held <= Cents::ZERO {
                let settled = self
                    .unexpected
                    .drain(..)
                    .chain(self.overpaid.take())
                    .chain(self.underpaid.take());
                steps.extend(settled.map(|id| WorkStep::Close {
                    id,
                    because: "the money was given back",
                }));
            }
        } else {
            for id in std::mem::take(&mut self.unexpected) {
                close(id, "the booking is not over any more", &mut steps);
            }
            if -due > self.overpaid_cents {
                let detail = format!("{} more has come than the party costs", -due);
                self.more(event, -due, detail, &mut steps);
            }
            if self.status == BookingStatus::Completed && due > self.underpaid_cents {
                let detail = format!("the party was held, and {due} is still to come");
                self.short(event, due, detail, &mut steps);
            }
        }
        if due >= Cents::ZERO
            && let Some(id) = self.overpaid.take()
        {
            close(id, "no more has come than the party costs", &mut steps);
        }
        if due <= Cents::ZERO
            && let Some(id) = self.underpaid.take()
        {
            close(id, "the rest has come", &mut steps);
        }
        self.overpaid_cents = self.overpaid.map_or(Cents::ZERO, |_| -due);
        self.underpaid_cents = self.underpaid.map_or(Cents::ZERO, |_| due);
        Reaction {
            wake_at: self.over_at.map(|over| over + MONEY_FOLLOWED),
            state: Some(self),
            reply: (!steps.is_empty()).then_some(Reply::Work(steps)),
        }
    }

    fn more(&mut self, event: &Recorded, amount: Cents, detail: String, steps: &mut Vec<WorkStep>) {
        if let Some(id) = self.overpaid.take() {
            close(id, "more has come since", steps);
        }
        let (id, step) = self.open(event, WorkKind::Overpayment, amount, detail);
        self.overpaid = Some(id);
        steps.push(step);
    }

    fn short(&mut self, event: &Recorded, amount: Cents, detail: String, steps: &mut Vec<WorkStep>) {
        if let Some(id) = self.underpaid.take() {
            close(id, "more is missing since", steps);
        }
        let (id, step) = self.open(event, WorkKind::Underpayment, amount, detail);
        self.underpaid = Some(id);
        self.underpaid_cents = amount;
        steps.push(step);
    }
}

fn close(id: WorkItemId, because: &'static str, steps: &mut Vec<WorkStep>) {
    steps.push(WorkStep::Close { id, because });
}
