//! Series of numbers under concurrency: an independent walk over the log finds 1 to n, each once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use commands::document::{DocumentAsk, MoneySeen};
use commands::{Caller, CommandError, IdempotencyKey};
use domain::access::Role;
use domain::document::series::DocumentSeriesEvent;
use domain::document::{DocumentEvent, DocumentNumber};
use domain::envelope::Position;
use domain::ids::{BookingId, TenantId};
use domain::payment::BookingMoney;
use domain::recorded::{DomainEvent, Recorded};
use futures::future::join_all;
use serde_json::{Value, json};
use tests::http::{Client, Server, global_id};

use super::{booked, invoice, paid, receipt};
use crate::scheduling::about;

/// What the log says of numbers, read without any of the program's state.
struct Sweep {
    /// Numbers of each series, in the order in which they were given.
    taken: BTreeMap<String, Vec<i64>>,
    /// Numbers on documents.
    issued: Vec<DocumentNumber>,
}

async fn sweep(server: &Server, tenant: TenantId) -> Sweep {
    let mut found = Sweep {
        taken: BTreeMap::new(),
        issued: Vec::new(),
    };
    let mut at = Position::START;
    loop {
        let page = server.app.log.read(tenant, at, 500, None).await;
        let page = page.expect("the log answers");
        let Some(last) = page.last() else {
            return found;
        };
        at = last.position;
        for event in page {
            let event = Recorded::try_from(event).expect("it can be read").event;
            if let DomainEvent::DocumentSeries(DocumentSeriesEvent::NumberTaken(taken)) = &event {
                let number = taken.number;
                let series = DocumentNumber::series_id(number.kind, number.year);
                found.taken.entry(series).or_default().push(number.sequence);
            } else if let DomainEvent::Document(DocumentEvent::Issued(issued)) = event {
                found.issued.push(issued.number);
            }
        }
    }
}

/// Every series counts from 1 without gap or repeat, and each number is on one document.
async fn assert_whole(server: &Server) -> Sweep {
    let found = sweep(server, server.company.tenant).await;
    let mut count = 0;
    for (series, numbers) in &found.taken {
        let expected: Vec<i64> = (1..).take(numbers.len()).collect();
        assert_eq!(*numbers, expected, "{series}");
        count += numbers.len();
    }
    let issued: BTreeSet<&DocumentNumber> = found.issued.iter().collect();
    assert_eq!(issued.len(), found.issued.len(), "no number is on two documents");
    assert_eq!(issued.len(), count, "every number is on one");
    found
}

/// Parties on days of their own, so that there is room for all.
async fn parties(server: &Server, admin: &Client, count: u32) -> Vec<Value> {
    let mut parties = Vec::new();
    for number in 0..count {
        let slot = ["12:00", "18:00"][usize::try_from(number % 2).expect("0 or 1")];
        let start = format!("2026-03-{:02}T{slot}:00", 1 + number / 2);
        let fields = json!({"start": start});
        parties.push(booked(server, admin, &format!("party-{number}"), fields).await);
    }
    parties
}

/// A number as it stands in an answer; none where it was refused.
fn number(answer: &Value) -> Option<String> {
    answer["document"]["number"].as_str().map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_at_once_with_refusals_repeats_and_clients_that_hang_up_leave_no_gap() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let parties = parties(&server, &admin, 24).await;
    for over in &parties[20..] {
        let cancel = about(
            over,
            &format!("cancel {}", over["id"]),
            json!({"reason": "plans changed"}),
        );
        admin.done("bookingCancel", "", cancel).await;
    }
    let nobody = global_id("Booking", "01930000-0000-7000-8000-000000000001");
    let ask = |number: usize| {
        let input = match number {
            // Twice each, under keys of their own.
            0..40 => invoice(&parties[number % 20], &format!("issue {number}")),
            // Called off: refused.
            40..48 => invoice(&parties[20 + number % 4], &format!("issue {number}")),
            // Not there: refused.
            48..56 => json!({"idempotencyKey": format!("issue {number}"), "bookingId": nobody}),
            // Under a key that is under way.
            _ => invoice(&parties[number % 20], &format!("issue {}", number % 20)),
        };
        let admin = &admin;
        async move {
            let asked = admin.command("invoiceIssue", "document { number }", input);
            // Every fifth client does not wait for the answer.
            if number % 5 == 4 {
                let patience = Duration::from_millis(u64::try_from(number % 13).expect("a few"));
                return tokio::time::timeout(patience, asked).await.ok();
            }
            Some(asked.await)
        }
    };
    let answers = join_all((0..64).map(ask)).await;
    let refused = answers.iter().flatten().filter(|answer| number(answer).is_none());
    let codes: BTreeSet<&str> = refused
        .filter_map(|answer| answer["userErrors"][0]["code"].as_str())
        .collect();
    assert!(
        codes.is_superset(&["NOT_FOUND", "WRONG_STATE"].into()),
        "{codes:?}"
    );

    // Whoever hung up asks again.
    let mut numbers = BTreeMap::new();
    for (place, party) in parties[..20].iter().enumerate() {
        let again = invoice(party, &format!("again {place}"));
        let again = admin.done("invoiceIssue", "document { number }", again).await;
        numbers.insert(number(&again).expect("it is issued"), party["id"].clone());
    }
    assert_eq!(numbers.len(), 20, "each party has a number of its own");
    for answer in answers.iter().flatten() {
        if let Some(number) = number(answer) {
            assert!(numbers.contains_key(&number), "{number}");
        }
    }
    let found = assert_whole(&server).await;
    assert_eq!(found.taken["invoice-2026"].len(), 20, "and nobody has two");
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_programs_that_issue_at_once_share_one_series() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let parties = parties(&server, &admin, 16).await;
    let other = server.another_node().await;
    let caller = Caller::system(server.company.tenant, "test");
    let ids: Vec<BookingId> = parties.iter().map(|party| local(&party["id"])).collect();
    let issue = |place: usize, id: BookingId| {
        let app = if place.is_multiple_of(2) {
            &server.app
        } else {
            &other
        };
        let (commands, caller) = (app.commands.clone(), caller.clone());
        async move {
            let seen = MoneySeen {
                as_of: Position::START,
                money: BookingMoney::default(),
            };
            for attempt in 0..40 {
                let key = IdempotencyKey::of_reaction("test issue", &format!("{id} {attempt}"));
                match commands
                    .issue_document(caller.clone(), key, DocumentAsk::Invoice(id), seen)
                    .await
                {
                    // Overtaken by the other program three times in a row: nothing was written.
                    Err(CommandError::Conflict) => {}
                    done => return done.expect("it is issued").number,
                }
            }
            panic!("nobody is overtaken for ever");
        }
    };
    let both = (0..)
        .zip(ids.iter().chain(&ids))
        .map(|(place, id)| issue(place, *id));
    let numbers: BTreeSet<DocumentNumber> = join_all(both).await.into_iter().collect();
    assert_eq!(numbers.len(), 16);
    let found = assert_whole(&server).await;
    assert_eq!(found.issued.len(), 16);
    server.assert_rebuild_changes_nothing(&server.company).await;
}

fn local(id: &Value) -> BookingId {
    use base64::Engine;
    let id = id.as_str().expect("an id is a text");
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(id);
    let text = String::from_utf8(bytes.expect("it is one of ours")).expect("it is one of ours");
    let (_, id) = text.split_once(':').expect("it is one of ours");
    id.parse().expect("it is one of ours")
}

#[tokio::test]
async fn each_kind_and_each_year_counts_from_one() {
    let server = Server::start().await;
    let mut admin = server.sign_in(Role::Admin).await;
    let parties = parties(&server, &admin, 2).await;
    let deposit = paid(&admin, &parties[0], "deposit", "DEPOSIT", 10_000, 0).await;
    admin.done("invoiceIssue", "", invoice(&parties[0], "i1")).await;
    admin.done("receiptIssue", "", receipt(&deposit, "r1")).await;
    // New Year's Eve at the station, and the year after in London.
    server.set_clock("2027-01-01T07:59:00Z");
    admin.sign_in_again().await;
    let last = booked(&server, &admin, "last", json!({"start": "2027-03-01T18:00:00"})).await;
    let eve = admin
        .done(
            "invoiceIssue",
            "document { number issuedOn }",
            invoice(&last, "i2"),
        )
        .await;
    assert_eq!(
        eve["document"],
        json!({"number": "INV-2026-000002", "issuedOn": "2026-12-31"})
    );
    server.set_clock("2027-01-01T08:00:00Z");
    admin.sign_in_again().await;
    let next = booked(&server, &admin, "next", json!({"start": "2027-03-02T18:00:00"})).await;
    let new = admin
        .done(
            "invoiceIssue",
            "document { number issuedOn }",
            invoice(&next, "i3"),
        )
        .await;
    assert_eq!(
        new["document"],
        json!({"number": "INV-2027-000001", "issuedOn": "2027-01-01"})
    );
    let found = assert_whole(&server).await;
    let series: Vec<(&str, usize)> = found
        .taken
        .iter()
        .map(|(id, numbers)| (id.as_str(), numbers.len()))
        .collect();
    assert_eq!(
        series,
        [("invoice-2026", 2), ("invoice-2027", 1), ("receipt-2026", 1)]
    );
}
