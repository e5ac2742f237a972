//! Opening stations.

use domain::access::Permission;
use domain::decider::Decider;
use domain::ids::{ChefId, StationId};
use domain::organisation::{Organisation, OrganisationCommand, StationAdded};
use domain::station::{Station, StationCommand, StationCreated, StationError, StationSettings};
use serde::Serialize;

use crate::execute::{Plan, Written, to_the_end};
use crate::organisation::organisation_id;
use crate::{Caller, CommandError, Commands, IdempotencyKey};

/// Another way to lay events into a station's days.
#[derive(Debug, Clone, Serialize)]
pub struct StationSettingsChange {
    /// The station.
    pub station_id: StationId,
    /// The version that the client saw; none opts out.
    pub expected_version: Option<i64>,
    /// How, from now on.
    pub settings: StationSettings,
    /// Why.
    pub reason: String,
}

impl Commands {
    /// The chefs of a station; none of one that is not there.
    ///
    /// # Errors
    /// When the log is out of reach.
    pub async fn chefs_of(&self, caller: &Caller, id: StationId) -> Result<Vec<ChefId>, CommandError> {
        let station = self.load::<Station>(caller, &id.to_string()).await?;
        Ok(station.state.chefs().iter().copied().collect())
    }

    /// Changes how events are laid into a station's days. Bookings keep what they were made under.
    ///
    /// # Errors
    /// `INVALID_SETTINGS`, `INVALID_REASON`, `UNCHANGED`.
    pub async fn change_station_settings(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        ask: StationSettingsChange,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::StationWrite)?;
            caller.reach(ask.station_id, StationError::NotFound.into())?;
            this.run(&caller, &key, "station_settings_change", &ask, || async {
                let id = ask.station_id.to_string();
                let loaded = this.load::<Station>(&caller, &id).await?;
                loaded.expect(ask.expected_version)?;
                let command = StationCommand::ChangeSettings {
                    settings: ask.settings.clone(),
                    reason: ask.reason.clone(),
                };
                let events = loaded.state.decide(command).map_err(CommandError::refused)?;
                Ok(Plan::default().write::<Station>(&this, id, loaded.version, events))
            })
            .await
        })
        .await
    }

    /// Opens a station of the company.
    ///
    /// # Errors
    /// A refusal when the station's settings cannot be, the role may not, or the log is out of reach.
    pub async fn create_station(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        created: StationCreated,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::StationWrite)?;
            let id = StationId(this.ports.id());
            this.run(&caller, &key, "station_create", &created, || {
                this.plan_station(&caller, id, &created)
            })
            .await
        })
        .await
    }

    async fn plan_station(
        &self,
        caller: &Caller,
        id: StationId,
        created: &StationCreated,
    ) -> Result<Plan, CommandError> {
        let station = Station::default()
            .decide(StationCommand::Create(created.clone()))
            .map_err(CommandError::refused)?;
        let company = self
            .load::<Organisation>(caller, &organisation_id(caller.tenant))
            .await?;
        let added = StationAdded {
            station_id: id,
            zip: created.zip.clone(),
        };
        let listed = company
            .state
            .decide(OrganisationCommand::AddStation(added))
            .map_err(CommandError::refused)?;
        Ok(Plan::default()
            .write::<Organisation>(self, organisation_id(caller.tenant), company.version, listed)
            .write::<Station>(self, id.to_string(), domain::envelope::Version(0), station))
    }

    /// The station that serves a place: the one that was named, else the nearest of the company.
    pub(crate) async fn serving_station(
        &self,
        caller: &Caller,
        named: Option<StationId>,
        zip: &domain::place::ZipCode,
    ) -> Result<StationId, CommandError> {
        if let Some(named) = named {
            return Ok(named);
        }
        let company = self
            .load::<Organisation>(caller, &organisation_id(caller.tenant))
            .await?;
        let distance = |station: &StationAdded| {
            self.ports
                .places
                .travel(&station.zip, zip)
                .map(|travel| (travel.tenths_of_mile, station.station_id))
        };
        let nearest = company.state.stations().iter().filter_map(distance).min();
        nearest
            .map(|(_, station)| station)
            .ok_or_else(|| CommandError::refused(StationError::NotFound))
    }
}
