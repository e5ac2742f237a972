//! Letting chefs work at stations, and no more.

use chrono::{DateTime, Duration, Utc};
use domain::access::Permission;
use domain::chef::{Chef, Taken, Works};
use domain::decider::Decider;
use domain::ids::{ChefId, StationId};
use domain::station::{CountedAt, Station, StationChefJoined, StationChefLeft, StationCommand, StationError};
use event_log::HeldClaim;

use crate::booking::roster::{OtherStation, where_works};
use crate::execute::{CAPACITY, INTERVAL, Plan, Written, to_the_end};
use crate::load::Loaded;
use crate::{Caller, CommandError, Commands, IdempotencyKey};

impl Commands {
    /// Lets a chef who is known work at a station: its capacity grows by one. A chef who worked at one station alone is
    /// counted there no more: from then on both promise the chef by name.
    ///
    /// # Errors
    /// `NOT_FOUND` for a chef or station that is not there or not within reach, `CHEF_ALREADY_AT_STATION`,
    /// `CHEF_COUNTED_ON` where parties to come at the other station need every chef that there is.
    pub async fn join_chef(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        station: StationId,
        chef: ChefId,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::ChefWrite)?;
            caller.reach(station, StationError::NotFound.into())?;
            this.run(&caller, &key, "station_chef_join", &(station, chef), || {
                this.plan_chef_joining(&caller, station, chef)
            })
            .await
        })
        .await
    }

    async fn plan_chef_joining(
        &self,
        caller: &Caller,
        id: StationId,
        chef: ChefId,
    ) -> Result<Plan, CommandError> {
        self.load_chef(caller, chef).await?;
        let station = self.load::<Station>(caller, &id.to_string()).await?;
        let elsewhere = self.other_stations(caller, id).await?;
        let works_at: Vec<_> = elsewhere
            .iter()
            .filter(|(_, other)| other.state.chefs().contains(&chef))
            .collect();
        let counted_at = match works_at[..] {
            [(only, loaded)] => {
                let mut others = self.other_stations(caller, *only).await?;
                others.retain(|(other, _)| other != only);
                Some(self.uncounted(caller, chef, (*only, loaded), &others).await?)
            }
            _ => None,
        };
        let joined = StationCommand::JoinChef(StationChefJoined {
            chef_id: chef,
            counted_at,
        });
        let events = station.state.decide(joined).map_err(CommandError::refused)?;
        Ok(Plan::default()
            .write::<Station>(self, id.to_string(), station.version, events)
            .reads_stations(&elsewhere)
            .on_refused_claim(CAPACITY, StationError::ChefCountedOn))
    }

    /// What a station has without a chef who is counted there; a refusal where a party to come needs that one.
    async fn uncounted(
        &self,
        caller: &Caller,
        chef: ChefId,
        (id, station): (StationId, &Loaded<Station>),
        others: &[OtherStation],
    ) -> Result<CountedAt, CommandError> {
        let opened = station.state.opened();
        let zone = opened
            .ok_or_else(|| CommandError::refused(StationError::NotFound))?
            .zone;
        let counted = station.state.chefs().iter().copied();
        let counted: Vec<ChefId> = counted
            .filter(|other| where_works(*other, others) == Works::Here)
            .collect();
        let mut left = Vec::new();
        for other in counted.iter().filter(|other| **other != chef) {
            left.push(self.load::<Chef>(caller, &other.to_string()).await?.state);
        }
        let now = self.ports.now();
        let taken = self.places_to_come(caller, id, now).await?;
        for place in &taken {
            let from = place.from.max(now);
            let then = taken
                .iter()
                .filter(|other| other.from <= from && from < other.until);
            let needed: i32 = then.map(|other| other.chefs).sum();
            let works = |chef: &&Chef| chef.times().check(place.from, place.until, zone).is_ok();
            if i32::try_from(left.iter().filter(works).count()).is_ok_and(|there| there < needed) {
                return Err(CommandError::refused(StationError::ChefCountedOn));
            }
        }
        Ok(CountedAt {
            station_id: id,
            chefs: i32::try_from(counted.len()).unwrap_or(i32::MAX),
            from: now,
        })
    }

    async fn places_to_come(
        &self,
        caller: &Caller,
        id: StationId,
        now: DateTime<Utc>,
    ) -> Result<Vec<Taken>, CommandError> {
        let resources = [Station::capacity_resource(id)];
        let span = (now, now + Duration::days(Station::AHEAD_DAYS));
        let held = self.log.claims_over(caller.tenant, &resources, span).await?;
        let taken = held.into_iter().filter_map(|claim| match claim {
            HeldClaim::Capacity {
                from, until, units, ..
            } => Some(Taken {
                from,
                until,
                chefs: units,
            }),
            HeldClaim::Interval { .. } | HeldClaim::Unique { .. } => None,
        });
        Ok(taken.collect())
    }

    /// Lets a chef who is to cook nowhere work at a station no more: its capacity shrinks by one.
    ///
    /// # Errors
    /// `NOT_FOUND` for a chef or station that is not there or not within reach, `CHEF_NOT_AT_STATION`,
    /// `CHEF_HAS_PARTIES` while a party to come has the chef.
    pub async fn leave_chef(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        station: StationId,
        chef: ChefId,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::ChefWrite)?;
            caller.reach(station, StationError::NotFound.into())?;
            this.run(&caller, &key, "station_chef_leave", &(station, chef), || async {
                this.load_chef(&caller, chef).await?;
                let loaded = this.load::<Station>(&caller, &station.to_string()).await?;
                let left = StationCommand::LeaveChef(StationChefLeft {
                    chef_id: chef,
                    left_at: this.ports.now(),
                });
                let events = loaded.state.decide(left).map_err(CommandError::refused)?;
                Ok(Plan::default()
                    .write::<Station>(&this, station.to_string(), loaded.version, events)
                    .on_refused_claim(INTERVAL, StationError::ChefHasParties))
            })
            .await
        })
        .await
    }
}
