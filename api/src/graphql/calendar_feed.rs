//! Secret addresses of calendars.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use commands::calendar::CalendarOf;
use domain::ids::{ChefId, StationId};

use super::error::{UserError, outcome};
use super::id::local;
use super::scalar::LogPosition;
use super::session::{app, caller, under_key};
use crate::calendar::secret_token;

/// Whose calendar: a chef's or a station's.
#[derive(InputObject)]
pub(super) struct CalendarFeedInput {
    /// The same key gives the same result; only the first shows the address.
    idempotency_key: ID,
    /// What this chef is assigned to.
    chef_id: Option<ID>,
    /// Every party of this station.
    station_id: Option<ID>,
}

impl CalendarFeedInput {
    fn whose(&self) -> std::result::Result<CalendarOf, UserError> {
        let one = || UserError::new("BAD_USER_INPUT", &[], "name a chef or a station, and not both");
        match (&self.chef_id, &self.station_id) {
            (Some(chef), None) => local::<ChefId>(chef)
                .map(CalendarOf::Chef)
                .ok_or_else(|| UserError::not_found("chefId", "chef")),
            (None, Some(station)) => local::<StationId>(station)
                .map(CalendarOf::Station)
                .ok_or_else(|| UserError::not_found("stationId", "station")),
            (None, None) | (Some(_), Some(_)) => Err(one()),
        }
    }
}

/// What a command about a calendar's address came to.
#[derive(SimpleObject)]
pub(super) struct CalendarFeedPayload {
    /// Path of the calendar on this server. It is shown once and kept nowhere: whoever has it sees the calendar, until it
    /// is taken back or another is given out. Null when it was taken back, refused or shown before.
    path: Option<String>,
    /// Why it was refused; empty when it was not. Nothing is half done.
    user_errors: Vec<UserError>,
    /// Position of the command's last event in the log: pass it as `atLeast` to read what it wrote.
    position: Option<LogPosition>,
    /// Whether this is the result of an earlier command with the same key.
    replayed: bool,
}

impl CalendarFeedPayload {
    fn of(
        done: std::result::Result<commands::Written, commands::CommandError>,
        path: Option<String>,
    ) -> Result<Self> {
        Ok(match outcome(done)? {
            Ok(written) => Self {
                path: path.filter(|_| !written.replayed),
                user_errors: Vec::new(),
                position: Some(written.position.into()),
                replayed: written.replayed,
            },
            Err(refused) => Self::refused(refused),
        })
    }

    fn refused(refused: UserError) -> Self {
        Self {
            path: None,
            user_errors: vec![refused],
            position: None,
            replayed: false,
        }
    }
}

/// Commands on secret addresses of calendars.
#[derive(Default)]
pub(super) struct CalendarFeedMutation;

#[Object]
impl CalendarFeedMutation {
    /// Gives out a secret address of a calendar for other programs to follow (iCalendar, RFC 5545), in place of the one
    /// before. A chef's needs schedule:write (chefs: their own) and shows the parties of the stations within reach of whoever
    /// gives it out; a station's needs chef:write.
    async fn calendar_issue(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: CalendarFeedInput,
    ) -> Result<CalendarFeedPayload> {
        let caller = caller(ctx)?;
        let of = match input.whose() {
            Ok(of) => of,
            Err(refused) => return Ok(CalendarFeedPayload::refused(refused)),
        };
        let token = secret_token(caller.tenant);
        let path = format!("/calendar/{token}.ics");
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx).commands.issue_calendar(caller, key, of, token)
        })
        .await;
        CalendarFeedPayload::of(done, Some(path))
    }

    /// Takes the secret address of a calendar back: it leads nowhere from then on. Needs what giving it out needs.
    async fn calendar_revoke(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: CalendarFeedInput,
    ) -> Result<CalendarFeedPayload> {
        let caller = caller(ctx)?;
        let of = match input.whose() {
            Ok(of) => of,
            Err(refused) => return Ok(CalendarFeedPayload::refused(refused)),
        };
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx).commands.revoke_calendar(caller, key, of)
        })
        .await;
        CalendarFeedPayload::of(done, None)
    }
}
