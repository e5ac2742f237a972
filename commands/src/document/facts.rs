//! What a document is made of.

use chrono::{DateTime, NaiveDate, TimeZone, Utc};
use domain::booking::{Booking, BookingRequested, BookingStatus};
use domain::customer::Customer;
use domain::document::{
    Account, CreditBody, DocumentBody, DocumentError, DocumentNumber, Documents, InvoiceBody, Issuer, Party,
    ReceiptBody,
};
use domain::ids::{BookingId, PaymentId, RefundId};
use domain::money::Cents;
use domain::organisation::Organisation;
use domain::payment::{BookingMoney, Payment, PaymentEvent, PaymentMethod, RefundState};
use domain::station::{Station, StationCreated};

use super::DocumentAsk;
use crate::CommandError;
use crate::load::Loaded;

/// All that a document is made of.
pub(super) struct Facts {
    pub(super) booking_id: BookingId,
    pub(super) booking: Loaded<Booking>,
    pub(super) customer: Loaded<Customer>,
    pub(super) station: Loaded<Station>,
    pub(super) organisation: Loaded<Organisation>,
    pub(super) documents: Loaded<Documents>,
    pub(super) payment: Option<Paid>,
}

/// A payment with what happened to it.
pub(super) struct Paid {
    pub(super) id: PaymentId,
    pub(super) loaded: Loaded<Payment>,
    pub(super) events: Vec<PaymentEvent>,
}

/// The local day of an instant.
pub(super) fn day_at(instant: DateTime<Utc>, zone: &impl TimeZone) -> NaiveDate {
    instant.with_timezone(zone).date_naive()
}

impl Facts {
    /// The booking as changes have left it, the station that serves, and who issues.
    pub(super) fn whose(&self) -> Result<(&BookingRequested, &StationCreated, Issuer), CommandError> {
        let missing = || CommandError::refused(DocumentError::BookingNotFound);
        let requested = self.booking.state.requested().ok_or_else(missing)?;
        let station = self.station.state.opened().ok_or_else(missing)?;
        let organisation = self.organisation.state.created().ok_or_else(missing)?;
        let issuer = Issuer {
            organisation: organisation.name.clone(),
            station: station.name.clone(),
            station_id: requested.station_id,
        };
        Ok((requested, station, issuer))
    }

    /// What the booking's money comes to. Of one that is called off nothing is owed any more.
    pub(super) fn account(&self, total: Cents, money: BookingMoney) -> Account {
        let left = match self.booking.state.status() {
            Some(BookingStatus::Cancelled | BookingStatus::Expired) => {
                money.due_cents(total).max(Cents::ZERO)
            }
            Some(BookingStatus::Requested | BookingStatus::Confirmed | BookingStatus::Completed) | None => {
                Cents::ZERO
            }
        };
        let waived_cents = money.waived_cents + left;
        Account::of(
            total,
            BookingMoney {
                waived_cents,
                ..money
            },
        )
    }

    pub(super) fn party(&self, requested: &BookingRequested) -> Party {
        let known = self.customer.state.known().ok();
        Party {
            booking_id: self.booking_id,
            number: requested.number.clone(),
            customer_id: requested.customer_id,
            name: known.map(|known| known.contact.name.clone()),
            start: requested.start.clone(),
            guests: requested.guests,
            street: requested.venue.street.clone(),
            city: requested.venue.city.clone(),
            state: requested.venue.state.clone(),
            zip: requested.venue.zip.to_string(),
        }
    }

    pub(super) fn body(
        &self,
        ask: DocumentAsk,
        requested: &BookingRequested,
        station: &StationCreated,
        methods: &[PaymentMethod],
    ) -> Result<DocumentBody, CommandError> {
        match (ask, &self.payment) {
            (DocumentAsk::Invoice(_), _) => self.invoice(requested, methods),
            (DocumentAsk::Receipt(_), Some(paid)) => paid.receipt(station),
            (DocumentAsk::CreditNote(_, refund), Some(paid)) => {
                paid.credit(refund, station, self.documents.state.receipt(paid.id))
            }
            (DocumentAsk::Receipt(_) | DocumentAsk::CreditNote(..), None) => {
                Err(DocumentError::PaymentNotFound)
            }
        }
        .map_err(CommandError::refused)
    }

    fn invoice(
        &self,
        requested: &BookingRequested,
        methods: &[PaymentMethod],
    ) -> Result<DocumentBody, DocumentError> {
        let status = self
            .booking
            .state
            .status()
            .ok_or(DocumentError::BookingNotFound)?;
        match status {
            _ if self.booking.state.is_deleted() => return Err(DocumentError::NothingToInvoice("deleted")),
            BookingStatus::Cancelled | BookingStatus::Expired => {
                return Err(DocumentError::NothingToInvoice(status.as_str()));
            }
            BookingStatus::Requested | BookingStatus::Confirmed | BookingStatus::Completed => {}
        }
        let waits = status == BookingStatus::Requested;
        Ok(DocumentBody::Invoice(InvoiceBody {
            lines: requested.quote.lines.clone(),
            deposit_cents: requested.quote.deposit_cents,
            deposit_due_at: waits.then_some(requested.deposit_due_at),
            methods: methods.to_vec(),
            card_fee_ppm: requested.policy.card_fee_ppm,
            replaces: self.documents.state.invoice(),
        }))
    }
}

impl Paid {
    fn receipt(&self, station: &StationCreated) -> Result<DocumentBody, DocumentError> {
        let payment = &self.loaded.state;
        let terms = payment.terms().ok_or(DocumentError::PaymentNotFound)?;
        let came = self.events.iter().find_map(|event| match event {
            PaymentEvent::Verified(verified) => Some(verified.verified_at),
            PaymentEvent::Succeeded(succeeded) => Some(succeeded.succeeded_at),
            PaymentEvent::Claimed(_)
            | PaymentEvent::Rejected(_)
            | PaymentEvent::Voided(_)
            | PaymentEvent::IntentCreated(_)
            | PaymentEvent::Processing(_)
            | PaymentEvent::Failed(_)
            | PaymentEvent::RefundRequested(_)
            | PaymentEvent::RefundSucceeded(_)
            | PaymentEvent::RefundFailed(_)
            | PaymentEvent::DisputeOpened(_)
            | PaymentEvent::DisputeClosed(_) => None,
        });
        let came = came
            .filter(|_| payment.counts())
            .ok_or(DocumentError::PaymentDoesNotCount)?;
        let parts = payment.captured();
        Ok(DocumentBody::Receipt(ReceiptBody {
            payment_id: self.id,
            payment_kind: terms.kind,
            method: terms.method,
            received_on: day_at(came, &station.zone),
            amount_cents: parts.amount_cents,
            tip_cents: parts.tip_cents,
            fee_cents: parts.fee_cents,
        }))
    }

    fn credit(
        &self,
        refund_id: RefundId,
        station: &StationCreated,
        receipt: Option<DocumentNumber>,
    ) -> Result<DocumentBody, DocumentError> {
        let payment = &self.loaded.state;
        let terms = payment.terms().ok_or(DocumentError::PaymentNotFound)?;
        let refund = payment
            .refund(refund_id)
            .filter(|refund| refund.state == RefundState::Succeeded);
        let refund = refund.ok_or(DocumentError::RefundNotFound)?;
        let back = self.events.iter().rev().find_map(|event| match event {
            PaymentEvent::RefundSucceeded(back) if back.refund_id == refund_id => Some(back.succeeded_at),
            PaymentEvent::RefundSucceeded(_)
            | PaymentEvent::Verified(_)
            | PaymentEvent::Succeeded(_)
            | PaymentEvent::Claimed(_)
            | PaymentEvent::Rejected(_)
            | PaymentEvent::Voided(_)
            | PaymentEvent::IntentCreated(_)
            | PaymentEvent::Processing(_)
            | PaymentEvent::Failed(_)
            | PaymentEvent::RefundRequested(_)
            | PaymentEvent::RefundFailed(_)
            | PaymentEvent::DisputeOpened(_)
            | PaymentEvent::DisputeClosed(_) => None,
        });
        Ok(DocumentBody::CreditNote(CreditBody {
            payment_id: self.id,
            refund_id,
            method: terms.method,
            refund_kind: refund.kind,
            refunded_on: day_at(back.ok_or(DocumentError::RefundNotFound)?, &station.zone),
            amount_cents: refund.parts.amount_cents,
            tip_cents: refund.parts.tip_cents,
            fee_cents: refund.parts.fee_cents,
            receipt,
        }))
    }
}
