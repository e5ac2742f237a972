//! What changed in a read model between two moments, and the events that changed it: one pass over the log for both.

mod csv;
mod json;
mod text;

use std::collections::HashMap;
use std::io::Write;
use std::pin::pin;

use domain::envelope::{Position, StoredEvent};
use domain::ids::TenantId;
use domain::recorded::Recorded;
use event_log::EventLog;
use futures::TryStreamExt;
use projections::audit_trail::AuditTrail;
use projections::{ColumnInfo, Fold, Folding, Projection, ProjectionError, Touched};
use serde_json::Value;

pub(crate) use self::json::entry as entry_json;
pub(crate) use self::text::actor;
use crate::Progress;
use crate::moment::{Place, ReplayError, events};
use crate::personal::Personal;
use crate::show::{Format, TELL_EVERY, Which, is_money};

/// One of the two ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// Where it is in the log.
    pub place: Place,
    /// How many rows the read model had there, touched or not.
    pub rows: u64,
    /// Their checksum.
    pub checksum: [u8; 32],
    /// Whether events are held back that could not be applied by then.
    pub incomplete: bool,
}

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is there at the later end only.
    Appeared,
    /// It is there at the earlier end only.
    Vanished,
    /// It is there at both, and differs.
    Changed,
}

impl Fate {
    /// The word in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Appeared => "appeared",
            Self::Vanished => "vanished",
            Self::Changed => "changed",
        }
    }
}

/// An event that changed a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// What happened, as the audit trail tells it.
    pub entry: projections::audit_trail::AuditRow,
    /// The columns that it changed.
    pub columns: Vec<&'static str>,
}

/// A row that differs between the two ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowChange {
    /// The columns of its key.
    pub key: Value,
    /// The row at the earlier end, without personal data.
    pub before: Option<Value>,
    /// The row at the later end, without personal data.
    pub after: Option<Value>,
    /// Columns that differ.
    pub columns: Vec<&'static str>,
    /// What changed it, in the order of the log.
    pub causes: Vec<Cause>,
}

impl RowChange {
    /// What became of it.
    pub fn fate(&self) -> Fate {
        match (&self.before, &self.after) {
            (None, _) => Fate::Appeared,
            (Some(_), None) => Fate::Vanished,
            (Some(_), Some(_)) => Fate::Changed,
        }
    }
}

/// What changed in a read model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diff {
    /// Its name.
    pub view: &'static str,
    /// Version of the fold that made the rows.
    pub fold_version: i32,
    /// The earlier end.
    pub from: End,
    /// The later end.
    pub to: End,
    /// The rows that differ, in the order that the log first touched them.
    pub changes: Vec<RowChange>,
    /// Rows that were changed, and changed back.
    pub restored: u64,
    /// What all rows that differ add to each column of money, in cents.
    pub sums: Vec<(&'static str, i128)>,
    columns: Vec<ColumnInfo>,
}

/// What is compared.
pub struct Question<'a> {
    /// Which read model.
    pub of: &'static dyn Projection,
    /// The earlier end.
    pub from: Place,
    /// The later end.
    pub to: Place,
    /// Which of its rows.
    pub which: Which,
    /// Whose data was erased.
    pub personal: Personal,
    /// Who watches.
    pub progress: &'a dyn Progress,
}

/// Compares a read model with itself.
///
/// # Errors
/// [`ReplayError::Backwards`] when the later end comes first; the others when the log has a hole or an event that this
/// program cannot read, or does not answer.
pub async fn diff(log: &EventLog, tenant: TenantId, question: Question<'_>) -> Result<Diff, ReplayError> {
    let Question { of, from, to, .. } = question;
    if from.position > to.position {
        return Err(ReplayError::Backwards {
            from: from.position,
            to: to.position,
        });
    }
    let progress = question.progress;
    progress.begins(to.position.0);
    let mut folding = of.folding();
    let columns = of.columns();
    let mut walk = Walk::new(&columns, &question.which);
    let mut start = None;
    let mut events = pin!(events(log, tenant, of, (Position::START, to.position)).await?);
    while let Some(event) = events.try_next().await? {
        if event.position <= from.position {
            folding.apply(&event)?;
        } else {
            start.get_or_insert_with(|| end(from, folding.as_ref()));
            if let Some(touched) = folding.follow(&event)? {
                walk.touch(touched, &event)?;
            }
        }
        if event.position.0 % TELL_EVERY == 0 {
            progress.reaches(event.position.0);
        }
    }
    progress.reaches(to.position.0);
    let to = end(to, folding.as_ref());
    let (changes, restored) = walk.end(&question.personal);
    Ok(Diff {
        view: of.name(),
        fold_version: of.fold_version(),
        from: start.unwrap_or(End {
            place: from,
            ..to.clone()
        }),
        to,
        sums: sums(&columns, &changes),
        changes,
        restored,
        columns,
    })
}

fn end(place: Place, folding: &dyn Folding) -> End {
    End {
        place,
        rows: folding.len(),
        checksum: folding.checksum(),
        incomplete: folding.is_incomplete(),
    }
}

/// What was touched on the way from one end to the other.
struct Walk<'a> {
    columns: &'a [ColumnInfo],
    which: &'a Which,
    by_key: HashMap<String, usize>,
    touched: Vec<RowChange>,
}

impl<'a> Walk<'a> {
    fn new(columns: &'a [ColumnInfo], which: &'a Which) -> Self {
        Self {
            columns,
            which,
            by_key: HashMap::new(),
            touched: Vec::new(),
        }
    }

    fn touch(&mut self, touched: Touched, event: &StoredEvent) -> Result<(), ReplayError> {
        let Touched { key, before, after } = touched;
        let meant = |row: &Option<Value>| row.as_ref().is_some_and(|row| self.which.takes(row));
        if !meant(&before) && !meant(&after) {
            return Ok(());
        }
        let cause = Cause {
            entry: told(event)?,
            columns: differing(self.columns, before.as_ref(), after.as_ref()),
        };
        let place = *self.by_key.entry(key.to_string()).or_insert_with(|| {
            self.touched.push(RowChange {
                key,
                before,
                after: None,
                columns: Vec::new(),
                causes: Vec::new(),
            });
            self.touched.len() - 1
        });
        let row = &mut self.touched[place];
        row.after = after;
        row.causes.push(cause);
        Ok(())
    }

    /// The rows that differ, and how many were changed back.
    fn end(self, personal: &Personal) -> (Vec<RowChange>, u64) {
        let mut restored = 0;
        let mut changes = Vec::new();
        for row in self.touched {
            if row.before == row.after {
                restored += 1;
                continue;
            }
            changes.push(RowChange {
                columns: differing(self.columns, row.before.as_ref(), row.after.as_ref()),
                before: row.before.map(|row| personal.hide(row)),
                after: row.after.map(|row| personal.hide(row)),
                ..row
            });
        }
        (changes, restored)
    }
}

/// What the audit trail says of an event.
pub(crate) fn told(event: &StoredEvent) -> Result<projections::audit_trail::AuditRow, ReplayError> {
    let position = event.position;
    let unreadable = |reason: String| {
        ReplayError::Projection(ProjectionError::Stopped {
            projection: AuditTrail::NAME,
            position: Position(position.0 - 1),
            reason,
        })
    };
    let event = Recorded::try_from(event.clone()).map_err(|error| unreadable(error.to_string()))?;
    AuditTrail::apply(None, &event).ok_or_else(|| unreadable("the audit trail leaves it out".to_owned()))
}

fn differing(columns: &[ColumnInfo], before: Option<&Value>, after: Option<&Value>) -> Vec<&'static str> {
    let of = |row: Option<&Value>, column: &str| row.and_then(|row| row.get(column)).cloned();
    columns
        .iter()
        .map(|column| column.name)
        .filter(|name| of(before, name) != of(after, name))
        .collect()
}

/// What all rows that differ add to each column of money: a row that is not there adds nothing.
fn sums(columns: &[ColumnInfo], changes: &[RowChange]) -> Vec<(&'static str, i128)> {
    let cents = |row: &Option<Value>, column: &str| {
        let value = row.as_ref().and_then(|row| row[column].as_i64());
        i128::from(value.unwrap_or_default())
    };
    columns
        .iter()
        .filter(|column| is_money(column) && !column.is_key)
        .map(|column| {
            let more =
                |change: &RowChange| cents(&change.after, column.name) - cents(&change.before, column.name);
            (column.name, changes.iter().map(more).sum())
        })
        .collect()
}

impl Diff {
    /// Whether the rows at one of the ends are not all that they should be.
    pub fn is_incomplete(&self) -> bool {
        self.from.incomplete || self.to.incomplete
    }

    /// How many rows met a fate.
    pub fn count(&self, fate: Fate) -> usize {
        self.changes.iter().filter(|change| change.fate() == fate).count()
    }

    /// Writes the answer.
    ///
    /// # Errors
    /// [`ReplayError::Write`] when the writer fails.
    pub fn write(&self, format: Format, to: &mut dyn Write) -> Result<(), ReplayError> {
        match format {
            Format::Json => json::write(self, to),
            Format::Csv => csv::write(self, to),
            Format::Table(screen) => text::write(self, screen, to),
        }
    }
}
