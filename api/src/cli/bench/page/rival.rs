//! PostGraphile, over the tables of the same scratch database.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use domain::ids::TenantId;
use sqlx::{ConnectOptions, Executor};

use crate::cli::bench::beside::Beside;
use crate::cli::bench::world::World;
use crate::installation::Scratch;

/// The peer's name.
pub(super) const NAME: &str = "postgraphile";

/// What a read model's tables do not say of themselves, and PostGraphile goes by.
const RELATIONS: &str = include_str!("relations.sql");

/// The rival's process, which ends with this.
pub(super) struct PostGraphile {
    pub(super) address: String,
    _process: Beside,
}

impl PostGraphile {
    /// Tells the database how the tables belong together, and starts it as their owner, past row-level security.
    pub(super) async fn start(program: &Path, world: &World, scratch: &Scratch) -> Result<Self> {
        world.owner.execute(RELATIONS).await?;
        let started = Beside::start(
            "the rival",
            Command::new(program)
                .env("DATABASE_URL", scratch.database.to_url_lossy().as_str())
                .env("NODE_ENV", "production"),
        );
        let mut process = started.with_context(|| format!("{} cannot be started", program.display()))?;
        let line = process.line()?;
        let address = line.strip_prefix("ready ");
        Ok(Self {
            address: address
                .with_context(|| format!("the rival says {line:?}"))?
                .to_owned(),
            _process: process,
        })
    }

    /// What is asked: the same page as ours, by what its columns are called here. What is sealed is given out as it is.
    pub(super) async fn query(world: &World, tenant: TenantId) -> Result<String> {
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
