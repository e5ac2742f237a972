//! A read model as of a moment: folded from the log, in this process, without the rows that are stored.

mod csv;
mod json;
mod key;
mod table;

use std::io::Write;
use std::pin::pin;

use domain::envelope::Position;
use domain::ids::TenantId;
use event_log::EventLog;
use futures::TryStreamExt;
use projections::{ColumnInfo, Folding, Kind, Projection};
use serde_json::Value;

pub use self::key::{BadKey, Which};
use crate::Progress;
use crate::moment::{Place, ReplayError, events};
use crate::personal::Personal;
use crate::text::Screen;

pub(crate) use self::csv::cell as csv_cell;
pub(crate) use self::json::columns as columns_json;
pub(crate) use self::key::{NUMBERS, is_number, key_text, opaque};
pub(crate) use self::table::{INCOMPLETE, detail, plain};

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JSON lines.
    Json,
    /// RFC 4180.
    Csv,
    /// For people, on a screen.
    Table(Screen),
}

/// A read model as it stood.
pub struct Shown {
    /// Its name.
    pub view: &'static str,
    /// Version of the fold that made the rows.
    pub fold_version: i32,
    /// What it is as of.
    pub place: Place,
    /// SHA-256 of all its rows, whichever of them are shown: as [`Folding::checksum`] says.
    pub checksum: [u8; 32],
    columns: Vec<ColumnInfo>,
    folding: Box<dyn Folding>,
    which: Which,
    personal: Personal,
}

/// What is to be shown.
pub struct Question<'a> {
    /// Which read model.
    pub of: &'static dyn Projection,
    /// As of where.
    pub place: Place,
    /// Which of its rows.
    pub which: Which,
    /// Whose data was erased.
    pub personal: Personal,
    /// Who watches.
    pub progress: &'a dyn Progress,
}

/// Events between two calls of who watches.
pub(crate) const TELL_EVERY: i64 = 1_000;

/// Folds a read model up to a place in the log.
///
/// # Errors
/// [`ReplayError`] when the log has a hole or an event that this program cannot read, or does not answer.
pub async fn show(log: &EventLog, tenant: TenantId, question: Question<'_>) -> Result<Shown, ReplayError> {
    let Question {
        of,
        place,
        which,
        personal,
        progress,
    } = question;
    let mut folding = of.folding();
    progress.begins(place.position.0);
    let mut events = pin!(events(log, tenant, of, (Position::START, place.position)).await?);
    while let Some(event) = events.try_next().await? {
        folding.apply(&event)?;
        if event.position.0 % TELL_EVERY == 0 {
            progress.reaches(event.position.0);
        }
    }
    progress.reaches(place.position.0);
    Ok(Shown {
        view: of.name(),
        fold_version: of.fold_version(),
        place,
        checksum: folding.checksum(),
        columns: of.columns(),
        folding,
        which,
        personal,
    })
}

impl Shown {
    /// Whether events are held back that could not be applied: the rows are not all that they should be.
    pub fn is_incomplete(&self) -> bool {
        self.folding.is_incomplete()
    }

    /// How many rows the read model has, shown or not.
    pub fn total(&self) -> u64 {
        self.folding.len()
    }

    /// The rows that are shown, in key order, without personal data.
    pub fn rows(&self) -> impl Iterator<Item = Value> + '_ {
        self.folding
            .rows()
            .filter(|row| self.which.takes(row))
            .map(|row| self.personal.hide(row))
    }

    /// Writes the answer.
    ///
    /// # Errors
    /// [`ReplayError::Write`] when the writer fails.
    pub fn write(&self, format: Format, to: &mut dyn Write) -> Result<(), ReplayError> {
        match format {
            Format::Json => json::write(self, to),
            Format::Csv => csv::write(self, to),
            Format::Table(screen) => table::write(self, screen, to),
        }
    }
}

/// What sort of value a column holds, in a word.
pub(crate) fn type_name(column: &ColumnInfo) -> &'static str {
    match column.kind {
        Some(Kind::Int) if column.name.ends_with("_cents") => "cents",
        Some(Kind::Int) if column.name.ends_with("_ppm") => "ppm",
        Some(Kind::Int) => "integer",
        Some(Kind::Text) => "text",
        Some(Kind::Uuid) => "uuid",
        Some(Kind::Instant) => "instant",
        Some(Kind::Date) => "date",
        None => "value",
    }
}

/// Whether a column holds an amount of money, in cents.
pub(crate) fn is_money(column: &ColumnInfo) -> bool {
    type_name(column) == "cents"
}
