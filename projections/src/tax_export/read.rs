//! Reading an export back, whichever program has saved it since: rows of texts, one after the other.

mod csv;
mod json;
mod xlsx;

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::ExportFormat;
use super::certificate::{BadCertificate, Certificate, format_of as format_on};
use crate::tax_report::TaxBasis;

/// A row of an export: the canonical texts of its cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// Of the summary.
    Summary(Vec<String>),
    /// The summary's sums.
    Total(Vec<String>),
    /// Of the lines.
    Line(Vec<String>),
}

/// Why a file is no export of ours.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The file is not there, or its reading fails.
    #[error("{}: {error}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// It is neither CSV nor a workbook nor JSON, or damaged.
    #[error("it cannot be read: {0}")]
    Damaged(String),
    /// A table has other columns.
    #[error("its columns are not those of an export: column {place} is {found:?} and must be {expected:?}")]
    Columns {
        /// Place of the column, counted from 1.
        place: usize,
        /// Its name in the file.
        found: String,
        /// What it must be.
        expected: String,
    },
    /// It does not say what it is of.
    #[error(transparent)]
    Certificate(#[from] BadCertificate),
}

/// The format of a file, by its first bytes.
fn format_of(path: &Path) -> Result<ExportFormat, Unreadable> {
    let unread = |error| Unreadable::File {
        path: path.to_owned(),
        error,
    };
    let mut file = std::fs::File::open(path).map_err(unread)?.take(64);
    let mut start = Vec::new();
    file.read_to_end(&mut start).map_err(unread)?;
    let first = start.iter().find(|byte| !byte.is_ascii_whitespace());
    Ok(if start.starts_with(b"PK") {
        ExportFormat::Xlsx
    } else if first == Some(&b'{') {
        ExportFormat::Json
    } else {
        ExportFormat::Csv
    })
}

/// What a file says beside its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    /// What it is of.
    pub(super) certificate: Certificate,
    /// What no export says: what stands beside the tables, twice, or in other words than ours.
    pub(super) strays: Vec<Stray>,
}

/// Something that no export says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stray {
    /// The field of the certificate, or what it stands beside.
    pub(super) name: String,
    /// What the file says.
    pub(super) found: String,
    /// What an export says there; empty where it says nothing.
    pub(super) expected: String,
}

impl Stray {
    fn beside(name: impl Into<String>, found: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            found: found.into(),
            expected: String::new(),
        }
    }
}

/// A file as it was read: the fields of its certificate in its order, and what no export has.
#[derive(Default)]
struct Parts {
    fields: Vec<(String, String)>,
    strays: Vec<Stray>,
    /// On which basis its lines are, by their columns; none where it has no such table.
    lines: Option<TaxBasis>,
    /// The format that JSON names at its start, for who looks there alone; none in other files.
    format: Option<String>,
}

impl Parts {
    fn said(self) -> Result<Said, Unreadable> {
        let Self {
            fields,
            mut strays,
            lines,
            format,
        } = self;
        // Of a field that is said twice the first is meant, and the second is a stray.
        let first = fields.iter().rev().cloned().collect();
        let certificate = Certificate::read(&first)?;
        let expected = format_on(certificate.basis);
        if let Some(found) = format.filter(|found| found != expected) {
            strays.push(Stray {
                name: "format".to_owned(),
                found,
                expected: expected.to_owned(),
            });
        }
        if let Some(found) = lines.filter(|found| *found != certificate.basis) {
            strays.push(Stray {
                name: "columns of the lines".to_owned(),
                found: found.as_str().to_owned(),
                expected: certificate.basis.as_str().to_owned(),
            });
        }
        let ours = certificate.fields();
        let mut seen = BTreeSet::new();
        for (name, found) in fields {
            let expected = ours
                .iter()
                .find(|(ours, _)| *ours == name)
                .map(|(_, value)| value);
            if !seen.insert(name.clone()) || expected != Some(&found) {
                let expected = expected.cloned().unwrap_or_default();
                strays.push(Stray {
                    name,
                    found,
                    expected,
                });
            }
        }
        Ok(Said { certificate, strays })
    }
}

/// Reads a file from its start to its end, and gives its rows on the way; it stops where nobody wants more.
pub(super) fn read(path: &Path, row: &mut dyn FnMut(Found) -> bool) -> Result<Said, Unreadable> {
    let parts = match format_of(path)? {
        ExportFormat::Csv => csv::read(path, row)?,
        ExportFormat::Xlsx => xlsx::read(path, row)?,
        ExportFormat::Json => json::read(path, row)?,
    };
    parts.said()
}

fn damaged(error: impl std::fmt::Display) -> Unreadable {
    Unreadable::Damaged(error.to_string())
}

/// Refuses names that are not those of the columns.
fn expect_columns<'a>(
    found: impl IntoIterator<Item = &'a str>,
    expected: impl IntoIterator<Item = &'static str>,
) -> Result<(), Unreadable> {
    let mut found = found.into_iter();
    let mut place = 0;
    for expected in expected {
        place += 1;
        let name = found.next().unwrap_or_default();
        if name != expected {
            return Err(Unreadable::Columns {
                place,
                found: name.to_owned(),
                expected: expected.to_owned(),
            });
        }
    }
    match found.find(|name| !name.is_empty()) {
        None => Ok(()),
        Some(more) => Err(Unreadable::Columns {
            place: place + 1,
            found: more.to_owned(),
            expected: String::new(),
        }),
    }
}
