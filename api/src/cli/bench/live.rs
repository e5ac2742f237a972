//! Subscribers: what they take of the server's memory, and how soon they are told. The server is this program; the subscribers are
//! another process, half of them over sockets, so that what is measured here is the server's alone.

mod clients;

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use commands::{Caller, IdempotencyKey};
use domain::access::{Role, StationScope};
use domain::decider::Decider;
use domain::ids::{TenantId, UserId};
use domain::organisation::OrganisationCreated;
use domain::user::User;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use super::Ask;
use super::beside::Beside;
use super::latencies::Latencies;
use super::ours::Ours;
use super::report::{OURS, Report};
use super::served::Served;
use super::work::{Measured, Miss, cpu_time};
use super::world::World;
use crate::app::App;
use crate::auth::NewPassword;
use crate::installation::Scratch;
use crate::live::LiveSettings;

pub(in crate::cli) use clients::LiveClients;

const ALONE: &str = "live_alone";
const MANY: &str = "live_many";
/// Every case's name.
pub(super) const CASES: [&str; 2] = [ALONE, MANY];

const SLUG: &str = "live";
const PASSWORD: &str = "a pass phrase of a measurement";

#[derive(Debug, Args)]
pub(in crate::cli) struct LiveBench {
    #[command(flatten)]
    pub(super) ask: Ask,
    /// Subscribers of `live_many`, half of them over sockets.
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(2..=4_000))]
    subscribers: u32,
    /// Events that happen in a second: each subscriber is told each.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    per_second: u32,
}

impl LiveBench {
    pub(super) async fn measure(&self, world: &World, scratch: &Scratch, report: &mut Report) -> Result<()> {
        // Each subscriber is a connection.
        let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
        setrlimit(Resource::RLIMIT_NOFILE, most, most)?;
        let followed = Followed::start(world, scratch).await?;
        for round in 1..=self.ask.rounds {
            for (case, subscribers) in [(ALONE, 1), (MANY, self.subscribers)] {
                if self.ask.wants(case) {
                    let measured = self.told(world, &followed, subscribers).await?;
                    report.add(case, OURS, subscribers, round, &measured)?;
                }
            }
        }
        followed.served.stop().await
    }

    /// Lets things happen at an even pace, and counts how long each subscriber waited to be told of each.
    async fn told(&self, world: &World, followed: &Followed, subscribers: u32) -> Result<Measured> {
        let of_each = LiveSettings::default().per_credential;
        let people = usize::try_from(subscribers)?.div_ceil(of_each);
        // Before: what signing in takes is none of theirs.
        let mut tokens = Vec::with_capacity(people);
        for number in 0..people {
            tokens.push(followed.token(number).await?);
        }
        world.settle().await;
        let idle = resident_mib()?;
        let mut followers = Followers::start(&followed.served, subscribers, &tokens)?;
        let (cpu, began) = (cpu_time()?, Instant::now());
        let mut measured = Measured::default();
        let mut most = resident_mib()?;
        for n in 0.. {
            let due = began + Duration::from_secs(1) * n / self.per_second;
            tokio::time::sleep_until(due.into()).await;
            // One at least, however short the time is.
            if n > 0 && began.elapsed() >= self.ask.time() {
                break;
            }
            match followed.ours.charge(followed.ours.ids.next(), 1).await {
                Ok(events) => measured.events += events,
                Err(Miss::Failed(error)) => return Err(error),
                Err(Miss::Conflict) => bail!("a new stream was there already"),
            }
            most = most.max(resident_mib()?);
        }
        let last = followed.ours.log.head(followed.ours.tenant).await?.position;
        measured.latencies = followers.told_until(last.0)?;
        measured.took = began.elapsed();
        measured.cpu = cpu_time()?.saturating_sub(cpu);
        measured.operations = measured.events;
        measured.events *= u64::from(subscribers);
        measured.peak_mib = Some(most);
        measured.grown_mib = Some(most.saturating_sub(idle));
        Ok(measured)
    }
}

/// The company that people follow.
struct Followed {
    served: Served,
    ours: Ours,
}

impl Followed {
    async fn start(world: &World, scratch: &Scratch) -> Result<Self> {
        let served = Served::start(world, scratch).await?;
        let tenant = TenantId(world.ids.next());
        let created = OrganisationCreated {
            name: "Live".to_owned(),
            slug: SLUG.to_owned(),
        };
        let caller = Caller::system(tenant, "bench");
        served.app.commands.create_organisation(caller, created).await?;
        let ours = served.of(world, tenant);
        Ok(Self { served, ours })
    }

    /// An access token of a person of the company, who is there from then on.
    async fn token(&self, number: usize) -> Result<String> {
        let email = format!("follower{number}@bench.test");
        let caller = Caller::system(self.ours.tenant, "bench");
        let key = IdempotencyKey::of_reaction("bench", &email);
        let App { commands, auth, .. } = &self.served.app;
        let written = commands
            .create_user(caller, key, email.clone(), Role::Auditor, StationScope::All)
            .await?;
        if !written.replayed {
            let user: UserId = written.id_of(User::STREAM).parse()?;
            let new = NewPassword {
                password: PASSWORD.to_owned(),
                known: Vec::new(),
            };
            let password = auth.accept_password(new).await?;
            auth.set_password(self.ours.tenant, user, password).await?;
        }
        self.served.sign_in(SLUG, email, PASSWORD).await
    }
}

/// The process of the subscribers, which ends with this.
struct Followers(Beside);

impl Followers {
    /// Starts so many, and waits until all of them follow.
    fn start(served: &Served, subscribers: u32, tokens: &[String]) -> Result<Self> {
        let mut beside = Beside::start(
            "the subscribers",
            Command::new(std::env::current_exe()?)
                .args(["bench-live-clients", "--server", &served.address])
                .args(["--subscribers", &subscribers.to_string()]),
        )?;
        // No token is on a command line, which everybody on the machine can read.
        for token in tokens {
            beside.tell(token)?;
        }
        beside.tell("")?;
        // They wait for nothing without end.
        let ready = beside.line()?;
        ensure!(ready == clients::READY, "the subscribers say {ready}");
        Ok(Self(beside))
    }

    /// Waits until all of them were told of everything up to a position, and says how long each of them waited for each.
    fn told_until(&mut self, position: i64) -> Result<Latencies> {
        let Self(beside) = self;
        beside.tell(position)?;
        let mut latencies = Latencies::default();
        for micros in beside.line()?.split_whitespace() {
            latencies.add(micros.parse()?);
        }
        beside.ended()?;
        Ok(latencies)
    }
}

/// What this program takes in memory now.
fn resident_mib() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("this system does not tell memory")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB"));
    let kib: u64 = kib.context("this system does not tell memory")?.trim().parse()?;
    Ok(kib >> 10)
}
