//! `hibachi replay erasures`.

use anyhow::{Result, bail};
use clap::Args;
use replays::VerifyError;
use replays::erasures::{Erasure, ErasuresError, erasures};
use serde_json::{Value, json};

use crate::cli::projections::Bar;
use crate::cli::{Verdict, expect_installation, say, tenant, with_app};
use crate::installation::Location;

/// Verify the log, and check every erasure that it tells of against its receipt.
#[derive(Debug, Args)]
pub(in crate::cli) struct Erasures {
    #[command(flatten)]
    location: Location,
    /// Slug of the company.
    #[arg(long, value_name = "SLUG")]
    org: String,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

impl Erasures {
    pub(in crate::cli) async fn run(self) -> Result<Verdict> {
        expect_installation(&self.location)?;
        with_app(&self.location, async |app| {
            let tenant = tenant(&app, &self.org).await?;
            let bar = Bar::new("erasures");
            let checked = erasures(&app.log, &app.vault, tenant, &bar).await;
            bar.0.finish_and_clear();
            match checked {
                Ok(found) => Ok(self.tell(&found)),
                Err(ErasuresError::Verify(VerifyError::Lie(finding))) => {
                    if self.json {
                        say(json!({ "ok": false, "position": finding.position.0, "finding": finding.to_string() }));
                    } else {
                        say(format_args!("{}: {finding}", self.org));
                    }
                    Ok(Verdict::FoundWrong)
                }
                Err(error) => bail!(error),
            }
        })
        .await
    }

    fn tell(&self, found: &[Erasure]) -> Verdict {
        let well = found.iter().all(|erasure| erasure.findings.is_empty());
        if self.json {
            let erasures: Vec<Value> = found.iter().map(as_json).collect();
            say(json!({ "ok": well, "erasures": erasures }));
        } else {
            found.iter().for_each(tell);
            let count = found.len();
            let said = if well {
                "all as their receipts say"
            } else {
                "not all as their receipts say"
            };
            say(format_args!("{}: {count} erasures, {said}", self.org));
        }
        if well { Verdict::Well } else { Verdict::FoundWrong }
    }
}

fn tell(erasure: &Erasure) {
    say(format_args!(
        "position {}: {} erased on {} by {}; {} keys destroyed, {} values nobody can read",
        erasure.position,
        erasure.of,
        erasure.recorded_at.format("%Y-%m-%d"),
        erasure.actor,
        erasure.receipt.destroyed.len(),
        erasure.values,
    ));
    for finding in &erasure.findings {
        say(format_args!("  {finding}"));
    }
}

fn as_json(erasure: &Erasure) -> Value {
    let findings: Vec<String> = erasure.findings.iter().map(ToString::to_string).collect();
    json!({
        "position": erasure.position.0,
        &*erasure.of.kind: erasure.of.id,
        "recordedAt": erasure.recorded_at,
        "actor": erasure.actor,
        "reason": erasure.receipt.reason,
        "destroyed": erasure.receipt.destroyed,
        "values": erasure.values,
        "findings": findings,
    })
}
