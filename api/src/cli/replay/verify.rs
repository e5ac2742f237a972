//! `hibachi replay verify`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use domain::ids::TenantId;
use event_log::proof::{HeadSigner, PublicKey};
use replays::independent::{Compared, Disagreement};
use replays::{Finding, Trust, Verified, VerifyError, verify_against, verify_claims, verify_references};
use serde_json::json;

use super::{independent, read_head};
use crate::app::App;
use crate::cli::projections::Bar;
use crate::cli::{Verdict, expect_installation, say, tenant, with_installation};
use crate::installation::{Installation, Location};

/// Walk the log, recompute every hash, and name the first lie.
#[derive(Debug, Args)]
pub(in crate::cli) struct Verify {
    #[command(flatten)]
    location: Location,
    /// Slug of the company.
    #[arg(long, value_name = "SLUG")]
    org: String,
    /// Hold the log to a signed head that was kept elsewhere; may be given several times.
    #[arg(long, value_name = "HEADFILE")]
    against: Vec<PathBuf>,
    /// Trust signatures of this key instead of the installation's own: 64 hexadecimal digits, or a file that holds
    /// them; may be given several times.
    #[arg(long, value_name = "FILE|HEX")]
    public_key: Vec<String>,
    /// Read every aggregate a second time, through postgres-es, and compare what comes of it.
    #[arg(long)]
    independent: bool,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub(in crate::cli) async fn run(self) -> Result<Verdict> {
        expect_installation(&self.location)?;
        with_installation(&self.location, async |app, installation| {
            let tenant = tenant(&app, &self.org).await?;
            let trust = self.trust(installation)?;
            match walk(&app, tenant, &trust).await {
                Ok((verified, claims)) => {
                    let compared = match self.read_again(&app, tenant, installation).await? {
                        Ok(compared) => compared,
                        Err(found) => {
                            self.say_disagreement(&found);
                            return Ok(Verdict::FoundWrong);
                        }
                    };
                    self.say_well(&verified, claims, &trust, compared.as_ref());
                    Ok(Verdict::Well)
                }
                Err(VerifyError::Lie(finding)) => {
                    self.say_lie(&finding);
                    Ok(Verdict::FoundWrong)
                }
                Err(error) => bail!(error),
            }
        })
        .await
    }

    /// Whose signatures count. A key that comes with a head never does.
    fn trust(&self, installation: &Installation) -> Result<Trust> {
        let own = HeadSigner::new(&installation.signing_key).public_key();
        let given: Vec<PublicKey> = self
            .public_key
            .iter()
            .map(|key| public_key(key))
            .collect::<Result<_>>()?;
        let heads = self.against.iter().map(|file| read_head(file));
        Ok(Trust {
            keys: if given.is_empty() { vec![own] } else { given },
            heads: heads.collect::<Result<_>>()?,
        })
    }

    /// What the independent reader makes of the log, where it was asked for.
    async fn read_again(
        &self,
        app: &App,
        tenant: TenantId,
        installation: &Installation,
    ) -> Result<Result<Option<Compared>, Disagreement>> {
        if !self.independent {
            return Ok(Ok(None));
        }
        let compared = independent::read_again(app, tenant, &installation.address).await?;
        Ok(compared.map(Some))
    }

    fn say_well(&self, verified: &Verified, claims: usize, trust: &Trust, compared: Option<&Compared>) {
        let hash = hex::encode(verified.head.block_hash);
        let keys: Vec<String> = trust
            .keys
            .iter()
            .map(|key| key.fingerprint().to_string())
            .collect();
        if self.json {
            return say(json!({
                "ok": true, "events": verified.events, "blocks": verified.blocks, "head": hash, "claims": claims,
                "signed_heads": verified.signed_heads, "heads_of_other_keys": verified.heads_of_other_keys,
                "trusted_keys": keys, "independent": compared.map(independent::in_json),
            }));
        }
        say(format_args!(
            "{}: {} events in {} blocks are as they were written; head {hash}",
            self.org, verified.events, verified.blocks
        ));
        let whose = if self.public_key.is_empty() {
            "this installation's own"
        } else {
            "given"
        };
        say(format_args!(
            "held to {} signed heads, trusting the key {} ({whose}); {} kept heads of other keys left aside",
            verified.signed_heads,
            keys.join(", "),
            verified.heads_of_other_keys
        ));
        say(format_args!("{claims} claims are held as the events have it"));
        if let Some(compared) = compared {
            say(independent::in_words(compared));
        }
    }

    fn say_disagreement(&self, found: &Disagreement) {
        if self.json {
            say(json!({ "ok": false, "stream": found.stream.to_string(), "finding": found.to_string() }));
        } else {
            say(format_args!("{}: {found}", self.org));
        }
    }

    fn say_lie(&self, finding: &Finding) {
        if self.json {
            say(json!({
                "ok": false, "position": finding.position.0, "lie": finding.what.name(), "finding": finding.to_string(),
            }));
        } else {
            say(format_args!("{}: {finding}", self.org));
        }
    }
}

async fn walk(app: &App, tenant: TenantId, trust: &Trust) -> Result<(Verified, usize), VerifyError> {
    let bar = Bar::new("verify");
    let verified = verify_against(&app.log, tenant, trust, &bar).await;
    bar.0.finish_and_clear();
    let verified = verified?;
    verify_references(&app.log, tenant, verified.head.position).await?;
    let bar = Bar::new("claims");
    let claims = verify_claims(&app.log, tenant, &bar).await;
    bar.0.finish_and_clear();
    Ok((verified, claims?))
}

pub(super) fn public_key(given: &str) -> Result<PublicKey> {
    if let Ok(key) = given.parse() {
        return Ok(key);
    }
    let text = std::fs::read_to_string(Path::new(given))
        .with_context(|| format!("{given} is neither 64 hexadecimal digits nor a file that can be read"))?;
    text.parse()
        .with_context(|| format!("{given} holds no public key"))
}
