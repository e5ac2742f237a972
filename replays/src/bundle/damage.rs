//! What can be wrong with a bundle, and how it is said.

use domain::envelope::Position;
use event_log::proof::HeadError;

use crate::lie::{Finding, Lie};

/// Something that is wrong with a bundle, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The file.
    pub file: String,
    /// The line, counted from 1; none where it is not one line's.
    pub line: Option<u64>,
    /// The event; none where it is not one event's.
    pub position: Option<Position>,
    /// What is wrong there.
    pub what: Box<What>,
}

/// What can be wrong with a bundle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum What {
    /// The file is not there.
    #[error("the file is missing")]
    Missing,
    /// Something else stands in its place: a directory, a link.
    #[error("this is no regular file")]
    NotAFile,
    /// The manifest does not name the file.
    #[error("the file does not belong to the bundle: the manifest does not name it")]
    Unlisted,
    /// The operating system does not let it be read.
    #[error("the file cannot be read: {0}")]
    Unreadable(String),
    /// It is not as long as the manifest has it.
    #[error("the file has {found} bytes; the manifest says {expected}")]
    OtherLength {
        /// Bytes in the manifest.
        expected: u64,
        /// Bytes of the file.
        found: u64,
    },
    /// Its bytes are not those that the manifest was made of.
    #[error("the file was changed: its SHA-256 is {found}; the manifest says {expected}")]
    OtherHash {
        /// The manifest's.
        expected: String,
        /// The file's.
        found: String,
    },
    /// It is not compressed as gzip has it, or cut.
    #[error("the file does not decompress: {0}")]
    NotGzip(String),
    /// There is something after the compressed data.
    #[error("there are bytes after the end of the compressed data")]
    TrailingBytes,
    /// A line is longer than lines may be.
    #[error("the line is longer than {limit} bytes")]
    LineTooLong {
        /// Bytes of the longest line.
        limit: u64,
    },
    /// There is more in it than the manifest says, or than a file may hold.
    #[error("the file goes on after what it may hold: {limit}")]
    TooMuch {
        /// How much that is.
        limit: String,
    },
    /// There is less in it than the manifest says.
    #[error("the file ends after {found} lines; the manifest says {expected}")]
    TooFewLines {
        /// Lines in the manifest.
        expected: u64,
        /// Lines that are there.
        found: u64,
    },
    /// What is written there is not of the form that it has to have.
    #[error("{0}")]
    Malformed(String),
    /// Lines are missing, repeated or in another order.
    #[error("number {expected} has to be here, and number {found} is")]
    OutOfOrder {
        /// The number that follows the line before.
        expected: i64,
        /// The number that is there.
        found: i64,
    },
    /// Two files say different things.
    #[error("{0}")]
    Contradiction(String),
    /// A signature does not count.
    #[error(transparent)]
    Signature(HeadError),
    /// The manifest is not the one that was signed.
    #[error("the manifest is not the one that the key {0} signed, or its signature was changed")]
    ManifestNotSigned(String),
    /// The log lies.
    #[error("{0}")]
    Lie(Lie),
    /// A read model comes out differently from what the manifest says.
    #[error("{model} folds to {found}; the manifest says {expected}")]
    OtherRows {
        /// The read model.
        model: String,
        /// The manifest's rows and checksum.
        expected: String,
        /// Those of the fold.
        found: String,
    },
}

impl What {
    /// The kind of damage, as a word for programs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Missing => "missing_file",
            Self::NotAFile => "not_a_file",
            Self::Unlisted => "unlisted_file",
            Self::Unreadable(_) => "unreadable_file",
            Self::OtherLength { .. } => "other_length",
            Self::OtherHash { .. } => "other_hash",
            Self::NotGzip(_) => "not_gzip",
            Self::TrailingBytes => "trailing_bytes",
            Self::LineTooLong { .. } => "line_too_long",
            Self::TooMuch { .. } => "too_much",
            Self::TooFewLines { .. } => "too_few_lines",
            Self::Malformed(_) => "malformed",
            Self::OutOfOrder { .. } => "out_of_order",
            Self::Contradiction(_) => "contradiction",
            Self::Signature(_) => "signature",
            Self::ManifestNotSigned(_) => "manifest_not_signed",
            Self::Lie(lie) => lie.name(),
            Self::OtherRows { .. } => "other_rows",
        }
    }
}

impl Damage {
    /// Of a file as a whole.
    pub(super) fn of(file: &str, what: What) -> Self {
        Self {
            file: file.to_owned(),
            line: None,
            position: None,
            what: Box::new(what),
        }
    }

    /// Of one line.
    pub(super) fn at(file: &str, line: u64, what: What) -> Self {
        Self {
            line: Some(line),
            ..Self::of(file, what)
        }
    }

    /// With the event that it concerns.
    pub(super) fn with(self, position: Position) -> Self {
        Self {
            position: Some(position),
            ..self
        }
    }
}

impl From<Finding> for Damage {
    /// The file is known to whoever knows what is in which.
    fn from(finding: Finding) -> Self {
        Self {
            file: String::new(),
            line: None,
            position: Some(finding.position),
            what: Box::new(What::Lie(finding.what)),
        }
    }
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some(position) = self.position {
            write!(f, ", position {position}")?;
        }
        write!(f, ": {}", self.what)
    }
}
