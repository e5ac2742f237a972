//! `hibachi replay show`, `diff` and `history`, as an auditor meets them.

use std::collections::BTreeMap;

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tests::process::{Answer, Installation, SLUG};

use super::lines;

fn replay<'a>(command: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["replay", command, "--org", SLUG], more].concat()
}

fn assert_cannot_run(answer: &Answer, why: &str) {
    assert_eq!((answer.code, answer.out.as_str()), (Some(2), ""), "{answer:?}");
    assert!(answer.err.contains(why), "{why}: {answer:?}");
}

#[tokio::test]
async fn what_is_shown_as_of_a_position_is_what_the_api_answers_as_of_it() {
    let installation = Installation::demo();
    let running = installation.up(&[]);
    let position = installation.head().await / 2;
    let text = position.to_string();
    let shown = installation.well(&replay(
        "show",
        &["--view", "booking_list", "--as-of", &text, "--format", "json"],
    ));
    let shown = lines(&shown);
    assert_eq!(
        (&shown[0]["view"], &shown[0]["position"], &shown[0]["incomplete"]),
        (&json!("booking_list"), &json!(position), &json!(false))
    );
    assert_eq!(shown[0]["rows"], json!(shown.len() - 1));
    let ours: BTreeMap<&str, (String, &Value)> = shown[1..]
        .iter()
        .map(|row| {
            let status = row["status"].as_str().unwrap().to_uppercase();
            (row["number"].as_str().unwrap(), (status, &row["total_cents"]))
        })
        .collect();

    let auditor = running.sign_in("auditor").await;
    let query = "query($at: LogPosition!, $after: String) {
        bookings(first: 100, after: $after, asOf: {position: $at}) {
            edges { node { id number status total { minor } } } pageInfo { hasNextPage endCursor }
        }
    }";
    let (mut theirs, mut after) = (Vec::new(), Value::Null);
    loop {
        let variables = json!({"at": text, "after": after});
        let mut page = auditor.data(query, variables).await["bookings"].take();
        after = page["pageInfo"]["endCursor"].take();
        theirs.extend(
            page["edges"]
                .as_array()
                .unwrap()
                .iter()
                .map(|edge| edge["node"].clone()),
        );
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(theirs.len(), ours.len());
    for booking in &theirs {
        let (status, total) = &ours[booking["number"].as_str().unwrap()];
        let amount = booking["total"]["minor"].to_string();
        assert_eq!(booking["status"], json!(status), "{booking}");
        assert_eq!(amount.trim_matches('"'), total.to_string(), "{booking}");
    }

    // The opaque id of the API is a key, and names a story.
    let opaque = theirs[0]["id"].as_str().unwrap();
    let number = theirs[0]["number"].as_str().unwrap();
    for key in [opaque, number] {
        let one = replay(
            "show",
            &["--view", "booking_list", "--key", key, "--format", "json"],
        );
        let one = lines(&installation.well(&one));
        assert_eq!((one.len(), &one[1]["number"]), (2, &json!(number)));
        let stream = format!("booking:{key}");
        let told = installation.well(&replay("history", &["--stream", &stream]));
        assert!(told.contains(&format!("Booking {number} requested")), "{told}");
        assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");
        assert!(!told.contains('\u{1b}'), "no colours in a pipe");
    }
    assert_eq!(running.stop(Signal::SIGTERM).status.code(), Some(0));
}

#[tokio::test]
async fn two_auditors_compare_one_number_before_and_after_later_events() {
    let installation = Installation::demo();
    let running = installation.up(&[]);
    let head = installation.head().await.to_string();
    let ask = replay(
        "show",
        &["--view", "payment_list", "--as-of", &head, "--format", "csv"],
    );
    let first = installation.well(&ask);
    let admin = running.sign_in("admin").await;
    let customer = admin
        .data(
            "{ bookings(first: 1) { edges { node { customer { id } } } } }",
            json!({}),
        )
        .await["bookings"]["edges"][0]["node"]["customer"]["id"]
        .take();
    let erase =
        json!({"input": {"idempotencyKey": "replay", "customerId": customer, "reason": "asked for it"}});
    let document = "mutation($input: CustomerEraseInput!) { customerErase(input: $input) {
        position userErrors { code message }
    } }";
    let erased = admin.data(document, erase).await;
    assert_eq!(erased["customerErase"]["userErrors"], json!([]), "{erased}");
    assert_eq!(installation.well(&ask), first);

    // To a file, whole, the same.
    let mut to_file = ask.clone();
    to_file.extend(["--out", "payments.csv"]);
    assert_eq!(installation.well(&to_file), "");
    let file = std::fs::read_to_string(installation.place().join("payments.csv")).unwrap();
    assert_eq!(file, first);
    assert!(file.ends_with("\r\n"));
    let nowhere = replay("show", &["--view", "payment_list", "--out", "no/such/place.csv"]);
    assert_cannot_run(&installation.run(&nowhere), "cannot write no/such/place.csv");

    // She is erased as of then, too.
    let customers = replay(
        "show",
        &["--view", "customer_list", "--as-of", &head, "--format", "json"],
    );
    let names: Vec<Value> = lines(&installation.well(&customers))[1..]
        .iter()
        .map(|row| row["name"].clone())
        .collect();
    let hidden = |said: &str| names.iter().filter(|name| *name == said).count();
    assert_eq!((hidden("[erased]"), hidden("[sealed]")), (1, names.len() - 1));

    let changed = replay(
        "diff",
        &["--view", "customer_list", "--from", &head, "--format", "json"],
    );
    let changed = lines(&installation.well(&changed));
    assert_eq!(
        (changed.len(), &changed[1]["change"]),
        (2, &json!("changed")),
        "{changed:?}"
    );
    assert_eq!(changed[1]["events"][0]["type"], "customer.erased");
    assert_eq!(running.stop(Signal::SIGTERM).status.code(), Some(0));
}

#[test]
fn what_cannot_be_answered_is_said_in_one_line() {
    let installation = Installation::demo();
    let server = installation.postgres();
    for (command, arguments, why) in [
        (
            "show",
            &["--view", "bookings"][..],
            "there is no read model bookings; there are: booking_list, ",
        ),
        (
            "show",
            &["--view", "booking_list", "--as-of", "999999999"],
            "the log ends at position",
        ),
        (
            "show",
            &["--view", "booking_list", "--as-of", "2999-01-01T00:00:00Z"],
            "has not come yet",
        ),
        (
            "show",
            &["--view", "booking_list", "--as-of", "yesterday"],
            "\"yesterday\" is no moment",
        ),
        ("show", &["--view", "booking_list", "--as-of", "-1"], "-1"),
        (
            "show",
            &["--view", "booking_list", "--key", "x"],
            "\"x\" is no key of booking_list: give its booking_id",
        ),
        (
            "show",
            &["--view", "tax_summary", "--key", "CA"],
            "give state=…,county=…",
        ),
        ("show", &["--view", "booking_list", "--format", "xml"], "xml"),
        ("diff", &["--view", "tax_ledger"], "--from"),
        (
            "diff",
            &["--view", "tax_ledger", "--from", "9", "--to", "8"],
            "--from is the earlier of the two",
        ),
        (
            "diff",
            &["--view", "taxes", "--from", "1"],
            "there is no read model taxes",
        ),
        ("history", &["--stream", "booking"], "names no stream"),
        (
            "history",
            &["--stream", "booking:AAAAA-AAAAA"],
            "no booking has the number AAAAA-AAAAA",
        ),
        (
            "history",
            &["--stream", "booking:7"],
            "there is no stream booking:7",
        ),
        (
            "history",
            &["--stream", "boat:7"],
            "there is no kind of stream boat; there are: ",
        ),
        ("history", &["--stream", "station:7", "--format", "csv"], "csv"),
    ] {
        assert_cannot_run(&installation.run(&replay(command, arguments)), why);
    }
    let elsewhere = ["replay", "show", "--org", "nobody", "--view", "booking_list"];
    assert_cannot_run(&installation.run(&elsewhere), "nobody");
    server.stop().unwrap();
}
