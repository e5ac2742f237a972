//! Leads: requests that did not become bookings.

use async_graphql::{Context, Enum, ID, Object, Result};
use chrono::{DateTime, Utc};
use domain::decider::Decider;
use domain::envelope::{Sealed, StreamId};
use domain::lead::Lead as LeadAggregate;
use projections::lead_list::{self, LeadRow, LeadStatus as RowStatus};

use super::connection::{connection, counter};
use super::error::unread;
use super::id::global;
use super::loaders::Loaders;
use super::read::{AsOf, Freshness, at, cost, slice};
use super::scalar::LocalDateTime;
use super::session::{app, viewer};

/// How far the staff is with a lead.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "RowStatus")]
pub(super) enum LeadStatus {
    /// Nobody has called yet.
    New,
}

/// A request that failed and is worth a call.
#[derive(Clone)]
pub(super) struct Lead(LeadRow);

impl Lead {
    async fn text(
        &self,
        ctx: &Context<'_>,
        field: &'static str,
        sealed: &Option<Sealed>,
    ) -> Result<Option<String>> {
        let stream = StreamId::new(LeadAggregate::STREAM, self.0.lead_id.to_string());
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

#[Object]
impl Lead {
    /// Opaque id.
    pub(super) async fn id(&self) -> ID {
        global(self.0.lead_id)
    }
    /// How far the staff is with it.
    async fn status(&self) -> LeadStatus {
        self.0.status.into()
    }
    /// Code of the refusal.
    async fn failure(&self) -> &str {
        &self.0.failure
    }
    /// Where the customer came from.
    async fn source(&self) -> Option<&str> {
        self.0.source.as_deref()
    }
    /// Local start that was wanted.
    async fn wanted_start(&self) -> Option<LocalDateTime> {
        Some(LocalDateTime(self.0.wanted_start))
    }
    /// Name.
    async fn name(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        self.text(ctx, "name", &Some(self.0.name.clone())).await
    }
    /// E-mail.
    async fn email(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        self.text(ctx, "email", &self.0.email).await
    }
    /// Phone.
    async fn phone(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        self.text(ctx, "phone", &self.0.phone).await
    }
    /// When it was asked.
    async fn captured_at(&self) -> DateTime<Utc> {
        self.0.captured_at
    }
}

connection!(LeadConnection, LeadEdge, Lead, "Leads, the newest first.");

/// Questions about leads.
#[derive(Default)]
pub(super) struct LeadQuery;

#[Object]
impl LeadQuery {
    /// Leads within reach, the newest first. Needs lead:read.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn leads(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor that the page comes after.")] after: Option<String>,
        #[graphql(desc = "Only those that the staff is so far with.")] status: Option<LeadStatus>,
        #[graphql(desc = "As of a time in the past: the same answer for ever. Not with `fresh`.")]
        as_of: Option<AsOf>,
        #[graphql(desc = "How fresh the answer must be. Not with `asOf`.")] fresh: Option<Freshness>,
    ) -> Result<LeadConnection> {
        let at = at(ctx, as_of, fresh).await?;
        let (views, viewer) = (&app(ctx).views, viewer(ctx)?);
        let status = status.map(RowStatus::from);
        let slice = slice(first, after)?;
        let previous = slice.after.is_some();
        let page = lead_list::page(views, viewer, status, slice, at)
            .await
            .map_err(unread)?;
        let counter = counter(
            (views.clone(), viewer.clone()),
            move |(views, viewer)| async move { lead_list::count(&views, &viewer, status, at).await },
        );
        Ok(LeadConnection::new(page, previous, counter, Lead))
    }
}
