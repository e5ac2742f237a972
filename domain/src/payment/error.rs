//! Why a payment refuses.

use super::rules::{NOTE, REFERENCE, WORD};
use crate::decider::Refusal;
use crate::money::Cents;

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
    /// The booking is over: nobody is asked to pay for it any more.
    #[error("the booking is {0}: no card is charged for it any more")]
    BookingOver(&'static str),
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
    /// A note is too long.
    #[error("a note has at most {NOTE} characters")]
    NoteTooLong,
    /// A reference is too long.
    #[error("a reference has at most {REFERENCE} characters")]
    ReferenceTooLong,
    /// The word for why a refund failed is too long.
    #[error("why money was not given back has at most {WORD} characters")]
    WordTooLong,
    /// Decided already.
    #[error("the payment is {0} already")]
    AlreadyDecided(&'static str),
    /// Nothing shows that it came.
    #[error(
        "say what shows that the money came: a note, the bank's reference, or a notification of the bank"
    )]
    EvidenceRequired,
    /// Another payment of the method holds it.
    #[error("another payment of this method has this reference")]
    ReferenceUsed,
    /// Nobody pays it twice.
    #[error("the deposit of this booking has come already")]
    DepositCame,
    /// Whoever found it cannot say that it is not there.
    #[error("somebody other than who verified the payment voids it")]
    SecondPersonRequired,
    /// A card is refunded.
    #[error("a card payment is refunded, not voided")]
    CardNotVoided,
    /// Not what can be done now.
    #[error("a payment that is {is} cannot be {wanted}")]
    WrongState {
        /// What it is.
        is: &'static str,
        /// What was asked.
        wanted: &'static str,
    },
    /// Too short or too long.
    #[error("a reason has 3 to 500 characters")]
    BadReason,
    /// Nothing, or a part below nothing.
    #[error("the parts of a refund are 0 or more, and together more than 0")]
    BadRefund,
    /// The kind of refund gives other parts back.
    #[error("a refund of kind {0} gives back nothing else")]
    OtherParts(&'static str),
    /// More than is left.
    #[error("{asked} is more than can be given back: {refundable}, of which each part no more than came")]
    ExceedsRefundable {
        /// What can be given back, in cents.
        refundable: Cents,
        /// What was asked, in cents.
        asked: Cents,
    },
    /// More than whoever asks may give back.
    #[error("your role gives back at most {limit} of one payment; ask somebody who may give back more")]
    AboveRefundLimit {
        /// What may be given back of one payment in all, in cents.
        limit: Cents,
    },
    /// There is no such refund.
    #[error("the payment has no such refund")]
    RefundNotFound,
    /// It was settled otherwise.
    #[error("the refund is {0} already")]
    RefundSettled(&'static str),
    /// The provider says what becomes of a card's refund.
    #[error("the payment provider says what becomes of a card's refund")]
    RefundByProvider,
    /// The provider speaks of a refund that fits none.
    #[error("the provider speaks of a refund that none of ours explains")]
    UnexplainedRefund,
    /// A bank's decision is changed after the fact.
    #[error("the bank had decided otherwise before; what came or went since is to be seen at the provider")]
    UnexplainedDispute,
}

impl Refusal for PaymentError {
    fn code(&self) -> &'static str {
        match self {
            Self::Exists => "ALREADY_EXISTS",
            Self::NotFound | Self::BookingNotFound | Self::RefundNotFound => "NOT_FOUND",
            Self::CardByHand | Self::RefundByProvider => "CARD_NOT_BY_HAND",
            Self::BadAmount | Self::BadTip | Self::BadRefund => "INVALID_AMOUNT",
            Self::NoteTooLong | Self::ReferenceTooLong | Self::WordTooLong => "TOO_LONG",
            Self::AlreadyDecided(_)
            | Self::BookingOver(_)
            | Self::CardNotVoided
            | Self::WrongState { .. }
            | Self::RefundSettled(_) => "WRONG_STATE",
            Self::EvidenceRequired => "EVIDENCE_REQUIRED",
            Self::ReferenceUsed => "REFERENCE_USED",
            Self::DepositCame => "DEPOSIT_PAID",
            Self::SecondPersonRequired => "SECOND_PERSON_REQUIRED",
            Self::BadReason => "INVALID_REASON",
            Self::OtherParts(_) => "INVALID_REFUND_PARTS",
            Self::ExceedsRefundable { .. } => "EXCEEDS_REFUNDABLE",
            Self::AboveRefundLimit { .. } => "REFUND_ABOVE_LIMIT",
            Self::UnexplainedRefund => "UNEXPLAINED_REFUND",
            Self::UnexplainedDispute => "UNEXPLAINED_DISPUTE",
        }
    }
    fn field(&self) -> &'static [&'static str] {
        match self {
            Self::Exists
            | Self::AlreadyDecided(_)
            | Self::WrongState { .. }
            | Self::UnexplainedRefund
            | Self::UnexplainedDispute => &[],
            Self::NotFound | Self::SecondPersonRequired | Self::CardNotVoided => &["paymentId"],
            Self::BookingNotFound | Self::BookingOver(_) => &["bookingId"],
            Self::CardByHand => &["method"],
            Self::BadAmount
            | Self::BadRefund
            | Self::ExceedsRefundable { .. }
            | Self::AboveRefundLimit { .. } => &["amountMinor"],
            Self::BadTip => &["tipMinor"],
            Self::NoteTooLong | Self::EvidenceRequired => &["note"],
            Self::ReferenceTooLong | Self::ReferenceUsed => &["reference"],
            Self::BadReason | Self::WordTooLong => &["reason"],
            Self::OtherParts(_) | Self::DepositCame => &["kind"],
            Self::RefundNotFound | Self::RefundSettled(_) | Self::RefundByProvider => &["refundId"],
        }
    }
}
