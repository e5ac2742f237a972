//! Documents for customers: invoices, receipts and credit notes, each with a number of a series without gaps.
//!
//! One stream per booking holds what was issued for it; another per year and kind gives the numbers
//! ([`series`]). Both are written at once, so that a number is never taken without its document.
//!
//! What is issued when:
//! - An **invoice** says what a booking costs. While nothing on it has changed there is one, and asking again gives it
//!   back. After a change of price, time or place the next is a corrected invoice: a number of its own, which names the
//!   one that it replaces. Nothing is invoiced for a booking that is called off.
//! - A **receipt** is for one payment that counts. There is one for ever.
//! - A **credit note** is for money that was given back of one payment: one for each refund that came through. It does
//!   not change the receipt.

mod event;
mod number;
pub mod series;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::decider::{Decider, Refusal};
use crate::ids::{PaymentId, RefundId};
use crate::money::Cents;

pub use event::{Account, CreditBody, DocumentBody, DocumentIssued, InvoiceBody, Issuer, Party, ReceiptBody};
pub use number::{BadDocumentNumber, DocumentKind, DocumentNumber};

crate::events! {
    /// What can happen to a booking's documents.
    pub enum DocumentEvent {
        "A document was issued to the customer." Issued(DocumentIssued) = "document.issued" v 1;
    }
}

/// What can be asked of a booking's documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum DocumentCommand {
    /// Issue one.
    Issue(Box<DocumentIssued>),
}

/// Why no document is issued.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// There is no such booking.
    #[error("there is no such booking")]
    BookingNotFound,
    /// The booking is over without having been held, or was put away.
    #[error("the booking is {0}: there is nothing to invoice; money that is given back has a credit note")]
    NothingToInvoice(&'static str),
    /// There is no such payment.
    #[error("there is no such payment")]
    PaymentNotFound,
    /// The money was not found, or not yet.
    #[error("the payment is not verified or captured: it has no receipt before it counts")]
    PaymentDoesNotCount,
    /// No such money was given back.
    #[error("no refund of this payment with this id has come through")]
    RefundNotFound,
    /// The lines do not sum to the total, or total, paid and balance do not agree.
    #[error("the figures of the document do not agree with each other")]
    FiguresDisagree,
    /// What it says is said by another already.
    #[error("the document is issued already: {0}")]
    AlreadyIssued(DocumentNumber),
}

impl Refusal for DocumentError {
    fn code(&self) -> &'static str {
        match self {
            Self::BookingNotFound | Self::PaymentNotFound | Self::RefundNotFound => "NOT_FOUND",
            Self::NothingToInvoice(_) | Self::PaymentDoesNotCount => "WRONG_STATE",
            Self::FiguresDisagree => "FIGURES_DISAGREE",
            Self::AlreadyIssued(_) => "ALREADY_EXISTS",
        }
    }
    fn field(&self) -> &'static [&'static str] {
        match self {
            Self::BookingNotFound | Self::NothingToInvoice(_) => &["bookingId"],
            Self::PaymentNotFound | Self::PaymentDoesNotCount => &["paymentId"],
            Self::RefundNotFound => &["refundId"],
            Self::FiguresDisagree | Self::AlreadyIssued(_) => &[],
        }
    }
}

/// What was issued for a booking, as the stream tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Documents {
    /// The invoice that holds.
    invoice: Option<(DocumentNumber, Party, InvoiceBody)>,
    /// Receipts by payment.
    receipts: BTreeMap<PaymentId, DocumentNumber>,
    /// Credit notes by refund.
    credits: BTreeMap<RefundId, DocumentNumber>,
}

impl Documents {
    /// The invoice that holds, once there is one.
    pub fn invoice(&self) -> Option<DocumentNumber> {
        self.invoice.as_ref().map(|(number, _, _)| *number)
    }

    /// The receipt of a payment, once there is one.
    pub fn receipt(&self, payment: PaymentId) -> Option<DocumentNumber> {
        self.receipts.get(&payment).copied()
    }

    /// The document that says already what another would; none where it would be new.
    pub fn same(&self, party: &Party, body: &DocumentBody) -> Option<DocumentNumber> {
        match body {
            DocumentBody::Invoice(asked) => self
                .invoice
                .as_ref()
                .filter(|(_, of, held)| of == party && held.charges_as(asked))
                .map(|(number, _, _)| *number),
            DocumentBody::Receipt(asked) => self.receipt(asked.payment_id),
            DocumentBody::CreditNote(asked) => self.credits.get(&asked.refund_id).copied(),
        }
    }

    fn issue(&self, issued: DocumentIssued) -> Result<DocumentEvent, DocumentError> {
        if let Some(number) = self.same(&issued.party, &issued.body) {
            return Err(DocumentError::AlreadyIssued(number));
        }
        let account = &issued.account;
        let lines: Cents = match &issued.body {
            DocumentBody::Invoice(invoice) => invoice.lines.iter().map(|line| line.total_cents).sum(),
            DocumentBody::Receipt(_) | DocumentBody::CreditNote(_) => account.total_cents,
        };
        if lines != account.total_cents || !account.agrees() {
            return Err(DocumentError::FiguresDisagree);
        }
        Ok(DocumentEvent::Issued(issued))
    }
}

impl Decider for Documents {
    const STREAM: &'static str = "document";
    type Command = DocumentCommand;
    type Event = DocumentEvent;
    type Error = DocumentError;

    fn decide(&self, command: DocumentCommand) -> Result<Vec<DocumentEvent>, DocumentError> {
        let DocumentCommand::Issue(issued) = command;
        Ok(vec![self.issue(*issued)?])
    }

    fn evolve(&mut self, event: &DocumentEvent) {
        let DocumentEvent::Issued(issued) = event;
        match &issued.body {
            DocumentBody::Invoice(invoice) => {
                self.invoice = Some((issued.number, issued.party.clone(), invoice.clone()));
            }
            DocumentBody::Receipt(receipt) => {
                self.receipts.insert(receipt.payment_id, issued.number);
            }
            DocumentBody::CreditNote(credit) => {
                self.credits.insert(credit.refund_id, issued.number);
            }
        }
    }
}

#[cfg(test)]
mod tests;
