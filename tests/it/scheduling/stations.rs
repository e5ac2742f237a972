//! Chefs who join stations and leave them.

use domain::access::{Role, StationScope};
use serde_json::{Value, json};
use tests::http::{Client, Server, global_id, party, with};
use uuid::Uuid;

use super::{BOOKING, about, booked, sacramento};

const SHOWN: &str = "chef { id active stations { name chefCount } }";

/// The first chef of Sacramento, which has three.
async fn chef_of_sacramento(server: &Server, client: &Client) -> Value {
    let station = global_id("Station", server.company.sacramento);
    let query = "query($id: ID!) { chefs(first: 1, stationId: $id) { nodes { id } } }";
    client.data(query, json!({"id": station})).await["chefs"]["nodes"][0]["id"].take()
}

fn at(key: &str, chef: &Value, station: &str) -> Value {
    json!({"idempotencyKey": key, "chefId": chef, "stationId": station})
}

async fn stations(client: &Client, chef: &Value) -> Value {
    let query = "query($id: ID!) { chef(id: $id) { stations { name chefCount } } }";
    let mut stations = client.data(query, json!({"id": chef})).await["chef"]["stations"].take();
    let listed = stations.as_array_mut().expect("a list");
    listed.sort_by_key(ToString::to_string);
    stations
}

#[tokio::test]
async fn a_chef_joins_another_station_and_leaves_one_once_no_party_has_the_chef() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let chef = chef_of_sacramento(&server, &admin).await;
    let [there, here] =
        [server.company.san_jose, server.company.sacramento].map(|station| global_id("Station", station));
    let joined = admin
        .done("chefStationJoin", SHOWN, at("join", &chef, &there))
        .await;
    assert_eq!(joined["chef"]["id"], chef);
    server.caught_up(&server.company).await;
    assert_eq!(
        stations(&admin, &chef).await,
        json!([{"name": "San Jose", "chefCount": 2}, {"name": "Sacramento", "chefCount": 3}])
    );
    let twice = at("twice", &chef, &there);
    assert_eq!(
        admin.refused("chefStationJoin", twice).await,
        "CHEF_ALREADY_AT_STATION"
    );
    // Two chefs of San Jose: two parties at once, and no third. The second has this one by name.
    booked(&admin, party("first")).await;
    let second = booked(&admin, party("second")).await;
    assert_eq!(
        admin.refused("bookingRequest", party("third")).await,
        "SLOT_UNAVAILABLE"
    );
    for (key, station) in [("has", &here), ("has too", &there)] {
        let leave = at(key, &chef, station);
        assert_eq!(admin.refused("chefStationLeave", leave).await, "CHEF_HAS_PARTIES");
    }
    let cancel = about(&second, "cancel", json!({"reason": "plans changed"}));
    admin.done("bookingCancel", "", cancel).await;
    let left = admin
        .done("chefStationLeave", SHOWN, at("leave", &chef, &here))
        .await;
    assert_eq!(left["chef"]["active"], true);
    let again = at("again", &chef, &here);
    assert_eq!(
        admin.refused("chefStationLeave", again).await,
        "CHEF_NOT_AT_STATION"
    );
    server.caught_up(&server.company).await;
    assert_eq!(
        stations(&admin, &chef).await,
        json!([{"name": "San Jose", "chefCount": 2}])
    );
    // Sacramento has two chefs left, and San Jose counts on two.
    for key in ["one", "two"] {
        booked(&admin, sacramento(&server, key, json!({}))).await;
    }
    let three = sacramento(&server, "three", json!({}));
    assert_eq!(admin.refused("bookingRequest", three).await, "SLOT_UNAVAILABLE");
    booked(&admin, party("fourth")).await;
    server.assert_rebuild_changes_nothing(&server.company).await;
    let held = replays::verify_claims(&server.app.log, server.company.tenant, &()).await;
    assert!(held.is_ok(), "{held:?}");
}

#[tokio::test]
async fn a_chef_whom_a_party_counts_on_joins_no_other_station() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let chef = chef_of_sacramento(&server, &admin).await;
    let there = global_id("Station", server.company.san_jose);
    for key in ["one", "two"] {
        booked(&admin, sacramento(&server, key, json!({}))).await;
    }
    let third = booked(&admin, sacramento(&server, "three", json!({}))).await;
    let join = |key: &str| at(key, &chef, &there);
    assert_eq!(
        admin.refused("chefStationJoin", join("counted")).await,
        "CHEF_COUNTED_ON"
    );
    let cancel = about(&third, "cancel", json!({"reason": "plans changed"}));
    admin.done("bookingCancel", BOOKING, cancel).await;
    // Two parties are left; where one of the other two chefs does not work then, they need this one.
    let query = "query($id: ID!) { chefs(first: 2, stationId: $id) { nodes { id } } }";
    let here = global_id("Station", server.company.sacramento);
    let chefs = admin.data(query, json!({"id": here})).await["chefs"]["nodes"].take();
    let off = |key: &str| json!({"idempotencyKey": key, "chefId": chefs[1]["id"], "from": "2026-03-14", "to": "2026-03-14"});
    admin.done("chefTimeOffAdd", "", off("off")).await;
    assert_eq!(
        admin.refused("chefStationJoin", join("needed")).await,
        "CHEF_COUNTED_ON"
    );
    admin.done("chefTimeOffCancel", "", off("back")).await;
    admin.done("chefStationJoin", SHOWN, join("spare")).await;
    let held = replays::verify_claims(&server.app.log, server.company.tenant, &()).await;
    assert!(held.is_ok(), "{held:?}");
}

#[tokio::test]
async fn only_chefs_and_stations_within_reach_join_each_other() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let chef = chef_of_sacramento(&server, &admin).await;
    let [there, here] =
        [server.company.san_jose, server.company.sacramento].map(|station| global_id("Station", station));
    let nobody = json!(global_id("Chef", Uuid::from_u128(7)));
    for command in ["chefStationJoin", "chefStationLeave"] {
        let input = at(&format!("nobody {command}"), &nobody, &here);
        assert_eq!(admin.refused(command, input).await, "NOT_FOUND");
        let input = at(
            &format!("nowhere {command}"),
            &chef,
            &global_id("Station", Uuid::from_u128(7)),
        );
        assert_eq!(admin.refused(command, input).await, "NOT_FOUND");
    }
    let scope = StationScope::Only(vec![server.company.sacramento]);
    let manager = server
        .sign_in_at(&server.company, Role::StationManager, scope)
        .await;
    let theirs = admin
        .data(
            "query($id: ID!) { chefs(first: 1, stationId: $id) { nodes { id } } }",
            json!({"id": there}),
        )
        .await["chefs"]["nodes"][0]["id"]
        .take();
    assert_eq!(
        manager.refused("chefStationJoin", at("out", &chef, &there)).await,
        "NOT_FOUND"
    );
    assert_eq!(
        manager.refused("chefStationJoin", at("in", &theirs, &here)).await,
        "NOT_FOUND"
    );
    let leave = with(at("leave", &chef, &here), json!({}));
    let left = manager.done("chefStationLeave", SHOWN, leave).await;
    assert_eq!(left["chef"], Value::Null, "out of the manager's reach by now");
}
