//! What an event posts: pure rules. Each entry's postings sum to zero.

use chrono::{DateTime, NaiveDate, Utc};
use domain::booking::{BookingCancelled, BookingCompleted, BookingEvent, BookingTaxAdjusted, TaxAdjustment};
use domain::envelope::Position;
use domain::money::Cents;
use domain::payment::{DisputeOutcome, PaymentEvent, PaymentMethod, PaymentParts, RefundKind, RefundWas};
use domain::recorded::{DomainEvent, Recorded};
use domain::tax_account::KeptDepositTax;
use domain::tax_rate::Jurisdiction;
use serde::{Deserialize, Serialize};

use super::account::Account;
use super::{BookRow, Stage};
use crate::booking_list::RefundProposal;

/// An amount on an account: debits are positive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    /// Name of the account, as beancount has it.
    pub account: String,
    /// The amount in cents.
    pub cents: Cents,
}

/// What one event posts. Its postings sum to zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Place of the event in the log.
    pub position: Position,
    /// Local day that it is booked on: of tax, the day that the tax belongs to; of money, the day that it moved.
    pub on: NaiveDate,
    /// What happened, in a few words.
    pub narration: String,
    /// The refund that it is of, where there is one: a failure takes the same back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund: Option<String>,
    /// The amounts; no account twice, none zero.
    pub postings: Vec<Posting>,
}

/// Amounts on accounts, added up.
#[derive(Debug, Default)]
struct Postings(Vec<Posting>);

impl Postings {
    fn debit(&mut self, account: &Account<'_>, cents: Cents) {
        let name = account.to_string();
        match self.0.iter_mut().find(|posting| posting.account == name) {
            Some(posting) => posting.cents += cents,
            None => self.0.push(Posting { account: name, cents }),
        }
    }

    fn credit(&mut self, account: &Account<'_>, cents: Cents) {
        self.debit(account, -cents);
    }
}

/// What an entry is, beside its postings.
struct Fact {
    on: NaiveDate,
    narration: String,
    refund: Option<String>,
}

impl Fact {
    fn on(on: NaiveDate, narration: impl Into<String>) -> Self {
        Self {
            on,
            narration: narration.into(),
            refund: None,
        }
    }
}

/// The entry of an event, for the booking as it stands in the books before it; none where nothing moves.
pub(super) fn entry(book: &BookRow, event: &Recorded) -> Option<Entry> {
    let mut postings = Postings::default();
    let fact = if let DomainEvent::Booking(booking) = &event.event {
        of_booking(book, booking, &mut postings)?
    } else if let DomainEvent::Payment(payment) = &event.event {
        of_payment(book, payment, &mut postings)?
    } else {
        return None;
    };
    postings.0.retain(|posting| !posting.cents.is_zero());
    (!postings.0.is_empty()).then_some(Entry {
        position: event.position,
        on: fact.on,
        narration: fact.narration,
        refund: fact.refund,
        postings: postings.0,
    })
}

fn of_booking(book: &BookRow, booking: &BookingEvent, postings: &mut Postings) -> Option<Fact> {
    match booking {
        BookingEvent::Completed(completed) => Some(held(book, completed, postings)),
        BookingEvent::TaxAdjusted(adjusted) => Some(tax_adjusted(adjusted, postings)),
        BookingEvent::Cancelled(cancelled) => Some(called_off(book, cancelled, postings)),
        BookingEvent::Requested(_)
        | BookingEvent::Confirmed(_)
        | BookingEvent::Expired(_)
        | BookingEvent::DepositDueExtended(_)
        | BookingEvent::GuestCountChanged(_)
        | BookingEvent::MenuChanged(_)
        | BookingEvent::Rescheduled(_)
        | BookingEvent::ChefAssigned(_)
        | BookingEvent::ChefUnassigned(_)
        | BookingEvent::NoteAdded(_)
        | BookingEvent::TermsAccepted(_)
        | BookingEvent::TaxPlaceSet(_)
        | BookingEvent::Deleted(_)
        | BookingEvent::Restored(_) => None,
    }
}

/// The party was held: what was paid for it is earned, what is left is owed, and its tax is due.
fn held(book: &BookRow, completed: &BookingCompleted, postings: &mut Postings) -> Fact {
    let figures = completed.figures();
    let paid = book.deposits_held().min(figures.gross_cents).max(Cents::ZERO);
    postings.debit(&Account::DepositsHeld, paid);
    postings.debit(&Account::Receivable, figures.gross_cents - paid);
    postings.credit(&Account::Sales, figures.gross_cents - figures.tax_cents);
    postings.credit(
        &Account::TaxPayable(&completed.tax_place.jurisdiction),
        figures.tax_cents,
    );
    Fact::on(completed.tax_on(), "party held")
}

/// A later fact changes the tax; the money, where some moved, is posted by its payment.
fn tax_adjusted(adjusted: &BookingTaxAdjusted, postings: &mut Postings) -> Fact {
    let figures = &adjusted.figures;
    let place: &Jurisdiction = &adjusted.tax_place.jurisdiction;
    let (borne_by, narration) = match adjusted.kind {
        TaxAdjustment::KeptDeposit => (Account::Sales, "tax in what is kept"),
        TaxAdjustment::Void if adjusted.kept.is_some() && !figures.gross_cents.is_zero() => {
            (Account::Sales, "tax in what was thought to be kept")
        }
        TaxAdjustment::CardFee => (Account::CardFees, "tax in a card fee"),
        TaxAdjustment::Tip => (Account::TaxOnTips, "tax on a tip"),
        TaxAdjustment::Void if figures.card_fee_cents.is_zero() => {
            (Account::TaxOnTips, "tax on a tip that did not come")
        }
        TaxAdjustment::Void => (Account::CardFees, "tax in a card fee that did not come"),
        TaxAdjustment::Refund => (Account::Refunds, "tax in a refund"),
        TaxAdjustment::RefundFailed => (Account::Refunds, "tax in a refund that failed"),
        TaxAdjustment::CorrectedFrom => (Account::Sales, "tax taken back at a wrong place or rate"),
        TaxAdjustment::CorrectedTo => (Account::Sales, "tax at the right place and rate"),
    };
    kept_anew(adjusted, postings);
    let owed = figures.net_tax();
    postings.credit(&Account::TaxPayable(place), owed);
    postings.debit(&borne_by, owed);
    Fact::on(adjusted.tax_on, narration)
}

/// More or less is kept of a party than when it was called off, which the cancellation posted.
fn kept_anew(adjusted: &BookingTaxAdjusted, postings: &mut Postings) {
    let (Some(_), Some(payment)) = (&adjusted.kept, &adjusted.payment) else {
        return;
    };
    let back = match adjusted.kind {
        TaxAdjustment::KeptDeposit => adjusted.figures.refund_cents,
        TaxAdjustment::Void => adjusted.figures.refund_cents - payment.tip_cents - payment.fee_cents,
        TaxAdjustment::CardFee
        | TaxAdjustment::Tip
        | TaxAdjustment::Refund
        | TaxAdjustment::RefundFailed
        | TaxAdjustment::CorrectedFrom
        | TaxAdjustment::CorrectedTo => return,
    };
    let gross = adjusted.figures.gross_cents;
    postings.debit(&Account::DepositsHeld, gross - back);
    postings.debit(&Account::Refunds, back);
    postings.credit(&Account::Sales, gross);
}

/// The party was called off: what the terms let the company keep is earned, and the rest is held for the customer.
fn called_off(book: &BookRow, cancelled: &BookingCancelled, postings: &mut Postings) -> Fact {
    let paid = book.deposits_held().max(Cents::ZERO);
    let back = RefundProposal::of(cancelled.refund.clone(), paid, book.deposit_cents).proposed_refund_cents;
    postings.debit(&Account::DepositsHeld, paid - back);
    let earned = match cancelled.kept {
        KeptDepositTax::NotASale => Account::KeptDeposits,
        KeptDepositTax::Sale => Account::Sales,
    };
    postings.credit(&earned, paid - back);
    Fact::on(book.local_day(cancelled.cancelled_at), "deposit kept")
}

fn of_payment(book: &BookRow, payment: &PaymentEvent, postings: &mut Postings) -> Option<Fact> {
    let day = |at: DateTime<Utc>| book.local_day(at);
    Some(match payment {
        PaymentEvent::Verified(verified) => {
            came_in(book, verified.method, verified.parts(), postings);
            Fact::on(
                day(verified.verified_at),
                format!("{} received", verified.method.as_str()),
            )
        }
        PaymentEvent::Succeeded(succeeded) => {
            came_in(book, succeeded.method, succeeded.parts(), postings);
            Fact::on(
                day(succeeded.succeeded_at),
                format!("{} received", succeeded.method.as_str()),
            )
        }
        PaymentEvent::Voided(voided) => {
            went_missing(book, voided.method, voided.parts(), postings);
            Fact::on(
                day(voided.voided_at),
                format!("{} not received after all", voided.method.as_str()),
            )
        }
        PaymentEvent::RefundSucceeded(refund) => {
            let from = Account::Clearing(refund.method);
            given_back(book, refund.kind, &from, refund.parts(), postings);
            Fact {
                refund: Some(refund.refund_id.to_string()),
                ..Fact::on(
                    day(refund.succeeded_at),
                    format!("refund: {}", refund.kind.as_str()),
                )
            }
        }
        PaymentEvent::RefundFailed(failed) if failed.was == RefundWas::Succeeded => {
            let refund = failed.refund_id.to_string();
            // What it posted is taken back to the cent, wherever the booking has come to since.
            for posting in book.posted_of(&refund) {
                postings.0.push(Posting {
                    account: posting.account.clone(),
                    cents: -posting.cents,
                });
            }
            Fact::on(day(failed.failed_at), "refund failed after all")
        }
        PaymentEvent::DisputeOpened(opened) => {
            postings.debit(&Account::Disputed, whole(opened.parts()));
            postings.credit(&Account::Clearing(PaymentMethod::Card), whole(opened.parts()));
            Fact::on(day(opened.opened_at), "dispute opened")
        }
        PaymentEvent::DisputeClosed(closed) => {
            let to = match (closed.outcome, book.stage) {
                (DisputeOutcome::Won, _) => Some(Account::Clearing(PaymentMethod::Card)),
                (DisputeOutcome::Lost, Stage::Open | Stage::Held | Stage::CalledOff) => {
                    Some(Account::DisputesLost)
                }
                (DisputeOutcome::Lost, Stage::Kept) => None,
            };
            if let Some(to) = to {
                postings.debit(&to, whole(closed.parts()));
                postings.credit(&Account::Disputed, whole(closed.parts()));
            } else {
                // What the bank took is not kept, and so not sold.
                let undone = RefundKind::FullReversal;
                given_back(book, undone, &Account::Disputed, closed.parts(), postings);
            }
            Fact::on(
                day(closed.closed_at),
                format!("dispute {}", closed.outcome.as_str()),
            )
        }
        PaymentEvent::Claimed(_)
        | PaymentEvent::Rejected(_)
        | PaymentEvent::IntentCreated(_)
        | PaymentEvent::Processing(_)
        | PaymentEvent::Failed(_)
        | PaymentEvent::RefundRequested(_)
        | PaymentEvent::RefundFailed(_) => return None,
    })
}

fn whole(parts: PaymentParts) -> Cents {
    parts.amount_cents + parts.tip_cents + parts.fee_cents
}

/// Money came in: it pays what is owed for a party that was held, and is held for the customer otherwise.
fn came_in(book: &BookRow, method: PaymentMethod, parts: PaymentParts, postings: &mut Postings) {
    let owed = match book.stage {
        Stage::Held => book.receivable().min(parts.amount_cents).max(Cents::ZERO),
        Stage::Open | Stage::CalledOff | Stage::Kept => Cents::ZERO,
    };
    postings.debit(&Account::Clearing(method), whole(parts));
    postings.credit(&Account::Receivable, owed);
    postings.credit(&Account::DepositsHeld, parts.amount_cents - owed);
    postings.credit(&Account::TipsPayable, parts.tip_cents);
    postings.credit(&Account::CardFees, parts.fee_cents);
}

/// Money that was booked had not come: what it had paid is owed again.
fn went_missing(book: &BookRow, method: PaymentMethod, parts: PaymentParts, postings: &mut Postings) {
    let held = match book.stage {
        // Nothing is owed for it; how much less is kept, its tax says.
        Stage::Kept => parts.amount_cents,
        Stage::Open | Stage::Held | Stage::CalledOff => {
            book.deposits_held().min(parts.amount_cents).max(Cents::ZERO)
        }
    };
    postings.credit(&Account::Clearing(method), whole(parts));
    postings.debit(&Account::DepositsHeld, held);
    postings.debit(&Account::Receivable, parts.amount_cents - held);
    postings.debit(&Account::TipsPayable, parts.tip_cents);
    postings.debit(&Account::CardFees, parts.fee_cents);
}

/// Money was given back: of what is held for the customer, of the income, or as a kindness.
fn given_back(
    book: &BookRow,
    kind: RefundKind,
    from: &Account<'_>,
    parts: PaymentParts,
    postings: &mut Postings,
) {
    let available = book.deposits_held().min(parts.amount_cents).max(Cents::ZERO);
    let (held, rest) = match (kind, book.stage) {
        // What is not kept is not sold, for whatever reason it was given back.
        (_, Stage::Kept) => (available, Account::Refunds),
        (RefundKind::Goodwill, _) => (Cents::ZERO, Account::Goodwill),
        (RefundKind::Overpayment, _) => (available, Account::Receivable),
        (RefundKind::CancelledBeforeService, _) | (_, Stage::CalledOff) => (available, Account::KeptDeposits),
        (_, Stage::Open) => (available, Account::Refunds),
        (_, Stage::Held) => (Cents::ZERO, Account::Refunds),
    };
    postings.credit(from, whole(parts));
    postings.debit(&Account::DepositsHeld, held);
    postings.debit(&rest, parts.amount_cents - held);
    postings.debit(&Account::TipsPayable, parts.tip_cents);
    postings.debit(&Account::CardFees, parts.fee_cents);
}
