//! Personal data in what auditors see: never in clear, and told apart from what nobody can read any more.

use std::collections::HashSet;
use std::pin::pin;

use domain::decider::DecodeError;
use domain::envelope::{Position, Sealed};
use domain::ids::{SubjectId, TenantId};
use domain::recorded::{DomainEvent, Recorded};
use event_log::{EventLog, LogError};
use futures::TryStreamExt;
use serde::Deserialize;
use serde_json::Value;

use crate::erasures::ERASING;

/// What stands for a value that is sealed.
pub const SEALED: &str = "[sealed]";
/// What stands for a value whose key was destroyed.
pub const ERASED: &str = "[erased]";

/// Whose data was erased by now. An answer as of an earlier moment knows, too: erased stays erased.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Personal {
    erased: HashSet<SubjectId>,
}

/// Why it is not known who was erased.
#[derive(Debug, thiserror::Error)]
pub enum PersonalError {
    /// The log did not answer.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The log holds an erasure that this program cannot read.
    #[error(transparent)]
    Unreadable(#[from] DecodeError),
}

impl Personal {
    /// What a tenant's log tells of erasures, up to its end.
    ///
    /// # Errors
    /// [`PersonalError`] when the log cannot be read.
    pub async fn read(log: &EventLog, tenant: TenantId) -> Result<Self, PersonalError> {
        let mut found = Self::default();
        let mut erased = pin!(log.stream_types(tenant, Position::START, ERASING));
        while let Some(stored) = erased.try_next().await? {
            found.learn(&Recorded::try_from(stored)?.event);
        }
        Ok(found)
    }

    /// Takes notice of an event that erases.
    pub fn learn(&mut self, event: &DomainEvent) {
        self.erased.extend(event.erases());
    }

    /// The value with what stands for each sealed value in its place, however deep.
    #[must_use]
    pub fn hide(&self, value: Value) -> Value {
        match value {
            Value::Object(fields) if fields.len() == 2 && fields.contains_key("sealed") => {
                let fields = Value::Object(fields);
                match Sealed::deserialize(&fields) {
                    Ok(sealed) if self.erased.contains(&sealed.subject) => ERASED.into(),
                    Ok(_) => SEALED.into(),
                    Err(_) => fields,
                }
            }
            Value::Object(fields) => fields
                .into_iter()
                .map(|(name, value)| (name, self.hide(value)))
                .collect(),
            Value::Array(values) => values.into_iter().map(|value| self.hide(value)).collect(),
            plain @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => plain,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_sealed_value_is_hidden_however_deep_and_one_that_is_erased_says_so() {
        let (gone, here) = (uuid::Uuid::from_u128(1), uuid::Uuid::from_u128(2));
        let personal = Personal {
            erased: HashSet::from([SubjectId(gone)]),
        };
        let sealed = |subject| json!({"subject": subject, "sealed": "x"});
        let row = json!({
            "name": sealed(gone), "venue": {"street": sealed(here), "zip": "95112"}, "notes": [sealed(gone), null, 1],
            "sealed": "a word", "odd": {"subject": 7, "sealed": "x"},
        });
        assert_eq!(
            personal.hide(row),
            json!({
                "name": "[erased]", "venue": {"street": "[sealed]", "zip": "95112"}, "notes": ["[erased]", null, 1],
                "sealed": "a word", "odd": {"subject": 7, "sealed": "x"},
            })
        );
    }
}
