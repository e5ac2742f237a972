//! The schema as the server tells it: its object types, their fields, and what it says of rights to them.

use std::collections::BTreeMap;

use domain::access::{Permission, Role};
use serde_json::{Value, json};
use tests::http::Client;

/// A field of a type.
pub(super) struct Field {
    pub(super) name: String,
    about: String,
    /// The type of what it holds, without lists.
    pub(super) of: String,
    /// Whether it holds scalars, and nothing is below it.
    pub(super) is_leaf: bool,
    arguments: Vec<Argument>,
}

struct Argument {
    name: String,
    /// Whether it must be given.
    is_needed: bool,
}

/// Object types by name.
pub(super) struct Schema(pub(super) BTreeMap<String, Vec<Field>>);

impl Schema {
    pub(super) async fn read(client: &Client) -> Self {
        let of_type =
            "kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";
        let types = client
            .data("{ __schema { types { kind name } } }", json!({}))
            .await;
        let mut objects = BTreeMap::new();
        for found in types["__schema"]["types"].as_array().expect("there are types") {
            let name = found["name"].as_str().expect("a type has a name");
            if found["kind"] != "OBJECT" || name.starts_with("__") {
                continue;
            }
            let query = format!(
                "query($name: String!) {{ __type(name: $name) {{ fields {{ name description type {{ {of_type} }}
                    args {{ name defaultValue type {{ kind }} }} }} }} }}"
            );
            let told = client.data(&query, json!({"name": name})).await;
            let fields = told["__type"]["fields"].as_array().expect("an object has fields");
            objects.insert(name.to_owned(), fields.iter().map(field).collect());
        }
        Self(objects)
    }

    pub(super) fn fields(&self, of: &str) -> &[Field] {
        self.0.get(of).map_or(&[], Vec::as_slice)
    }
}

fn field(told: &Value) -> Field {
    let mut of = &told["type"];
    while !of["ofType"].is_null() {
        of = &of["ofType"];
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let arguments = told["args"].as_array().expect("arguments are a list");
    Field {
        name: text(&told["name"]),
        about: text(&told["description"])
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" "),
        of: text(&of["name"]),
        is_leaf: of["kind"] == "SCALAR" || of["kind"] == "ENUM",
        arguments: arguments
            .iter()
            .map(|argument| Argument {
                name: text(&argument["name"]),
                is_needed: argument["type"]["kind"] == "NON_NULL" && argument["defaultValue"].is_null(),
            })
            .collect(),
    }
}

impl Field {
    /// What its description says of a role's right to it.
    pub(super) fn right(&self, role: Role) -> Right {
        let words = |text: &str| -> Vec<Permission> {
            let words = text.split(|c: char| !(c.is_ascii_lowercase() || c == ':' || c == '_'));
            words.filter_map(Permission::parse).collect()
        };
        let may = |permission: &Permission| role.may(*permission);
        let Some((_, needed)) = self.about.split_once("Needs ") else {
            // Some of it, or of oneself.
            let named = words(&self.about);
            return if named.is_empty() || named.iter().any(may) {
                Right::Has
            } else {
                Right::InPart
            };
        };
        let needed = needed.split_once(". ").map_or(needed, |(first, _)| first);
        let named = words(needed);
        let is_either = needed.contains(" or ");
        if if is_either {
            named.iter().any(may)
        } else {
            named.iter().all(may)
        } {
            Right::Has
        } else {
            Right::HasNot
        }
    }

    /// Whether it is null for whoever may not see it, instead of forbidden.
    pub(super) fn is_null_without(&self) -> bool {
        self.about.contains("null without")
    }

    pub(super) fn called(&self, given: &BTreeMap<&str, String>) -> String {
        let needed = self.arguments.iter().filter(|argument| argument.is_needed);
        let needed: Vec<String> = needed
            .map(|argument| {
                let own = format!("{}.{}", self.name, argument.name);
                let value = given
                    .get(own.as_str())
                    .or_else(|| given.get(argument.name.as_str()));
                let value = value.unwrap_or_else(|| panic!("{}: what is {}?", self.name, argument.name));
                format!("{}: {value}", argument.name)
            })
            .collect();
        if needed.is_empty() {
            self.name.clone()
        } else {
            format!("{}({})", self.name, needed.join(", "))
        }
    }
}

/// Somebody's right to a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Right {
    /// It needs none, or they have it.
    Has,
    /// They have it to some of it at most, such as what is their own.
    InPart,
    /// They do not have it.
    HasNot,
}
