//! How replays answer: in which format, to where.

use std::io::{BufWriter, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use domain::ids::TenantId;
use projections::{Projection, registry};
use replays::moment::ReplayError;
use replays::show::{Format, Which};
use replays::text::{Colour, Screen};

use crate::app::App;
use crate::cli::{Verdict, expect_installation, note, tenant, with_app};
use crate::installation::Location;

/// What every replay of a company takes.
#[derive(Debug, Args)]
pub(super) struct Company {
    #[command(flatten)]
    location: Location,
    /// Slug of the company.
    #[arg(long, value_name = "SLUG")]
    org: String,
}

impl Company {
    /// Runs a command over the company.
    pub(super) async fn with<T>(&self, work: impl AsyncFnOnce(&App, TenantId) -> Result<T>) -> Result<T> {
        expect_installation(&self.location)?;
        with_app(&self.location, async |app| {
            let tenant = tenant(&app, &self.org).await?;
            work(&app, tenant).await
        })
        .await
    }
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Form {
    /// For people: fits the terminal, amounts in dollars.
    Table,
    /// JSON lines: the first says what the answer is.
    Json,
    /// RFC 4180: the last records say what the answer is.
    Csv,
}

/// How a story is written: it has no columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum StoryForm {
    /// For people: fits the terminal.
    Table,
    /// JSON lines: the first says whose story it is.
    Json,
}

impl From<StoryForm> for Form {
    fn from(form: StoryForm) -> Self {
        match form {
            StoryForm::Table => Self::Table,
            StoryForm::Json => Self::Json,
        }
    }
}

/// Where the answer goes to.
#[derive(Debug, Args)]
pub(super) struct Target {
    /// A file to write it to, whole or not at all; the terminal where absent.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Columns of a line where nothing says how many there are.
const USUAL_WIDTH: usize = 80;
/// Columns below which nothing would be readable.
const LEAST_WIDTH: usize = 40;

impl Target {
    /// The format, with what is known of the screen.
    pub(super) fn format(&self, form: Form) -> Format {
        match form {
            Form::Json => Format::Json,
            Form::Csv => Format::Csv,
            Form::Table => Format::Table(self.screen()),
        }
    }

    fn screen(&self) -> Screen {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let terminal = self.out.is_none() && std::io::stdout().is_terminal();
        let dumb = set("TERM").is_some_and(|term| term == "dumb");
        let colour = if terminal && !dumb && set("NO_COLOR").is_none() {
            Colour::Ansi
        } else {
            Colour::Plain
        };
        let size = terminal.then(|| console::Term::stdout().size_checked()).flatten();
        let told = || set("COLUMNS").and_then(|columns| columns.parse().ok());
        let width = size.map(|(_, columns)| usize::from(columns)).or_else(told);
        Screen {
            width: width.unwrap_or(USUAL_WIDTH).max(LEAST_WIDTH),
            colour,
        }
    }

    /// Writes an answer. A file appears whole or not at all.
    pub(super) fn write(&self, answer: impl FnOnce(&mut dyn Write) -> Result<(), ReplayError>) -> Result<()> {
        match &self.out {
            None => to_terminal(answer),
            Some(path) => {
                let beside = path.with_extension(format!("{}.part", std::process::id()));
                to_file(&beside, answer)
                    .and_then(|()| Ok(std::fs::rename(&beside, path)?))
                    .inspect_err(|_| {
                        // It may not be there; what is said is why the file is not.
                        std::fs::remove_file(&beside).ok();
                    })
                    .with_context(|| format!("cannot write {}", path.display()))
            }
        }
    }
}

fn to_file(path: &Path, answer: impl FnOnce(&mut dyn Write) -> Result<(), ReplayError>) -> Result<()> {
    let mut file = BufWriter::new(std::fs::File::create(path)?);
    answer(&mut file)?;
    file.into_inner()?.sync_all()?;
    Ok(())
}

/// Whoever has read enough may close the pipe.
fn to_terminal(answer: impl FnOnce(&mut dyn Write) -> Result<(), ReplayError>) -> Result<()> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    let written = answer(&mut out).and_then(|()| Ok(out.flush()?));
    match written {
        Err(ReplayError::Write(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// The read model of a name.
pub(super) fn view(name: &str) -> Result<&'static dyn Projection> {
    let found = registry().iter().find(|projection| projection.name() == name);
    let Some(found) = found else {
        let names: Vec<&str> = registry().iter().map(|projection| projection.name()).collect();
        bail!("there is no read model {name}; there are: {}", names.join(", "));
    };
    Ok(*found)
}

/// The rows of a read model that a key asks for; all of them where there is none.
pub(super) fn which(of: &dyn Projection, key: Option<&str>) -> Result<Which> {
    Ok(match key {
        None => Which::All,
        Some(key) => Which::parse(key, of.name(), &of.columns())?,
    })
}

/// What an answer comes to, said where its rows are not all that they should be.
pub(super) fn verdict(view: &str, is_incomplete: bool) -> Verdict {
    if !is_incomplete {
        return Verdict::Well;
    }
    note(format_args!(
        "{view}: events are held back that could not be applied; the rows are not all that they should be"
    ));
    Verdict::FoundWrong
}
