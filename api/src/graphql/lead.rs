//! Leads: requests that did not become bookings.

mod mutation;
mod stats;

use async_graphql::{Context, Description, Enum, ID, Object, Result};
use chrono::{DateTime, Utc};
use domain::decider::Decider;
use domain::envelope::{Sealed, StreamId};
use domain::lead::{Lead as LeadAggregate, LeadStatus as DomainStatus};
use projections::At;
use projections::lead_list::{self, LeadFilter, LeadRow};

use super::booking::Booking;
use super::connection::{connection, counter};
use super::error::unread;
use super::id::global;
use super::loaders::Loaders;
use super::read::{AsOf, Freshness, at, cost, slice};
use super::scalar::LocalDateTime;
use super::session::{viewer, views};
use super::station::Station;

pub(super) use mutation::LeadMutation;
pub(super) use stats::{LeadCounts, LeadStatsQuery, LeadWindowQuery};

/// How far the staff is with a lead.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainStatus")]
pub(super) enum LeadStatus {
    /// Nobody has called yet.
    New,
    /// Somebody has spoken to them.
    Contacted,
    /// It became a booking.
    Won,
    /// It was given up.
    Lost,
}

/// A request that failed, or was abandoned, and is worth a call.
#[derive(Clone, Description)]
pub(super) struct Lead {
    pub(super) row: LeadRow,
    pub(super) at: At,
}

impl Lead {
    async fn text(
        &self,
        ctx: &Context<'_>,
        field: &'static str,
        sealed: &Option<Sealed>,
    ) -> Result<Option<String>> {
        let stream = StreamId::new(LeadAggregate::STREAM, self.row.lead_id.to_string());
        match sealed {
            Some(sealed) => Ok(Some(
                ctx.data_unchecked::<Loaders>()
                    .text_or_erased(stream, field, sealed)
                    .await?,
            )),
            None => Ok(None),
        }
    }
}

#[Object(use_type_description)]
impl Lead {
    /// Opaque id.
    pub(super) async fn id(&self) -> ID {
        global(self.row.lead_id)
    }
    /// Number of changes so far: what `expectedVersion` compares.
    async fn version(&self) -> i32 {
        i32::try_from(self.row.version).unwrap_or(i32::MAX)
    }
    /// How far the staff is with it.
    async fn status(&self) -> LeadStatus {
        self.row.status.into()
    }
    /// Code of the refusal; QUOTE_ABANDONED or AVAILABILITY_ABANDONED for what was not asked for.
    async fn failure(&self) -> &str {
        &self.row.failure
    }
    /// Where the customer came from.
    async fn source(&self) -> Option<&str> {
        self.row.source.as_deref()
    }
    /// The station that was asked.
    async fn station(&self, ctx: &Context<'_>) -> Result<Option<Station>> {
        let row = ctx
            .data_unchecked::<Loaders>()
            .station(self.row.station_id, self.at)
            .await?;
        Ok(row.map(Station))
    }
    /// ZIP code of where the event would have been.
    async fn zip(&self) -> &str {
        &self.row.zip
    }
    /// Local start that was wanted.
    async fn wanted_start(&self) -> Option<LocalDateTime> {
        Some(LocalDateTime(self.row.wanted_start))
    }
    /// Guests that were wanted, all kinds.
    async fn guests(&self) -> i32 {
        self.row.guests
    }
    /// Name.
    async fn name(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        self.text(ctx, "name", &Some(self.row.name.clone())).await
    }
    /// E-mail.
    async fn email(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        self.text(ctx, "email", &self.row.email).await
    }
    /// Phone.
    async fn phone(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        self.text(ctx, "phone", &self.row.phone).await
    }
    /// When it was asked.
    async fn captured_at(&self) -> DateTime<Utc> {
        self.row.captured_at
    }
    /// How often somebody has spoken to them.
    async fn contacts(&self) -> i32 {
        self.row.contacts
    }
    /// When somebody has spoken to them last.
    async fn contacted_at(&self) -> Option<DateTime<Utc>> {
        self.row.contacted_at
    }
    /// What was said last.
    async fn note(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        self.text(ctx, "note", &self.row.note).await
    }
    /// When they are to be called; null where they are not.
    async fn follow_up_at(&self) -> Option<DateTime<Utc>> {
        self.row.follow_up_at
    }
    /// The booking that it became, where it is known. Needs booking:read.
    async fn booking(&self, ctx: &Context<'_>) -> Result<Option<Booking>> {
        let (Some(id), at) = (self.row.booking_id, self.at) else {
            return Ok(None);
        };
        let row = ctx.data_unchecked::<Loaders>().booking(id, at).await?;
        Ok(row.map(|(row, info)| Booking { row, at, info }))
    }
    /// Why it was given up.
    async fn reason(&self) -> Option<&str> {
        self.row.reason.as_deref()
    }
    /// When it was won or lost.
    async fn closed_at(&self) -> Option<DateTime<Utc>> {
        self.row.closed_at
    }
    /// When its personal data was erased, the time being over for which the company keeps it.
    async fn purged_at(&self) -> Option<DateTime<Utc>> {
        self.row.purged_at
    }
}

connection!(
    LeadConnection,
    LeadEdge,
    Lead,
    "Leads, the newest first, or those that are to be called, the earliest first."
);

/// Questions about leads.
#[derive(Default)]
pub(super) struct LeadQuery;

#[Object]
impl LeadQuery {
    /// Leads within reach, the newest first; with `followUpBefore`, the earliest call first. Needs lead:read.
    #[expect(clippy::too_many_arguments, reason = "they are the arguments of the schema")]
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn leads(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor that the page comes after.")] after: Option<String>,
        #[graphql(desc = "Only those that the staff is so far with.")] status: Option<LeadStatus>,
        #[graphql(desc = "Only those that are to be called before this instant.")] follow_up_before: Option<
            DateTime<Utc>,
        >,
        #[graphql(desc = "As of a time in the past: the same answer for ever. Not with `fresh`.")]
        as_of: Option<AsOf>,
        #[graphql(desc = "How fresh the answer must be. Not with `asOf`.")] fresh: Option<Freshness>,
    ) -> Result<LeadConnection> {
        let at = at(ctx, as_of, fresh).await?;
        let (views, viewer) = (views(ctx), viewer(ctx)?);
        let filter = LeadFilter {
            status: status.map(DomainStatus::from),
            follow_up_before,
        };
        let slice = slice(first, after)?;
        let previous = slice.after.is_some();
        let page = lead_list::page(views, viewer, filter.clone(), slice, at)
            .await
            .map_err(unread)?;
        let counter = counter(
            (views.clone(), viewer.clone(), filter),
            move |(views, viewer, filter)| async move { lead_list::count(&views, &viewer, filter, at).await },
        );
        Ok(LeadConnection::new(page, previous, counter, move |row| Lead {
            row,
            at,
        }))
    }
}
