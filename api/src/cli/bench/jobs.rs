//! `hibachi bench jobs`: messages that are asked for, from the append until the log says that they went out. How many a second,
//! how soon, and how soon for a quiet company beside a noisy one. Nobody takes them anywhere.

mod asking;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;
use clap::Args;
use commands::Commands;
use commands::ports::{CarrierError, Letter, MessageCarrier};
use domain::envelope::Position;
use domain::message::MessageChannel;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use self::asking::Asking;
use super::Ask;
use super::latencies::Latencies;
use super::report::{OURS, Report};
use super::work::{Done, Measured, cpu_time};
use super::world::World;

const BURST: &str = "jobs_burst";
const PACED: &str = "jobs_paced";
const ALONE: &str = "jobs_quiet_alone";
const BESIDE: &str = "jobs_quiet_beside";
const NOISY: &str = "jobs_noisy";
/// Every case's name. The noisy one is measured with the quiet one that is beside it.
pub(super) const CASES: [&str; 5] = [BURST, PACED, ALONE, BESIDE, NOISY];

/// Messages that a company asks for in a second, where it does so at an even pace.
const PACE: u32 = 50;
/// The same of a quiet company.
const QUIET_PACE: u32 = 10;
/// How often it is looked at what has gone out.
const LOOK: Duration = Duration::from_millis(1);
/// How long the next message may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Events that one look reads at most.
const PAGE: u32 = 1_000;

#[derive(Debug, Args)]
pub(in crate::cli) struct JobsBench {
    #[command(flatten)]
    pub(super) ask: Ask,
    /// Jobs that are queued before `jobs_burst` begins.
    #[arg(long, value_name = "N", default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..))]
    jobs: u32,
    /// Jobs of the noisy company.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    noisy: u32,
}

impl JobsBench {
    pub(super) async fn measure(&self, world: &World, report: &mut Report) -> Result<()> {
        let commands = world.ours.commands.sending_through(Arc::new(Nowhere));
        for round in 1..=self.ask.rounds {
            if self.ask.wants(BURST) {
                let asking = Asking::open(world, &format!("burst-{round}")).await?;
                let measured = self.burst(world, &commands, &asking).await?;
                report.add(BURST, OURS, 1, round, &measured)?;
            }
            for (case, pace) in [(PACED, PACE), (ALONE, QUIET_PACE)] {
                if self.ask.wants(case) {
                    let asking = Asking::open(world, &format!("{case}-{round}").replace('_', "-")).await?;
                    let measured = self.paced(world, &commands, &asking, pace).await?;
                    report.add(case, OURS, 1, round, &measured)?;
                }
            }
            if self.ask.wants(BESIDE) || self.ask.wants(NOISY) {
                let quiet = Asking::open(world, &format!("quiet-{round}")).await?;
                let noisy = Asking::open(world, &format!("noisy-{round}")).await?;
                let [beside, flood] = self.beside(world, &commands, &quiet, &noisy).await?;
                report.add(BESIDE, OURS, 1, round, &beside)?;
                report.add(NOISY, OURS, 1, round, &flood)?;
            }
        }
        Ok(())
    }

    /// Many jobs at once, begun with when all are asked for.
    async fn burst(&self, world: &World, commands: &Commands, asking: &Asking) -> Result<Measured> {
        asking.ask_all(self.jobs).await?;
        world.settle().await;
        let (cpu, began) = (cpu_time()?, Instant::now());
        let working = Working::start(commands);
        let all = usize::try_from(self.jobs)?;
        let mut measured = went_out(asking, |out| out >= all).await?;
        // How long each waited for those before it says nothing of a job.
        measured.latencies = Latencies::default();
        finish(&mut measured, cpu, began)?;
        working.stop().await?;
        Ok(measured)
    }

    /// Jobs at an even pace, whatever becomes of those before.
    async fn paced(
        &self,
        world: &World,
        commands: &Commands,
        asking: &Asking,
        pace: u32,
    ) -> Result<Measured> {
        world.settle().await;
        let working = Working::start(commands);
        let deadline = Instant::now() + self.ask.time();
        let (cpu, began) = (cpu_time()?, Instant::now());
        let mut measured = at_a_pace(asking, pace, move || Instant::now() >= deadline).await?;
        finish(&mut measured, cpu, began)?;
        working.stop().await?;
        Ok(measured)
    }

    /// A quiet company's jobs for as long as a noisy one has some, and the noisy one's.
    async fn beside(
        &self,
        world: &World,
        commands: &Commands,
        quiet: &Asking,
        noisy: &Asking,
    ) -> Result<[Measured; 2]> {
        noisy.ask_all(self.noisy).await?;
        world.settle().await;
        let working = Working::start(commands);
        let (cpu, began) = (cpu_time()?, Instant::now());
        let all = usize::try_from(self.noisy)?;
        let flood = tokio::spawn({
            let noisy = noisy.clone();
            async move {
                let mut measured = went_out(&noisy, |out| out >= all).await?;
                measured.took = began.elapsed();
                anyhow::Ok(measured)
            }
        });
        let mut beside = at_a_pace(quiet, QUIET_PACE, || flood.is_finished()).await?;
        finish(&mut beside, cpu, began)?;
        let mut flood = flood.await??;
        flood.latencies = Latencies::default();
        flood.cpu = beside.cpu;
        working.stop().await?;
        Ok([beside, flood])
    }
}

fn finish(measured: &mut Measured, cpu: Duration, began: Instant) -> Result<()> {
    measured.took = began.elapsed();
    measured.cpu = cpu_time()?.saturating_sub(cpu);
    Ok(())
}

/// Asks at an even pace until it is over, and counts from when each was due to when it had gone out.
async fn at_a_pace(asking: &Asking, pace: u32, is_over: impl Fn() -> bool) -> Result<Measured> {
    let asked = Arc::new(Mutex::new(None));
    let followed = tokio::spawn({
        let (asking, asked) = (asking.clone(), Arc::clone(&asked));
        async move {
            let known = move || *asked.lock().unwrap_or_else(PoisonError::into_inner);
            went_out(&asking, |out| known() == Some(out)).await
        }
    });
    let began = Instant::now();
    let mut asks = JoinSet::new();
    let mut count = 0;
    for n in 0.. {
        let due = began + Duration::from_secs(1) * n / pace;
        tokio::time::sleep_until(due.into()).await;
        // One at least, however short the time is.
        if n > 0 && is_over() {
            break;
        }
        let asking = asking.clone();
        asks.spawn(async move { asking.ask(due).await });
        count += 1;
    }
    while let Some(ask) = asks.join_next().await {
        ask??;
    }
    asked
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .replace(count);
    followed.await?
}

/// Follows a company's log until so many messages have gone out, and counts how long each took.
async fn went_out(asking: &Asking, is_all: impl Fn(usize) -> bool) -> Result<Measured> {
    let mut measured = Measured::default();
    let mut after = Position::START;
    let mut last = Instant::now();
    let mut out = 0;
    while !is_all(out) {
        let events = asking.sent_after(after, PAGE).await?;
        let now = Instant::now();
        if events.is_empty() {
            ensure!(now - last < PATIENCE, "no message goes out any more");
            tokio::time::sleep(LOOK).await;
            continue;
        }
        for event in events {
            after = event.position;
            let due = asking.due(&event.stream.id);
            let due = due.context("a message went out that nobody asked for")?;
            measured.count(
                now.saturating_duration_since(due),
                Ok(Done { events: 1, loaded: 0 }),
            );
            out += 1;
        }
        last = now;
    }
    Ok(measured)
}

/// Does all companies' jobs until it is stopped.
struct Working {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Working {
    fn start(commands: &Commands) -> Self {
        let (stop, stopped) = watch::channel(false);
        let commands = commands.clone();
        let task = tokio::spawn(async move { commands.do_jobs_until(stopped).await });
        Self { stop, task }
    }

    async fn stop(self) -> Result<()> {
        self.stop.send_replace(true);
        self.task.await.context("the jobs did not end well")
    }
}

/// Takes messages nowhere, at once.
struct Nowhere;

#[async_trait]
impl MessageCarrier for Nowhere {
    fn name(&self, _channel: MessageChannel) -> &'static str {
        "nowhere"
    }

    fn carries(&self, _channel: MessageChannel) -> bool {
        true
    }

    async fn carry(&self, _letter: &Letter) -> Result<Option<String>, CarrierError> {
        Ok(None)
    }
}
