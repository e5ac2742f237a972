//! Parties that need another chef: what asks for one, and what asks no more.

use std::time::Duration;

use domain::access::Role;
use serde_json::{Value, json};
use tests::http::{Client, Server, global_id, with};
use uuid::Uuid;

use super::{BOOKING, about, as_of, booked, sacramento};

/// Returns once the policy that asks for chefs has seen all that happened, and the read models what it did.
pub(super) async fn reacted(server: &Server) {
    let tenant = server.company.tenant;
    for _ in 0..400 {
        let head = server.head(&server.company).await;
        let mut tx = server
            .app
            .database
            .begin_read(tenant)
            .await
            .expect("a connection");
        let position: Option<i64> = sqlx::query_scalar(
            "select position from policy_checkpoints where tenant_id = $1 and policy = 'when_chef_takes_time_off'",
        )
        .bind(tenant.0)
        .fetch_optional(&mut *tx)
        .await
        .expect("the checkpoint can be read");
        tx.commit().await.expect("nothing was written");
        if position.is_some_and(|position| position >= head) {
            server.caught_up(&server.company).await;
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the policy does not come along");
}

fn of(chef: &Value, key: &str, fields: Value) -> Value {
    with(json!({"idempotencyKey": key, "chefId": chef}), fields)
}

/// Two chefs of Sacramento; the first is to cook there on Saturday the 14th from 18:00.
async fn assigned(server: &Server, admin: &Client) -> (Value, Value, Value) {
    let station = global_id("Station", server.company.sacramento);
    let query = "query($id: ID!) { chefs(first: 2, stationId: $id) { nodes { id } } }";
    let chefs = admin.data(query, json!({"id": station})).await["chefs"]["nodes"].take();
    let (one, two) = (chefs[0]["id"].clone(), chefs[1]["id"].clone());
    let booking = booked(admin, sacramento(server, "party", json!({}))).await;
    let assign = about(&booking, "assign", json!({"chefId": one}));
    admin.done("bookingChefAssign", BOOKING, assign).await;
    (one, two, booking)
}

async fn listed(client: &Client, chef: &Value) -> Value {
    let query = "query($id: ID!) { chef(id: $id) { reassignments { number } } }";
    client.data(query, json!({"id": chef})).await["chef"]["reassignments"].take()
}

#[tokio::test]
async fn a_free_day_and_a_shorter_week_over_a_party_ask_for_another_chef_until_they_are_taken_back() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let (chef, _, booking) = assigned(&server, &admin).await;
    let needed = json!([{"number": booking["number"]}]);
    let saturday =
        |from: &str, until: &str| json!({"weekly": [{"day": "SAT", "from": from, "until": until}]});
    let day = |hours: Value| json!({"on": "2026-03-14", "hours": hours});
    let days = json!({"from": "2026-03-14", "to": "2026-03-14"});
    let steps = [
        // The chef leaves before 17:00 and is back by 20:30.
        ("chefAvailabilitySet", saturday("12:00", "20:00"), true),
        ("chefAvailabilitySet", saturday("12:00", "22:00"), false),
        ("chefDateExceptionSet", day(json!([])), true),
        (
            "chefDateExceptionSet",
            day(json!([{"from": "12:00", "until": "23:00"}])),
            false,
        ),
        ("chefTimeOffAdd", days.clone(), true),
        ("chefTimeOffCancel", days, false),
        (
            "chefDateExceptionSet",
            day(json!([{"from": "18:00", "until": "23:00"}])),
            true,
        ),
        ("chefDateExceptionSet", day(Value::Null), false),
        // Some other day is no reason.
        (
            "chefDateExceptionSet",
            json!({"on": "2026-03-21", "hours": []}),
            false,
        ),
    ];
    for (number, (command, fields, asks)) in steps.into_iter().enumerate() {
        let key = format!("step {number}");
        admin.done(command, "", of(&chef, &key, fields.clone())).await;
        reacted(&server).await;
        let expected = if asks { needed.clone() } else { json!([]) };
        assert_eq!(listed(&admin, &chef).await, expected, "{command} {fields}");
    }
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_party_that_has_another_chef_by_the_time_of_asking_is_asked_about_no_more() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let (one, two, booking) = assigned(&server, &admin).await;
    reacted(&server).await;
    let tenant = server.company.tenant;
    let held = server.app.commands.holding_policies(Uuid::from_u128(1));
    held.react(tenant).await.expect("the policies can be held");
    let days = json!({"from": "2026-03-14", "to": "2026-03-14"});
    admin.done("chefTimeOffAdd", "", of(&one, "off", days)).await;
    let chef = |key: &str, chef: &Value| about(&booking, key, json!({"chefId": chef}));
    admin.done("bookingChefUnassign", "", chef("free", &one)).await;
    admin.done("bookingChefAssign", "", chef("other", &two)).await;
    held.release_policies(tenant).await.expect("they can be let go");
    reacted(&server).await;
    assert_eq!(listed(&admin, &one).await, json!([]));
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn nobody_is_asked_for_after_a_party_was_held() {
    let server = Server::start().await;
    let mut admin = server.sign_in(Role::Admin).await;
    let (chef, _, booking) = assigned(&server, &admin).await;
    let money = json!({"kind": "DEPOSIT", "method": "CASH", "amountMinor": 10_000});
    let recorded = admin
        .done("paymentRecord", "payment { id }", about(&booking, "money", money))
        .await;
    let verify = json!({
        "idempotencyKey": "verify", "paymentId": recorded["payment"]["id"], "accept": true,
    });
    let verified = admin.done("paymentVerify", "", verify).await["position"].as_i64();
    as_of(&admin, &booking, verified.expect("it was written") + 1).await;
    // An hour after the start the party is over; its chef is taken for an hour and a half more.
    server.set_clock("2026-03-15T02:00:00Z");
    admin.sign_in_again().await;
    let complete = about(&booking, "held", json!({}));
    admin.done("bookingComplete", "", complete).await;
    let days = json!({"from": "2026-03-14", "to": "2026-03-14"});
    admin.done("chefTimeOffAdd", "", of(&chef, "off", days)).await;
    reacted(&server).await;
    assert_eq!(listed(&admin, &chef).await, json!([]));
}

#[tokio::test]
async fn what_was_to_be_seen_to_at_a_past_position_is_the_same_for_ever() {
    let server = Server::start().await;
    let mut admin = server.sign_in(Role::Admin).await;
    let (chef, _, booking) = assigned(&server, &admin).await;
    let days = json!({"from": "2026-03-14", "to": "2026-03-14"});
    admin.done("chefTimeOffAdd", "", of(&chef, "off", days)).await;
    reacted(&server).await;
    let position = server.head(&server.company).await;
    let query = "query($id: ID!, $at: LogPosition!) {
        chef(id: $id, asOf: {position: $at}) { reassignments { number } } }";
    let variables = json!({"id": chef, "at": position});
    let needed = json!({"chef": {"reassignments": [{"number": booking["number"]}]}});
    assert_eq!(admin.data(query, variables.clone()).await, needed);
    server.set_clock("2026-04-01T00:00:00Z");
    admin.sign_in_again().await;
    assert_eq!(listed(&admin, &chef).await, json!([]), "the party is over");
    assert_eq!(admin.data(query, variables).await, needed);
}
