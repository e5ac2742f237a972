//! `hibachi replay`.

mod bundle;
mod check_bundle;
mod diff;
mod erasures;
mod history;
mod import;
mod independent;
mod output;
mod prove;
mod show;
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
    /// Show a read model as it stood at any time.
    Show(show::Show),
    /// Show what changed in a read model between two times, and the events that changed it.
    Diff(diff::Diff),
    /// Tell the story of one booking, or of anything else, event by event, with its state before and after.
    History(history::History),
    /// Verify the log, and write the whole of it to a directory that can be checked, and imported, elsewhere.
    Bundle(bundle::Bundle),
    /// Verify a bundle without any database: its files, hashes, chain and signatures, and the read models folded from it.
    CheckBundle(check_bundle::CheckBundle),
    /// Check a bundle, and bring its log into this installation, where its company is not.
    Import(import::Import),
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
            Self::Show(show) => show.run().await,
            Self::Diff(diff) => diff.run().await,
            Self::History(history) => history.run().await,
            Self::Bundle(bundle) => bundle.run().await,
            Self::CheckBundle(check_bundle) => check_bundle.run().await,
            Self::Import(import) => import.run().await,
        }
    }
}

fn read_head(file: &Path) -> Result<SignedHead> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    SignedHead::from_json(&text).with_context(|| format!("{} does not count", file.display()))
}
