//! What somebody who is kept to a station sees of a chef who works at two.

use std::collections::BTreeSet;

use domain::access::{Role, StationScope};
use serde_json::{Value, json};
use tests::http::{Client, Server, global_id, party};

use super::tasks::reacted;
use super::{BOOKING, about, booked, sacramento};

/// A chef of both stations, who is to cook at a party of each: San Jose's on Saturday, Sacramento's on Sunday.
async fn shared(server: &Server, admin: &Client) -> (Value, Value, Value) {
    let stations = [server.company.san_jose, server.company.sacramento];
    let stations = stations.map(|station| global_id("Station", station));
    let register = json!({"idempotencyKey": "shared", "name": "Kenji", "stationIds": stations});
    let chef = admin.done("chefRegister", "chef { id }", register).await["chef"]["id"].take();
    let theirs = booked(admin, party("theirs")).await;
    let sunday = json!({"start": "2026-03-15T18:00:00"});
    let ours = booked(admin, sacramento(server, "ours", sunday)).await;
    for booking in [&theirs, &ours] {
        let key = booking["number"].as_str().expect("a number");
        let assign = about(booking, key, json!({"chefId": chef}));
        admin.done("bookingChefAssign", BOOKING, assign).await;
    }
    server.caught_up(&server.company).await;
    (chef, theirs, ours)
}

async fn manager(server: &Server) -> Client {
    let scope = StationScope::Only(vec![server.company.sacramento]);
    server
        .sign_in_at(&server.company, Role::StationManager, scope)
        .await
}

const SEEN: &str = "query($id: ID!) { chef(id: $id) { reassignments { number }
    schedule(from: \"2026-03-01T00:00:00Z\", to: \"2026-04-01T00:00:00Z\") { number venue { street city } note } } }";

#[tokio::test]
async fn of_a_shared_chef_a_manager_sees_the_parties_of_the_own_station_alone() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let (chef, theirs, ours) = shared(&server, &admin).await;
    let manager = manager(&server).await;
    let days = json!({
        "idempotencyKey": "off", "chefId": chef, "from": "2026-03-14", "to": "2026-03-15",
    });
    admin.done("chefTimeOffAdd", "", days).await;
    reacted(&server).await;
    let seen = manager.data(SEEN, json!({"id": chef})).await;
    assert_eq!(
        seen["chef"],
        json!({
            "reassignments": [{"number": ours["number"]}],
            "schedule": [{
                "number": ours["number"], "venue": {"street": "1 Main St", "city": "Sacramento"}, "note": null,
            }],
        })
    );
    let all = admin.data(SEEN, json!({"id": chef})).await["chef"].take();
    // In no order.
    let listed = all["reassignments"].as_array().expect("a list");
    let numbers = listed.iter().map(|reassignment| &reassignment["number"]);
    let numbers: BTreeSet<_> = numbers.filter_map(Value::as_str).collect();
    let both = [&theirs, &ours].map(|booking| booking["number"].as_str().expect("a number"));
    assert_eq!((listed.len(), numbers), (2, BTreeSet::from(both)));
    assert_eq!(all["schedule"].as_array().map(Vec::len), Some(2));
    server.assert_rebuild_changes_nothing(&server.company).await;
}

async fn calendar(client: &Client, chef: &Value, key: &str) -> String {
    let issue = json!({"idempotencyKey": key, "chefId": chef});
    let path = client.done("calendarIssue", "path", issue).await["path"].take();
    let path = path.as_str().expect("it is shown once");
    let answer = client.get(path).send().await.expect("the program answers");
    answer.text().await.expect("the answer is text")
}

#[tokio::test]
async fn a_calendar_shows_no_party_that_whoever_gave_it_out_does_not_see() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let (chef, theirs, ours) = shared(&server, &admin).await;
    let manager = manager(&server).await;
    let has = |text: &str, booking: &Value| text.contains(booking["number"].as_str().expect("a number"));
    let text = calendar(&manager, &chef, "manager").await;
    assert!(has(&text, &ours) && !has(&text, &theirs), "{text}");
    let text = calendar(&admin, &chef, "admin").await;
    assert!(has(&text, &ours) && has(&text, &theirs), "{text}");
}

#[tokio::test]
async fn notes_and_accepted_terms_are_on_the_trail_of_their_station() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let theirs = booked(&admin, party("theirs")).await;
    let ours = booked(&admin, sacramento(&server, "ours", json!({}))).await;
    for (booking, key) in [(&theirs, "theirs"), (&ours, "ours")] {
        let note = about(booking, &format!("{key} note"), json!({"note": "gate code 1234"}));
        admin.done("bookingNoteAdd", "", note).await;
        let terms = about(
            booking,
            &format!("{key} terms"),
            json!({"termsVersion": "2026-01"}),
        );
        admin.done("bookingTermsAccept", "", terms).await;
    }
    server.caught_up(&server.company).await;
    let scope = StationScope::Only(vec![server.company.sacramento]);
    let auditor = server.sign_in_at(&server.company, Role::Auditor, scope).await;
    let trail = "query($id: ID!) { auditLog(first: 10, filter: {entityId: $id}) { nodes { type } } }";
    let types = async |booking: &Value| {
        let told = auditor.data(trail, json!({"id": booking["id"]})).await;
        told["auditLog"]["nodes"].clone()
    };
    assert_eq!(
        types(&ours).await,
        json!([
            {"type": "booking.terms_accepted"}, {"type": "booking.note_added"}, {"type": "booking.requested"},
        ])
    );
    assert_eq!(types(&theirs).await, json!([]));
}
