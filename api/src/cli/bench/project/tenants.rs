//! What many companies cost: to catch up with all, while nothing happens, and until what one of them appends is seen.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use domain::ids::TenantId;
use projections::{ReadModels, Waited, Worker, registry};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sqlx::Executor;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{ProjectBench, VIEW};
use crate::cli::bench::business::Business;
use crate::cli::bench::report::{OURS, Report};
use crate::cli::bench::server_use::ServerUse;
use crate::cli::bench::work::{Done, Measured, cpu_time};
use crate::cli::bench::world::World;

/// Appends in a second, each to a company that is drawn anew.
const PACE: u32 = 100;
/// How long what was appended may take to be seen.
const PATIENCE: Duration = Duration::from_secs(30);
/// The same draw in every run.
const SEED: u64 = 4;
/// Companies made in one transaction.
const PIECE: usize = 500;
/// How often it is looked at whether all have caught up.
const LOOK: Duration = Duration::from_millis(500);

/// A log like that of the company that is there, for each of some tenants: the first events of it.
const MAKE: &str = "do $$
    declare
        v_tenant uuid;
    begin
        foreach v_tenant in array current_setting('bench.tenants')::uuid[] loop
            perform set_config('hibachi.tenant', v_tenant::text, true);
            insert into organisations (tenant_id, slug, name) values (v_tenant, 'c' || replace(v_tenant::text, '-', ''), 'C');
            insert into events
                select v_tenant, position, aggregate_type, aggregate_id, sequence, event_type, event_version, payload,
                    metadata, gen_random_uuid(), gen_random_uuid(), recorded_at, leaf_hash
                from pg_temp.opening;
            insert into log_head select v_tenant, count(*), clock_timestamp(), 0, decode(repeat('00', 32), 'hex')
                from pg_temp.opening;
        end loop;
    end
    $$";

/// How many of some tenants have a read model that has not come to a position, of so many read models.
const BEHIND: &str = "create function pg_temp.behind(a_tenants uuid[], a_position bigint, a_models bigint)
    returns bigint language plpgsql as $$
    declare
        v_tenant uuid;
        v_behind bigint := 0;
    begin
        foreach v_tenant in array a_tenants loop
            perform set_config('hibachi.tenant', v_tenant::text, true);
            if (select count(*) from projection_checkpoints
                where tenant_id = v_tenant and status = 'live' and position >= a_position) < a_models
            then
                v_behind := v_behind + 1;
            end if;
        end loop;
        return v_behind;
    end
    $$";

/// Measures all three, each as a case.
pub(super) async fn measure(
    world: &World,
    models: &ReadModels,
    business: &Business,
    bench: &ProjectBench,
    report: &mut Report,
) -> Result<()> {
    let (tenants, events) = make(world, bench.tenants).await?;
    let case = |part: &str| format!("tenants_{}{part}", bench.tenants);
    let (cpu, began) = (cpu_time()?, Instant::now());
    let server = ServerUse::now(world).await?;
    let worker = Worker::start(models.clone());
    caught_up(world, &tenants, events).await?;
    let caught_up = Measured {
        events: events * u64::from(bench.tenants),
        operations: 1,
        took: began.elapsed(),
        cpu: cpu_time()?.saturating_sub(cpu),
        server: Some(ServerUse::now(world).await?.since(&server)),
        ..Measured::default()
    };
    report.add(&case("_catch_up"), OURS, 1, 1, &caught_up)?;

    // What was just done is looked at once more: that is no part of doing nothing.
    tokio::time::sleep(Duration::from_secs(4)).await;
    let (cpu, began) = (cpu_time()?, Instant::now());
    let server = ServerUse::now(world).await?;
    tokio::time::sleep(Duration::from_secs(bench.idle_seconds)).await;
    let idle = Measured {
        operations: 1,
        took: began.elapsed(),
        cpu: cpu_time()?.saturating_sub(cpu),
        server: Some(ServerUse::now(world).await?.since(&server)),
        ..Measured::default()
    };
    report.add(&case("_idle"), OURS, 1, 1, &idle)?;

    let visible = visible(world, models, business, &tenants, bench.ask.time()).await?;
    report.add(&case("_visible"), OURS, 1, 1, &visible)?;
    worker.stop().await;
    Ok(())
}

/// Makes tenants with the same log each, of so many events.
async fn make(world: &World, count: u32) -> Result<(Vec<TenantId>, u64)> {
    let mut template = world.owner.begin().await?;
    sqlx::query("select set_config('hibachi.tenant', $1, true)")
        .bind(world.ours.tenant.0.to_string())
        .execute(&mut *template)
        .await?;
    sqlx::query(
        "create temporary table opening as
         select * from events where tenant_id = current_setting('hibachi.tenant')::uuid and position <= 20",
    )
    .execute(&mut *template)
    .await?;
    let events: i64 = sqlx::query_scalar("select count(*) from pg_temp.opening")
        .fetch_one(&mut *template)
        .await?;
    template.commit().await?;
    world.owner.execute(BEHIND).await?;
    let tenants: Vec<TenantId> = (0..count).map(|_| TenantId(world.ids.next())).collect();
    for piece in tenants.chunks(PIECE) {
        let ids: Vec<String> = piece.iter().map(TenantId::to_string).collect();
        let mut transaction = world.owner.begin().await?;
        sqlx::query("select set_config('bench.tenants', $1, true)")
            .bind(format!("{{{}}}", ids.join(",")))
            .execute(&mut *transaction)
            .await?;
        transaction.execute(MAKE).await?;
        transaction.commit().await?;
    }
    world.owner.execute("vacuum (analyze) events, log_head").await?;
    Ok((tenants, events.unsigned_abs()))
}

/// Waits until every read model of every one of them has come to the end of its log.
async fn caught_up(world: &World, tenants: &[TenantId], events: u64) -> Result<()> {
    let ids: Vec<Uuid> = tenants.iter().map(|tenant| tenant.0).collect();
    let models = registry().len();
    let mut last = (i64::MAX, Instant::now());
    loop {
        let behind: i64 = sqlx::query_scalar("select pg_temp.behind($1, $2, $3)")
            .bind(&ids)
            .bind(i64::try_from(events)?)
            .bind(i64::try_from(models)?)
            .fetch_one(&world.owner)
            .await?;
        if behind == 0 {
            return Ok(());
        }
        if behind < last.0 {
            last = (behind, Instant::now());
        }
        ensure!(
            last.1.elapsed() < PATIENCE,
            "{behind} companies do not come forward"
        );
        tokio::time::sleep(LOOK).await;
    }
}

/// Lets companies append, drawn one after the other, and counts from when each append was due to when it is seen.
async fn visible(
    world: &World,
    models: &ReadModels,
    business: &Business,
    tenants: &[TenantId],
    time: Duration,
) -> Result<Measured> {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let server = ServerUse::now(world).await?;
    let (cpu, began) = (cpu_time()?, Instant::now());
    let mut appends = JoinSet::new();
    for n in 0.. {
        let due = began + Duration::from_secs(1) * n / PACE;
        if due >= began + time {
            break;
        }
        tokio::time::sleep_until(due.into()).await;
        let tenant = tenants[random.random_range(0..tenants.len())];
        let (models, business) = (models.clone(), business.of(tenant));
        appends.spawn(async move {
            let position = business.request().await?;
            let waited = models.wait_for(tenant, VIEW, position, PATIENCE).await?;
            ensure!(waited == Waited::Reached, "{tenant} does not come forward");
            Ok(due.elapsed())
        });
    }
    let mut measured = Measured::default();
    while let Some(seen) = appends.join_next().await {
        measured.count(seen??, Ok(Done { events: 1, loaded: 0 }));
    }
    measured.took = began.elapsed();
    measured.cpu = cpu_time()?.saturating_sub(cpu);
    measured.server = Some(ServerUse::now(world).await?.since(&server));
    Ok(measured)
}
