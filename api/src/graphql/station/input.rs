//! What clients send about stations.

use async_graphql::{ID, InputObject};
use commands::station::StationSettingsChange;
use domain::ids::StationId;
use domain::place::is_state;
use domain::station::{ClosedDays, StationCreated, StationSettings};

use crate::graphql::chef::Weekday;
use crate::graphql::error::UserError;
use crate::graphql::scalar::{LocalDate, LocalTime};

/// How events are laid into a station's days. What is left out is as the product has it by default.
#[derive(Default, InputObject)]
pub(in crate::graphql) struct StationSettingsInput {
    /// Local start times on offer, ascending; 12:00, 15:00, 18:00 and 21:00 where absent.
    slots: Option<Vec<LocalTime>>,
    /// Length of an event, 15 to 720 minutes; 120 where absent.
    event_minutes: Option<i32>,
    /// Minutes that a chef needs before the start, the way there not counted; 60 where absent.
    setup_minutes: Option<i32>,
    /// Minutes that a chef needs after the end; 30 where absent.
    teardown_minutes: Option<i32>,
    /// Guests that one chef cooks for; 25 where absent.
    guests_per_chef: Option<i32>,
    /// Hours that a booking must lie ahead; 48 where absent.
    lead_hours: Option<i32>,
    /// Days ahead that can be booked; 365 where absent.
    horizon_days: Option<i32>,
    /// Days of the week on which no event starts.
    closed_weekdays: Option<Vec<Weekday>>,
    /// Single days on which no event starts.
    closed_on: Option<Vec<LocalDate>>,
}

impl From<StationSettingsInput> for StationSettings {
    fn from(input: StationSettingsInput) -> Self {
        let usual = Self::default();
        let or = |given: Option<i32>, usual: i64| given.map_or(usual, i64::from);
        Self {
            slots: input.slots.map_or(usual.slots, |slots| {
                slots.into_iter().map(|slot| slot.0).collect()
            }),
            event_mins: or(input.event_minutes, usual.event_mins),
            setup_mins: or(input.setup_minutes, usual.setup_mins),
            teardown_mins: or(input.teardown_minutes, usual.teardown_mins),
            guests_per_chef: input.guests_per_chef.unwrap_or(usual.guests_per_chef),
            lead_hours: or(input.lead_hours, usual.lead_hours),
            horizon_days: or(input.horizon_days, usual.horizon_days),
            closed: ClosedDays {
                weekdays: input
                    .closed_weekdays
                    .unwrap_or_default()
                    .into_iter()
                    .map(chrono::Weekday::from)
                    .collect(),
                dates: input
                    .closed_on
                    .unwrap_or_default()
                    .into_iter()
                    .map(|day| day.0)
                    .collect(),
            },
        }
    }
}

/// A branch to open.
#[derive(InputObject)]
pub(in crate::graphql) struct StationCreateInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// Name of the branch; 1 to 120 characters.
    name: String,
    /// IANA zone of its clock, `America/Los_Angeles`.
    zone: String,
    /// ZIP that travel is measured from.
    zip: String,
    /// Two-letter state.
    state: String,
    /// How events are laid into its days.
    settings: Option<StationSettingsInput>,
}

impl StationCreateInput {
    /// The key and the branch.
    pub(in crate::graphql) fn read(self) -> Result<(ID, StationCreated), UserError> {
        let zone = self
            .zone
            .parse()
            .map_err(|_| UserError::new("INVALID_ZONE", &["zone"], "there is no such IANA time zone"))?;
        let zip = self
            .zip
            .trim()
            .parse()
            .map_err(|_| UserError::new("INVALID_ZIP", &["zip"], "a ZIP code has five digits"))?;
        let state = self.state.trim().to_ascii_uppercase();
        if !is_state(&state) {
            return Err(UserError::new(
                "INVALID_STATE",
                &["state"],
                "a state has two letters, such as CA",
            ));
        }
        let created = StationCreated {
            name: self.name.trim().to_owned(),
            zone,
            zip,
            state,
            settings: self.settings.unwrap_or_default().into(),
        };
        Ok((self.idempotency_key, created))
    }
}

/// Another way to lay events into a branch's days.
#[derive(InputObject)]
pub(in crate::graphql) struct StationSettingsChangeInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// The station.
    pub(in crate::graphql) station_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
    /// All settings from now on; what is left out is as the product has it by default.
    settings: StationSettingsInput,
    /// Why; 3 to 500 characters.
    reason: String,
}

impl StationSettingsChangeInput {
    /// The key and the change.
    pub(in crate::graphql) fn read(self, station_id: StationId) -> (ID, StationSettingsChange) {
        let change = StationSettingsChange {
            station_id,
            expected_version: self.expected_version.map(i64::from),
            settings: self.settings.into(),
            reason: self.reason,
        };
        (self.idempotency_key, change)
    }
}
