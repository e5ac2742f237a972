//! Why a customer's record refuses.

use crate::decider::Refusal;

/// Why a customer's record refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CustomerError {
    /// It is there already.
    #[error("the customer exists already")]
    Exists,
    /// There is no such customer.
    #[error("there is no such customer")]
    NotFound,
    /// The person's data is gone; it cannot be erased again, and nothing new is kept of them under this id.
    #[error("this customer's data has been erased")]
    Erased,
    /// A party of theirs is still to come.
    #[error("a party of this customer is still to come: cancel it first")]
    HasOpenBooking,
    /// Not a reason that somebody later can understand.
    #[error("a reason has 10 to 500 characters")]
    BadReason,
    /// The e-mail belongs to one customer and the phone to another.
    #[error("a customer with this e-mail or phone exists already")]
    ContactTaken,
    /// Nobody to greet.
    #[error("a customer's name has 1 to 200 characters")]
    BadName,
    /// No way to reach them.
    #[error("a customer needs an e-mail or a phone")]
    NoContact,
    /// Not an address.
    #[error("an e-mail address has a name, an @ and a host, and at most 254 characters")]
    BadEmail,
    /// It is so already.
    #[error("it is so already: nothing would change")]
    Unchanged,
    /// Not the name of a version.
    #[error("a version of a text has 1 to 60 characters")]
    BadTextVersion,
    /// Not a word for a place.
    #[error("where a consent was given is a word of 1 to 40 lower-case letters, digits and underscores")]
    BadThrough,
    /// Not a number.
    #[error("a phone number has 10 to 15 digits")]
    BadPhone,
}

impl Refusal for CustomerError {
    fn code(&self) -> &'static str {
        match self {
            Self::Exists => "ALREADY_EXISTS",
            Self::NotFound => "NOT_FOUND",
            Self::Erased => "CUSTOMER_ERASED",
            Self::HasOpenBooking => "CUSTOMER_HAS_OPEN_BOOKING",
            Self::BadReason => "INVALID_REASON",
            Self::ContactTaken => "CONTACT_TAKEN",
            Self::BadName => "INVALID_NAME",
            Self::NoContact => "CONTACT_REQUIRED",
            Self::BadEmail => "INVALID_EMAIL",
            Self::BadPhone => "INVALID_PHONE",
            Self::Unchanged => "UNCHANGED",
            Self::BadTextVersion => "INVALID_TEXT_VERSION",
            Self::BadThrough => "INVALID_THROUGH",
        }
    }
    fn field(&self) -> &'static [&'static str] {
        match self {
            Self::Exists | Self::HasOpenBooking | Self::Unchanged => &[],
            Self::NotFound | Self::Erased => &["customer", "id"],
            Self::BadReason => &["reason"],
            Self::ContactTaken | Self::NoContact => &["customer"],
            Self::BadName => &["customer", "name"],
            Self::BadEmail => &["customer", "email"],
            Self::BadPhone => &["customer", "phone"],
            Self::BadTextVersion => &["textVersion"],
            Self::BadThrough => &["through"],
        }
    }
}
