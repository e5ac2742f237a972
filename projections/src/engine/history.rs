//! The log as folds see it: read back, in order, a piece at a time or as a stream.

use domain::decider::DecodeError;
use domain::envelope::{Position, StoredEvent, StreamId};
use domain::ids::TenantId;
use domain::recorded::Recorded;
use event_log::LogError;
use futures::stream::iter;
use futures::{FutureExt, Stream, TryStreamExt};

use super::error::ProjectionError;
use super::fold::{Fold, ignored, is_known};
use super::models::ReadModels;

/// An event of the log, as far as this program can read it.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) position: Position,
    event: Result<Recorded, Box<Unread>>,
}

/// An event that this program cannot read.
#[derive(Debug)]
struct Unread {
    name: String,
    stream: StreamId,
    error: DecodeError,
}

/// An event as one fold sees it.
#[derive(Debug)]
pub(crate) enum Seen<'a> {
    /// The fold does not look at its type.
    Ignored,
    /// It is one that the fold looks at.
    Event(&'a Recorded),
    /// It should be, but is not as its type promises.
    Unreadable(&'a DecodeError),
    /// This program knows no such type, or no such version of it: who knows what it would have meant.
    Unknown(&'a DecodeError),
}

impl Read {
    pub(crate) fn of(stored: StoredEvent) -> Self {
        let (position, stream) = (stored.position, stored.stream.clone());
        let name = stored.event_type.clone();
        Self {
            position,
            event: Recorded::try_from(stored).map_err(|error| Box::new(Unread { name, stream, error })),
        }
    }

    /// Its type.
    pub(crate) fn name(&self) -> &str {
        match &self.event {
            Ok(event) => event.event.name(),
            Err(unread) => &unread.name,
        }
    }

    /// Its stream.
    pub(crate) fn stream(&self) -> &StreamId {
        match &self.event {
            Ok(event) => &event.stream,
            Err(unread) => &unread.stream,
        }
    }

    /// Whether this program cannot read it.
    pub(crate) fn is_unreadable(&self) -> bool {
        self.event.is_err()
    }

    /// The event, where a fold looks at it.
    fn into_seen<F: Fold>(self) -> Result<Option<Recorded>, ProjectionError> {
        let stopped = |error: &DecodeError| ProjectionError::Stopped {
            projection: F::NAME,
            position: Position(self.position.0 - 1),
            reason: reason(self.position, error),
        };
        match self.seen_by::<F>() {
            Seen::Ignored => Ok(None),
            Seen::Unreadable(error) | Seen::Unknown(error) => Err(stopped(error)),
            Seen::Event(_) => Ok(self.event.ok()),
        }
    }

    /// What a fold sees in it.
    pub(crate) fn seen_by<F: Fold>(&self) -> Seen<'_> {
        let wanted = F::event_types().contains(&self.name());
        match &self.event {
            Ok(event) if wanted => Seen::Event(event),
            Ok(_) => Seen::Ignored,
            Err(unread) if !is_known(&unread.name) => Seen::Unknown(&unread.error),
            Err(_) if !wanted => Seen::Ignored,
            Err(unread) => match &unread.error {
                error @ DecodeError::Unknown { .. } => Seen::Unknown(error),
                error @ DecodeError::Shape { .. } => Seen::Unreadable(error),
            },
        }
    }
}

#[cfg(test)]
impl From<Recorded> for Read {
    fn from(event: Recorded) -> Self {
        Self {
            position: event.position,
            event: Ok(event),
        }
    }
}

/// Events right after a position, without a hole, each read back once for all projections.
#[derive(Debug)]
pub struct Batch {
    pub(crate) after: Position,
    pub(crate) events: Vec<Read>,
}

impl Batch {
    /// The next events after a position, at most so many.
    ///
    /// # Errors
    /// [`LogError::Gap`] when one is missing, [`LogError::Unavailable`] when the database does not answer.
    pub async fn read(
        models: &ReadModels,
        tenant: TenantId,
        after: Position,
        limit: u32,
    ) -> Result<Self, LogError> {
        // Unfiltered, so that the log asserts that nothing is missing.
        let stored = models.log().read(tenant, after, limit, None).await?;
        Ok(Self::of(after, stored))
    }

    /// Events right after a position, which the log has given.
    pub(crate) fn of(after: Position, stored: Vec<StoredEvent>) -> Self {
        Self {
            after,
            events: stored.into_iter().map(Read::of).collect(),
        }
    }

    /// The position of the last event; where there is none, the one before the first.
    pub(crate) fn to(&self) -> Position {
        self.events.last().map_or(self.after, |last| last.position)
    }

    /// The last event that this program can read.
    pub(crate) fn last_known(&self) -> Option<&Recorded> {
        self.events.iter().rev().find_map(|read| read.event.as_ref().ok())
    }

    /// Whether there is an event that this program cannot read.
    pub(crate) fn holds_unreadable(&self) -> bool {
        self.events.iter().any(|read| read.event.is_err())
    }

    /// The events that a fold looks at, as far as they can be read.
    pub(crate) fn wanted_by<F: Fold>(&self) -> impl Iterator<Item = &Recorded> {
        let types = F::event_types();
        let wanted = self.events.iter().filter(|read| types.contains(&read.name()));
        wanted.filter_map(|read| read.event.as_ref().ok())
    }
}

/// Pages that are read back at the same time.
const AT_ONCE: usize = 2;

/// The events of `(after, until]` that a fold looks at, and those that this program does not know, a page at a time; the
/// next ones are read back on other threads meanwhile.
///
/// # Errors
/// [`ProjectionError::Stopped`] when one of all the events there is missing, [`ProjectionError::Log`].
pub(crate) async fn pages<F: Fold>(
    models: &ReadModels,
    tenant: TenantId,
    after: Position,
    until: Position,
) -> Result<impl Stream<Item = Result<Vec<Read>, ProjectionError>> + Send, ProjectionError> {
    complete::<F>(models, tenant, after, until).await?;
    let read = stored_pages::<F>(models, tenant, after, until)
        .map_ok(|page| beside(move || page.into_iter().map(Read::of).collect()).map(Ok));
    Ok(read.try_buffered(AT_ONCE).map_err(ProjectionError::from))
}

/// The events of [`pages`], one after the other.
///
/// # Errors
/// Those of [`pages`].
pub(crate) async fn stream<F: Fold>(
    models: &ReadModels,
    tenant: TenantId,
    after: Position,
    until: Position,
) -> Result<impl Stream<Item = Result<Read, ProjectionError>> + Send, ProjectionError> {
    let pages = pages::<F>(models, tenant, after, until).await?;
    Ok(pages.map_ok(|page| iter(page.into_iter().map(Ok))).try_flatten())
}

/// The events that a fold looks at, from the log's first up to a position, for whoever looks at nothing else.
///
/// # Errors
/// Those of [`pages`]; the stream's, when an event cannot be read.
pub(crate) async fn events_until<F: Fold>(
    models: &ReadModels,
    tenant: TenantId,
    until: Position,
) -> Result<impl Stream<Item = Result<Recorded, ProjectionError>> + Send, ProjectionError> {
    events_between::<F>(models, tenant, Position::START, until).await
}

/// The same of `(after, until]`.
///
/// # Errors
/// Those of [`events_until`].
pub(crate) async fn events_between<F: Fold>(
    models: &ReadModels,
    tenant: TenantId,
    after: Position,
    until: Position,
) -> Result<impl Stream<Item = Result<Recorded, ProjectionError>> + Send, ProjectionError> {
    let reads = stream::<F>(models, tenant, after, until).await?;
    Ok(reads.try_filter_map(|read| std::future::ready(read.into_seen::<F>())))
}

/// What the log has of `(after, until]` for a fold, not yet read back. Not the types that it looks at, but all others left
/// out: what this program does not know must come too.
pub(crate) fn stored_pages<F: Fold>(
    models: &ReadModels,
    tenant: TenantId,
    after: Position,
    until: Position,
) -> impl Stream<Item = Result<Vec<StoredEvent>, LogError>> + Send + use<F> {
    let but = ignored::<F>().map(str::to_owned).collect();
    models.log().stream_pages(tenant, after, Some(until), Some(but))
}

/// That no event of `(after, until]` is missing: among events that are left out the log sees no hole.
///
/// # Errors
/// [`ProjectionError::Stopped`] when one is, [`ProjectionError::Log`].
pub(crate) async fn complete<F: Fold>(
    models: &ReadModels,
    tenant: TenantId,
    after: Position,
    until: Position,
) -> Result<(), ProjectionError> {
    match models.log().first_missing(tenant, after, until).await? {
        None => Ok(()),
        Some(missing) => Err(ProjectionError::Stopped {
            projection: F::NAME,
            position: Position(missing.0 - 1),
            reason: reason(missing, &"it is missing"),
        }),
    }
}

/// Works beside the runtime, which goes on with everybody else meanwhile. A panic goes on in who waits.
pub(crate) async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime ends: nobody waits any more.
            Err(_) => std::future::pending().await,
        },
    }
}

/// Why an event cannot be applied, in a sentence.
pub(crate) fn reason(position: Position, error: &impl std::fmt::Display) -> String {
    format!("the event at position {position} cannot be applied: {error}")
}
