//! Batches for read models of one position: read once, applied together, and apart where that fails.

use std::time::Duration;

use domain::envelope::Position;
use domain::ids::TenantId;
use event_log::LogError;
use futures::future::join_all;
use futures::{StreamExt, pin_mut};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tracing::Instrument;

use super::PATIENCE;
use super::look::Projections;
use crate::engine::error::ProjectionError;
use crate::engine::history::{Batch, beside};
use crate::engine::joint::{self, Went};
use crate::engine::models::ReadModels;
use crate::engine::projection::Projection;
use crate::engine::runner::Ran;

/// How long the read models of one position go on before others have their turn.
const SLICE: Duration = Duration::from_millis(200);
/// Events that are read in one go; what is longer is read a page at a time, each bounded in bytes.
const FEW: u32 = 64;
/// Events behind from which on the read models go in several transactions at a time, each with some of them: one
/// server process is what they wait for then.
const FAR: i64 = 2_000;
/// How many those are.
const LANES: usize = 2;

/// What came of some batches for the read models of one position.
pub(super) struct Brought {
    /// As far as those came that went together.
    pub(super) to: Position,
    /// Whether all of them did.
    pub(super) together: bool,
    pub(super) moved: bool,
    pub(super) busy: bool,
    /// Those that could not go on, and why.
    pub(super) failed: Vec<(&'static str, ProjectionError)>,
}

impl Brought {
    fn nothing(at: Position) -> Self {
        Self {
            to: at,
            together: true,
            moved: false,
            busy: false,
            failed: Vec::new(),
        }
    }
}

/// When a turn has had enough.
pub(super) struct Bounds<'a> {
    pub(super) deadline: Option<Instant>,
    pub(super) stop: Option<&'a watch::Receiver<bool>>,
}

impl Bounds<'_> {
    fn reached(&self) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= Instant::now())
            || self.stop.is_some_and(|stop| *stop.borrow())
    }
}

/// A while, until others have their turn.
pub(super) fn slice(stop: &watch::Receiver<bool>) -> Bounds<'_> {
    Bounds {
        deadline: Some(Instant::now() + SLICE),
        stop: Some(stop),
    }
}

impl ReadModels {
    /// Applies the events of `(after, until]` to read models that all stand at `after`, until the turn is over.
    pub(super) async fn bring(
        &self,
        tenant: TenantId,
        (after, until): (Position, Position),
        projections: &[&'static dyn Projection],
        bounds: &Bounds<'_>,
    ) -> Result<Brought, ProjectionError> {
        if until.0 - after.0 <= i64::from(FEW) {
            let batch = timeout(PATIENCE, Batch::read(self, tenant, after, FEW)).await;
            let batch = batch.map_err(|_| LogError::Unavailable {
                retry_after: PATIENCE,
            })??;
            return self.apply(tenant, &batch, projections).await;
        }
        let lanes = if until.0 - after.0 > FAR { LANES } else { 1 };
        let mut brought = Brought::nothing(after);
        let mut place = after;
        let pages = self.log().stream_pages(tenant, after, Some(until), None);
        let batches = pages
            .map(|page| {
                let before = place;
                if let Ok(page) = &page {
                    place = page.last().map_or(place, |last| last.position);
                }
                async move {
                    let page = page?;
                    Ok::<_, LogError>(beside(move || Batch::of(before, page)).await)
                }
            })
            .buffered(2);
        pin_mut!(batches);
        while let Some(batch) = batches.next().await {
            let batch = batch?;
            let step = self.apply_in(lanes, tenant, &batch, projections).await?;
            brought.moved |= step.moved;
            brought.busy |= step.busy;
            brought.failed.extend(step.failed);
            brought.to = step.to;
            brought.together = step.together;
            // Those that went different ways are looked at one by one.
            if !step.together || bounds.reached() {
                break;
            }
        }
        Ok(brought)
    }

    /// Applies one batch, the read models dealt out to so many transactions.
    async fn apply_in(
        &self,
        lanes: usize,
        tenant: TenantId,
        batch: &Batch,
        projections: &[&'static dyn Projection],
    ) -> Result<Brought, ProjectionError> {
        let dealt = (0..lanes).map(|lane| {
            let of_lane: Projections = projections.iter().copied().skip(lane).step_by(lanes).collect();
            async move { self.apply(tenant, batch, &of_lane).await }
        });
        let mut all = Brought::nothing(batch.after);
        for step in join_all(dealt).await {
            let step = step?;
            all.to = step.to;
            all.together &= step.together;
            all.moved |= step.moved;
            all.busy |= step.busy;
            all.failed.extend(step.failed);
        }
        Ok(all)
    }

    /// Applies one batch: together, and by itself what does not go together.
    async fn apply(
        &self,
        tenant: TenantId,
        batch: &Batch,
        projections: &[&'static dyn Projection],
    ) -> Result<Brought, ProjectionError> {
        if batch.to() == batch.after || projections.is_empty() {
            return Ok(Brought::nothing(batch.to()));
        }
        let began = Instant::now();
        let brought = self
            .apply_some(tenant, batch, projections)
            .instrument(span(tenant, batch, projections.len()))
            .await?;
        self.measures()
            .batch(began.elapsed(), batch.events.len(), brought.failed.len());
        Ok(brought)
    }

    async fn apply_some(
        &self,
        tenant: TenantId,
        batch: &Batch,
        projections: &[&'static dyn Projection],
    ) -> Result<Brought, ProjectionError> {
        let mut brought = Brought::nothing(batch.after);
        let went = joint::apply(self, tenant, batch, projections).await?;
        brought.to = batch.to();
        brought.together = went.iter().all(|went| *went == Went::To);
        for (projection, went) in projections.iter().zip(went) {
            match went {
                Went::To | Went::Elsewhere => brought.moved = true,
                Went::Busy => brought.busy = true,
                Went::Apart => match projection.apply(self, tenant, batch).await {
                    Ok(Ran::To(_) | Ran::Elsewhere(_) | Ran::Outdated) => brought.moved = true,
                    Ok(Ran::Busy) => brought.busy = true,
                    Err(error) => brought.failed.push((projection.name(), error)),
                },
            }
        }
        Ok(brought)
    }
}

/// A batch in the traces, with who asked for its last event and by which request.
fn span(tenant: TenantId, batch: &Batch, read_models: usize) -> tracing::Span {
    let last = batch.last_known();
    tracing::info_span!(
        "project",
        %tenant,
        after = batch.after.0,
        to = batch.to().0,
        read_models,
        request = last.and_then(|event| event.meta.request_id.as_deref()),
        role = last.and_then(|event| event.meta.actor_role.as_deref()),
    )
}
