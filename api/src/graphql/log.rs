//! The log itself, and the read models that follow it.

use async_graphql::{Context, Object, Result, SimpleObject};
use domain::access::Permission;
use projections::ReadError;

use super::error::{fault, unread};
use super::scalar::{BigInt, LogPosition};
use super::session::{app, viewer};

/// The organisation's log.
#[derive(SimpleObject)]
pub(super) struct LogInfo {
    /// Position of its last event.
    position: LogPosition,
    /// Hash of its last block, hexadecimal: it covers every event before.
    head_hash: String,
    /// The newest head that was signed on schedule, as the JSON of its file: to be kept elsewhere. None before the first.
    signed_head: Option<String>,
    /// How many events there are.
    events: BigInt,
}

/// Where a read model stands.
#[derive(SimpleObject)]
pub(super) struct ProjectionStatus {
    /// Name.
    name: String,
    /// How often it was built anew, counted from 1.
    generation: i32,
    /// The last position that it includes.
    position: LogPosition,
    /// How many events the log is ahead.
    lag_events: i32,
    /// For how long, in milliseconds.
    lag_ms: i32,
    /// How many rows wait behind an event that cannot be applied.
    parked_keys: i32,
    /// `live`, or why it does not go on, or that its rows are not what the log gives.
    state: String,
}

/// Questions about the log.
#[derive(Default)]
pub(super) struct LogQuery;

#[Object]
impl LogQuery {
    /// The organisation's log. Needs audit:read.
    async fn log(&self, ctx: &Context<'_>) -> Result<LogInfo> {
        let viewer = viewer(ctx)?;
        viewer
            .require(Permission::AuditRead)
            .map_err(|error| unread(ReadError::Forbidden(error)))?;
        let head = app(ctx)
            .log
            .head(viewer.tenant)
            .await
            .map_err(|error| fault("UNAVAILABLE", &error))?;
        let signed = app(ctx)
            .log
            .last_signed_head(viewer.tenant)
            .await
            .map_err(|error| fault("UNAVAILABLE", &error))?;
        let hash = head.block_hash.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(LogInfo {
            position: head.position.into(),
            head_hash: hash,
            signed_head: signed.map(|head| head.to_json()),
            events: BigInt(head.position.0),
        })
    }

    /// Where each read model stands. Needs projection:read.
    async fn projections(&self, ctx: &Context<'_>) -> Result<Vec<ProjectionStatus>> {
        let all = app(ctx).views.status_for(viewer(ctx)?).await.map_err(unread)?;
        let clamp = |value: i64| i32::try_from(value).unwrap_or(i32::MAX);
        let shown = |status: projections::ProjectionStatus| ProjectionStatus {
            name: status.name.to_owned(),
            generation: status.generation,
            position: status.position.into(),
            lag_events: clamp(status.lag_events),
            lag_ms: clamp(status.lag_ms),
            parked_keys: clamp(status.parked_keys),
            state: status.state.to_string(),
        };
        Ok(all.into_iter().map(shown).collect())
    }
}
