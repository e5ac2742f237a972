//! The same key gives the same result, whatever happens to the connection.

mod reach;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use commands::{Caller, CommandError, IdempotencyKey};
use domain::access::Role;
use domain::chef::Chef;
use domain::decider::Decider;
use event_log::{Retention, Swept};
use futures::future::join_all;
use serde_json::{Value, json};
use sqlx::Executor;
use sqlx::postgres::PgConnection;
use tests::http::{Client, Server, global_id, mutation, party, with};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const BOOKING: &str = "booking { id version status }";

#[tokio::test]
async fn a_key_that_was_used_for_something_else_is_refused() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let first = admin.done("bookingRequest", BOOKING, party("key")).await;
    let head = server.written(&server.company).await;
    for fields in [
        json!({"guests": {"adults": 13, "children": 4}}),
        json!({"start": "2026-03-15T18:00:00"}),
        json!({"note": "by the pool"}),
    ] {
        let other = with(party("key"), fields);
        assert_eq!(
            admin.refused("bookingRequest", other).await,
            "IDEMPOTENCY_MISMATCH"
        );
    }
    let cancel =
        json!({"idempotencyKey": "key", "bookingId": first["booking"]["id"], "reason": "plans changed"});
    assert_eq!(
        admin.refused("bookingCancel", cancel).await,
        "IDEMPOTENCY_MISMATCH"
    );
    assert_eq!(server.written(&server.company).await, head);
    let again = admin.done("bookingRequest", BOOKING, party("key")).await;
    assert_eq!(
        (&again["booking"], &again["replayed"]),
        (&first["booking"], &json!(true))
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn the_result_of_a_key_stays_while_the_booking_goes_on() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let first = admin.done("bookingRequest", BOOKING, party("key")).await;
    let cancel =
        json!({"idempotencyKey": "cancel", "bookingId": first["booking"]["id"], "reason": "plans changed"});
    let cancelled = admin.done("bookingCancel", BOOKING, cancel.clone()).await;
    for (command, input, first) in [
        ("bookingCancel", cancel, &cancelled),
        ("bookingRequest", party("key"), &first),
    ] {
        let again = admin.done(command, BOOKING, input).await;
        assert_eq!(
            (&again["position"], &again["booking"]["id"], &again["replayed"]),
            (&first["position"], &first["booking"]["id"], &json!(true))
        );
    }
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_key_of_a_refused_command_may_be_used_for_a_better_one() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    admin.done("bookingRequest", BOOKING, party("first")).await;
    assert_eq!(
        admin.refused("bookingRequest", party("key")).await,
        "SLOT_UNAVAILABLE"
    );
    let better = with(party("key"), json!({"start": "2026-03-15T18:00:00"}));
    let done = admin.done("bookingRequest", BOOKING, better.clone()).await;
    assert_eq!(done["replayed"], false);
    let again = admin.done("bookingRequest", BOOKING, better).await;
    assert_eq!(again["replayed"], true);
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn the_same_key_means_two_things_to_two_companies() {
    let server = Server::start().await;
    let neighbour = server.neighbour().await;
    let all = domain::access::StationScope::All;
    let other = server.sign_in_at(&neighbour, Role::Admin, all).await;
    let admin = server.sign_in(Role::Admin).await;
    let ours = admin.done("bookingRequest", BOOKING, party("key")).await;
    let theirs = other.done("bookingRequest", BOOKING, party("key")).await;
    assert_eq!(theirs["replayed"], false);
    assert_ne!(ours["booking"]["id"], theirs["booking"]["id"]);
    server.assert_rebuild_changes_nothing(&neighbour).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_clients_with_one_key_at_once_write_once() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let before = server.written(&server.company).await;
    let answers = join_all((0..8).map(|_| admin.done("bookingRequest", BOOKING, party("one")))).await;
    let first: Vec<&Value> = answers
        .iter()
        .filter(|answer| answer["replayed"] == false)
        .collect();
    assert_eq!(first.len(), 1, "{answers:?}");
    for answer in &answers {
        assert_eq!(
            (&answer["booking"]["id"], &answer["position"]),
            (&first[0]["booking"]["id"], &first[0]["position"])
        );
    }
    assert_eq!(server.written(&server.company).await, before + 2);
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_bodies_with_one_key_at_once_one_is_done() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let before = server.written(&server.company).await;
    let sacramento = json!({
        "stationId": global_id("Station", server.company.sacramento),
        "venue": {"street": "1 Main St", "city": "Sacramento", "state": "CA", "zip": "95814"},
    });
    let asked = (1..=8).map(|adults| {
        let input = with(
            with(party("one"), sacramento.clone()),
            json!({"guests": {"adults": adults}}),
        );
        admin.command("bookingRequest", BOOKING, input)
    });
    let answers = join_all(asked).await;
    let done = answers
        .iter()
        .filter(|answer| answer["position"].is_i64())
        .count();
    let mismatched = answers
        .iter()
        .filter(|answer| answer["userErrors"][0]["code"] == "IDEMPOTENCY_MISMATCH")
        .count();
    assert_eq!((done, mismatched), (1, 7), "{answers:?}");
    assert_eq!(server.written(&server.company).await, before + 2);
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_version_that_is_not_the_one_that_was_seen_is_told() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let booking = admin.done("bookingRequest", BOOKING, party("a")).await["booking"]["id"].take();
    let money = json!({
        "idempotencyKey": "money", "bookingId": booking, "kind": "OTHER", "method": "CASH", "amountMinor": 1,
    });
    let payment = admin.done("paymentRecord", "payment { id }", money).await["payment"]["id"].take();
    let head = server.written(&server.company).await;
    let action = |id: &Value| json!({"idempotencyKey": "stale", "expectedVersion": 3, "bookingId": id});
    let price = json!({
        "idempotencyKey": "stale", "expectedVersion": 3, "item": "adult", "priceMinor": 6_500,
        "stationId": global_id("Station", server.company.san_jose), "reason": "dearer",
    });
    let verify =
        json!({"idempotencyKey": "stale", "expectedVersion": 3, "paymentId": payment, "accept": true});
    for (command, input, version) in [
        ("bookingComplete", action(&booking), "1"),
        (
            "bookingCancel",
            with(action(&booking), json!({"reason": "plans changed"})),
            "1",
        ),
        ("paymentVerify", verify, "1"),
        ("priceChange", price, "4"),
    ] {
        let payload = admin.command(command, "", input).await;
        let told = &payload["userErrors"][0];
        assert_eq!(
            (&told["code"], &told["field"]),
            (&json!("VERSION_CONFLICT"), &json!(["expectedVersion"])),
            "{command}"
        );
        let message = told["message"].as_str().unwrap_or_default();
        assert!(message.ends_with(&format!("version {version}")), "{message}");
    }
    assert_eq!(server.written(&server.company).await, head);
    let seen = json!({"idempotencyKey": "seen", "bookingId": booking, "reason": "plans changed", "expectedVersion": 1});
    let done = admin.done("bookingCancel", BOOKING, seen).await;
    assert_eq!(done["booking"]["version"], 2);
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_saw_the_same_version_one_changes_it() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let booking = admin.done("bookingRequest", BOOKING, party("a")).await["booking"]["id"].take();
    let asked = (0..6).map(|number| {
        let cancel = json!({
            "idempotencyKey": format!("cancel {number}"), "bookingId": booking, "expectedVersion": 1,
            "reason": "plans changed",
        });
        admin.command("bookingCancel", BOOKING, cancel)
    });
    let answers = join_all(asked).await;
    let done = answers
        .iter()
        .filter(|answer| answer["position"].is_i64())
        .count();
    let conflicts = answers
        .iter()
        .filter(|answer| answer["userErrors"][0]["code"] == "VERSION_CONFLICT")
        .count();
    assert_eq!((done, conflicts), (1, 5), "{answers:?}");
    server.assert_rebuild_changes_nothing(&server.company).await;
}

/// Where a client hangs up.
#[derive(Debug, Clone, Copy)]
enum HangUp {
    /// With this much of the body sent, in hundredths.
    Within(usize),
    /// As soon as all of it is sent.
    AfterSending,
    /// As soon as the log has taken the command.
    AfterAppend,
}

/// A party on a day of its own, where three chefs are free.
fn apart(server: &Server, number: i64) -> Value {
    let day = chrono::NaiveDate::from_ymd_opt(2026, 3, 1).expect("a day") + chrono::Duration::days(number);
    with(
        party(&format!("hang-up-{number}")),
        json!({
            "start": format!("{day}T18:00:00"),
            "stationId": global_id("Station", server.company.sacramento),
            "venue": {"street": "1 Main St", "city": "Sacramento", "state": "CA", "zip": "95814"},
        }),
    )
}

/// Sends a request over a connection of its own, as much of it as is wanted, and closes it.
async fn hang_up(address: SocketAddr, client: &Client, input: &Value, server: &Server, when: HangUp) {
    let body =
        json!({"query": mutation("bookingRequest", BOOKING), "variables": {"input": input}}).to_string();
    let token = client.token.as_deref().expect("somebody who has signed in");
    let head = format!(
        "POST /graphql HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
         authorization: Bearer {token}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let sent = match when {
        HangUp::Within(hundredths) => body.len() * hundredths / 100,
        HangUp::AfterSending | HangUp::AfterAppend => body.len(),
    };
    let mut appended = server.app.log.appended();
    let mut connection = TcpStream::connect(address).await.expect("the program listens");
    connection.write_all(head.as_bytes()).await.expect("it reads");
    connection
        .write_all(&body.as_bytes()[..sent])
        .await
        .expect("it reads");
    if matches!(when, HangUp::AfterAppend) {
        appended.recv().await.expect("the log tells what it takes");
    }
    drop(connection);
}

#[tokio::test]
async fn a_client_that_hangs_up_leaves_the_whole_booking_or_nothing_and_may_ask_again() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let moments = [
        HangUp::Within(0),
        HangUp::Within(50),
        HangUp::Within(99),
        HangUp::AfterSending,
        HangUp::AfterSending,
        HangUp::AfterAppend,
        HangUp::AfterAppend,
    ];
    for (number, when) in (1..).zip(moments) {
        let input = apart(&server, number);
        // What the policies say of the party before is no word of this one.
        server.quiet(&server.company).await;
        let before = server.written(&server.company).await;
        hang_up(server.address(), &admin, &input, &server, when).await;
        let after = server.written(&server.company).await;
        assert!(
            [before, before + 2].contains(&after),
            "{when:?}: {before}, {after}"
        );
        let answer = admin.done("bookingRequest", BOOKING, input).await;
        match when {
            HangUp::Within(_) => assert_eq!(answer["replayed"], false, "{when:?}"),
            HangUp::AfterSending => {}
            HangUp::AfterAppend => assert_eq!(answer["replayed"], true, "{when:?}"),
        }
        assert_eq!(server.written(&server.company).await, before + 2, "{when:?}");
    }
    assert_booked(&server, &admin, 7).await;
}

#[tokio::test]
async fn a_request_that_is_given_up_at_any_moment_is_done_whole_or_not_at_all() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let rounds = 14;
    for number in 1..=rounds {
        let input = apart(&server, number);
        let before = server.written(&server.company).await;
        {
            let request = admin.command("bookingRequest", BOOKING, input.clone());
            tokio::select! {
                biased;
                () = let_others_run(1 << (number + 3)) => {}
                _ = request => {}
            }
        }
        let after = server.written(&server.company).await;
        assert!([before, before + 2].contains(&after), "{before}, {after}");
        admin.done("bookingRequest", BOOKING, input).await;
        assert_eq!(server.written(&server.company).await, before + 2);
    }
    assert_booked(&server, &admin, rounds).await;
}

/// Steps back so many times.
async fn let_others_run(times: u32) {
    for _ in 0..times {
        tokio::task::yield_now().await;
    }
}

/// So many bookings, each of a customer of its own, and nothing half done.
async fn assert_booked(server: &Server, admin: &Client, count: i64) {
    server.caught_up(&server.company).await;
    let counts = "{ bookings(first: 1) { totalCount { value } } customers(first: 1) { totalCount { value } }
        leads(first: 1) { totalCount { value } } }";
    let counts = admin.data(counts, json!({})).await;
    let total = |list: &str| counts[list]["totalCount"]["value"].as_i64();
    assert_eq!(
        (total("bookings"), total("customers"), total("leads")),
        (Some(count), Some(count), Some(0))
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_refused_request_that_was_given_up_leaves_its_lead_once() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    admin.done("bookingRequest", BOOKING, party("first")).await;
    let before = server.written(&server.company).await;
    let late = party("late");
    hang_up(server.address(), &admin, &late, &server, HangUp::AfterAppend).await;
    assert_eq!(server.written(&server.company).await, before + 1);
    assert_eq!(admin.refused("bookingRequest", late).await, "SLOT_UNAVAILABLE");
    assert_eq!(server.written(&server.company).await, before + 1);
    server.assert_rebuild_changes_nothing(&server.company).await;
}

/// Holds the company's log, so that whatever appends to it waits until the transaction ends.
async fn hold_log(server: &Server) -> PgConnection {
    let mut superuser = server.database().superuser().await;
    superuser.execute("begin").await.expect("a transaction begins");
    sqlx::query("select from log_head where tenant_id = $1 for update")
        .bind(server.company.tenant.0)
        .execute(&mut superuser)
        .await
        .expect("the company has a log");
    superuser
}

/// Waits until so many appenders wait for the log.
async fn waiting(server: &Server, appenders: i64) {
    let mut superuser = server.database().superuser().await;
    for _ in 0..2000 {
        let waiting: i64 = sqlx::query_scalar(
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
        )
        .fetch_one(&mut superuser)
        .await
        .expect("the activity can be read");
        if waiting >= appenders {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{appenders} appenders do not wait for the log");
}

#[tokio::test]
async fn a_key_whose_command_still_runs_is_told_so_and_has_its_result_later() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let before = server.written(&server.company).await;
    let mut held = hold_log(&server).await;
    let (ask, again) = (admin.clone(), admin.clone());
    let first = tokio::spawn(async move { ask.done("bookingRequest", BOOKING, party("key")).await });
    waiting(&server, 1).await;
    let began = Instant::now();
    let told = admin.command("bookingRequest", BOOKING, party("key")).await;
    let refused = &told["userErrors"][0];
    assert_eq!(
        (&refused["code"], &refused["field"]),
        (&json!("IN_PROGRESS"), &json!(["idempotencyKey"]))
    );
    let hint = refused["message"].as_str().expect("a sentence");
    assert!(hint.contains("again with the same key in 1000 ms"), "{hint}");
    assert!(
        began.elapsed() >= Duration::from_millis(900),
        "it waits a moment for the first"
    );
    let other = with(party("key"), json!({"note": "by the pool"}));
    assert_eq!(
        admin.refused("bookingRequest", other).await,
        "IDEMPOTENCY_MISMATCH"
    );
    let second = tokio::spawn(async move { again.done("bookingRequest", BOOKING, party("key")).await });
    held.execute("rollback").await.expect("the log is let go");
    let (first, second) = (first.await.expect("it ends"), second.await.expect("it ends"));
    assert_eq!(
        (&first["replayed"], &second["replayed"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(first["booking"]["id"], second["booking"]["id"]);
    assert_eq!(first["position"], second["position"]);
    assert_eq!(server.written(&server.company).await, before + 2);
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_with_one_key_at_once_do_it_once() {
    let server = Server::start().await;
    let other = server.another_node().await;
    let caller = Caller::system(server.company.tenant, "test");
    for (round, names) in [["Ana", "Ana"], ["Ben", "Eve"]].into_iter().enumerate() {
        let before = server.written(&server.company).await;
        let key = IdempotencyKey::from_client(&format!("chef {round}")).expect("a key");
        let mut held = hold_log(&server).await;
        let nodes = [server.app.commands.clone(), other.commands.clone()];
        let asked: Vec<_> = nodes
            .into_iter()
            .zip(names)
            .map(|(node, name)| {
                let (caller, key) = (caller.clone(), key.clone());
                tokio::spawn(async move { node.register_chef(caller, key, name.to_owned()).await })
            })
            .collect();
        waiting(&server, 2).await;
        held.execute("rollback").await.expect("the log is let go");
        let answers: Vec<_> = join_all(asked)
            .await
            .into_iter()
            .map(|done| done.expect("it ends"))
            .collect();
        let mut came_to: Vec<&str> = answers
            .iter()
            .map(|answer| match answer {
                Ok(written) if written.replayed => "replayed",
                Ok(_) => "written",
                Err(CommandError::IdempotencyMismatch) => "mismatch",
                Err(other) => panic!("{other}"),
            })
            .collect();
        came_to.sort_unstable();
        let expected = if names[0] == names[1] {
            ["replayed", "written"]
        } else {
            ["mismatch", "written"]
        };
        assert_eq!(came_to, expected);
        assert_eq!(server.written(&server.company).await, before + 1);
        if let [Ok(one), Ok(two)] = answers.as_slice() {
            assert_eq!(one.position, two.position);
            assert_eq!(one.id_of(Chef::STREAM), two.id_of(Chef::STREAM));
        }
    }
    server.assert_rebuild_changes_nothing(&server.company).await;
}

/// Makes everything so far older by some days, past the triggers that refuse to.
async fn age(server: &Server, days: i32) {
    let mut superuser = server.database().superuser().await;
    superuser
        .execute("set session_replication_role = replica")
        .await
        .expect("a superuser may");
    for table in ["events", "commands"] {
        let older = format!("update {table} set recorded_at = recorded_at - make_interval(days => {days})");
        superuser
            .execute(sqlx::AssertSqlSafe(older))
            .await
            .expect("a superuser may");
    }
}

async fn results(server: &Server) -> i64 {
    sqlx::query_scalar("select count(*) from commands where tenant_id = $1")
        .bind(server.company.tenant.0)
        .fetch_one(&mut server.database().superuser().await)
        .await
        .expect("the commands can be counted")
}

fn in_sacramento(server: &Server, key: &str) -> Value {
    let there = json!({
        "stationId": global_id("Station", server.company.sacramento),
        "venue": {"street": "1 Main St", "city": "Sacramento", "state": "CA", "zip": "95814"},
    });
    with(party(key), there)
}

#[tokio::test]
async fn results_are_forgotten_once_they_are_older_than_the_retention_and_not_before() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let old = in_sacramento(&server, "old");
    let first = admin.done("bookingRequest", BOOKING, old.clone()).await;
    let retention = Retention::days(40).expect("more than 30");
    let tenant = server.company.tenant;
    server.quiet(&server.company).await;
    let before = results(&server).await;
    age(&server, 39).await;
    let sweep = async || {
        server
            .app
            .log
            .forget_results(tenant, retention, 4)
            .await
            .expect("the log answers")
    };
    assert_eq!(
        sweep().await,
        Swept {
            forgotten: 0,
            more: false
        }
    );
    age(&server, 2).await;
    let young = in_sacramento(&server, "young");
    admin.done("bookingRequest", BOOKING, young.clone()).await;
    server.quiet(&server.company).await;
    let kept = results(&server).await - before;
    let (mut forgotten, mut steps) = (0, 0);
    loop {
        let swept = sweep().await;
        assert!(swept.forgotten <= 4, "a step is bounded: {swept:?}");
        forgotten += swept.forgotten;
        steps += 1;
        if !swept.more {
            break;
        }
    }
    assert_eq!(forgotten, before);
    assert!(steps > 4, "{steps}");
    assert_eq!(results(&server).await, kept);
    let again = admin.done("bookingRequest", BOOKING, young).await;
    assert_eq!(again["replayed"], true);
    let anew = admin.done("bookingRequest", BOOKING, old).await;
    assert_eq!(
        anew["replayed"], false,
        "a key that is used again so late is a new command"
    );
    assert_ne!(anew["booking"]["id"], first["booking"]["id"]);
    let mut superuser = server.database().superuser().await;
    for refused in ["delete from commands", "truncate commands"] {
        let error = superuser.execute(refused).await.expect_err(refused);
        let code = error.as_database_error().and_then(|refusal| refusal.code());
        assert_eq!(code.as_deref(), Some("HB001"), "{refused}");
    }
}

#[tokio::test]
async fn the_workers_forget_old_results_by_themselves() {
    let server = Server::start().await;
    age(&server, 91).await;
    let node = server.another_node().await;
    let workers = node.start_workers();
    for _ in 0..1000 {
        if results(&server).await == 0 {
            workers.stop().await;
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the old results are still there");
}
