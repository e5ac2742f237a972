//! PostGraphile, over the tables of the same scratch database.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use domain::ids::TenantId;
use sqlx::{ConnectOptions, Executor};
use tokio::task::block_in_place;

use crate::cli::bench::world::World;
use crate::installation::Scratch;

/// The peer's name.
pub(super) const NAME: &str = "postgraphile";

/// What a read model's tables do not say of themselves, and PostGraphile goes by.
const RELATIONS: &str = include_str!("relations.sql");

/// The rival's process, which ends with this.
pub(super) struct PostGraphile {
    pub(super) address: String,
    child: Child,
}

impl Drop for PostGraphile {
    fn drop(&mut self) {
        // One that has ended by itself cannot be ended.
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            tracing::warn!(%error, "the rival cannot be ended");
        }
    }
}

impl PostGraphile {
    /// Tells the database how the tables belong together, and starts it as their owner, past row-level security.
    pub(super) async fn start(program: &Path, world: &World, scratch: &Scratch) -> Result<Self> {
        world.owner.execute(RELATIONS).await?;
        let mut child = Command::new(program)
            .env("DATABASE_URL", scratch.database.to_url_lossy().as_str())
            .env("NODE_ENV", "production")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{} cannot be started", program.display()))?;
        let said = child.stdout.take().context("it has an output")?;
        let mut started = Self {
            address: String::new(),
            child,
        };
        let mut line = String::new();
        block_in_place(|| BufReader::new(said).read_line(&mut line))?;
        let address = line.trim_end().strip_prefix("ready ");
        started.address = address
            .with_context(|| format!("the rival says {line:?}"))?
            .to_owned();
        Ok(started)
    }

    /// What is asked: the same page as ours, by what its columns are called here. What is sealed is given out as it is.
    pub(super) async fn query(&self, world: &World, tenant: TenantId) -> Result<String> {
        let generation: i32 =
            sqlx::query_scalar("select max(generation) from booking_list where tenant_id = $1")
                .bind(tenant.0)
                .fetch_one(&world.owner)
                .await?;
        Ok(format!(
            "query($after: Cursor) {{ allBookingLists(first: 50, after: $after,
                condition: {{ tenantId: \"{tenant}\", generation: {generation} }},
                orderBy: [START_UTC_DESC, BOOKING_ID_DESC]) {{ nodes {{
                number status startLocal zone totalCents customer {{ name email }} cooks(first: 10) {{ nodes {{ name }} }}
                payments(first: 5, orderBy: [RECORDED_AT_DESC]) {{ nodes {{ kind status amountCents }} }}
                trail(first: 10) {{ nodes {{ summary recordedAt actorKind }} }} }}
                pageInfo {{ hasNextPage endCursor }} }} }}"
        ))
    }
}
