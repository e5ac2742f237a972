//! Reads that must be so fresh: they wait for one read model, with a bound, and say when they do not get there.

use std::time::{Duration, Instant};

use domain::access::Role;
use domain::envelope::Position;
use domain::ids::BookingId;
use projections::booking_list::{self, BookingFilter, BookingSort};
use projections::{At, Fresh, Late, ReadError, ReadModels, Slice, Worker};
use serde_json::{Value, json};
use tests::http::{Client, Server, party};

use super::company::{Company, TENANT, auditor, id};

fn fresh(at_least: Position, wait: u64, then: Late) -> At {
    At::Live {
        fresh: Some(Fresh {
            at_least,
            wait: Duration::from_millis(wait),
            then,
        }),
    }
}

#[tokio::test]
async fn without_a_worker_a_read_is_refused_after_its_wait_or_shown_stale() {
    let company = Company::new().await;
    company.open().await;
    company.request(1).await;
    let reached = company
        .models
        .catch_up(TENANT)
        .await
        .expect("the read models follow");
    let head = company.request(2).await;
    let auditor = auditor();
    let page = |at| {
        let (filter, all) = (BookingFilter::default(), Slice::first(10));
        booking_list::page(&company.models, &auditor, filter, BookingSort::StartAsc, all, at)
    };
    for asked in [head, Position(head.0 + 50)] {
        let began = Instant::now();
        let refused = page(fresh(asked, 60, Late::Refuse)).await.unwrap_err();
        assert!(began.elapsed() >= Duration::from_millis(60));
        assert!(
            matches!(refused, ReadError::StaleRead { projection: "booking_list", asked: it, position, head: end }
                if it == asked && position == reached && end == head),
            "{refused:?}"
        );
        let shown = page(fresh(asked, 60, Late::ShowStale))
            .await
            .expect("it is shown");
        assert_eq!((shown.rows.len(), shown.info.stale), (1, true));
        assert_eq!(
            (shown.info.position, shown.info.lag_events),
            (reached, head.0 - reached.0)
        );
        assert!(shown.info.lag_ms >= 0);
    }
    let no_wait = page(fresh(reached, 0, Late::Refuse))
        .await
        .expect("it is there already");
    assert!(!no_wait.info.stale);
    let count = booking_list::count(
        &company.models,
        &auditor,
        BookingFilter::default(),
        fresh(head, 0, Late::ShowStale),
    );
    let count = count.await.expect("it is shown");
    assert_eq!((count.value, count.info.stale), (1, true));
}

#[tokio::test]
async fn a_read_waits_for_a_worker_that_is_slow_in_this_process_or_another() {
    let company = Company::new().await;
    company.open().await;
    // Another process tells nobody here that it has moved a read model.
    let other = ReadModels::new(company.log.clone());
    for (n, models) in [(1, company.models.clone()), (2, other)] {
        let position = company.request(n).await;
        let late = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(120)).await;
            models.catch_up(TENANT).await
        });
        let viewer = auditor();
        let at = fresh(position, 10_000, Late::ShowStale);
        let found = booking_list::one(&company.models, &viewer, BookingId(id(n)), at).await;
        let found = found.expect("it is waited for");
        assert!(found.value.is_some() && !found.info.stale && found.info.position >= position);
        late.await.expect("it ran").expect("the read models follow");
    }
    let worker = Worker::start(company.models.clone());
    for n in 3..8 {
        let position = company.request(n).await;
        let at = fresh(position, 10_000, Late::Refuse);
        let found = booking_list::one(&company.models, &auditor(), BookingId(id(n)), at).await;
        assert!(found.expect("the worker follows").value.is_some());
    }
    worker.stop().await;
}

async fn answer(client: &Client, query: &str) -> Value {
    let text = client.text(query, &json!({})).await;
    serde_json::from_str(&text).expect("an answer is JSON")
}

#[tokio::test]
async fn the_api_says_what_is_stale_and_what_is_worth_asking_again() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let booked = admin.done("bookingRequest", "booking { id }", party("one")).await;
    let booking = booked["booking"]["id"].as_str().expect("an id");
    let head = server.caught_up(&server.company).await;
    let asked = head + 3;
    for root in [
        "bookings(first: 5, fresh: FRESH) { readInfo { position stale lagEvents lagMs } }".to_owned(),
        format!("booking(id: \"{booking}\", fresh: FRESH) {{ readInfo {{ position stale lagEvents lagMs }} }}"),
        "payments(first: 5, fresh: FRESH) { readInfo { position stale lagEvents lagMs } }".to_owned(),
        "customers(first: 5, fresh: FRESH) { readInfo { position stale lagEvents lagMs } }".to_owned(),
        "taxReport(state: \"CA\", period: \"2026-03\", fresh: FRESH) { readInfo { position stale lagEvents lagMs } }"
            .to_owned(),
        "auditLog(first: 5, fresh: FRESH) { readInfo { position stale lagEvents lagMs } }".to_owned(),
    ] {
        let ask = |fresh: &str| format!("{{ it: {} }}", root.replace("FRESH", fresh));
        let refused = answer(&admin, &ask(&format!("{{atLeast: {asked}, waitMs: 30}}"))).await;
        let extensions = &refused["errors"][0]["extensions"];
        assert_eq!(
            (&extensions["code"], &extensions["retryable"], &extensions["head"]),
            (&json!("STALE_READ"), &json!(true), &json!(head)),
            "{refused}"
        );
        let shown = answer(&admin, &ask(&format!("{{atLeast: {asked}, waitMs: 30, allowStale: true}}"))).await;
        let info = json!({"position": head, "stale": true, "lagEvents": 0, "lagMs": 0});
        assert_eq!(shown["data"]["it"]["readInfo"], info, "{shown}");
        let right = answer(&admin, &ask(&format!("{{atLeast: {head}}}"))).await;
        assert_eq!(right["data"]["it"]["readInfo"]["stale"], json!(false), "{right}");
        for silly in [
            format!("{{atLeast: {head}, waitMs: -1}}"),
            format!("{{atLeast: {head}, waitMs: 10001}}"),
            "{atLeast: -1}".to_owned(),
            format!("{{atLeast: {head}}}, asOf: {{position: {head}}}"),
        ] {
            let refused = answer(&admin, &ask(&silly)).await;
            assert_eq!(refused["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{silly}: {refused}");
        }
    }
}
