//! The log as a rebuild reads it: a page is folded while the next ones are read back on other threads.

use domain::envelope::Position;
use domain::ids::TenantId;
use event_log::LogError;
use futures::{Stream, TryStreamExt};

use crate::engine::error::ProjectionError;
use crate::engine::fold::{Fold, ignored};
use crate::engine::history::{Read, reason};
use crate::engine::models::ReadModels;

/// Pages that are read back at the same time.
const AT_ONCE: usize = 2;

/// The events of `(after, until]` that a fold looks at, and those that this program does not know, a page at a time.
///
/// # Errors
/// [`ProjectionError::Stopped`] when one of all the events there is missing, [`ProjectionError::Log`].
pub(super) async fn pages<F: Fold>(
    models: &ReadModels,
    tenant: TenantId,
    after: Position,
    until: Position,
) -> Result<impl Stream<Item = Result<Vec<Read>, ProjectionError>> + Send, ProjectionError> {
    // Among events that are left out the log sees no hole.
    if let Some(missing) = models.log().first_missing(tenant, after, until).await? {
        return Err(ProjectionError::Stopped {
            projection: F::NAME,
            position: Position(missing.0 - 1),
            reason: reason(missing, &"it is missing"),
        });
    }
    // Not the types that it looks at: what this program does not know must come too.
    let but = ignored::<F>().map(str::to_owned).collect();
    let pages = models.log().stream_pages(tenant, after, Some(until), Some(but));
    let read = pages.map_ok(|page| {
        let position = page.first().map_or(Position::START, |event| event.position);
        let read = tokio::task::spawn_blocking(move || page.into_iter().map(Read::of).collect::<Vec<_>>());
        async move {
            read.await.map_err(|error| LogError::Corrupt {
                position,
                what: error.to_string(),
            })
        }
    });
    Ok(read.try_buffered(AT_ONCE).map_err(ProjectionError::from))
}
