//! `hibachi bench project`: how fast read models follow the log, and how soon what was appended is seen.

pub(super) mod row_at_a_time;
mod tenants;
mod visible;

use anyhow::{Result, ensure};
use clap::Args;
use domain::ids::TenantId;
use projections::{ReadModels, registry};
use sqlx::{AssertSqlSafe, Executor};

use self::row_at_a_time::RowAtATime;
use super::Ask;
use super::business::Business;
use super::report::{OURS, Report};
use super::work::{Done, Measured, Miss, Work, once};
use super::world::World;

const LIVE: &str = "project_live";
const ALL: &str = "project_all";
const VISIBLE: &str = "visible_500";
const TENANTS: &str = "tenants";
/// Every case's name; those of many companies begin with the last, and say how many.
pub(super) const CASES: [&str; 4] = [LIVE, ALL, VISIBLE, TENANTS];

/// The read model that is measured alone.
const VIEW: &str = "booking_list";

#[derive(Debug, Args)]
pub(in crate::cli) struct ProjectBench {
    #[command(flatten)]
    pub(super) ask: Ask,
    /// Events of bookings that are written first, and caught up with.
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    events: u64,
    /// Companies with a small log each, whose read models are followed all at once; none are made by default.
    #[arg(long, value_name = "N", default_value_t = 0)]
    tenants: u32,
    /// Seconds that nothing happens while the cost of many companies is measured.
    #[arg(long, value_name = "N", default_value_t = 30)]
    idle_seconds: u64,
}

impl ProjectBench {
    pub(super) async fn measure(&self, world: &World, report: &mut Report) -> Result<()> {
        let models = ReadModels::new(world.ours.log.clone());
        let business = Business::open(&world.ours).await?;
        let catches_up = self.ask.wants(LIVE) || self.ask.wants(ALL);
        business.fill(if catches_up { self.events } else { 1 }).await?;
        for round in 1..=self.ask.rounds {
            if self.ask.wants(LIVE) {
                let one = CatchUp::prepare(world, &models, Some(VIEW)).await?;
                report.add(LIVE, OURS, 1, round, &one.measure(world).await?)?;
                let rival = RowAtATime::prepare(world, VIEW, self.ask.time()).await?;
                world.settle().await;
                report.add(LIVE, "row_at_a_time", 1, round, &rival.measure().await?)?;
            }
            if self.ask.wants(ALL) {
                let all = CatchUp::prepare(world, &models, None).await?;
                report.add(ALL, OURS, 1, round, &all.measure(world).await?)?;
            }
        }
        models.catch_up(world.ours.tenant).await?;
        if self.ask.wants(VISIBLE) {
            for round in 1..=self.ask.rounds {
                world.settle().await;
                let measured = visible::measure(world, &models, &business, self.ask.time()).await?;
                report.add(VISIBLE, OURS, 1, round, &measured)?;
            }
        }
        if self.tenants > 0 && self.ask.wants(TENANTS) {
            tenants::measure(world, &models, &business, self, report).await?;
        }
        Ok(())
    }
}

/// Read models that go from the start of the log to its end.
#[derive(Clone)]
struct CatchUp {
    models: ReadModels,
    tenant: TenantId,
    events: u64,
}

impl CatchUp {
    /// Takes the read models back to before the first event: all of them, or one, and the others to the last.
    async fn prepare(world: &World, models: &ReadModels, view: Option<&str>) -> Result<Self> {
        let tenant = world.ours.tenant;
        let head = world.head().await?;
        forget_all(world).await?;
        let mut others = world.owner.begin().await?;
        sqlx::query("select set_config('hibachi.tenant', $1, true)")
            .bind(tenant.0.to_string())
            .execute(&mut *others)
            .await?;
        for other in registry() {
            if view.is_none_or(|view| view == other.name()) {
                continue;
            }
            sqlx::query(
                "insert into projection_checkpoints
                     (tenant_id, projection, generation, position, status, fold_version)
                 values ($1, $2, 1, $3, 'live', $4)",
            )
            .bind(tenant.0)
            .bind(other.name())
            .bind(head)
            .bind(other.fold_version())
            .execute(&mut *others)
            .await?;
        }
        others.commit().await?;
        Ok(Self {
            models: models.clone(),
            tenant,
            events: head.unsigned_abs(),
        })
    }

    async fn measure(&self, world: &World) -> Result<Measured> {
        world.settle().await;
        let measured = once(self).await?;
        ensure!(measured.errors == 0, "{:?}", measured.first_error);
        Ok(measured)
    }
}

impl Work for CatchUp {
    async fn once(&self) -> Result<Done, Miss> {
        self.models.catch_up(self.tenant).await?;
        Ok(Done {
            events: self.events,
            loaded: 0,
        })
    }
}

/// Empties every table of the read models: those whose rows are of a generation.
async fn forget_all(world: &World) -> Result<()> {
    let tables: Vec<String> = sqlx::query_scalar(
        "select a.attrelid::regclass::text from pg_attribute a join pg_class c on c.oid = a.attrelid
         where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and a.attname = 'generation'
         order by 1",
    )
    .fetch_all(&world.owner)
    .await?;
    let truncate = format!("truncate {}", tables.join(", "));
    world.owner.execute(AssertSqlSafe(truncate)).await?;
    Ok(())
}
