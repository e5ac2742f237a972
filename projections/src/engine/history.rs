//! The log as folds see it: read back, in order, a piece at a time or as a stream.

use domain::decider::DecodeError;
use domain::envelope::{Position, StoredEvent};
use domain::ids::TenantId;
use domain::recorded::Recorded;
use event_log::LogError;
use futures::{Stream, StreamExt};

use super::error::ProjectionError;
use super::fold::{Fold, ignored, is_known};
use super::models::ReadModels;

/// An event of the log, as far as this program can read it.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) position: Position,
    name: String,
    event: Result<Recorded, DecodeError>,
}

impl Read {
    fn of(stored: StoredEvent) -> Self {
        Self {
            position: stored.position,
            name: stored.event_type.clone(),
            event: Recorded::try_from(stored),
        }
    }

    /// The event, where the fold looks at its type. A type that this program does not know is an error for
    /// every fold: who knows what it would have meant.
    pub(crate) fn wanted_by<F: Fold>(&self) -> Result<Option<&Recorded>, &DecodeError> {
        if F::event_types().contains(&self.name.as_str()) || !is_known(&self.name) {
            self.event.as_ref().map(Some)
        } else {
            Ok(None)
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
        Ok(Self {
            after,
            events: stored.into_iter().map(Read::of).collect(),
        })
    }
}

/// The events of `(after, until]` that a fold looks at, and an error at the first that this program does not know.
///
/// # Errors
/// [`ProjectionError::Stopped`] when one of all the events there is missing, [`ProjectionError::Log`].
pub(crate) async fn stream<F: Fold>(
    models: &ReadModels,
    tenant: TenantId,
    after: Position,
    until: Position,
) -> Result<impl Stream<Item = Result<Recorded, ProjectionError>> + Send, ProjectionError> {
    // Among events that are left out the log sees no hole.
    if let Some(missing) = models.log().first_missing(tenant, after, until).await? {
        return Err(unreadable::<F>(missing, &"it is missing"));
    }
    // Not the types that it looks at: what this program does not know must come too.
    let but = ignored::<F>().map(str::to_owned).collect();
    let stored = models.log().stream_all(tenant, after, Some(until), Some(but));
    Ok(stored.map(|stored| {
        let stored = stored?;
        let position = stored.position;
        Recorded::try_from(stored).map_err(|error| unreadable::<F>(position, &error))
    }))
}

/// A fold that goes no further than right before a position.
fn unreadable<F: Fold>(position: Position, error: &impl std::fmt::Display) -> ProjectionError {
    ProjectionError::Stopped {
        projection: F::NAME,
        position: Position(position.0 - 1),
        reason: reason(position, error),
    }
}

/// Why an event cannot be applied, in a sentence.
pub(crate) fn reason(position: Position, error: &impl std::fmt::Display) -> String {
    format!("the event at position {position} cannot be applied: {error}")
}
