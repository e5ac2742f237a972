//! The audit trail: one entry per event, for it is the log.

use async_graphql::{Context, Description, Enum, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::access::Viewer;
use projections::audit_trail::{self, AuditFilter as Filter, AuditRow, AuditSort, FieldType as RowType};
use projections::{At, Page, ReadModels, Slice};

use super::connection::{connection, counter};
use super::error::unread;
use super::id::{named, parts};
use super::loaders::Loaders;
use super::read::{AsOf, Freshness, at, cost, slice};
use super::scalar::LogPosition;
use super::session::{viewer, views};
use super::sign_in::Role;

/// Who did it, through what.
#[derive(SimpleObject)]
pub(super) struct Actor {
    /// `user`, `customer`, `policy` or `system`.
    kind: String,
    /// Id of the user or customer, or name of the policy or program.
    id: Option<String>,
    /// Name of the policy or program; null for people, whose names are sealed.
    name: Option<String>,
    /// The role that a user acted under.
    role: Option<Role>,
    /// `graphql`, `rest`, `webhook`, `policy` or `cli`.
    channel: String,
}

/// What the values of a field are. All of them are written as text.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "RowType")]
pub(super) enum FieldType {
    /// Words.
    Text,
    /// An amount of money with two decimals, `851.18`.
    Money,
    /// A fraction, `0.09125`.
    Rate,
    /// A whole number.
    Count,
    /// An instant, RFC 3339, UTC.
    Instant,
    /// A civil date, `2026-03-14`.
    Date,
    /// An identifier.
    Id,
    /// A word for where something stands, `confirmed`.
    Status,
    /// `true` or `false`.
    Flag,
}

/// One field that changed.
#[derive(SimpleObject)]
pub(super) struct FieldChange {
    /// Which field, with dots where it is inside another: `policy.deposit`.
    path: String,
    /// What its values are.
    #[graphql(name = "type")]
    kind: FieldType,
    /// What it was; null when it was not, or when the event does not say: events that were recorded by older programs say
    /// less.
    before: Option<String>,
    /// What it is; null when it is no more.
    after: Option<String>,
}

/// One thing that happened.
#[derive(Clone, Description)]
pub(super) struct AuditEntry(pub(super) AuditRow);

#[Object(use_type_description)]
impl AuditEntry {
    /// Opaque id.
    pub(super) async fn id(&self) -> ID {
        named("AuditEntry", &self.0.position.to_string())
    }
    /// Place in the log.
    async fn position(&self) -> LogPosition {
        self.0.position.into()
    }
    /// When it was recorded.
    async fn recorded_at(&self) -> DateTime<Utc> {
        self.0.recorded_at
    }
    /// Name of the event, `booking.requested`.
    #[graphql(name = "type")]
    async fn event_type(&self) -> &str {
        &self.0.event_type
    }
    /// What happened, in a sentence.
    async fn summary(&self) -> &str {
        &self.0.summary
    }
    /// What kind of thing it happened to, `booking`.
    async fn entity_type(&self) -> &str {
        &self.0.entity_type
    }
    /// Opaque id of what it happened to.
    async fn entity_id(&self) -> ID {
        named(&noun(&self.0.entity_type), &self.0.entity_id)
    }
    /// Who did it.
    async fn actor(&self) -> Actor {
        let row = &self.0;
        let person = matches!(row.actor_kind.as_str(), "user" | "customer");
        Actor {
            kind: row.actor_kind.clone(),
            id: Some(row.actor_id.clone()),
            name: (!person).then(|| row.actor_id.clone()),
            role: row
                .actor_role
                .as_deref()
                .and_then(domain::access::Role::parse)
                .map(Role::from),
            channel: row.channel.clone(),
        }
    }
    /// Why, where somebody said.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }
    /// What changed.
    async fn changes(&self) -> Vec<FieldChange> {
        let change = |change: &audit_trail::FieldChange| FieldChange {
            path: change.path.clone(),
            kind: change.kind.into(),
            before: change.before.clone(),
            after: change.after.clone(),
        };
        self.0.changes.iter().map(change).collect()
    }
    /// The business process that it belongs to.
    async fn correlation_id(&self) -> ID {
        ID(self.0.correlation_id.clone())
    }
    /// The event that caused it.
    async fn causation_id(&self) -> Option<ID> {
        self.0.causation_id.clone().map(ID)
    }
    /// Whether personal fields are left out of the changes.
    async fn redacted(&self) -> bool {
        self.0.redacted
    }
}

connection!(
    AuditEntryConnection,
    AuditEntryEdge,
    AuditEntry,
    "What happened, the newest first."
);

/// The type in the schema of a stream's kind: `price_list` is a PriceList.
pub(super) fn noun(kind: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters
            .next()
            .map(|first| first.to_ascii_uppercase())
            .into_iter()
            .chain(letters)
            .collect::<String>()
    };
    kind.split('_').map(capital).collect()
}

/// Which entries.
#[derive(Default, InputObject)]
pub(super) struct AuditFilter {
    /// What happened to this.
    entity_id: Option<ID>,
    /// What happened to things of this kind, `booking`.
    entity_type: Option<String>,
    /// What this user, customer, policy or program did.
    actor_id: Option<String>,
    /// Events of any of these names.
    #[graphql(name = "type")]
    types: Option<Vec<String>>,
    /// Recorded at or after.
    from: Option<DateTime<Utc>>,
    /// Recorded before.
    to: Option<DateTime<Utc>>,
    /// Part of the sentence or of the reason, as it is written there, letters A to Z in either case. For each page a search
    /// looks through 20,000 entries of the period: a page may have fewer entries than were asked for, or none, while
    /// `hasNextPage` is true and `endCursor` says where to go on.
    search: Option<String>,
}

impl AuditFilter {
    fn read(self) -> Filter {
        // An id that is none of ours is nobody's: it finds nothing.
        let entity = self
            .entity_id
            .map(|id| parts(&id).map_or_else(|| id.to_string(), |(_, id)| id));
        Filter {
            entity_id: entity,
            entity_type: self.entity_type,
            actor_id: self
                .actor_id
                .map(|id| parts(&ID(id.clone())).map_or(id, |(_, id)| id)),
            types: self.types.unwrap_or_default(),
            from: self.from,
            to: self.to,
            search: self.search,
        }
    }
}

async fn entries(ctx: &Context<'_>, filter: Filter, slice: Slice, at: At) -> Result<AuditEntryConnection> {
    let (views, viewer) = (views(ctx), viewer(ctx)?);
    let previous = slice.after.is_some();
    let sort = AuditSort::NewestFirst;
    let page = audit_trail::page(views, viewer, filter.clone(), sort, slice, at)
        .await
        .map_err(unread)?;
    Ok(connected(views, viewer, filter, page, previous, at))
}

/// A page with what counts its list.
fn connected(
    views: &ReadModels,
    viewer: &Viewer,
    filter: Filter,
    page: Page<AuditRow>,
    previous: bool,
    at: At,
) -> AuditEntryConnection {
    let counter = counter(
        (views.clone(), viewer.clone(), filter),
        move |(views, viewer, filter)| async move { audit_trail::count(&views, &viewer, filter, at).await },
    );
    AuditEntryConnection::new(page, previous, counter, AuditEntry)
}

/// What happened to one thing.
pub(super) async fn entity_audit(
    ctx: &Context<'_>,
    kind: &'static str,
    id: String,
    first: i32,
    after: Option<String>,
    at: At,
) -> Result<AuditEntryConnection> {
    let filter = Filter {
        entity_id: Some(id.clone()),
        entity_type: Some(kind.to_owned()),
        ..Filter::default()
    };
    let slice = slice(first, after)?;
    if slice.after.is_some() {
        return entries(ctx, filter, slice, at).await;
    }
    let loaders = ctx.data_unchecked::<Loaders>();
    let page = loaders.audit(kind, id, slice.first, at).await?;
    Ok(connected(views(ctx), viewer(ctx)?, filter, page, false, at))
}

/// Questions about what happened.
#[derive(Default)]
pub(super) struct AuditQuery;

#[Object]
impl AuditQuery {
    /// What happened, the newest first: one entry per event. Who is kept to some stations sees what is about one of
    /// them, and nothing that concerns the whole company, such as customers, chefs, users and tax rates. Needs audit:read.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn audit_log(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor that the page comes after.")] after: Option<String>,
        #[graphql(desc = "Which entries; all that are in reach otherwise.")] filter: Option<AuditFilter>,
        #[graphql(desc = "As of a time in the past: the same answer for ever. Not with `fresh`.")]
        as_of: Option<AsOf>,
        #[graphql(desc = "How fresh the answer must be. Not with `asOf`.")] fresh: Option<Freshness>,
    ) -> Result<AuditEntryConnection> {
        let at = at(ctx, as_of, fresh).await?;
        entries(ctx, filter.unwrap_or_default().read(), slice(first, after)?, at).await
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_kind_of_stream_is_a_noun_of_the_schema() {
        assert_eq!(
            [super::noun("booking"), super::noun("price_list")],
            ["Booking", "PriceList"]
        );
    }
}
