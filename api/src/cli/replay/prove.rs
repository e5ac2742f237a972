//! `hibachi replay prove`.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;
use domain::envelope::Position;
use event_log::Organisation;
use event_log::proof::{HeadSigner, SignedHead};
use replays::{ProveError, SignError, VerifyError};

use super::read_head;
use crate::app::App;
use crate::cli::{Verdict, expect_installation, say, with_installation, write_out};
use crate::installation::Location;

/// Prove that one event is in the log: a file that `hibachi-verifier` checks without the database.
#[derive(Debug, Args)]
pub(in crate::cli) struct Prove {
    #[command(flatten)]
    location: Location,
    /// Slug of the company.
    #[arg(long, value_name = "SLUG")]
    org: String,
    /// Position of the event.
    #[arg(long, value_name = "N")]
    position: i64,
    /// Prove it under this signed head, of the installation's own key, instead of the nearest kept one or, where there is none, one signed now.
    #[arg(long, value_name = "FILE")]
    head: Option<PathBuf>,
    /// Where to write the proof; to the terminal where absent. The file appears whole or not at all.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Prove {
    pub(in crate::cli) async fn run(self) -> Result<Verdict> {
        expect_installation(&self.location)?;
        with_installation(&self.location, async |app, installation| {
            let company = app.organisation(&self.org).await?;
            let signer = HeadSigner::new(&installation.signing_key);
            let position = Position(self.position);
            match self.proof(&app, &company, &signer).await {
                Ok(proof) => {
                    write_out(&proof, self.out.as_deref())?;
                    if self.out.is_some() {
                        say(format_args!(
                            "{}: proved position {position}; check it with hibachi-verifier, under the key {}",
                            self.org,
                            signer.public_key()
                        ));
                    }
                    Ok(Verdict::Well)
                }
                Err(error) => match error.downcast() {
                    Ok(VerifyError::Lie(finding)) => {
                        say(format_args!("{}: not proved: {finding}", self.org));
                        Ok(Verdict::FoundWrong)
                    }
                    Ok(other) => bail!(other),
                    Err(other) => Err(other),
                },
            }
        })
        .await
    }

    async fn proof(&self, app: &App, company: &Organisation, signer: &HeadSigner) -> Result<String> {
        let position = Position(self.position);
        let head = match &self.head {
            Some(file) => {
                let head = read_head(file)?;
                if head.statement.tenant != company.tenant {
                    bail!("{} is the head of another organisation", file.display());
                }
                head.verify(&[signer.public_key()])
                    .with_context(|| format!("{} does not count", file.display()))?;
                head
            }
            None => nearest_head(app, company, signer, position).await?,
        };
        let proof = replays::prove(&app.log, company.tenant, position, &head).await;
        proof.map_err(|error| match error {
            ProveError::Unverified(error) => error.into(),
            other @ (ProveError::NoEvent(_) | ProveError::BeyondHead { .. } | ProveError::TooFar) => {
                other.into()
            }
        })
    }
}

/// The kept head next after a position, of this installation's key; one signed now where there is none.
async fn nearest_head(
    app: &App,
    company: &Organisation,
    signer: &HeadSigner,
    position: Position,
) -> Result<SignedHead> {
    let key = signer.public_key();
    let kept = app.log.signed_head_from(company.tenant, position).await?;
    if let Some(kept) = kept.filter(|kept| kept.verify(&[key]).is_ok()) {
        return Ok(kept);
    }
    let signed = replays::sign_head(&app.log, company, signer, app.clock.now(), &()).await;
    signed.map_err(|error| match error {
        SignError::Unverified(error) => error.into(),
        SignError::Empty => SignError::Empty.into(),
    })
}
