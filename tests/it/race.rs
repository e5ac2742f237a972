//! Many who want the same thing at the same time.

use std::collections::BTreeSet;

use chrono::{Duration, NaiveDate};
use domain::access::Role;
use futures::future::join_all;
use serde_json::{Value, json};
use tests::http::{Client, Server, global_id, party, with};

const BOOKING: &str = "booking { id customer { id } }";
const COUNTS: &str =
    "{ bookings(first: 1) { totalCount { value } } customers(first: 1) { totalCount { value } }
    leads(first: 100) { totalCount { value } nodes { email failure } } }";

fn sacramento(server: &Server) -> Value {
    json!({
        "stationId": global_id("Station", server.company.sacramento),
        "venue": {"street": "1 Main St", "city": "Sacramento", "state": "CA", "zip": "95814"},
    })
}

/// Of all who ask at once for what is there once, one gets it, and each of the others is kept as a lead.
async fn one_wins(server: &Server, admin: &Client, asked: Vec<Value>) {
    let before = server.written(&server.company).await;
    let losers = asked.len() - 1;
    let answers = join_all(
        asked
            .into_iter()
            .map(|input| admin.command("bookingRequest", BOOKING, input)),
    )
    .await;
    let won = answers
        .iter()
        .filter(|answer| answer["position"].is_i64())
        .count();
    let lost = answers
        .iter()
        .filter(|answer| answer["userErrors"][0]["code"] == "SLOT_UNAVAILABLE")
        .count();
    assert_eq!((won, lost), (1, losers), "{answers:?}");
    let losers = i64::try_from(losers).expect("a handful");
    // A customer and a booking, and the leads.
    server.caught_up(&server.company).await;
    assert_eq!(server.written(&server.company).await, before + 2 + losers);
    let counts = admin.data(COUNTS, json!({})).await;
    let total = |list: &str| counts[list]["totalCount"]["value"].as_i64();
    assert_eq!(
        (total("bookings"), total("customers"), total("leads")),
        (Some(1), Some(1), Some(losers))
    );
    let leads = counts["leads"]["nodes"].as_array().expect("a list");
    let different: BTreeSet<String> = leads.iter().map(|lead| lead["email"].to_string()).collect();
    assert_eq!(different.len(), leads.len(), "of a page of a hundred");
    assert!(leads.iter().all(|lead| lead["failure"] == "SLOT_UNAVAILABLE"));
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_ten_who_want_the_last_place_one_gets_it() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let asked = (0..10).map(|number| party(&format!("racer-{number}"))).collect();
    one_wins(&server, &admin, asked).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_sixty_four_who_want_the_last_place_one_gets_it() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let asked = (0..64).map(|number| party(&format!("racer-{number}"))).collect();
    one_wins(&server, &admin, asked).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_hundred_and_fifty_six_who_want_the_last_place_one_gets_it() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let asked = (0..256).map(|number| party(&format!("racer-{number}"))).collect();
    one_wins(&server, &admin, asked).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_ten_parties_for_two_chefs_each_where_there_are_three_one_is_served() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let large = with(sacramento(&server), json!({"guests": {"adults": 26}}));
    let asked = (0..10)
        .map(|number| with(party(&format!("racer-{number}")), large.clone()))
        .collect();
    one_wins(&server, &admin, asked).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_requests_of_one_new_customer_at_once_make_one_customer() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let before = server.written(&server.company).await;
    let who = json!({"name": "Guest", "email": "guest@example.com", "phone": "(408) 555-0100"});
    let first = NaiveDate::from_ymd_opt(2026, 3, 1).unwrap();
    let asked = (0..10).map(|number| {
        let start = format!("{}T18:00:00", first + Duration::days(number));
        let fields = with(sacramento(&server), json!({"customer": who, "start": start}));
        admin.done(
            "bookingRequest",
            BOOKING,
            with(party(&format!("request-{number}")), fields),
        )
    });
    let answers = join_all(asked).await;
    let ids = |field: fn(&Value) -> String| answers.iter().map(field).collect::<BTreeSet<_>>().len();
    assert_eq!(ids(|answer| answer["booking"]["id"].to_string()), 10);
    assert_eq!(ids(|answer| answer["booking"]["customer"]["id"].to_string()), 1);
    server.caught_up(&server.company).await;
    assert_eq!(server.written(&server.company).await, before + 11);
    let counts = admin.data(COUNTS, json!({})).await;
    assert_eq!(counts["customers"]["totalCount"]["value"], 1);
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_that_two_judge_at_once_is_judged_once() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let booking = admin.done("bookingRequest", BOOKING, party("a")).await["booking"]["id"].take();
    let money = json!({
        "idempotencyKey": "money", "bookingId": booking, "kind": "DEPOSIT", "method": "VENMO",
        "amountMinor": 10_000,
    });
    let recorded = admin.done("paymentRecord", "payment { id }", money).await;
    let verdicts = (0..6).map(|number| {
        let verify = json!({
            "idempotencyKey": format!("verdict {number}"), "paymentId": recorded["payment"]["id"], "accept": true, "note": "seen",
        });
        admin.command("paymentVerify", "payment { status }", verify)
    });
    let answers = join_all(verdicts).await;
    let judged = answers
        .iter()
        .find(|answer| answer["position"].is_i64())
        .expect("one is heard");
    let late = answers
        .iter()
        .filter(|answer| answer["userErrors"][0]["code"] == "WRONG_STATE")
        .count();
    assert_eq!(late, 5, "{answers:?}");
    let confirmed = "query($id: ID!, $at: LogPosition!) {
        booking(id: $id, fresh: {atLeast: $at, waitMs: 10000}) { status paid { minor } } }";
    let at = judged["position"].as_i64().unwrap() + 1;
    let confirmed = admin.data(confirmed, json!({"id": booking, "at": at})).await;
    assert_eq!(
        confirmed["booking"],
        json!({"status": "CONFIRMED", "paid": {"minor": 10_000}})
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
}
