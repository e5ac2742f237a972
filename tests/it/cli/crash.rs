//! The end of everything at once, amid work.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, Utc};
use commands::gateways::SystemClock;
use commands::ports::Clock;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tests::process::{Client, Installation, SLUG};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::remark;

/// Clients that book at the same time.
const CLIENTS: usize = 6;
/// Acknowledged bookings before the end.
const BEFORE_THE_END: usize = 40;
/// Bookings are asked for on this many days, beyond those that the demo has booked.
const DAYS: (i64, i64) = (60, 360);
const PATIENCE: Duration = Duration::from_secs(60);

const REQUEST: &str = "mutation($input: BookingRequestInput!) { bookingRequest(input: $input) {
    booking { id number version } position replayed userErrors { code message } } }";
const BOOKING: &str = "query($id: ID!, $position: LogPosition!) {
    booking(id: $id, fresh: { atLeast: $position }) { id number version } }";

/// A command and what was answered.
struct Acknowledged {
    input: Value,
    answer: Value,
}

fn booking_request(number: i64, today: NaiveDate) -> Value {
    let days = DAYS.0 + number % (DAYS.1 - DAYS.0);
    let day = today + Days::new(days.unsigned_abs());
    json!({
        "idempotencyKey": format!("before the end {number}"),
        "customer": { "name": format!("Guest {number}"), "email": format!("guest{number}@example.com") },
        "venue": { "street": "1 Main St", "city": "San Jose", "state": "CA", "zip": "95112" },
        "start": format!("{day}T18:00:00"),
        "guests": { "adults": 12, "children": 4 },
    })
}

/// Books until the program is gone.
async fn book(
    client: Client,
    numbers: Arc<AtomicI64>,
    today: NaiveDate,
    told: UnboundedSender<Acknowledged>,
) {
    loop {
        let input = booking_request(numbers.fetch_add(1, Ordering::Relaxed), today);
        let Ok(mut answer) = client.ask(REQUEST, &json!({ "input": input })).await else {
            return;
        };
        let answer = answer["data"]["bookingRequest"].take();
        // With Postgres gone first, a command may be answered with an error, and that is no acknowledgement.
        if answer["userErrors"] == json!([]) && answer["position"].is_i64() {
            let _ = told.send(Acknowledged { input, answer });
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_of_everything_loses_nothing_that_was_acknowledged() {
    let installation = Installation::demo();
    let running = installation.up(&[]);
    let admin = running.sign_in("admin").await;
    let now: DateTime<Utc> = SystemClock.now();
    let (tell, mut told) = unbounded_channel();
    let numbers = Arc::new(AtomicI64::new(0));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            tokio::spawn(book(
                admin.clone(),
                numbers.clone(),
                now.date_naive(),
                tell.clone(),
            ))
        })
        .collect();
    drop(tell);
    let mut acknowledged = Vec::new();
    while acknowledged.len() < BEFORE_THE_END {
        let next = tokio::time::timeout(PATIENCE, told.recv()).await;
        acknowledged.push(
            next.expect("bookings are acknowledged")
                .expect("the clients go on"),
        );
    }
    let postgres = installation.postmaster().expect("its Postgres is up");
    // Postgres first: it would else hear of its launcher's end, and end in order.
    kill(Pid::from_raw(postgres), Signal::SIGKILL).unwrap();
    let ended = running.stop(Signal::SIGKILL);
    assert_eq!(ended.status.code(), None, "{ended:?}");
    for client in clients {
        client.await.unwrap();
    }
    while let Ok(one) = told.try_recv() {
        acknowledged.push(one);
    }

    let running = installation.up(&[]);
    remark(format_args!(
        "{} acknowledged; ready {} ms after the crash",
        acknowledged.len(),
        running.took.as_millis()
    ));
    let admin = running.sign_in("admin").await;
    for Acknowledged { input, answer } in &acknowledged {
        let id = &answer["booking"]["id"];
        let seen = json!({ "id": id, "position": answer["position"] });
        let found = admin.data(BOOKING, seen).await;
        assert_eq!(found["booking"], answer["booking"]);
        let mut again = admin.data(REQUEST, json!({ "input": input })).await;
        let again = again["bookingRequest"].take();
        assert_eq!(again["replayed"], true, "{again}");
        for same in ["booking", "position"] {
            assert_eq!(again[same], answer[same]);
        }
    }
    installation.well(&["replay", "verify", "--org", SLUG]);
    let checked = installation.well(&["projections", "check"]);
    assert!(
        checked.lines().all(|line| line.ends_with(", 0 differ")),
        "{checked}"
    );
    let head = installation.head().await;
    let listed = installation.well(&["projections", "list"]);
    for line in listed.lines().skip(1) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(fields[2..4], [head.to_string().as_str(), "0"], "{line}");
        assert_eq!(fields.last(), Some(&"live"), "{line}");
    }
    assert_eq!(running.stop(Signal::SIGINT).status.code(), Some(0));
}
