//! How much a query selects, fragments spread out. The executor walks every spread again and again, so that a
//! few short fragments that spread each other several times over would keep it busy for hours.

use std::collections::HashMap;

use async_graphql::Name;
use async_graphql::parser::types::{
    ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet,
};

/// Deeper than any query that the executor begins.
const DEEPEST: usize = 64;

/// How many selections all operations of a document come to, each fragment counted as often as it is spread.
pub(super) fn selections(document: &ExecutableDocument) -> usize {
    let mut measure = Measure {
        document,
        fragments: HashMap::new(),
    };
    document.operations.iter().fold(0, |sum, (_, operation)| {
        sum.saturating_add(measure.of(&operation.node.selection_set.node, 0))
    })
}

/// How many fields the operations of a document ask of the root, under whatever names.
pub(super) fn roots(document: &ExecutableDocument) -> usize {
    let sets = document
        .operations
        .iter()
        .map(|(_, operation)| &operation.node.selection_set.node);
    sets.map(|set| roots_of(document, set, 0)).sum()
}

/// The operation of a document that is asked for; none where there is not exactly one such.
pub(super) fn operation<'d>(
    document: &'d ExecutableDocument,
    name: Option<&str>,
) -> Option<&'d OperationDefinition> {
    let is_asked = |of: Option<&Name>| name.is_none_or(|name| of.is_some_and(|of| of == name));
    let mut asked = document.operations.iter().filter(|(name, _)| is_asked(*name));
    let (_, found) = asked.next()?;
    asked.next().is_none().then_some(&found.node)
}

/// What kind of operation is asked for, where there is one.
pub(super) fn kind_of(document: &ExecutableDocument, name: Option<&str>) -> Option<OperationType> {
    operation(document, name).map(|operation| operation.ty)
}

/// Whether a subscription asks exactly one field, of its own and no fragment's: no more can be followed.
pub(super) fn is_one_field(operation: &OperationDefinition) -> bool {
    match operation.selection_set.node.items.as_slice() {
        [selection] => match &selection.node {
            Selection::Field(field) => !field.node.name.node.starts_with("__"),
            Selection::InlineFragment(_) | Selection::FragmentSpread(_) => false,
        },
        _ => false,
    }
}

/// The same of the operations of one kind.
pub(super) fn roots_of_kind(document: &ExecutableDocument, kind: OperationType) -> usize {
    let operations = document.operations.iter().map(|(_, operation)| &operation.node);
    let of_kind = operations.filter(|operation| operation.ty == kind);
    of_kind
        .map(|operation| roots_of(document, &operation.selection_set.node, 0))
        .sum()
}

/// Whether an operation asks for the schema's own description.
pub(super) fn introspects(document: &ExecutableDocument, operation: &OperationDefinition) -> bool {
    introspects_in(document, &operation.selection_set.node, 0)
}

fn introspects_in(document: &ExecutableDocument, set: &SelectionSet, depth: usize) -> bool {
    let within = |set| depth < DEEPEST && introspects_in(document, set, depth + 1);
    set.items.iter().any(|selection| match &selection.node {
        Selection::Field(field) => ["__schema", "__type"].contains(&field.node.name.node.as_str()),
        Selection::InlineFragment(inline) => within(&inline.node.selection_set.node),
        Selection::FragmentSpread(spread) => {
            let fragment = document.fragments.get(&spread.node.fragment_name.node);
            fragment.is_some_and(|fragment| within(&fragment.node.selection_set.node))
        }
    })
}

fn roots_of(document: &ExecutableDocument, set: &SelectionSet, depth: usize) -> usize {
    let root = |selection: &Selection| match selection {
        Selection::Field(_) => 1,
        Selection::InlineFragment(inline) => roots_of(document, &inline.node.selection_set.node, depth + 1),
        Selection::FragmentSpread(spread) => {
            let fragment = document.fragments.get(&spread.node.fragment_name.node);
            fragment.map_or(0, |fragment| {
                roots_of(document, &fragment.node.selection_set.node, depth + 1)
            })
        }
    };
    if depth > DEEPEST {
        return 0;
    }
    set.items.iter().map(|selection| root(&selection.node)).sum()
}

struct Measure<'a> {
    document: &'a ExecutableDocument,
    /// Each fragment is measured once. One that spreads itself has no end, and must not be walked by anybody.
    fragments: HashMap<&'a Name, usize>,
}

impl<'a> Measure<'a> {
    fn of(&mut self, set: &'a SelectionSet, depth: usize) -> usize {
        if depth > DEEPEST {
            return usize::MAX;
        }
        set.items.iter().fold(0, |sum: usize, selection| {
            let inside = match &selection.node {
                Selection::Field(field) => self.of(&field.node.selection_set.node, depth + 1),
                Selection::InlineFragment(inline) => self.of(&inline.node.selection_set.node, depth + 1),
                Selection::FragmentSpread(spread) => {
                    self.fragment(&spread.node.fragment_name.node, depth + 1)
                }
            };
            sum.saturating_add(inside).saturating_add(1)
        })
    }

    fn fragment(&mut self, name: &'a Name, depth: usize) -> usize {
        if let Some(known) = self.fragments.get(name) {
            return *known;
        }
        let Some(fragment) = self.document.fragments.get(name) else {
            return 0;
        };
        self.fragments.insert(name, usize::MAX);
        let size = self.of(&fragment.node.selection_set.node, depth);
        self.fragments.insert(name, size);
        size
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    fn measured(query: &str) -> usize {
        selections(&parse_query(query).unwrap())
    }

    #[test]
    fn a_fragment_counts_as_often_as_it_is_spread() {
        assert_eq!(measured("{ a { b } c }"), 3);
        assert_eq!(measured("{ ...F ...F } fragment F on Q { a ... on Q { b } }"), 8);
        assert_eq!(measured("{ ...F } fragment F on Q { a ...Missing }"), 3);
    }

    #[test]
    fn a_field_of_the_root_counts_under_each_of_its_names() {
        let asked = |query: &str| roots(&parse_query(query).unwrap());
        assert_eq!(
            asked("{ a { b c } x: a { b } ... on Q { d } ...F } fragment F on Q { e f }"),
            5
        );
    }

    #[test]
    fn fragments_that_double_thirty_times_are_measured_at_once() {
        let doubled = |number: u32| format!("fragment F{number} on Q {{ ...F{0} ...F{0} }} ", number + 1);
        let fragments: String = (0..30).map(doubled).collect();
        assert!(measured(&format!("{{ ...F0 }} {fragments} fragment F30 on Q {{ a }}")) > 1 << 30);
    }

    #[test]
    fn fragments_that_go_round_have_no_end() {
        assert_eq!(measured("{ ...F } fragment F on Q { ...F }"), usize::MAX);
        let ring = "{ ...F ...F } fragment F on Q { ...G ...G } fragment G on Q { ...F ...F }";
        assert_eq!(measured(ring), usize::MAX, "or whoever walks it walks for ever");
    }

    #[test]
    fn a_chain_of_fragments_without_end_is_more_than_can_be_counted() {
        let chained = |number: u32| format!("fragment F{number} on Q {{ ...F{} }} ", number + 1);
        let fragments: String = (0..5_000).map(chained).collect();
        assert_eq!(measured(&format!("{{ ...F0 }} {fragments}")), usize::MAX);
    }
}
