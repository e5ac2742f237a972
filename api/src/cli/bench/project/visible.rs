//! How soon an event that is appended is in every read model, while events come at an even pace whatever becomes of those
//! before.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use domain::ids::TenantId;
use projections::{ReadModels, Worker};
use sqlx::postgres::PgPool;
use tokio::task::JoinSet;

use crate::cli::bench::business::Business;
use crate::cli::bench::work::{Done, Measured, cpu_time};
use crate::cli::bench::world::World;

/// Appends in a second.
const PACE: u32 = 500;
/// How often it is looked at what can be seen.
const LOOK: Duration = Duration::from_millis(1);
/// How long what was appended may take to be seen after the last append.
const PATIENCE: Duration = Duration::from_secs(30);

/// When the appends that are not seen yet were due, by where they stand in the log.
type Waiting = Arc<Mutex<BTreeMap<i64, Instant>>>;

/// Appends at an even pace for a time, and counts from when each was due to when all read models hold it.
pub(super) async fn measure(
    world: &World,
    models: &ReadModels,
    business: &Business,
    time: Duration,
) -> Result<Measured> {
    let worker = Worker::start(models.clone());
    let (cpu, began) = (cpu_time()?, Instant::now());
    let waiting = Waiting::default();
    let appends = tokio::spawn(append(business.clone(), Arc::clone(&waiting), time));
    let mut measured = look(world, &waiting, || appends.is_finished()).await?;
    appends.await??;
    measured.took = began.elapsed();
    measured.cpu = cpu_time()?.saturating_sub(cpu);
    worker.stop().await;
    Ok(measured)
}

async fn append(business: Business, waiting: Waiting, time: Duration) -> Result<()> {
    let began = Instant::now();
    let mut appends = JoinSet::new();
    for n in 0.. {
        let due = began + Duration::from_secs(1) * n / PACE;
        if due >= began + time {
            break;
        }
        tokio::time::sleep_until(due.into()).await;
        let (business, waiting) = (business.clone(), Arc::clone(&waiting));
        appends.spawn(async move {
            let position = business.request().await?;
            let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.insert(position.0, due);
            anyhow::Ok(())
        });
    }
    while let Some(append) = appends.join_next().await {
        append??;
    }
    Ok(())
}

/// Looks at where the read models are until all is appended and seen.
async fn look(world: &World, waiting: &Waiting, is_over: impl Fn() -> bool) -> Result<Measured> {
    let mut measured = Measured::default();
    let mut last = Instant::now();
    loop {
        let over = is_over();
        let reached = reached(&world.owner, world.ours.tenant).await?;
        let now = Instant::now();
        let (seen, is_empty) = {
            let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let later = waiting.split_off(&(reached + 1));
            let seen = std::mem::replace(&mut *waiting, later);
            (seen, waiting.is_empty())
        };
        for due in seen.into_values() {
            measured.count(now - due, Ok(Done { events: 1, loaded: 0 }));
            last = now;
        }
        if over && is_empty {
            return Ok(measured);
        }
        if now - last > PATIENCE {
            bail!("the read models do not follow");
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// The position that every read model holds.
async fn reached(owner: &PgPool, tenant: TenantId) -> Result<i64> {
    let mut look = owner.begin().await?;
    sqlx::query("select set_config('hibachi.tenant', $1, true)")
        .bind(tenant.0.to_string())
        .execute(&mut *look)
        .await?;
    let reached: Option<i64> = sqlx::query_scalar(
        "select min(position) from projection_checkpoints where tenant_id = $1 and status = 'live'",
    )
    .bind(tenant.0)
    .fetch_one(&mut *look)
    .await?;
    look.rollback().await?;
    Ok(reached.unwrap_or_default())
}
