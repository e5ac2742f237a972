//! Chefs: when they work, who has them, and what they see.

use domain::access::Role;
use serde_json::{Value, json};
use tests::http::{Client, Server, global_id, party, with};

use super::{BOOKING, about, another_user, booked, sacramento};

const CHEF: &str = "chef { id name version active stations { name } skills capPerDay
    weeklyAvailability { day from until } dateExceptions { on hours { from until } }
    timeOff { from to reason } reassignments { number } }";

/// The chefs of Sacramento, in the order in which they joined.
async fn chefs(server: &Server, client: &Client) -> Vec<Value> {
    let station = global_id("Station", server.company.sacramento);
    let query = "query($id: ID!) { chefs(first: 10, stationId: $id) { nodes { id } } }";
    let data = client.data(query, json!({"id": station})).await;
    let nodes = data["chefs"]["nodes"].as_array().expect("a list");
    nodes.iter().map(|chef| chef["id"].clone()).collect()
}

fn of(chef: &Value, key: &str, fields: Value) -> Value {
    with(json!({"idempotencyKey": key, "chefId": chef}), fields)
}

#[tokio::test]
async fn a_chef_cooks_at_one_party_at_a_time_and_no_more_than_the_limit() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let chefs = chefs(&server, &admin).await;
    let at = |key: &str, start: &str| sacramento(&server, key, json!({"start": start}));
    let evening = booked(&admin, at("evening", "2026-03-14T18:00:00")).await;
    let rival = booked(&admin, at("rival", "2026-03-14T18:00:00")).await;
    let noon = booked(&admin, at("noon", "2026-03-14T12:00:00")).await;
    let sunday = booked(&admin, at("sunday", "2026-03-15T18:00:00")).await;
    let assign =
        |booking: &Value, key: &str, chef: usize| about(booking, key, json!({"chefId": chefs[chef]}));
    let done = admin
        .done("bookingChefAssign", BOOKING, assign(&evening, "one", 0))
        .await;
    assert_eq!(done["booking"]["chefs"], json!([{"id": chefs[0]}]));
    let refused = async |input: Value| admin.refused("bookingChefAssign", input).await;
    assert_eq!(refused(assign(&rival, "two", 0)).await, "CHEF_CONFLICT");
    assert_eq!(
        refused(assign(&evening, "three", 0)).await,
        "CHEF_ALREADY_ASSIGNED"
    );
    assert_eq!(refused(assign(&evening, "four", 1)).await, "ENOUGH_CHEFS");
    let stranger = json!({"chefId": global_id("Chef", "01930000-0000-7000-8000-000000000001")});
    assert_eq!(refused(about(&rival, "five", stranger)).await, "NOT_FOUND");
    admin
        .done(
            "chefCapsSet",
            CHEF,
            of(&chefs[0], "caps", json!({"perDay": 1, "perWeek": 2})),
        )
        .await;
    assert_eq!(refused(assign(&noon, "six", 0)).await, "CHEF_CAP_REACHED");
    admin
        .done("bookingChefAssign", BOOKING, assign(&sunday, "seven", 0))
        .await;
    // Taken off the evening, the chef is free for noon and within the limit.
    admin
        .done("bookingChefUnassign", BOOKING, assign(&evening, "eight", 0))
        .await;
    assert_eq!(
        admin
            .refused("bookingChefUnassign", assign(&evening, "nine", 0))
            .await,
        "CHEF_NOT_ASSIGNED"
    );
    admin
        .done("bookingChefAssign", BOOKING, assign(&noon, "ten", 0))
        .await;
    let mine = admin
        .data(
            "query($chef: ID!) { bookings(first: 10, filter: {chefId: $chef}) { nodes { number } } }",
            json!({"chef": chefs[0]}),
        )
        .await;
    assert_eq!(
        mine["bookings"]["nodes"],
        json!([{"number": noon["number"]}, {"number": sunday["number"]}])
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
    let held = replays::verify_claims(&server.app.log, server.company.tenant, &()).await;
    assert!(held.is_ok(), "{held:?}");
}

#[tokio::test]
async fn days_off_over_a_party_cancel_nothing_and_ask_for_another_chef() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let chefs = chefs(&server, &admin).await;
    let booking = booked(&admin, sacramento(&server, "party", json!({}))).await;
    let other = booked(&admin, sacramento(&server, "other", json!({}))).await;
    let assign =
        |booking: &Value, key: &str, chef: usize| about(booking, key, json!({"chefId": chefs[chef]}));
    admin
        .done("bookingChefAssign", BOOKING, assign(&booking, "one", 0))
        .await;
    let off = json!({"from": "2026-03-14", "to": "2026-03-15", "reason": "wedding"});
    let off = admin
        .done("chefTimeOffAdd", CHEF, of(&chefs[0], "off", off))
        .await;
    assert_eq!(
        off["chef"]["timeOff"],
        json!([{"from": "2026-03-14", "to": "2026-03-15", "reason": "wedding"}])
    );
    let needed = "query($id: ID!) { chef(id: $id) { reassignments { number } } }";
    let listed = async || {
        let data = admin.data(needed, json!({"id": chefs[0]})).await;
        data["chef"]["reassignments"].clone()
    };
    // A policy records it.
    super::tasks::reacted(&server).await;
    assert_eq!(listed().await, json!([{"number": booking["number"]}]));
    let status = admin
        .data(
            "query($id: ID!) { booking(id: $id) { status chefs { id } } }",
            json!({"id": booking["id"]}),
        )
        .await;
    assert_eq!(
        status["booking"],
        json!({"status": "REQUESTED", "chefs": [{"id": chefs[0]}]})
    );
    assert_eq!(
        admin.refused("bookingChefAssign", assign(&other, "two", 0)).await,
        "CHEF_UNAVAILABLE"
    );
    admin
        .done("bookingChefUnassign", BOOKING, assign(&booking, "three", 0))
        .await;
    admin
        .done("bookingChefAssign", BOOKING, assign(&booking, "four", 1))
        .await;
    server.caught_up(&server.company).await;
    assert_eq!(listed().await, json!([]));
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_chef_is_registered_with_stations_and_times() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let station = global_id("Station", server.company.san_jose);
    let register = json!({
        "idempotencyKey": "chef", "name": "Kenji", "stationIds": [station], "skills": ["teppanyaki"],
    });
    let chef = admin.done("chefRegister", CHEF, register).await["chef"].take();
    assert_eq!(
        (&chef["name"], &chef["active"], &chef["stations"], &chef["skills"]),
        (
            &json!("Kenji"),
            &json!(true),
            &json!([{"name": "San Jose"}]),
            &json!(["teppanyaki"])
        )
    );
    let id = &chef["id"];
    let week = json!({"weekly": [{"day": "SAT", "from": "12:00", "until": "02:00"}]});
    admin
        .done("chefAvailabilitySet", CHEF, of(id, "week", week))
        .await;
    let day = json!({"on": "2026-03-15", "hours": [{"from": "16:00", "until": "00:00"}]});
    let set = admin.done("chefDateExceptionSet", CHEF, of(id, "day", day)).await["chef"].take();
    assert_eq!(
        (&set["weeklyAvailability"], &set["dateExceptions"]),
        (
            &json!([{"day": "SAT", "from": "12:00:00", "until": "02:00:00"}]),
            &json!([{"on": "2026-03-15", "hours": [{"from": "16:00:00", "until": "00:00:00"}]}])
        )
    );
    let off = json!({"from": "2026-03-21", "to": "2026-03-21"});
    admin
        .done("chefTimeOffAdd", CHEF, of(id, "off", off.clone()))
        .await;
    assert_eq!(
        admin
            .refused("chefTimeOffAdd", of(id, "again", off.clone()))
            .await,
        "TIME_OFF_EXISTS"
    );
    admin
        .done("chefTimeOffCancel", CHEF, of(id, "back", off.clone()))
        .await;
    assert_eq!(
        admin.refused("chefTimeOffCancel", of(id, "twice", off)).await,
        "NO_SUCH_TIME_OFF"
    );
    let refused = [
        ("chefSkillsSet", json!({"skills": [""]}), "INVALID_SKILLS"),
        ("chefCapsSet", json!({"perDay": 0}), "INVALID_CAPS"),
        (
            "chefTimeOffAdd",
            json!({"from": "2026-03-15", "to": "2026-03-14"}),
            "INVALID_DAYS",
        ),
    ];
    for (command, fields, code) in refused {
        assert_eq!(admin.refused(command, of(id, command, fields)).await, code);
    }
    let nameless = json!({"idempotencyKey": "no name", "name": " ", "stationIds": [station]});
    assert_eq!(admin.refused("chefRegister", nameless).await, "INVALID_NAME");
    // Two chefs, one of whom is off: one party fits.
    booked(&admin, party("first")).await;
    booked(&admin, party("second")).await;
    assert_eq!(
        admin.refused("bookingRequest", party("third")).await,
        "SLOT_UNAVAILABLE"
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
}

/// Somebody who has a chef's role, signed in, and the chef that they are.
async fn chef_user(server: &Server, admin: &Client) -> (Client, Value) {
    let email = "kenji@our-hibachi.test";
    let user = another_user(server, &server.company, email, Role::Chef).await;
    server.set_password(&server.company, user).await;
    let register = json!({
        "idempotencyKey": "kenji", "name": "Kenji", "userId": global_id("User", user),
        "stationIds": [global_id("Station", server.company.sacramento)],
    });
    let chef = admin.done("chefRegister", CHEF, register.clone()).await["chef"]["id"].take();
    let taken = with(register, json!({"idempotencyKey": "again"}));
    assert_eq!(admin.refused("chefRegister", taken).await, "USER_TAKEN");
    let signed_in = server.nobody().sign_in_as(&server.company, email).await;
    (signed_in, chef)
}

#[tokio::test]
async fn a_chef_sees_and_sets_the_own_schedule_and_no_money() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let (kenji, chef) = chef_user(&server, &admin).await;
    let mut others = chefs(&server, &admin).await;
    others.retain(|other| *other != chef);
    let booking = booked(&admin, sacramento(&server, "party", json!({}))).await;
    let assign = about(&booking, "assign", json!({"chefId": chef}));
    admin.done("bookingChefAssign", BOOKING, assign).await;
    server.caught_up(&server.company).await;
    let own = "{ chefs(first: 10) { totalCount { value } nodes { name
        schedule(from: \"2026-03-01T00:00:00Z\", to: \"2026-04-01T00:00:00Z\") {
            number start { local } guests { total } venue { street } } } } }";
    let seen = kenji.data(own, json!({})).await;
    assert_eq!(
        seen["chefs"],
        json!({"totalCount": {"value": 1}, "nodes": [{"name": "Kenji", "schedule": [{
            "number": booking["number"], "start": {"local": "2026-03-14T18:00:00"},
            "guests": {"total": 16}, "venue": {"street": "1 Main St"},
        }]}]})
    );
    let another = "query($id: ID!) { chef(id: $id) { name } }";
    assert!(kenji.data(another, json!({"id": others[0]})).await["chef"].is_null());
    let off = json!({"from": "2026-03-20", "to": "2026-03-21"});
    kenji
        .done("chefTimeOffAdd", CHEF, of(&chef, "off", off.clone()))
        .await;
    assert_eq!(
        kenji
            .refused("chefTimeOffAdd", of(&others[0], "others", off))
            .await,
        "NOT_FOUND"
    );
    let money = kenji
        .graphql("{ bookings(first: 1) { nodes { id } } }", json!({}))
        .await;
    assert_eq!(money["errors"][0]["extensions"]["code"], "FORBIDDEN");
}
