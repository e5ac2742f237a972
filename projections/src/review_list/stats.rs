//! How many customers answer, what they say of whom, and what brought them to.
//!
//! Sums over the rows of the list, so that every figure can be opened to them. A review counts on its party's local date.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::access::{Permission, Viewer};
use domain::ids::{ChefId, StationId};
use domain::money::RatePpm;
use uuid::Uuid;

use super::{AnsweredThrough, ReviewList};
use crate::engine::{Answer, At, Condition, Group, ReadError, ReadModels, Sums, Value, station_scope};

/// Days that one answer covers at most.
pub(super) const LONGEST: i64 = 1_830;

/// The period and the stations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatsFilter {
    /// Of this station; all within the viewer's reach where there is none.
    pub station_id: Option<StationId>,
    /// First local day of parties.
    pub from: NaiveDate,
    /// Last local day of parties, inclusive.
    pub to: NaiveDate,
}

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
pub enum StatsError {
    /// No days, or too many.
    #[error("figures are of 1 to {LONGEST} days; these are {0}")]
    BadPeriod(i64),
    /// No answer.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Figures of reviews.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReviewFigures {
    /// Customers who were asked.
    pub issued: i64,
    /// Those who answered.
    pub submitted: i64,
    /// The sum of their ratings.
    pub stars: i64,
    /// How many rated 1, 2, 3, 4 and 5.
    pub distribution: [i64; 5],
    /// External sites that they went on to.
    pub clicks: i64,
    /// Those who went on to one.
    pub clicked: i64,
    /// Ratings for which a person was called.
    pub escalated: i64,
    /// Seconds from the first question to the answer, of all of them together.
    pub respond_secs: i64,
}

impl ReviewFigures {
    /// The share of those who were asked that answered; none where nobody was asked.
    pub fn response_rate(&self) -> Option<RatePpm> {
        share(self.submitted, self.issued)
    }

    /// The share of those who answered that went on to an external site; none where nobody answered.
    pub fn conversion(&self) -> Option<RatePpm> {
        share(self.clicked, self.submitted)
    }

    /// The share of those who answered for whom a person was called; none where nobody answered.
    pub fn escalation_rate(&self) -> Option<RatePpm> {
        share(self.escalated, self.submitted)
    }

    /// The mean rating, in hundredths of a star, half up; none where nobody answered.
    pub fn average_hundredths(&self) -> Option<i64> {
        (self.submitted > 0).then(|| (200 * self.stars + self.submitted).div_euclid(2 * self.submitted))
    }

    /// The mean time to an answer in whole minutes; none where nobody answered.
    pub fn mean_minutes_to_respond(&self) -> Option<i64> {
        (self.submitted > 0).then(|| self.respond_secs.div_euclid(60 * self.submitted))
    }

    /// Adds others to them.
    pub fn add(&mut self, more: &Self) {
        self.issued += more.issued;
        self.submitted += more.submitted;
        self.stars += more.stars;
        for (sum, count) in self.distribution.iter_mut().zip(more.distribution) {
            *sum += count;
        }
        self.clicks += more.clicks;
        self.clicked += more.clicked;
        self.escalated += more.escalated;
        self.respond_secs += more.respond_secs;
    }
}

/// A part in millionths, half up.
fn share(part: i64, of: i64) -> Option<RatePpm> {
    (of > 0).then(|| RatePpm((2_000_000 * part + of).div_euclid(2 * of)))
}

/// Figures of the parties that a chef cooked for. Those of several chefs count for each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByChef {
    /// Who.
    pub chef_id: ChefId,
    /// The figures.
    pub figures: ReviewFigures,
}

/// What one sort of message brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByMessage {
    /// Which message.
    pub message: AnsweredThrough,
    /// Customers it was sent to; none for links of staff, of which there are any number.
    pub sent: Option<i64>,
    /// Those who answered through its link.
    pub answered: i64,
}

/// The figures of a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewStats {
    /// All of it.
    pub total: ReviewFigures,
    /// By chef, in the order of their ids.
    pub by_chef: Vec<ByChef>,
    /// By message, in the order in which they go out.
    pub by_message: Vec<ByMessage>,
}

const BY: &[&str] = &["chefs", "answered_through", "rating", "reminders", "clicks"];
const OF: &[&str] = &["escalated", "respond_secs"];

fn conditions(viewer: &Viewer, filter: &StatsFilter) -> Vec<Condition> {
    let mut conditions = station_scope(viewer);
    let station = filter
        .station_id
        .map(|id| Condition::Eq("station_id", Value::Uuid(id.0)));
    conditions.extend(station);
    conditions.push(Condition::AtLeast("event_on", Value::Date(filter.from)));
    let after = filter.to.succ_opt().unwrap_or(filter.to);
    conditions.push(Condition::Below("event_on", Value::Date(after)));
    conditions
}

/// The figures of a period.
///
/// # Errors
/// [`StatsError`] when the viewer may not see reviews, the period cannot be, or there is no answer.
pub async fn stats(
    models: &ReadModels,
    viewer: &Viewer,
    filter: StatsFilter,
    at: At,
) -> Result<Answer<ReviewStats>, StatsError> {
    viewer.require(Permission::ReviewRead).map_err(ReadError::from)?;
    let days = (filter.to - filter.from).num_days() + 1;
    if !(1..=LONGEST).contains(&days) {
        return Err(StatsError::BadPeriod(days));
    }
    let sums = Sums {
        conditions: conditions(viewer, &filter),
        by: BY,
        of: OF,
    };
    let groups = models.sums::<ReviewList>(viewer.tenant, sums, at).await?;
    Ok(groups.map(|groups| add_up(&groups)))
}

/// The mean rating of parties on each day, by local date, in hundredths of a star, with how many it is of: for figures
/// that are shown beside others.
///
/// # Errors
/// [`ReadError`] when the viewer may not see reviews, or there is no answer.
pub async fn average(
    models: &ReadModels,
    viewer: &Viewer,
    filter: StatsFilter,
    at: At,
) -> Result<Answer<BTreeMap<NaiveDate, ReviewFigures>>, ReadError> {
    viewer.require(Permission::ReviewRead)?;
    let sums = Sums {
        conditions: conditions(viewer, &filter),
        by: &["event_on", "rating"],
        of: &[],
    };
    let groups = models.sums::<ReviewList>(viewer.tenant, sums, at).await?;
    Ok(groups.map(|groups| {
        let mut days = BTreeMap::<NaiveDate, ReviewFigures>::new();
        for group in groups {
            if let [Value::Date(day), Value::Int(rating)] = group.by[..] {
                days.entry(day).or_default().add(&rated(rating, group.count));
            }
        }
        days
    }))
}

fn rated(rating: i64, count: i64) -> ReviewFigures {
    let mut figures = ReviewFigures {
        issued: count,
        ..ReviewFigures::default()
    };
    let place = usize::try_from(rating - 1).ok();
    if let Some(stars) = place.and_then(|place| figures.distribution.get_mut(place)) {
        *stars = count;
        figures.submitted = count;
        figures.stars = rating * count;
    }
    figures
}

/// Rows that are alike, as their group has them.
struct Alike<'a> {
    chefs: &'a str,
    through: &'a str,
    reminders: i64,
    count: i64,
    figures: ReviewFigures,
}

impl<'a> Alike<'a> {
    fn of(group: &'a Group) -> Option<Self> {
        let [
            Value::Text(chefs),
            Value::Text(through),
            Value::Int(rating),
            Value::Int(reminders),
            Value::Int(clicks),
        ] = &group.by[..]
        else {
            return None;
        };
        let [escalated, respond_secs] = group.sums[..] else {
            return None;
        };
        Some(Self {
            chefs,
            through,
            reminders: *reminders,
            count: group.count,
            figures: ReviewFigures {
                clicks: clicks * group.count,
                clicked: if *clicks > 0 { group.count } else { 0 },
                escalated,
                respond_secs,
                ..rated(*rating, group.count)
            },
        })
    }
}

fn add_up(groups: &[Group]) -> ReviewStats {
    let mut total = ReviewFigures::default();
    let mut by_chef = BTreeMap::<ChefId, ReviewFigures>::new();
    let mut answered = BTreeMap::<&str, i64>::new();
    let mut reminded = [0; 2];
    for alike in groups.iter().filter_map(Alike::of) {
        total.add(&alike.figures);
        let chefs = alike.chefs.split_whitespace();
        for chef in chefs.filter_map(|id| id.parse::<Uuid>().ok()) {
            by_chef.entry(ChefId(chef)).or_default().add(&alike.figures);
        }
        *answered.entry(alike.through).or_default() += alike.figures.submitted;
        for (sent, number) in reminded.iter_mut().zip(1..) {
            if alike.reminders >= number {
                *sent += alike.count;
            }
        }
    }
    let [first, second] = reminded;
    let message = |message: AnsweredThrough, sent| ByMessage {
        message,
        sent,
        answered: answered.get(message.as_str()).copied().unwrap_or(0),
    };
    ReviewStats {
        total,
        by_chef: by_chef
            .into_iter()
            .map(|(chef_id, figures)| ByChef { chef_id, figures })
            .collect(),
        by_message: vec![
            message(AnsweredThrough::Request, Some(total.issued)),
            message(AnsweredThrough::FirstReminder, Some(first)),
            message(AnsweredThrough::SecondReminder, Some(second)),
            message(AnsweredThrough::ByStaff, None),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(chefs: &str, through: AnsweredThrough, rating: i64, clicks: i64, count: i64) -> Group {
        let low = i64::from((1..=2).contains(&rating));
        Group {
            by: vec![
                Value::Text(chefs.to_owned()),
                Value::Text(through.as_str().to_owned()),
                Value::Int(rating),
                Value::Int(1),
                Value::Int(clicks),
            ],
            count,
            sums: vec![low * count, 3_600 * count * i64::from(rating > 0)],
        }
    }

    #[test]
    fn figures_add_up_and_nobody_divides_by_nothing() {
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let both = format!("{one} {two}");
        let stats = add_up(&[
            group(&both, AnsweredThrough::Request, 5, 1, 2),
            group(&one.to_string(), AnsweredThrough::FirstReminder, 2, 0, 1),
            group("", AnsweredThrough::Nothing, 0, 0, 3),
        ]);
        let total = stats.total;
        assert_eq!((total.issued, total.submitted, total.escalated), (6, 3, 1));
        assert_eq!(total.distribution, [0, 1, 0, 0, 2]);
        assert_eq!(total.response_rate(), Some(RatePpm(500_000)));
        assert_eq!(total.average_hundredths(), Some(400));
        assert_eq!(total.conversion(), Some(RatePpm(666_667)));
        assert_eq!(total.escalation_rate(), Some(RatePpm(333_333)));
        assert_eq!(total.mean_minutes_to_respond(), Some(60));
        assert_eq!(stats.by_chef.len(), 2);
        assert_eq!(stats.by_chef[0].figures.average_hundredths(), Some(400));
        assert_eq!(stats.by_chef[1].figures.average_hundredths(), Some(500));
        let sent: Vec<_> = stats
            .by_message
            .iter()
            .map(|message| (message.sent, message.answered))
            .collect();
        assert_eq!(sent, [(Some(6), 2), (Some(6), 1), (Some(0), 0), (None, 0)]);
        let nothing = ReviewFigures::default();
        assert_eq!(nothing.response_rate(), None);
        assert_eq!(nothing.average_hundredths(), None);
        assert_eq!(nothing.mean_minutes_to_respond(), None);
    }
}
