//! Escalations: what a person of the company must take over.

use async_graphql::{Context, Description, Enum, ID, InputObject, Object, Result};
use chrono::{DateTime, Utc};
use commands::escalation::AskedBy;
use domain::escalation::{EscalationSource as DomainSource, EscalationStatus as DomainStatus};
use domain::ids::{BookingId, ConversationId, PaymentId, ReviewId, StationId};
use domain::money::RatePpm;
use projections::escalation_list::{self, EscalationFilter as Filter, EscalationRow};
use projections::escalation_stats::{self, EscalationFigures};
use projections::{Answer, At};

use super::connection::{connection, counter};
use super::error::{coded, unread};
use super::id::{Noun, global, local};
use super::loaders::Loaders;
use super::read::{AsOf, Freshness, ReadInfo, at, cost, slice};
use super::scalar::{Decimal, LocalDate};
use super::session::{app, viewer};
use super::sign_in::{Node, node_of};
use super::station::Station;

mod mutation;

pub(super) use mutation::EscalationMutation;

/// Where an escalation stands.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainStatus")]
pub(super) enum EscalationStatus {
    /// It waits for a person.
    Open,
    /// Somebody is to see to it.
    Assigned,
    /// Somebody has taken it over: in its conversation the assistant is silent.
    Joined,
    /// It was seen to.
    Resolved,
}

/// What a person is called for.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainSource")]
pub(super) enum EscalationSource {
    /// A word of a customer that only a person may answer.
    Keyword,
    /// A low rating.
    Rating,
    /// A customer's wish for a person, in other words or by telephone.
    Request,
    /// A person of the company.
    Staff,
    /// A payment that failed.
    Payment,
    /// A customer's bank that wants money back.
    Dispute,
}

/// Who asks for a person.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "AskedBy")]
pub(super) enum EscalationAskedBy {
    /// The customer, by telephone say.
    Customer,
    /// A person of the company.
    Staff,
}

/// Something that a person of the company must take over. Needs escalation:read.
#[derive(Clone, Description)]
pub(super) struct Escalation {
    pub(super) row: EscalationRow,
    pub(super) at: At,
}

#[Object(use_type_description)]
impl Escalation {
    /// Opaque id.
    pub(super) async fn id(&self) -> ID {
        global(self.row.escalation_id)
    }
    /// Number of changes so far: what `expectedVersion` compares.
    async fn version(&self) -> i32 {
        i32::try_from(self.row.version).unwrap_or(i32::MAX)
    }
    /// Where it stands.
    async fn status(&self) -> EscalationStatus {
        self.row.status.into()
    }
    /// Why, in a sentence without personal data.
    async fn reason(&self) -> &str {
        &self.row.reason
    }
    /// A word for why: the word that was said, or a provider's code.
    async fn code(&self) -> &str {
        &self.row.code
    }
    /// What a person is called for.
    async fn source(&self) -> EscalationSource {
        self.row.source.into()
    }
    /// How bad it is: from 1, the worst, to 3.
    async fn severity(&self) -> i32 {
        self.row.severity
    }
    /// What it is about: a conversation, a review, a payment or a booking; null where the viewer may not see that.
    async fn subject(&self, ctx: &Context<'_>) -> Result<Option<Node>> {
        let subject = &self.row.subject;
        let named = [
            subject
                .conversation_id
                .map(|id| (ConversationId::NAME, id.to_string())),
            subject.review_id.map(|id| (ReviewId::NAME, id.to_string())),
            subject.payment_id.map(|id| (PaymentId::NAME, id.to_string())),
            subject.booking_id.map(|id| (BookingId::NAME, id.to_string())),
        ];
        let Some((name, id)) = named.into_iter().flatten().next() else {
            return Ok(None);
        };
        let is_forbidden = |error: &async_graphql::Error| {
            let code = error
                .extensions
                .as_ref()
                .and_then(|extensions| extensions.get("code"));
            code == Some(&async_graphql::Value::from("FORBIDDEN"))
        };
        match node_of(ctx, name, &id, self.at).await {
            Err(error) if is_forbidden(&error) => Ok(None),
            found => found,
        }
    }
    /// Opaque id of the conversation that it is about.
    async fn conversation_id(&self) -> Option<ID> {
        self.row.conversation_id.map(global)
    }
    /// Opaque id of the booking that it is about.
    async fn booking_id(&self) -> Option<ID> {
        self.row.subject.booking_id.map(global)
    }
    /// The station that it is about; null where it concerns the whole company. Needs station:read.
    async fn station(&self, ctx: &Context<'_>) -> Result<Option<Station>> {
        let Some(id) = self.row.station_id else {
            return Ok(None);
        };
        let row = ctx.data_unchecked::<Loaders>().station(id, self.at).await?;
        Ok(row.map(Station))
    }
    /// Opaque id of the user who is to see to it, or does.
    async fn assignee(&self) -> Option<String> {
        self.row.assignee.map(|user| global(user).to_string())
    }
    /// By when a person should have seen to it.
    async fn target_at(&self) -> DateTime<Utc> {
        self.row.target_at
    }
    /// Whether that time has passed, and it was not seen to by then.
    async fn is_overdue(&self, ctx: &Context<'_>) -> bool {
        let until = self.row.resolved_at.unwrap_or_else(|| app(ctx).clock.now());
        until > self.row.target_at
    }
    /// When it was opened.
    async fn opened_at(&self) -> DateTime<Utc> {
        self.row.opened_at
    }
    /// How long it has been open, or was until it was seen to, in whole minutes.
    async fn age_minutes(&self, ctx: &Context<'_>) -> i32 {
        let minutes = self
            .row
            .minutes_open
            .unwrap_or_else(|| (app(ctx).clock.now() - self.row.opened_at).num_minutes());
        i32::try_from(minutes.max(0)).unwrap_or(i32::MAX)
    }
    /// When somebody took it over first.
    async fn joined_at(&self) -> Option<DateTime<Utc>> {
        self.row.joined_at
    }
    /// When it was seen to.
    async fn resolved_at(&self) -> Option<DateTime<Utc>> {
        self.row.resolved_at
    }
    /// What was done.
    async fn note(&self) -> Option<&str> {
        self.row.note.as_deref()
    }
    /// How well it was seen to, as the customer says: from 1, badly, to 5, very well.
    async fn survey_score(&self) -> Option<i32> {
        self.row.score
    }
}

connection!(
    EscalationConnection,
    EscalationEdge,
    Escalation,
    "What a person must take over: what waits before what was seen to, the worst first, then the oldest."
);

/// Which escalations.
#[derive(Default, InputObject)]
pub(super) struct EscalationFilter {
    /// That stand at any of these.
    status: Option<Vec<EscalationStatus>>,
    /// For which this called a person.
    source: Option<EscalationSource>,
    /// About this conversation.
    conversation_id: Option<ID>,
    /// About this station.
    station_id: Option<ID>,
}

/// How many conversations the assistant sees to alone, and how long what it cannot takes. Days are those of UTC.
#[derive(Description)]
pub(super) struct EscalationStats(Answer<EscalationFigures>);

fn number(count: i64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

#[Object(use_type_description)]
impl EscalationStats {
    /// Conversations that began.
    async fn conversations(&self) -> i32 {
        number(self.0.value.conversations)
    }
    /// Those of them for which no person of the company was needed: nobody has written or joined, and none is waited for.
    async fn handled_without_human(&self) -> i32 {
        number(self.0.value.handled_without_human)
    }
    /// The share of them, from 0 to 1; 0 where none began.
    async fn rate(&self) -> Decimal {
        let figures = &self.0.value;
        let share = figures
            .handled_without_human
            .saturating_mul(1_000_000)
            .checked_div(figures.conversations);
        RatePpm(share.unwrap_or(0)).into()
    }
    /// Escalations that were opened.
    async fn opened(&self) -> i32 {
        number(self.0.value.opened)
    }
    /// Escalations that were resolved.
    async fn resolved(&self) -> i32 {
        number(self.0.value.resolved)
    }
    /// Minutes for which half of those were open, and half longer; null where none was resolved.
    async fn median_minutes_to_resolve(&self) -> Option<Decimal> {
        self.0.value.median_half_minutes.map(|halves| {
            let half = if halves % 2 == 0 { "" } else { ".5" };
            Decimal::of(format!("{}{half}", halves / 2))
        })
    }
    /// What the figures are as of.
    async fn read_info(&self) -> ReadInfo {
        self.0.info.clone().into()
    }
}

/// Questions about escalations.
#[derive(Default)]
pub(super) struct EscalationQuery;

#[Object]
impl EscalationQuery {
    /// What a person must take over, within reach: what waits before what was seen to, the worst first, then the oldest.
    /// Needs escalation:read.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn escalations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor that the page comes after.")] after: Option<String>,
        #[graphql(desc = "Which escalations; all that are in reach otherwise.")] filter: Option<
            EscalationFilter,
        >,
        #[graphql(desc = "As of a time in the past: the same answer for ever. Not with `fresh`.")]
        as_of: Option<AsOf>,
        #[graphql(desc = "How fresh the answer must be. Not with `asOf`.")] fresh: Option<Freshness>,
    ) -> Result<EscalationConnection> {
        let (views, viewer) = (&app(ctx).views, viewer(ctx)?);
        let asked = filter.unwrap_or_default();
        let unknown = |what: &str| coded("NOT_FOUND", format!("there is no such {what}"));
        let statuses = asked.status.unwrap_or_default().into_iter();
        let filter = Filter {
            status: statuses.map(DomainStatus::from).collect(),
            source: asked.source.map(DomainSource::from),
            conversation_id: asked
                .conversation_id
                .map(|id| local::<ConversationId>(&id).ok_or_else(|| unknown("conversation")))
                .transpose()?,
            station_id: asked
                .station_id
                .map(|id| local::<StationId>(&id).ok_or_else(|| unknown("station")))
                .transpose()?,
        };
        let at = at(ctx, as_of, fresh).await?;
        let slice = slice(first, after)?;
        let previous = slice.after.is_some();
        let page = escalation_list::page(views, viewer, filter.clone(), slice, at)
            .await
            .map_err(unread)?;
        let counter = counter(
            (views.clone(), viewer.clone(), filter),
            move |(views, viewer, filter)| async move {
                escalation_list::count(&views, &viewer, filter, at).await
            },
        );
        Ok(EscalationConnection::new(page, previous, counter, move |row| {
            Escalation { row, at }
        }))
    }

    /// How many conversations the assistant sees to alone, and how long escalations take. Needs escalation:read.
    #[graphql(complexity = "20 + child_complexity")]
    async fn escalation_stats(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "First day, UTC.")] from: LocalDate,
        #[graphql(desc = "Last day, UTC, included.")] to: LocalDate,
        #[graphql(desc = "As of a time in the past: the same answer for ever. Not with `fresh`.")]
        as_of: Option<AsOf>,
        #[graphql(desc = "How fresh the answer must be. Not with `asOf`.")] fresh: Option<Freshness>,
    ) -> Result<EscalationStats> {
        let at = at(ctx, as_of, fresh).await?;
        let figures = escalation_stats::figures(&app(ctx).views, viewer(ctx)?, from.0, to.0, at).await;
        Ok(EscalationStats(figures.map_err(unread)?))
    }
}
