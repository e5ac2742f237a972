//! Closing a period while others write, and what comes after it.

use std::collections::BTreeMap;

use domain::envelope::{Position, StoredEvent};
use rand::Rng;
use serde_json::{Value, json};
use tests::http::{Client, Server, party, with};
use tests::seed::{random, remark, seed};

use super::{close, confirmed, followed, held, paid, people, report};

/// Parties that are completed while the quarter is closed and opened again.
const PARTIES: usize = 24;

/// The whole log of the company.
pub(super) async fn log(server: &Server) -> Vec<StoredEvent> {
    let (tenant, mut events) = (server.company.tenant, Vec::new());
    loop {
        let after = events
            .last()
            .map_or(Position::START, |event: &StoredEvent| event.position);
        let page = server
            .app
            .log
            .read(tenant, after, 500, None)
            .await
            .expect("the log answers");
        if page.is_empty() {
            return events;
        }
        events.extend(page);
    }
}

pub(super) fn payload(event: &StoredEvent) -> Value {
    serde_json::from_str(&event.payload).expect("payloads are JSON")
}

/// The line of an event: its day, and the tax that is left to pay; as the log alone has it, without the read models.
pub(super) fn line(event: &StoredEvent) -> Option<(String, i64)> {
    let payload = payload(event);
    let text = |field: &Value| field.as_str().map(str::to_owned);
    match event.event_type.as_str() {
        "booking.completed" => {
            let day = text(&payload["tax_on"]).or_else(|| text(&payload["event_on"]))?;
            Some((day, payload["tax"]["tax_cents"].as_i64().unwrap_or(0)))
        }
        "booking.tax_adjusted" => {
            let cents = |field: &str| payload["figures"][field].as_i64().expect("an amount");
            Some((
                text(&payload["tax_on"])?,
                cents("tax_cents") - cents("refunded_tax_cents"),
            ))
        }
        _ => None,
    }
}

/// Goes through the log once more: while a period is shut no line is added to its days, and each closing says what the
/// lines up to its position come to. Says how often it was closed, and what all lines come to by their day.
fn sweep(events: &[StoredEvent]) -> (usize, BTreeMap<String, i64>) {
    let (mut shut, mut begun_at, mut closings) = (None::<(String, String)>, Position::START, 0);
    let mut days: BTreeMap<String, i64> = BTreeMap::new();
    for event in events {
        if let Some((day, tax)) = line(event) {
            if let Some((from, until)) = &shut {
                assert!(
                    !(from..=until).contains(&&day),
                    "{} adds a line of {day}",
                    event.position
                );
            }
            *days.entry(day).or_default() += tax;
        }
        let payload = payload(event);
        let period = || {
            let day = |field: &str| payload["period"][field].as_str().expect("a day").to_owned();
            (day("from"), day("until"))
        };
        match event.event_type.as_str() {
            "tax_period.closing_begun" => {
                assert_eq!(shut.replace(period()), None);
                begun_at = event.position;
            }
            "tax_period.closed" => {
                closings += 1;
                let (from, until) = period();
                let frozen = payload["position"].as_i64().expect("a position");
                assert!(frozen >= begun_at.0 && frozen < event.position.0);
                let inside = days.range(from..=until).map(|(_, tax)| tax).sum::<i64>();
                assert_eq!(payload["net_tax_cents"], inside, "{}", event.position);
            }
            "tax_period.closing_withdrawn" | "tax_period.reopened" => shut = None,
            _ => {}
        }
    }
    (closings, days)
}

async fn open(client: &Client, key: &str) {
    let input =
        json!({"idempotencyKey": key, "state": "CA", "period": "2026-Q1", "reason": "one more party"});
    client.command("taxPeriodReopen", "", input).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_completion_puts_a_line_behind_the_position_that_a_closing_froze() {
    let server = Server::start().await;
    let (mut accountant, mut admin) = people(&server).await;
    let mut parties = Vec::new();
    for number in 0..PARTIES {
        let hour = ["12:00", "15:00", "18:00", "21:00"][number % 4];
        let start = format!("2026-03-{:02}T{hour}:00", 2 + number / 4 * 2);
        let key = format!("party-{number}");
        let far = json!({"start": start, "stationId": tests::http::global_id("Station", server.company.sacramento)});
        let requested = admin
            .done("bookingRequest", "booking { id }", with(party(&key), far))
            .await;
        let booking = requested["booking"]["id"].as_str().expect("an id").to_owned();
        let deposit =
            json!({"idempotencyKey": format!("{key} deposit"), "kind": "DEPOSIT", "amountMinor": 10_000});
        paid(&admin, &booking, deposit).await;
        parties.push(booking);
    }
    followed(&server).await;
    server.set_clock("2026-04-02T18:00:00Z");
    admin.sign_in_again().await;
    accountant.sign_in_again().await;
    let completing = tokio::spawn({
        let (admin, parties) = (admin.clone(), parties.clone());
        async move {
            for pair in parties.chunks(2) {
                let one = |booking: &String| {
                    let input =
                        json!({"idempotencyKey": format!("complete {booking}"), "bookingId": booking});
                    let admin = admin.clone();
                    async move {
                        // Deciding anew three times may not be enough while the quarter opens and closes.
                        for _ in 0..20 {
                            let done = admin.command("bookingComplete", "", input.clone()).await;
                            if done["userErrors"] == json!([]) {
                                return;
                            }
                            assert_eq!(done["userErrors"][0]["code"], "CONFLICT", "{done}");
                        }
                        panic!("a party is never completed");
                    }
                };
                let (first, second) = (one(&pair[0]), pair.get(1).map(one));
                tokio::join!(first, async {
                    if let Some(second) = second {
                        second.await;
                    }
                });
            }
        }
    });
    let mut round = 0;
    while !completing.is_finished() && round < 200 {
        close(&accountant, &format!("close {round}"), "2026-Q1").await;
        open(&accountant, &format!("open {round}")).await;
        round += 1;
    }
    completing.await.expect("every party is completed");
    followed(&server).await;
    let last = close(&accountant, "the last", "2026-Q1").await;
    assert_eq!(last["userErrors"], json!([]), "{last}");
    let events = log(&server).await;
    let (closings, days) = sweep(&events);
    assert!(closings >= 2, "{closings} closings in {round} rounds");
    let completed = events
        .iter()
        .filter(|event| event.event_type == "booking.completed");
    assert_eq!(completed.count(), PARTIES);
    let late = days.range("2026-04-01".to_owned()..).count();
    remark(format_args!(
        "{closings} closings in {round} rounds; lines on {late} days after the quarter"
    ));
    let quarter = report(&accountant, "2026-Q1").await;
    let inside: i64 = days.range(..="2026-03-31".to_owned()).map(|(_, tax)| tax).sum();
    assert_eq!(quarter["total"]["netTax"]["minor"], inside);
    server.assert_rebuild_changes_nothing(&server.company).await;
}

/// Facts that come after the quarter was closed.
const LATER: usize = 200;

#[tokio::test]
async fn the_report_of_a_closed_quarter_never_changes_whatever_comes_later() {
    let mut random = random(seed(), 0);
    let server = Server::start().await;
    let (mut accountant, mut admin) = people(&server).await;
    let late = with(party("late"), json!({"start": "2026-03-15T18:00:00"}));
    let late = confirmed(&server, &admin, late).await;
    let booking = held(&server, &mut admin, "first").await;
    let balance = json!({"idempotencyKey": "balance", "kind": "BALANCE", "amountMinor": 75_118});
    let balance = paid(&admin, &booking, balance).await;
    server.set_clock("2026-04-02T18:00:00Z");
    admin.sign_in_again().await;
    accountant.sign_in_again().await;
    let closed = close(&accountant, "close", "2026-Q1").await;
    assert_eq!(closed["userErrors"], json!([]), "{closed}");
    // The party of the fifteenth is only now said to have been held.
    super::completed(&server, &admin, &late).await;
    let mut tipped = Vec::new();
    for number in 0..LATER {
        let key = format!("later {number}");
        match random.random_range(0..4) {
            0 => {
                let cents = random.random_range(1..40_000);
                let screen = json!({"screen": "the page", "preselected": random.random_bool(0.5)});
                let tip = json!({
                    "idempotencyKey": key, "kind": "TIP", "amountMinor": cents, "tipChoice": screen, "method": "VENMO",
                });
                tipped.push((paid(&admin, &booking, tip).await, cents));
            }
            1 => {
                let Some((payment, cents)) = tipped.pop() else {
                    continue;
                };
                let back = random.random_range(1..=cents);
                let input = json!({
                    "idempotencyKey": key, "paymentId": payment, "amountMinor": back, "tipMinor": back,
                    "kind": "TIP_ONLY", "reason": "too much",
                });
                admin.done("paymentRefund", "", input).await;
            }
            2 => {
                let kind = ["PRICE_ADJUSTMENT", "GOODWILL", "FULL_REVERSAL"][random.random_range(0..3)];
                let input = json!({
                    "idempotencyKey": key, "paymentId": balance, "amountMinor": random.random_range(1..500),
                    "kind": kind, "reason": "cold rice",
                });
                admin.done("paymentRefund", "", input).await;
            }
            _ => {
                let county = ["Alameda", "Santa Clara", "Yolo"][random.random_range(0..3)];
                let input = json!({
                    "idempotencyKey": key, "bookingId": booking, "state": "CA", "county": county,
                    "reason": format!("looked at the map, {number}"),
                });
                admin.command("bookingTaxPlaceSet", "", input).await;
            }
        }
        if number % 40 == 0 {
            followed(&server).await;
        }
    }
    followed(&server).await;
    let mut after = report(&accountant, "2026-Q1").await;
    for moves in ["position", "depositsHeld"] {
        after[moves] = closed["taxReport"][moves].clone();
    }
    assert_eq!(after, closed["taxReport"]);
    let (_, days) = sweep(&log(&server).await);
    let later: i64 = days.range("2026-04-01".to_owned()..).map(|(_, tax)| tax).sum();
    assert_eq!(
        report(&accountant, "2026-Q2").await["total"]["netTax"]["minor"],
        later
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
}
