//! Operations that are there to keep the program busy: each is refused before any of it is done.

use std::time::{Duration, Instant};

use domain::access::Role;
use serde_json::{Value, json};
use tests::http::{Client, Server};

fn many(number: usize, part: impl Fn(usize) -> String) -> String {
    (0..number).map(part).collect::<Vec<_>>().join(" ")
}

/// Asks for something that must be refused, and gives the reason.
async fn refused(client: &Client, about: &str, query: &str) -> String {
    let began = Instant::now();
    let answer = client.graphql(query, json!({})).await;
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{about} took {:?}",
        began.elapsed()
    );
    let error = &answer["errors"][0];
    assert_eq!(
        error["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED",
        "{about}: {answer}"
    );
    assert!(answer["data"].is_null(), "{about}: {answer}");
    error["message"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn an_operation_that_is_made_to_be_costly_is_refused_and_none_of_it_done() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let before = server.written(&server.company).await;
    let aliases = many(100, |number| format!("a{number}: id"));
    let aliases_of_root = many(100, |number| format!("a{number}: log {{ position }}"));
    let directives = many(50, |_| "@include(if: true)".to_owned());
    let unknown = many(50, |_| "@aa".to_owned());
    let fields = many(500, |_| "position".to_owned());
    let deep = format!(
        "{{ bookings(first: 1) {{ {} id {} }} }}",
        "nodes { customer { bookings(first: 1) { ".repeat(10),
        "} } }".repeat(10)
    );
    let guesses = many(100, |number| {
        format!(
            "g{number}: signIn(input: {{organisation: \"our-hibachi\", email: \"a@b.test\", password: \"x{number}\"}}) {{ accessToken }}"
        )
    });
    let doubled = many(30, |number| {
        format!("fragment F{number} on Log {{ ...F{0} ...F{0} }}", number + 1)
    });
    for (about, query, told) in [
        ("100 aliases", format!("{{ bookings(first: 1) {{ nodes {{ {aliases} }} }} }}"), "at most 50 aliases"),
        ("100 aliases of the root", format!("{{ {aliases_of_root} }}"), "at most 30 fields of the root"),
        ("100 guesses at a password", format!("mutation {{ {guesses} }}"), "at most 30 fields of the root"),
        ("50 directives", format!("{{ log {directives} {{ position }} }}"), "at most 30 directives"),
        ("50 directives that there are not", format!("{{ log {unknown} {{ position }} }}"), "at most 30 directives"),
        ("500 fields", format!("{{ log {{ {fields} }} }}"), "at most 10 times in one place"),
        ("depth 30", deep, "nested too deep"),
        (
            "fragments that double",
            format!("{{ log {{ ...F0 }} }} {doubled} fragment F30 on Log {{ position }}"),
            "selects at most",
        ),
        (
            "fragments that go round",
            "{ log { ...A } } fragment A on Log { ...B } fragment B on Log { ...A }".to_owned(),
            "selects at most",
        ),
        (
            "fragments that go round and double",
            "{ ...A ...A } fragment A on Query { ...B ...B } fragment B on Query { ...A ...A }".to_owned(),
            "selects at most",
        ),
        (
            "circular introspection",
            "{ __schema { types { fields { type { fields { type { fields { type { name } } } } } } } } }".to_owned(),
            "goes round in circles",
        ),
        (
            "pages in pages",
            "{ bookings(first: 100) { nodes { customer { bookings(first: 100) { nodes { id number } } } } } }".to_owned(),
            "",
        ),
    ] {
        let message = refused(&admin, about, &query).await;
        assert!(message.contains(told), "{about}: {message}");
    }
    assert_eq!(server.written(&server.company).await, before);
}

#[tokio::test]
async fn a_mistyped_name_is_not_set_right_for_whoever_guesses() {
    let server = Server::start().await;
    for client in [server.nobody(), server.sign_in(Role::Chef).await] {
        let told = refused(&client, "a guess", "{ bokings(first: 1) { nodes { id } } }").await;
        assert!(
            !told.contains("Did you mean") && !told.contains("bookings"),
            "{told}"
        );
        let told = refused(&client, "a guess", "{ log { positon } }").await;
        assert!(!told.contains("Did you mean"), "{told}");
    }
}

#[tokio::test]
async fn the_schema_can_be_read_as_tools_read_it_and_says_what_it_cost() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let of_type = "kind name ofType { kind name ofType { kind name ofType { kind name } } }";
    let usual = format!(
        "{{ __schema {{ queryType {{ name }} mutationType {{ name }} types {{ kind name description
            fields(includeDeprecated: true) {{ name description args {{ name type {{ {of_type} }} defaultValue }} type {{ {of_type} }} }}
            inputFields {{ name type {{ {of_type} }} }} interfaces {{ {of_type} }}
            enumValues(includeDeprecated: true) {{ name }} possibleTypes {{ {of_type} }} }}
            directives {{ name locations args {{ name }} }} }} }}"
    );
    let answer = admin.graphql(&usual, json!({})).await;
    assert_eq!(answer["errors"], Value::Null);
    assert!(
        answer["data"]["__schema"]["types"]
            .as_array()
            .is_some_and(|types| types.len() > 100)
    );
    let few = admin.graphql("{ log { position } }", json!({})).await;
    let page = admin
        .graphql("{ bookings(first: 50) { nodes { id number } } }", json!({}))
        .await;
    let points = |answer: &Value| {
        answer["extensions"]["cost"]["points"]
            .as_i64()
            .expect("it says so")
    };
    assert!(points(&few) < points(&page), "{few} {page}");
    assert!(
        points(&page) >= 100,
        "a list costs its length times what it holds: {page}"
    );
}

#[tokio::test]
async fn only_a_post_of_json_is_looked_at() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let token = admin.token.clone().expect("she is signed in");
    let before = server.written(&server.company).await;
    let command = "mutation { stationCreate(input: {idempotencyKey: \"x\"}) { position } }";
    let url = format!(
        "/graphql?query={}",
        command.replace(' ', "%20").replace('"', "%22")
    );
    let got = admin
        .get(&url)
        .bearer_auth(&token)
        .send()
        .await
        .expect("it answers");
    assert_eq!(got.status().as_u16(), 405, "a command over GET");
    let form = format!("query={}", command.replace(' ', "+"));
    for (kind, body) in [
        ("application/x-www-form-urlencoded", form),
        ("text/plain", json!({"query": command}).to_string()),
        (
            "multipart/form-data; boundary=x",
            "--x\r\n\r\n{}\r\n--x--".to_owned(),
        ),
    ] {
        let posted = admin.raw().header("content-type", kind).body(body).send().await;
        assert_eq!(posted.expect("it answers").status().as_u16(), 415, "{kind}");
    }
    let ten = Value::Array(vec![json!({"query": "{ log { position } }"}); 10]);
    let batch = admin.raw().json(&ten).send().await.expect("it answers");
    assert_eq!(batch.status().as_u16(), 400, "a batch");
    let megabyte = json!({"query": "{ log { position } }", "variables": {"x": "x".repeat(1 << 20)}});
    let large = admin.raw().json(&megabyte).send().await.expect("it answers");
    assert_eq!(large.status().as_u16(), 413, "a body of 1 MB");
    assert_eq!(server.written(&server.company).await, before);
}
