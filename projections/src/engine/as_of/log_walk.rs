//! Going through a log up to a position, beside the runtime: pages are read by one task while another thread folds them.

use domain::envelope::Position;
use domain::ids::TenantId;
use futures::{TryFutureExt, TryStreamExt, pin_mut};

use crate::engine::error::{ProjectionError, ReadError};
use crate::engine::fold::Fold;
use crate::engine::history::{self, Read, beside};
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
        let pages = history::stored_pages::<F>(models, tenant, after, until);
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
    let complete = history::complete::<F>(models, tenant, after, until);
    let (walked, ()) = tokio::try_join!(walked, complete.map_err(unanswered))?;
    Ok(walked)
}

/// Why a question to the log is not answered.
pub(crate) fn unanswered(error: ProjectionError) -> ReadError {
    if let ProjectionError::Log(error) = error {
        ReadError::Log(error)
    } else {
        unreadable(&error)
    }
}

fn unreadable(stopped: &ProjectionError) -> ReadError {
    ReadError::Unreadable {
        table: "events",
        reason: stopped.to_string(),
    }
}
