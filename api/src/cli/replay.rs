//! `hibachi replay`.

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use replays::{VerifyError, verify};
use serde_json::json;

use super::projections::Bar;
use super::{Verdict, say, tenant, with_app};
use crate::installation::Location;

/// Prove and replay the log.
#[derive(Debug, Subcommand)]
pub(super) enum Replay {
    /// Walk the log, recompute every hash, and name the first lie.
    Verify(Verify),
}

#[derive(Debug, Args)]
pub(super) struct Verify {
    #[command(flatten)]
    location: Location,
    /// Slug of the company.
    #[arg(long, value_name = "SLUG")]
    org: String,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
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
        let Self::Verify(ask) = self;
        with_app(&ask.location, async |app| {
            let tenant = tenant(&app, &ask.org).await?;
            let bar = Bar::new("verify");
            let walked = verify(&app.log, tenant, &bar).await;
            bar.0.finish_and_clear();
            match walked {
                Ok(verified) => {
                    let hash: String = hex::encode(verified.head.block_hash);
                    if ask.json {
                        say(json!({ "ok": true, "events": verified.events, "blocks": verified.blocks, "head": hash }));
                    } else {
                        say(format_args!(
                            "{}: {} events in {} blocks are as they were written; head {hash}",
                            ask.org, verified.events, verified.blocks
                        ));
                    }
                    Ok(Verdict::Well)
                }
                Err(VerifyError::Lie(finding)) => {
                    if ask.json {
                        say(json!({ "ok": false, "position": finding.position.0, "finding": finding.to_string() }));
                    } else {
                        say(format_args!("{}: {finding}", ask.org));
                    }
                    Ok(Verdict::FoundWrong)
                }
                Err(error) => bail!(error),
            }
        })
        .await
    }
}
