//! Where a booking stands.

use serde::{Deserialize, Serialize};

use super::BookingError;

/// Where a booking stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BookingStatus {
    /// Asked for; the place is held until the deposit is due.
    Requested,
    /// The deposit has come.
    Confirmed,
    /// Held.
    Completed,
    /// Called off.
    Cancelled,
    /// The deposit did not come.
    Expired,
}

impl BookingStatus {
    /// Every status, in the order of a booking's life.
    pub const ALL: [Self; 5] = [
        Self::Requested,
        Self::Confirmed,
        Self::Completed,
        Self::Cancelled,
        Self::Expired,
    ];

    /// Whether it is still to be held, and so holds a place.
    pub fn is_open(self) -> bool {
        match self {
            Self::Requested | Self::Confirmed => true,
            Self::Completed | Self::Cancelled | Self::Expired => false,
        }
    }

    /// The word in sentences and rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Confirmed => "confirmed",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }
}

/// Refuses what is only asked of a booking that stands otherwise.
pub(super) fn refuse_unless(
    holds: bool,
    status: BookingStatus,
    wanted: &'static str,
) -> Result<(), BookingError> {
    if holds {
        Ok(())
    } else {
        Err(BookingError::WrongState {
            status: status.as_str(),
            wanted,
        })
    }
}
