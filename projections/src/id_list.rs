//! Ids in a column of their own, among which a condition finds one.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::engine::{Column, Condition, Kind, Value};

/// Ids, in the order in which they came, as text with spaces between them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IdList(String);

impl IdList {
    /// The ids.
    pub fn ids<I: From<Uuid>>(&self) -> Vec<I> {
        let ids = self.0.split_whitespace().filter_map(|id| id.parse::<Uuid>().ok());
        ids.map(I::from).collect()
    }

    /// These ids and one more.
    #[must_use]
    pub(crate) fn with(self, id: Uuid) -> Self {
        let mut ids = self.without(id);
        if !ids.0.is_empty() {
            ids.0.push(' ');
        }
        ids.0.push_str(&id.to_string());
        ids
    }

    /// These ids but one.
    #[must_use]
    pub(crate) fn without(self, id: Uuid) -> Self {
        let id = id.to_string();
        let kept: Vec<&str> = self.0.split_whitespace().filter(|other| *other != id).collect();
        Self(kept.join(" "))
    }
}

/// Meets rows whose list has an id.
pub(crate) fn has(column: &'static [&'static str], id: Uuid) -> Condition {
    Condition::Contains(column, id.to_string())
}

impl Column for IdList {
    const KIND: Option<Kind> = Some(Kind::Text);

    fn value(&self) -> Option<Value> {
        Some(Value::Text(self.0.clone()))
    }

    fn heap(&self) -> usize {
        self.0.capacity()
    }
}

#[cfg(test)]
mod tests {
    use domain::ids::ChefId;

    use super::*;

    #[test]
    fn an_id_is_there_once_and_goes_again() {
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let list = IdList::default().with(one).with(two).with(one);
        assert_eq!(list.ids::<ChefId>(), [ChefId(two), ChefId(one)]);
        assert_eq!(list.without(two).without(one), IdList::default());
    }
}
