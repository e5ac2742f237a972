//! The figures for Prometheus.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use domain::access::Role;
use domain::envelope::{Claim, Expectation, NewEvent, StreamId, Version};
use domain::ids::{CommandId, EventId, TenantId};
use event_log::{Append, EventLog, Outcome, StreamWrite};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use serde_json::json;
use tests::database::TestDatabase;
use tests::http::{Server, party};
use tests::process::Installation;
use uuid::Uuid;

/// The samples of a text, by name with labels; each of a family that was explained before, and the text has its end.
fn samples(text: &str) -> BTreeMap<String, f64> {
    assert!(text.ends_with("\n# EOF\n"), "{text}");
    let mut families: Vec<String> = Vec::new();
    let mut samples = BTreeMap::new();
    for line in text.lines() {
        if let Some(about) = line.strip_prefix("# TYPE ") {
            let family = about.split(' ').next().unwrap_or_default().to_owned();
            assert!(!families.contains(&family), "{family} is explained twice");
            families.push(family);
        } else if !line.starts_with('#') {
            let (name, value) = line.rsplit_once(' ').expect("a sample has a value");
            let family = name.split('{').next().unwrap_or_default();
            let known = families
                .last()
                .is_some_and(|last| family.starts_with(last.as_str()));
            assert!(known, "{line} comes after {:?}", families.last());
            let value = value.parse().expect("a value is a number");
            assert_eq!(
                samples.insert(name.to_owned(), value),
                None,
                "{name} is there twice"
            );
        }
    }
    samples
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_booking_leaves_its_figures_and_names_nobody() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    admin
        .done("bookingRequest", "booking { id }", party("figures"))
        .await;
    admin
        .data(
            "{ bookings(first: 5) { nodes { id customer { name } } } }",
            json!({}),
        )
        .await;
    admin
        .get("/no/such/page/guest@example.com")
        .send()
        .await
        .expect("it answers");
    server
        .nobody()
        .post("/webhooks/stripe/our-hibachi")
        .send()
        .await
        .expect("it answers");
    server.caught_up(&server.company).await;
    let text = server.figures().await;
    let samples = samples(&text);
    let value = |name: &str| *samples.get(name).unwrap_or_else(|| panic!("{name} in {text}"));
    for (name, least) in [
        (
            "hibachi_http_requests_total{method=\"POST\",route=\"/graphql\",status=\"200\"}",
            3.0,
        ),
        (
            "hibachi_http_requests_total{method=\"GET\",route=\"none\",status=\"404\"}",
            1.0,
        ),
        ("hibachi_http_request_seconds_count{route=\"/graphql\"}", 3.0),
        ("hibachi_graphql_cost_count", 3.0),
        ("hibachi_append_outcomes_total{outcome=\"appended\"}", 5.0),
        ("hibachi_append_batch_appends_count", 5.0),
        ("hibachi_append_batch_seconds_count", 5.0),
        ("hibachi_append_events_total", 5.0),
        ("hibachi_projection_batch_seconds_count", 1.0),
        ("hibachi_projection_batch_events_sum", 5.0),
        (
            "hibachi_question_seconds_count{of=\"booking_list\",what=\"page\"}",
            1.0,
        ),
        ("hibachi_database_connection_wait_seconds_count", 10.0),
        ("hibachi_projection_companies{projection=\"booking_list\"}", 1.0),
        ("hibachi_database_up", 1.0),
        ("process_cpu_seconds_total", 0.000_001),
        ("process_resident_memory_bytes", 1_000_000.0),
        ("process_threads", 2.0),
        ("process_open_fds", 3.0),
    ] {
        assert!(value(name) >= least, "{name}: {}", value(name));
    }
    assert!(
        samples.contains_key("hibachi_policy_lag_events{policy=\"jobs\"}"),
        "{text}"
    );
    let pool = ["in_use", "idle", "unopened"]
        .map(|state| value(&format!("hibachi_database_connections{{state=\"{state}\"}}")));
    assert!(pool.iter().sum::<f64>() > 0.0, "{pool:?}");
    let (tenant, slug) = (server.company.tenant.to_string(), server.company.slug.clone());
    for nobody in ["example.com", "Guest", "hunter2", &tenant, &slug, "admin@"] {
        assert!(!text.contains(nobody), "{nobody} is in {text}");
    }
    let here = admin.get("/metrics").send().await.expect("it answers");
    assert_eq!(here.status().as_u16(), 404, "they are not where customers are");
}

fn append(tenant: TenantId, number: u128, expected: Expectation, claims: Vec<Claim>) -> Append {
    Append {
        tenant,
        command_id: CommandId(Uuid::from_u128(number)),
        digest: [0; 32],
        streams: vec![StreamWrite {
            stream: StreamId::new("booking", format!("b-{number}")),
            expected,
            events: vec![NewEvent {
                event_id: EventId(Uuid::from_u128(number)),
                event_type: "booking.requested",
                event_version: 1,
                payload: "{}".to_owned(),
                claims,
            }],
        }],
        reads: Vec::new(),
        erases: Vec::new(),
        meta: BTreeMap::new(),
    }
}

#[tokio::test]
async fn conflicts_refused_claims_and_repeats_are_counted_apart() {
    let test = TestDatabase::new().await;
    let database = test.database().await;
    let tenant = TenantId(Uuid::from_u128(1));
    database
        .create_organisation(tenant, "figures", "Figures")
        .await
        .expect("it can be created");
    let log = EventLog::start(database.clone());
    let take = || {
        vec![Claim::TakeUnique {
            scope: "code".into(),
            key: "once".to_owned(),
        }]
    };
    let first = append(tenant, 1, Expectation::NoStream, take());
    assert!(matches!(
        log.append(first.clone()).await,
        Ok(Outcome::Appended(_))
    ));
    assert!(matches!(log.append(first).await, Ok(Outcome::Replayed(_))));
    let second = append(tenant, 2, Expectation::NoStream, take());
    assert!(matches!(
        log.append(second).await,
        Ok(Outcome::ClaimRefused { .. })
    ));
    let third = append(tenant, 3, Expectation::Exact(Version(7)), Vec::new());
    assert!(matches!(log.append(third).await, Ok(Outcome::Conflict { .. })));
    let mut registry = Registry::default();
    database.register(&mut registry);
    let mut text = String::new();
    encode(&mut text, &registry).expect("a text takes what is written");
    let samples = samples(&text);
    for line in [
        "hibachi_append_outcomes_total{outcome=\"appended\"}",
        "hibachi_append_outcomes_total{outcome=\"replayed\"}",
        "hibachi_append_outcomes_total{outcome=\"claim_refused\"}",
        "hibachi_append_outcomes_total{outcome=\"conflict\"}",
        "hibachi_claims_refused_total{kind=\"unique\"}",
    ] {
        assert_eq!(samples.get(line), Some(&1.0), "{line} in {text}");
    }
}

#[tokio::test]
async fn prometheus_finds_them_on_a_listener_of_their_own() {
    let installation = Installation::demo();
    // Free a moment ago: nobody else takes it in the meantime, or hardly ever.
    let free = TcpListener::bind("127.0.0.1:0")
        .expect("there is a free port")
        .local_addr()
        .expect("it has an address");
    let running = installation.up(&["--metrics-listen", &free.to_string()]);
    let admin = running.sign_in("admin").await;
    assert!(admin.get("/metrics").await.contains("NOT_FOUND"));
    let began = Instant::now();
    let text = loop {
        let sent = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("a client")
            .get(format!("http://{free}/metrics"))
            .send()
            .await;
        let answer = sent.expect("it listens");
        let kind = answer.headers()["content-type"]
            .to_str()
            .unwrap_or_default()
            .to_owned();
        assert!(
            kind.starts_with("application/openmetrics-text; version=1.0.0"),
            "{kind}"
        );
        let text = answer.text().await.expect("it is text");
        if samples(&text)
            .get("hibachi_http_requests_total{method=\"POST\",route=\"/graphql\",status=\"200\"}")
            >= Some(&1.0)
        {
            break text;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "{text}");
    };
    for nobody in ["demo.test", "my-hibachi"] {
        assert!(!text.contains(nobody), "{nobody} is in {text}");
    }
}
