//! Calendars under a secret address, read by another program's parser.

use domain::access::Role;
use icalendar::{Calendar, CalendarComponent, Component};
use serde_json::{Value, json};
use tests::http::{Client, Server, global_id};

use crate::scheduling::{about, booked, sacramento};

async fn fetch(client: &Client, path: &str) -> (u16, String, String) {
    let answer = client.get(path).send().await.expect("the program answers");
    let kind = answer.headers().get("content-type").cloned();
    let kind = kind.and_then(|kind| kind.to_str().map(str::to_owned).ok());
    let status = answer.status().as_u16();
    let text = answer.text().await.expect("the answer is text");
    (status, kind.unwrap_or_default(), text)
}

fn events(text: &str) -> Vec<(String, String, String)> {
    assert!(text.lines().all(|line| line.len() <= 75), "{text}");
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
    let calendar: Calendar = text.parse().expect("it is a calendar");
    let event = |component: &CalendarComponent| {
        let CalendarComponent::Event(event) = component else {
            return None;
        };
        Some((
            event.get_summary()?.to_owned(),
            event.property_value("DTSTART")?.to_owned(),
            event.property_value("STATUS")?.to_owned(),
        ))
    };
    calendar.components.iter().filter_map(event).collect()
}

async fn issued(client: &Client, key: &str, whose: &Value) -> String {
    let mut input = whose.clone();
    input["idempotencyKey"] = json!(key);
    let done = client.done("calendarIssue", "path", input).await;
    done["path"].as_str().expect("it is shown once").to_owned()
}

#[tokio::test]
async fn a_calendar_is_read_under_its_secret_address_until_that_is_taken_back() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let station = json!({"stationId": global_id("Station", server.company.sacramento)});
    let query = "query($id: ID!) { chefs(first: 1, stationId: $id) { nodes { id } } }";
    let chef = admin.data(query, json!({"id": station["stationId"]})).await["chefs"]["nodes"][0]["id"].take();
    let mine = booked(&admin, sacramento(&server, "mine", json!({}))).await;
    let others = booked(&admin, sacramento(&server, "others", json!({}))).await;
    let assign = about(&mine, "assign", json!({"chefId": chef}));
    admin.done("bookingChefAssign", "", assign).await;
    server.caught_up(&server.company).await;

    let chef = json!({"chefId": chef});
    let own = issued(&admin, "own", &chef).await;
    let all = issued(&admin, "all", &station).await;
    let nobody = server.nobody();
    let (status, kind, text) = fetch(&nobody, &own).await;
    assert_eq!((status, kind.as_str()), (200, "text/calendar; charset=utf-8"));
    let summary = format!("18:00 Hibachi for 16, {}", mine["number"].as_str().unwrap());
    assert_eq!(
        events(&text),
        [(summary, "20260315T000000Z".to_owned(), "TENTATIVE".to_owned())]
    );
    assert!(
        !text.contains("Main St") && !text.contains("Guest"),
        "nothing personal"
    );
    // Nobody is asked to answer it (RFC 5546): what has a method has an organizer.
    assert!(!text.contains("METHOD"), "{text}");
    let (_, _, text) = fetch(&nobody, &all).await;
    assert_eq!(events(&text).len(), 2);
    // What is called off is on no calendar any more.
    let cancel = about(&others, "cancel", json!({"reason": "plans changed"}));
    admin.done("bookingCancel", "", cancel).await;
    server.caught_up(&server.company).await;
    let (_, _, text) = fetch(&nobody, &all).await;
    assert_eq!(events(&text).len(), 1);

    // A repeat has the first's result, and shows no address.
    let again = json!({"idempotencyKey": "own", "chefId": chef["chefId"]});
    let repeated = admin.done("calendarIssue", "path", again).await;
    assert_eq!(
        (&repeated["path"], &repeated["replayed"]),
        (&Value::Null, &json!(true))
    );
    // Another address takes the place of the one before; taken back, none is left.
    let newer = issued(&admin, "newer", &chef).await;
    assert_eq!(fetch(&nobody, &own).await.0, 404);
    assert_eq!(fetch(&nobody, &newer).await.0, 200);
    let revoke = |key: &str| json!({"idempotencyKey": key, "chefId": chef["chefId"]});
    admin.done("calendarRevoke", "path", revoke("back")).await;
    assert_eq!(fetch(&nobody, &newer).await.0, 404);
    assert_eq!(
        admin.refused("calendarRevoke", revoke("twice")).await,
        "NO_CALENDAR"
    );
    for odd in [
        "/calendar/nothing.ics",
        "/calendar/.ics",
        "/calendar/x",
        &all[..all.len() - 4],
    ] {
        assert_eq!(fetch(&nobody, odd).await.0, 404, "{odd}");
    }
    let log = server.app.log.read(
        server.company.tenant,
        domain::envelope::Position::START,
        1_000,
        None,
    );
    let token = all.trim_start_matches("/calendar/").trim_end_matches(".ics");
    assert!(
        log.await
            .unwrap()
            .iter()
            .all(|event| !event.payload.contains(token))
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
}
