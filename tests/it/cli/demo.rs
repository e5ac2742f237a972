//! `hibachi demo bookings`: the same seed and dates make the same bookings.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{Connection, Row};
use tests::process::Installation;

const YEAR: [&str; 10] = [
    "demo",
    "bookings",
    "--count",
    "50",
    "--seed",
    "7",
    "--from",
    "2025-01-01",
    "--to",
    "2025-12-31",
];

/// Adds the year to a copy of the demo company. What it appended, and the log's head.
async fn year(installation: &Installation) -> (Vec<Vec<String>>, i64) {
    let postgres = installation.postgres();
    let before = installation.head().await;
    installation.well(&YEAR);
    let events = of_the_year(appended(installation, before).await);
    let head = installation.head().await;
    postgres.stop().expect("its Postgres ends in order");
    (events, head)
}

/// What was appended after a position.
///
/// Of an event: stream, sequence, type, version, event id, command id, metadata and payload. Left out are the
/// instant of recording, which is the database's, what is sealed, which no two installations seal alike, and the
/// streams that were there before: their deposits fall due by the real clock.
async fn appended(installation: &Installation, before: i64) -> Vec<Vec<String>> {
    let mut superuser = installation.superuser().await;
    let rows = sqlx::query(
        "select aggregate_type, aggregate_id, sequence::text, event_type, event_version, event_id::text,
            command_id::text, metadata::text, payload::text
        from events e
        where not exists (
            select from events first
            where first.tenant_id = e.tenant_id and first.aggregate_type = e.aggregate_type
                and first.aggregate_id = e.aggregate_id and first.position <= $1
        )
        order by position",
    )
    .bind(before)
    .fetch_all(&mut superuser)
    .await
    .expect("the log can be read");
    let event = |row: &sqlx::postgres::PgRow| {
        let mut fields: Vec<String> = (0..9).map(|field| row.get(field)).collect();
        let payload = fields.pop().expect("there are nine");
        let mut payload: Value = serde_json::from_str(&payload).expect("a payload is JSON");
        unseal(&mut payload);
        fields.push(payload.to_string());
        fields
    };
    superuser.close().await.expect("the session ends");
    rows.iter().map(event).collect()
}

/// The same events without messages of later than the year's parties: those are about bookings that were there before, and
/// go by the real clock.
fn of_the_year(mut events: Vec<Vec<String>>) -> Vec<Vec<String>> {
    let is_later = |event: &&Vec<String>| {
        let payload: Value = serde_json::from_str(&event[8]).expect("a payload is JSON");
        event[3] == "message.requested" && payload["due_at"].as_str() > Some("2026-03-01")
    };
    let later: BTreeSet<String> = events
        .iter()
        .filter(is_later)
        .map(|event| event[1].clone())
        .collect();
    events.retain(|event| event[0] != "message" || !later.contains(&event[1]));
    events
}

/// The same events, in which what follows from a token that nobody may guess has the name of its place: those of messages,
/// which go out in the order of ids that follow from tokens, by themselves and sorted.
fn named_anew(events: &[Vec<String>]) -> (Vec<Vec<String>>, Vec<Vec<String>>) {
    let mut random: Vec<String> = Vec::new();
    for event in events.iter().filter(|event| event[0] == "review") {
        let payload: Value = serde_json::from_str(&event[8]).expect("a payload is JSON");
        random.push(event[6].clone());
        for name in ["token_key", "message_id", "code"] {
            random.extend(payload[name].as_str().map(str::to_owned));
        }
    }
    let named = |text: &String| {
        let mut text = text.clone();
        for (place, word) in random.iter().enumerate() {
            if text.contains(word.as_str()) {
                text = text.replace(word.as_str(), &format!("random {place}"));
            }
        }
        text
    };
    let named = events.iter().map(|event| event.iter().map(named).collect());
    let (mut messages, others): (Vec<Vec<String>>, Vec<_>) =
        named.partition(|event: &Vec<String>| event[0] == "message");
    for message in &mut messages {
        // Its event and its command are named after its place among the others.
        message.drain(5..=7);
    }
    messages.sort();
    (others, messages)
}

/// How many events there are of each type, and what their amounts come to in cents.
fn counts_and_sums(events: &[Vec<String>]) -> BTreeMap<String, (usize, i64)> {
    let mut summed: BTreeMap<String, (usize, i64)> = BTreeMap::new();
    for event in events {
        let payload: Value = serde_json::from_str(&event[8]).expect("a payload is JSON");
        let (count, sum) = summed.entry(event[3].clone()).or_default();
        *count += 1;
        *sum += cents(&payload);
    }
    summed
}

fn cents(value: &Value) -> i64 {
    match value {
        Value::Object(fields) => {
            let own = fields.iter().filter(|(name, _)| name.ends_with("_cents"));
            let own: i64 = own.filter_map(|(_, amount)| amount.as_i64()).sum();
            own + fields.values().map(cents).sum::<i64>()
        }
        Value::Array(items) => items.iter().map(cents).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

fn unseal(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.remove("sealed");
            // A key is made up.
            fields.remove("key_id");
            fields.values_mut().for_each(unseal);
        }
        Value::Array(items) => items.iter_mut().for_each(unseal),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_seed_makes_the_same_events_in_two_installations_and_nothing_when_repeated() {
    let (one, other) = (Installation::demo(), Installation::demo());
    let (first, head) = year(&one).await;
    let (second, _) = year(&other).await;
    assert!(first.len() > 200, "{} events", first.len());
    let (in_order, messages) = named_anew(&first);
    let (second_in_order, second_messages) = named_anew(&second);
    for (a, b) in in_order.iter().zip(&second_in_order) {
        assert_eq!(a, b);
    }
    assert_eq!(messages, second_messages);
    assert_eq!(first.len(), second.len());
    let count = |name: &str| first.iter().filter(|event| event[3] == name).count();
    // Some are turned away.
    assert!((45..=50).contains(&count("booking.requested")));
    assert!(count("booking.completed") > 25);
    assert!(
        first.iter().any(|event| event[8].contains("\"subject\"")),
        "people are sealed"
    );

    let (again, same_head) = year(&one).await;
    assert_eq!((again.len(), same_head), (0, head));
}

/// Starts a command and ends it, and nothing else, at once when the log has come so far. Whether it was amid its work.
async fn killed_at(installation: &Installation, arguments: &[&str], position: i64) -> bool {
    let mut command = installation.command(arguments);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut child: Child = child.expect("the program can be run");
    let deadline = Instant::now() + Duration::from_secs(100);
    while reached(installation).await < position && child.try_wait().expect("it is our child").is_none() {
        assert!(Instant::now() < deadline, "the log does not come to {position}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // SIGKILL.
    let amid = child.kill().is_ok() && child.wait().expect("it is our child").code().is_none();
    assert!(amid || reached(installation).await >= position);
    amid
}

/// How far the demo company's log has come; 0 while there is none.
async fn reached(installation: &Installation) -> i64 {
    let mut superuser = installation.superuser().await;
    let head = sqlx::query_scalar(
        "select position from log_head join organisations using (tenant_id) where slug = 'my-hibachi'",
    )
    .fetch_optional(&mut superuser)
    .await;
    superuser.close().await.expect("the session ends");
    head.expect("the log can be read").unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_year_that_was_killed_again_and_again_comes_to_what_an_undisturbed_one_does() {
    let (one, other) = (Installation::demo(), Installation::demo());
    let (undisturbed, head) = year(&one).await;
    let postgres = other.postgres();
    let before = other.head().await;
    let whole = head - before;
    let mut killed = 0;
    for share in [1, 5, 9] {
        killed += usize::from(killed_at(&other, &YEAR, before + whole * share / 10).await);
    }
    assert!(killed > 1, "{killed} of three were killed amid their work");
    other.well(&YEAR);
    let resumed = of_the_year(appended(&other, before).await);
    assert_eq!(counts_and_sums(&resumed), counts_and_sums(&undisturbed));
    let ends = other.head().await;
    other.well(&YEAR);
    assert_eq!(other.head().await, ends, "what came to its end is left alone");
    let checked = other.well(&["projections", "check"]);
    assert!(
        checked.lines().all(|line| line.ends_with(", 0 differ")),
        "{checked}"
    );
    postgres.stop().expect("its Postgres ends in order");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_company_that_was_killed_in_its_set_up_is_whole_after_the_next_start() {
    let whole = Installation::demo();
    let postgres = whole.postgres();
    let expected = counts_and_sums(&appended(&whole, 0).await);
    postgres.stop().expect("its Postgres ends in order");

    let installation = Installation::empty();
    let postgres = installation.postgres();
    let one = [
        "demo",
        "bookings",
        "--count",
        "1",
        "--from",
        "2025-01-01",
        "--to",
        "2025-01-31",
    ];
    // It makes the database and its tables.
    installation.run(&["projections", "list"]);
    for position in [40, 900] {
        killed_at(&installation, &one, position).await;
    }
    installation.well(&one);
    let made = counts_and_sums(&appended(&installation, 0).await);
    for set_up in [
        "organisation.created",
        "station.created",
        "chef.registered",
        "price_list.item_added",
        "price_list.price_changed",
        "message_template.saved",
        "organisation.review_settings_changed",
        "promo_code.created",
        "tax_rate.set",
        "user.created",
        "tax_period.closed",
    ] {
        assert!(expected.contains_key(set_up), "{set_up}: {expected:?}");
        assert_eq!(
            made.get(set_up).map(|(count, _)| count),
            expected.get(set_up).map(|(count, _)| count),
            "{set_up}"
        );
    }
    // The plan's is the same; what fell due between the two foundings, and the one booking more, are not.
    let count = |of: &BTreeMap<String, (usize, i64)>, name: &str| of.get(name).map_or(0, |(count, _)| *count);
    for (name, least) in [
        ("booking.requested", 150),
        ("booking.completed", 100),
        ("document.issued", 30),
    ] {
        let (made, expected) = (count(&made, name), count(&expected, name));
        assert!(
            made >= least && made.abs_diff(expected) <= 5,
            "{name}: {made} and {expected}"
        );
    }
    postgres.stop().expect("its Postgres ends in order");
}

/// What has happened to each thing of a kind, in order: by its id.
fn stories<'a>(events: &'a [Vec<String>], kind: &str) -> BTreeMap<&'a str, Vec<&'a str>> {
    let mut told: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for event in events.iter().filter(|event| event[0] == kind) {
        told.entry(&event[1]).or_default().push(&event[3]);
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_company_has_reviews_conversations_escalations_leads_and_messages_of_every_kind() {
    let installation = Installation::demo();
    let postgres = installation.postgres();
    let events = appended(&installation, 0).await;
    let made = counts_and_sums(&events);
    for name in [
        "review.link_issued",
        "review.reminded",
        "review.opened",
        "review.external_clicked",
        "review.submitted",
        "review.approved",
        "review.rejected",
        "review.replied",
        "review.coupon_granted",
        "review.expired",
        "conversation.started",
        "conversation.assistant_silenced",
        "conversation.assistant_resumed",
        "escalation.surveyed",
        "lead.contacted",
        "lead.won",
        "lead.lost",
        "lead.follow_up_set",
        "lead.follow_up_done",
        "customer.consent_given",
        "customer.consent_withdrawn",
    ] {
        assert!(made.contains_key(name), "{name}: {made:?}");
    }
    let reviews = stories(&events, "review");
    let is_over =
        |story: &&Vec<&str>| story.contains(&"review.submitted") || story.contains(&"review.expired");
    let (opened, pending): (Vec<_>, Vec<_>) = reviews
        .values()
        .filter(|story| !is_over(story))
        .partition(|story| story.contains(&"review.opened"));
    assert!(!opened.is_empty() && !pending.is_empty(), "{reviews:?}");
    let escalations = stories(&events, "escalation");
    for (last, others) in [
        (
            "escalation.opened",
            &["escalation.assigned", "escalation.joined", "escalation.resolved"][..],
        ),
        (
            "escalation.assigned",
            &["escalation.joined", "escalation.resolved"],
        ),
        ("escalation.joined", &["escalation.resolved"]),
        ("escalation.resolved", &[]),
    ] {
        let stands =
            |story: &Vec<&str>| story.contains(&last) && !others.iter().any(|other| story.contains(other));
        assert!(escalations.values().any(stands), "{last}: {escalations:?}");
    }
    for said_by in ["customer", "assistant", "staff"] {
        let author = format!("\"author\":\"{said_by}\"");
        assert!(events.iter().any(|event| event[8].contains(&author)), "{said_by}");
    }
    its_messages_went_out_in_time(&installation, &events).await;
    postgres.stop().expect("its Postgres ends in order");
}

/// That nothing of the demo company's past waits to go out, and that what went out did within a day.
async fn its_messages_went_out_in_time(installation: &Installation, events: &[Vec<String>]) {
    let at = |payload: &Value, name: &str| -> DateTime<Utc> {
        let text = payload[name].as_str().expect("a time");
        text.parse().expect("a time can be read")
    };
    let mut due = BTreeMap::new();
    let mut wordings = BTreeSet::new();
    for event in events.iter().filter(|event| event[0] == "message") {
        let payload: Value = serde_json::from_str(&event[8]).expect("a payload is JSON");
        match event[3].as_str() {
            "message.requested" => {
                due.insert(&event[1], at(&payload, "due_at"));
            }
            "message.sent" => {
                let due = due.remove(&event[1]).expect("it was asked for");
                assert!((at(&payload, "sent_at") - due).num_hours() < 24, "{event:?}");
                assert_eq!(payload["carrier"], "log");
                wordings.insert(payload["template_version"].as_i64());
            }
            other => assert_eq!(other, "message.suppressed"),
        }
    }
    assert_eq!(wordings, BTreeSet::from([Some(0), Some(1)]));
    let mut superuser = installation.superuser().await;
    let waiting: i64 =
        sqlx::query_scalar("select count(*) from jobs where run_at < now() - interval '1 hour'")
            .fetch_one(&mut superuser)
            .await
            .expect("the queue can be read");
    superuser.close().await.expect("the session ends");
    assert_eq!(waiting, 0);
}
