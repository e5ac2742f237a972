//! What a document says, fixed when it is issued.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::number::{DocumentKind, DocumentNumber};
use crate::envelope::{Position, Sealed};
use crate::guests::Guests;
use crate::ids::{BookingId, CustomerId, PaymentId, RefundId, StationId};
use crate::money::{Cents, RatePpm};
use crate::payment::{BookingMoney, PaymentKind, PaymentMethod, RefundKind};
use crate::quote::QuoteLine;
use crate::schedule::EventTime;

/// A document was issued to the customer. It holds all that the document shows, so that it reads the same for ever; what
/// is personal is sealed, and gone from the document when the person is erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentIssued {
    /// Its number.
    pub number: DocumentNumber,
    /// Local day at the station that it was issued on.
    pub issued_on: NaiveDate,
    /// When it was issued.
    pub issued_at: DateTime<Utc>,
    /// Position in the log up to which payments and refunds are counted.
    pub as_of: Position,
    /// Who issues it.
    pub issuer: Issuer,
    /// The booking that it is about, and for whom.
    pub party: Party,
    /// What the booking's money comes to, without tips and card fees.
    pub account: Account,
    /// What it is about.
    pub body: DocumentBody,
}

/// Who issues a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issuer {
    /// Name of the company.
    pub organisation: String,
    /// Name of the station that serves.
    pub station: String,
    /// That station.
    pub station_id: StationId,
}

/// The booking that a document is about, and for whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// The booking.
    pub booking_id: BookingId,
    /// Its number.
    pub number: String,
    /// Who booked.
    pub customer_id: CustomerId,
    /// The customer's name, as it is sealed in the customer's own stream; none where the person was erased before.
    pub name: Option<Sealed>,
    /// When the party starts.
    pub start: EventTime,
    /// Who comes.
    pub guests: Guests,
    /// Street and number of the venue, as they are sealed in the booking's own stream.
    pub street: Sealed,
    /// City of the venue as the customer wrote it.
    pub city: String,
    /// Two-letter state of the venue.
    pub state: String,
    /// ZIP code of the venue.
    pub zip: String,
}

/// What a booking's money comes to. `balance = total − waived − (paid − refunded)`, always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Price of the booking, in cents.
    pub total_cents: Cents,
    /// What has come towards it: verified or captured, in cents.
    pub paid_cents: Cents,
    /// What of that was given back, in cents.
    pub refunded_cents: Cents,
    /// What the customer owes no more, in cents: the part of what was given back that is not asked for again, and of a
    /// booking that is called off all that is left.
    pub waived_cents: Cents,
    /// What is left to pay, in cents; negative where too much has come.
    pub balance_cents: Cents,
}

impl Account {
    /// The account of a price and of what has moved.
    pub fn of(total: Cents, money: BookingMoney) -> Self {
        Self {
            total_cents: total,
            paid_cents: money.paid_cents,
            refunded_cents: money.refunded_cents,
            waived_cents: money.waived_cents,
            balance_cents: money.due_cents(total),
        }
    }

    /// Whether the balance is what the others come to.
    pub(super) fn agrees(&self) -> bool {
        let held = self.paid_cents - self.refunded_cents;
        self.balance_cents == self.total_cents - self.waived_cents - held
    }
}

/// What a document is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum DocumentBody {
    /// What a booking costs.
    Invoice(InvoiceBody),
    /// A payment that has come.
    Receipt(ReceiptBody),
    /// Money that was given back.
    CreditNote(CreditBody),
}

impl DocumentBody {
    /// What sort of document it is of.
    pub fn kind(&self) -> DocumentKind {
        match self {
            Self::Invoice(_) => DocumentKind::Invoice,
            Self::Receipt(_) => DocumentKind::Receipt,
            Self::CreditNote(_) => DocumentKind::CreditNote,
        }
    }

    /// What the document comes to, in cents: the price, what was received, or what was given back, with tip and card fee.
    pub fn total(&self, account: &Account) -> Cents {
        match self {
            Self::Invoice(_) => account.total_cents,
            Self::Receipt(receipt) => receipt.amount_cents + receipt.tip_cents + receipt.fee_cents,
            Self::CreditNote(credit) => credit.amount_cents + credit.tip_cents + credit.fee_cents,
        }
    }
}

/// What a booking costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceBody {
    /// Every line of the price, tax-inclusive; they sum to the total.
    pub lines: Vec<QuoteLine>,
    /// Part of the total that is the deposit, in cents.
    pub deposit_cents: Cents,
    /// Until when the deposit must come; none where the booking is confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deposit_due_at: Option<DateTime<Utc>>,
    /// How it can be paid.
    pub methods: Vec<PaymentMethod>,
    /// What paying by card costs on top, as a share of what is paid, in millionths.
    pub card_fee_ppm: RatePpm,
    /// The invoice that this one replaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<DocumentNumber>,
}

impl InvoiceBody {
    /// Whether another asks the same of the customer. What it replaces, what is still to come and how it can be paid do
    /// not matter.
    pub(super) fn charges_as(&self, other: &Self) -> bool {
        self.lines == other.lines && self.deposit_cents == other.deposit_cents
    }
}

/// A payment that has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptBody {
    /// The payment.
    pub payment_id: PaymentId,
    /// What it is for.
    pub payment_kind: PaymentKind,
    /// How the money moved.
    pub method: PaymentMethod,
    /// Local day at the station that it was found or captured on.
    pub received_on: NaiveDate,
    /// Towards the booking's price, in cents.
    pub amount_cents: Cents,
    /// Voluntary tip on top, in cents.
    pub tip_cents: Cents,
    /// Card fee on top, in cents.
    pub fee_cents: Cents,
}

/// Money that was given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditBody {
    /// The payment that it was given back of.
    pub payment_id: PaymentId,
    /// The refund.
    pub refund_id: RefundId,
    /// How the money had come.
    pub method: PaymentMethod,
    /// Why it was given back.
    pub refund_kind: RefundKind,
    /// Local day at the station that it was given back on.
    pub refunded_on: NaiveDate,
    /// Of the booking's price, in cents.
    pub amount_cents: Cents,
    /// Of the tip, in cents.
    pub tip_cents: Cents,
    /// Of the card fee, in cents.
    pub fee_cents: Cents,
    /// The payment's receipt, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<DocumentNumber>,
}
