//! `hibachi bench rebuild`: how fast a read model is built anew, beside one that is written row by row, and in how much
//! memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Result, ensure};
use clap::Args;
use domain::ids::TenantId;
use projections::{Finish, Projection, ReadModels, Rebuild, Unwatched, projection};
use sqlx::{AssertSqlSafe, Executor};

use super::Ask;
use super::business::Business;
use super::project::row_at_a_time::RowAtATime;
use super::report::{OURS, Report};
use super::work::{Done, Measured, Miss, Work, once};
use super::world::World;
use crate::cli::{memory, note};

/// Read models that are built anew, each in a case of its own; the first beside the rival.
const VIEWS: [(&str, &str); 3] = [
    ("rebuild_booking_list", "booking_list"),
    ("rebuild_tax_summary", "tax_summary"),
    ("rebuild_audit_trail", "audit_trail"),
];
const ROW_AT_A_TIME: &str = "rebuild_row_at_a_time";
/// Every case's name.
pub(super) const CASES: [&str; 4] = [VIEWS[0].0, VIEWS[1].0, VIEWS[2].0, ROW_AT_A_TIME];

/// Events of each booking: so many times fewer rows than events has the list of bookings.
const EVENTS_OF_BOOKING: u64 = 10;

#[derive(Debug, Args)]
pub(in crate::cli) struct RebuildBench {
    #[command(flatten)]
    pub(super) ask: Ask,
    /// Events of bookings that are written first, ten of each booking.
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    events: u64,
    /// Memory that the rows of one read model may take, about.
    #[arg(long, value_name = "MIB", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    memory_mb: u32,
}

impl RebuildBench {
    pub(super) async fn measure(&self, world: &World, report: &mut Report) -> Result<()> {
        let business = Business::open_with_steps(&world.ours, EVENTS_OF_BOOKING).await?;
        business.fill(self.events).await?;
        sqlx::query("vacuum (analyze) events")
            .execute(&world.owner)
            .await?;
        let models = ReadModels::new(world.ours.log.clone());
        note(format_args!(
            "{:<24} {:>12} {:>10}",
            "rebuilt", "rows", "peak MiB"
        ));
        for round in 1..=self.ask.rounds {
            for (case, view) in VIEWS {
                if self.ask.wants(case) {
                    let measured = self.build(world, &models, case, view).await?;
                    report.add(case, OURS, 1, round, &measured)?;
                }
            }
            if self.ask.wants(VIEWS[0].0) || self.ask.wants(ROW_AT_A_TIME) {
                let rival = RowAtATime::prepare(world, VIEWS[0].1, self.ask.time()).await?;
                world.settle().await;
                let measured = rival.measure().await?;
                report.add(VIEWS[0].0, "row_at_a_time", 1, round, &measured)?;
                report.add(ROW_AT_A_TIME, "row_at_a_time", 1, round, &measured)?;
            }
        }
        Ok(())
    }

    async fn build(
        &self,
        world: &World,
        models: &ReadModels,
        case: &str,
        view: &'static str,
    ) -> Result<Measured> {
        let build = Build {
            models: models.clone(),
            tenant: world.ours.tenant,
            view: projection(view)?,
            how: Rebuild {
                memory: usize::try_from(self.memory_mb)? << 20,
                finish: Finish::Swap,
            },
            events: world.head().await?.unsigned_abs(),
            rows: Arc::default(),
        };
        world.settle().await;
        memory::forget_peak();
        let mut measured = once(&build).await?;
        ensure!(measured.errors == 0, "{:?}", measured.first_error);
        measured.peak_mib = memory::peak();
        let rows = build.rows.load(Ordering::Relaxed);
        let shown = measured
            .peak_mib
            .map_or_else(|| "–".to_owned(), |mib| mib.to_string());
        note(format_args!("{case:<24} {rows:>12} {shown:>10}"));
        // Every round begins with an empty table and no generation.
        let truncate = format!("truncate {view}, projection_checkpoints cascade");
        world.owner.execute(AssertSqlSafe(truncate)).await?;
        Ok(measured)
    }
}

/// A read model that is built from the first event to the last and swapped in.
#[derive(Clone)]
struct Build {
    models: ReadModels,
    tenant: TenantId,
    view: &'static dyn Projection,
    how: Rebuild,
    events: u64,
    /// How many rows it came to.
    rows: Arc<AtomicU64>,
}

impl Work for Build {
    async fn once(&self) -> Result<Done, Miss> {
        let (models, tenant) = (&self.models, self.tenant);
        let rebuilt = self.view.rebuild_as(models, tenant, self.how, &Unwatched).await?;
        self.rows.store(rebuilt.rows, Ordering::Relaxed);
        Ok(Done {
            events: self.events,
            loaded: 0,
        })
    }
}
