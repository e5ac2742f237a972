//! What a program remembers of aggregates makes its commands faster and never other.

use api::app::App;
use chrono::TimeDelta;
use commands::price_list::PriceChangeInput;
use commands::{Caller, CommandError, IdempotencyKey};
use domain::access::Role;
use domain::decider::Decider;
use domain::envelope::{StreamId, Version};
use domain::money::Cents;
use domain::price_list::{Confirmation, PriceList};
use serde_json::{Value, json};
use tests::http::{Client, Server, party, with};

/// Changes what an adult costs, having seen the list at a version: at once from 60 dollars, else some day.
async fn change(server: &Server, node: &App, key: &str, price: i64, seen: i64) -> Result<bool, CommandError> {
    let input = PriceChangeInput {
        station: server.company.san_jose,
        item: "adult".to_owned(),
        price_cents: Cents(price),
        effective_from: (price < 6_000).then(|| server.now() + TimeDelta::seconds(price)),
        reason: "another price".to_owned(),
        confirmation: Confirmation::NotGiven,
        seen: Some(seen),
    };
    let caller = Caller::system(server.company.tenant, "test");
    let key = IdempotencyKey::from_client(key).expect("a key");
    let written = node.commands.change_price(caller, key, input).await;
    written.map(|written| written.replayed)
}

async fn version(server: &Server) -> i64 {
    let stream = StreamId::new(PriceList::STREAM, server.company.san_jose.to_string());
    let events = server.app.log.read_stream(server.company.tenant, &stream).await;
    i64::try_from(events.expect("the log answers").len()).expect("few")
}

async fn total(admin: &Client, key: &str, day: &str) -> Value {
    let input = with(party(key), json!({ "start": format!("{day}T18:00:00") }));
    let done = admin
        .done("bookingRequest", "booking { total { minor } }", input)
        .await;
    done["booking"]["total"]["minor"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_program_wrote_is_what_a_command_is_decided_on() {
    let server = Server::start().await;
    let other = server.another_node().await;
    let first = version(&server).await;
    // Both know the list from here on.
    change(&server, &server.app, "1", 5_600, first).await.unwrap();
    change(&server, &other, "2", 5_700, first + 1).await.unwrap();

    // What the first remembers would refuse this.
    change(&server, &server.app, "3", 5_800, first + 2).await.unwrap();
    // What the second remembers would take this.
    let behind = change(&server, &other, "4", 5_900, first + 2).await;
    assert!(
        matches!(behind, Err(CommandError::VersionConflict { actual }) if actual == Version(first + 3)),
        "{behind:?}"
    );
    // A refusal is not kept, a result is: on either, and whatever was remembered.
    assert!(!change(&server, &other, "4", 5_900, first + 3).await.unwrap());
    assert!(change(&server, &server.app, "1", 5_600, first).await.unwrap());
    assert!(change(&server, &other, "3", 5_800, first + 2).await.unwrap());
    assert_eq!(version(&server).await, first + 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_booking_is_at_the_prices_in_the_log_whoever_changed_them() {
    let server = Server::start().await;
    let other = server.another_node().await;
    let admin = server.sign_in(Role::Admin).await;
    let before = total(&admin, "before", "2026-03-12").await;
    let seen = version(&server).await;
    change(&server, &other, "dearer", 6_900, seen).await.unwrap();
    let after = total(&admin, "after", "2026-03-13").await;
    assert!(after.as_i64() > before.as_i64(), "{before} {after}");
    server.app.commands.forget();
    assert_eq!(total(&admin, "forgotten", "2026-03-14").await, after);
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_was_put_back_is_believed_against_what_is_remembered() {
    let server = Server::start().await;
    let first = version(&server).await;
    change(&server, &server.app, "1", 5_600, first).await.unwrap();
    change(&server, &server.app, "2", 5_700, first + 1).await.unwrap();
    // As a restore would: the last event was never there.
    let mut superuser = server.database().superuser().await;
    for statement in [
        "set session_replication_role = replica",
        "delete from events e using log_head h where e.tenant_id = h.tenant_id and e.position = h.position",
        "delete from commands c using log_head h where c.tenant_id = h.tenant_id and c.last_position = h.position",
        "delete from log_blocks b using log_head h where b.tenant_id = h.tenant_id and b.block = h.block",
        "update log_head h set position = b.last_position, block = b.block, block_hash = b.block_hash
         from log_blocks b where b.tenant_id = h.tenant_id and b.block = h.block - 1",
    ] {
        sqlx::Executor::execute(&mut superuser, statement).await.unwrap();
    }
    assert_eq!(version(&server).await, first + 1);
    change(&server, &server.app, "3", 5_800, first + 1).await.unwrap();
    change(&server, &server.app, "4", 5_900, first + 2).await.unwrap();
    assert_eq!(version(&server).await, first + 3);
}
