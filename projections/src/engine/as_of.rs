//! The third runner: fold up to a position in memory, answer, throw away.

use chrono::{DateTime, Utc};
use domain::envelope::Position;
use domain::ids::TenantId;
use futures::{TryStreamExt, pin_mut};

use super::error::{ProjectionError, ReadError};
use super::fold::{Fold, Rows};
use super::history;
use super::models::ReadModels;
use super::read::{Answer, ReadInfo};

/// The rows as they were right after a position.
pub(crate) async fn fold<F: Fold>(
    models: &ReadModels,
    tenant: TenantId,
    position: Position,
) -> Result<Answer<Rows<F>>, ReadError> {
    let head = models.log().head(tenant).await?;
    if position > head.position {
        return Err(ReadError::AsOfInFuture {
            asked: position,
            head: head.position,
        });
    }
    let mut rows = Rows::<F>::default();
    let events = history::stream::<F>(models, tenant, Position::START, position).await;
    let events = events.map_err(unreadable)?;
    pin_mut!(events);
    while let Some(event) = events.try_next().await.map_err(unreadable)? {
        rows.apply(&event);
    }
    Ok(Answer {
        value: rows,
        info: ReadInfo {
            position,
            recorded_at: recorded_at(models, tenant, position).await?,
            lag_events: 0,
            lag_ms: 0,
            stale: false,
            incomplete: false,
        },
    })
}

async fn recorded_at(
    models: &ReadModels,
    tenant: TenantId,
    position: Position,
) -> Result<Option<DateTime<Utc>>, ReadError> {
    if position <= Position::START {
        return Ok(None);
    }
    let last = models
        .log()
        .read(tenant, Position(position.0 - 1), 1, None)
        .await?;
    Ok(last.first().map(|event| event.recorded_at))
}

fn unreadable(error: ProjectionError) -> ReadError {
    match error {
        ProjectionError::Log(error) => ReadError::Log(error),
        ProjectionError::Read(error) => error,
        stopped @ (ProjectionError::Stopped { .. }
        | ProjectionError::Unknown(_)
        | ProjectionError::NewerFold { .. }
        | ProjectionError::Busy { .. }) => ReadError::Unreadable {
            table: "events",
            reason: stopped.to_string(),
        },
    }
}
