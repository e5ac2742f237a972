//! Calendars that other programs follow under a secret address. Of the address only a keyed hash is kept.

use crate::envelope::Claim;

/// What the hash of a calendar's token is unique in: it leads from the address to whose calendar it is.
pub const CALENDAR_TOKEN: &str = "calendar.token";

/// An address leads to whoever takes it.
pub(crate) fn take(token_key: &str) -> Vec<Claim> {
    vec![Claim::TakeUnique {
        scope: CALENDAR_TOKEN.into(),
        key: token_key.to_owned(),
    }]
}

/// An address leads nowhere any more.
pub(crate) fn release(token_key: &str) -> Vec<Claim> {
    vec![Claim::ReleaseUnique {
        scope: CALENDAR_TOKEN.into(),
        key: token_key.to_owned(),
    }]
}
