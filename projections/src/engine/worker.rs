//! Following the log: at once when this process appends, by polling when another does.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use domain::envelope::Position;
use domain::ids::TenantId;
use futures::{StreamExt, stream};
use tokio::sync::{broadcast, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::error::ProjectionError;
use super::history::Batch;
use super::models::ReadModels;
use super::progress::Unwatched;
use super::registry::{Projection, registry};
use super::runner::Ran;

/// Events in one transaction at most.
const BATCH: u32 = 500;
/// Projections of a company that are brought forward at the same time, each with a connection.
const AT_ONCE: usize = 4;
/// The first wait for events of other processes; it doubles while none come.
const POLL_FIRST: Duration = Duration::from_millis(50);
/// The longest wait.
const POLL_LAST: Duration = Duration::from_secs(1);
/// How long a projection that cannot go on is left alone.
const LEAVE_ALONE: Duration = Duration::from_secs(30);
/// How long catching up waits for another worker that is at the same read model.
const CATCH_UP_PATIENCE: Duration = Duration::from_secs(60);

/// A task that brings the read models of every company forward.
#[derive(Debug)]
pub struct Worker {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Worker {
    /// Starts following, in the runtime that this is called in.
    pub fn start(models: ReadModels) -> Self {
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(models.follow_until(stopped));
        Self { stop, task }
    }

    /// Finishes the transactions at hand and ends.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the worker of the read models did not end well");
        }
    }
}

/// Projections that cannot go on, and until when they are left alone.
#[derive(Default)]
struct LeftAlone(HashMap<(TenantId, &'static str), Instant>);

impl LeftAlone {
    fn is_due(&self, tenant: TenantId, name: &'static str) -> bool {
        self.0
            .get(&(tenant, name))
            .is_none_or(|until| *until <= Instant::now())
    }
}

impl ReadModels {
    /// Brings the read models of every company forward until told to stop, or until nobody can tell.
    pub async fn follow_until(self, mut stop: watch::Receiver<bool>) {
        let mut appended = self.log().appended();
        let mut left_alone = LeftAlone::default();
        let mut wait = POLL_FIRST;
        while !*stop.borrow() {
            let moved = self.pass(&mut left_alone, &stop).await;
            if moved {
                wait = POLL_FIRST;
                continue;
            }
            tokio::select! {
                stopped = stop.changed() => if stopped.is_err() { return },
                word = appended.recv() => match word {
                    // Whatever was missed, the next pass looks at every company.
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {
                        appended = appended.resubscribe();
                        wait = POLL_FIRST;
                    }
                    Err(broadcast::error::RecvError::Closed) => tokio::time::sleep(wait).await,
                },
                () = tokio::time::sleep(wait) => wait = (wait * 2).min(POLL_LAST),
            }
        }
    }

    /// One batch for each read model that is behind; whether any moved.
    async fn pass(&self, left_alone: &mut LeftAlone, stop: &watch::Receiver<bool>) -> bool {
        let companies = match self.database().organisations().await {
            Ok(companies) => companies,
            Err(error) => {
                tracing::warn!(%error, "the read models cannot see the companies");
                return false;
            }
        };
        let mut moved = false;
        for company in companies {
            if *stop.borrow() {
                break;
            }
            match self.step(company.tenant, left_alone).await {
                Ok(stepped) => moved |= stepped,
                Err(error) => {
                    tracing::warn!(tenant = %company.tenant, %error, "the read models cannot follow")
                }
            }
        }
        moved
    }

    /// One batch for each read model of a company that is behind; whether any moved.
    async fn step(&self, tenant: TenantId, left_alone: &mut LeftAlone) -> Result<bool, ProjectionError> {
        let behind = self.behind(tenant).await?;
        let mut moved = false;
        for (after, projections) in behind {
            let due = projections
                .into_iter()
                .filter(|projection| left_alone.is_due(tenant, projection.name()));
            let due: Vec<&'static dyn Projection> = due.collect();
            if due.is_empty() {
                continue;
            }
            let batch = Batch::read(self, tenant, after, BATCH).await?;
            let batch = &batch;
            let runs: Vec<_> = due
                .into_iter()
                .map(|projection| self.bring_named(tenant, projection, batch))
                .collect();
            let results: Vec<_> = stream::iter(runs).buffer_unordered(AT_ONCE).collect().await;
            for (projection, result) in results {
                match result {
                    Ok(Ran::To(_) | Ran::Elsewhere(_)) => moved = true,
                    Ok(Ran::Busy | Ran::Outdated) => {}
                    Err(error) => {
                        tracing::error!(%tenant, projection, %error, "a read model cannot go on");
                        left_alone
                            .0
                            .insert((tenant, projection), Instant::now() + LEAVE_ALONE);
                    }
                }
            }
        }
        Ok(moved)
    }

    async fn bring_named(
        &self,
        tenant: TenantId,
        projection: &'static dyn Projection,
        batch: &Batch,
    ) -> (&'static str, Result<Ran, ProjectionError>) {
        (projection.name(), self.bring(tenant, projection, batch).await)
    }

    /// Applies a batch, or builds anew what an older fold has made.
    async fn bring(
        &self,
        tenant: TenantId,
        projection: &'static dyn Projection,
        batch: &Batch,
    ) -> Result<Ran, ProjectionError> {
        match projection.apply(self, tenant, batch).await? {
            Ran::Outdated => {
                tracing::info!(%tenant, projection = projection.name(), "built anew for a new fold");
                let rebuilt = projection.rebuild(self, tenant, &Unwatched).await?;
                Ok(Ran::To(rebuilt.position))
            }
            ran @ (Ran::To(_) | Ran::Elsewhere(_) | Ran::Busy) => Ok(ran),
        }
    }

    /// The read models of a company that are behind its log, by the position that they have come to. What an older
    /// fold has made is all behind.
    async fn behind(
        &self,
        tenant: TenantId,
    ) -> Result<BTreeMap<Position, Vec<&'static dyn Projection>>, ProjectionError> {
        let mut snapshot = self.database().begin_read(tenant).await?;
        let head: Option<i64> = sqlx::query_scalar("select position from log_head where tenant_id = $1")
            .bind(tenant.0)
            .fetch_optional(&mut *snapshot)
            .await?;
        let reached: Vec<(String, i64, i32)> = sqlx::query_as(
            "select projection, position, fold_version from projection_checkpoints
             where tenant_id = $1 and status = 'live'",
        )
        .bind(tenant.0)
        .fetch_all(&mut *snapshot)
        .await?;
        snapshot.commit().await?;
        let reached: HashMap<String, (i64, i32)> = reached
            .into_iter()
            .map(|(name, position, fold_version)| (name, (position, fold_version)))
            .collect();
        let head = head.unwrap_or_default();
        let mut behind: BTreeMap<Position, Vec<&'static dyn Projection>> = BTreeMap::new();
        for projection in registry() {
            let position = match reached.get(projection.name()) {
                Some((position, fold_version)) if *fold_version >= projection.fold_version() => *position,
                Some(_) | None => 0,
            };
            if position < head {
                behind.entry(Position(position)).or_default().push(*projection);
            }
        }
        Ok(behind)
    }

    /// Brings every read model of a company to where its log ends now.
    ///
    /// # Errors
    /// [`ProjectionError`] of the first that cannot go on; the others may not have come to the end then.
    pub async fn catch_up(&self, tenant: TenantId) -> Result<Position, ProjectionError> {
        let head = self.log().head(tenant).await?.position;
        let deadline = Instant::now() + CATCH_UP_PATIENCE;
        loop {
            let behind = self.behind(tenant).await?;
            let Some((after, projections)) = behind.into_iter().find(|(after, _)| *after < head) else {
                return Ok(head);
            };
            let batch = Batch::read(self, tenant, after, BATCH).await?;
            for projection in projections {
                match self.bring(tenant, projection, &batch).await? {
                    Ran::To(_) | Ran::Elsewhere(_) | Ran::Outdated => {}
                    Ran::Busy if Instant::now() >= deadline => {
                        return Err(ProjectionError::Busy {
                            projection: projection.name(),
                            waited: CATCH_UP_PATIENCE,
                        });
                    }
                    Ran::Busy => tokio::time::sleep(POLL_FIRST).await,
                }
            }
        }
    }
}
