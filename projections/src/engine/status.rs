//! Where each read model of a company stands.

use std::fmt;
use std::time::Duration;

use domain::access::{Permission, Viewer};
use domain::envelope::Position;
use domain::ids::TenantId;
use tokio::time::Instant;

use super::check;
use super::checkpoint::{self, Of, Standing};
use super::error::{ProjectionError, ReadError};
use super::models::ReadModels;
use super::parked_table;
use super::projection::Projection;
use super::registry::registry;
use super::table::Generation;

/// Where a read model stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectionStatus {
    /// Its name.
    pub name: &'static str,
    /// The generation of rows that answers.
    pub generation: i32,
    /// The last position that they hold.
    pub position: Position,
    /// Events in the log that they do not hold yet.
    pub lag_events: i64,
    /// How long the oldest of those has waited, in milliseconds.
    pub lag_ms: i64,
    /// Keys, and streams that do not tell theirs, that wait behind an event that cannot be applied.
    pub parked_keys: i64,
    /// Whether it goes on, and is right as far as is known.
    pub state: ProjectionState,
}

/// Whether a read model goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProjectionState {
    /// It follows the log.
    Live,
    /// Its rows are not what the log gives.
    Drift {
        /// How many rows are known to differ.
        rows: i64,
    },
    /// It goes no further.
    Stopped {
        /// What cannot be applied, and why.
        reason: String,
    },
    /// Its rows were made by another version of its fold than this program's.
    OtherFold {
        /// The version that made them.
        stored: i32,
        /// This program's.
        ours: i32,
    },
}

impl fmt::Display for ProjectionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Live => f.write_str("live"),
            Self::Drift { rows } => write!(f, "drift: {rows} rows are not what the log gives"),
            Self::Stopped { reason } => write!(f, "stopped: {reason}"),
            Self::OtherFold { stored, ours } => {
                write!(f, "built by fold version {stored}, now {ours}: rebuild")
            }
        }
    }
}

/// Whether a read model came to a position in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waited {
    /// It holds the position.
    Reached,
    /// It has only come here.
    Stale(Position),
}

/// How long to sleep between looks at a checkpoint that another process moves.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

impl ReadModels {
    /// Where each read model of a company stands, for whoever operates the program.
    ///
    /// # Errors
    /// [`ReadError::Log`] when the database does not answer.
    pub async fn status(&self, tenant: TenantId) -> Result<Vec<ProjectionStatus>, ReadError> {
        let mut snapshot = self.database().begin_read(tenant).await?;
        let drift = check::drift(&mut snapshot, tenant).await?;
        let mut all = Vec::new();
        for projection in registry() {
            let standing = checkpoint::standing(&mut snapshot, Of::registered(tenant, *projection)).await?;
            let of = Generation {
                tenant,
                number: standing.generation(),
            };
            let parked = if standing.has_parked {
                parked_table::count(&mut snapshot, projection.name(), of).await?
            } else {
                0
            };
            let drifted = drift.get(&(projection.name().to_owned(), of.number)).copied();
            all.push(status(*projection, &standing, parked, drifted));
        }
        snapshot.commit().await?;
        Ok(all)
    }

    /// Where each read model of the viewer's company stands.
    ///
    /// # Errors
    /// [`ReadError::Forbidden`] when the viewer may not see that, [`ReadError::Log`] when the database does
    /// not answer.
    pub async fn status_for(&self, viewer: &Viewer) -> Result<Vec<ProjectionStatus>, ReadError> {
        viewer.require(Permission::ProjectionRead)?;
        self.status(viewer.tenant).await
    }

    /// Waits until a read model holds a position, but not longer than so long.
    ///
    /// # Errors
    /// [`ProjectionError::Unknown`] when there is no such projection, [`ProjectionError::Log`] when the
    /// database does not answer.
    pub async fn wait_for(
        &self,
        tenant: TenantId,
        projection: &str,
        position: Position,
        wait: Duration,
    ) -> Result<Waited, ProjectionError> {
        let projection = super::registry::projection(projection)?;
        let deadline = Instant::now() + wait;
        loop {
            let mut moved = self.moved(tenant);
            let mut snapshot = self.database().begin_read(tenant).await?;
            let reached = checkpoint::standing(&mut snapshot, Of::registered(tenant, projection))
                .await?
                .position_of(projection.fold_version());
            snapshot.commit().await?;
            if reached >= position {
                return Ok(Waited::Reached);
            }
            let now = Instant::now();
            if now >= deadline {
                return Ok(Waited::Stale(reached));
            }
            // Moved by this process, or perhaps by another: then it is time to look again.
            let _ = tokio::time::timeout_at((now + LOOK_AGAIN).min(deadline), moved.changed()).await;
        }
    }
}

fn status(
    projection: &dyn Projection,
    standing: &Standing,
    parked_keys: i64,
    drifted: Option<i64>,
) -> ProjectionStatus {
    let ours = projection.fold_version();
    let state = match &standing.checkpoint {
        Some(live) if live.fold_version != ours => ProjectionState::OtherFold {
            stored: live.fold_version,
            ours,
        },
        Some(live) => match (&live.stopped, drifted) {
            (Some(reason), _) => ProjectionState::Stopped {
                reason: reason.clone(),
            },
            (None, Some(rows)) => ProjectionState::Drift { rows },
            (None, None) => ProjectionState::Live,
        },
        None => ProjectionState::Live,
    };
    ProjectionStatus {
        name: projection.name(),
        generation: standing.generation(),
        position: standing.position(),
        lag_events: standing.lag_events(),
        lag_ms: standing.lag_ms,
        parked_keys,
        state,
    }
}
