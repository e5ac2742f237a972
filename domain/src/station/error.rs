//! Why a station refuses.

use crate::decider::Refusal;

/// Why a station refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StationError {
    /// It is there already.
    #[error("the station exists already")]
    Exists,
    /// There is no such station.
    #[error("there is no such station")]
    NotFound,
    /// Empty or too long.
    #[error("a station's name has 1 to 120 characters")]
    BadName,
    /// Lengths, slots or limits that no day can hold.
    #[error("a station needs at least one slot, an event length of 15 to 720 minutes, and positive limits")]
    BadSettings,
    /// The chef works here already.
    #[error("the chef works at this station already")]
    ChefAlreadyHere,
    /// The chef does not work here.
    #[error("the chef does not work at this station")]
    ChefNotHere,
    /// Parties to come have the chef.
    #[error("the chef is still to cook at parties: take the chef off them first")]
    ChefHasParties,
    /// Parties to come at the chef's only other station need every chef who is counted there.
    #[error("a party to come at the chef's other station needs every chef that there is")]
    ChefCountedOn,
    /// Too short or too long.
    #[error("a reason has 3 to 500 characters")]
    BadReason,
    /// They are so already.
    #[error("the settings are so already")]
    Unchanged,
    /// No address of the calendar is out.
    #[error("no address of this station's calendar is out")]
    NoCalendar,
}

impl Refusal for StationError {
    fn code(&self) -> &'static str {
        match self {
            Self::Exists => "ALREADY_EXISTS",
            Self::NotFound => "NOT_FOUND",
            Self::BadName => "INVALID_NAME",
            Self::BadSettings => "INVALID_SETTINGS",
            Self::ChefAlreadyHere => "CHEF_ALREADY_AT_STATION",
            Self::ChefNotHere => "CHEF_NOT_AT_STATION",
            Self::ChefHasParties => "CHEF_HAS_PARTIES",
            Self::ChefCountedOn => "CHEF_COUNTED_ON",
            Self::BadReason => "INVALID_REASON",
            Self::Unchanged => "UNCHANGED",
            Self::NoCalendar => "NO_CALENDAR",
        }
    }
    fn field(&self) -> &'static [&'static str] {
        match self {
            Self::Exists => &[],
            Self::NotFound | Self::NoCalendar => &["stationId"],
            Self::BadName => &["name"],
            Self::BadSettings | Self::Unchanged => &["settings"],
            Self::BadReason => &["reason"],
            Self::ChefAlreadyHere | Self::ChefNotHere | Self::ChefHasParties | Self::ChefCountedOn => {
                &["chefId"]
            }
        }
    }
}
