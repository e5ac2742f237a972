//! The dashboard: figures of bookings by day, week or month.

mod follow;

use std::collections::BTreeMap;

use async_graphql::{Context, Description, Enum, Error, ID, Object, Result};
use chrono::NaiveDate;
use domain::access::{Permission, Viewer};
use domain::ids::StationId;
use projections::dashboard::{
    self, Bucket, Dashboard as Figures, DashboardError, DashboardFilter, Grain as RowGrain,
};
use projections::escalation_list::{self, EscalationFilter};
use projections::lead_list::{self, LeadFigures, LeadStatsFilter};
use projections::review_list::{self, ReviewFigures, StatsFilter};
use projections::{At, ReadModels};

use super::error::{coded, unread};
use super::id::local;
use super::lead::LeadCounts;
use super::read::{AsOf, Freshness, ReadInfo, at};
use super::review::stars;
use super::scalar::{Decimal, LocalDate, Money};
use super::session::{viewer, views};

pub(super) use follow::{Days, followed};

/// How many days a bucket has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "RowGrain")]
pub(super) enum Grain {
    /// One; a dashboard has at most 400.
    Day,
    /// Monday to Sunday (ISO 8601), cut at the period's ends; a dashboard has at most 1,100 days.
    Week,
    /// A calendar month, cut at the period's ends; a dashboard has at most 3,700 days.
    Month,
}

/// Figures of the bookings whose event is in a bucket, by the local day at the station, as they stand at the time of
/// the answer. A booking stands while it is neither cancelled nor expired.
#[derive(Description)]
pub(super) struct DashboardBucket(Bucket, Option<ReviewFigures>, Option<LeadFigures>);

fn count(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

#[Object(use_type_description)]
impl DashboardBucket {
    /// First local day of it that is within the period.
    async fn from(&self) -> LocalDate {
        LocalDate(self.0.from)
    }
    /// Last local day of it that is within the period, inclusive.
    async fn to(&self) -> LocalDate {
        LocalDate(self.0.to)
    }
    /// Bookings that wait for their deposit.
    async fn requested(&self) -> i32 {
        count(self.0.figures.requested)
    }
    /// Bookings whose deposit has come, and whose party is to be held.
    async fn confirmed(&self) -> i32 {
        count(self.0.figures.confirmed)
    }
    /// Bookings whose party was held.
    async fn completed(&self) -> i32 {
        count(self.0.figures.completed)
    }
    /// Bookings that were called off.
    async fn cancelled(&self) -> i32 {
        count(self.0.figures.cancelled)
    }
    /// Bookings whose deposit did not come.
    async fn expired(&self) -> i32 {
        count(self.0.figures.expired)
    }
    /// Guests of the bookings that stand.
    async fn guests(&self) -> i32 {
        count(self.0.figures.guests)
    }
    /// Totals of the bookings that stand, tax included.
    async fn booked(&self) -> Money {
        self.0.figures.booked_cents.into()
    }
    /// Verified or captured money towards the totals of all bookings, whatever became of them; without tips.
    async fn collected(&self) -> Money {
        self.0.figures.collected_cents.into()
    }
    /// Money that was given back of it; what is only proposed, pending or failed is not counted.
    async fn refunded(&self) -> Money {
        self.0.figures.refunded_cents.into()
    }
    /// Still to come for the bookings that stand: their totals less what has come for them. Negative where too much has.
    async fn outstanding(&self) -> Money {
        self.0.figures.outstanding_cents.into()
    }
    /// Mean total of the bookings that stand, rounded half up to the cent; null where none stands.
    async fn average_order(&self) -> Option<Money> {
        self.0.figures.average_order_cents().map(Money::from)
    }
    /// Mean rating of the reviews of parties on those days, with two decimals; null where there are none. Needs
    /// review:read, and is null without.
    async fn review_average(&self) -> Option<Decimal> {
        stars(self.1.as_ref()?)
    }
    /// Leads that wanted a party on those days, by how far the staff is with them. Needs lead:read, and is null without.
    async fn leads(&self) -> Option<LeadCounts> {
        self.2.map(LeadCounts::from)
    }
}

/// The figures of a period.
#[derive(Debug, Clone, Description)]
pub(super) struct Dashboard {
    figures: Figures,
    /// Of reviews, by the local day of their parties; none where nobody asked, or may not see them.
    reviews: BTreeMap<NaiveDate, ReviewFigures>,
    /// Of leads, by the local day that they wanted; none where nobody asked, or may not see them.
    leads: Option<BTreeMap<NaiveDate, LeadFigures>>,
    /// Escalations that wait; none where nobody asked, or may not see them.
    waiting: Option<u64>,
    info: projections::ReadInfo,
}

impl Dashboard {
    /// Whether it shows the same, however new it is.
    fn is_as(&self, other: &Self) -> bool {
        self.figures == other.figures
            && self.reviews == other.reviews
            && self.leads == other.leads
            && self.waiting == other.waiting
            && self.info.incomplete == other.info.incomplete
    }

    fn bucket(&self, bucket: Bucket) -> DashboardBucket {
        let days = self.reviews.range(bucket.from..=bucket.to);
        let reviews = days.map(|(_, figures)| *figures).reduce(|mut sum, day| {
            sum.add(&day);
            sum
        });
        let leads = self.leads.as_ref().map(|leads| {
            let mut sum = LeadFigures::default();
            let days = leads.range(bucket.from..=bucket.to);
            days.for_each(|(_, day)| sum.add(day));
            sum
        });
        DashboardBucket(bucket, reviews, leads)
    }
}

#[Object(use_type_description)]
impl Dashboard {
    /// Each day, week or month of the period, empty ones too, the first first.
    async fn buckets(&self) -> Vec<DashboardBucket> {
        let buckets = self.figures.buckets.iter().copied();
        buckets.map(|bucket| self.bucket(bucket)).collect()
    }
    /// The whole period: the sum of its buckets.
    async fn total(&self) -> DashboardBucket {
        self.bucket(self.figures.total)
    }
    /// Escalations that wait for a person, of the station or of all within reach, whenever they were opened: those of
    /// `escalations` that are not resolved. Needs escalation:read, and is null without.
    async fn open_escalations(&self) -> Option<i32> {
        self.waiting.map(|count| i32::try_from(count).unwrap_or(i32::MAX))
    }
    /// What the figures are as of.
    async fn read_info(&self) -> ReadInfo {
        self.info.clone().into()
    }
}

/// What a dashboard costs at most: as many buckets as there may be would be more than any page.
pub(super) const COST: usize = 500;

/// Questions about figures.
#[derive(Default)]
pub(super) struct DashboardQuery;

#[Object]
impl DashboardQuery {
    /// Figures of a station, or of all within reach, by the local day of their events. Each can be opened to the rows of
    /// `bookings`. A period that is too long for its grain is refused with BAD_USER_INPUT. Needs booking:read and money:read.
    #[expect(clippy::too_many_arguments, reason = "they are the arguments of the schema")]
    #[graphql(complexity = "COST + child_complexity")]
    async fn dashboard(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only of this station; of all within reach otherwise.")] station_id: Option<ID>,
        #[graphql(desc = "First local day.")] from: LocalDate,
        #[graphql(desc = "Last local day, inclusive.")] to: LocalDate,
        #[graphql(default_with = "Grain::Day", desc = "How many days a bucket has.")] grain: Grain,
        #[graphql(desc = "As of a time in the past: the same answer for ever. Not with `fresh`.")]
        as_of: Option<AsOf>,
        #[graphql(desc = "How fresh the answer must be. Not with `asOf`.")] fresh: Option<Freshness>,
    ) -> Result<Dashboard> {
        let filter = DashboardFilter {
            station_id: station(station_id)?,
            from: from.0,
            to: to.0,
            grain: grain.into(),
        };
        let at = at(ctx, as_of, fresh).await?;
        let beside = Beside::asked(ctx)?;
        shown(views(ctx), viewer(ctx)?, &filter, &beside, at)
            .await
            .map_err(unshown)
    }
}

/// The station of a dashboard.
fn station(id: Option<ID>) -> Result<Option<StationId>> {
    let local =
        |id: ID| local::<StationId>(&id).ok_or_else(|| coded("NOT_FOUND", "there is no such station"));
    id.map(local).transpose()
}

/// What is asked for beside the figures of bookings, and may be seen.
#[derive(Debug, Clone, Copy)]
struct Beside {
    reviews: bool,
    leads: bool,
    waiting: bool,
}

impl Beside {
    fn asked(ctx: &Context<'_>) -> Result<Self> {
        let viewer = viewer(ctx)?;
        let in_buckets = |field: &str| {
            let asked = |part: &str| ctx.look_ahead().field(part).field(field).exists();
            asked("buckets") || asked("total")
        };
        Ok(Self {
            reviews: in_buckets("reviewAverage") && viewer.may(Permission::ReviewRead),
            leads: in_buckets("leads") && viewer.may(Permission::LeadRead),
            waiting: ctx.look_ahead().field("openEscalations").exists()
                && viewer.may(Permission::EscalationRead),
        })
    }
}

/// The dashboard as it stands.
async fn shown(
    views: &ReadModels,
    viewer: &Viewer,
    filter: &DashboardFilter,
    beside: &Beside,
    at: At,
) -> std::result::Result<Dashboard, DashboardError> {
    let &DashboardFilter {
        station_id, from, to, ..
    } = filter;
    let reviews = match beside.reviews {
        false => BTreeMap::new(),
        true => {
            let period = StatsFilter { station_id, from, to };
            review_list::average(views, viewer, period, at).await?.value
        }
    };
    let leads = match beside.leads {
        false => None,
        true => {
            let period = LeadStatsFilter { station_id, from, to };
            Some(lead_list::wanted(views, viewer, period, at).await?.value)
        }
    };
    let waiting = match beside.waiting {
        false => None,
        true => {
            let filter = EscalationFilter::waiting(station_id);
            Some(escalation_list::count(views, viewer, filter, at).await?.value)
        }
    };
    let found = dashboard::dashboard(views, viewer, filter.clone(), at).await?;
    Ok(Dashboard {
        figures: found.value,
        reviews,
        leads,
        waiting,
        info: found.info,
    })
}

/// Why there is no dashboard.
fn unshown(error: DashboardError) -> Error {
    match error {
        DashboardError::Read(error) => unread(error),
        DashboardError::EndsBeforeItBegins { .. } | DashboardError::TooLong { .. } => {
            coded("BAD_USER_INPUT", error.to_string())
        }
    }
}
