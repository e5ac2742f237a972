//! Where the read models of a company stand, against its log.

use std::collections::{BTreeMap, HashMap};

use domain::envelope::Position;
use domain::ids::TenantId;
use event_log::LogError;
use tokio::time::timeout;

use super::PATIENCE;
use crate::engine::checkpoint::{self, Checkpoint};
use crate::engine::error::ProjectionError;
use crate::engine::models::ReadModels;
use crate::engine::projection::Projection;
use crate::engine::registry::registry;

pub(super) type Projections = Vec<&'static dyn Projection>;

/// Where the read models of a company stand, and what they are behind.
pub(super) struct Look {
    pub(super) head: Position,
    /// Those that are behind, by the position that they have come to, the furthest behind first.
    pub(super) groups: Vec<(Position, Projections)>,
    /// Those that another fold has made.
    pub(super) outdated: Projections,
}

impl Look {
    /// How far the read models of a group go until they meet the next, or the end of the log.
    pub(super) fn until(&self, group: usize) -> Position {
        self.groups
            .get(group + 1)
            .map_or(self.head, |(position, _)| *position)
    }
}

impl ReadModels {
    /// Where the read models of a company stand.
    pub(super) async fn look(&self, tenant: TenantId) -> Result<Look, ProjectionError> {
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
}
