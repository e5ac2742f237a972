//! `hibachi doctor`.

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::{Verdict, expect_installation, say};
use crate::app::App;
use crate::doctor::{self, Finding, State};
use crate::installation::{Installation, Location};

/// Look whether all is well, and say what to do where it is not. Exit code 1 when something is wrong.
#[derive(Debug, Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    location: Location,
    /// One JSON object, for programs.
    #[arg(long)]
    json: bool,
}

impl Doctor {
    pub(super) async fn run(self) -> Result<Verdict> {
        expect_installation(&self.location)?;
        let has_server_here = self.location.database_url.is_none();
        let mut findings = doctor::look_around(&self.location.data_dir, has_server_here, doctor::now());
        findings.extend(self.examine().await);
        let worst = findings.iter().map(|finding| finding.state).max();
        let is_well = worst < Some(State::Wrong);
        if self.json {
            say(json!({ "ok": is_well, "findings": findings }));
        } else {
            findings.iter().for_each(line);
        }
        Ok(if is_well {
            Verdict::Well
        } else {
            Verdict::FoundWrong
        })
    }

    /// What the database tells, or that it does not.
    async fn examine(&self) -> Vec<Finding> {
        let opened = async {
            let installation = Installation::open(&self.location).await?;
            let app = App::connect(&installation).await?;
            let found = doctor::examine(&app, &self.location.data_dir).await;
            app.database.close().await;
            installation.close().await?;
            found
        };
        opened
            .await
            .unwrap_or_else(|error| vec![doctor::out_of_reach(&error)])
    }
}

fn line(finding: &Finding) {
    let word = match finding.state {
        State::Well => "well",
        State::Unknown => "unknown",
        State::Warning => "WARNING",
        State::Wrong => "WRONG",
    };
    say(format_args!("{word:<8} {:<12} {}", finding.check, finding.found));
    if let Some(to_do) = &finding.to_do {
        say(format_args!("{:<21} → {to_do}", ""));
    }
}
