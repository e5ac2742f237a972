//! Fields in the order in which they were asked for, as the specification wants them (7.2.2). The executor gives
//! them in the order in which they were ready, so that one question could have two answers.

use std::collections::HashSet;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, Selection, SelectionSet};
use async_graphql::{Name, Value};

/// The data of an answer in the order of its question.
pub(super) fn as_asked(document: &ExecutableDocument, operation: Option<&str>, data: Value) -> Value {
    let wanted = |name: Option<&Name>| operation.is_none_or(|wanted| name.is_some_and(|name| name == wanted));
    let mut operations = document.operations.iter();
    match operations.find(|(name, _)| wanted(*name)) {
        Some((_, found)) => {
            let OperationDefinition { selection_set, .. } = &found.node;
            Asked::of(document, &[&selection_set.node]).order(data)
        }
        None => data,
    }
}

/// The fields of an object as they were asked for, with those below them. It is the same for all items of a list.
struct Asked<'a> {
    fields: Vec<(&'a Name, Asked<'a>)>,
}

impl<'a> Asked<'a> {
    /// What was selected, put together; that what a selection expands to is not too much was seen before it was answered.
    fn of(document: &'a ExecutableDocument, selected: &[&'a SelectionSet]) -> Self {
        let mut wanted = Wanted::default();
        for set in selected {
            wanted.collect(document, set);
        }
        let below = |(key, sets): (&'a Name, Vec<&'a SelectionSet>)| (key, Self::of(document, &sets));
        Self {
            fields: wanted.fields.into_iter().map(below).collect(),
        }
    }

    /// A value in this order.
    fn order(&self, value: Value) -> Value {
        match value {
            Value::Object(mut fields) => {
                let mut ordered = IndexMap::with_capacity(fields.len());
                for (key, below) in &self.fields {
                    if let Some((key, value)) = fields.swap_remove_entry(*key) {
                        ordered.insert(key, below.order(value));
                    }
                }
                ordered.extend(fields);
                Value::Object(ordered)
            }
            Value::List(items) => Value::List(items.into_iter().map(|item| self.order(item)).collect()),
            leaf @ (Value::Null
            | Value::Number(_)
            | Value::String(_)
            | Value::Boolean(_)
            | Value::Binary(_)
            | Value::Enum(_)) => leaf,
        }
    }
}

/// The fields of an object in the order of their first naming, each with all that was selected of it.
#[derive(Default)]
struct Wanted<'a> {
    fields: IndexMap<&'a Name, Vec<&'a SelectionSet>>,
    /// Each fragment counts once, however often it is spread.
    seen: HashSet<&'a Name>,
}

impl<'a> Wanted<'a> {
    fn collect(&mut self, document: &'a ExecutableDocument, set: &'a SelectionSet) {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => self
                    .fields
                    .entry(&field.node.response_key().node)
                    .or_default()
                    .push(&field.node.selection_set.node),
                Selection::InlineFragment(inline) => self.collect(document, &inline.node.selection_set.node),
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    if let Some(fragment) = document.fragments.get(name).filter(|_| self.seen.insert(name)) {
                        self.collect(document, &fragment.node.selection_set.node);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_has_the_order_of_its_question_through_lists_and_fragments() {
        let document = parse_query(
            "query A { z } query B { a { ...F x: c { e d } } b } fragment F on T { f ... on U { c2: c { e d } } ...F }",
        );
        let data = json!({"b": 1, "a": [{"x": {"d": 1, "e": 2}, "c2": null, "f": 3}, null], "more": 0});
        let data = Value::from_json(data).unwrap();
        let ordered = as_asked(&document.unwrap(), Some("B"), data);
        assert_eq!(
            ordered.to_string(),
            "{a: [{f: 3, c2: null, x: {e: 2, d: 1}}, null], b: 1, more: 0}"
        );
    }
}
