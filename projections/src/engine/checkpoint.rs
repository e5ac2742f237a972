//! How far each read model of a tenant has come, and which generation of its rows is live.

use chrono::{DateTime, Utc};
use domain::envelope::Position;
use domain::ids::TenantId;
use sqlx::PgConnection;

/// The checkpoint of a live generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    pub(crate) generation: i32,
    /// Last position that its rows hold.
    pub(crate) position: Position,
    /// Version of the fold that made its rows.
    pub(crate) fold_version: i32,
    /// Why it stands still, where it does.
    pub(crate) stopped: Option<String>,
}

/// A read model of a tenant: what a checkpoint is of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Of {
    pub(crate) tenant: TenantId,
    pub(crate) projection: &'static str,
    /// Version of the fold in this program.
    pub(crate) fold_version: i32,
}

/// Whether to wait for whoever holds a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lock {
    /// Leave it to them.
    Skip,
    /// Wait until they are done.
    Wait,
}

/// Locks the live checkpoint until the transaction ends, and makes it where there is none; nothing when
/// somebody else holds it.
pub(crate) async fn take(
    connection: &mut PgConnection,
    of: Of,
    lock: Lock,
) -> Result<Option<Checkpoint>, sqlx::Error> {
    if let Some(checkpoint) = lock_live(connection, of, lock).await? {
        return Ok(Some(checkpoint));
    }
    open(connection, of).await?;
    lock_live(connection, of, lock).await
}

/// Makes the first checkpoint where there is none.
async fn open(connection: &mut PgConnection, of: Of) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into projection_checkpoints (tenant_id, projection, generation, position, status, fold_version)
         values ($1, $2, 1, 0, 'live', $3) on conflict do nothing",
    )
    .bind(of.tenant.0)
    .bind(of.projection)
    .bind(of.fold_version)
    .execute(connection)
    .await?;
    Ok(())
}

async fn lock_live(
    connection: &mut PgConnection,
    of: Of,
    lock: Lock,
) -> Result<Option<Checkpoint>, sqlx::Error> {
    let sql = match lock {
        Lock::Skip => {
            "select generation, position, fold_version, stopped from projection_checkpoints
             where tenant_id = $1 and projection = $2 and status = 'live' for update skip locked"
        }
        Lock::Wait => {
            "select generation, position, fold_version, stopped from projection_checkpoints
             where tenant_id = $1 and projection = $2 and status = 'live' for update"
        }
    };
    let row: Option<(i32, i64, i32, Option<String>)> = sqlx::query_as(sql)
        .bind(of.tenant.0)
        .bind(of.projection)
        .fetch_optional(connection)
        .await?;
    Ok(
        row.map(|(generation, position, fold_version, stopped)| Checkpoint {
            generation,
            position: Position(position),
            fold_version,
            stopped,
        }),
    )
}

/// Moves a checkpoint forward, with the reason where it goes no further.
pub(crate) async fn advance(
    connection: &mut PgConnection,
    of: Of,
    generation: i32,
    to: Position,
    stopped: Option<&str>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update projection_checkpoints set position = $4, stopped = $5, updated_at = clock_timestamp()
         where tenant_id = $1 and projection = $2 and generation = $3",
    )
    .bind(of.tenant.0)
    .bind(of.projection)
    .bind(generation)
    .bind(to.0)
    .bind(stopped)
    .execute(connection)
    .await?;
    Ok(())
}

/// Opens the next generation. Whoever rebuilds the same read model at the same time waits here until
/// this transaction ends.
pub(crate) async fn build(connection: &mut PgConnection, of: Of) -> Result<i32, sqlx::Error> {
    sqlx::query("select pg_advisory_xact_lock(hashtextextended($1::text || $2, 0))")
        .bind(of.tenant.0)
        .bind(of.projection)
        .execute(&mut *connection)
        .await?;
    open(connection, of).await?;
    sqlx::query_scalar(
        "insert into projection_checkpoints (tenant_id, projection, generation, position, status, fold_version)
         select $1, $2, coalesce(max(generation), 0) + 1, 0, 'building', $3
         from projection_checkpoints where tenant_id = $1 and projection = $2
         returning generation",
    )
    .bind(of.tenant.0)
    .bind(of.projection)
    .bind(of.fold_version)
    .fetch_one(connection)
    .await
}

/// Makes a built generation the live one; readers see the one or the other.
pub(crate) async fn swap(
    connection: &mut PgConnection,
    of: Of,
    generation: i32,
    position: Position,
) -> Result<(), sqlx::Error> {
    // Retired first: a partial unique index allows one live generation at every moment.
    sqlx::query(
        "update projection_checkpoints set status = 'retired', updated_at = clock_timestamp()
         where tenant_id = $1 and projection = $2 and status = 'live'",
    )
    .bind(of.tenant.0)
    .bind(of.projection)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "update projection_checkpoints set status = 'live', position = $4, updated_at = clock_timestamp()
         where tenant_id = $1 and projection = $2 and generation = $3",
    )
    .bind(of.tenant.0)
    .bind(of.projection)
    .bind(generation)
    .bind(position.0)
    .execute(connection)
    .await?;
    Ok(())
}

/// Where a read model stands against the log, in one snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The live checkpoint; none before anything was folded.
    pub(crate) checkpoint: Option<Checkpoint>,
    /// When the event at its position was recorded.
    pub(crate) recorded_at: Option<DateTime<Utc>>,
    /// Last position in the log.
    pub(crate) head: Position,
    /// How long the oldest event that is not applied has waited, by the database's clock.
    pub(crate) lag_ms: i64,
}

impl Standing {
    /// Last position that the rows hold.
    pub(crate) fn position(&self) -> Position {
        self.checkpoint
            .as_ref()
            .map_or(Position::START, |checkpoint| checkpoint.position)
    }

    /// Last position that the rows hold as a version of the fold makes them: what an older one made is to be built
    /// anew from the start.
    pub(crate) fn position_of(&self, fold_version: i32) -> Position {
        let of_older = |checkpoint: &Checkpoint| checkpoint.fold_version < fold_version;
        if self.checkpoint.as_ref().is_some_and(of_older) {
            Position::START
        } else {
            self.position()
        }
    }

    /// Events in the log that the rows do not hold.
    pub(crate) fn lag_events(&self) -> i64 {
        self.head.0 - self.position().0
    }

    /// The generation to read.
    pub(crate) fn generation(&self) -> i32 {
        self.checkpoint
            .as_ref()
            .map_or(1, |checkpoint| checkpoint.generation)
    }
}

type StandingRow = (
    i64,
    Option<i32>,
    Option<i64>,
    Option<i32>,
    Option<String>,
    Option<DateTime<Utc>>,
    i64,
);

/// Reads where a read model stands.
pub(crate) async fn standing(
    connection: &mut PgConnection,
    tenant: TenantId,
    projection: &str,
) -> Result<Standing, sqlx::Error> {
    let row: Option<StandingRow> = sqlx::query_as(
        "select h.position, c.generation, c.position, c.fold_version, c.stopped, reached.recorded_at,
                coalesce((extract(epoch from clock_timestamp() - waiting.recorded_at) * 1000)::bigint, 0)
         from log_head h
         left join projection_checkpoints c
             on c.tenant_id = h.tenant_id and c.projection = $2 and c.status = 'live'
         left join lateral (
             select e.recorded_at from events e where e.tenant_id = $1 and e.position = c.position limit 1
         ) reached on true
         left join lateral (
             select e.recorded_at from events e
             where e.tenant_id = $1 and e.position = coalesce(c.position, 0) + 1 limit 1
         ) waiting on true
         where h.tenant_id = $1",
    )
    .bind(tenant.0)
    .bind(projection)
    .fetch_optional(connection)
    .await?;
    let Some((head, generation, position, fold_version, stopped, recorded_at, lag_ms)) = row else {
        return Ok(Standing {
            checkpoint: None,
            recorded_at: None,
            head: Position::START,
            lag_ms: 0,
        });
    };
    let checkpoint =
        generation
            .zip(position)
            .zip(fold_version)
            .map(|((generation, position), fold_version)| Checkpoint {
                generation,
                position: Position(position),
                fold_version,
                stopped,
            });
    Ok(Standing {
        checkpoint,
        recorded_at,
        head: Position(head),
        lag_ms: lag_ms.max(0),
    })
}
