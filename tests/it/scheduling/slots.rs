//! Stations, and which of their slots are free.

use domain::access::Role;
use serde_json::{Value, json};
use tests::http::{Client, Server, global_id, party, with};

use super::booked;

async fn slots(client: &Client, station: &Value, day: &str, guests: i32) -> Vec<Value> {
    let query = "query($id: ID!, $day: LocalDate!, $guests: Int!) {
        availability(stationId: $id, from: $day, to: $day, guests: $guests, zip: \"95112\") {
            available chefsFree reason start { local offset } } }";
    let variables = json!({"id": station, "day": day, "guests": guests});
    let data = client.data(query, variables).await;
    data["availability"].as_array().expect("a list").clone()
}

fn reasons(slots: &[Value]) -> Vec<(i64, Option<&str>)> {
    slots
        .iter()
        .map(|slot| {
            let reason = slot["reason"].as_str();
            assert_eq!(slot["available"], reason.is_none());
            (slot["chefsFree"].as_i64().expect("a count"), reason)
        })
        .collect()
}

#[tokio::test]
async fn a_slot_says_why_it_is_not_free_and_a_request_agrees() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let station = json!(global_id("Station", server.company.san_jose));
    booked(&admin, party("taken")).await;
    server.caught_up(&server.company).await;
    let day = slots(&admin, &station, "2026-03-14", 8).await;
    // The party takes its chef from before 17:00 until 20:30, which reaches into the slots beside it.
    let gone = (0, Some("SLOT_UNAVAILABLE"));
    assert_eq!(reasons(&day), [(1, None), gone, gone, gone]);
    assert_eq!(
        day[2]["start"],
        json!({"local": "2026-03-14T18:00:00", "offset": "-07:00"})
    );
    let reason = async |date: &str, guests| slots(&admin, &station, date, guests).await[0]["reason"].clone();
    assert_eq!(reason("2026-02-11", 8).await, "TOO_SOON");
    assert_eq!(reason("2027-03-14", 8).await, "TOO_FAR_AHEAD");
    assert_eq!(reason("2026-03-14", 26).await, "TOO_MANY_GUESTS");
    let change = json!({
        "idempotencyKey": "closed", "stationId": station, "reason": "a holiday",
        "settings": {"closedOn": ["2026-03-21"], "closedWeekdays": ["MON"]},
    });
    let changed = admin
        .done(
            "stationSettingsChange",
            "station { version settings { slots closedOn closedWeekdays eventMinutes } }",
            change.clone(),
        )
        .await;
    assert_eq!(
        changed["station"]["settings"],
        json!({
            "slots": ["12:00:00", "15:00:00", "18:00:00", "21:00:00"], "closedOn": ["2026-03-21"],
            "closedWeekdays": ["MON"], "eventMinutes": 120,
        })
    );
    let same = with(change, json!({"idempotencyKey": "same"}));
    assert_eq!(admin.refused("stationSettingsChange", same).await, "UNCHANGED");
    for day in ["2026-03-21", "2026-03-23"] {
        assert_eq!(reason(day, 8).await, "STATION_CLOSED");
        let start = json!({"start": format!("{day}T18:00:00")});
        let refused = admin.refused("bookingRequest", with(party(day), start)).await;
        assert_eq!(refused, "STATION_CLOSED");
    }
    let chefs = admin
        .data(
            "query($id: ID!) { chefs(first: 1, stationId: $id) { nodes { id } } }",
            json!({"id": station}),
        )
        .await;
    let off = json!({
        "idempotencyKey": "off", "chefId": chefs["chefs"]["nodes"][0]["id"], "from": "2026-03-28",
        "to": "2026-03-28",
    });
    admin.done("chefTimeOffAdd", "", off).await;
    assert_eq!(reason("2026-03-28", 8).await, "NO_CHEF");
    let start = json!({"start": "2026-03-28T18:00:00"});
    assert_eq!(
        admin
            .refused("bookingRequest", with(party("nobody"), start))
            .await,
        "NO_CHEF"
    );
    let odd = json!({"id": station});
    let query =
        "query($id: ID!) { availability(stationId: $id, from: \"2026-03-14\", to: \"2026-03-13\", guests: 8)
        { reason } }";
    let told = admin.graphql(query, odd).await;
    assert_eq!(told["errors"][0]["extensions"]["code"], "INVALID_RANGE");
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_station_without_daylight_saving_keeps_its_offset_and_one_with_it_does_not() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let create = |key: &str, zone: &str, zip: &str, state: &str| {
        json!({
            "idempotencyKey": key, "name": key, "zone": zone, "zip": zip, "state": state,
            "settings": {"slots": ["02:30", "23:30"], "horizonDays": 400},
        })
    };
    let station = async |key: &str, zone: &str, zip: &str, state: &str| {
        let created = admin
            .done(
                "stationCreate",
                "station { id chefCount zone }",
                create(key, zone, zip, state),
            )
            .await;
        let id = created["station"]["id"].clone();
        let chef = json!({"idempotencyKey": format!("{key} chef"), "name": "A", "stationIds": [id]});
        admin.done("chefRegister", "", chef).await;
        id
    };
    let phoenix = station("Phoenix", "America/Phoenix", "85004", "AZ").await;
    let reno = station("Reno", "America/Los_Angeles", "89501", "NV").await;
    let starts = async |station: &Value, day: &str| -> Vec<Value> {
        let slots = slots(&admin, station, day, 8).await;
        slots.into_iter().map(|slot| slot["start"].clone()).collect()
    };
    let at = |local: &str, offset: &str| json!({"local": local, "offset": offset});
    for day in ["2026-03-08", "2026-11-01"] {
        assert_eq!(
            starts(&phoenix, day).await,
            [
                at(&format!("{day}T02:30:00"), "-07:00"),
                at(&format!("{day}T23:30:00"), "-07:00")
            ]
        );
    }
    assert_eq!(
        starts(&reno, "2026-03-08").await,
        [
            at("2026-03-08T03:30:00", "-07:00"),
            at("2026-03-08T23:30:00", "-07:00")
        ]
    );
    assert_eq!(
        starts(&reno, "2026-11-01").await,
        [
            at("2026-11-01T02:30:00", "-08:00"),
            at("2026-11-01T23:30:00", "-08:00")
        ]
    );
    for (key, field, value, code) in [
        ("a", "zone", "Mars/Olympus", "INVALID_ZONE"),
        ("b", "zip", "1", "INVALID_ZIP"),
        ("c", "state", "C4", "INVALID_STATE"),
        ("d", "name", "", "INVALID_NAME"),
    ] {
        let odd = with(
            create(key, "America/Phoenix", "85004", "AZ"),
            json!({ field: value }),
        );
        assert_eq!(admin.refused("stationCreate", odd).await, code);
    }
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_start_that_the_clock_skips_says_by_how_much_it_moved() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let station = json!(global_id("Station", server.company.san_jose));
    let change = json!({
        "idempotencyKey": "nights", "stationId": station, "reason": "a night club",
        "settings": {"slots": ["02:30"]},
    });
    admin.done("stationSettingsChange", "", change).await;
    let query = "query($id: ID!, $day: LocalDate!) {
        availability(stationId: $id, from: $day, to: $day, guests: 8, zip: \"95112\") {
            start { local movedForwardMinutes } } }";
    for (day, local, moved) in [
        ("2026-03-08", "2026-03-08T03:30:00", 60),
        ("2026-03-09", "2026-03-09T02:30:00", 0),
        ("2026-11-01", "2026-11-01T02:30:00", 0),
    ] {
        let slots = admin.data(query, json!({"id": station, "day": day})).await;
        let start = json!({"local": local, "movedForwardMinutes": moved});
        assert_eq!(slots["availability"], json!([{"start": start}]), "{day}");
    }
    let shown = "booking { id start { local movedForwardMinutes } }";
    let night = with(party("night"), json!({"start": "2026-03-08T02:30:00"}));
    let booking = admin.done("bookingRequest", shown, night).await["booking"].take();
    assert_eq!(
        booking["start"],
        json!({"local": "2026-03-08T03:30:00", "movedForwardMinutes": 60})
    );
    let later = json!({
        "idempotencyKey": "later", "bookingId": booking["id"], "start": "2026-03-10T02:30:00",
    });
    let moved = admin.done("bookingReschedule", shown, later).await;
    assert_eq!(
        moved["booking"]["start"],
        json!({"local": "2026-03-10T02:30:00", "movedForwardMinutes": 0})
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_venue_out_of_reach_has_no_free_slot_and_a_request_agrees() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let query = "query($id: ID!) {
        availability(stationId: $id, from: \"2026-03-14\", to: \"2026-03-14\", guests: 16, zip: \"90001\") {
            available reason message } }";
    let station = json!({"id": global_id("Station", server.company.san_jose)});
    let far = admin.data(query, station.clone()).await["availability"].take();
    for slot in far.as_array().expect("a list") {
        assert_eq!(
            (&slot["available"], &slot["reason"]),
            (&json!(false), &json!("OUT_OF_AREA")),
            "{slot}"
        );
        assert!(
            slot["message"]
                .as_str()
                .is_some_and(|message| message.contains("miles"))
        );
    }
    let there = json!({
        "stationId": station["id"],
        "venue": {"street": "1 Main St", "city": "Los Angeles", "state": "CA", "zip": "90001"},
    });
    let refused = admin.refused("bookingRequest", with(party("far"), there)).await;
    assert_eq!(refused, "OUT_OF_AREA");
}
