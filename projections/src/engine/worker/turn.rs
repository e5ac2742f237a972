//! One company's turn: some batches for the read models that are behind, in the order of how far.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use domain::envelope::Position;
use domain::ids::TenantId;
use event_log::LogError;
use futures::future::join_all;
use futures::{StreamExt, pin_mut};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::companies::{Ended, Standing, Turn};
use super::{LEAVE_ALONE, POLL_LAST};
use crate::engine::checkpoint::{self, Checkpoint};
use crate::engine::error::ProjectionError;
use crate::engine::history::{Batch, beside};
use crate::engine::joint::{self, Went};
use crate::engine::models::ReadModels;
use crate::engine::progress::Unwatched;
use crate::engine::registry::{Projection, registry};
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
/// How long a question to the database may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How soon to look again at what another worker is at.
const BUSY: Duration = Duration::from_millis(250);
/// The shortest wait of [`ReadModels::catch_up`] for another worker.
const BUSY_FIRST: Duration = Duration::from_millis(20);
/// How long catching up waits for another worker that is at the same read model.
const CATCH_UP_PATIENCE: Duration = Duration::from_secs(60);

type Projections = Vec<&'static dyn Projection>;

/// Where the read models of a company stand, and what they are behind.
struct Look {
    head: Position,
    /// Those that are behind, by the position that they have come to, the furthest behind first.
    groups: Vec<(Position, Projections)>,
    /// Those that another fold has made.
    outdated: Projections,
}

impl Look {
    /// How far the read models of a group go until they meet the next, or the end of the log.
    fn until(&self, group: usize) -> Position {
        self.groups
            .get(group + 1)
            .map_or(self.head, |(position, _)| *position)
    }
}

/// What came of some batches for the read models of one position.
struct Brought {
    /// As far as those came that went together.
    to: Position,
    /// Whether all of them did.
    together: bool,
    moved: bool,
    busy: bool,
    /// Those that could not go on, and why.
    failed: Vec<(&'static str, ProjectionError)>,
}

/// When a turn has had enough.
struct Bounds<'a> {
    deadline: Option<Instant>,
    stop: Option<&'a watch::Receiver<bool>>,
}

impl Bounds<'_> {
    fn reached(&self) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= Instant::now())
            || self.stop.is_some_and(|stop| *stop.borrow())
    }
}

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

    /// Where the read models of a company stand.
    async fn look(&self, tenant: TenantId) -> Result<Look, ProjectionError> {
        let look = timeout(PATIENCE, self.look_at(tenant)).await;
        look.unwrap_or(Err(ProjectionError::Log(LogError::Unavailable {
            retry_after: PATIENCE,
        })))
    }

    async fn look_at(&self, tenant: TenantId) -> Result<Look, ProjectionError> {
        let folds: Vec<(&'static str, i32)> = registry()
            .iter()
            .map(|projection| (projection.name(), projection.fold_version()))
            .collect();
        let mut snapshot = self.database().begin_read(tenant).await?;
        let head: Option<i64> = sqlx::query_scalar("select position from log_head where tenant_id = $1")
            .bind(tenant.0)
            .fetch_optional(&mut *snapshot)
            .await?;
        let mine = checkpoint::mine(&mut snapshot, tenant, &folds).await?;
        snapshot.commit().await?;
        let head = Position(head.unwrap_or_default());
        let mine: HashMap<String, Checkpoint> = mine.into_iter().collect();
        let mut groups: BTreeMap<Position, Projections> = BTreeMap::new();
        let mut outdated = Vec::new();
        for projection in registry() {
            let stands = mine.get(projection.name());
            let version = stands.map_or(projection.fold_version(), |stands| stands.fold_version);
            let position = stands.map_or(Position::START, |stands| stands.position);
            if version != projection.fold_version() {
                outdated.push(*projection);
            } else if position < head {
                groups.entry(position).or_default().push(*projection);
            }
        }
        Ok(Look {
            head,
            groups: groups.into_iter().collect(),
            outdated,
        })
    }

    /// Applies the events of `(after, until]` to read models that all stand at `after`, until the turn is over.
    async fn bring(
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
        let mut brought = Brought::nothing(batch.after);
        if batch.to() == batch.after || projections.is_empty() {
            brought.to = batch.to();
            return Ok(brought);
        }
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

fn slice(stop: &watch::Receiver<bool>) -> Bounds<'_> {
    Bounds {
        deadline: Some(Instant::now() + SLICE),
        stop: Some(stop),
    }
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
