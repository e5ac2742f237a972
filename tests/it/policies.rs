//! What policies remember of a company, and where they begin to follow it.

mod nodes;
mod waiting;

use std::time::Duration;

use domain::access::Role;
use serde_json::{Value, json};
use sqlx::Executor;
use tests::http::{Client, PARTY_UTC, Server, party};
use uuid::Uuid;

use crate::scheduling::{about, booked};

/// How often to look for what must come, and how long between looks.
const LOOKS: usize = 400;
const PAUSE: Duration = Duration::from_millis(50);

/// Pays by cash, and finds it in the till.
async fn cash(admin: &Client, booking: &Value, key: &str, cents: i64) -> Value {
    let money = json!({"kind": "DEPOSIT", "method": "CASH", "amountMinor": cents});
    let recorded = admin.done("paymentRecord", "payment { id }", about(booking, key, money));
    let payment = recorded.await["payment"]["id"].take();
    let verify = json!({"idempotencyKey": format!("{key} found"), "paymentId": payment, "accept": true});
    admin.done("paymentVerify", "", verify).await;
    payment
}

async fn becomes(admin: &Client, booking: &Value, status: &str) {
    for _ in 0..LOOKS {
        let query = "query($id: ID!) { booking(id: $id) { status } }";
        let now = admin.data(query, json!({"id": booking["id"]})).await;
        if now["booking"]["status"] == status {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
    panic!("the booking does not become {status}");
}

/// What is remembered: policy and process.
async fn remembered(server: &Server) -> Vec<(String, String)> {
    let rows = "select policy, process from policy_states order by policy, process";
    let mut superuser = server.database().superuser().await;
    let rows = sqlx::query_as(rows).fetch_all(&mut superuser).await;
    rows.expect("the database answers")
}

/// Waits until a policy remembers nothing.
async fn assert_forgotten(server: &Server, policy: &str) {
    let mut left = Vec::new();
    for _ in 0..LOOKS {
        let reacted = server.app.commands.react(server.company.tenant).await;
        reacted.expect("the policies go on");
        left = remembered(server).await;
        left.retain(|(of, _)| of == policy);
        if left.is_empty() {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
    panic!("still remembered: {left:?}");
}

#[tokio::test]
async fn a_policy_that_is_new_to_a_log_follows_it_from_its_beginning_and_waits_for_nobody() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let tenant = server.company.tenant;
    let held = server.app.commands.holding_policies(Uuid::from_u128(1));
    held.react(tenant).await.expect("the policies can be held");
    let booking = booked(&admin, party("new")).await;
    cash(&admin, &booking, "deposit", 10_000).await;
    // As it is for the policies of a newer program: events are there, and no checkpoint is.
    let mut superuser = server.database().superuser().await;
    superuser
        .execute("begin; delete from policy_states; delete from policy_checkpoints; commit")
        .await
        .expect("the superuser may");
    becomes(&admin, &booking, "CONFIRMED").await;
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn what_policies_remember_of_a_booking_is_forgotten_once_its_story_is_over() {
    let server = Server::start().await;
    let mut admin = server.sign_in(Role::Admin).await;
    let on = |key: &str, day: &str| {
        let start = format!("2026-03-{day}T18:00:00");
        let with_start = json!({ "start": start });
        tests::http::with(party(key), with_start)
    };
    let held = booked(&admin, on("held", "14")).await;
    let cancelled = booked(&admin, on("cancelled", "21")).await;
    let deleted = booked(&admin, on("deleted", "28")).await;
    cash(&admin, &held, "all", 85_118).await;
    let money = cash(&admin, &cancelled, "part", 10_000).await;
    becomes(&admin, &held, "CONFIRMED").await;
    becomes(&admin, &cancelled, "CONFIRMED").await;
    let why = json!({"reason": "plans changed", "byCompany": true});
    admin
        .done("bookingCancel", "", about(&cancelled, "cancel", why))
        .await;
    let back = json!({
        "idempotencyKey": "back", "paymentId": money, "amountMinor": 10_000, "reason": "plans changed",
    });
    admin.done("paymentRefund", "", back).await;
    let why = json!({"reason": "made by mistake"});
    admin
        .done("bookingDelete", "", about(&deleted, "delete", why))
        .await;
    let station = json!({"id": tests::http::global_id("Station", server.company.san_jose)});
    let query = "query($id: ID!) { chefs(first: 1, stationId: $id) { nodes { id } } }";
    let chef = admin.data(query, station).await["chefs"]["nodes"][0]["id"].take();
    let assign = about(&held, "assign", json!({"chefId": chef}));
    admin.done("bookingChefAssign", "", assign).await;
    server.set_clock(PARTY_UTC);
    admin.sign_in_again().await;
    admin
        .done("bookingComplete", "", about(&held, "complete", json!({})))
        .await;
    // Thirty days after it was deleted nobody can take the third booking out again; the party is over then.
    server.set_clock("2026-03-15T18:00:01Z");
    assert_forgotten(&server, "when_deposit_captured").await;
    assert_forgotten(&server, "when_deposit_overdue").await;
    assert_forgotten(&server, "when_chef_takes_time_off").await;
    let followed = remembered(&server).await;
    assert!(
        followed.iter().any(|(of, _)| of == "when_money_changes_tax"),
        "money may still move: {followed:?}"
    );
    server.set_clock("2031-01-01T00:00:00Z");
    for policy in [
        "when_money_changes_tax",
        "when_money_needs_a_person",
        "when_refund_is_pending",
    ] {
        assert_forgotten(&server, policy).await;
    }
}

#[tokio::test]
async fn what_is_given_back_after_a_party_was_called_off_waits_for_no_sale_that_never_comes() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let booking = booked(&admin, party("off")).await;
    let money = cash(&admin, &booking, "deposit", 10_000).await;
    becomes(&admin, &booking, "CONFIRMED").await;
    let why = json!({"reason": "no chef is well", "byCompany": true});
    admin
        .done("bookingCancel", "", about(&booking, "cancel", why))
        .await;
    let back = json!({
        "idempotencyKey": "back", "paymentId": money, "amountMinor": 10_000, "reason": "no chef is well",
    });
    admin.done("paymentRefund", "", back).await;
    server.assert_rebuild_changes_nothing(&server.company).await;
    let state = "select state from policy_states where policy = 'when_money_changes_tax'";
    let mut superuser = server.database().superuser().await;
    let states: Vec<Value> = sqlx::query_scalar(state)
        .fetch_all(&mut superuser)
        .await
        .expect("the database answers");
    for state in states {
        assert_eq!(state["waiting"], json!([]), "{state}");
    }
}
