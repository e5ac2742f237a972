//! The schema as a whole.

/// The committed schema is the one that the program serves. `HIBACHI_UPDATE=1` writes it anew.
#[test]
fn the_committed_schema_has_not_drifted() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql");
    let served = super::sdl();
    if std::env::var_os("HIBACHI_UPDATE").is_some() {
        std::fs::write(path, &served).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == served,
        "api/schema.graphql is not what the program serves: run make schema"
    );
}

#[test]
fn every_part_of_the_schema_is_documented() {
    use async_graphql::parser::parse_schema;
    use async_graphql::parser::types::{TypeKind, TypeSystemDefinition};

    let schema = parse_schema(super::sdl()).expect("the schema can be read");
    let mut silent = Vec::new();
    let mut heard = |place: String, said: Option<&str>| {
        if said.is_none_or(|said| said.trim().is_empty()) {
            silent.push(place);
        }
    };
    for definition in &schema.definitions {
        let TypeSystemDefinition::Type(of) = definition else {
            continue;
        };
        let (name, of) = (&of.node.name.node, &of.node);
        if !["Query", "Mutation", "Subscription"].contains(&name.as_str()) {
            heard(
                name.to_string(),
                of.description.as_ref().map(|said| said.node.as_str()),
            );
        }
        let fields = match &of.kind {
            TypeKind::Object(object) => object.fields.as_slice(),
            TypeKind::Interface(interface) => interface.fields.as_slice(),
            TypeKind::Scalar | TypeKind::Union(_) | TypeKind::Enum(_) | TypeKind::InputObject(_) => &[],
        };
        for field in fields.iter().map(|field| &field.node) {
            let place = format!("{name}.{}", field.name.node);
            for argument in field.arguments.iter().map(|argument| &argument.node) {
                let said = argument.description.as_ref().map(|said| said.node.as_str());
                heard(format!("{place}({})", argument.name.node), said);
            }
            heard(place, field.description.as_ref().map(|said| said.node.as_str()));
        }
        match &of.kind {
            TypeKind::Enum(words) => {
                for word in words.values.iter().map(|word| &word.node) {
                    let said = word.description.as_ref().map(|said| said.node.as_str());
                    heard(format!("{name}.{}", word.value.node), said);
                }
            }
            TypeKind::InputObject(input) => {
                for field in input.fields.iter().map(|field| &field.node) {
                    let said = field.description.as_ref().map(|said| said.node.as_str());
                    heard(format!("{name}.{}", field.name.node), said);
                }
            }
            TypeKind::Object(_) | TypeKind::Interface(_) | TypeKind::Scalar | TypeKind::Union(_) => {}
        }
    }
    assert_eq!(silent, Vec::<String>::new());
}

#[test]
fn there_is_no_float_in_the_schema() {
    assert!(!super::sdl().contains("Float"));
}
