//! Who cooks at a party.

use domain::access::Permission;
use domain::booking::{AssignChef, Booking, BookingCommand, BookingError};
use domain::chef::{Chef, ChefError};
use domain::decider::Decider;
use domain::ids::{BookingId, ChefId};
use domain::station::Station;
use serde::Serialize;

use super::change::requested;
use super::roster::where_works;
use crate::execute::{CAPACITY, INTERVAL, Plan, Written, to_the_end};
use crate::{Caller, CommandError, Commands, IdempotencyKey};

/// A chef who is to cook.
#[derive(Debug, Clone, Serialize)]
pub struct BookingChef {
    /// The booking.
    pub booking_id: BookingId,
    /// The version that the client saw; none opts out.
    pub expected_version: Option<i64>,
    /// Who.
    pub chef_id: ChefId,
}

/// A chef who is not to cook after all.
#[derive(Debug, Clone, Serialize)]
pub struct BookingChefRelease {
    /// The booking.
    pub booking_id: BookingId,
    /// The version that the client saw; none opts out.
    pub expected_version: Option<i64>,
    /// Who.
    pub chef_id: ChefId,
    /// Why.
    pub reason: Option<String>,
}

impl Commands {
    /// Lets a chef cook at a party: nobody else has that chef then.
    ///
    /// # Errors
    /// `CHEF_CONFLICT` when another party has the chef, `CHEF_UNAVAILABLE` when the chef does not work then,
    /// `CHEF_CAP_REACHED`, `CHEF_NOT_AT_STATION`, `ENOUGH_CHEFS`.
    pub async fn assign_chef(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        ask: BookingChef,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::BookingWrite)?;
            this.run(&caller, &key, "booking_chef_assign", &ask, || {
                this.plan_assignment(&caller, &ask)
            })
            .await
        })
        .await
    }

    async fn plan_assignment(&self, caller: &Caller, ask: &BookingChef) -> Result<Plan, CommandError> {
        let loaded = self
            .booking_to_change(caller, ask.booking_id, ask.expected_version)
            .await?;
        let station_id = requested(&loaded)?.station_id;
        let station = self.station_of(caller, station_id).await?;
        let chef = self.load::<Chef>(caller, &ask.chef_id.to_string()).await?;
        if chef.state.registered().is_none() {
            return Err(CommandError::refused(ChefError::NotFound));
        }
        let elsewhere = self.other_stations(caller, station_id).await?;
        let command = BookingCommand::AssignChef(Box::new(AssignChef {
            chef_id: ask.chef_id,
            works: where_works(ask.chef_id, &elsewhere),
            chef: chef.state,
            station: station.state,
            now: self.ports.now(),
        }));
        let events = loaded.state.decide(command).map_err(CommandError::refused)?;
        Ok(Plan::default()
            .write::<Booking>(self, ask.booking_id.to_string(), loaded.version, events)
            .reads::<Station>(station_id.to_string(), station.version)
            .reads::<Chef>(ask.chef_id.to_string(), chef.version)
            .reads_stations(&elsewhere)
            .on_refused_claim(INTERVAL, BookingError::ChefConflict)
            .on_refused_claim(CAPACITY, BookingError::ChefCapReached))
    }

    /// Lets a chef not cook after all, who is free from then on.
    ///
    /// # Errors
    /// `CHEF_NOT_ASSIGNED`, or `WRONG_STATE` once the party was held.
    pub async fn unassign_chef(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        ask: BookingChefRelease,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::BookingWrite)?;
            this.run(&caller, &key, "booking_chef_unassign", &ask, || async {
                let loaded = this
                    .booking_to_change(&caller, ask.booking_id, ask.expected_version)
                    .await?;
                let command = BookingCommand::UnassignChef {
                    chef_id: ask.chef_id,
                    reason: ask.reason.clone(),
                    now: this.ports.now(),
                };
                this.plan_change(ask.booking_id, &loaded, command)
            })
            .await
        })
        .await
    }
}
