//! One company's turn: some batches for the read models that are behind, in the order of how far.

use std::time::Duration;

use domain::envelope::Position;
use domain::ids::TenantId;
use event_log::LogError;
use tokio::sync::watch;
use tokio::time::Instant;

use super::bring::{Bounds, slice};
use super::companies::{Ended, Standing, Turn};
use super::{LEAVE_ALONE, POLL_LAST};
use crate::engine::error::ProjectionError;
use crate::engine::history::Batch;
use crate::engine::models::ReadModels;
use crate::engine::progress::Unwatched;
use crate::engine::projection::Projection;
use crate::engine::registry::registry;
use crate::engine::runner::Ran;

/// How soon to look again at what another worker is at.
const BUSY: Duration = Duration::from_millis(250);
/// The shortest wait of [`ReadModels::catch_up`] for another worker.
const BUSY_FIRST: Duration = Duration::from_millis(20);
/// How long catching up waits for another worker that is at the same read model.
const CATCH_UP_PATIENCE: Duration = Duration::from_secs(60);

impl ReadModels {
    /// Brings a company's read models forward, for a while.
    pub(super) async fn turn(&self, turn: Turn, stop: watch::Receiver<bool>) -> Ended {
        let (tenant, head) = (turn.tenant, turn.head);
        let mut standing = turn.standing;
        let now = Instant::now();
        standing.left_alone.retain(|(_, until)| *until > now);
        match self.bring_company(tenant, head, &mut standing, &stop).await {
            Ok(ended) => ended,
            Err(error) => {
                let is_passing = matches!(&error, ProjectionError::Log(LogError::Unavailable { .. }));
                let wait = if is_passing {
                    tracing::warn!(%tenant, %error, "the read models cannot follow");
                    POLL_LAST
                } else {
                    tracing::error!(%tenant, %error, "the read models cannot follow");
                    LEAVE_ALONE
                };
                standing.together_at = None;
                Ended {
                    standing,
                    looked_to: head,
                    moved: false,
                    more: false,
                    again: Some(Instant::now() + wait),
                    outdated: Vec::new(),
                }
            }
        }
    }

    async fn bring_company(
        &self,
        tenant: TenantId,
        mut head: Position,
        standing: &mut Standing,
        stop: &watch::Receiver<bool>,
    ) -> Result<Ended, ProjectionError> {
        let ended = |standing: &mut Standing, looked_to, moved, more, busy: bool| Ended {
            looked_to,
            moved,
            more,
            again: next_look(standing, busy),
            standing: std::mem::take(standing),
            outdated: Vec::new(),
        };
        let mut moved = false;
        if let Some(after) = standing.together_at.take()
            && after < head
            && standing.left_alone.is_empty()
        {
            let bounds = slice(stop);
            let brought = self.bring(tenant, (after, head), registry(), &bounds).await?;
            moved = brought.moved;
            if brought.together && brought.to >= head {
                standing.together_at = Some(brought.to);
                return Ok(ended(standing, brought.to, moved, false, false));
            }
        }
        let mut look = self.look(tenant).await?;
        head = head.max(look.head);
        let was_left = |name: &str| standing.left_alone.iter().any(|(left, _)| *left == name);
        for (_, projections) in &mut look.groups {
            projections.retain(|projection| !was_left(projection.name()));
        }
        look.groups.retain(|(_, projections)| !projections.is_empty());
        let outdated: Vec<&'static str> = look.outdated.iter().map(|projection| projection.name()).collect();
        if look.groups.is_empty() {
            let all = standing.left_alone.is_empty() && outdated.is_empty();
            standing.together_at = all.then_some(look.head);
            return Ok(Ended {
                outdated,
                ..ended(standing, look.head, moved, false, false)
            });
        }
        let (mut busy, mut went_on) = (false, false);
        for (group, (after, projections)) in look.groups.iter().enumerate() {
            let until = look.until(group);
            let brought = self
                .bring(tenant, (*after, until), projections, &slice(stop))
                .await?;
            // What was put aside now makes room for the others.
            went_on |= brought.moved || !brought.failed.is_empty();
            busy |= brought.busy;
            leave_alone(tenant, standing, brought.failed);
            if look.groups.len() == 1 && look.outdated.is_empty() && brought.together {
                standing.together_at = standing.left_alone.is_empty().then_some(brought.to);
                if brought.to >= head {
                    return Ok(ended(standing, brought.to, true, false, false));
                }
            }
        }
        moved |= went_on;
        // What stands still, because somebody else is at it or the log does not give it, is looked at a little later.
        Ok(Ended {
            outdated,
            ..ended(standing, head, moved, went_on, busy || !went_on)
        })
    }

    /// Builds anew what another fold has made.
    pub(super) async fn build(
        &self,
        tenant: TenantId,
        projection: &'static dyn Projection,
    ) -> Result<Built, ProjectionError> {
        // It may have been done by another worker meanwhile.
        let nothing = Batch::of(Position::START, Vec::new());
        match projection.apply(self, tenant, &nothing).await? {
            Ran::Outdated => {
                tracing::info!(%tenant, projection = projection.name(), "built anew for a new fold");
                projection.rebuild(self, tenant, &Unwatched).await?;
                Ok(Built::Done)
            }
            Ran::To(_) | Ran::Elsewhere(_) => Ok(Built::Done),
            Ran::Busy => Ok(Built::Busy),
        }
    }

    /// Brings every read model of a company to where its log ends now.
    ///
    /// # Errors
    /// [`ProjectionError`] of the first that cannot go on; the others may not have come to the end then.
    pub async fn catch_up(&self, tenant: TenantId) -> Result<Position, ProjectionError> {
        let head = self.log().head(tenant).await?.position;
        let deadline = Instant::now() + CATCH_UP_PATIENCE;
        loop {
            let look = self.look(tenant).await?;
            let mut busy = None;
            if let Some(projection) = look.outdated.first() {
                match self.build(tenant, *projection).await? {
                    Built::Done => continue,
                    Built::Busy => busy = Some(projection.name()),
                }
            } else {
                let Some((after, projections)) = look.groups.first().filter(|(after, _)| *after < head)
                else {
                    return Ok(head);
                };
                let bounds = Bounds {
                    deadline: None,
                    stop: None,
                };
                let brought = self
                    .bring(tenant, (*after, look.until(0)), projections, &bounds)
                    .await?;
                if let Some((_, error)) = brought.failed.into_iter().next() {
                    return Err(error);
                }
                if !brought.moved {
                    busy = projections.first().map(|projection| projection.name());
                }
            }
            match busy {
                Some(projection) if Instant::now() >= deadline => {
                    let waited = CATCH_UP_PATIENCE;
                    return Err(ProjectionError::Busy { projection, waited });
                }
                Some(_) => tokio::time::sleep(BUSY_FIRST).await,
                None => {}
            }
        }
    }
}

/// What came of building anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Built {
    /// It is as this program's fold makes it.
    Done,
    /// Another worker is at it.
    Busy,
}

/// When to look again although nothing is appended.
fn next_look(standing: &Standing, busy: bool) -> Option<Instant> {
    let busy = busy.then(|| Instant::now() + BUSY);
    let left_alone = standing.left_alone.iter().map(|(_, until)| *until);
    left_alone.chain(busy).min()
}

fn leave_alone(tenant: TenantId, standing: &mut Standing, failed: Vec<(&'static str, ProjectionError)>) {
    for (projection, error) in failed {
        tracing::error!(%tenant, projection, %error, "a read model cannot go on");
        standing
            .left_alone
            .push((projection, Instant::now() + LEAVE_ALONE));
    }
}
