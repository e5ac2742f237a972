//! Answering a question: live with a bound on staleness, or as of a position.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::access::Viewer;
use domain::envelope::Position;
use domain::ids::TenantId;
use event_log::Transaction;
use tokio::time::Instant;

use super::as_of;
use super::checkpoint::{self, Standing};
use super::column::{Column, Value};
use super::error::ReadError;
use super::fold::{Fold, Row};
use super::incomplete;
use super::models::ReadModels;
use super::runner::of;
use super::select::{Condition, Cursor, Direction, Select};
use super::select_memory::Sieve;
use super::select_sql;

/// The moment that a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// Now, as far as the read model has come.
    Live {
        /// How far it must have come at least.
        fresh: Option<Fresh>,
    },
    /// After this position, for ever the same.
    AsOf(Position),
}

impl At {
    /// Now, as far as the read model has come.
    pub const NOW: Self = Self::Live { fresh: None };
}

/// How far a read model must have come, and how long to wait for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fresh {
    /// The position that the answer holds at least.
    pub at_least: Position,
    /// How long to wait for it.
    pub wait: Duration,
    /// What comes after that.
    pub then: Late,
}

/// What becomes of a question that waited in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Late {
    /// It is refused: asking again may help.
    Refuse,
    /// It is answered with what there is, which is said to be stale.
    ShowStale,
}

/// What an answer holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadInfo {
    /// The last position that the answer holds.
    pub position: Position,
    /// When the event there was recorded; none before the first.
    pub recorded_at: Option<DateTime<Utc>>,
    /// Events in the log that the answer does not hold yet; 0 for an answer as of a position.
    pub lag_events: i64,
    /// How long the oldest of those has waited, in milliseconds.
    pub lag_ms: i64,
    /// Whether the answer is older than what was asked for.
    pub stale: bool,
    /// Whether the answer may lack an event: one that the read model has stopped at, or holds back.
    pub incomplete: bool,
}

/// A value, and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<T> {
    /// The value.
    pub value: T,
    /// What it holds.
    pub info: ReadInfo,
}

/// The first pages of several lists, which differ in one column's value.
#[derive(Debug, Clone)]
pub struct FirstPages<R> {
    pages: BTreeMap<Value, Page<R>>,
    info: ReadInfo,
}

impl<R> FirstPages<R> {
    /// Takes the page of a value: without rows where it has none, or they are not within reach.
    pub fn take(&mut self, of: &impl Column) -> Page<R> {
        let page = of.value().and_then(|value| self.pages.remove(&value));
        page.unwrap_or_else(|| Page {
            rows: Vec::new(),
            has_next: false,
            end: None,
            info: self.info.clone(),
        })
    }
}

impl<T> Answer<T> {
    /// The answer with another value made from this one.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Answer<U> {
        Answer {
            value: change(self.value),
            info: self.info,
        }
    }
}

/// A row of a list, and its place in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<R> {
    /// Its place.
    pub cursor: Cursor,
    /// The row.
    pub row: R,
}

/// Part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<R> {
    /// The rows, in order.
    pub rows: Vec<Listed<R>>,
    /// Whether more come after them.
    pub has_next: bool,
    /// Where the next page goes on: after the last row, or as far as a search has looked.
    pub end: Option<Cursor>,
    /// What the answer holds.
    pub info: ReadInfo,
}

/// The condition that keeps a viewer to the stations within reach.
pub(crate) fn station_scope(viewer: &Viewer) -> Vec<Condition> {
    let within = viewer.stations.only().map(|stations| {
        let ids = stations.iter().map(|station| Value::Uuid(station.0)).collect();
        Condition::one_of("station_id", ids)
    });
    within.into_iter().collect()
}

fn page<R: Row>(mut rows: Vec<R>, select: &Select, info: ReadInfo) -> Page<R> {
    let first = usize::from(select.first);
    let has_next = rows.len() > first;
    rows.truncate(first);
    let listed = |row: R| Listed {
        cursor: Cursor::of(&row, select.order),
        row,
    };
    let rows: Vec<Listed<R>> = rows.into_iter().map(listed).collect();
    Page {
        end: rows.last().map(|listed| listed.cursor.clone()),
        rows,
        has_next,
        info,
    }
}

/// How long to sleep between looks at a checkpoint that another process moves.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

impl ReadModels {
    pub(crate) async fn page<F: Fold>(
        &self,
        tenant: TenantId,
        select: Select,
        at: At,
    ) -> Result<Page<F::Row>, ReadError> {
        match at {
            At::Live { fresh } => {
                let (mut snapshot, standing) = self.snapshot::<F>(tenant, fresh).await?;
                let _asking = self.database().asking(F::NAME, "page");
                let rows = select_sql::select(&mut snapshot, tenant, standing.generation(), &select).await?;
                let incomplete =
                    incomplete::stored::<F>(&mut snapshot, tenant, &standing, &select.conditions).await?;
                snapshot.commit().await?;
                Ok(page(rows, &select, info(&standing, fresh, incomplete)))
            }
            At::AsOf(position) => {
                let sieve = Sieve::page(select.clone())?;
                let sifted = Box::pin(as_of::answer::<F>(self, tenant, position, sieve)).await?;
                Ok(page(sifted.value.into_rows(), &select, sifted.info))
            }
        }
    }

    /// The first page of each of several lists, which differ in one column's value: one question for all of them.
    pub(crate) async fn first_of_each<F: Fold>(
        &self,
        tenant: TenantId,
        (column, of): (&'static str, &[impl Column]),
        select: Select,
        at: At,
    ) -> Result<FirstPages<F::Row>, ReadError> {
        let values: Vec<Value> = of.iter().filter_map(Column::value).collect();
        let mut conditions = select.conditions.clone();
        conditions.push(Condition::OneOf(column, values.clone()));
        let found: Answer<Vec<F::Row>> = match at {
            At::Live { fresh } => {
                let (mut snapshot, standing) = self.snapshot::<F>(tenant, fresh).await?;
                let _asking = self.database().asking(F::NAME, "first_of_each");
                let generation = standing.generation();
                let rows =
                    select_sql::first_of_each(&mut snapshot, tenant, generation, column, values, &select)
                        .await?;
                let incomplete =
                    incomplete::stored::<F>(&mut snapshot, tenant, &standing, &conditions).await?;
                snapshot.commit().await?;
                Answer {
                    value: rows,
                    info: info(&standing, fresh, incomplete),
                }
            }
            At::AsOf(position) => {
                let sieve = Sieve::all(conditions);
                let sifted = Box::pin(as_of::answer::<F>(self, tenant, position, sieve)).await?;
                sifted.map(Sieve::into_rows)
            }
        };
        let mut lists: BTreeMap<Value, Vec<F::Row>> = BTreeMap::new();
        for row in found.value {
            if let Some(value) = row.value(column) {
                lists.entry(value).or_default().push(row);
            }
        }
        let in_order = |(value, mut rows): (Value, Vec<F::Row>)| {
            rows.sort_by_cached_key(|row| select.order.place(row));
            if select.order.direction == Direction::Descending {
                rows.reverse();
            }
            (value, page(rows, &select, found.info.clone()))
        };
        Ok(FirstPages {
            pages: lists.into_iter().map(in_order).collect(),
            info: found.info.clone(),
        })
    }

    /// Every row that meets the conditions, in no order: for what is bounded by its nature.
    pub(crate) async fn all<F: Fold>(
        &self,
        tenant: TenantId,
        conditions: Vec<Condition>,
        at: At,
    ) -> Result<Answer<Vec<F::Row>>, ReadError> {
        match at {
            At::Live { fresh } => {
                let (mut snapshot, standing) = self.snapshot::<F>(tenant, fresh).await?;
                let _asking = self.database().asking(F::NAME, "all");
                let rows = select_sql::all(&mut snapshot, tenant, standing.generation(), &conditions).await?;
                let incomplete =
                    incomplete::stored::<F>(&mut snapshot, tenant, &standing, &conditions).await?;
                snapshot.commit().await?;
                Ok(Answer {
                    value: rows,
                    info: info(&standing, fresh, incomplete),
                })
            }
            At::AsOf(position) => {
                let sieve = Sieve::all(conditions);
                let sifted = Box::pin(as_of::answer::<F>(self, tenant, position, sieve)).await?;
                Ok(sifted.map(Sieve::into_rows))
            }
        }
    }

    pub(crate) async fn count<F: Fold>(
        &self,
        tenant: TenantId,
        conditions: Vec<Condition>,
        at: At,
    ) -> Result<Answer<u64>, ReadError> {
        match at {
            At::Live { fresh } => {
                let (mut snapshot, standing) = self.snapshot::<F>(tenant, fresh).await?;
                let _asking = self.database().asking(F::NAME, "count");
                let generation = standing.generation();
                let count =
                    select_sql::count::<F::Row>(&mut snapshot, tenant, generation, &conditions).await?;
                let incomplete =
                    incomplete::stored::<F>(&mut snapshot, tenant, &standing, &conditions).await?;
                snapshot.commit().await?;
                Ok(Answer {
                    value: count,
                    info: info(&standing, fresh, incomplete),
                })
            }
            At::AsOf(position) => {
                let sieve = Sieve::count(conditions);
                let sifted = Box::pin(as_of::answer::<F>(self, tenant, position, sieve)).await?;
                Ok(sifted.map(Sieve::into_count))
            }
        }
    }

    /// A snapshot in which the read model has come as far as is asked for. Rows of an older fold are no answer: until
    /// they are built anew, the model has not come to where it was.
    pub(crate) async fn snapshot<F: Fold>(
        &self,
        tenant: TenantId,
        fresh: Option<Fresh>,
    ) -> Result<(Transaction, Standing), ReadError> {
        let asked = fresh.map_or(Position::START, |fresh| fresh.at_least);
        let deadline = Instant::now() + fresh.map_or(Duration::ZERO, |fresh| fresh.wait);
        loop {
            let mut moved = self.moved(tenant);
            let mut snapshot = self.database().begin_read(tenant).await?;
            let standing = checkpoint::standing(&mut snapshot, of::<F>(tenant)).await?;
            let position = standing.position_of(F::VERSION);
            let readable = position >= standing.position();
            let now = Instant::now();
            let shown_stale = now >= deadline && fresh.is_some_and(|fresh| fresh.then == Late::ShowStale);
            if readable && (position >= asked || shown_stale) {
                return Ok((snapshot, standing));
            }
            snapshot.rollback().await?;
            if now >= deadline {
                return Err(ReadError::StaleRead {
                    projection: F::NAME,
                    asked: asked.max(standing.position()),
                    position,
                    head: standing.head,
                });
            }
            let look_again = (now + LOOK_AGAIN).min(deadline);
            // Moved by this process, or perhaps by another: then it is time to look again.
            let _ = tokio::time::timeout_at(look_again, moved.changed()).await;
        }
    }
}

/// What an answer from a snapshot holds, where it was to be so fresh.
pub(crate) fn info(standing: &Standing, fresh: Option<Fresh>, incomplete: bool) -> ReadInfo {
    ReadInfo {
        position: standing.position(),
        recorded_at: standing.recorded_at,
        lag_events: standing.lag_events(),
        lag_ms: standing.lag_ms,
        stale: fresh.is_some_and(|fresh| standing.position() < fresh.at_least),
        incomplete,
    }
}
