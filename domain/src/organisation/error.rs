//! Why an organisation refuses.

use super::LEAD_MONTHS;
use crate::decider::Refusal;
use crate::message_settings::MessageSettingsError;
use crate::money::Cents;
use crate::review::RoutingError;

/// Why an organisation refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrganisationError {
    /// It is there already.
    #[error("the organisation exists already")]
    Exists,
    /// There is no such company.
    #[error("there is no such organisation")]
    NotFound,
    /// Empty or too long.
    #[error("a name has 1 to 120 characters")]
    BadName,
    /// Not usable at sign-in.
    #[error("a slug has 2 to 60 lower-case letters and digits, in words joined by single hyphens")]
    BadSlug,
    /// It is so already.
    #[error("it is so already: nothing would change")]
    Unchanged,
    /// It is so already.
    #[error("what is kept is so taxed already: nothing would change")]
    KeptUnchanged,
    /// It is so already.
    #[error("second factors are gone about so already: nothing would change")]
    SecondFactorUnchanged,
    /// It is so already.
    #[error("the share is so already: nothing would change")]
    FlagUnchanged,
    /// Too short or too long.
    #[error("a reason has 3 to 500 characters")]
    BadReason,
    /// Negative or absurd.
    #[error("a limit is 0 to {}", Cents::MAX_INPUT)]
    BadLimit,
    /// Less than a month, or absurd.
    #[error("personal data of leads is kept for {} to {} months", LEAD_MONTHS.start(), LEAD_MONTHS.end())]
    BadLeadWindow,
    /// Customers cannot be written to so.
    #[error(transparent)]
    Message(#[from] MessageSettingsError),
    /// Reviews cannot be gone about so.
    #[error(transparent)]
    Review(#[from] RoutingError),
}

impl Refusal for OrganisationError {
    fn code(&self) -> &'static str {
        match self {
            Self::Exists => "ALREADY_EXISTS",
            Self::NotFound => "NOT_FOUND",
            Self::BadName => "INVALID_NAME",
            Self::BadSlug => "INVALID_SLUG",
            Self::Unchanged | Self::KeptUnchanged | Self::SecondFactorUnchanged | Self::FlagUnchanged => {
                "UNCHANGED"
            }
            Self::BadReason => "INVALID_REASON",
            Self::BadLimit => "INVALID_AMOUNT",
            Self::BadLeadWindow => "INVALID_WINDOW",
            Self::Message(error) => error.code(),
            Self::Review(error) => error.code(),
        }
    }
    fn field(&self) -> &'static [&'static str] {
        match self {
            Self::Exists | Self::NotFound => &[],
            Self::BadName => &["name"],
            Self::BadSlug => &["slug"],
            Self::Unchanged => &["cardFee"],
            Self::KeptUnchanged => &["keptDeposit"],
            Self::SecondFactorUnchanged => &["rule"],
            Self::FlagUnchanged => &["share"],
            Self::BadReason => &["reason"],
            Self::BadLimit => &["limitMinor"],
            Self::BadLeadWindow => &["months"],
            Self::Message(error) => error.field(),
            Self::Review(error) => error.field(),
        }
    }
}
