//! Where a read model stands against the log.

use chrono::{DateTime, Utc};
use domain::envelope::Position;
use sqlx::PgConnection;

use super::{Checkpoint, Of, checkpoint, first_of, of_fold};

/// Where a read model stands against the log, in one snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The fold's checkpoint, or the live one of another version; none before anything was folded.
    pub(crate) checkpoint: Option<Checkpoint>,
    /// When the event at its position was recorded.
    pub(crate) recorded_at: Option<DateTime<Utc>>,
    /// Last position in the log.
    pub(crate) head: Position,
    /// How long the oldest event that is not applied has waited, by the database's clock.
    pub(crate) lag_ms: i64,
    /// Whether rows are held back.
    pub(crate) has_parked: bool,
}

impl Standing {
    /// Last position that the rows hold.
    pub(crate) fn position(&self) -> Position {
        self.checkpoint
            .as_ref()
            .map_or(Position::START, |checkpoint| checkpoint.position)
    }

    /// Last position that the rows hold as a version of the fold makes them: what another one made is not read.
    pub(crate) fn position_of(&self, fold_version: i32) -> Position {
        let of_other = |checkpoint: &Checkpoint| checkpoint.fold_version != fold_version;
        if self.checkpoint.as_ref().is_some_and(of_other) {
            Position::START
        } else {
            self.position()
        }
    }

    /// Whether the rows are all that the events up to their position give: nothing stands still or is held back.
    pub(crate) fn is_whole(&self) -> bool {
        let stopped = self
            .checkpoint
            .as_ref()
            .and_then(|checkpoint| checkpoint.stopped.as_ref());
        stopped.is_none() && !self.has_parked
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
    bool,
);

/// Reads where a read model stands.
///
/// Of the log it looks at two events, however long it is: under row-level security a condition finds an index only where it
/// calls no function that could tell of others' rows, which `coalesce` and `+` count as.
pub(crate) async fn standing(connection: &mut PgConnection, of: Of) -> Result<Standing, sqlx::Error> {
    let row: Option<StandingRow> = sqlx::query_as(concat!(
        "select h.position, c.generation, c.position, c.fold_version, c.stopped, reached.recorded_at,
                coalesce((extract(epoch from clock_timestamp() - waiting.recorded_at) * 1000)::bigint, 0),
                exists (
                    select from projection_parked p
                    where p.tenant_id = $1 and p.projection = $2 and p.generation = c.generation
                )
         from log_head h
         left join lateral (
             select m.generation, m.position, m.fold_version, m.stopped from projection_checkpoints m
             where m.tenant_id = $1 and m.projection = $2 and ",
        of_fold!("m", "$3"),
        " order by ",
        first_of!("m", "$3"),
        " limit 1
         ) c on true
         left join lateral (
             select e.recorded_at from events e where e.tenant_id = $1 and e.position = c.position limit 1
         ) reached on true
         left join lateral (
             select e.recorded_at from events e
             where e.tenant_id = $1 and e.position > case when c.position is null then 0 else c.position end
             order by e.position limit 1
         ) waiting on true
         where h.tenant_id = $1",
    ))
    .bind(of.tenant.0)
    .bind(of.projection)
    .bind(of.fold_version)
    .fetch_optional(connection)
    .await?;
    let Some((head, generation, position, fold_version, stopped, recorded_at, lag_ms, has_parked)) = row
    else {
        return Ok(Standing {
            checkpoint: None,
            recorded_at: None,
            head: Position::START,
            lag_ms: 0,
            has_parked: false,
        });
    };
    let found = generation.zip(position).zip(fold_version);
    let checkpoint = found.map(|((generation, position), fold_version)| {
        checkpoint((generation, position, fold_version, stopped))
    });
    Ok(Standing {
        checkpoint,
        recorded_at,
        head: Position(head),
        lag_ms: lag_ms.max(0),
        has_parked,
    })
}
