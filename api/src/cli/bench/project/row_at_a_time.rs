//! What a projector does that knows no batches: for each event the row that it makes, in a transaction of its own. Ours
//! are compared with the writing alone: the rival is given its rows.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use domain::envelope::Position;
use futures::{TryStreamExt, pin_mut};
use projections::projection;
use sqlx::postgres::PgPool;
use sqlx::{AssertSqlSafe, Executor};

use crate::cli::bench::raw;
use crate::cli::bench::work::{Done, Measured};
use crate::cli::bench::world::World;

/// Rows that it is given at most.
const ROWS: usize = 50_000;

/// The rows of a read model, one for each event that made it, in order.
pub(in crate::cli::bench) struct RowAtATime {
    pool: PgPool,
    upsert: String,
    /// Each with the events of the log since the row before: those that make none are passed for nothing.
    rows: Vec<(u64, String)>,
    time: Duration,
}

impl RowAtATime {
    /// Makes an empty table like the read model's, with its indexes, and folds the rows.
    pub(in crate::cli::bench) async fn prepare(world: &World, view: &str, time: Duration) -> Result<Self> {
        let table = "row_at_a_time";
        let make = format!("drop table if exists {table}; create table {table} (like {view} including all)");
        world.owner.execute(AssertSqlSafe(make)).await?;
        let view = projection(view)?;
        let mut folding = view.folding();
        let tenant = world.ours.tenant;
        let events = world.ours.log.stream_all(tenant, Position::START, None, None);
        pin_mut!(events);
        let mut rows = Vec::new();
        let mut passed = 0;
        while let Some(event) = events.try_next().await? {
            passed += 1;
            if let Some(mut row) = folding.follow(&event)?.and_then(|touched| touched.after) {
                let fields = row.as_object_mut().context("a row is an object")?;
                fields.insert("tenant_id".to_owned(), tenant.0.to_string().into());
                fields.insert("generation".to_owned(), 1.into());
                rows.push((std::mem::take(&mut passed), row.to_string()));
                if rows.len() == ROWS {
                    break;
                }
            }
        }
        let (keys, others): (Vec<_>, Vec<_>) = view.columns().into_iter().partition(|column| column.is_key);
        let set: Vec<String> = others
            .iter()
            .map(|column| format!("{0} = excluded.{0}", column.name))
            .collect();
        let keys: Vec<&str> = keys.iter().map(|column| column.name).collect();
        let upsert = format!(
            "insert into {table} select * from json_populate_record(null::{table}, $1::json)
             on conflict (tenant_id, generation, {}) do update set {}",
            keys.join(", "),
            set.join(", ")
        );
        Ok(Self {
            pool: raw::connect(&world.options, 1).await?,
            upsert,
            rows,
            time,
        })
    }

    /// Writes row after row until the time is over or all are written.
    pub(in crate::cli::bench) async fn measure(self) -> Result<Measured> {
        let mut measured = Measured::default();
        let began = Instant::now();
        for (events, row) in self.rows {
            let before = Instant::now();
            sqlx::query(AssertSqlSafe(self.upsert.clone()))
                .bind(row)
                .execute(&self.pool)
                .await?;
            measured.count(before.elapsed(), Ok(Done { events, loaded: 0 }));
            if began.elapsed() >= self.time {
                break;
            }
        }
        measured.took = began.elapsed();
        self.pool.close().await;
        Ok(measured)
    }
}
