//! What an entry of the trail says: a sentence, a reason, and the fields that changed.

use chrono::{DateTime, NaiveDate, Utc};
use domain::booking::BookingStatus;
use domain::ids::{ChefId, StationId};
use domain::money::{Cents, RatePpm};

use super::{FieldChange, FieldType};

/// What an entry of the trail says of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Description {
    pub(super) summary: String,
    pub(super) reason: Option<String>,
    pub(super) changes: Vec<FieldChange>,
    /// Whether the event holds personal fields, which are left out.
    pub(super) redacted: bool,
}

/// A value of a field, as text of its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    kind: FieldType,
    text: String,
}

impl Told {
    fn new(kind: FieldType, text: impl ToString) -> Self {
        Self {
            kind,
            text: text.to_string(),
        }
    }

    /// A word for where something stands.
    pub(super) fn status(word: &str) -> Self {
        Self::new(FieldType::Status, word)
    }
}

macro_rules! told {
    ($( $type:ty => $kind:ident($text:expr); )+) => { $(
        impl From<$type> for Told {
            fn from(value: $type) -> Self {
                let text: fn($type) -> String = $text;
                Self::new(FieldType::$kind, text(value))
            }
        }
    )+ };
}

told! {
    &str => Text(|text| text.to_owned());
    String => Text(|text| text);
    Cents => Money(|amount| amount.to_string());
    RatePpm => Rate(|rate| rate.to_string());
    i32 => Count(|count| count.to_string());
    i64 => Count(|count| count.to_string());
    DateTime<Utc> => Instant(instant);
    NaiveDate => Date(|date| date.to_string());
    ChefId => Id(|id| id.to_string());
    StationId => Id(|id| id.to_string());
    BookingStatus => Status(|status| status.as_str().to_owned());
    bool => Flag(|flag| flag.to_string());
}

impl Description {
    pub(super) fn of(summary: String) -> Self {
        Self {
            summary,
            reason: None,
            changes: Vec::new(),
            redacted: false,
        }
    }

    pub(super) fn because(self, reason: Option<&String>) -> Self {
        Self {
            reason: reason.cloned(),
            ..self
        }
    }

    pub(super) fn redacted(self) -> Self {
        Self {
            redacted: true,
            ..self
        }
    }

    /// A field that was not there before, or of which the event does not say what it was.
    pub(super) fn set(self, path: &str, after: impl Into<Told>) -> Self {
        self.changed(path, None::<Told>, after)
    }

    /// A field with what it was, where that is known, and what it is.
    pub(super) fn changed(
        mut self,
        path: &str,
        before: Option<impl Into<Told>>,
        after: impl Into<Told>,
    ) -> Self {
        let Told { kind, text } = after.into();
        self.changes.push(FieldChange {
            path: path.to_owned(),
            kind,
            before: before.map(|before| before.into().text),
            after: Some(text),
        });
        self
    }

    /// A field that is not there any more.
    pub(super) fn gone(mut self, path: &str, before: impl Into<Told>) -> Self {
        let Told { kind, text } = before.into();
        self.changes.push(FieldChange {
            path: path.to_owned(),
            kind,
            before: Some(text),
            after: None,
        });
        self
    }

    /// A status with the only one that the lifecycle leads to it from.
    pub(super) fn became(self, before: BookingStatus, after: BookingStatus) -> Self {
        self.changed("status", Some(before), after)
    }
}

/// An instant as RFC 3339 has it.
pub(super) fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
}

/// A rate as people say it, `9.125 %`: exact, by moving the point of the fraction.
pub(super) fn percent(rate: RatePpm) -> String {
    let text = format!("{}.{:04}", rate.0 / 10_000, rate.0 % 10_000);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_said_in_percent() {
        assert_eq!(percent(RatePpm(91_250)), "9.125 %");
        assert_eq!(percent(RatePpm(100_000)), "10 %");
        assert_eq!(percent(RatePpm(0)), "0 %");
    }
}
