//! The chefs of a station, as facts for a decision about its capacity.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::Chef;
use crate::ids::ChefId;
use crate::station::Station;

/// Chefs with what is known of each. One that is not among them works whenever the station does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster(BTreeMap<ChefId, Chef>);

impl FromIterator<(ChefId, Chef)> for Roster {
    fn from_iter<T: IntoIterator<Item = (ChefId, Chef)>>(chefs: T) -> Self {
        Self(chefs.into_iter().collect())
    }
}

impl Roster {
    /// How many of a station's chefs work over `[from, until)`: its capacity then.
    pub fn working(&self, station: &Station, from: DateTime<Utc>, until: DateTime<Utc>, zone: Tz) -> i32 {
        let works = |id: &&ChefId| {
            self.0
                .get(*id)
                .is_none_or(|chef| chef.times().check(from, until, zone).is_ok())
        };
        let working = station.chefs().iter().filter(works).count();
        i32::try_from(working).unwrap_or(i32::MAX)
    }
}
