//! What a question about free slots rests on.

use chrono::NaiveDate;
use domain::access::Permission;
use domain::availability::{self, Wanted};
use domain::chef::Roster;
use domain::ids::StationId;
use domain::place::Travel;
use domain::price_list::PriceList;
use domain::station::{Station, StationError};

use crate::quote::{parse_zip, unknown_zip};
use crate::{Caller, CommandError, Commands};

/// Slots that somebody asks about.
#[derive(Debug, Clone)]
pub struct AvailabilityInput {
    /// The station.
    pub station: StationId,
    /// First local day.
    pub from: NaiveDate,
    /// Last local day, included.
    pub to: NaiveDate,
    /// How many guests come.
    pub guests: i32,
    /// ZIP of the venue; without one, next door.
    pub zip: Option<String>,
}

/// A station with its chefs, and what is asked of it.
#[derive(Debug, Clone)]
pub struct AvailabilityFacts {
    /// The station, as its stream tells it.
    pub station: Station,
    /// Its chefs, as theirs tell them, and what bookings hold.
    pub roster: Roster,
    /// What is asked.
    pub wanted: Wanted,
}

impl Commands {
    /// The station, its chefs and the way to the venue, for a question about free slots.
    ///
    /// # Errors
    /// `NOT_FOUND`, `INVALID_ZIP`, `UNKNOWN_ZIP`, `INVALID_RANGE`, `INVALID_GUESTS`.
    pub async fn availability_facts(
        &self,
        caller: &Caller,
        input: &AvailabilityInput,
    ) -> Result<AvailabilityFacts, CommandError> {
        caller.require(Permission::StationRead)?;
        caller.reach(input.station, StationError::NotFound.into())?;
        let station = self.load::<Station>(caller, &input.station.to_string()).await?;
        let opened = station.state.opened();
        let home = &opened
            .ok_or_else(|| CommandError::refused(StationError::NotFound))?
            .zip;
        let travel = match &input.zip {
            None => Travel {
                tenths_of_mile: 0,
                minutes: 0,
                source: "next_door".to_owned(),
            },
            Some(zip) => {
                let zip = parse_zip(zip, &["zip"])?;
                let travel = self.ports.places.travel(home, &zip);
                travel.ok_or_else(|| unknown_zip(&zip, &["zip"]))?
            }
        };
        let prices = self.load::<PriceList>(caller, &input.station.to_string()).await?;
        let wanted = Wanted {
            from: input.from,
            to: input.to,
            guests: input.guests,
            travel,
            max_miles: prices.state.travel().map(|band| band.max_miles),
            now: self.ports.now(),
        };
        availability::check(&wanted).map_err(CommandError::refused)?;
        Ok(AvailabilityFacts {
            roster: self
                .roster_with_taken(caller, (input.station, &station), (input.from, input.to))
                .await?,
            station: station.state,
            wanted,
        })
    }
}
