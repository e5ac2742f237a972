//! Subscriptions: what happens, as it happens, and the dashboard whenever it has changed.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_graphql::{Context, ErrorExtensions, ID, Object, Result, Subscription};
use chrono::{DateTime, Utc};
use commands::ports::Clock;
use domain::envelope::Position;
use futures::stream::{BoxStream, StreamExt, try_unfold};
use projections::changes::{self, Change as Row, ChangesError};

use super::audit::noun;
use super::dashboard::{self, Dashboard, Days, Grain};
use super::error::{coded, unread};
use super::id::named;
use super::scalar::{LocalDate, LogPosition};
use super::session::{app, viewer};
use crate::throttle::{Credential, Throttle};

/// From where on a subscription is told, if it does not say itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Beginning {
    /// After the event that a client which comes back has seen last: this goes before what its query says.
    pub(super) resumed: Option<Position>,
    /// The end of the log when it began.
    pub(super) end: Position,
}

/// The position of the event that was given out last; none before the first, and of what has none.
#[derive(Debug, Clone, Default)]
pub struct Seen(Arc<AtomicI64>);

impl Seen {
    fn note(&self, position: Position) {
        self.0.store(position.0, Ordering::Relaxed);
    }

    /// Where to go on after.
    pub fn position(&self) -> Option<Position> {
        let position = self.0.load(Ordering::Relaxed);
        (position > 0).then_some(Position(position))
    }
}

/// Out of whose allowance comes what is looked up again and again, and how much of it.
#[derive(Clone)]
pub(super) struct Spending {
    pub(super) throttle: Option<Throttle>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) who: Credential,
    pub(super) points: u32,
}

impl Spending {
    /// Pays once more, after waiting until there is enough.
    pub(super) async fn paid(&self) {
        let Some(throttle) = &self.throttle else {
            return;
        };
        while let Err(throttled) = throttle.spend(&self.who, self.points, self.clock.now()) {
            tokio::time::sleep(throttled.retry_after).await;
        }
    }
}

/// One of the changes that somebody is told of.
pub(super) struct Change(Arc<Row>);

/// That something happened: where to look, and not what it was. What it is now is asked for by a query with
/// `fresh: {atLeast: position}`.
#[Object]
impl Change {
    /// Its place in the log: what `after` takes to go on behind it. Positions of what the viewer may not see are left out.
    async fn position(&self) -> LogPosition {
        self.0.position.into()
    }
    /// Name of the event, `booking.requested`: docs/event-catalogue.md has all of them.
    #[graphql(name = "type")]
    async fn event_type(&self) -> &str {
        &self.0.event_type
    }
    /// What kind of thing it happened to, `booking`.
    async fn entity_type(&self) -> &str {
        &self.0.entity_type
    }
    /// Opaque id of what it happened to; of what is a `Node`, the id that `node` takes.
    async fn entity_id(&self) -> ID {
        named(&noun(&self.0.entity_type), &self.0.entity_id)
    }
    /// When it was recorded.
    async fn recorded_at(&self) -> DateTime<Utc> {
        self.0.recorded_at
    }
}

/// What can be followed.
#[derive(Default)]
pub(super) struct Subscription;

/// What can be followed: over graphql-transport-ws at /graphql/live, or by server-sent events at /graphql/stream. A
/// subscription asks one field. It ends when the sign-in or the key that began it does, when the access token expires, and
/// when what its viewer may see changes.
#[Subscription]
impl Subscription {
    /// Every change that the viewer may see, in the order of the log, each once; resumes without loss. Changes of a kind of
    /// thing need the right by which it is read: booking:read for bookings, payment:read for payments, work items and
    /// documents, price:read for prices and promo codes, tax:read for rates and periods, and so on; audit:read sees all. Who
    /// is kept to some stations sees what is about one of them, as in `auditLog`. A chef sees the own record and the parties
    /// that they cook. FORBIDDEN where there is nothing that the viewer may see, or a type is named that they may not.
    #[graphql(complexity = "1 + child_complexity")]
    async fn changes(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "After this position: the last that the client has seen, or that a read model's `readInfo` names; 0 for all \
                    there is. From now on where absent. POSITION_IN_FUTURE where the log ends before it."
        )]
        after: Option<LogPosition>,
        #[graphql(
            desc = "Only events of these names; all where absent or empty. BAD_USER_INPUT for one that there is not."
        )]
        types: Option<Vec<String>>,
    ) -> Result<BoxStream<'static, Result<Change>>> {
        let viewer = viewer(ctx)?;
        let begins = ctx.data_unchecked::<Beginning>();
        let asked = after.map(|position| Position(position.0));
        let after = begins.resumed.or(asked).unwrap_or(begins.end);
        let seen = ctx.data_unchecked::<Seen>().clone();
        let types = types.unwrap_or_default();
        let listener = changes::after(&app(ctx).views, viewer, after, &types).await;
        let listener = listener.map_err(untold)?;
        Ok(try_unfold((listener, seen), async |(mut listener, seen)| {
            let change = listener.next().await.map_err(unread)?;
            seen.note(change.position);
            Ok(Some((Change(change), (listener, seen))))
        })
        .boxed())
    }

    /// The dashboard at once, and again whenever it shows something else, at most about once a second: what `dashboard` would
    /// answer now. Each time costs what the subscription did; it waits where the allowance is used up. Needs booking:read and
    /// money:read.
    #[graphql(complexity = "dashboard::COST + child_complexity")]
    async fn dashboard_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only of this station; of all within reach otherwise.")] station_id: Option<ID>,
        #[graphql(desc = "First local day; that of the current month, by UTC, where absent.")] from: Option<
            LocalDate,
        >,
        #[graphql(desc = "Last local day, inclusive; that of the first one's month where absent.")]
        to: Option<LocalDate>,
        #[graphql(default_with = "Grain::Day", desc = "How many days a bucket has.")] grain: Grain,
    ) -> Result<BoxStream<'static, Result<Dashboard>>> {
        dashboard::followed(ctx, station_id, Days { from, to, grain }).await
    }
}

/// Why nobody is told of changes.
fn untold(error: ChangesError) -> async_graphql::Error {
    match error {
        ChangesError::UnknownType(_) => coded("BAD_USER_INPUT", error.to_string()),
        ChangesError::InFuture { head, .. } => {
            let refused = coded("POSITION_IN_FUTURE", error.to_string());
            refused.extend_with(|_, extensions| extensions.set("head", head.0))
        }
        ChangesError::Read(error) => unread(error),
    }
}
