//! The chefs of a station, and what the log holds of them, for a decision.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use domain::booking::{Booking, BookingError};
use domain::chef::{Chef, Engaged, Roster, RosteredChef, Taken, Works};
use domain::decider::Decider;
use domain::envelope::Version;
use domain::ids::{BookingId, ChefId, StationId};
use domain::organisation::Organisation;
use domain::station::Station;
use event_log::HeldClaim;

use crate::execute::{CAPACITY, Plan};
use crate::load::Loaded;
use crate::organisation::organisation_id;
use crate::{Caller, CommandError, Commands};

/// Days around a date within which something may count for it: its week, the way there, every zone.
const AROUND: Days = Days::new(9);

/// A company's station beside the one that a decision is about.
pub(crate) type OtherStation = (StationId, Loaded<Station>);

/// The chefs of a station, and what they were read at.
pub(crate) struct LoadedRoster {
    pub(crate) roster: Roster,
    station: (StationId, Version),
    chefs: Vec<(ChefId, Version)>,
    elsewhere: Vec<OtherStation>,
}

impl LoadedRoster {
    /// Refuses if a chef, or who works where, is not as it was read. What claims say needs no guard: where others were
    /// faster the claims of the decision itself are refused, or it stands as if they had come after it.
    pub(crate) fn guard(&self, plan: Plan) -> Plan {
        let (station, version) = &self.station;
        let mut plan = plan
            .reads::<Station>(station.to_string(), *version)
            .reads_stations(&self.elsewhere);
        for (chef, version) in &self.chefs {
            plan = plan.reads::<Chef>(chef.to_string(), *version);
        }
        // Where chefs are held by name another of them may be free: that is decided anew.
        if self.has_shared() {
            plan
        } else {
            plan.on_refused_claim(CAPACITY, BookingError::SlotUnavailable)
        }
    }

    fn has_shared(&self) -> bool {
        let shared = |(id, _): &(ChefId, Version)| where_works(*id, &self.elsewhere) == Works::ElsewhereToo;
        self.chefs.iter().any(shared)
    }
}

/// Where a chef of a station works, or once did, beside it: who was promised by name once is not counted later.
pub(crate) fn where_works(chef: ChefId, elsewhere: &[OtherStation]) -> Works {
    if elsewhere.iter().any(|(_, station)| station.state.has_had(chef)) {
        Works::ElsewhereToo
    } else {
        Works::Here
    }
}

impl Plan {
    /// Refuses if who works at these stations has changed.
    pub(crate) fn reads_stations(self, stations: &[OtherStation]) -> Self {
        stations.iter().fold(self, |plan, (id, station)| {
            plan.reads::<Station>(id.to_string(), station.version)
        })
    }
}

impl Commands {
    /// Every station of the company but one.
    pub(crate) async fn other_stations(
        &self,
        caller: &Caller,
        but: StationId,
    ) -> Result<Vec<OtherStation>, CommandError> {
        let company = self
            .load::<Organisation>(caller, &organisation_id(caller.tenant))
            .await?;
        let mut others = Vec::new();
        for added in company.state.stations() {
            if added.station_id != but {
                let station = self
                    .load::<Station>(caller, &added.station_id.to_string())
                    .await?;
                others.push((added.station_id, station));
            }
        }
        Ok(others)
    }

    /// The chefs of a station with when each of them works, and what bookings but one hold of them on dates
    /// `[first, last]`.
    pub(crate) async fn roster(
        &self,
        caller: &Caller,
        (id, station): (StationId, &Loaded<Station>),
        dates: (NaiveDate, NaiveDate),
        but: Option<BookingId>,
    ) -> Result<LoadedRoster, CommandError> {
        let elsewhere = self.other_stations(caller, id).await?;
        let (mut known, mut versions) = (BTreeMap::new(), Vec::new());
        for chef_id in station.state.chefs() {
            let chef = self.load::<Chef>(caller, &chef_id.to_string()).await?;
            versions.push((*chef_id, chef.version));
            let rostered = RosteredChef {
                chef: chef.state,
                works: where_works(*chef_id, &elsewhere),
                engaged: Engaged::default(),
            };
            known.insert(*chef_id, rostered);
        }
        let mut roster: Roster = known.clone().into_iter().collect();
        if roster.needs_engagements() {
            roster = self.engaged(caller, id, known, dates, but).await?;
        }
        Ok(LoadedRoster {
            roster,
            station: (id, station.version),
            chefs: versions,
            elsewhere,
        })
    }

    /// A roster as [`roster`](Self::roster) gives it, with the places that are taken whoever works there.
    pub(crate) async fn roster_with_taken(
        &self,
        caller: &Caller,
        (id, station): (StationId, &Loaded<Station>),
        dates: (NaiveDate, NaiveDate),
    ) -> Result<Roster, CommandError> {
        let loaded = self.roster(caller, (id, station), dates, None).await?;
        let chefs = station.state.chefs().iter();
        let known = chefs.filter_map(|chef| Some((*chef, loaded.roster.chef(*chef)?.clone())));
        self.engaged(caller, id, known.collect(), dates, None).await
    }

    async fn engaged(
        &self,
        caller: &Caller,
        station: StationId,
        mut known: BTreeMap<ChefId, RosteredChef>,
        (first, last): (NaiveDate, NaiveDate),
        but: Option<BookingId>,
    ) -> Result<Roster, CommandError> {
        let midnight = |date: NaiveDate| -> DateTime<Utc> { date.and_time(NaiveTime::MIN).and_utc() };
        let from = midnight(first.checked_sub_days(AROUND).unwrap_or(first));
        let until = midnight(last.checked_add_days(AROUND).unwrap_or(last));
        let place = Station::capacity_resource(station);
        let mut resources = vec![place.clone()];
        for chef in known.keys() {
            resources.extend([
                Chef::time_resource(*chef),
                Chef::day_resource(*chef),
                Chef::week_resource(*chef),
            ]);
        }
        let held = self
            .log
            .claims_over(caller.tenant, &resources, (from, until))
            .await?;
        let but = but.map(|id| id.to_string());
        let own = |holder: &domain::envelope::StreamId| {
            holder.kind == Booking::STREAM && Some(&holder.id) == but.as_ref()
        };
        let (mut taken, mut spans) = (Vec::new(), BTreeMap::<String, Vec<_>>::new());
        for claim in held {
            match claim {
                HeldClaim::Capacity { holder, .. } | HeldClaim::Interval { holder, .. } if own(&holder) => {}
                HeldClaim::Capacity {
                    resource,
                    from,
                    until,
                    units,
                    ..
                } if resource == place => taken.push(Taken {
                    from,
                    until,
                    chefs: units,
                }),
                HeldClaim::Capacity {
                    resource,
                    from,
                    until,
                    ..
                }
                | HeldClaim::Interval {
                    resource,
                    from,
                    until,
                    ..
                } => spans.entry(resource).or_default().push((from, until)),
                HeldClaim::Unique { .. } => {}
            }
        }
        let mut of = |resource: String| spans.remove(&resource).unwrap_or_default();
        for (id, chef) in &mut known {
            chef.engaged = Engaged {
                times: of(Chef::time_resource(*id)),
                days: of(Chef::day_resource(*id)),
                weeks: of(Chef::week_resource(*id)),
            };
        }
        Ok(known.into_iter().collect::<Roster>().with_taken(taken))
    }
}
