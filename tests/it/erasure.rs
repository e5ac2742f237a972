//! A person who asks to be forgotten is: nothing of theirs can be found anywhere, and all else stays as it was.

use std::io;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use commands::{Caller, CommandError, CustomerErase, IdempotencyKey};
use domain::access::Role;
use domain::envelope::{Expectation, NewEvent, Sealed, StreamId};
use domain::ids::{CommandId, CustomerId, EventId};
use event_log::{Append, Opened, SealedField, StreamWrite, sealed_under};
use replays::erasures::{Remains, erasures};
use serde_json::{Value, json};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor};
use tests::http::{Client, Server, global_id, party, with};
use tracing_subscriber::fmt::MakeWriter;
use uuid::Uuid;

const NAME: &str = "Zoë Quintanilla-Sørensen";
const EMAIL: &str = "Zoe.Quintanilla@forget-me.example";
const PHONE: &str = "(408) 555-0173";
const DIGITS: &str = "14085550173";
const STREET: &str = "1742 Wisteria Hollow Ln";
const NOTE: &str = "No shellfish please; the gate opens with 4471";
/// Everything that tells of the person.
const PERSONAL: [&str; 6] = [NAME, EMAIL, PHONE, DIGITS, STREET, NOTE];

const REASON: &str = "asked for it by letter of 2 March";

/// A party of hers.
fn hers(key: &str, more: Value) -> Value {
    let personal = json!({
        "customer": {"name": NAME, "email": EMAIL, "phone": PHONE},
        "venue": {"street": STREET, "city": "San Jose", "state": "CA", "zip": "95112"},
        "note": NOTE,
    });
    with(with(party(key), personal), more)
}

fn erase(key: &str, customer: &Value) -> Value {
    json!({"idempotencyKey": key, "customerId": customer, "reason": REASON})
}

/// Every form in which a text may lie about: as typed, folded, and as the digits and letters of its bytes.
fn forms(text: &str) -> Vec<String> {
    let mut forms = Vec::new();
    for text in [text.to_owned(), text.to_lowercase(), text.to_uppercase()] {
        forms.push(hex::encode(&text));
        for before in ["", "x", "xx"] {
            // Within a longer text its base64 depends on where it begins; the ends belong to what is around it.
            let shifted = format!("{before}{text}");
            let inner = STANDARD_NO_PAD.encode(&shifted)[if before.is_empty() { 0 } else { 4 }..].to_owned();
            let inner = inner[..inner.len() - 2].to_owned();
            forms.push(inner.replace('+', "-").replace('/', "_"));
            forms.push(inner);
        }
        forms.push(text.escape_unicode().to_string());
        forms.push(
            serde_json::to_string(&text)
                .expect("a text is JSON")
                .trim_matches('"')
                .to_owned(),
        );
    }
    forms.sort();
    forms.dedup();
    forms
}

/// Where a text is found in another, in whatever form.
fn found(haystack: &str, text: &str) -> Option<String> {
    let folded = haystack.to_lowercase();
    if folded.contains(&text.to_lowercase()) {
        return Some(text.to_owned());
    }
    forms(text).into_iter().find(|form| haystack.contains(form))
}

fn assert_nowhere(haystack: &str, what: &str) {
    for text in PERSONAL {
        assert_eq!(found(haystack, text), None, "{text} is in {what}");
    }
}

/// Every column of every row of every table, as text.
async fn dump(superuser: &mut PgConnection) -> String {
    let tables: Vec<String> = sqlx::query_scalar(
        "select format('%I.%I', table_schema, table_name) from information_schema.tables
         where table_type = 'BASE TABLE' and table_schema !~ '^(pg_catalog|information_schema)$'
         order by 1",
    )
    .fetch_all(&mut *superuser)
    .await
    .expect("the catalog can be read");
    assert!(tables.len() > 20, "{tables:?}");
    let mut dump = String::new();
    for table in tables {
        let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(format!("select t::text from {table} t")))
            .fetch_all(&mut *superuser)
            .await
            .expect("a superuser reads everything");
        dump += &format!("{table}: {}\n", rows.len());
        dump += &rows.join("\n");
        dump.push('\n');
    }
    dump
}

/// What the program logs, all of it.
#[derive(Clone, Default)]
struct Logs(Arc<Mutex<Vec<u8>>>);

impl Logs {
    fn capture() -> Self {
        let logs = Self::default();
        tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(logs.clone())
            .init();
        logs
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("nobody panicked")).into_owned()
    }
}

impl io::Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panicked").extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Logs {
    type Writer = Self;
    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// What she has left behind at the company.
struct Traces {
    customer: Value,
    open: Value,
    /// Position of the last event before the erasure.
    before: i64,
}

/// A lead from before she was known, a party that is called off, one that is not, and a lead since.
async fn live(server: &Server, admin: &Client) -> Traces {
    admin.done("bookingRequest", "", party("first")).await;
    let early = hers("early", json!({"customer": {"name": NAME, "email": EMAIL}}));
    assert_eq!(admin.refused("bookingRequest", early).await, "SLOT_UNAVAILABLE");
    let sacramento = global_id("Station", server.company.sacramento);
    let there = json!({
        "stationId": sacramento,
        "venue": {"street": STREET, "city": "Sacramento", "state": "CA", "zip": "95814"},
    });
    let object = "booking { id customer { id name email phone erased } venue { street } }";
    let booked = admin
        .done("bookingRequest", object, hers("one", there.clone()))
        .await;
    let customer = booked["booking"]["customer"].clone();
    assert_eq!(
        (
            &customer["name"],
            &customer["email"],
            &customer["phone"],
            &customer["erased"]
        ),
        (
            &json!(NAME),
            &json!(EMAIL.to_lowercase()),
            &json!(DIGITS),
            &json!(false)
        )
    );
    let again = with(
        there,
        json!({"customer": {"id": customer["id"]}, "start": "2026-03-15T18:00:00"}),
    );
    let open = admin.done("bookingRequest", object, hers("two", again)).await;
    let cancel = json!({
        "idempotencyKey": "cancel", "bookingId": booked["booking"]["id"], "reason": "plans changed",
    });
    admin.done("bookingCancel", "", cancel).await;
    let late = hers("late", json!({"customer": {"id": customer["id"]}}));
    assert_eq!(admin.refused("bookingRequest", late).await, "SLOT_UNAVAILABLE");
    Traces {
        customer: customer["id"].clone(),
        open: open["booking"]["id"].clone(),
        before: server.caught_up(&server.company).await,
    }
}

/// Whatever can be asked about her, now and as it was.
async fn seen(admin: &Client, traces: &Traces) -> Value {
    let query = "query($customer: ID!, $open: ID!, $before: LogPosition!) {
        now: customer(id: $customer) { name email phone erased bookingCount }
        then: customer(id: $customer, asOf: {position: $before}) { name email phone erased }
        booking(id: $open) { venue { street zip } customer { name } }
        past: booking(id: $open, asOf: {position: $before}) { venue { street zip } customer { name } }
        node(id: $customer) { ... on Customer { name erased } }
        leads(first: 10) { nodes { name email phone } }
        customers(first: 10) { nodes { id name email phone } }
        auditLog(first: 100) { nodes { summary reason changes { before after } } } }";
    let variables = json!({"customer": traces.customer, "open": traces.open, "before": traces.before});
    admin.data(query, variables).await
}

#[tokio::test]
async fn an_erased_person_is_nowhere_and_everything_else_is_as_it_was() {
    let logs = Logs::capture();
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let traces = live(&server, &admin).await;
    let before = seen(&admin, &traces).await;
    for text in [NAME, STREET, DIGITS] {
        assert!(before.to_string().contains(text), "{text}: {before}");
    }
    let mut superuser = server.database().superuser().await;
    assert_nowhere(&dump(&mut superuser).await, "the database before the erasure");

    let asked = erase("erase", &traces.customer);
    assert_eq!(
        admin.refused("customerErase", asked.clone()).await,
        "CUSTOMER_HAS_OPEN_BOOKING"
    );
    let cancel = json!({"idempotencyKey": "c2", "bookingId": traces.open, "reason": "plans changed"});
    admin.done("bookingCancel", "", cancel).await;
    let object = "customer { id version name email phone erased bookingCount }";
    let erased = admin.done("customerErase", object, asked.clone()).await;
    assert_eq!(
        erased["customer"],
        json!({
            "id": traces.customer, "version": 2, "name": "[erased]", "email": "[erased]", "phone": "[erased]",
            "erased": true, "bookingCount": 2,
        })
    );
    server.caught_up(&server.company).await;
    assert_unseen(&admin, &traces).await;
    assert_found_in_place(&server, &mut superuser).await;
    assert_nowhere(&logs.text(), "the program's logs");
    assert!(logs.text().contains("command done"), "the logs are captured");

    let replayed = admin.done("customerErase", object, asked).await;
    assert_eq!(
        (&replayed["replayed"], &replayed["position"]),
        (&json!(true), &erased["position"])
    );
    let once_more = erase("once more", &traces.customer);
    assert_eq!(admin.refused("customerErase", once_more).await, "CUSTOMER_ERASED");
    let by_id = hers(
        "three",
        json!({"customer": {"id": traces.customer}, "start": "2026-03-16T18:00:00"}),
    );
    assert_eq!(admin.refused("bookingRequest", by_id).await, "CUSTOMER_ERASED");
    let found = admin
        .data(
            "query($email: String!) { customers(first: 10, search: $email) { nodes { id } } }",
            json!({"email": EMAIL}),
        )
        .await;
    assert_eq!(found["customers"]["nodes"], json!([]));
    assert_returns_as_somebody_new(&server, &admin, &traces).await;
    server.assert_rebuild_changes_nothing(&server.company).await;
}

async fn assert_unseen(admin: &Client, traces: &Traces) {
    let after = seen(admin, traces).await;
    assert_nowhere(&after.to_string(), "an answer after the erasure");
    let person = json!({"name": "[erased]", "email": "[erased]", "phone": "[erased]", "erased": true});
    assert_eq!(after["then"], person, "the past is erased too");
    let party = json!({"venue": {"street": "[erased]", "zip": "95814"}, "customer": {"name": "[erased]"}});
    assert_eq!((&after["booking"], &after["past"]), (&party, &party));
    let leads = after["leads"]["nodes"].as_array().expect("a list");
    assert_eq!(leads.len(), 2);
    for lead in leads {
        assert_eq!(
            (&lead["name"], &lead["email"]),
            (&json!("[erased]"), &json!("[erased]"))
        );
    }
    let entries = after["auditLog"]["nodes"].as_array().expect("a list");
    let receipt = entries
        .iter()
        .find(|entry| entry["summary"] == "Customer erased; 2 keys destroyed");
    assert_eq!(receipt.expect("it is told")["reason"], REASON);
    assert!(
        after.to_string().contains("Guest first"),
        "nobody else is touched"
    );
}

/// The dump holds what is to be found and not what is not; the log verifies, and so does the receipt.
async fn assert_found_in_place(server: &Server, superuser: &mut PgConnection) {
    let dump = dump(superuser).await;
    assert_nowhere(&dump, "the database");
    assert!(found(&dump, "sacramento").is_some(), "what is clear is found");
    let bytes: Vec<u8> = sqlx::query_scalar("select leaf_hash from events where position = 1")
        .fetch_one(&mut *superuser)
        .await
        .expect("there is an event");
    assert!(dump.contains(&hex::encode(bytes)), "bytes are found");
    let tenant = server.company.tenant;
    replays::verify(&server.app.log, tenant, &())
        .await
        .expect("the log is as it was written");
    let checked = erasures(&server.app.log, &server.app.vault, tenant, &())
        .await
        .expect("the log is read");
    assert_eq!(checked.len(), 1);
    assert_eq!((&checked[0].findings, checked[0].values), (&vec![], 12));
    assert_eq!(checked[0].receipt.reason, REASON);
    assert_eq!(checked[0].receipt.destroyed.len(), 2);
}

/// The same e-mail makes somebody new known, who has nothing to do with who was erased.
async fn assert_returns_as_somebody_new(server: &Server, admin: &Client, traces: &Traces) {
    let party = hers("back", json!({"start": "2026-03-17T18:00:00"}));
    let back = admin
        .done("bookingRequest", "booking { customer { id name erased } }", party)
        .await;
    let customer = &back["booking"]["customer"];
    assert_ne!(customer["id"], traces.customer);
    assert_eq!(
        (&customer["name"], &customer["erased"]),
        (&json!(NAME), &json!(false))
    );
    server.caught_up(&server.company).await;
    let checked = erasures(&server.app.log, &server.app.vault, server.company.tenant, &()).await;
    assert_eq!(checked.expect("the log is read")[0].findings, []);
}

#[test]
fn a_text_is_found_in_each_form_that_it_may_have() {
    let around = |text: &str| format!("before, {text} after");
    for text in [NAME, STREET] {
        for hidden in [
            around(text),
            around(&text.to_uppercase()),
            hex::encode(around(text)),
            STANDARD.encode(around(text)),
            URL_SAFE_NO_PAD.encode(format!("x{}", around(&text.to_lowercase()))),
            STANDARD_NO_PAD.encode(format!("xx{}", around(text))),
        ] {
            assert!(found(&hidden, text).is_some(), "{text} in {hidden}");
        }
        assert_eq!(found(&around("somebody else"), text), None);
    }
}

/// Books and erases her.
async fn erased(admin: &Client) {
    let booked = admin
        .done(
            "bookingRequest",
            "booking { id customer { id } }",
            hers("one", json!({})),
        )
        .await;
    let customer = booked["booking"]["customer"]["id"].clone();
    let cancel = json!({
        "idempotencyKey": "cancel", "bookingId": booked["booking"]["id"], "reason": "plans changed",
    });
    admin.done("bookingCancel", "", cancel).await;
    admin.done("customerErase", "", erase("erase", &customer)).await;
}

#[tokio::test]
async fn an_erasure_that_left_something_is_found_out() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let mut superuser = server.database().superuser().await;
    superuser
        .execute("create table kept_back (like subject_keys); create table kept_claims (like claims_unique)")
        .await
        .expect("a superuser may");
    superuser
        .execute(
            "create function keep_back() returns trigger language plpgsql security definer as $$
             begin
                 if old.erased_at is null and new.erased_at is not null then
                     insert into kept_back select old.*;
                 end if;
                 return new;
             end $$;
             create trigger keep_back before update on subject_keys for each row execute function keep_back();
             create function keep_claims() returns trigger language plpgsql security definer as $$
             begin insert into kept_claims select old.*; return old; end $$;
             create trigger keep_claims before delete on claims_unique for each row execute function keep_claims()",
        )
        .await
        .expect("a superuser may");
    erased(&admin).await;
    let tenant = server.company.tenant;
    let check = async || {
        let checked = erasures(&server.app.log, &server.app.vault, tenant, &()).await;
        let mut checked = checked.expect("the log is read");
        checked.remove(0)
    };
    let erasure = check().await;
    assert_eq!(erasure.findings, []);
    let subject = erasure.receipt.destroyed[0].subject;
    superuser
        .execute(
            "set session_replication_role = replica;
             delete from subject_keys where erased_at is not null;
             insert into claims_unique select * from kept_claims where scope = 'customer.email'",
        )
        .await
        .expect("a superuser may");
    assert_eq!(
        check().await.findings,
        [Remains::NoMark(subject), Remains::Claim("customer.email")]
    );
    superuser
        .execute("insert into subject_keys select * from kept_back; delete from claims_unique")
        .await
        .expect("a superuser may");
    let findings = check().await.findings;
    assert_eq!(findings[0], Remains::Key(subject));
    assert!(
        findings[1..]
            .iter()
            .all(|finding| matches!(finding, Remains::Readable(_))),
        "{findings:?}"
    );
    assert!(findings.len() > 3, "{findings:?}");
}

#[tokio::test]
async fn nobody_is_erased_past_an_event_that_nobody_knows() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let booked = admin
        .done(
            "bookingRequest",
            "booking { id customer { id } }",
            hers("one", json!({})),
        )
        .await;
    let cancel = json!({
        "idempotencyKey": "cancel", "bookingId": booked["booking"]["id"], "reason": "plans changed",
    });
    admin.done("bookingCancel", "", cancel).await;
    let global = booked["booking"]["customer"]["id"]
        .as_str()
        .expect("an id is text");
    let global =
        String::from_utf8(URL_SAFE_NO_PAD.decode(global).expect("an id is base64")).expect("of text");
    let customer = global
        .trim_start_matches("Customer:")
        .parse()
        .expect("the rest is a UUID");
    let tenant = server.company.tenant;
    // A newer program may have sealed something of hers in it.
    let unknown = NewEvent {
        event_id: EventId(Uuid::from_u128(1)),
        event_type: "gift.given",
        event_version: 1,
        payload: "{}".to_owned(),
        claims: vec![],
    };
    let append = Append {
        tenant,
        command_id: CommandId(Uuid::from_u128(1)),
        digest: [0; 32],
        streams: vec![StreamWrite {
            stream: StreamId::new("gift", "1"),
            expected: Expectation::Any,
            events: vec![unknown],
        }],
        reads: vec![],
        erases: vec![],
        meta: [
            ("actor_kind", "system"),
            ("actor_id", "newer"),
            ("channel", "cli"),
            ("correlation_id", "c"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into(),
    };
    server.app.log.append(append).await.expect("the log takes it");
    let head = server.written(&server.company).await;
    let ask = CustomerErase {
        customer_id: CustomerId(customer),
        expected_version: None,
        reason: REASON.to_owned(),
    };
    let key = IdempotencyKey::from_client("erase").expect("it is a key");
    let refused = server
        .app
        .commands
        .erase_customer(Caller::system(tenant, "test"), key, ask)
        .await;
    assert!(
        matches!(&refused, Err(CommandError::Unreadable(unknown)) if unknown.to_string().contains("gift.given")),
        "{refused:?}"
    );
    assert_eq!(server.written(&server.company).await, head);
}

#[tokio::test]
async fn only_who_may_erases_and_only_who_is_there() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let booked = admin
        .done(
            "bookingRequest",
            "booking { customer { id } }",
            hers("one", json!({})),
        )
        .await;
    let customer = booked["booking"]["customer"]["id"].clone();
    let head = server.written(&server.company).await;
    for (input, code) in [
        (
            erase("a", &json!(global_id("Customer", Uuid::nil()))),
            "NOT_FOUND",
        ),
        (erase("b", &json!("nonsense")), "NOT_FOUND"),
        (
            with(erase("c", &customer), json!({"expectedVersion": 7})),
            "VERSION_CONFLICT",
        ),
    ] {
        assert_eq!(admin.refused("customerErase", input).await, code);
    }
    let neighbour = server.neighbour().await;
    let other = server
        .sign_in_at(&neighbour, Role::SuperAdmin, domain::access::StationScope::All)
        .await;
    assert_eq!(
        other.refused("customerErase", erase("d", &customer)).await,
        "NOT_FOUND"
    );
    assert_eq!(server.written(&server.company).await, head);
    // After the party its address is of no more use.
    server.set_clock("2026-03-16T12:00:00Z");
    let mut admin = admin;
    admin.sign_in_again().await;
    let short = with(erase("e", &customer), json!({"reason": "gone"}));
    assert_eq!(admin.refused("customerErase", short).await, "INVALID_REASON");
    admin
        .done(
            "customerErase",
            "",
            with(erase("f", &customer), json!({"expectedVersion": 1})),
        )
        .await;
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn the_receipt_names_the_key_that_the_values_are_under() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    erased(&admin).await;
    let tenant = server.company.tenant;
    let events = server
        .app
        .log
        .read(tenant, domain::envelope::Position(0), 1000, None)
        .await;
    let events = events.expect("the log is read");
    let receipt: Value = events
        .iter()
        .find(|event| event.event_type == "customer.erased")
        .map(|event| serde_json::from_str(&event.payload).expect("a payload is JSON"))
        .expect("the erasure is in the log");
    let registered = events
        .iter()
        .find(|event| event.event_type == "customer.registered")
        .expect("she was known");
    let payload: Value = serde_json::from_str(&registered.payload).expect("a payload is JSON");
    let name: Sealed = serde_json::from_value(payload["contact"]["name"].clone()).expect("a name is sealed");
    let key = sealed_under(&name).expect("it is sealed").to_string();
    assert_eq!(
        receipt["destroyed"],
        json!([{"subject": name.subject, "key_id": key}])
    );
    assert_eq!(receipt["email_key"], payload["email_key"]);
    let opened = server
        .app
        .vault
        .open_many(
            tenant,
            &[SealedField {
                stream: &registered.stream,
                field: "name",
                sealed: &name,
            }],
        )
        .await;
    assert_eq!(opened.expect("the keys are read"), [Opened::Erased]);
    let clear = receipt.to_string();
    assert_nowhere(&clear, "the receipt");
}
