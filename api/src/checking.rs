//! Read models held against their log, a few rows of one company at a time, for as long as the program runs.

use std::time::Duration;

use domain::ids::TenantId;
use event_log::Database;
use projections::{Extent, ProjectionError, ReadModels, Sample, Unwatched, registry};
use tokio::sync::watch;

use crate::app::App;
use crate::signing::interval;

/// Rows of each read model that are compared in a turn.
const ROWS: u32 = 20;
/// The pause after each thousand events that a turn folds, and between two read models: others come first.
const PAUSE: Duration = Duration::from_millis(20);

/// How often read models are compared with their log.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct CheckEvery {
    /// How often some rows of one company, drawn at random, are compared with its log: 30s, 10m, 1h, 7d.
    #[arg(
        long,
        value_name = "TIME",
        env = "HIBACHI_CHECK_EVERY",
        default_value = "10m",
        value_parser = interval
    )]
    pub check_every: Duration,
}

impl CheckEvery {
    /// The program, comparing its read models.
    pub fn by(&self, app: App) -> App {
        App {
            check_every: Some(self.check_every),
            ..app
        }
    }
}

/// A number that nobody can foresee; none where the operating system gives none.
pub(crate) fn random_seed() -> Option<u64> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).ok()?;
    Some(u64::from_ne_bytes(bytes))
}

/// Compares rows until told to stop. What differs is logged and remembered where it is found.
pub(crate) async fn check_until(
    views: ReadModels,
    database: Database,
    every: Duration,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        tokio::select! {
            () = turn(&views, &database) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// One company, drawn at random, its read models one after the other.
async fn turn(views: &ReadModels, database: &Database) {
    let Some(seed) = random_seed() else {
        return tracing::warn!("nothing was compared: the operating system gives no randomness");
    };
    let companies = match database.organisations().await {
        Ok(companies) => companies,
        Err(error) => return tracing::warn!(%error, "nothing was compared: the companies cannot be read"),
    };
    let drawn = u64::try_from(companies.len()).unwrap_or_default().max(1);
    let drawn = usize::try_from(seed % drawn).unwrap_or_default();
    if let Some(company) = companies.get(drawn) {
        check(views, company.tenant, seed).await;
    }
}

async fn check(views: &ReadModels, tenant: TenantId, seed: u64) {
    let sample = Sample {
        keys: ROWS,
        seed,
        pause: PAUSE,
    };
    for projection in registry() {
        let name = projection.name();
        match projection
            .check_as(views, tenant, Extent::Sample(sample), &Unwatched)
            .await
        {
            Ok(checked) => tracing::debug!(
                %tenant, projection = name, rows = checked.rows, differing = checked.differing, seed, "compared"
            ),
            // Rows of another version are not this program's to judge.
            Err(ProjectionError::NewerFold { .. }) => {}
            Err(error) => tracing::warn!(%tenant, projection = name, %error, "a read model was not compared"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}
