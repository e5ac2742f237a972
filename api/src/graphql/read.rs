//! When an answer is as of, and how fresh it must be.

use std::time::Duration;

use async_graphql::{Context, InputObject, OneofObject, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::envelope::Position;
use projections::{At, Cursor, Fresh, Late, Slice};

use super::error::{coded, unread};
use super::scalar::LogPosition;
use super::session::{Beyond, app, viewer};

/// A time in the past: the same answer for ever.
#[derive(OneofObject)]
pub(super) enum AsOf {
    /// As it stood after the event at this position.
    Position(LogPosition),
    /// As it stood at this instant, which must have passed: after the last event recorded by then.
    At(DateTime<Utc>),
}

impl AsOf {
    /// The instant, where it is one.
    pub(super) fn instant(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::At(instant) => Some(*instant),
            Self::Position(_) => None,
        }
    }
}

/// How fresh an answer must be.
#[derive(InputObject)]
pub(super) struct Freshness {
    /// A position that the answer must include, as a mutation returned it.
    at_least: LogPosition,
    /// How long to wait for it, in milliseconds, from 0 to 10,000; past it the error is STALE_READ, and asking again may
    /// help.
    #[graphql(default = 2000)]
    wait_ms: i32,
    /// Whether to answer past that time with what there is, and `stale: true` in its `readInfo`.
    #[graphql(default = false)]
    allow_stale: bool,
}

/// The longest that a read waits.
const LONGEST_WAIT_MS: u64 = 10_000;

impl Freshness {
    fn read(self) -> Result<Fresh> {
        let wait = u64::try_from(self.wait_ms)
            .ok()
            .filter(|wait| *wait <= LONGEST_WAIT_MS)
            .ok_or_else(|| coded("BAD_USER_INPUT", "waitMs is a number from 0 to 10000"))?;
        Ok(Fresh {
            at_least: position(self.at_least, "atLeast")?,
            wait: Duration::from_millis(wait),
            then: if self.allow_stale {
                Late::ShowStale
            } else {
                Late::Refuse
            },
        })
    }
}

/// A position that somebody has sent.
fn position(sent: LogPosition, of: &str) -> Result<Position> {
    if sent.0 < 0 {
        return Err(coded(
            "BAD_USER_INPUT",
            format!("{of} is a position in the log, from 0"),
        ));
    }
    Ok(Position(sent.0))
}

/// What an answer is as of.
#[derive(SimpleObject)]
pub(super) struct ReadInfo {
    /// The position in the log that the answer includes, and nothing after it.
    position: LogPosition,
    /// When the event at that position was recorded; null before the first.
    recorded_at: Option<DateTime<Utc>>,
    /// How many events the log is ahead of the answer.
    lag_events: i32,
    /// For how long it has been so, in milliseconds.
    lag_ms: i32,
    /// Whether the answer is older than was asked for.
    stale: bool,
    /// Whether an event that touches the answer could not be applied.
    incomplete: bool,
}

impl From<projections::ReadInfo> for ReadInfo {
    fn from(info: projections::ReadInfo) -> Self {
        let clamp = |value: i64| i32::try_from(value).unwrap_or(i32::MAX);
        Self {
            position: info.position.into(),
            recorded_at: info.recorded_at,
            lag_events: clamp(info.lag_events),
            lag_ms: clamp(info.lag_ms),
            stale: info.stale,
            incomplete: info.incomplete,
        }
    }
}

/// When a question is to be answered for.
pub(super) async fn at(ctx: &Context<'_>, as_of: Option<AsOf>, fresh: Option<Freshness>) -> Result<At> {
    match (as_of, fresh) {
        (Some(_), Some(_)) => Err(coded(
            "BAD_USER_INPUT",
            "asOf and fresh exclude each other: the past is never stale",
        )),
        (None, None) => Ok(At::NOW),
        (None, Some(fresh)) => {
            let fresh = fresh.read()?;
            if fresh.then == Late::ShowStale {
                // What there is after so much time is an answer for nobody else.
                Beyond::look(ctx);
            }
            Ok(At::Live { fresh: Some(fresh) })
        }
        (Some(AsOf::Position(sent)), None) => Ok(At::AsOf(position(sent, "asOf.position")?)),
        (Some(AsOf::At(instant)), None) => {
            let tenant = viewer(ctx)?.tenant;
            let position = app(ctx).views.as_of_instant(tenant, instant).await;
            Ok(At::AsOf(position.map_err(unread)?))
        }
    }
}

/// The longest page.
const LONGEST_PAGE: i32 = 100;
/// What a list costs at most: far more than is ever answered, and so little that no sum of lists overflows.
const HIGHEST_COST: usize = 1_000_000;

/// What a list costs: its length times what it holds.
pub(super) fn cost(first: i32, child_complexity: usize) -> usize {
    let rows = usize::try_from(first.clamp(0, LONGEST_PAGE + 1)).unwrap_or(0);
    rows.saturating_mul(child_complexity)
        .saturating_add(1)
        .min(HIGHEST_COST)
}

/// The page that is asked for.
pub(super) fn slice(first: i32, after: Option<String>) -> Result<Slice> {
    let first = u16::try_from(first)
        .ok()
        .filter(|first| (1..=LONGEST_PAGE).contains(&i32::from(*first)));
    let first = first.ok_or_else(|| coded("BAD_USER_INPUT", "first is a number from 1 to 100"))?;
    Ok(Slice {
        first,
        after: after.map(Cursor::from),
    })
}

/// As of the position that a command wrote: what its payload shows.
pub(super) fn after(position: Position) -> At {
    At::Live {
        fresh: Some(Fresh {
            at_least: position,
            wait: Duration::from_secs(5),
            then: Late::Refuse,
        }),
    }
}
