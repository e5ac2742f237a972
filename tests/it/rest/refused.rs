//! What customers' pages are refused, and that it is always a problem with a code.

use reqwest::Method;
use serde_json::json;
use tests::http::{Server, with};

use super::{OURS, answer, ask, give, look, priced, secret, wanted};

#[tokio::test]
async fn whatever_is_refused_is_a_problem_with_a_code() {
    let server = Server::start().await;
    let page = server.nobody();
    let (quotes, bookings) = (format!("{OURS}/quotes"), format!("{OURS}/bookings"));
    let days = |from: &str, to: &str| format!("{OURS}/availability?zip=95112&from={from}&to={to}");
    let day = days("2026-03-14", "2026-03-14");
    let nobodys = "00000000-0000-0000-0000-000000000000";
    for (path, refused) in [
        ("/api/v1".to_owned(), (404, "NOT_FOUND")),
        ("/api/v1/nothing/here".to_owned(), (404, "NOT_FOUND")),
        ("/api/v1/organisations/nobody".to_owned(), (404, "NOT_FOUND")),
        (format!("{OURS}/stations/{nobodys}/menu"), (404, "NOT_FOUND")),
        (format!("{OURS}/stations/none/menu"), (400, "BAD_REQUEST")),
        (format!("{OURS}/bookings/guessed"), (404, "NOT_FOUND")),
        (
            format!("{OURS}/conversations/guessed/messages"),
            (404, "NOT_FOUND"),
        ),
        (quotes.clone(), (405, "METHOD_NOT_ALLOWED")),
        (format!("{OURS}/availability"), (400, "BAD_REQUEST")),
        (format!("{day}&guests=x"), (400, "BAD_REQUEST")),
        (format!("{day}&guests=1&x=1"), (400, "BAD_REQUEST")),
        (
            format!("{}&guests=1", days("2026-03-14", "2026-03-13")),
            (422, "INVALID_RANGE"),
        ),
        (format!("{day}&guests=0"), (422, "INVALID_GUESTS")),
        (
            format!("{day}&guests=1").replace("95112", "00000"),
            (422, "UNKNOWN_ZIP"),
        ),
    ] {
        assert_eq!(look(&page, &path).await.refused(), refused, "{path}");
    }
    assert_eq!(look(&page, &quotes).await.header("allow"), "POST");

    let text = answer(page.post(&quotes).body("{}")).await;
    assert_eq!(text.refused(), (415, "UNSUPPORTED_MEDIA_TYPE"));
    let json = |body: String| {
        page.post(&quotes)
            .header("content-type", "application/json")
            .body(body)
    };
    assert_eq!(answer(json("{".to_owned())).await.refused(), (400, "BAD_REQUEST"));
    let large = answer(json(format!("\"{}\"", "x".repeat(70_000)))).await;
    assert_eq!(large.refused(), (413, "PAYLOAD_TOO_LARGE"));
    for (fields, field) in [
        (json!({"unknown": 1}), "unknown"),
        (json!({"guests": {"adults": "many"}}), "guests.adults"),
        (json!({"guests": {"adults": 1.5}}), "guests.adults"),
        (json!({"guests": {"adults": 5, "dogs": 1}}), "guests.dogs"),
        (json!({"start": "2026-03-14T18:00:00Z"}), "start"),
        (json!({"addOns": [{"item": "sauce"}]}), "addOns[0]"),
    ] {
        let refused = ask(&page, &quotes, &with(priced(), fields)).await;
        assert_eq!(refused.refused(), (400, "BAD_REQUEST"));
        assert_eq!(refused.body["errors"][0]["field"], field, "{}", refused.body);
    }
    for (fields, code, field) in [
        (json!({"zip": "abc"}), "INVALID_ZIP", "zip"),
        (json!({"start": "2026-02-31T18:00:00"}), "INVALID_START", "start"),
        (json!({"guests": {"adults": -1}}), "INVALID_GUESTS", "guests"),
        (
            json!({"addOns": [{"item": "none", "quantity": 1}]}),
            "ITEM_UNKNOWN",
            "addOns.item",
        ),
        (json!({"zip": "10001"}), "OUT_OF_AREA", "zip"),
    ] {
        let refused = ask(&page, &quotes, &with(priced(), fields)).await;
        assert_eq!(refused.refused(), (422, code));
        assert_eq!(refused.body["errors"][0]["field"], field, "{}", refused.body);
    }

    let before = server.head(&server.company).await;
    let keyless = ask(&page, &bookings, &wanted("keyless")).await;
    assert_eq!(keyless.refused(), (400, "IDEMPOTENCY_KEY_REQUIRED"));
    let guessable = page
        .post(&bookings)
        .header("idempotency-key", "1")
        .json(&wanted("short"));
    assert_eq!(
        answer(guessable).await.refused(),
        (400, "INVALID_IDEMPOTENCY_KEY")
    );
    let known = with(wanted("known"), json!({"customer": {"id": "x", "name": "A"}}));
    let refused = give(&page, &bookings, "known", &known).await;
    assert_eq!(
        refused.refused(),
        (400, "BAD_REQUEST"),
        "no customer is named by an id"
    );
    assert_eq!(server.head(&server.company).await, before, "nothing was written");

    let traced = answer(page.get(&quotes).header("x-request-id", "a-request-of-mine")).await;
    assert_eq!(traced.body["requestId"], "a-request-of-mine");
    let odd = page.get(&format!("{OURS}/bookings/%ff"));
    assert_eq!(answer(odd).await.refused(), (400, "BAD_REQUEST"));
    let headed = reqwest::Client::builder().no_proxy().build().expect("a client");
    let url = format!("http://{}/api/v1/nothing", server.address());
    let head = headed.request(Method::HEAD, url).send().await.expect("an answer");
    assert_eq!(head.status(), 404);
    // What is no customer's page is refused as the admin API refuses.
    let elsewhere = look(&page, "/nothing").await;
    let told = &elsewhere.body["errors"][0]["extensions"];
    assert_eq!((elsewhere.status, &told["code"]), (404, &json!("NOT_FOUND")));
    assert_eq!(told["requestId"], elsewhere.header("x-request-id"));
}

#[tokio::test]
async fn one_key_is_one_booking_and_another_companys_things_are_not_there() {
    let server = Server::start().await;
    let neighbour = server.neighbour().await;
    let page = server.nobody();
    let theirs = format!("/api/v1/organisations/{}", neighbour.slug);
    let made = give(&page, &format!("{OURS}/bookings"), "one", &wanted("one"))
        .await
        .done();
    let other = with(wanted("one"), json!({"guests": {"adults": 13}}));
    let refused = give(&page, &format!("{OURS}/bookings"), "one", &other).await;
    assert_eq!(refused.refused(), (409, "IDEMPOTENCY_MISMATCH"));
    assert_eq!(refused.body["errors"][0]["field"], "Idempotency-Key");

    let link = made["link"].as_str().expect("a link is text");
    let station = server.company.san_jose;
    for path in [
        format!("{theirs}/bookings/{link}"),
        format!("{theirs}/stations/{station}/menu"),
        format!("{theirs}/conversations/{link}/messages"),
        format!("{OURS}/conversations/{link}/messages"),
        format!("{OURS}/bookings/{}", altered(link)),
        format!("{OURS}/bookings/{link}A"),
    ] {
        assert_eq!(look(&page, &path).await.refused(), (404, "NOT_FOUND"), "{path}");
    }
    let deposit = json!({"kind": "DEPOSIT"});
    let pay = format!("/bookings/{link}/payments");
    let at_theirs = give(&page, &format!("{theirs}{pay}"), "theirs", &deposit).await;
    assert_eq!(at_theirs.refused(), (404, "NOT_FOUND"));
    let no_cards = give(&page, &format!("{OURS}{pay}"), "ours", &deposit).await;
    assert_eq!(no_cards.refused(), (422, "CARD_NOT_CONFIGURED"));
    let there = with(priced(), json!({"stationId": station.to_string()}));
    assert_eq!(
        ask(&page, &format!("{theirs}/quotes"), &there).await.refused(),
        (404, "NOT_FOUND")
    );
    // The same key at another company is another command.
    let theirs = give(&page, &format!("{theirs}/bookings"), "one", &wanted("one")).await;
    assert_eq!(
        (theirs.status, theirs.header("idempotency-replayed")),
        (201, "false")
    );
    // And a person's key is never a visitor's.
    let admin = server.sign_in(domain::access::Role::Admin).await;
    let staff = with(
        tests::http::party("staff"),
        json!({"idempotencyKey": secret("one")}),
    );
    assert_eq!(admin.refused("bookingRequest", staff).await, "SLOT_UNAVAILABLE");
}

/// The same secret with one letter of its hash changed.
fn altered(link: &str) -> String {
    let mut letters: Vec<char> = link.chars().collect();
    let middle = letters.len() / 2;
    letters[middle] = if letters[middle] == 'A' { 'B' } else { 'A' };
    letters.into_iter().collect()
}
