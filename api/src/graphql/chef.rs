//! Chefs: who they are, when they work and where they are expected.

mod input;
mod mutation;

use async_graphql::{Context, Description, Enum, ID, Object, Result, SimpleObject};
use chrono::{DateTime, Duration, Utc};
use domain::booking::Booking as BookingAggregate;
use domain::chef::{Chef as ChefAggregate, WorkToReassign};
use domain::decider::Decider;
use domain::envelope::StreamId;
use domain::ids::{ChefId, StationId};
use projections::At;
use projections::booking_list::{self, BookingRow};
use projections::chef_list::{self, ChefFilter, ChefRow};

use super::booking::{BookingStatus, EventTime, Guests, Venue};
use super::connection::{connection, counter};
use super::error::{coded, unread};
use super::id::{global, local, named};
use super::loaders::Loaders;
use super::read::{AsOf, Freshness, at, cost, slice};
use super::scalar::{LocalDate, LocalTime};
use super::session::{app, viewer};
use super::station::Station;

pub(super) use mutation::ChefMutation;

/// Days of a schedule that are answered at once.
const MAX_DAYS: i64 = 92;

/// A day of the week.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "chrono::Weekday")]
pub(super) enum Weekday {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

/// A working time of every week.
#[derive(SimpleObject)]
pub(super) struct WeeklyHours {
    /// The day that it begins on.
    day: Weekday,
    /// When it begins, by the clock of the station that is served.
    from: LocalTime,
    /// When it ends; at or before `from` it is on the next day.
    until: LocalTime,
}

/// A working time of a day.
#[derive(SimpleObject)]
pub(super) struct Hours {
    /// When it begins, by the clock of the station that is served.
    from: LocalTime,
    /// When it ends; at or before `from` it is on the next day.
    until: LocalTime,
}

/// A day with working times of its own.
#[derive(SimpleObject)]
pub(super) struct ChefDay {
    /// The day.
    on: LocalDate,
    /// The working times; none for a free day.
    hours: Vec<Hours>,
}

/// Days off.
#[derive(SimpleObject)]
pub(super) struct TimeOff {
    /// First day.
    from: LocalDate,
    /// Last day, included.
    to: LocalDate,
    /// Why.
    reason: Option<String>,
}

/// A party that needs another chef: the one who is assigned does not work then. It is not cancelled.
#[derive(SimpleObject)]
pub(super) struct Reassignment {
    /// The booking.
    booking_id: ID,
    /// Number of the booking.
    number: String,
    /// First instant that the chef is taken.
    blocked_from: DateTime<Utc>,
    /// First instant that the chef is free again.
    blocked_until: DateTime<Utc>,
}

impl From<&WorkToReassign> for Reassignment {
    fn from(work: &WorkToReassign) -> Self {
        Self {
            booking_id: global(work.booking_id),
            number: work.number.clone(),
            blocked_from: work.blocked_from,
            blocked_until: work.blocked_until,
        }
    }
}

/// A party as whoever cooks it needs to know it: without money.
#[derive(Description)]
pub(super) struct ScheduledEvent(BookingRow);

#[Object(use_type_description)]
impl ScheduledEvent {
    /// The booking.
    async fn booking_id(&self) -> ID {
        global(self.0.booking_id)
    }
    /// Number for people to name it by.
    async fn number(&self) -> &str {
        &self.0.number
    }
    /// Where it stands.
    async fn status(&self) -> BookingStatus {
        self.0.status.into()
    }
    /// When the event starts.
    async fn start(&self) -> EventTime {
        EventTime::of_row(&self.0)
    }
    /// First instant that the chef is taken: travel and set-up come before the start.
    async fn blocked_from(&self) -> DateTime<Utc> {
        self.0.blocked_from
    }
    /// First instant that the chef is free again.
    async fn blocked_until(&self) -> DateTime<Utc> {
        self.0.blocked_until
    }
    /// The party.
    async fn guests(&self) -> Guests {
        Guests::of_row(&self.0)
    }
    /// Where.
    async fn venue(&self, ctx: &Context<'_>) -> Result<Venue> {
        Venue::of_row(ctx, &self.0).await
    }
    /// How many chefs cook.
    async fn chefs_needed(&self) -> i32 {
        self.0.chefs_needed
    }
    /// What the customer wrote; null where nothing, `[erased]` once the customer's data has been erased.
    async fn note(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let Some(note) = &self.0.note else {
            return Ok(None);
        };
        let stream = StreamId::new(BookingAggregate::STREAM, self.0.booking_id.to_string());
        let loaders = ctx.data_unchecked::<Loaders>();
        loaders.text_or_erased(stream, "note", note).await.map(Some)
    }
}

/// Somebody who cooks at the customers' places. Needs schedule:read; a chef sees the own record alone.
#[derive(Clone, Description)]
pub(super) struct Chef {
    pub(super) row: ChefRow,
    pub(super) at: At,
}

#[Object(use_type_description)]
impl Chef {
    /// Opaque id.
    pub(super) async fn id(&self) -> ID {
        global(self.row.chef_id)
    }
    /// Number of changes so far: what `expectedVersion` compares.
    async fn version(&self) -> i32 {
        i32::try_from(self.row.version).unwrap_or(i32::MAX)
    }
    /// Name.
    async fn name(&self, ctx: &Context<'_>) -> Result<String> {
        let stream = StreamId::new(ChefAggregate::STREAM, self.row.chef_id.to_string());
        let loaders = ctx.data_unchecked::<Loaders>();
        loaders.text_or_erased(stream, "name", &self.row.name).await
    }
    /// The user that the chef signs in as, if any.
    async fn user_id(&self) -> Option<ID> {
        self.row.user_id.map(|user| named("User", &user.to_string()))
    }
    /// The stations within reach that the chef works at. Needs station:read.
    async fn stations(&self, ctx: &Context<'_>) -> Result<Vec<Station>> {
        let ids: Vec<StationId> = self.row.stations.ids();
        let rows = ctx.data_unchecked::<Loaders>().stations(&ids, self.at).await?;
        Ok(rows.into_iter().map(Station).collect())
    }
    /// Whether the chef works at any station.
    async fn active(&self) -> bool {
        !self.row.stations.ids::<StationId>().is_empty()
    }
    /// What the chef can do.
    async fn skills(&self) -> &[String] {
        &self.row.times.skills
    }
    /// Working times of every week; null for always.
    async fn weekly_availability(&self) -> Option<Vec<WeeklyHours>> {
        let hours = self.row.times.weekly.as_ref()?.iter().map(|hours| WeeklyHours {
            day: hours.day.into(),
            from: LocalTime(hours.from),
            until: LocalTime(hours.until),
        });
        Some(hours.collect())
    }
    /// Days with working times of their own, the earliest first.
    async fn date_exceptions(&self) -> Vec<ChefDay> {
        let days = self.row.times.days.iter().map(|day| ChefDay {
            on: LocalDate(day.on),
            hours: day
                .hours
                .iter()
                .map(|hours| Hours {
                    from: LocalTime(hours.from),
                    until: LocalTime(hours.until),
                })
                .collect(),
        });
        days.collect()
    }
    /// Days off, in the order in which they were taken.
    async fn time_off(&self) -> Vec<TimeOff> {
        let off = self.row.times.time_off.iter().map(|off| TimeOff {
            from: LocalDate(off.from),
            to: LocalDate(off.to),
            reason: off.reason.clone(),
        });
        off.collect()
    }
    /// How many parties the chef cooks in a day at most; null for no limit.
    async fn cap_per_day(&self) -> Option<i32> {
        self.row.cap_per_day
    }
    /// How many parties the chef cooks in a week, Monday to Sunday, at most; null for no limit.
    async fn cap_per_week(&self) -> Option<i32> {
        self.row.cap_per_week
    }
    /// Parties at the stations within reach that need another chef, as this one does not work then. As of now, those
    /// still to come; under `asOf`, all that were to be seen to.
    async fn reassignments(&self, ctx: &Context<'_>) -> Result<Vec<Reassignment>> {
        let (viewer, now) = (viewer(ctx)?, app(ctx).clock.now());
        let work = chef_list::to_reassign(&self.row, viewer, self.at, now);
        Ok(work.map(Reassignment::from).collect())
    }
    /// What the chef is assigned to at the stations within reach over some of a time, the next first. Chefs see all of their
    /// own.
    #[graphql(complexity = "20 + 20 * child_complexity")]
    async fn schedule(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "First instant.")] from: DateTime<Utc>,
        #[graphql(desc = "Instant before which it ends; at most 92 days after the first.")] to: DateTime<Utc>,
    ) -> Result<Vec<ScheduledEvent>> {
        if to <= from || to - from > Duration::days(MAX_DAYS) {
            return Err(coded("BAD_USER_INPUT", "a schedule is of 1 to 92 days"));
        }
        let (views, viewer) = (&app(ctx).views, viewer(ctx)?);
        let rows = booking_list::schedule_of(views, viewer, self.row.chef_id, (from, to), self.at);
        let rows = rows.await.map_err(unread)?;
        Ok(rows.value.into_iter().map(ScheduledEvent).collect())
    }
}

connection!(
    ChefConnection,
    ChefEdge,
    Chef,
    "Chefs, in the order in which they joined the company."
);

/// Questions about chefs.
#[derive(Default)]
pub(super) struct ChefQuery;

#[Object]
impl ChefQuery {
    /// A chef; null for one who is not there or not within reach. Needs schedule:read.
    async fn chef(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Opaque id of a chef.")] id: ID,
        #[graphql(desc = "As of a time in the past: the same answer for ever.")] as_of: Option<AsOf>,
    ) -> Result<Option<Chef>> {
        let viewer = viewer(ctx)?;
        let Some(id) = local::<ChefId>(&id) else {
            return Ok(None);
        };
        let at = at(ctx, as_of, None).await?;
        let found = chef_list::one(&app(ctx).views, viewer, id, at)
            .await
            .map_err(unread)?;
        Ok(found.value.map(|row| Chef { row, at }))
    }

    /// The chefs within reach; a chef finds the own record alone. Needs schedule:read.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn chefs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor that the page comes after.")] after: Option<String>,
        #[graphql(desc = "Who work at this station.")] station_id: Option<ID>,
        #[graphql(desc = "As of a time in the past: the same answer for ever. Not with `fresh`.")]
        as_of: Option<AsOf>,
        #[graphql(desc = "How fresh the answer must be. Not with `asOf`.")] fresh: Option<Freshness>,
    ) -> Result<ChefConnection> {
        let (views, viewer) = (&app(ctx).views, viewer(ctx)?);
        let unknown = || coded("NOT_FOUND", "there is no such station");
        let station_id = station_id
            .map(|id| local::<StationId>(&id).ok_or_else(unknown))
            .transpose()?;
        let at = at(ctx, as_of, fresh).await?;
        let filter = ChefFilter { station_id };
        let slice = slice(first, after)?;
        let previous = slice.after.is_some();
        let page = chef_list::page(views, viewer, filter.clone(), slice, at)
            .await
            .map_err(unread)?;
        let counter = counter(
            (views.clone(), viewer.clone(), filter),
            move |(views, viewer, filter)| async move { chef_list::count(&views, &viewer, filter, at).await },
        );
        let shown = move |row| Chef { row, at };
        Ok(ChefConnection::new(page, previous, counter, shown))
    }
}
