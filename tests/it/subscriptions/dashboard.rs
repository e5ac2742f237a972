//! The dashboard, shown again when it has changed.

use projections::{Unwatched, projection};
use serde_json::{Value, json};
use tests::http::{Server, global_id, party};

use super::{Events, Socket, admin, chefs, server};

const SHOWN: &str = "total { requested confirmed guests booked { minor } leads { new } } openEscalations";

fn followed() -> String {
    format!(
        "subscription($station: ID) {{ dashboardChanged(stationId: $station, from: \"2026-03-01\", to: \"2026-03-31\") {{
            {SHOWN} }} }}"
    )
}

/// What the query answers now.
async fn asked(server: &Server, station: &Value) -> Value {
    server.caught_up(&server.company).await;
    let query = format!(
        "query($station: ID) {{ dashboard(stationId: $station, from: \"2026-03-01\", to: \"2026-03-31\") {{ {SHOWN} }} }}"
    );
    let admin = admin(server).await;
    admin.data(&query, json!({"station": station})).await["dashboard"].take()
}

/// What is shown next until it is this.
async fn shows(events: &mut Events, expected: &Value) {
    loop {
        let (answer, id) = events.answer().await;
        assert_eq!((&answer["errors"], id), (&Value::Null, None));
        if answer["data"]["dashboardChanged"] == *expected {
            return;
        }
    }
}

#[tokio::test]
async fn it_is_shown_at_once_and_whenever_it_has_changed() {
    let server = server().await;
    let admin = admin(&server).await;
    let station = json!(global_id("Station", server.company.san_jose));
    let elsewhere = json!(global_id("Station", server.company.sacramento));
    let mut all = Events::begun(&admin, &followed(), &json!({})).await;
    let mut here = Socket::of(&server, &admin).await;
    here.follow("here", &followed(), &json!({"station": station}))
        .await;
    here.follow("there", &followed(), &json!({"station": elsewhere}))
        .await;
    let nothing = asked(&server, &Value::Null).await;
    shows(&mut all, &nothing).await;
    for _ in 0..2 {
        let said = here.said().await;
        assert_eq!(said["payload"]["data"]["dashboardChanged"], nothing);
    }
    // What is none of it shows nothing new.
    chefs(&server, 0..2).await;
    admin
        .done("bookingRequest", "booking { id }", party("first"))
        .await;
    let one = asked(&server, &station).await;
    assert_eq!(one["total"]["requested"], 1);
    shows(&mut all, &one).await;
    assert_eq!(here.answer("here").await["data"]["dashboardChanged"], one);
    // Built anew, it shows the same and goes on.
    let list = projection("booking_list").expect("there is one");
    list.rebuild(&server.app.views, server.company.tenant, &Unwatched)
        .await
        .expect("it can be built");
    let refused = admin.refused("bookingRequest", party("late")).await;
    assert_eq!(refused, "SLOT_UNAVAILABLE");
    let lead = asked(&server, &station).await;
    assert_eq!(lead["total"]["leads"]["new"], 1);
    shows(&mut all, &lead).await;
    assert_eq!(here.answer("here").await["data"]["dashboardChanged"], lead);
    here.settled().await;
}
