//! Payments: one stream per movement of money. Only what was verified or captured counts.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::decider::{Decider, Refusal};
use crate::ids::{BookingId, StationId};
use crate::money::{Cents, RatePpm};
use crate::tax_rate::Jurisdiction;

crate::events! {
    /// What can happen to a payment.
    pub enum PaymentEvent {
        "Somebody says that money was sent or handed over." Claimed(PaymentClaimed) = "payment.claimed" v 1;
        "The money was found: it counts." Verified(PaymentVerified) = "payment.verified" v 1;
        "The money was not found: it does not count." Rejected(PaymentRejected) = "payment.rejected" v 1;
    }
}

/// What a payment is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentKind {
    /// The deposit that confirms.
    Deposit,
    /// What is left of the price.
    Balance,
    /// A voluntary tip and nothing else.
    Tip,
    /// Anything else towards the booking.
    Other,
}

impl PaymentKind {
    /// The word in rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deposit => "deposit",
            Self::Balance => "balance",
            Self::Tip => "tip",
            Self::Other => "other",
        }
    }
}

/// How money moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentMethod {
    /// A card, through the payment provider.
    Card,
    /// Zelle, bank to bank.
    Zelle,
    /// Venmo.
    Venmo,
    /// Cash in hand.
    Cash,
}

impl PaymentMethod {
    /// The word in rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Zelle => "zelle",
            Self::Venmo => "venmo",
            Self::Cash => "cash",
        }
    }
}

/// The booking that money belongs to, as far as readers of payments need it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaidBooking {
    /// The booking.
    pub booking_id: BookingId,
    /// Its number.
    pub number: String,
    /// Its station.
    pub station_id: StationId,
    /// Local date of its event.
    pub event_on: NaiveDate,
    /// Where its tax belongs.
    pub jurisdiction: Jurisdiction,
    /// Rate in millionths, where one is known.
    pub rate_ppm: Option<RatePpm>,
}

/// Somebody says that money was sent or handed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentClaimed {
    /// What for.
    pub booking: PaidBooking,
    /// What it is.
    pub kind: PaymentKind,
    /// How it moved.
    pub method: PaymentMethod,
    /// Towards the booking's price, in cents.
    pub amount_cents: Cents,
    /// Voluntary tip on top, in cents.
    pub tip_cents: Cents,
    /// What the bank or the receipt calls it.
    pub reference: Option<String>,
    /// When it was claimed.
    pub claimed_at: DateTime<Utc>,
}

/// The money was found: it counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentVerified {
    /// What for.
    pub booking: PaidBooking,
    /// How it moved.
    pub method: PaymentMethod,
    /// Towards the booking's price, in cents.
    pub amount_cents: Cents,
    /// Voluntary tip on top, in cents.
    pub tip_cents: Cents,
    /// What was looked at.
    pub note: Option<String>,
    /// When it was found.
    pub verified_at: DateTime<Utc>,
}

/// The money was not found: it does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentRejected {
    /// What for.
    pub booking: PaidBooking,
    /// What was looked at.
    pub note: Option<String>,
    /// When it was given up.
    pub rejected_at: DateTime<Utc>,
}

/// What can be asked of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum PaymentCommand {
    /// Say that money was sent or handed over.
    Record(PaymentClaimed),
    /// Say whether it was found.
    Verify {
        /// Found or not.
        verdict: Verdict,
        /// What was looked at; at most 500 characters.
        note: Option<String>,
        /// The time of asking.
        now: DateTime<Utc>,
    },
}

/// Whether claimed money was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is there.
    Accept,
    /// It is not.
    Reject,
}

/// Why a payment refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PaymentError {
    /// It is there already.
    #[error("the payment exists already")]
    Exists,
    /// There is no such payment.
    #[error("there is no such payment")]
    NotFound,
    /// There is no such booking.
    #[error("there is no such booking")]
    BookingNotFound,
    /// Cards go through the provider.
    #[error("a card payment is taken through the payment provider, not recorded by hand")]
    CardByHand,
    /// Nothing, negative or absurd.
    #[error("an amount is more than 0 and at most {}", Cents::MAX_INPUT)]
    BadAmount,
    /// Negative or absurd.
    #[error(
        "a tip is 0 to {}; a payment of kind TIP names it as its amount",
        Cents::MAX_INPUT
    )]
    BadTip,
    /// Too long.
    #[error("a reference has at most 200 and a note at most 500 characters")]
    TooLong,
    /// Decided already.
    #[error("the payment is {0} already")]
    AlreadyDecided(&'static str),
}

impl Refusal for PaymentError {
    fn code(&self) -> &'static str {
        match self {
            Self::Exists => "ALREADY_EXISTS",
            Self::NotFound | Self::BookingNotFound => "NOT_FOUND",
            Self::CardByHand => "CARD_NOT_BY_HAND",
            Self::BadAmount | Self::BadTip => "INVALID_AMOUNT",
            Self::TooLong => "TOO_LONG",
            Self::AlreadyDecided(_) => "WRONG_STATE",
        }
    }
    fn field(&self) -> &'static [&'static str] {
        match self {
            Self::Exists | Self::AlreadyDecided(_) => &[],
            Self::NotFound => &["paymentId"],
            Self::BookingNotFound => &["bookingId"],
            Self::CardByHand => &["method"],
            Self::BadAmount => &["amountMinor"],
            Self::BadTip => &["tipMinor"],
            Self::TooLong => &["note"],
        }
    }
}

/// A payment as the stream tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    claimed: Option<PaymentClaimed>,
    verdict: Option<Verdict>,
}

impl Payment {
    /// What was claimed, once it was.
    pub fn claimed(&self) -> Option<&PaymentClaimed> {
        self.claimed.as_ref()
    }

    fn record(&self, claimed: PaymentClaimed) -> Result<PaymentEvent, PaymentError> {
        if self.claimed.is_some() {
            return Err(PaymentError::Exists);
        }
        if claimed.method == PaymentMethod::Card {
            return Err(PaymentError::CardByHand);
        }
        if claimed.amount_cents <= Cents::ZERO || claimed.amount_cents > Cents::MAX_INPUT {
            return Err(PaymentError::BadAmount);
        }
        let tip_twice = claimed.kind == PaymentKind::Tip && !claimed.tip_cents.is_zero();
        if claimed.tip_cents < Cents::ZERO || claimed.tip_cents > Cents::MAX_INPUT || tip_twice {
            return Err(PaymentError::BadTip);
        }
        check_length(200, claimed.reference.as_deref())?;
        let claimed = match claimed.kind {
            PaymentKind::Tip => PaymentClaimed {
                tip_cents: claimed.amount_cents,
                amount_cents: Cents::ZERO,
                ..claimed
            },
            PaymentKind::Deposit | PaymentKind::Balance | PaymentKind::Other => claimed,
        };
        Ok(PaymentEvent::Claimed(claimed))
    }

    fn verify(
        &self,
        verdict: Verdict,
        note: Option<String>,
        now: DateTime<Utc>,
    ) -> Result<PaymentEvent, PaymentError> {
        let claimed = self.claimed.as_ref().ok_or(PaymentError::NotFound)?;
        match self.verdict {
            Some(Verdict::Accept) => return Err(PaymentError::AlreadyDecided("verified")),
            Some(Verdict::Reject) => return Err(PaymentError::AlreadyDecided("rejected")),
            None => {}
        }
        check_length(500, note.as_deref())?;
        let booking = claimed.booking.clone();
        Ok(match verdict {
            Verdict::Accept => PaymentEvent::Verified(PaymentVerified {
                booking,
                method: claimed.method,
                amount_cents: claimed.amount_cents,
                tip_cents: claimed.tip_cents,
                note,
                verified_at: now,
            }),
            Verdict::Reject => PaymentEvent::Rejected(PaymentRejected {
                booking,
                note,
                rejected_at: now,
            }),
        })
    }
}

fn check_length(max: usize, text: Option<&str>) -> Result<(), PaymentError> {
    if text.is_some_and(|text| text.chars().count() > max) {
        Err(PaymentError::TooLong)
    } else {
        Ok(())
    }
}

impl Decider for Payment {
    const STREAM: &'static str = "payment";
    type Command = PaymentCommand;
    type Event = PaymentEvent;
    type Error = PaymentError;

    fn decide(&self, command: PaymentCommand) -> Result<Vec<PaymentEvent>, PaymentError> {
        let event = match command {
            PaymentCommand::Record(claimed) => self.record(claimed)?,
            PaymentCommand::Verify { verdict, note, now } => self.verify(verdict, note, now)?,
        };
        Ok(vec![event])
    }

    fn evolve(&mut self, event: &PaymentEvent) {
        match event {
            PaymentEvent::Claimed(claimed) => self.claimed = Some(claimed.clone()),
            PaymentEvent::Verified(_) => self.verdict = Some(Verdict::Accept),
            PaymentEvent::Rejected(_) => self.verdict = Some(Verdict::Reject),
        }
    }
}

#[cfg(test)]
mod tests;
