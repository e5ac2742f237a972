//! How many leads there are, what they come to, where they come from and why there was no booking.

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveTime};
use domain::access::{Permission, Viewer};
use domain::ids::StationId;
use domain::lead::LeadStatus;

use super::LeadList;
use crate::engine::{Answer, At, Condition, Group, ReadError, ReadModels, Sums, Value, station_scope};
use crate::local_day;

/// The leads to count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeadStatsFilter {
    /// Of this station; all within the viewer's reach where there is none.
    pub station_id: Option<StationId>,
    /// First day.
    pub from: NaiveDate,
    /// Last day, inclusive.
    pub to: NaiveDate,
}

/// Leads by where they stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LeadFigures {
    /// Nobody has called yet.
    pub new: i64,
    /// Somebody has spoken to them.
    pub contacted: i64,
    /// They became bookings.
    pub won: i64,
    /// They were given up.
    pub lost: i64,
}

impl LeadFigures {
    /// All of them.
    pub fn total(&self) -> i64 {
        self.new + self.contacted + self.won + self.lost
    }

    /// Takes others in.
    pub fn add(&mut self, more: &Self) {
        let Self {
            new,
            contacted,
            won,
            lost,
        } = more;
        self.new += new;
        self.contacted += contacted;
        self.won += won;
        self.lost += lost;
    }

    fn of(status: LeadStatus, count: i64) -> Self {
        let mut figures = Self::default();
        let place = match status {
            LeadStatus::New => &mut figures.new,
            LeadStatus::Contacted => &mut figures.contacted,
            LeadStatus::Won => &mut figures.won,
            LeadStatus::Lost => &mut figures.lost,
        };
        *place = count;
        figures
    }
}

/// The leads of a period.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeadStats {
    /// All of them.
    pub total: LeadFigures,
    /// By where the customers came from, in the order of the alphabet; empty where nobody said.
    pub sources: BTreeMap<String, LeadFigures>,
    /// By the code of why there was no booking.
    pub failures: BTreeMap<String, LeadFigures>,
}

fn of_station(viewer: &Viewer, station: Option<StationId>) -> Vec<Condition> {
    let mut conditions = station_scope(viewer);
    conditions.extend(station.map(|id| Condition::Eq("station_id", Value::Uuid(id.0))));
    conditions
}

fn misfit(group: &Group) -> ReadError {
    ReadError::Unreadable {
        table: "lead_list",
        reason: format!("it holds leads of {:?}", group.by),
    }
}

fn figures(status: &str, group: &Group) -> Result<LeadFigures, ReadError> {
    let known = LeadStatus::ALL.into_iter().find(|known| known.as_str() == status);
    let status = known.ok_or_else(|| misfit(group))?;
    Ok(LeadFigures::of(status, group.count))
}

/// The leads that were captured on certain days of UTC, as they stand at the time of the answer.
///
/// # Errors
/// [`ReadError`] when the viewer may not see leads, or there is no answer.
pub async fn stats(
    models: &ReadModels,
    viewer: &Viewer,
    filter: LeadStatsFilter,
    at: At,
) -> Result<Answer<LeadStats>, ReadError> {
    viewer.require(Permission::LeadRead)?;
    let midnight = |day: NaiveDate| Value::Instant(day.and_time(NaiveTime::MIN).and_utc());
    let mut conditions = of_station(viewer, filter.station_id);
    conditions.extend([
        Condition::AtLeast("captured_at", midnight(filter.from)),
        Condition::Below("captured_at", midnight(local_day::next(filter.to))),
    ]);
    let sums = Sums {
        conditions,
        by: &["came_from", "failure", "status"],
        of: &[],
    };
    let groups = models.sums::<LeadList>(viewer.tenant, sums, at).await?;
    let mut stats = LeadStats::default();
    for group in &groups.value {
        let [Value::Text(source), Value::Text(failure), Value::Text(status)] = group.by.as_slice() else {
            return Err(misfit(group));
        };
        let figures = figures(status, group)?;
        stats.total.add(&figures);
        stats.sources.entry(source.clone()).or_default().add(&figures);
        stats.failures.entry(failure.clone()).or_default().add(&figures);
    }
    Ok(groups.map(|_| stats))
}

/// The leads by the local day that was wanted, as they stand at the time of the answer: for figures that are shown beside
/// others.
///
/// # Errors
/// As [`stats`].
pub async fn wanted(
    models: &ReadModels,
    viewer: &Viewer,
    filter: LeadStatsFilter,
    at: At,
) -> Result<Answer<BTreeMap<NaiveDate, LeadFigures>>, ReadError> {
    viewer.require(Permission::LeadRead)?;
    let mut conditions = of_station(viewer, filter.station_id);
    conditions.extend([
        Condition::AtLeast("wanted_on", Value::Date(filter.from)),
        Condition::Below("wanted_on", Value::Date(local_day::next(filter.to))),
    ]);
    let sums = Sums {
        conditions,
        by: &["wanted_on", "status"],
        of: &[],
    };
    let groups = models.sums::<LeadList>(viewer.tenant, sums, at).await?;
    let mut days = BTreeMap::<NaiveDate, LeadFigures>::new();
    for group in &groups.value {
        let [Value::Date(day), Value::Text(status)] = group.by.as_slice() else {
            return Err(misfit(group));
        };
        days.entry(*day).or_default().add(&figures(status, group)?);
    }
    Ok(groups.map(|_| days))
}
