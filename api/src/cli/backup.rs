//! `hibachi backup`.

use anyhow::Result;
use clap::{Args, Subcommand};

use super::{Verdict, expect_installation, note};
use crate::doctor;
use crate::installation::Location;

/// What is known of backups.
#[derive(Debug, Subcommand)]
pub(super) enum Backup {
    /// Write down that a backup has just been made: the last line of whatever makes it. `hibachi doctor` goes by it.
    Mark(Mark),
}

#[derive(Debug, Args)]
pub(super) struct Mark {
    #[command(flatten)]
    location: Location,
}

impl Backup {
    pub(super) fn run(self) -> Result<Verdict> {
        let Self::Mark(Mark { location }) = self;
        expect_installation(&location)?;
        doctor::write_mark(&location.data_dir, doctor::now())?;
        note("it is written down that a backup was made now");
        Ok(Verdict::Well)
    }
}
