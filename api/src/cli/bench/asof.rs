//! `hibachi bench asof`: how long a tax report takes as of a position, with nothing in memory, with a state near by and
//! asked again, beside the live one and beside a fold that is given row after row.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::Args;
use domain::access::{Role, StationScope, Viewer};
use domain::envelope::Position;
use domain::ids::{TenantId, UserId};
use event_log::EventLog;
use projections::audit_trail::{self, AuditFilter, AuditSort};
use projections::period::Period;
use projections::tax_report::tax_report;
use projections::{At, ReadModels, Slice, Unwatched, projection};
use uuid::Uuid;

use super::Ask;
use super::business::Business;
use super::report::{OURS, Report};
use super::work::{Done, Measured, Miss, Work, drive};
use super::world::World;
use crate::cli::memory::{forget_peak, peak};
use crate::cli::note;

const COLD: &str = "asof_tax";
const NEAR: &str = "asof_tax_near";
const REPEATED: &str = "asof_tax_repeated";
const AUDIT: &str = "asof_audit_unstored";
/// Every case's name.
pub(super) const CASES: [&str; 4] = [COLD, NEAR, REPEATED, AUDIT];

/// The fold behind the report, and the live peer of an answer as of a position.
const VIEW: &str = "tax_summary";
const LIVE: &str = "live";
const ROW_AT_A_TIME: &str = "row_at_a_time";
/// Events between two positions that are asked for one after the other.
const STEP: i64 = 97;

#[derive(Debug, Args)]
pub(in crate::cli) struct AsOfBench {
    #[command(flatten)]
    pub(super) ask: Ask,
    /// Events of bookings that are written first, five of each booking.
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    events: u64,
}

impl AsOfBench {
    pub(super) async fn measure(&self, world: &World, report: &mut Report) -> Result<()> {
        let business = Business::open(&world.ours).await?;
        business.fill(self.events).await?;
        sqlx::query("vacuum (analyze) events")
            .execute(&world.owner)
            .await?;
        let log = &world.ours.log;
        let tenant = world.ours.tenant;
        let head = log.head(tenant).await?.position;
        let asked = Asked::new(log, tenant, head)?;
        projection(VIEW)?
            .rebuild(&asked.models, tenant, &Unwatched)
            .await?;
        for round in 1..=self.ask.rounds {
            if self.ask.wants(COLD) {
                let cold = Cold(asked.clone());
                report.add(COLD, OURS, 1, round, &self.drive(world, &cold).await?)?;
                let rival = RowAtATime(asked.clone());
                report.add(COLD, ROW_AT_A_TIME, 1, round, &self.drive(world, &rival).await?)?;
            }
            // A memory of its own for each round, filled by one answer as of the end.
            let kept = Asked {
                models: ReadModels::new(log.clone()),
                ..asked.clone()
            };
            kept.answer(At::AsOf(head)).await?;
            if self.ask.wants(NEAR) {
                let near = Near(kept.clone(), Arc::new(AtomicI64::new(head.0)));
                report.add(NEAR, OURS, 1, round, &self.drive(world, &near).await?)?;
            }
            if self.ask.wants(REPEATED) {
                let repeated = Same(kept.clone(), At::AsOf(head));
                report.add(REPEATED, OURS, 1, round, &self.drive(world, &repeated).await?)?;
                let live = Same(kept.clone(), At::NOW);
                report.add(REPEATED, LIVE, 1, round, &self.drive(world, &live).await?)?;
            }
            let memory = kept.models.as_of_memory();
            note(format_args!(
                "{} states of {} KiB",
                memory.states,
                memory.bytes >> 10
            ));
            if self.ask.wants(AUDIT) {
                let audit = Audit(asked.clone());
                report.add(AUDIT, OURS, 1, round, &self.drive(world, &audit).await?)?;
            }
        }
        Ok(())
    }

    async fn drive<W: Work>(&self, world: &World, work: &W) -> Result<Measured> {
        world.settle().await;
        forget_peak();
        let mut measured = drive(work, 1, self.ask.time()).await?;
        measured.peak_mib = peak();
        Ok(measured)
    }
}

/// A report that is asked for.
#[derive(Clone)]
struct Asked {
    log: EventLog,
    models: ReadModels,
    viewer: Viewer,
    period: Period,
    head: Position,
}

impl Asked {
    fn new(log: &EventLog, tenant: TenantId, head: Position) -> Result<Self> {
        Ok(Self {
            log: log.clone(),
            models: ReadModels::new(log.clone()),
            viewer: Viewer {
                tenant,
                user: UserId(Uuid::nil()),
                role: Role::Auditor,
                stations: StationScope::All,
                through: None,
            },
            period: "2026".parse()?,
            head,
        })
    }

    async fn answer(&self, at: At) -> Result<()> {
        let report = tax_report(&self.models, &self.viewer, "CA", self.period.clone(), at).await?;
        ensure!(report.total.orders > 0, "the report is empty");
        Ok(())
    }

    fn events(&self) -> u64 {
        self.head.0.unsigned_abs()
    }
}

/// As of the end of the log, from its start.
#[derive(Clone)]
struct Cold(Asked);

impl Work for Cold {
    async fn once(&self) -> Result<Done, Miss> {
        let asked = Asked {
            models: ReadModels::new(self.0.log.clone()),
            ..self.0.clone()
        };
        asked.answer(At::AsOf(asked.head)).await?;
        Ok(Done {
            events: asked.events(),
            loaded: 0,
        })
    }
}

/// As of ever earlier positions: none of them has a state that an earlier question left behind.
#[derive(Clone)]
struct Near(Asked, Arc<AtomicI64>);

impl Work for Near {
    async fn once(&self) -> Result<Done, Miss> {
        let position = self.1.fetch_sub(STEP, Ordering::Relaxed) - STEP;
        self.0.answer(At::AsOf(Position(position.max(1)))).await?;
        Ok(Done { events: 1, loaded: 0 })
    }
}

/// The same again.
#[derive(Clone)]
struct Same(Asked, At);

impl Work for Same {
    async fn once(&self) -> Result<Done, Miss> {
        self.0.answer(self.1).await?;
        Ok(Done { events: 1, loaded: 0 })
    }
}

/// The same fold over the same events, that are read and folded one after the other.
#[derive(Clone)]
struct RowAtATime(Asked);

impl Work for RowAtATime {
    async fn once(&self) -> Result<Done, Miss> {
        let asked = &self.0;
        let mut folding = projection(VIEW)?.folding();
        let mut at = Position::START;
        // As far as a second takes it: it would be minutes to the end.
        let until = Instant::now() + Duration::from_secs(1);
        while at < asked.head && Instant::now() < until {
            for event in asked.log.read(asked.viewer.tenant, at, 1, None).await? {
                folding.apply(&event)?;
                at = event.position;
            }
        }
        Ok(Done {
            events: at.0.unsigned_abs(),
            loaded: 0,
        })
    }
}

/// The newest page of the trail, where no rows of it are stored.
#[derive(Clone)]
struct Audit(Asked);

impl Work for Audit {
    async fn once(&self) -> Result<Done, Miss> {
        let asked = &self.0;
        let filter = AuditFilter::default();
        let (sort, slice) = (AuditSort::NewestFirst, Slice::first(50));
        let at = At::AsOf(asked.head);
        let page = audit_trail::page(&asked.models, &asked.viewer, filter, sort, slice, at).await?;
        if page.rows.len() != 50 {
            return Err(Miss::Failed(anyhow::anyhow!(
                "the page has {} rows",
                page.rows.len()
            )));
        }
        Ok(Done {
            events: asked.events(),
            loaded: 0,
        })
    }
}
