//! `hibachi replay sign-head`.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use event_log::proof::HeadSigner;
use replays::{SignError, VerifyError};

use crate::cli::projections::Bar;
use crate::cli::{Verdict, expect_installation, say, with_installation, write_out};
use crate::installation::Location;

/// Check the log since the last kept head, sign its head now, and write it to a file to be kept elsewhere.
#[derive(Debug, Args)]
pub(in crate::cli) struct SignHead {
    #[command(flatten)]
    location: Location,
    /// Slug of the company.
    #[arg(long, value_name = "SLUG")]
    org: String,
    /// Where to write the signed head. The file appears whole or not at all.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl SignHead {
    pub(in crate::cli) async fn run(self) -> Result<Verdict> {
        expect_installation(&self.location)?;
        with_installation(&self.location, async |app, installation| {
            let company = app.organisation(&self.org).await?;
            let signer = HeadSigner::new(&installation.signing_key);
            let bar = Bar::new("sign-head");
            let signed = replays::sign_head(&app.log, &company, &signer, app.clock.now(), &bar).await;
            bar.0.finish_and_clear();
            match signed {
                Ok(head) => {
                    write_out(&head.to_json(), Some(&self.out))?;
                    say(format_args!(
                        "{}: signed the head of position {}, block {}, under the key {}",
                        self.org, head.statement.position, head.statement.block, head.key_id
                    ));
                    say(format_args!("public key {}", head.public_key));
                    Ok(Verdict::Well)
                }
                Err(SignError::Unverified(VerifyError::Lie(finding))) => {
                    say(format_args!("{}: not signed: {finding}", self.org));
                    Ok(Verdict::FoundWrong)
                }
                Err(error) => bail!(error),
            }
        })
        .await
    }
}
