//! How much an address may ask on customers' pages.

use api::app::App;
use api::http::Edge;
use api::throttle::{Allowance, Throttle};
use chrono::{SecondsFormat, TimeDelta};
use serde_json::json;
use tests::http::{Server, with};

use super::{Answered, OURS, answer, priced};

/// As much as the program grants by itself.
const ADDRESS: Allowance = Allowance {
    burst: 60_000,
    per_second: 3_000,
};

async fn server() -> Server {
    Server::start_as(|app| App {
        throttle: Some(Throttle::new(ADDRESS, ADDRESS)),
        edge: Edge {
            trusted_proxies: vec!["127.0.0.1".parse().expect("a network")],
            ..Edge::default()
        },
        ..app
    })
    .await
}

/// A try at a promo code from an address.
async fn guess(server: &Server, from: &str, number: u32) -> Answered {
    let asked = with(priced(), json!({"promoCode": format!("GUESS{number}")}));
    let request = server.nobody().post(&format!("{OURS}/promo-checks"));
    answer(request.header("x-forwarded-for", from).json(&asked)).await
}

fn left(answered: &Answered) -> u32 {
    let told = answered.header("ratelimit");
    let points = told.split(';').find_map(|part| part.strip_prefix("r="));
    points
        .and_then(|points| points.parse().ok())
        .unwrap_or_else(|| panic!("{told}"))
}

#[tokio::test]
async fn guessing_promo_codes_ends_soon_and_by_address() {
    let server = server().await;
    for number in 0..10 {
        let guessed = guess(&server, "192.0.2.1", number).await;
        assert_eq!((guessed.status, left(&guessed)), (200, 54_000 - number * 6_000));
        assert_eq!(guessed.header("ratelimit-policy"), "\"credential\";q=60000;w=20");
    }
    let over = guess(&server, "192.0.2.1", 10).await;
    assert_eq!(over.refused(), (429, "THROTTLED"));
    assert_eq!((over.header("retry-after"), left(&over)), ("2", 0));
    // Who makes up where they come from is still where they come from.
    let spoofed = guess(&server, "203.0.113.9, 192.0.2.1", 11).await;
    assert_eq!(spoofed.refused(), (429, "THROTTLED"));
    assert_eq!(guess(&server, "192.0.2.2", 12).await.status, 200, "others may");
    // A quote with a code is a try as well.
    let asked = with(priced(), json!({"promoCode": "GUESS"}));
    let quoted = server
        .nobody()
        .post(&format!("{OURS}/quotes"))
        .header("x-forwarded-for", "192.0.2.1");
    assert_eq!(answer(quoted.json(&asked)).await.refused(), (429, "THROTTLED"));
    // The admin API takes from the same allowance.
    let graphql = server.nobody().raw().header("x-forwarded-for", "192.0.2.1");
    let graphql = graphql.json(&json!({"query": "{ __typename }"}));
    assert_eq!(answer(graphql).await.status, 429);
    let later = server.now() + TimeDelta::seconds(2);
    server.set_clock(&later.to_rfc3339_opts(SecondsFormat::Millis, true));
    assert_eq!(
        guess(&server, "192.0.2.1", 13).await.status,
        200,
        "as it was told"
    );
    assert!(
        server
            .figures()
            .await
            .contains("hibachi_throttled_total{allowance=\"credential\"}")
    );
}

#[tokio::test]
async fn whoever_keeps_to_what_is_left_is_never_turned_away() {
    let server = server().await;
    let page = server.nobody();
    let mut points = 60_000;
    for number in 0..60 {
        let code = (number % 5 == 0).then(|| json!({"promoCode": "GUESS"}));
        let cost = if code.is_some() { 6_200 } else { 200 };
        if points < cost {
            let then = server.now() + TimeDelta::seconds(3);
            server.set_clock(&then.to_rfc3339_opts(SecondsFormat::Millis, true));
        }
        let asked = with(priced(), code.unwrap_or(json!({})));
        let answered = answer(page.post(&format!("{OURS}/quotes")).json(&asked)).await;
        assert_ne!(answered.status, 429, "{number}: {points} were left");
        points = left(&answered);
    }
}
