//! How far each read model of a tenant has come, and which generation of its rows is whose.
//!
//! A program reads and moves the generation that its own version of the fold made: the live one where that is it, else
//! the newest retired one of its version. So while programs of two versions run side by side each goes on with rows that
//! it can read, and whoever goes back to the older finds them. Where there is none of its version, it is given the live
//! one, to see that it is another's.

mod standing;

use domain::envelope::Position;
use domain::ids::TenantId;
use sqlx::PgConnection;

use super::projection::Projection;

pub(crate) use standing::{Standing, standing};

/// The checkpoint of a generation.
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

impl Of {
    /// A registered read model of a tenant.
    pub(crate) fn registered(tenant: TenantId, projection: &dyn Projection) -> Self {
        Self {
            tenant,
            projection: projection.name(),
            fold_version: projection.fold_version(),
        }
    }
}

/// Whether to wait for whoever holds a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lock {
    /// Leave it to them.
    Skip,
    /// Wait until they are done.
    Wait,
}

/// Locks the fold's checkpoint until the transaction ends, and makes it where the read model has none; nothing when
/// somebody else holds it.
pub(crate) async fn take(
    connection: &mut PgConnection,
    of: Of,
    lock: Lock,
) -> Result<Option<Checkpoint>, sqlx::Error> {
    if let Some(checkpoint) = lock_mine(connection, of, lock).await? {
        return Ok(Some(checkpoint));
    }
    open(connection, of).await?;
    lock_mine(connection, of, lock).await
}

/// Makes the first checkpoint where there is none.
pub(crate) async fn open(connection: &mut PgConnection, of: Of) -> Result<(), sqlx::Error> {
    open_all(connection, of.tenant, &[(of.projection, of.fold_version)]).await
}

/// Makes the first checkpoints of those read models that have none, in one order for all who do.
pub(crate) async fn open_all(
    connection: &mut PgConnection,
    tenant: TenantId,
    folds: &[(&str, i32)],
) -> Result<(), sqlx::Error> {
    let (names, versions): (Vec<&str>, Vec<i32>) = folds.iter().copied().unzip();
    sqlx::query(
        "insert into projection_checkpoints (tenant_id, projection, generation, position, status, fold_version)
         select $1, opened.projection, 1, 0, 'live', opened.fold_version
         from unnest($2::text[], $3::integer[]) opened (projection, fold_version)
         order by opened.projection
         on conflict do nothing",
    )
    .bind(tenant.0)
    .bind(names)
    .bind(versions)
    .execute(connection)
    .await?;
    Ok(())
}

/// The generations that may be of a fold, of which the first in [`first_of`] is: `$fold` is the version of the fold.
macro_rules! of_fold {
    ($alias:literal, $fold:literal) => {
        concat!(
            "(",
            $alias,
            ".status = 'live' or ",
            $alias,
            ".status = 'retired' and ",
            $alias,
            ".fold_version = ",
            $fold,
            ")"
        )
    };
}

/// The order in which a fold would have its generations.
macro_rules! first_of {
    ($alias:literal, $fold:literal) => {
        concat!(
            "(",
            $alias,
            ".fold_version = ",
            $fold,
            ") desc, (",
            $alias,
            ".status = 'live') desc, ",
            $alias,
            ".generation desc"
        )
    };
}

use {first_of, of_fold};

macro_rules! lock_mine {
    ($lock:literal) => {
        concat!(
            "select generation, position, fold_version, stopped from projection_checkpoints
             where tenant_id = $1 and projection = $2 and status in ('live', 'retired') and generation = (
                 select m.generation from projection_checkpoints m
                 where m.tenant_id = $1 and m.projection = $2 and ",
            of_fold!("m", "$3"),
            " order by ",
            first_of!("m", "$3"),
            " limit 1) ",
            $lock
        )
    };
}

type CheckpointRow = (i32, i64, i32, Option<String>);

fn checkpoint((generation, position, fold_version, stopped): CheckpointRow) -> Checkpoint {
    Checkpoint {
        generation,
        position: Position(position),
        fold_version,
        stopped,
    }
}

async fn lock_mine(
    connection: &mut PgConnection,
    of: Of,
    lock: Lock,
) -> Result<Option<Checkpoint>, sqlx::Error> {
    let sql = match lock {
        Lock::Skip => lock_mine!("for update skip locked"),
        Lock::Wait => lock_mine!("for update"),
    };
    let row: Option<CheckpointRow> = sqlx::query_as(sql)
        .bind(of.tenant.0)
        .bind(of.projection)
        .bind(of.fold_version)
        .fetch_optional(connection)
        .await?;
    Ok(row.map(checkpoint))
}

/// The checkpoints of several read models of a tenant, each the one that [`take`] would take, without a lock; those that
/// have none are left out.
pub(crate) async fn mine(
    connection: &mut PgConnection,
    tenant: TenantId,
    folds: &[(&'static str, i32)],
) -> Result<Vec<(String, Checkpoint)>, sqlx::Error> {
    let (names, versions): (Vec<&str>, Vec<i32>) = folds.iter().copied().unzip();
    let rows: Vec<(String, i32, i64, i32, Option<String>)> = sqlx::query_as(concat!(
        "select distinct on (m.projection) m.projection, m.generation, m.position, m.fold_version, m.stopped
         from projection_checkpoints m join unnest($2::text[], $3::integer[]) fold(projection, version)
             on fold.projection = m.projection
         where m.tenant_id = $1 and ",
        of_fold!("m", "fold.version"),
        " order by m.projection, ",
        first_of!("m", "fold.version"),
    ))
    .bind(tenant.0)
    .bind(names)
    .bind(versions)
    .fetch_all(connection)
    .await?;
    let named = |(name, generation, position, fold_version, stopped)| {
        (name, checkpoint((generation, position, fold_version, stopped)))
    };
    Ok(rows.into_iter().map(named).collect())
}

/// The generation of a status, whichever version of the fold made it; there is one of each at most.
macro_rules! of_status {
    ($lock:literal) => {
        concat!(
            "select generation, position, fold_version, stopped from projection_checkpoints
             where tenant_id = $1 and projection = $2 and status = $3",
            $lock
        )
    };
}

/// Locks the live checkpoint, whichever version of the fold made it, waiting for whoever holds it.
pub(crate) async fn lock_live(
    connection: &mut PgConnection,
    of: Of,
) -> Result<Option<Checkpoint>, sqlx::Error> {
    fetch(connection, of, "live", of_status!(" for update")).await
}

/// The live checkpoint, whichever version of the fold made it.
pub(crate) async fn live(connection: &mut PgConnection, of: Of) -> Result<Option<Checkpoint>, sqlx::Error> {
    fetch(connection, of, "live", of_status!("")).await
}

/// The generation that is being built, or was when its builder was cut off.
pub(crate) async fn building(
    connection: &mut PgConnection,
    of: Of,
) -> Result<Option<Checkpoint>, sqlx::Error> {
    fetch(connection, of, "building", of_status!("")).await
}

/// The generation that answered before the live one, whichever version of the fold made it.
pub(crate) async fn retired(
    connection: &mut PgConnection,
    of: Of,
) -> Result<Option<Checkpoint>, sqlx::Error> {
    fetch(connection, of, "retired", of_status!("")).await
}

async fn fetch(
    connection: &mut PgConnection,
    of: Of,
    status: &'static str,
    sql: &'static str,
) -> Result<Option<Checkpoint>, sqlx::Error> {
    let row: Option<CheckpointRow> = sqlx::query_as(sql)
        .bind(of.tenant.0)
        .bind(of.projection)
        .bind(status)
        .fetch_optional(connection)
        .await?;
    Ok(row.map(checkpoint))
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
