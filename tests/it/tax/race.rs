//! Parties are held, tipped and given money back for while several people close and open their days over and over.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::envelope::{Position, StoredEvent};
use serde_json::{Value, json};
use tests::http::{Client, Server, mutation, party, with};
use tests::seed::remark;
use tokio::sync::watch;

use super::closing::{line, log, payload};
use super::{followed, paid, people};

/// Parties that are held meanwhile.
const PARTIES: usize = 10;
/// The two halves of their month; each is closed and opened by people of its own.
const HALVES: [&str; 2] = ["2026-03-01..2026-03-07", "2026-03-08..2026-03-31"];
/// Attempts at most, of whoever is told to try again.
const ATTEMPTS: usize = 60;

/// What a closing certified.
struct Certified {
    position: Position,
    net_tax: i64,
}

/// Goes through the log once more, and knows nothing of the read models. Says how many closings there were.
fn sweep(events: &[StoredEvent]) -> usize {
    let mut lines: Vec<(Position, String, i64)> = Vec::new();
    let mut certified: BTreeMap<(String, String), Certified> = BTreeMap::new();
    let mut closings = 0;
    for event in events {
        if let Some((day, tax)) = line(event) {
            for ((from, until), closed) in &certified {
                assert!(
                    !(from..=until).contains(&&day),
                    "{}: a line of {day}, which was certified at {}",
                    event.position,
                    closed.position
                );
            }
            lines.push((event.position, day, tax));
        }
        let said = payload(event);
        let days = || {
            let day = |field: &str| said["period"][field].as_str().expect("a day").to_owned();
            (day("from"), day("until"))
        };
        match event.event_type.as_str() {
            "tax_period.closed" => {
                closings += 1;
                let closed = Certified {
                    position: Position(said["position"].as_i64().expect("a position")),
                    net_tax: said["net_tax_cents"].as_i64().expect("an amount"),
                };
                let (from, until) = days();
                let inside = lines.iter().filter(|(_, day, _)| (&from..=&until).contains(&day));
                let (mut sum, mut last) = (0, Position::START);
                for (position, _, tax) in inside {
                    sum += tax;
                    last = *position;
                }
                assert!(
                    last <= closed.position,
                    "{}: a line came after the report",
                    event.position
                );
                assert_eq!(sum, closed.net_tax, "{}", event.position);
                certified.insert((from, until), closed);
            }
            "tax_period.reopened" => {
                certified.remove(&days());
            }
            _ => {}
        }
    }
    closings
}

/// Gives a command until it is done; others stand in its way now and then.
async fn insist(client: &Client, name: &str, input: &Value) {
    for _ in 0..ATTEMPTS {
        let mut answer = client.graphql(&mutation(name, ""), json!({"input": input})).await;
        let payload = answer["data"][name].take();
        if payload["userErrors"] == json!([]) {
            return;
        }
    }
    panic!("{name} is never done: {input}");
}

/// Closes and opens a period until nobody counts any more how often.
async fn closes(client: Client, who: usize, period: &'static str, count: watch::Sender<usize>) {
    for round in 0..400 {
        let key = |what: &str| format!("{what} {who} {round}");
        let close = json!({"idempotencyKey": key("close"), "state": "CA", "period": period});
        let answer = client
            .graphql(&mutation("taxPeriodClose", ""), json!({"input": close}))
            .await;
        let is_closed = answer["data"]["taxPeriodClose"]["userErrors"] == json!([]);
        if is_closed {
            count.send_modify(|count| *count += 1);
        }
        if count.is_closed() {
            return;
        }
        // Refused where the other was faster; now and then the days are opened under the other's hands.
        if is_closed || round % 3 == 0 {
            let open = with(
                close,
                json!({"idempotencyKey": key("open"), "reason": "one more party"}),
            );
            client
                .graphql(&mutation("taxPeriodReopen", ""), json!({"input": open}))
                .await;
        }
    }
}

/// The party is held; a tip comes, and some of the deposit goes back.
async fn evening(admin: &Client, number: usize, booking: &str, deposit: &str) {
    let key = |what: &str| format!("{what} {number}");
    let complete = json!({"idempotencyKey": key("complete"), "bookingId": booking});
    insist(admin, "bookingComplete", &complete).await;
    let tip = json!({"idempotencyKey": key("tip"), "kind": "TIP", "amountMinor": 4_000, "method": "CASH"});
    paid(admin, booking, tip).await;
    let back = json!({
        "idempotencyKey": key("back"), "paymentId": deposit, "amountMinor": 1_000, "kind": "PRICE_ADJUSTMENT",
        "reason": "cold rice", "handedOver": true,
    });
    insist(admin, "paymentRefund", &back).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_line_lies_in_a_period_after_it_was_certified_however_many_close_it_while_parties_are_held() {
    let server = Server::start().await;
    let (mut accountant, mut admin) = people(&server).await;
    let sacramento = tests::http::global_id("Station", server.company.sacramento);
    let mut parties = Vec::new();
    for number in 0..PARTIES {
        let hour = ["12:00", "18:00"][number % 2];
        let start = format!("2026-03-{:02}T{hour}:00", 3 + number);
        let key = format!("party-{number}");
        let input = with(party(&key), json!({"start": start, "stationId": sacramento}));
        let requested = admin.done("bookingRequest", "booking { id }", input).await;
        let booking = requested["booking"]["id"].as_str().expect("an id").to_owned();
        let deposit = json!({"idempotencyKey": format!("{key} d"), "kind": "DEPOSIT", "amountMinor": 10_000});
        let deposit = paid(&admin, &booking, deposit).await;
        parties.push((booking, deposit));
    }
    followed(&server).await;
    server.set_clock("2026-04-02T18:00:00Z");
    admin.sign_in_again().await;
    accountant.sign_in_again().await;
    let (count, mut closed) = watch::channel(0);
    let closers: Vec<_> = (0..3)
        .map(|who| tokio::spawn(closes(accountant.clone(), who, HALVES[who % 2], count.clone())))
        .collect();
    for (number, (booking, deposit)) in parties.iter().enumerate() {
        evening(&admin, number, booking, deposit).await;
        // As many closings as parties, however slow the machine is.
        let more = closed.wait_for(|count| *count > number);
        let more = tokio::time::timeout(Duration::from_secs(30), more).await;
        more.expect("the days are closed again").expect("somebody counts");
    }
    drop(closed);
    for closer in closers {
        closer.await.expect("it comes to an end");
    }
    followed(&server).await;
    let events = log(&server).await;
    let closings = sweep(&events);
    let held = events
        .iter()
        .filter(|event| event.event_type == "booking.completed");
    assert_eq!(held.count(), PARTIES);
    let begun = events
        .iter()
        .filter(|event| event.event_type == "tax_period.closing_begun")
        .count();
    remark(format_args!(
        "{begun} closings begun, {closings} certified, {PARTIES} parties held"
    ));
    assert!(closings >= PARTIES, "{closings} closings, {begun} begun");
    server.assert_rebuild_changes_nothing(&server.company).await;
}
