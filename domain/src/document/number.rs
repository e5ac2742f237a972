//! Numbers of documents: kind, year and place in the series.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What sort of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    /// What a booking costs.
    Invoice,
    /// That a payment has come.
    Receipt,
    /// That money was given back.
    CreditNote,
}

impl DocumentKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Invoice, Self::Receipt, Self::CreditNote];

    /// The word in rows and in the names of series.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invoice => "invoice",
            Self::Receipt => "receipt",
            Self::CreditNote => "credit_note",
        }
    }

    /// What its numbers begin with.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Invoice => "INV",
            Self::Receipt => "REC",
            Self::CreditNote => "CRN",
        }
    }
}

/// The number of a document, `INV-2026-000123`: unique within a company, and without gaps within kind and year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DocumentNumber {
    /// What sort of document.
    pub kind: DocumentKind,
    /// Year of the local day that it was issued on, four digits.
    pub year: i32,
    /// Place in the series, from 1.
    pub sequence: i64,
}

impl DocumentNumber {
    /// Id of the series that gives the numbers of a kind and a year.
    pub fn series_id(kind: DocumentKind, year: i32) -> String {
        format!("{}-{year}", kind.as_str())
    }

    /// The number at a place of the series with an id; none where the id is of no series.
    pub fn in_series(series_id: &str, sequence: i64) -> Option<Self> {
        let (word, year) = series_id.rsplit_once('-')?;
        let kind = DocumentKind::ALL.into_iter().find(|kind| kind.as_str() == word)?;
        Some(Self {
            kind,
            year: year.parse().ok()?,
            sequence,
        })
    }
}

impl fmt::Display for DocumentNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:04}-{:06}", self.kind.prefix(), self.year, self.sequence)
    }
}

impl From<DocumentNumber> for String {
    fn from(number: DocumentNumber) -> Self {
        number.to_string()
    }
}

/// A text that is no number of a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a document's number reads like INV-2026-000123")]
pub struct BadDocumentNumber;

impl FromStr for DocumentNumber {
    type Err = BadDocumentNumber;

    fn from_str(text: &str) -> Result<Self, BadDocumentNumber> {
        let mut parts = text.splitn(3, '-');
        let mut part = || parts.next().ok_or(BadDocumentNumber);
        let (prefix, year, sequence) = (part()?, part()?, part()?);
        let kind = DocumentKind::ALL
            .into_iter()
            .find(|kind| kind.prefix() == prefix)
            .ok_or(BadDocumentNumber)?;
        let number = Self {
            kind,
            year: year.parse().map_err(|_| BadDocumentNumber)?,
            sequence: sequence.parse().map_err(|_| BadDocumentNumber)?,
        };
        // One text for one number: neither signs nor other counts of zeros.
        if number.sequence > 0 && (1..=9999).contains(&number.year) && number.to_string() == text {
            Ok(number)
        } else {
            Err(BadDocumentNumber)
        }
    }
}

impl TryFrom<String> for DocumentNumber {
    type Error = BadDocumentNumber;

    fn try_from(text: String) -> Result<Self, BadDocumentNumber> {
        text.parse()
    }
}
