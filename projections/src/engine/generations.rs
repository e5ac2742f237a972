//! The life of a generation: building, live, retired and kept for a rollback, discarded and removed.

use std::time::Duration;

use domain::envelope::Position;
use domain::ids::TenantId;
use event_log::Transaction;
use sqlx::PgConnection;

use super::checkpoint::{self, Of};
use super::error::{GenerationError, ProjectionError};
use super::fold::Row;
use super::models::ReadModels;
use super::table::{self, Generation};

/// How long to wait between two tries for the right to build.
const TRY_AGAIN: Duration = Duration::from_millis(50);
/// Rows of a discarded generation that are deleted in one transaction.
const PIECE: i64 = 20_000;

/// What a generation is to readers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GenerationState {
    /// It is being filled, or was when its builder was cut off, or is held until it is to be swapped in.
    Building,
    /// It answers.
    Live,
    /// It answered before the live one, and does for programs of its own version of the fold.
    Retired,
    /// Nobody reads it, and its rows are being removed.
    Discarded,
}

impl GenerationState {
    fn of(status: &str) -> Option<Self> {
        match status {
            "building" => Some(Self::Building),
            "live" => Some(Self::Live),
            "retired" => Some(Self::Retired),
            "discarded" => Some(Self::Discarded),
            _ => None,
        }
    }
}

/// A generation of a read model's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenerationStatus {
    /// Name of the read model.
    pub projection: String,
    /// Its number; later ones are higher.
    pub generation: i32,
    /// What it is to readers.
    pub state: GenerationState,
    /// The last position that its rows hold.
    pub position: Position,
    /// The last position of the log.
    pub head: Position,
    /// Version of the fold that made its rows.
    pub fold_version: i32,
}

impl ReadModels {
    /// Every generation of a company's read models that there is, by read model and number.
    ///
    /// # Errors
    /// [`ProjectionError::Log`] when the database does not answer.
    pub async fn generations(&self, tenant: TenantId) -> Result<Vec<GenerationStatus>, ProjectionError> {
        let mut snapshot = self.database().begin_read(tenant).await?;
        let rows: Vec<(String, i32, String, i64, i64, i32)> = sqlx::query_as(
            "select c.projection, c.generation, c.status, c.position, h.position, c.fold_version
             from projection_checkpoints c join log_head h on h.tenant_id = c.tenant_id
             where c.tenant_id = $1 order by c.projection, c.generation",
        )
        .bind(tenant.0)
        .fetch_all(&mut *snapshot)
        .await?;
        snapshot.commit().await?;
        let status = |(projection, generation, status, position, head, fold_version): (
            String,
            i32,
            String,
            i64,
            i64,
            i32,
        )| {
            Some(GenerationStatus {
                projection,
                generation,
                state: GenerationState::of(&status)?,
                position: Position(position),
                head: Position(head),
                fold_version,
            })
        };
        Ok(rows.into_iter().filter_map(status).collect())
    }
}

/// The right to build, to swap and to roll back a read model: one program has it at a time, and it is gone with the
/// program's connection. Its transaction writes nothing and is idle, so that it holds nothing else up.
///
/// Whoever builds looks at the checkpoint in every transaction all the same: a right can be lost unnoticed.
pub(crate) struct Right(Transaction);

impl Right {
    /// Takes it, if nobody has it.
    pub(crate) async fn try_take(models: &ReadModels, of: Of) -> Result<Option<Self>, ProjectionError> {
        let mut transaction = models.database().begin(of.tenant).await?;
        let taken: bool =
            sqlx::query_scalar("select pg_try_advisory_xact_lock(hashtextextended($1::text || $2, 0))")
                .bind(of.tenant.0)
                .bind(of.projection)
                .fetch_one(&mut *transaction)
                .await?;
        if taken {
            return Ok(Some(Self(transaction)));
        }
        transaction.rollback().await?;
        Ok(None)
    }

    /// Takes it, once nobody has it.
    pub(crate) async fn take(models: &ReadModels, of: Of) -> Result<Self, ProjectionError> {
        loop {
            if let Some(right) = Self::try_take(models, of).await? {
                return Ok(right);
            }
            tokio::time::sleep(TRY_AGAIN).await;
        }
    }

    /// Gives it back.
    pub(crate) async fn give_back(self) -> Result<(), ProjectionError> {
        Ok(self.0.rollback().await?)
    }
}

/// Opens the next generation; one that is being built is discarded.
pub(crate) async fn begin(connection: &mut PgConnection, of: Of) -> Result<i32, sqlx::Error> {
    checkpoint::open(connection, of).await?;
    sqlx::query(
        "update projection_checkpoints set status = 'discarded', updated_at = clock_timestamp()
         where tenant_id = $1 and projection = $2 and status = 'building'",
    )
    .bind(of.tenant.0)
    .bind(of.projection)
    .execute(&mut *connection)
    .await?;
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

/// Locks a generation that stands where its builder left it.
///
/// # Errors
/// [`GenerationError::Elsewhere`] when somebody else has moved or discarded it.
pub(crate) async fn lock_at(
    connection: &mut PgConnection,
    of: Of,
    generation: i32,
    position: Position,
) -> Result<(), ProjectionError> {
    let stands: Option<i64> = sqlx::query_scalar(
        "select position from projection_checkpoints
         where tenant_id = $1 and projection = $2 and generation = $3 and status <> 'discarded' for update",
    )
    .bind(of.tenant.0)
    .bind(of.projection)
    .bind(generation)
    .fetch_optional(connection)
    .await?;
    if stands == Some(position.0) {
        Ok(())
    } else {
        Err(GenerationError::Elsewhere.of(of.projection))
    }
}

/// Makes a generation the live one; readers see the one or the other. The one that was is retired, and what was
/// retired before is discarded.
pub(crate) async fn make_live(
    connection: &mut PgConnection,
    of: Of,
    generation: i32,
) -> Result<(), sqlx::Error> {
    // One after the other: a partial unique index allows one live generation at every moment.
    for change in [
        "update projection_checkpoints set status = 'discarded', updated_at = clock_timestamp()
         where tenant_id = $1 and projection = $2 and status = 'retired' and generation <> $3",
        "update projection_checkpoints set status = 'retired', updated_at = clock_timestamp()
         where tenant_id = $1 and projection = $2 and status = 'live' and generation <> $3",
        "update projection_checkpoints set status = 'live', updated_at = clock_timestamp()
         where tenant_id = $1 and projection = $2 and generation = $3",
    ] {
        sqlx::query(change)
            .bind(of.tenant.0)
            .bind(of.projection)
            .bind(generation)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Removes the rows of generations that are discarded, a piece at a time: those, too, that somebody was cut off at.
pub(crate) async fn remove_discarded<R: Row>(models: &ReadModels, of: Of) -> Result<(), ProjectionError> {
    let mut snapshot = models.database().begin_read(of.tenant).await?;
    let discarded: Vec<i32> = sqlx::query_scalar(
        "select generation from projection_checkpoints
         where tenant_id = $1 and projection = $2 and status = 'discarded' order by generation",
    )
    .bind(of.tenant.0)
    .bind(of.projection)
    .fetch_all(&mut *snapshot)
    .await?;
    snapshot.commit().await?;
    for generation in discarded {
        remove::<R>(models, of, generation).await?;
    }
    Ok(())
}

async fn remove<R: Row>(models: &ReadModels, of: Of, generation: i32) -> Result<(), ProjectionError> {
    let rows = Generation {
        tenant: of.tenant,
        number: generation,
    };
    let mut last = None;
    loop {
        let mut transaction = models.database().begin(of.tenant).await?;
        last = table::delete_piece::<R>(&mut transaction, rows, last, PIECE).await?;
        if last.is_none() {
            sqlx::query(
                "delete from projection_checkpoints
                 where tenant_id = $1 and projection = $2 and generation = $3 and status = 'discarded'",
            )
            .bind(of.tenant.0)
            .bind(of.projection)
            .bind(generation)
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        if last.is_none() {
            return Ok(());
        }
    }
}
