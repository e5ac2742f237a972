//! Fields in the order in which they were asked for, as the specification wants them (7.2.2). The executor gives
//! them in the order in which they were ready, so that one question could have two answers.

use std::collections::HashSet;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, Selection, SelectionSet};
use async_graphql::{Name, Value};

/// Puts the data of an answer in the order of its question.
pub(super) fn as_asked(document: &ExecutableDocument, operation: Option<&str>, data: &mut Value) {
    let wanted = |name: Option<&Name>| operation.is_none_or(|wanted| name.is_some_and(|name| name == wanted));
    let mut operations = document.operations.iter();
    if let Some((_, found)) = operations.find(|(name, _)| wanted(*name)) {
        let OperationDefinition { selection_set, .. } = &found.node;
        Asked::of(document, &[&selection_set.node]).order(data);
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

    /// Puts a value in this order: in its place, for most of it is so already.
    fn order(&self, value: &mut Value) {
        match value {
            Value::Object(fields) => {
                let mut place = 0;
                for (key, below) in &self.fields {
                    let here = fields.get_index(place).is_some_and(|(found, _)| found == *key);
                    let found = if here {
                        Some(place)
                    } else {
                        fields.get_index_of(*key)
                    };
                    // A fragment may be of some of the types only that a list has.
                    let Some(found) = found else { continue };
                    fields.swap_indices(found, place);
                    below.order(&mut fields[place]);
                    place += 1;
                }
            }
            Value::List(items) => items.iter_mut().for_each(|item| self.order(item)),
            Value::Null
            | Value::Number(_)
            | Value::String(_)
            | Value::Boolean(_)
            | Value::Binary(_)
            | Value::Enum(_) => {}
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
        let data =
            json!({"b": 1, "a": [{"x": {"d": 1, "e": 2}, "c2": null, "f": 3}, null, {"x": 5}], "more": 0});
        let mut data = Value::from_json(data).unwrap();
        as_asked(&document.unwrap(), Some("B"), &mut data);
        assert_eq!(
            data.to_string(),
            "{a: [{f: 3, c2: null, x: {e: 2, d: 1}}, null, {x: 5}], b: 1, more: 0}"
        );
    }
}
