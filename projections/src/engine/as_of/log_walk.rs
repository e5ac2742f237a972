//! Going through a log up to a position, beside the runtime: pages are read by one task while another thread folds them.

use domain::envelope::Position;
use domain::ids::TenantId;
use futures::{TryStreamExt, pin_mut};

use crate::engine::error::{ProjectionError, ReadError};
use crate::engine::fold::{Fold, ignored};
use crate::engine::history::{Read, reason};
use crate::engine::models::ReadModels;
use crate::engine::rows::{Halted, Then};

/// What became of a walk.
pub(crate) enum Walked<S> {
    /// It came to the end.
    ToTheEnd(S),
    /// The fold panicked at an event, and a row is lost.
    Panicked,
    /// The rows take more memory than they may.
    TooLarge,
}

/// Why a walk goes no further.
pub(crate) enum Cut {
    /// The fold does not.
    Halted(Halted),
    /// The rows take more memory than they may.
    TooLarge,
}

impl From<Halted> for Cut {
    fn from(halted: Halted) -> Self {
        Self::Halted(halted)
    }
}

/// Gives the events of `(after, until]` that a fold looks at, one after the other, to something that works on another
/// thread than the runtime's.
///
/// # Errors
/// [`ReadError::Unreadable`] when one of all the events there is missing or the fold halts, [`ReadError::Log`].
pub(crate) async fn each_event<F: Fold, S: Send + 'static>(
    models: &ReadModels,
    tenant: TenantId,
    (after, until): (Position, Position),
    mut folding: S,
    step: impl Fn(&mut S, Read) -> Result<(), Cut> + Clone + Send + 'static,
) -> Result<Walked<S>, ReadError> {
    if until <= after {
        return Ok(Walked::ToTheEnd(folding));
    }
    let walked = async {
        // Not the types that it looks at: what this program does not know must come too.
        let but = ignored::<F>().map(str::to_owned).collect();
        let pages = models.log().stream_pages(tenant, after, Some(until), Some(but));
        pin_mut!(pages);
        while let Some(page) = pages.try_next().await? {
            let step = step.clone();
            let (back, came_to) = beside(move || {
                let mut events = page.into_iter().map(Read::of);
                let came_to = events.try_for_each(|read| step(&mut folding, read));
                (folding, came_to)
            })
            .await;
            folding = back;
            match came_to {
                Ok(()) => {}
                Err(Cut::TooLarge) => return Ok(Walked::TooLarge),
                Err(Cut::Halted(halted)) => match halted.then {
                    Then::FoldAgain => return Ok(Walked::Panicked),
                    Then::Stop => return Err(unreadable(&halted.error::<F>())),
                },
            }
        }
        Ok(Walked::ToTheEnd(folding))
    };
    let (walked, ()) = tokio::try_join!(walked, complete::<F>(models, tenant, after, until))?;
    Ok(walked)
}

/// Among events that are left out the log sees no hole: this looks for one.
async fn complete<F: Fold>(
    models: &ReadModels,
    tenant: TenantId,
    after: Position,
    until: Position,
) -> Result<(), ReadError> {
    match models.log().first_missing(tenant, after, until).await? {
        Some(missing) => Err(unreadable(&ProjectionError::Stopped {
            projection: F::NAME,
            position: Position(missing.0 - 1),
            reason: reason(missing, &"it is missing"),
        })),
        None => Ok(()),
    }
}

fn unreadable(stopped: &ProjectionError) -> ReadError {
    ReadError::Unreadable {
        table: "events",
        reason: stopped.to_string(),
    }
}

/// Works beside the runtime, which goes on with everybody else meanwhile.
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
