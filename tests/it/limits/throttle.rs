//! Allowances: what is spent, what is told of it, and that a client which keeps to it is never turned away.

use api::app::App;
use api::throttle::{Allowance, Throttle};
use chrono::{SecondsFormat, TimeDelta};
use domain::access::Role;
use reqwest::Response;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use tests::http::{Client, Server};

const MINE: Allowance = Allowance {
    burst: 1_000,
    per_second: 100,
};
const OURS: Allowance = Allowance {
    burst: 1_500,
    per_second: 100,
};
/// Costs some hundred points.
const PAGE: &str = "{ bookings(first: 50) { nodes { id number status } } }";

async fn server() -> Server {
    Server::start_as(|app| App {
        throttle: Some(Throttle::new(MINE, OURS)),
        ..app
    })
    .await
}

async fn ask(client: &Client, query: &str) -> Response {
    let sent = client.raw().json(&json!({"query": query})).send().await;
    sent.expect("it answers")
}

/// What is left of an allowance, as the headers have it: points, and seconds until all is back.
fn left(headers: &HeaderMap, whose: &str) -> (u32, u32) {
    let header = headers["ratelimit"].to_str().expect("it is text");
    let item = header
        .split(", ")
        .find(|item| item.starts_with(&format!("\"{whose}\"")));
    let item = item.unwrap_or_else(|| panic!("{whose} in {header}"));
    let number = |name: &str| {
        let part = item.split(';').find_map(|part| part.strip_prefix(name));
        part.and_then(|number| number.parse().ok())
            .expect("it is a number")
    };
    (number("r="), number("t="))
}

fn pass(server: &Server, span: TimeDelta) {
    let then = server.now() + span;
    server.set_clock(&then.to_rfc3339_opts(SecondsFormat::Millis, true));
}

#[tokio::test]
async fn whoever_asks_too_much_is_told_when_to_come_again() {
    let server = server().await;
    let admin = server.sign_in(Role::Admin).await;
    let first = ask(&admin, PAGE).await;
    assert_eq!(
        first.headers()["ratelimit-policy"],
        "\"credential\";q=1000;w=10, \"company\";q=1500;w=15"
    );
    let (after_one, _) = left(first.headers(), "credential");
    let body: Value = first.json().await.expect("it is JSON");
    let cost = body["extensions"]["cost"]["points"]
        .as_u64()
        .and_then(|cost| u32::try_from(cost).ok());
    let cost = cost.expect("it says what it cost");
    assert_eq!(after_one, 1_000 - cost);
    let refused = loop {
        let answer = ask(&admin, PAGE).await;
        if answer.status().as_u16() != 200 {
            break answer;
        }
    };
    assert_eq!(refused.status().as_u16(), 429);
    let wait: i64 = refused.headers()["retry-after"]
        .to_str()
        .ok()
        .and_then(|wait| wait.parse().ok())
        .expect("seconds");
    let (known, _) = left(refused.headers(), "credential");
    assert!(known < cost, "{known}");
    assert_eq!(u32::try_from(wait), Ok((cost - known).div_ceil(MINE.per_second)));
    let body: Value = refused.json().await.expect("it is JSON");
    let error = &body["errors"][0];
    assert_eq!(error["extensions"]["code"], "THROTTLED", "{body}");
    assert!(
        error["extensions"]["requestId"]
            .as_str()
            .is_some_and(|id| id.len() == 36),
        "{body}"
    );
    pass(&server, TimeDelta::seconds(wait));
    assert_eq!(ask(&admin, PAGE).await.status().as_u16(), 200, "as it was told");
    let figures = server.figures().await;
    assert!(
        figures.contains("hibachi_throttled_total{allowance=\"credential\"} 1"),
        "{figures}"
    );
}

#[tokio::test]
async fn one_who_asks_too_much_uses_up_neither_another_companys_allowance_nor_that_of_those_without_sign_in()
{
    let server = server().await;
    let neighbour = server.neighbour().await;
    let (admin, chef) = (
        server.sign_in(Role::Admin).await,
        server.sign_in(Role::Chef).await,
    );
    let other = server
        .sign_in_at(&neighbour, Role::Admin, domain::access::StationScope::All)
        .await;
    while ask(&admin, PAGE).await.status().as_u16() == 200 {}
    // The company has 500 left, and her colleague spends them.
    let mut seen = Vec::new();
    let refused = loop {
        let answer = ask(&chef, "{ stations(first: 50) { nodes { id name } } }").await;
        if answer.status().as_u16() != 200 {
            break answer;
        }
        seen.push(left(answer.headers(), "company").0);
    };
    assert!(seen.len() >= 2, "{seen:?}");
    assert!(left(refused.headers(), "credential").0 >= left(refused.headers(), "company").0);
    let figures = server.figures().await;
    assert!(
        figures.contains("hibachi_throttled_total{allowance=\"company\"} 1"),
        "{figures}"
    );
    assert_eq!(ask(&other, PAGE).await.status().as_u16(), 200);
    let nobody = ask(&server.nobody(), "{ __typename }").await;
    assert_eq!(nobody.status().as_u16(), 200);
    assert!(
        !nobody.headers()["ratelimit"]
            .to_str()
            .is_ok_and(|left| left.contains("company"))
    );
}

#[tokio::test]
async fn what_is_refused_before_it_is_begun_costs_a_little() {
    let server = server().await;
    let admin = server.sign_in(Role::Admin).await;
    let (before, _) = left(ask(&admin, "{ __typename }").await.headers(), "credential");
    for (number, unfit) in (1..).zip(["{ nothing }", "{", "subscription { changes { position } }"]) {
        let refused = ask(&admin, unfit).await;
        assert_eq!(refused.status().as_u16(), 200);
        assert_eq!(
            left(refused.headers(), "credential").0,
            before - 10 * number,
            "{unfit}"
        );
    }
    let mut refused = 0;
    while ask(&admin, "{ nothing }").await.status().as_u16() == 200 {
        refused += 1;
        assert!(refused < 100, "it is free");
    }
}

#[tokio::test]
async fn files_are_paid_out_of_the_same_allowances_and_a_key_has_its_own() {
    let server = server().await;
    let admin = server.sign_in(Role::Admin).await;
    let file = async |secret: &str, path: &str| {
        let asked = server.nobody().get(path).bearer_auth(secret);
        asked.send().await.expect("it answers")
    };
    let token = admin.token.clone().expect("a token");
    let document = "/documents/INV-2026-000001.pdf";
    let (before, _) = left(ask(&admin, "{ __typename }").await.headers(), "credential");
    let missing = file(&token, document).await;
    assert_eq!(missing.status().as_u16(), 404);
    assert_eq!(left(missing.headers(), "credential").0, before - 200);

    let make =
        "mutation($input: ApiKeyCreateInput!) { apiKeyCreate(input: $input) { secret userErrors { code } } }";
    let input = json!({
        "idempotencyKey": "books", "name": "The books", "scopes": ["tax:read", "tax:export", "money:read"],
    });
    let made = admin.data(make, json!({"input": input})).await;
    let secret = made["apiKeyCreate"]["secret"]
        .as_str()
        .unwrap_or_else(|| panic!("{made}"));
    let books = "/exports/books?from=2026-01-01&to=2026-03-31&format=csv";
    // It costs more than a whole allowance here, and takes all of it.
    pass(&server, TimeDelta::seconds(15));
    let given = file(secret, books).await;
    assert_eq!(given.status().as_u16(), 200);
    assert_eq!(left(given.headers(), "credential").0, 0);
    pass(&server, TimeDelta::seconds(5));
    let refused = file(secret, books).await;
    assert_eq!(refused.status().as_u16(), 429);
    assert_eq!(
        refused.headers()["retry-after"],
        "10",
        "the company's come back in that time"
    );
    let body: Value = refused.json().await.expect("it is JSON");
    assert_eq!(body["errors"][0]["extensions"]["code"], "THROTTLED", "{body}");
    let hers = ask(&admin, "{ __typename }").await;
    assert!(left(hers.headers(), "credential").0 > 500, "hers are hers");
}

#[tokio::test]
async fn guesses_at_passwords_use_up_what_an_address_may_ask() {
    let server = server().await;
    let guess = "mutation { signIn(input: {organisation: \"our-hibachi\", email: \"a@b.test\", password: \"guess\"}) { accessToken } }";
    let mut guesses = 0;
    while ask(&server.nobody(), guess).await.status().as_u16() == 200 {
        guesses += 1;
        assert!(guesses < 200, "nobody counts them");
    }
}

#[tokio::test]
async fn a_client_that_keeps_to_what_it_is_told_is_never_turned_away() {
    let server = server().await;
    let mut admin = server.sign_in(Role::Admin).await;
    let queries = [
        PAGE,
        "{ log { position } }",
        "{ stations(first: 20) { nodes { id name } } }",
    ];
    let mut costs = [0; 3];
    // It cannot know beforehand what the first of each costs, and asks them while it has enough.
    for (query, cost) in queries.iter().zip(&mut costs) {
        let body: Value = ask(&admin, query).await.json().await.expect("it is JSON");
        *cost = body["extensions"]["cost"]["points"]
            .as_i64()
            .expect("it says what it cost");
    }
    let mut known = left(ask(&admin, "{ __typename }").await.headers(), "credential").0;
    let mut signed_in_at = server.now();
    let mut waited = 0;
    for number in 0..300 {
        let (query, cost) = (queries[number % 3], costs[number % 3]);
        if i64::from(known) < cost {
            let missing = cost - i64::from(known);
            // Rounded up, for the clock goes on by whole milliseconds.
            pass(
                &server,
                TimeDelta::milliseconds((missing * 1_000).div_euclid(100) + 10),
            );
            waited += 1;
        }
        if server.now() - signed_in_at > TimeDelta::minutes(8) {
            pass(&server, TimeDelta::seconds(10));
            admin.sign_in_again().await;
            signed_in_at = server.now();
        }
        let answer = ask(&admin, query).await;
        assert_eq!(
            answer.status().as_u16(),
            200,
            "request {number}, with {known} left for {cost}"
        );
        known = left(answer.headers(), "credential").0;
    }
    assert!(waited > 50, "it had to wait {waited} times");
}
