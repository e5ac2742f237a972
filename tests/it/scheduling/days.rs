//! On which days of the dashboard and the calendar a party is, and what its ledger says, as it is changed.

use domain::access::Role;
use serde_json::{Value, json};
use tests::http::{Client, Server, global_id, party, with};

use super::{BOOKING, about, booked};

/// What the days that a party was first asked for and was then moved to show of it.
async fn days(server: &Server, client: &Client) -> [Value; 4] {
    server.caught_up(&server.company).await;
    let query = "query($station: ID!) {
        before: calendar(stationId: $station, from: \"2026-03-14\", to: \"2026-03-14\") { days { chefsTaken } }
        after: calendar(stationId: $station, from: \"2026-04-04\", to: \"2026-04-04\") { days { chefsTaken } }
        march: dashboard(from: \"2026-03-14\", to: \"2026-03-14\") { total { requested } }
        april: dashboard(from: \"2026-04-04\", to: \"2026-04-04\") { total { requested } } }";
    let station = global_id("Station", server.company.san_jose);
    let mut shown = client.data(query, json!({"station": station})).await;
    let taken = |day: &Value| day["days"][0]["chefsTaken"].clone();
    [
        taken(&shown["before"]),
        taken(&shown["after"]),
        shown["march"]["total"]["requested"].take(),
        shown["april"]["total"]["requested"].take(),
    ]
}

#[tokio::test]
async fn a_moved_party_is_on_its_new_day_and_a_deleted_one_on_none() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let booking = booked(&admin, party("moving")).await;
    assert_eq!(days(&server, &admin).await, [1, 0, 1, 0]);
    let later = about(&booking, "move", json!({"start": "2026-04-04T18:00:00"}));
    admin.done("bookingReschedule", BOOKING, later).await;
    assert_eq!(days(&server, &admin).await, [0, 1, 0, 1]);
    let delete = about(&booking, "delete", json!({"reason": "made by mistake"}));
    admin.done("bookingDelete", BOOKING, delete).await;
    assert_eq!(days(&server, &admin).await, [0, 0, 0, 0]);
    let restore = about(&booking, "restore", json!({}));
    admin.done("bookingRestore", BOOKING, restore).await;
    assert_eq!(days(&server, &admin).await, [0, 1, 0, 1]);
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn each_change_of_a_price_is_a_line_of_the_ledger_and_the_balance_is_the_bookings() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let booking = booked(&admin, party("moving")).await;
    for (key, start, fee) in [
        ("free", "2026-04-04T18:00:00", false),
        ("paid", "2026-04-11T18:00:00", true),
    ] {
        let moved = json!({"start": start});
        let moved = if fee {
            with(moved, json!({"acceptFee": true}))
        } else {
            moved
        };
        admin
            .done("bookingReschedule", BOOKING, about(&booking, key, moved))
            .await;
    }
    server.caught_up(&server.company).await;
    let query = "query($id: ID!) { booking(id: $id) { balanceDue { minor }
        ledger(first: 10) { nodes { kind amount { minor } balance { minor } } } } }";
    let shown = admin.data(query, json!({"id": booking["id"]})).await["booking"].take();
    assert_eq!(
        shown["ledger"]["nodes"],
        json!([
            {"kind": "CHARGE", "amount": {"minor": 85_118}, "balance": {"minor": 85_118}},
            {"kind": "CHARGE", "amount": {"minor": 5_000}, "balance": {"minor": 90_118}},
        ])
    );
    assert_eq!(shown["balanceDue"]["minor"], 90_118);
}
