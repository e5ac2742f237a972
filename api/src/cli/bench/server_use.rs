//! What the server was busy with, as far as it is on this machine.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::Result;

use super::world::World;

/// What a server has done, since it was started or between two looks.
#[derive(Debug, Clone, Default)]
pub(super) struct ServerUse {
    /// Processor time of each of its processes, by number; none where they are on another machine.
    processes: HashMap<i32, Duration>,
    /// Transactions in this database.
    pub(super) transactions: u64,
}

impl ServerUse {
    /// Looks at it now.
    pub(super) async fn now(world: &World) -> Result<Self> {
        let transactions: i64 = sqlx::query_scalar(
            "select xact_commit + xact_rollback from pg_stat_database where datname = current_database()",
        )
        .fetch_one(&world.owner)
        .await?;
        let pids: Vec<i32> = sqlx::query_scalar("select pid from pg_stat_activity")
            .fetch_all(&world.owner)
            .await?;
        let processes = pids.into_iter().filter_map(|pid| Some((pid, on_processor(pid)?)));
        Ok(Self {
            processes: processes.collect(),
            transactions: transactions.unsigned_abs(),
        })
    }

    /// What it has done since an earlier look. Processes that have ended are left out.
    pub(super) fn since(&self, earlier: &Self) -> Self {
        let spent = |(pid, time): (&i32, &Duration)| {
            let before = earlier.processes.get(pid).copied().unwrap_or_default();
            (*pid, time.saturating_sub(before))
        };
        Self {
            processes: self.processes.iter().map(spent).collect(),
            transactions: self.transactions.saturating_sub(earlier.transactions),
        }
    }

    /// Processor time of all its processes.
    pub(super) fn cpu(&self) -> Duration {
        self.processes.values().sum()
    }
}

/// How long a process of the server has been on a processor: the first number in its file, in nanoseconds.
fn on_processor(pid: i32) -> Option<Duration> {
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    if !name.starts_with("postgres") {
        return None;
    }
    let text = std::fs::read_to_string(format!("/proc/{pid}/schedstat")).ok()?;
    let nanos = text.split_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanos))
}
