//! What the program says of what it is at: enough to follow a request through it, and nothing about anybody.

use std::collections::BTreeSet;
use std::fs;

use commands::gateways::SystemClock;
use commands::ports::Clock;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tests::process::{Installation, Running};

use super::{Guest, book};

const NAME: &str = "Ottilie Krähenbühl-Nakamura";
const EMAIL: &str = "ottilie.kraehenbuehl@secret-guests.example";
const PHONE: &str = "+14085550199";
const STREET: &str = "2718 Quicksilver Terrace";
const NOTE: &str = "ring twice, the gate code is 90210#";
const WRONG_PASSWORD: &str = "tr0ub4dor-and-three";
const QUERY_SECRET: &str = "surname-in-an-address-bar";

/// Starts the demo company's program, which says all that it can say, as objects.
fn talkative(installation: &Installation, format: &str) -> Running {
    let mut command = installation.command(&["up", "--listen", "127.0.0.1:0"]);
    command
        .env("HIBACHI_LOG", "trace")
        .env("HIBACHI_LOG_FORMAT", format);
    Running::start(command)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bookings_worth_of_traffic_leaves_nothing_about_anybody_and_no_secret_in_the_log() {
    let installation = Installation::demo();
    let running = talkative(&installation, "json");
    let admin = running.sign_in("admin").await;
    let guest = Guest {
        name: NAME,
        email: EMAIL,
        phone: PHONE,
        street: STREET,
        note: NOTE,
    };
    let booked = book(&admin, &guest).await;
    let id = &booked["booking"]["id"];
    let read = "query($id: ID!) { booking(id: $id) { customer { name email phone } venue { street } } }";
    let shown = admin.data(read, json!({ "id": id })).await;
    assert_eq!(
        shown["booking"]["customer"]["email"], EMAIL,
        "it is all there to be told"
    );
    admin
        .ask(
            "{ customers(first: 5, filter: {search: \"ottilie\"}) { nodes { name } } }",
            &json!({}),
        )
        .await
        .ok();
    let guess = format!(
        "mutation {{ signIn(input: {{organisation: \"my-hibachi\", email: \"{EMAIL}\", password: \"{WRONG_PASSWORD}\"}}) {{ accessToken }} }}"
    );
    admin.ask(&guess, &json!({})).await.expect("it answers");
    let feed =
        "mutation($input: CalendarFeedInput!) { calendarIssue(input: $input) { url userErrors { code } } }";
    let stations = admin
        .data("{ stations(first: 1) { nodes { id } } }", json!({}))
        .await;
    let station = &stations["stations"]["nodes"][0]["id"];
    let feed = admin
        .ask(
            feed,
            &json!({"input": {"idempotencyKey": "feed", "stationId": station}}),
        )
        .await
        .expect("it answers");
    let feed_url = feed["data"]["calendarIssue"]["url"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let feed_path = feed_url.find("/calendar/").map(|at| feed_url[at..].to_owned());
    if let Some(path) = &feed_path {
        admin.get(path).await;
    }
    let own = talk_and_book(&running.url).await;
    for path in [
        format!("/review/{QUERY_SECRET}"),
        format!("/api/v1/reviews/validate/{QUERY_SECRET}"),
        format!("/webhooks/ringcentral/my-hibachi/{QUERY_SECRET}"),
        format!("/exports/tax?state={QUERY_SECRET}"),
        format!("/{QUERY_SECRET}"),
    ] {
        admin.get(&path).await;
    }
    let token = admin.token().to_owned();
    let ended = running.stop(Signal::SIGTERM);
    assert_eq!(ended.status.code(), Some(0));
    let log = ended.err.join("\n");
    assert!(log.len() > 100_000, "it has said little: {}", log.len());
    let mut secrets = vec![
        NAME,
        EMAIL,
        PHONE,
        STREET,
        NOTE,
        WRONG_PASSWORD,
        QUERY_SECRET,
        "hibachi-demo-1",
        "Ottilie",
        "Quicksilver",
    ];
    secrets.extend(token.split('.').skip(1));
    secrets.extend(own.iter().map(String::as_str));
    let feed_secret = feed_path
        .as_deref()
        .and_then(|path| path.strip_prefix("/calendar/"));
    secrets.extend(feed_secret);
    let kept: Vec<String> = fs::read_dir(installation.data_dir().join("secrets"))
        .expect("there are secrets")
        .map(|file| {
            fs::read_to_string(file.expect("a file").path())
                .unwrap_or_default()
                .trim()
                .to_owned()
        })
        .filter(|secret| secret.len() >= 16)
        .collect();
    assert!(kept.len() >= 4, "the keys are among what is looked for");
    secrets.extend(kept.iter().map(String::as_str));
    for secret in secrets {
        let told = ended
            .err
            .iter()
            .find(|line| line.to_lowercase().contains(&secret.to_lowercase()));
        assert_eq!(told, None, "{secret}");
    }
    assert_can_be_followed(&ended.err, booked["position"].as_i64().expect("it was written"));
}

/// The same guest on the company's own page: the secrets of what is theirs, and the keys that lead to them.
async fn talk_and_book(url: &str) -> Vec<String> {
    let page = reqwest::Client::builder().no_proxy().build().expect("a client");
    let ours = format!("{url}/api/v1/organisations/my-hibachi");
    let keys = ["a-visitors-key-of-a-booking", "a-visitors-key-of-a-conversation"];
    let talk = json!({"text": format!("{NAME} again: {NOTE}")});
    let first = SystemClock.now().date_naive() + chrono::TimeDelta::days(60);
    let parties = (0..40).map(|days| {
        json!({
            "customer": {"name": NAME, "email": EMAIL, "phone": PHONE},
            "venue": {"street": STREET, "city": "San Jose", "state": "CA", "zip": "95112"},
            "start": format!("{}T18:00:00", first + chrono::TimeDelta::days(days)), "guests": {"adults": 12}, "note": NOTE,
        })
    });
    let mut secrets = keys.map(str::to_owned).to_vec();
    let asks = [
        ("conversations", keys[1], vec![talk]),
        ("bookings", keys[0], parties.collect()),
    ];
    for (path, key, bodies) in asks {
        let mut made = Value::Null;
        for body in bodies {
            let asked = page
                .post(format!("{ours}/{path}"))
                .header("idempotency-key", key)
                .json(&body);
            made = asked
                .send()
                .await
                .expect("it answers")
                .json()
                .await
                .expect("it is JSON");
            if made["link"].is_string() {
                break;
            }
        }
        let link = made["link"].as_str().unwrap_or_else(|| panic!("{made}"));
        let own = made["path"].as_str().expect("it has a path");
        let seen = page.get(format!("{url}{own}")).send().await.expect("it answers");
        assert_eq!(seen.status(), 200, "{path}");
        secrets.push(link.to_owned());
    }
    secrets
}

/// From the request over the command and the append to the read models: by its id, its company and its role.
fn assert_can_be_followed(lines: &[String], position: i64) {
    let lines: Vec<Value> = lines
        .iter()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let done = lines.iter().find(|line| {
        line["fields"]["operation"] == "booking_request" && line["fields"]["position"] == position
    });
    let done = done.expect("the command says that it is done");
    let span = |line: &Value, name: &str| {
        let mut spans = line["spans"].as_array().into_iter().flatten();
        spans
            .find(|span| span["name"] == name)
            .cloned()
            .unwrap_or_default()
    };
    let (request, command) = (span(done, "request"), span(done, "command"));
    let id = request["id"].as_str().expect("a request has its id");
    assert_eq!(id.len(), 36);
    assert_eq!(
        (&request["route"], &request["role"]),
        (&json!("/graphql"), &json!("ADMIN")),
        "{done}"
    );
    assert_eq!(
        (&command["request"], &command["role"]),
        (&json!(id), &json!("ADMIN")),
        "{done}"
    );
    assert!(
        request["tenant"]
            .as_str()
            .is_some_and(|tenant| command["tenant"] == tenant),
        "{done}"
    );
    let names: BTreeSet<String> = lines
        .iter()
        .flat_map(|line| line["spans"].as_array().cloned().unwrap_or_default())
        .filter_map(|span| span["name"].as_str().map(str::to_owned))
        .collect();
    for name in ["request", "command", "batch", "project"] {
        assert!(names.contains(name), "{name} in {names:?}");
    }
    let projected = lines
        .iter()
        .map(|line| span(line, "project"))
        .find(|project| project["request"] == id);
    let projected = projected.expect("the read models say which request they follow");
    assert_eq!(
        (&projected["role"], &projected["tenant"]),
        (&json!("ADMIN"), &request["tenant"])
    );
}

#[test]
fn lines_are_written_as_they_are_asked_for_or_not_at_all() {
    let installation = Installation::empty();
    let run = |name: &str, value: &str| {
        let mut command = installation.command(&["doctor"]);
        command.env(name, value);
        tests::process::answer(command)
    };
    for (name, value) in [
        ("HIBACHI_LOG_FORMAT", "xml"),
        ("HIBACHI_LOG", "a=b=c"),
        ("HIBACHI_OTLP_URL", "collector:4318"),
    ] {
        let refused = run(name, value);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.err.contains(name), "{refused:?}");
    }
}

#[test]
fn lines_for_people_are_lines_and_pretty_ones_are_several() {
    let installation = Installation::demo();
    for (format, about) in [("text", "DEBUG"), ("pretty", "    at ")] {
        let mut command = installation.command(&["up", "--listen", "127.0.0.1:0"]);
        command
            .env("HIBACHI_LOG", "tower_http=debug,info")
            .env("HIBACHI_LOG_FORMAT", format);
        let running = Running::start(command);
        let asked = std::net::TcpStream::connect(running.url.trim_start_matches("http://"));
        let mut stream = asked.expect("it listens");
        std::io::Write::write_all(&mut stream, b"GET /health/live HTTP/1.0\r\n\r\n").expect("it is sent");
        let mut answer = String::new();
        std::io::Read::read_to_string(&mut stream, &mut answer).expect("it answers");
        assert!(answer.ends_with("live\n"), "{answer}");
        let ended = running.stop(Signal::SIGTERM);
        let told = ended.err.iter().any(|line| line.contains("/health/live"));
        assert!(told, "{format}: {:?}", ended.err);
        assert!(
            ended.err.iter().any(|line| line.contains(about)),
            "{format}: {:?}",
            ended.err
        );
        assert!(
            ended.err.iter().all(|line| !line.starts_with('{')),
            "{format}: {:?}",
            ended.err
        );
    }
}
