//! Clients that others write: generated from the schema, compiled, and run against the program.

use domain::access::Role;
use serde_json::{Value, json};
use tests::http::{PASSWORD, Server};
use tests::process::Answer;
use tests::workshop::Workshop;

const SCHEMA: &str = include_str!("../../api/schema.graphql");

fn well(answer: Answer) -> Answer {
    assert_eq!(answer.code, Some(0), "{}\n{}", answer.out, answer.err);
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_in_typescript_is_generated_compiles_and_books_a_party() {
    let server = Server::start().await;
    server.sign_in(Role::Admin).await;
    let workshop = Workshop::of(SCHEMA);
    let (url, email) = (
        format!("http://{}/graphql", server.address()),
        format!("admin@{}.test", server.company.slug),
    );
    let told = [
        ("HIBACHI_URL", url.as_str()),
        ("HIBACHI_ORG", &server.company.slug),
        ("HIBACHI_EMAIL", &email),
        ("HIBACHI_PASSWORD", PASSWORD),
    ];
    let generate = ["generate.mjs", "schema.graphql", "operations", "hibachi.ts"];
    let said = tokio::task::block_in_place(|| {
        well(workshop.node(&generate, &[]));
        well(workshop.node(&["node_modules/typescript/bin/tsc", "-p", "."], &[]));
        well(workshop.node(&["built/run.js"], &told))
    });
    let said: Value = serde_json::from_str(&said.out).expect("it says what it did in JSON");
    assert_eq!(
        (&said["role"], &said["codes"], &said["numbers"]),
        (
            &json!("ADMIN"),
            &json!(["SLOT_UNAVAILABLE"]),
            &json!([said["booked"]])
        )
    );
}

#[test]
fn a_client_that_asks_for_what_there_is_not_does_not_compile() {
    let workshop = Workshop::of(&SCHEMA.replace("\tpermissions: [String!]!", "\tabilities: [String!]!"));
    let generate = ["generate.mjs", "schema.graphql", "operations", "hibachi.ts"];
    let refused = workshop.node(&generate, &[]);
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.err.contains(r#"Cannot query field "permissions""#),
        "{}",
        refused.err
    );
}

#[test]
fn the_compiler_of_relay_accepts_the_schema() {
    let workshop = Workshop::of(SCHEMA);
    std::fs::create_dir(workshop.place().join("relay/__generated__")).expect("it is not there");
    well(workshop.node(&["node_modules/relay-compiler/cli.js"], &[]));
    assert_eq!(
        workshop.files("relay/__generated__"),
        [
            "BookingsListPaginationQuery.graphql.ts",
            "BookingsPageQuery.graphql.ts",
            "BookingsRequestMutation.graphql.ts",
            "BookingsRowRefetchQuery.graphql.ts",
            "Bookings_list.graphql.ts",
            "Bookings_row.graphql.ts",
        ]
    );
}

#[test]
fn what_changed_between_two_schemas_is_named_and_what_breaks_clients_is_an_error() {
    const BEFORE: &str = "type Query { name: String!, party(id: ID!): String } enum Size { SMALL }";
    let cases = [
        (BEFORE, 0, "schema: 0 breaking, 0 dangerous, 0 added"),
        (
            "type Query { party(id: ID!): String } enum Size { SMALL }",
            1,
            "breaking: FIELD_REMOVED: Query.name was removed.",
        ),
        (
            "type Query { name: String, party(id: ID!): String } enum Size { SMALL }",
            1,
            "breaking: FIELD_CHANGED_KIND: Query.name changed type from String! to String.",
        ),
        (
            "type Query { name: String!, party(id: ID!, on: ID!): String } enum Size { SMALL }",
            1,
            "breaking: REQUIRED_ARG_ADDED: A required arg on on Query.party was added.",
        ),
        (
            "type Query { name: String!, party(id: ID!): String } enum Size { SMALL LARGE }",
            0,
            "dangerous: VALUE_ADDED_TO_ENUM: LARGE was added to enum type Size.",
        ),
        (
            "type Query { name: String!, party(id: ID!): String } enum Size { SMALL } type Chef { id: ID! }",
            0,
            "added: TYPE_ADDED: Chef was added.",
        ),
    ];
    let workshop = Workshop::of(BEFORE);
    for (after, code, line) in cases {
        workshop.add("after.graphql", after);
        let said = workshop.node(&["changes.mjs", "schema.graphql", "after.graphql"], &[]);
        assert_eq!(said.code, Some(code), "{after}: {}", said.err);
        assert!(said.out.lines().any(|one| one == line), "{after}: {}", said.out);
    }
}
