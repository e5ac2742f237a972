//! `hibachi replay bundle`.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::Args;
use event_log::proof::HeadSigner;
use replays::VerifyError;
use replays::bundle::{ExportError, Exported, Exporter, FileEntry};

use crate::cli::projections::Bar;
use crate::cli::{Verdict, expect_installation, say, with_installation};
use crate::installation::Location;

/// Verify the log, and write the whole of it to a directory that can be checked, and imported, elsewhere.
#[derive(Debug, Args)]
pub(in crate::cli) struct Bundle {
    #[command(flatten)]
    location: Location,
    /// Slug of the company.
    #[arg(long, value_name = "SLUG")]
    org: String,
    /// Where to write it: a directory that is not there or empty. It appears whole or not at all.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Put the keys of personal data in, as the master key wraps them: for a move. Without them what is personal stays
    /// sealed in the bundle.
    #[arg(long)]
    with_keys: bool,
}

impl Bundle {
    pub(in crate::cli) async fn run(self) -> Result<Verdict> {
        expect_installation(&self.location)?;
        with_installation(&self.location, async |app, installation| {
            let organisation = app.organisation(&self.org).await?;
            let signer = HeadSigner::new(&installation.signing_key);
            let exporter = Exporter {
                log: &app.log,
                organisation: &organisation,
                signer: &signer,
                program: concat!("hibachi ", env!("CARGO_PKG_VERSION")),
                keys: self.with_keys.then_some(&*app.vault),
                now: app.clock.now(),
            };
            let started = Instant::now();
            let bar = Bar::new("bundle");
            let written = exporter.write(&self.out, &bar).await;
            bar.0.finish_and_clear();
            match written {
                Ok(exported) => {
                    self.tell(&exported, &signer, started.elapsed());
                    Ok(Verdict::Well)
                }
                Err(ExportError::Unverified(VerifyError::Lie(finding))) => {
                    say(format_args!("{}: no bundle: {finding}", self.org));
                    Ok(Verdict::FoundWrong)
                }
                Err(error) => bail!(error),
            }
        })
        .await
    }

    fn tell(&self, Exported { directory, manifest }: &Exported, signer: &HeadSigner, took: Duration) {
        let bytes: u64 = manifest.files.iter().map(|file: &FileEntry| file.bytes).sum();
        say(format_args!(
            "{}: {} events in {} blocks, up to the head {}",
            self.org,
            manifest.events,
            manifest.blocks,
            hex::encode(manifest.head().block_hash)
        ));
        say(format_args!(
            "{}: {} files, {bytes} bytes; {} events/s",
            directory.display(),
            manifest.files.len() + 2,
            rate(manifest.events, took)
        ));
        match manifest.keys {
            Some(keys) => say(format_args!(
                "{keys} keys, wrapped: who has the master key opens them"
            )),
            None => say("no keys: what is personal stays sealed"),
        }
        say(format_args!(
            "signed by the key {}, whose public key is {}: give it to whoever checks",
            signer.public_key().fingerprint(),
            signer.public_key()
        ));
    }
}

/// Events per second.
pub(super) fn rate(events: u64, took: Duration) -> u128 {
    u128::from(events) * 1_000_000 / took.as_micros().max(1)
}
