//! `hibachi replay`.

mod erasures;
mod independent;
mod prove;
mod sign_head;
mod verify;

use std::path::Path;

use anyhow::{Context, Result};
use clap::Subcommand;
use event_log::proof::SignedHead;

use super::Verdict;
use super::projections::Bar;

/// Prove and replay the log.
#[derive(Debug, Subcommand)]
pub(super) enum Replay {
    /// Walk the log, recompute every hash, and name the first lie.
    Verify(verify::Verify),
    /// Check the log since the last kept head, sign its head now, and write it to a file to be kept elsewhere.
    SignHead(sign_head::SignHead),
    /// Prove that one event is in the log: a file that `hibachi-verifier` checks without the database.
    Prove(prove::Prove),
    /// Verify the log, and check every erasure that it tells of against its receipt.
    Erasures(erasures::Erasures),
}

impl replays::Progress for Bar {
    fn begins(&self, events: i64) {
        self.0.set_length(events.unsigned_abs());
    }
    fn reaches(&self, events: i64) {
        self.0.set_position(events.unsigned_abs());
    }
}

impl Replay {
    pub(super) async fn run(self) -> Result<Verdict> {
        match self {
            Self::Verify(verify) => verify.run().await,
            Self::SignHead(sign_head) => sign_head.run().await,
            Self::Prove(prove) => prove.run().await,
            Self::Erasures(erasures) => erasures.run().await,
        }
    }
}

fn read_head(file: &Path) -> Result<SignedHead> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    SignedHead::from_json(&text).with_context(|| format!("{} does not count", file.display()))
}
