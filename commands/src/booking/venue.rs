//! Where a party is to be held, as a client names it.

use domain::place::Place;
use serde::Serialize;

use crate::{CommandError, Refused};

/// Where a party is to be held, as the client named it.
#[derive(Clone, Serialize)]
pub struct VenueInput {
    /// Street and number.
    pub street: String,
    /// City.
    pub city: String,
    /// Two-letter state.
    pub state: String,
    /// ZIP code.
    pub zip: String,
    /// County, where the client knows it: a ZIP may touch several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub county: Option<String>,
}

/// Refuses a state that the ZIP is not in.
pub(super) fn check_state(place: &Place, state: &str) -> Result<(), CommandError> {
    if place.state.eq_ignore_ascii_case(state.trim()) {
        return Ok(());
    }
    Err(CommandError::Refused(Refused {
        code: "ZIP_STATE_MISMATCH",
        field: vec!["venue", "state"],
        message: format!("the ZIP code {} is in {}", place.zip, place.state),
    }))
}

/// Refuses a street or a city that is missing, or too long.
pub(super) fn check_venue(venue: &VenueInput) -> Result<(), CommandError> {
    let bad = |field: &'static str, message: &str| {
        Err(CommandError::Refused(Refused {
            code: "INVALID_VENUE",
            field: vec!["venue", field],
            message: message.to_owned(),
        }))
    };
    let length = |text: &str| text.trim().chars().count();
    if !(1..=300).contains(&length(&venue.street)) {
        return bad("street", "a street has 1 to 300 characters");
    }
    if !(1..=80).contains(&length(&venue.city)) || venue.city.chars().any(char::is_control) {
        return bad("city", "a city has 1 to 80 characters");
    }
    Ok(())
}
