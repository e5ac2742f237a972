//! Numbers of documents when the program, or everything, is killed while they are given: none is lost, none is given twice,
//! and no document is without its own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rand::Rng;
use serde_json::{Value, json};
use sqlx::Connection;
use tests::process::{Client, Installation, Running, SLUG};
use tests::seed::{random, remark, seed};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// Clients that issue at the same time.
const CLIENTS: usize = 6;
const PATIENCE: Duration = Duration::from_secs(60);

/// A document to ask for: the mutation and its input.
#[derive(Clone)]
struct Wish {
    mutation: &'static str,
    input: Value,
}

impl Wish {
    /// What was answered; none where nobody answered.
    async fn asked(&self, client: &Client) -> Option<Value> {
        let mut kind = self.mutation.to_owned();
        kind[..1].make_ascii_uppercase();
        let query = format!(
            "mutation($input: {kind}Input!) {{ {}(input: $input) {{
                document {{ number }} userErrors {{ code }} position replayed }} }}",
            self.mutation
        );
        let mut answer = client.ask(&query, &json!({"input": self.input})).await.ok()?;
        let answer = answer["data"][self.mutation].take();
        // With Postgres gone first a command may be answered with an error, and that is no acknowledgement.
        answer.is_object().then_some(answer)
    }
}

/// An invoice of each booking, called off ones too, and a receipt of each payment, whether it counts or not: some are
/// refused. Each is asked for twice, under keys of their own.
async fn wishes(client: &Client) -> Vec<Wish> {
    let query =
        "{ bookings(first: 24, sort: CREATED_DESC) { nodes { id } } payments(first: 24) { nodes { id } } }";
    let data = client.data(query, json!({})).await;
    let ids = |list: &str| -> Vec<Value> {
        let nodes = data[list]["nodes"].as_array().expect("a list").iter();
        nodes.map(|node| node["id"].clone()).collect()
    };
    let mut wishes = Vec::new();
    for round in 0..2 {
        for (booking, payment) in ids("bookings").iter().zip(ids("payments")) {
            let key = |what: &str| format!("{what} {round} {booking}");
            wishes.push(Wish {
                mutation: "invoiceIssue",
                input: json!({"idempotencyKey": key("invoice"), "bookingId": booking}),
            });
            wishes.push(Wish {
                mutation: "receiptIssue",
                input: json!({"idempotencyKey": key("receipt"), "paymentId": payment}),
            });
        }
    }
    wishes
}

/// Issues until the program is gone or nothing is left to ask for.
async fn issue(
    client: Client,
    wishes: Arc<Vec<Wish>>,
    next: Arc<AtomicUsize>,
    told: UnboundedSender<(Wish, Value)>,
) {
    while let Some(wish) = wishes.get(next.fetch_add(1, Ordering::Relaxed)) {
        let Some(answer) = wish.asked(&client).await else {
            return;
        };
        if answer["document"].is_object() {
            let _ = told.send((wish.clone(), answer));
        }
    }
}

/// Kills the program, and its Postgres before it where everything is to end at once.
fn kill_9(installation: &Installation, running: Running, everything: bool) {
    if everything {
        let postgres = installation.postmaster().expect("its Postgres is up");
        kill(Pid::from_raw(postgres), Signal::SIGKILL).expect("it is ours");
    }
    let ended = running.stop(Signal::SIGKILL);
    assert_eq!(ended.status.code(), None, "{ended:?}");
}

/// What the log says, past all of the program's code: the numbers of each series in the order of the log, and those of
/// documents.
async fn sweep(installation: &Installation) -> (BTreeMap<String, Vec<String>>, Vec<String>) {
    let mut superuser = installation.superuser().await;
    let events: Vec<(String, String, String)> = sqlx::query_as(
        "select event_type, aggregate_id, payload->>'number' from events
         where event_type in ('document.issued', 'document_series.number_taken')
             and tenant_id = (select tenant_id from organisations where slug = $1)
         order by position",
    )
    .bind(SLUG)
    .fetch_all(&mut superuser)
    .await
    .expect("the log can be read");
    superuser.close().await.expect("it is there");
    let (mut series, mut issued) = (BTreeMap::<String, Vec<String>>::new(), Vec::new());
    for (event, stream, number) in events {
        if event == "document.issued" {
            issued.push(number);
        } else {
            series.entry(stream).or_default().push(number);
        }
    }
    (series, issued)
}

async fn assert_whole(installation: &Installation) -> usize {
    let (series, issued) = sweep(installation).await;
    let mut taken = BTreeSet::new();
    for (id, numbers) in &series {
        for (place, number) in (1..).zip(numbers) {
            assert!(
                number.ends_with(&format!("-{place:06}")),
                "{id} has {number} at {place}"
            );
        }
        taken.extend(numbers.clone());
    }
    let on_documents: BTreeSet<String> = issued.iter().cloned().collect();
    assert_eq!(on_documents.len(), issued.len(), "no number is on two documents");
    assert_eq!(on_documents, taken, "each is on one");
    taken.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_while_documents_are_issued_leaves_no_gap_and_loses_no_number() {
    let installation = Installation::demo();
    let mut running = installation.up(&[]);
    let mut random = random(seed(), 84);
    let (_, demo) = sweep(&installation).await;
    let wishes = Arc::new(wishes(&running.sign_in("admin").await).await);
    let next = Arc::new(AtomicUsize::new(0));
    let mut acknowledged = Vec::new();
    for everything in [false, true] {
        let client = running.sign_in("admin").await;
        let (tell, mut told) = unbounded_channel();
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| tokio::spawn(issue(client.clone(), wishes.clone(), next.clone(), tell.clone())))
            .collect();
        drop(tell);
        let until = acknowledged.len() + random.random_range(8..20);
        while acknowledged.len() < until {
            let one = tokio::time::timeout(PATIENCE, told.recv()).await;
            acknowledged.push(one.expect("documents are issued").expect("the clients go on"));
        }
        kill_9(&installation, running, everything);
        for client in clients {
            client.await.expect("a client ends in order");
        }
        while let Ok(one) = told.try_recv() {
            acknowledged.push(one);
        }
        running = installation.up(&[]);
        let numbers = assert_whole(&installation).await;
        remark(format_args!(
            "{} acknowledged and {numbers} numbers given after kill -9 (everything: {everything})",
            acknowledged.len()
        ));
    }
    let client = running.sign_in("admin").await;
    for (wish, answer) in &acknowledged {
        let again = wish.asked(&client).await.expect("the program answers");
        assert_eq!(
            (&again["document"], &again["replayed"]),
            (&answer["document"], &json!(true))
        );
    }
    // Those that were under way, refused or never asked for.
    let mut refused = 0;
    let mut given = BTreeSet::new();
    for wish in wishes.iter() {
        let answer = wish.asked(&client).await.expect("the program answers");
        refused += usize::from(answer["document"].is_null());
        given.extend(answer["document"]["number"].as_str().map(str::to_owned));
    }
    assert!(refused > 0, "some are refused");
    assert_eq!(
        given.len(),
        (wishes.len() - refused) / 2,
        "whoever asks twice gets the same"
    );
    // The demo company has papers of its own, and some of those that were asked for are among them.
    given.extend(demo);
    assert_eq!(assert_whole(&installation).await, given.len());
    installation.well(&["replay", "verify", "--org", SLUG]);
    let checked = installation.well(&["projections", "check"]);
    assert!(
        checked.lines().all(|line| line.ends_with(", 0 differ")),
        "{checked}"
    );
    assert_eq!(running.stop(Signal::SIGINT).status.code(), Some(0));
}
