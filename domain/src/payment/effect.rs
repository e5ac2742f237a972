//! What a payment's event does to what its booking was paid.

use super::event::{DisputeOutcome, PaymentEvent, RefundWas};
use super::{PaymentParts, RefundKind};
use crate::money::Cents;

/// What an event adds to the money of a booking, in cents; negative where it takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BookingMoney {
    /// Money that came towards the price and was neither voided nor taken back by a bank, whatever was given back.
    pub paid_cents: Cents,
    /// Voluntary tips that came and are still here.
    pub tip_cents: Cents,
    /// What of the price was given back.
    pub refunded_cents: Cents,
    /// The part of that which the customer owes no more.
    pub waived_cents: Cents,
}

impl BookingMoney {
    fn came(parts: PaymentParts) -> Self {
        Self {
            paid_cents: parts.amount_cents,
            tip_cents: parts.tip_cents,
            ..Self::default()
        }
    }

    fn given_back(parts: PaymentParts, kind: RefundKind) -> Self {
        Self {
            paid_cents: Cents::ZERO,
            tip_cents: -parts.tip_cents,
            refunded_cents: parts.amount_cents,
            waived_cents: if kind.waives() {
                parts.amount_cents
            } else {
                Cents::ZERO
            },
        }
    }

    fn undone(self) -> Self {
        Self {
            paid_cents: -self.paid_cents,
            tip_cents: -self.tip_cents,
            refunded_cents: -self.refunded_cents,
            waived_cents: -self.waived_cents,
        }
    }

    /// What the company holds towards the price: what came less what was given back, in cents.
    pub fn held_cents(self) -> Cents {
        self.paid_cents - self.refunded_cents
    }

    /// What of a price is left to pay, in cents; negative where too much has come.
    pub fn due_cents(self, price: Cents) -> Cents {
        price - self.waived_cents - self.held_cents()
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            paid_cents: self.paid_cents + other.paid_cents,
            tip_cents: self.tip_cents + other.tip_cents,
            refunded_cents: self.refunded_cents + other.refunded_cents,
            waived_cents: self.waived_cents + other.waived_cents,
        }
    }
}

impl PaymentEvent {
    /// What the event does to what its booking was paid; none for one that moves nothing. In whichever order they come,
    /// they add up to the same.
    pub fn money(&self) -> Option<BookingMoney> {
        match self {
            Self::Verified(verified) => Some(BookingMoney::came(verified.parts())),
            Self::Succeeded(succeeded) => Some(BookingMoney::came(succeeded.parts())),
            Self::Voided(voided) => Some(BookingMoney::came(voided.parts()).undone()),
            Self::RefundSucceeded(done) => Some(BookingMoney::given_back(done.parts(), done.kind)),
            Self::RefundFailed(failed) => match failed.was {
                RefundWas::Pending => None,
                RefundWas::Succeeded => Some(BookingMoney::given_back(failed.parts(), failed.kind).undone()),
            },
            Self::DisputeClosed(closed) => match closed.outcome {
                DisputeOutcome::Won => None,
                DisputeOutcome::Lost => Some(BookingMoney::came(closed.parts()).undone()),
            },
            Self::Claimed(_)
            | Self::Rejected(_)
            | Self::IntentCreated(_)
            | Self::Processing(_)
            | Self::Failed(_)
            | Self::RefundRequested(_)
            | Self::DisputeOpened(_) => None,
        }
    }
}
