//! `hibachi replay import`.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Result, bail};
use clap::Args;
use domain::envelope::Position;
use replays::bundle::{Checked, ImportError, Imported, Keys, Sound, check_bundle, import_bundle};

use super::bundle::rate;
use super::check_bundle::{Trusted, tell_damages};
use crate::app::App;
use crate::cli::projections::Bar;
use crate::cli::{Verdict, say, with_app};
use crate::installation::Location;

/// Check a bundle, and bring its log into this installation, where its company is not. Taken up where it was killed.
#[derive(Debug, Args)]
pub(in crate::cli) struct Import {
    /// The bundle.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    #[command(flatten)]
    location: Location,
    #[command(flatten)]
    trusted: Trusted,
    /// Slug to find the company under, instead of its own.
    #[arg(long, value_name = "SLUG")]
    as_slug: Option<String>,
    /// Leave the keys aside: everything personal stays sealed for ever, as if all persons had been erased.
    #[arg(long)]
    without_keys: bool,
}

impl Import {
    pub(in crate::cli) async fn run(self) -> Result<Verdict> {
        if !self.directory.is_dir() {
            bail!("there is no bundle at {}", self.directory.display());
        }
        let trust = self.trusted.trust()?;
        let bar = Bar::new("check-bundle");
        let Checked { damages, sound } = check_bundle(&self.directory, &trust, &bar).await;
        bar.0.finish_and_clear();
        let Some(sound) = sound else {
            tell_damages(&damages);
            return Ok(Verdict::FoundWrong);
        };
        if sound.manifest.keys.is_none() && !self.without_keys {
            bail!(ImportError::NoKeys);
        }
        with_app(&self.location, async |app| self.import(&app, &sound).await).await
    }

    async fn import(&self, app: &App, sound: &Sound) -> Result<Verdict> {
        let keys = if self.without_keys {
            Keys::Without
        } else {
            Keys::With(&app.vault)
        };
        let started = Instant::now();
        let bar = Bar::new("import");
        let slug = self.as_slug.as_deref();
        let imported = import_bundle(&app.log, sound, slug, keys, app.clock.now(), &bar).await;
        bar.0.finish_and_clear();
        let Imported {
            organisation,
            position,
            taken_up_at,
            sealed_for_ever,
        } = imported?;
        if taken_up_at > Position::START {
            say(format_args!("taken up after position {taken_up_at}"));
        }
        say(format_args!(
            "{}: {position} events are here, up to the head {}; {} events/s",
            organisation.slug,
            hex::encode(sound.manifest.head().block_hash),
            rate(
                sound.manifest.events - taken_up_at.0.unsigned_abs(),
                started.elapsed()
            )
        ));
        if self.without_keys {
            say(format_args!(
                "without keys: what is personal of {sealed_for_ever} persons stays sealed for ever"
            ));
        }
        Ok(Verdict::Well)
    }
}
