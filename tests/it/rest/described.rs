//! The description of the API: it has every route and no other, says what everything is, and another's program that goes by
//! it finds nothing that is not so.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use domain::access::Role;
use reqwest::Method;
use serde_json::{Value, json};
use tests::http::{Client, Server};
use tests::tools::tool;

use super::{OURS, answer, give, look, wanted};

const METHODS: [Method; 5] = [
    Method::GET,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
];

async fn description(page: &Client) -> Value {
    look(page, "/api/v1/openapi.json").await.done()
}

/// Every operation: method in small letters, path, and what is said of it.
fn operations(description: &Value) -> Vec<(String, String, Value)> {
    let paths = description["paths"].as_object().expect("there are paths");
    let of_path = |(path, item): (&String, &Value)| {
        let item = item.as_object().expect("a path has operations");
        let operation =
            |(method, operation): (&String, &Value)| (method.clone(), path.clone(), operation.clone());
        item.iter().map(operation).collect::<Vec<_>>()
    };
    paths.iter().flat_map(of_path).collect()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the workspace") {
        let path = entry.expect("an entry of it").path();
        if path.is_dir() {
            sources(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[tokio::test]
async fn the_description_has_every_route_and_no_other() {
    let server = Server::start().await;
    let page = server.nobody();
    let described = description(&page).await;
    assert_eq!(described["openapi"], "3.1.0");
    let operations = operations(&described);
    assert!(operations.len() >= 18, "{}", operations.len());
    for (_, path, _) in &operations {
        let mut parts = path
            .split('/')
            .map(|part| if part.starts_with('{') { "x" } else { part });
        let filled = parts.by_ref().collect::<Vec<_>>().join("/");
        let url = format!("http://{}{filled}", server.address());
        for method in METHODS {
            let is_described = operations
                .iter()
                .any(|(known, of, _)| of == path && known.eq_ignore_ascii_case(method.as_str()));
            let asked = reqwest::Client::builder().no_proxy().build().expect("a client");
            let answered = answer(asked.request(method.clone(), &url)).await;
            assert_eq!(answered.status != 405, is_described, "{method} {path}");
            let nowhere = answered.body["detail"] == "there is nothing here";
            assert!(!nowhere, "{method} {path} leads nowhere");
        }
    }
    // A route that is not described could only be one that is written without its description.
    let mut files = Vec::new();
    sources(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("../api/src"),
        &mut files,
    );
    for file in files
        .iter()
        .filter(|file| file.extension().is_some_and(|ending| ending == "rs"))
    {
        let text = fs::read_to_string(file).expect("a source is text");
        let routes = text.split(".route(").skip(1);
        for route in routes.filter(|route| route.trim_start().starts_with("\"/api/")) {
            assert!(
                route.contains("options(preflight)"),
                "{} {}",
                file.display(),
                &route[..40]
            );
        }
    }
}

/// What is described without a word on what it means, by its path in the description.
fn unexplained(at: &str, schema: &Value, found: &mut Vec<String>) {
    let Some(object) = schema.as_object() else { return };
    for (name, property) in object
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let at = format!("{at}.{name}");
        // What may be null is described where it is not.
        let of_some = property["oneOf"].as_array().into_iter().flatten();
        let told = [property].into_iter().chain(of_some);
        let told: Vec<&str> = told.filter_map(|part| part["description"].as_str()).collect();
        let told = told.join(" ");
        if told.is_empty() {
            found.push(at.clone());
        }
        if name.ends_with("Cents") && !told.contains("cents") {
            found.push(format!("{at} has no unit"));
        }
        unexplained(&at, property, found);
    }
}

#[tokio::test]
async fn every_field_and_parameter_says_what_it_means() {
    let server = Server::start().await;
    let described = description(&server.nobody()).await;
    let mut found = Vec::new();
    let schemas = described["components"]["schemas"]
        .as_object()
        .expect("there are schemas");
    for (name, schema) in schemas {
        unexplained(name, schema, &mut found);
    }
    for (method, path, operation) in operations(&described) {
        let at = format!("{method} {path}");
        if operation["summary"].as_str().is_none_or(str::is_empty) {
            found.push(at.clone());
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            if parameter["description"].as_str().is_none_or(str::is_empty) {
                found.push(format!("{at} {}", parameter["name"]));
            }
        }
        for (status, response) in operation["responses"].as_object().expect("there are answers") {
            if status.starts_with(['4', '5']) {
                let problem = &response["content"]["application/problem+json"]["schema"]["$ref"];
                assert_eq!(problem, "#/components/schemas/ProblemDetails", "{at} {status}");
            }
        }
    }
    assert_eq!(found, [""; 0]);
}

/// What schemathesis is told: one worker, for Python before 3.12 does not parse in two threads at a time; what there is, what answers are right, and that it keeps everything to itself.
fn settings(values: &[(&str, &str, String)]) -> String {
    let mut text = String::from(
        "seed = 20260210\nworkers = 1\nmax-redirects = 0\nrequest-timeout = 20.0\ncontinue-on-failure = true\n\
         [generation]\nmax-examples = 10\ndeterministic = true\ndatabase = \"none\"\nmode = \"all\"\n\
         [parameters]\n\"path.organisation\" = \"our-hibachi\"\n\
         # What fits the description may still be refused by a rule of the company, or be there no more.\n\
         [checks.positive_data_acceptance]\nexpected-statuses = [\"2xx\", \"303\", \"304\", \"404\", \"409\", \"410\", \"422\"]\n\
         [checks.negative_data_rejection]\nexpected-statuses = [\"400\", \"404\", \"405\", \"409\", \"410\", \"413\", \"415\", \"422\"]\n",
    );
    // What a cursor may be is not described, and has always been refused like this.
    text.push_str(
        "[[operations]]\ninclude-path-regex = \"/reviews/published/\"\n[operations.checks.positive_data_acceptance]\n\
         expected-statuses = [\"2xx\", \"304\", \"400\", \"404\"]\n",
    );
    for (path, parameter, value) in values {
        writeln!(
            text,
            "[[operations]]\ninclude-path-regex = \"{path}\"\nparameters = {{ \"path.{parameter}\" = \"{value}\" }}"
        )
        .expect("a text grows");
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schemathesis_finds_nothing_that_is_not_as_it_is_described() {
    let server = Server::start().await;
    let page = server.nobody();
    let link = |body: &Value| body["link"].as_str().expect("a link is text").to_owned();
    let booking = give(&page, &format!("{OURS}/bookings"), "given", &wanted("given"))
        .await
        .done();
    let talk = give(
        &page,
        &format!("{OURS}/conversations"),
        "talk",
        &json!({"text": "hi"}),
    )
    .await
    .done();
    let values = [
        ("/stations/", "station_id", server.company.san_jose.to_string()),
        ("/bookings/", "link", link(&booking)),
        ("/conversations/", "link", link(&talk)),
    ];
    let place = tempfile::tempdir().expect("a directory");
    let config = place.path().join("schemathesis.toml");
    fs::write(&config, settings(&values)).expect("it can be written");
    let described = description(&page).await;
    let file = place.path().join("openapi.json");
    fs::write(&file, described.to_string()).expect("it can be written");
    let tools = tool("schemathesis-4.32.5");
    let mut command = Command::new("python3");
    command
        .args(["-m", "schemathesis.cli", "--no-color", "--config-file"])
        .arg(&config)
        .args(["run", "--url", &format!("http://{}", server.address())])
        .args([
            "--phases",
            "coverage,fuzzing",
            "--checks",
            "all",
            "--generation-deterministic",
        ])
        .arg(&file)
        .env("PYTHONPATH", tools)
        .env("NO_PROXY", "127.0.0.1")
        .env("HYPOTHESIS_STORAGE_DIRECTORY", place.path())
        .current_dir(place.path());
    let done = tokio::task::spawn_blocking(move || command.output()).await;
    let done = done.expect("it is waited for").expect("Python can be run");
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(
        done.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&done.stderr)
    );
    // All that was tried has left the company as its log tells it.
    let admin = server.sign_in(Role::Admin).await;
    let bookings = admin
        .data("{ bookings(first: 1) { totalCount { value } } }", json!({}))
        .await;
    assert!(
        bookings["bookings"]["totalCount"]["value"].is_number(),
        "{bookings}"
    );
}
