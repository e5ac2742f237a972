//! What do the figures of a company or a station look like, day by day, week by week or month by month?
//!
//! Not a fold of its own: its sums are over the rows of the list of bookings, so that every figure can be opened to
//! them. Bookings that were deleted are in none.

mod buckets;

use chrono::{Days, NaiveDate, NaiveTime};
use domain::access::{Forbidden, Permission, Viewer};
use domain::booking::BookingStatus;
use domain::ids::StationId;
use domain::money::Cents;
use domain::payment::BookingMoney;

use crate::booking_list::{BookingList, Presence};
use crate::engine::{Answer, At, Condition, Fold, Group, ReadError, ReadModels, Sums, Value, station_scope};
use crate::escalation_list::EscalationList;
use crate::lead_list::LeadList;
use crate::local_day;
use crate::review_list::ReviewList;

pub use buckets::Grain;

/// The period and the stations of a dashboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DashboardFilter {
    /// Of this station; all within the viewer's reach where there is none.
    pub station_id: Option<StationId>,
    /// First local day of events.
    pub from: NaiveDate,
    /// Last local day of events, inclusive.
    pub to: NaiveDate,
    /// How many days a bucket has.
    pub grain: Grain,
}

/// Why there is no dashboard.
#[derive(Debug, thiserror::Error)]
pub enum DashboardError {
    /// The last day is before the first.
    #[error("the period {from} to {to} ends before it begins")]
    EndsBeforeItBegins {
        /// First day.
        from: NaiveDate,
        /// Last day.
        to: NaiveDate,
    },
    /// More days than a dashboard of the grain shows.
    #[error("a dashboard by {} shows at most {longest} days; these are {days}", grain.as_str())]
    TooLong {
        /// The grain.
        grain: Grain,
        /// How many days there may be.
        longest: i64,
        /// How many were asked for.
        days: i64,
    },
    /// No answer.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl From<Forbidden> for DashboardError {
    fn from(forbidden: Forbidden) -> Self {
        Self::Read(forbidden.into())
    }
}

/// Figures of the bookings whose event is on certain days. A booking stands while it is neither cancelled nor expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// Bookings that wait for their deposit.
    pub requested: i64,
    /// Bookings whose party is to come.
    pub confirmed: i64,
    /// Bookings whose party was held.
    pub completed: i64,
    /// Bookings that were called off.
    pub cancelled: i64,
    /// Bookings whose deposit did not come.
    pub expired: i64,
    /// Guests of the bookings that stand.
    pub guests: i64,
    /// Totals of the bookings that stand, tax-inclusive, in cents.
    pub booked_cents: Cents,
    /// Found towards the totals of all bookings, whatever became of them, in cents; without tips.
    pub collected_cents: Cents,
    /// Given back of it, whatever became of the bookings, in cents; without tips.
    pub refunded_cents: Cents,
    /// Still to come for the bookings that stand, in cents: their totals less what was found for them. Negative where
    /// too much has come. What was given back is owed again only where it had been too much.
    pub outstanding_cents: Cents,
}

impl Figures {
    /// How many bookings stand.
    pub fn standing(&self) -> i64 {
        self.requested + self.confirmed + self.completed
    }

    /// The mean total of the bookings that stand, in cents, half up; none where none stands.
    pub fn average_order_cents(&self) -> Option<Cents> {
        let (sum, count) = (i128::from(self.booked_cents.0), i128::from(self.standing()));
        (count > 0).then(|| {
            let mean = (2 * sum + count).div_euclid(2 * count);
            Cents(i64::try_from(mean).expect("a mean lies among its values"))
        })
    }

    fn add(&mut self, more: Self) {
        let Self {
            requested,
            confirmed,
            completed,
            cancelled,
            expired,
            guests,
            booked_cents,
            collected_cents,
            refunded_cents,
            outstanding_cents,
        } = more;
        self.requested += requested;
        self.confirmed += confirmed;
        self.completed += completed;
        self.cancelled += cancelled;
        self.expired += expired;
        self.guests += guests;
        self.booked_cents += booked_cents;
        self.collected_cents += collected_cents;
        self.refunded_cents += refunded_cents;
        self.outstanding_cents += outstanding_cents;
    }

    /// The figures of bookings that stand alike.
    fn of(status: BookingStatus, count: i64, sums: Added) -> Self {
        let collected = Self {
            collected_cents: sums.money.paid_cents,
            refunded_cents: sums.money.refunded_cents,
            ..Self::default()
        };
        let stands = Self {
            guests: sums.guests,
            booked_cents: sums.total,
            outstanding_cents: sums.money.due_cents(sums.total),
            ..collected
        };
        match status {
            BookingStatus::Requested => Self {
                requested: count,
                ..stands
            },
            BookingStatus::Confirmed => Self {
                confirmed: count,
                ..stands
            },
            BookingStatus::Completed => Self {
                completed: count,
                ..stands
            },
            BookingStatus::Cancelled => Self {
                cancelled: count,
                ..collected
            },
            BookingStatus::Expired => Self {
                expired: count,
                ..collected
            },
        }
    }
}

/// Sums over bookings that stand alike.
#[derive(Debug, Clone, Copy)]
struct Added {
    guests: i64,
    total: Cents,
    money: BookingMoney,
}

/// The figures of one day, week or month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// First day of the bucket that is within the period.
    pub from: NaiveDate,
    /// Last day of the bucket that is within the period, inclusive.
    pub to: NaiveDate,
    /// Its figures.
    pub figures: Figures,
}

/// The figures of a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dashboard {
    /// Each day, week or month of the period, empty ones too, the first first.
    pub buckets: Vec<Bucket>,
    /// The whole period: the sum of its buckets.
    pub total: Bucket,
}

/// Names of the events that can change a dashboard, and what the API shows beside its figures: reviews, leads and escalations.
pub fn event_types() -> impl Iterator<Item = &'static str> {
    let of = [
        BookingList::event_types(),
        ReviewList::event_types(),
        LeadList::event_types(),
        EscalationList::event_types(),
    ];
    of.into_iter().flatten().copied()
}

const BY: &[&str] = &["event_on", "status"];
const OF: &[&str] = &[
    "adults",
    "children",
    "under6",
    "total_cents",
    "paid_cents",
    "refunded_cents",
    "waived_cents",
];

/// The figures of a period, by the local day of the events, as the bookings stand at the time of the answer.
///
/// # Errors
/// [`DashboardError`] when the period cannot be shown, the viewer may not see bookings and money, or there is no answer.
pub async fn dashboard(
    models: &ReadModels,
    viewer: &Viewer,
    filter: DashboardFilter,
    at: At,
) -> Result<Answer<Dashboard>, DashboardError> {
    viewer.require(Permission::BookingRead)?;
    viewer.require(Permission::MoneyRead)?;
    check(&filter)?;
    let sums = Sums {
        conditions: conditions(viewer, &filter),
        by: BY,
        of: OF,
    };
    let groups = models.sums::<BookingList>(viewer.tenant, sums, at).await?;
    let mut days = Vec::with_capacity(groups.value.len());
    for group in &groups.value {
        days.push(figures(group)?);
    }
    Ok(groups.map(|_| buckets::fill(&filter, days)))
}

fn check(filter: &DashboardFilter) -> Result<(), DashboardError> {
    let DashboardFilter { from, to, grain, .. } = *filter;
    if to < from {
        return Err(DashboardError::EndsBeforeItBegins { from, to });
    }
    let (days, longest) = (local_day::count(from, to), grain.longest());
    if days > longest {
        return Err(DashboardError::TooLong { grain, longest, days });
    }
    Ok(())
}

/// No local day lies further from its date in UTC than this.
const ZONES: Days = Days::new(1);

fn conditions(viewer: &Viewer, filter: &DashboardFilter) -> Vec<Condition> {
    let mut conditions = station_scope(viewer);
    let station = filter.station_id;
    conditions.extend(station.map(|id| Condition::Eq("station_id", Value::Uuid(id.0))));
    let after = local_day::next(filter.to);
    let midnight = |day: NaiveDate| Value::Instant(day.and_time(NaiveTime::MIN).and_utc());
    // The instants only let an index find the days.
    let earliest = filter.from.checked_sub_days(ZONES).unwrap_or(NaiveDate::MIN);
    let latest = after.checked_add_days(ZONES).unwrap_or(NaiveDate::MAX);
    conditions.extend([
        Condition::Eq("presence", Value::Text(Presence::Here.as_str().to_owned())),
        Condition::AtLeast("event_on", Value::Date(filter.from)),
        Condition::Below("event_on", Value::Date(after)),
        Condition::AtLeast("start_utc", midnight(earliest)),
        Condition::Below("start_utc", midnight(latest)),
    ]);
    conditions
}

/// The day of a group, and its figures.
fn figures(group: &Group) -> Result<(NaiveDate, Figures), ReadError> {
    let misfit = || ReadError::Unreadable {
        table: "booking_list",
        reason: format!("it holds bookings of {:?}", group.by),
    };
    let ([Value::Date(day), Value::Text(status)], [adults, children, under6, total, paid, refunded, waived]) =
        (group.by.as_slice(), group.sums.as_slice())
    else {
        return Err(misfit());
    };
    let status = BookingStatus::ALL
        .into_iter()
        .find(|known| known.as_str() == status);
    let sums = Added {
        guests: adults + children + under6,
        total: Cents(*total),
        money: BookingMoney {
            paid_cents: Cents(*paid),
            tip_cents: Cents::ZERO,
            refunded_cents: Cents(*refunded),
            waived_cents: Cents(*waived),
        },
    };
    Ok((*day, Figures::of(status.ok_or_else(misfit)?, group.count, sums)))
}

#[cfg(test)]
mod tests;
