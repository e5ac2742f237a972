//! Calendars that other programs follow under a secret address.

use domain::access::Permission;
use domain::calendar::CALENDAR_TOKEN;
use domain::chef::{Chef, ChefCommand};
use domain::decider::Decider;
use domain::ids::{ChefId, StationId, TenantId};
use domain::station::{Station, StationCommand, StationError};
use serde::Serialize;

use crate::chef::is_chef;
use crate::execute::{Plan, Written, to_the_end};
use crate::{Caller, CommandError, Commands, IdempotencyKey};

/// Whose calendar it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum CalendarOf {
    /// What one chef is assigned to.
    Chef(ChefId),
    /// Every party of a station.
    Station(StationId),
}

/// What a secret address leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// Whose calendar.
    pub of: CalendarOf,
    /// The stations whose parties it shows; none for all.
    pub stations: Option<Vec<StationId>>,
}

impl CalendarOf {
    fn needs(self) -> Permission {
        match self {
            Self::Chef(_) => Permission::ScheduleWrite,
            Self::Station(_) => Permission::ChefWrite,
        }
    }
}

impl Commands {
    /// Gives out a secret address of a calendar, in place of the one before. Only a keyed hash of the token is kept. A
    /// chef's shows the parties of the stations within reach of whoever gives it out; chefs see all of their own.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn issue_calendar(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        of: CalendarOf,
        token: String,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(of.needs())?;
            // The token is no part of what is asked: a repeat has made up another.
            this.run(&caller, &key, "calendar_issue", &of, || async {
                let token_key = this
                    .vault
                    .index_key(caller.tenant, CALENDAR_TOKEN, &token)
                    .await?;
                this.plan_calendar(&caller, of, Some(token_key)).await
            })
            .await
        })
        .await
    }

    /// Takes the secret address of a calendar back: it leads nowhere from then on.
    ///
    /// # Errors
    /// `NOT_FOUND`, `NO_CALENDAR`.
    pub async fn revoke_calendar(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        of: CalendarOf,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(of.needs())?;
            this.run(&caller, &key, "calendar_revoke", &of, || {
                this.plan_calendar(&caller, of, None)
            })
            .await
        })
        .await
    }

    async fn plan_calendar(
        &self,
        caller: &Caller,
        of: CalendarOf,
        token_key: Option<String>,
    ) -> Result<Plan, CommandError> {
        match of {
            CalendarOf::Chef(id) => {
                let loaded = self.load_chef(caller, id).await?;
                let command = match token_key {
                    Some(token_key) => ChefCommand::IssueCalendar {
                        token_key,
                        stations: stations_within_reach(caller),
                    },
                    None => ChefCommand::RevokeCalendar,
                };
                let events = loaded.state.decide(command).map_err(CommandError::refused)?;
                Ok(Plan::default().write::<Chef>(self, id.to_string(), loaded.version, events))
            }
            CalendarOf::Station(id) => {
                caller.reach(id, StationError::NotFound.into())?;
                let loaded = self.load::<Station>(caller, &id.to_string()).await?;
                let command = match token_key {
                    Some(token_key) => StationCommand::IssueCalendar { token_key },
                    None => StationCommand::RevokeCalendar,
                };
                let events = loaded.state.decide(command).map_err(CommandError::refused)?;
                Ok(Plan::default().write::<Station>(self, id.to_string(), loaded.version, events))
            }
        }
    }

    /// What a secret address leads to; nowhere where it was never given out or was taken back.
    ///
    /// # Errors
    /// When the log is out of reach.
    pub async fn calendar_of(&self, tenant: TenantId, token: &str) -> Result<Option<Feed>, CommandError> {
        let key = self.vault.index_key(tenant, CALENDAR_TOKEN, token).await?;
        let holder = self.log.unique_holder(tenant, CALENDAR_TOKEN, &key).await?;
        let Some(holder) = holder else {
            return Ok(None);
        };
        let of = match holder.kind.as_ref() {
            Chef::STREAM => holder.id.parse().ok().map(CalendarOf::Chef),
            Station::STREAM => holder.id.parse().ok().map(CalendarOf::Station),
            _ => None,
        };
        let stations = match of {
            Some(CalendarOf::Chef(chef)) => {
                let caller = Caller::system(tenant, "calendar");
                let chef = self.load::<Chef>(&caller, &chef.to_string()).await?;
                chef.state.calendar_stations().map(<[StationId]>::to_vec)
            }
            Some(CalendarOf::Station(_)) | None => None,
        };
        Ok(of.map(|of| Feed { of, stations }))
    }
}

fn stations_within_reach(caller: &Caller) -> Option<Vec<StationId>> {
    let only = caller.stations.only().filter(|_| !is_chef(caller))?;
    Some(only.to_vec())
}
