//! The days, weeks and months of a dashboard.

use std::collections::BTreeMap;

use chrono::{Datelike, Days, Months, NaiveDate};

use super::{Bucket, Dashboard, DashboardFilter, Figures};

/// How many days a bucket has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grain {
    /// One.
    Day,
    /// Monday to Sunday (ISO 8601).
    Week,
    /// A calendar month.
    Month,
}

impl Grain {
    /// Every grain.
    pub const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    /// The word in sentences.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// How many days a dashboard of the grain shows at most.
    pub fn longest(self) -> i64 {
        match self {
            Self::Day => 400,
            Self::Week => 1_100,
            Self::Month => 3_700,
        }
    }

    /// The first day of the bucket that a day is in.
    fn first_of(self, day: NaiveDate) -> NaiveDate {
        let first = match self {
            Self::Day => Some(day),
            Self::Week => day.checked_sub_days(Days::new(u64::from(day.weekday().num_days_from_monday()))),
            Self::Month => day.with_day(1),
        };
        first.unwrap_or(NaiveDate::MIN)
    }

    /// The first day of the bucket after the one that begins on a day.
    fn next(self, first: NaiveDate) -> NaiveDate {
        let next = match self {
            Self::Day => first.checked_add_days(Days::new(1)),
            Self::Week => first.checked_add_days(Days::new(7)),
            Self::Month => first.checked_add_months(Months::new(1)),
        };
        next.unwrap_or(NaiveDate::MAX)
    }
}

/// Lays the figures of days into the buckets of a period.
pub(super) fn fill(filter: &DashboardFilter, days: Vec<(NaiveDate, Figures)>) -> Dashboard {
    let grain = filter.grain;
    let mut found: BTreeMap<NaiveDate, Figures> = BTreeMap::new();
    for (day, figures) in days {
        found.entry(grain.first_of(day)).or_default().add(figures);
    }
    let mut buckets = Vec::new();
    let mut first = grain.first_of(filter.from);
    while first <= filter.to {
        let next = grain.next(first);
        buckets.push(Bucket {
            from: first.max(filter.from),
            to: next.pred_opt().unwrap_or(next).min(filter.to),
            figures: found.get(&first).copied().unwrap_or_default(),
        });
        if next <= first {
            break;
        }
        first = next;
    }
    let mut total = Figures::default();
    for bucket in &buckets {
        total.add(bucket.figures);
    }
    Dashboard {
        buckets,
        total: Bucket {
            from: filter.from,
            to: filter.to,
            figures: total,
        },
    }
}
