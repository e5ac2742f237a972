//! Why a text is none to write messages by.

use super::Variable;
use crate::decider::Refusal;

/// A part of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemplatePart {
    /// The subject line.
    Subject,
    /// The words.
    Text,
}

impl TemplatePart {
    fn field(self) -> &'static [&'static str] {
        match self {
            Self::Subject => &["subject"],
            Self::Text => &["text"],
        }
    }
}

/// A place in a text: line and character in it, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Which line.
    pub line: usize,
    /// Which character of it.
    pub column: usize,
}

impl Place {
    /// The place of a byte.
    pub(super) fn of(text: &str, byte: usize) -> Self {
        let before = text.get(..byte).unwrap_or(text);
        let last = before.rsplit('\n').next().unwrap_or_default();
        Self {
            line: before.matches('\n').count() + 1,
            column: last.chars().count() + 1,
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Why a text is none to write messages by.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// It leaves open what there is not.
    #[error("there is no variable {{{{{name}}}}} ({place})")]
    UnknownVariable {
        /// What is between the braces, its beginning.
        name: String,
        /// In which part.
        part: TemplatePart,
        /// Where.
        place: Place,
    },
    /// It leaves open what messages of the kind have no value for.
    #[error("messages of this kind have no {{{{{}}}}} ({place})", .variable.as_str())]
    NotKnown {
        /// What.
        variable: Variable,
        /// In which part.
        part: TemplatePart,
        /// Where.
        place: Place,
    },
    /// A pair of braces is not closed.
    #[error("a variable begins with {{{{ and ends with }}}}: this one does not end ({place})")]
    Unclosed {
        /// In which part.
        part: TemplatePart,
        /// Where it begins.
        place: Place,
    },
    /// Something that is no text.
    #[error("there is a control character ({place})")]
    BadCharacter {
        /// In which part.
        part: TemplatePart,
        /// Where.
        place: Place,
    },
    /// There is nothing in it.
    #[error("there is nothing to say")]
    Empty {
        /// In which part.
        part: TemplatePart,
    },
    /// Longer than the channel takes.
    #[error("it has {length} characters: at most {most} fit")]
    TooLong {
        /// Which part.
        part: TemplatePart,
        /// How long it is.
        length: usize,
        /// How long it may be.
        most: usize,
    },
    /// A text message of too many parts.
    #[error("as a text message it would be of {parts} parts: at most {most} are sent")]
    TooManyParts {
        /// How many it is of.
        parts: usize,
        /// How many it may be of.
        most: usize,
    },
    /// Mail has a subject line.
    #[error("mail has a subject line")]
    NoSubject,
    /// Only mail has a subject line.
    #[error("only mail has a subject line")]
    SubjectUnused,
    /// Nobody has said where customers pay.
    #[error("{{{{payment_link}}}} needs the address of a payment page in the settings")]
    NoPaymentPage {
        /// In which part.
        part: TemplatePart,
    },
    /// A text leaves open what there is no value for.
    #[error(transparent)]
    Missing(#[from] MissingVariable),
    /// There is no such template.
    #[error("there is no such template")]
    NotFound,
    /// It is used no more already.
    #[error("the template is not used any more already")]
    Retired,
    /// It is so already.
    #[error("it is so already: nothing would change")]
    Unchanged,
    /// Too short or too long.
    #[error("a reason has 3 to 500 characters")]
    BadReason,
}

impl TemplateError {
    /// A name that is none, shown as far as names go.
    pub(super) fn unknown(name: &str, part: TemplatePart, place: Place) -> Self {
        Self::UnknownVariable {
            name: name.trim().chars().take(40).collect(),
            part,
            place,
        }
    }
}

impl Refusal for TemplateError {
    fn code(&self) -> &'static str {
        match self {
            Self::UnknownVariable { .. } => "UNKNOWN_VARIABLE",
            Self::NotKnown { .. } => "VARIABLE_NOT_AVAILABLE",
            Self::Unclosed { .. }
            | Self::BadCharacter { .. }
            | Self::Empty { .. }
            | Self::NoSubject
            | Self::SubjectUnused => "INVALID_TEMPLATE",
            Self::TooLong { .. } | Self::TooManyParts { .. } => "TEMPLATE_TOO_LONG",
            Self::NoPaymentPage { .. } => "NO_PAYMENT_PAGE",
            Self::Missing(_) => "MISSING_VARIABLE",
            Self::NotFound => "NOT_FOUND",
            Self::Retired => "WRONG_STATE",
            Self::Unchanged => "UNCHANGED",
            Self::BadReason => "INVALID_REASON",
        }
    }
    fn field(&self) -> &'static [&'static str] {
        match self {
            Self::UnknownVariable { part, .. }
            | Self::NotKnown { part, .. }
            | Self::Unclosed { part, .. }
            | Self::BadCharacter { part, .. }
            | Self::Empty { part }
            | Self::TooLong { part, .. }
            | Self::NoPaymentPage { part } => part.field(),
            Self::NoSubject | Self::SubjectUnused => TemplatePart::Subject.field(),
            Self::TooManyParts { .. } | Self::Missing(_) | Self::Unchanged => TemplatePart::Text.field(),
            Self::NotFound | Self::Retired => &[],
            Self::BadReason => &["reason"],
        }
    }
}

/// A variable that a text leaves open and nobody has a value for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is nothing to put in place of {}", .0.as_str())]
pub struct MissingVariable(pub Variable);
