//! Programs that run beside a measurement, in processes of their own.

use std::fmt::Display;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, ensure};
use tokio::task::block_in_place;

/// A process that is told lines and says some, and ends with this.
pub(super) struct Beside {
    who: &'static str,
    child: Child,
    tell: ChildStdin,
    told: BufReader<ChildStdout>,
}

impl Drop for Beside {
    fn drop(&mut self) {
        // One that has ended by itself cannot be ended.
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            tracing::warn!(%error, "{} cannot be ended", self.who);
        }
    }
}

impl Beside {
    /// Starts it. Errors say who it is.
    pub(super) fn start(who: &'static str, command: &mut Command) -> Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let tell = child.stdin.take().context("it has an input")?;
        let told = BufReader::new(child.stdout.take().context("it has an output")?);
        Ok(Self {
            who,
            child,
            tell,
            told,
        })
    }

    /// Tells it a line.
    pub(super) fn tell(&mut self, line: impl Display) -> Result<()> {
        writeln!(self.tell, "{line}")?;
        Ok(())
    }

    /// What it says next.
    pub(super) fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        let bytes = block_in_place(|| self.told.read_line(&mut line))?;
        ensure!(bytes > 0, "{} ended too early", self.who);
        Ok(line.trim_end().to_owned())
    }

    /// Waits until it has ended by itself.
    pub(super) fn ended(&mut self) -> Result<()> {
        let ended = block_in_place(|| self.child.wait())?;
        ensure!(ended.success(), "{} did not end well", self.who);
        Ok(())
    }
}
