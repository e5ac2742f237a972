//! What an operation may be at most. What is beyond these is refused before any of it is done.

use async_graphql::Name;
use async_graphql::parser::types::{Directive, ExecutableDocument, Selection, SelectionSet};
use async_graphql::{Positioned, Response, ServerError};

use super::measure;

/// The deepest nesting and the largest cost of one operation. A list costs its length times what it holds.
pub(super) const MAX_DEPTH: usize = 15;
pub(super) const MAX_COMPLEXITY: usize = 20_000;

/// How many selections one operation comes to at most, fragments spread out.
const MAX_SELECTIONS: usize = 5_000;

/// How many fields one operation asks of the root at most: each is a question, a command or a guess at a
/// password of its own.
pub(super) const MAX_ROOTS: usize = 30;

/// How many fields may be asked for under another name.
const MAX_ALIASES: usize = 50;
/// How many directives there may be.
const MAX_DIRECTIVES: usize = 30;
/// How often one object may be asked for the same field, under the same name, or for the same fragment.
const MAX_REPEATS: usize = 10;
/// How many lists of the schema's own description may be in each other: the types, and the fields of each. What is deeper
/// goes round in circles.
const MAX_LISTS_OF_SCHEMA: usize = 2;
/// Those lists.
const LISTS_OF_SCHEMA: [&str; 6] = [
    "types",
    "fields",
    "inputFields",
    "interfaces",
    "possibleTypes",
    "enumValues",
];

/// Deeper than any operation that is begun.
const DEEPEST: usize = 64;

/// Why a document is not even begun, where it is not. Selections come first: only then are there few enough
/// to look at one by one.
pub(super) fn too_large(document: &ExecutableDocument) -> Option<Response> {
    let refused = |message: String| Some(Response::from_errors(vec![ServerError::new(message, None)]));
    if measure::selections(document) > MAX_SELECTIONS {
        return refused(format!(
            "a query selects at most {MAX_SELECTIONS} fields, fragments spread out"
        ));
    }
    let roots = measure::roots(document);
    if roots > MAX_ROOTS {
        return refused(format!(
            "an operation asks at most {MAX_ROOTS} fields of the root; this one asks {roots}"
        ));
    }
    let Tally {
        aliases,
        directives,
        repeats,
        lists,
        ..
    } = Tally::of(document);
    if aliases > MAX_ALIASES {
        return refused(format!(
            "a query has at most {MAX_ALIASES} aliases; this one has {aliases}"
        ));
    }
    if directives > MAX_DIRECTIVES {
        return refused(format!(
            "a query has at most {MAX_DIRECTIVES} directives; this one has {directives}"
        ));
    }
    if repeats > MAX_REPEATS {
        return refused(format!(
            "a field is asked for at most {MAX_REPEATS} times in one place; here it is {repeats} times"
        ));
    }
    if lists > MAX_LISTS_OF_SCHEMA {
        return refused("what is asked of the schema goes round in circles".to_owned());
    }
    None
}

/// What is counted of a document.
struct Tally<'a> {
    document: &'a ExecutableDocument,
    aliases: usize,
    directives: usize,
    /// The most that one name is repeated in one place.
    repeats: usize,
    /// The most lists of the schema's description that are in each other.
    lists: usize,
}

/// Where a selection is.
#[derive(Clone, Copy)]
struct Place {
    depth: usize,
    /// How many of those lists it is in; none outside of the schema's description.
    lists: Option<usize>,
}

impl<'a> Tally<'a> {
    fn of(document: &'a ExecutableDocument) -> Self {
        let mut tally = Self {
            document,
            aliases: 0,
            directives: 0,
            repeats: 0,
            lists: 0,
        };
        for (_, operation) in document.operations.iter() {
            tally.directives += operation.node.directives.len();
            let place = Place {
                depth: 0,
                lists: None,
            };
            tally.walk(&operation.node.selection_set.node, place);
        }
        tally
    }

    fn walk(&mut self, set: &'a SelectionSet, place: Place) {
        if place.depth > DEEPEST {
            return;
        }
        let mut names: Vec<&Name> = Vec::with_capacity(set.items.len());
        for selection in &set.items {
            let inside = Place {
                depth: place.depth + 1,
                ..place
            };
            match &selection.node {
                Selection::Field(field) => {
                    let field = &field.node;
                    self.aliases += usize::from(field.alias.is_some());
                    self.directed(&field.directives);
                    names.push(&field.response_key().node);
                    let lists = self.entered(field.name.node.as_str(), place.lists);
                    self.walk(&field.selection_set.node, Place { lists, ..inside });
                }
                Selection::InlineFragment(inline) => {
                    self.directed(&inline.node.directives);
                    self.walk(&inline.node.selection_set.node, inside);
                }
                Selection::FragmentSpread(spread) => {
                    self.directed(&spread.node.directives);
                    let name = &spread.node.fragment_name.node;
                    names.push(name);
                    if let Some(fragment) = self.document.fragments.get(name) {
                        self.directed(&fragment.node.directives);
                        self.walk(&fragment.node.selection_set.node, inside);
                    }
                }
            }
        }
        names.sort_unstable();
        let most = names.chunk_by(|one, next| one == next).map(<[_]>::len).max();
        self.repeats = self.repeats.max(most.unwrap_or(0));
    }

    fn directed(&mut self, directives: &[Positioned<Directive>]) {
        self.directives += directives.len();
    }

    /// How many lists of the schema's description what is under a field is in.
    fn entered(&mut self, field: &str, lists: Option<usize>) -> Option<usize> {
        let lists = match lists {
            None => ["__schema", "__type"].contains(&field).then_some(0),
            Some(lists) => Some(lists + usize::from(LISTS_OF_SCHEMA.contains(&field))),
        };
        self.lists = self.lists.max(lists.unwrap_or(0));
        lists
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    fn refused(query: &str) -> Option<String> {
        let refused = too_large(&parse_query(query).unwrap())?;
        Some(refused.errors[0].message.clone())
    }

    fn many(number: usize, part: impl Fn(usize) -> String) -> String {
        (0..number).map(part).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_query_as_people_write_them_is_begun() {
        assert_eq!(
            refused("{ a { b c } x: a { b @include(if: true) } ...F } fragment F on Q { d }"),
            None
        );
    }

    #[test]
    fn aliases_and_directives_are_counted_wherever_they_are() {
        let aliases = |number| many(number, |number| format!("a{number}: b"));
        assert_eq!(refused(&format!("{{ o {{ {} }} }}", aliases(MAX_ALIASES))), None);
        let told = refused(&format!(
            "{{ o {{ ...F }} }} fragment F on Q {{ {} }}",
            aliases(51)
        ));
        assert_eq!(
            told.as_deref(),
            Some("a query has at most 50 aliases; this one has 51")
        );
        let directives = |number| many(number, |_| "@include(if: true)".to_owned());
        assert_eq!(refused(&format!("{{ a {} }}", directives(MAX_DIRECTIVES))), None);
        let told = refused(&format!("{{ a ... on Q {} {{ b @d }} }}", directives(30)));
        assert_eq!(
            told.as_deref(),
            Some("a query has at most 30 directives; this one has 31")
        );
    }

    #[test]
    fn a_field_is_not_asked_for_again_and_again() {
        let fields = |number| many(number, |_| "__typename".to_owned());
        assert_eq!(refused(&format!("{{ a {{ {} }} }}", fields(MAX_REPEATS))), None);
        let told = refused(&format!("{{ a {{ {} }} }}", fields(500)));
        let told = told.expect("it is refused");
        assert!(
            told.contains("at most 10 times") && told.contains("500"),
            "{told}"
        );
        let spreads = many(11, |_| "...F".to_owned());
        let told = refused(&format!("{{ a {{ {spreads} }} }} fragment F on Q {{ b }}"));
        assert!(told.is_some());
    }

    #[test]
    fn the_schema_may_be_read_but_not_in_circles() {
        let usual = "{ __schema { types { name fields { name args { type { ofType { name } } } type { ofType { name } } }
            interfaces { name } possibleTypes { name } enumValues { name } inputFields { name } } } }";
        assert_eq!(refused(usual), None);
        let told = Some("what is asked of the schema goes round in circles".to_owned());
        for circle in [
            "{ __schema { types { fields { type { fields { name } } } } } }",
            "{ __type(name: \"Query\") { fields { type { possibleTypes { interfaces { name } } } } } }",
            "{ __schema { types { ...F } } } fragment F on Q { fields { type { ...G } } } fragment G on Q { fields { name } }",
        ] {
            assert_eq!(refused(circle), told, "{circle}");
        }
        assert_eq!(
            refused("{ types { fields { fields { fields { name } } } } }"),
            None,
            "other objects may have fields of such names"
        );
    }
}
