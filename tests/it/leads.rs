//! Leads: kept when a request fails or is abandoned, called back, won by a booking, and forgotten in time; and what
//! customers agree to be written by.

mod consent;
mod window;
mod won;

use std::time::Duration;

use domain::access::{Role, StationScope};
use serde_json::{Value, json};
use tests::http::{Client, PARTY, Server, global_id, party, with};

/// Lets the policies do what is due by the clock. Another worker may be at it: it is waited for.
async fn react(server: &Server) {
    for _ in 0..3 {
        let reacted = server.app.commands.react(server.company.tenant).await;
        reacted.expect("the policies go on");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    server.caught_up(&server.company).await;
}

/// Takes the only place there is in San Jose, so that others ask in vain.
async fn full() -> (Server, Client) {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    admin.done("bookingRequest", "", party("first")).await;
    (server, admin)
}

/// Asks in vain, and is kept.
async fn in_vain(admin: &Client, key: &str, customer: Value) {
    let asked = with(
        party(key),
        json!({"customer": customer, "source": format!("source of {key}")}),
    );
    assert_eq!(admin.refused("bookingRequest", asked).await, "SLOT_UNAVAILABLE");
}

const LEAD: &str =
    "id version status failure source zip guests wantedStart name email phone contacts contactedAt note
    followUpAt reason closedAt purgedAt booking { id } station { name }";

/// The lead that came from a request's source.
async fn lead(server: &Server, admin: &Client, key: &str) -> Value {
    server.caught_up(&server.company).await;
    let query = format!("{{ leads(first: 100) {{ nodes {{ {LEAD} }} }} }}");
    let leads = admin.data(&query, json!({})).await["leads"]["nodes"].take();
    let of = format!("source of {key}");
    let found = leads
        .as_array()
        .expect("a list")
        .iter()
        .find(|lead| lead["source"] == of.as_str());
    found.cloned().unwrap_or(Value::Null)
}

fn update(key: &str, lead: &Value, more: Value) -> Value {
    with(json!({"idempotencyKey": key, "leadId": lead["id"]}), more)
}

#[tokio::test]
async fn a_lead_is_called_put_off_given_up_and_won_after_all() {
    let (server, admin) = full().await;
    in_vain(
        &admin,
        "ana",
        json!({"name": "Ana", "email": "ana@example.com", "phone": "(408) 555-0100"}),
    )
    .await;
    let ana = lead(&server, &admin, "ana").await;
    assert_eq!(
        (
            &ana["status"],
            &ana["version"],
            &ana["station"]["name"],
            &ana["guests"]
        ),
        (&json!("NEW"), &json!(1), &json!("San Jose"), &json!(16))
    );
    let object = format!("lead {{ {LEAD} }}");
    let said = "wants the 15th as well; gate 4471";
    let due = "2026-03-01T18:00:00Z";
    let called = update(
        "called",
        &ana,
        json!({"status": "CONTACTED", "note": said, "followUpAt": due, "expectedVersion": 1}),
    );
    let called = admin.done("leadUpdate", &object, called).await["lead"].take();
    assert_eq!(
        (
            &called["status"],
            &called["note"],
            &called["followUpAt"],
            &called["contacts"]
        ),
        (
            &json!("CONTACTED"),
            &json!(said),
            &json!("2026-03-01T18:00:00+00:00"),
            &json!(1)
        )
    );
    assert_eq!(called["version"], 3, "a call and a time are two facts");
    let stale = update(
        "stale",
        &ana,
        json!({"status": "LOST", "reason": "too dear", "expectedVersion": 1}),
    );
    assert_eq!(admin.refused("leadUpdate", stale).await, "VERSION_CONFLICT");

    let before = |instant: &str| {
        format!(
            "{{ leads(first: 10, followUpBefore: \"{instant}\") {{ nodes {{ id }} totalCount {{ value }} }} }}"
        )
    };
    let due_later = admin.data(&before(due), json!({})).await;
    assert_eq!(due_later["leads"]["nodes"], json!([]), "before is before");
    let due_then = admin.data(&before("2026-03-01T18:00:01Z"), json!({})).await;
    assert_eq!(due_then["leads"]["nodes"], json!([{"id": ana["id"]}]));

    for (refused, code) in [
        (json!({"status": "NEW"}), "INVALID_STATUS"),
        (json!({"status": "WON", "note": "x"}), "INVALID_NOTE"),
        (json!({"status": "CONTACTED", "note": " "}), "INVALID_NOTE"),
        (json!({"status": "LOST"}), "INVALID_REASON"),
        (
            json!({"status": "CONTACTED", "reason": "as it is"}),
            "INVALID_REASON",
        ),
        (json!({"followUpAt": "2020-01-01T00:00:00Z"}), "INVALID_DUE_AT"),
        (json!({"followUpAt": due, "followUpDone": true}), "INVALID_DUE_AT"),
        (json!({"followUpAt": due}), "UNCHANGED"),
        (json!({}), "UNCHANGED"),
        (
            json!({"status": "WON", "bookingId": global_id("Booking", "01930000-0000-7000-8000-000000000001")}),
            "NOT_FOUND",
        ),
    ] {
        let refused = update(&refused.to_string(), &ana, refused);
        assert_eq!(
            admin.refused("leadUpdate", refused.clone()).await,
            code,
            "{refused}"
        );
    }
    let done = update("done", &ana, json!({"status": "CONTACTED", "followUpDone": true}));
    let done = admin.done("leadUpdate", &object, done).await["lead"].take();
    assert_eq!(
        (&done["followUpAt"], &done["contacts"], &done["note"]),
        (&Value::Null, &json!(2), &json!(said))
    );
    let again = update("again", &ana, json!({"followUpDone": true}));
    assert_eq!(admin.refused("leadUpdate", again).await, "NO_FOLLOW_UP");
    let lost = update(
        "lost",
        &ana,
        json!({"status": "LOST", "reason": "chose another caterer"}),
    );
    let lost = admin.done("leadUpdate", &object, lost).await["lead"].take();
    assert_eq!(
        (&lost["status"], &lost["reason"]),
        (&json!("LOST"), &json!("chose another caterer"))
    );
    let late = update("late", &ana, json!({"status": "CONTACTED"}));
    assert_eq!(admin.refused("leadUpdate", late).await, "WRONG_STATE");
    let won = update("won", &ana, json!({"status": "WON"}));
    let won = admin.done("leadUpdate", &object, won.clone()).await["lead"].take();
    assert_eq!((&won["status"], &won["reason"]), (&json!("WON"), &Value::Null));
    told_in_the_trail(&server, &admin, said).await;
    server.assert_rebuild_changes_nothing(&server.company).await;
}

/// The audit trail tells the story, without what was said.
async fn told_in_the_trail(server: &Server, admin: &Client, said: &str) {
    server.caught_up(&server.company).await;
    let query = "{ auditLog(first: 100, filter: {entityType: \"lead\"}) { nodes { type summary reason } } }";
    let trail = admin.data(query, json!({})).await["auditLog"]["nodes"].take();
    let types: Vec<&str> = trail
        .as_array()
        .expect("entries")
        .iter()
        .rev()
        .filter_map(|entry| entry["type"].as_str())
        .collect();
    assert_eq!(
        types,
        [
            "lead.captured",
            "lead.contacted",
            "lead.follow_up_set",
            "lead.contacted",
            "lead.follow_up_done",
            "lead.lost",
            "lead.won"
        ]
    );
    let text = trail.to_string();
    assert!(text.contains("chose another caterer"), "{text}");
    assert!(!text.contains(said) && !text.contains("Ana"), "{text}");
}

/// Somebody who looked at a quote.
fn looked(key: &str, more: Value) -> Value {
    let looked = json!({
        "idempotencyKey": key, "customer": {"name": "Ben", "email": "ben@example.com"}, "zip": "95112", "start": PARTY,
        "guests": {"adults": 12, "children": 4}, "abandoned": "QUOTE", "source": "source of ben",
        "consentTextVersion": "2026-01",
    });
    with(looked, more)
}

#[tokio::test]
async fn whoever_leaves_a_quote_is_kept_only_with_consent() {
    let server = Server::start().await;
    let support = server.sign_in(Role::CustomerSupport).await;
    let before = server.written(&server.company).await;
    for (about, code) in [
        (json!({"consentTextVersion": null}), "CONSENT_REQUIRED"),
        (json!({"consentTextVersion": " "}), "INVALID_TEXT_VERSION"),
        (json!({"source": "s".repeat(201)}), "INVALID_SOURCE"),
        (json!({"zip": "9511"}), "INVALID_ZIP"),
        (json!({"zip": "00000"}), "UNKNOWN_ZIP"),
        (json!({"guests": {"adults": 0}}), "GUESTS_REQUIRED"),
        (json!({"customer": {"name": "Ben"}}), "CONTACT_REQUIRED"),
        (
            json!({"stationId": global_id("Station", "01930000-0000-7000-8000-000000000001")}),
            "NOT_FOUND",
        ),
    ] {
        let refused = looked("refused", about);
        assert_eq!(
            support.refused("leadCapture", refused.clone()).await,
            code,
            "{refused}"
        );
    }
    assert_eq!(server.written(&server.company).await, before, "nobody is kept");
    let kept = support
        .done(
            "leadCapture",
            "lead { id failure status email }",
            looked("kept", json!({})),
        )
        .await;
    let again = support
        .done("leadCapture", "lead { id }", looked("kept", json!({})))
        .await;
    assert_eq!(
        (&again["lead"]["id"], &again["replayed"]),
        (&kept["lead"]["id"], &json!(true))
    );
    assert_eq!(kept["lead"]["failure"], "QUOTE_ABANDONED");
    let slots = looked("slots", json!({"abandoned": "AVAILABILITY", "source": null}));
    support.done("leadCapture", "", slots).await;
    let node = "query($id: ID!) { node(id: $id) { id ... on Lead { failure } } }";
    let node = support.data(node, json!({"id": kept["lead"]["id"]})).await;
    assert_eq!(node["node"]["failure"], "QUOTE_ABANDONED");

    let gone = update(
        "gone",
        &kept["lead"],
        json!({"status": "LOST", "reason": "does not answer"}),
    );
    support.done("leadUpdate", "", gone).await;
    server.caught_up(&server.company).await;
    let today = server.now().date_naive();
    let stats = format!(
        "{{ leadStats(from: \"{today}\", to: \"{today}\") {{ total {{ total new contacted won lost }}
            sources {{ source counts {{ total lost }} }} failures {{ failure counts {{ total new }} }} }}
           dashboard(from: \"2026-03-14\", to: \"2026-03-15\") {{ total {{ leads {{ total new lost }} }}
            buckets {{ leads {{ total }} }} }} }}"
    );
    let stats = support.data(&stats, json!({})).await;
    assert_eq!(
        stats["leadStats"],
        json!({
            "total": {"total": 2, "new": 1, "contacted": 0, "won": 0, "lost": 1},
            "sources": [
                {"source": null, "counts": {"total": 1, "lost": 0}},
                {"source": "source of ben", "counts": {"total": 1, "lost": 1}},
            ],
            "failures": [
                {"failure": "AVAILABILITY_ABANDONED", "counts": {"total": 1, "new": 1}},
                {"failure": "QUOTE_ABANDONED", "counts": {"total": 1, "new": 0}},
            ],
        })
    );
    assert_eq!(
        stats["dashboard"],
        json!({
            "total": {"leads": {"total": 2, "new": 1, "lost": 1}},
            "buckets": [{"leads": {"total": 2}}, {"leads": {"total": 0}}],
        })
    );
    let manager = server.sign_in(Role::StationManager).await;
    let hidden = "{ dashboard(from: \"2026-03-14\", to: \"2026-03-15\") { total { leads { total } } } }";
    let hidden = manager.data(hidden, json!({})).await;
    assert_eq!(hidden["dashboard"]["total"]["leads"], Value::Null);
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_lead_of_another_station_is_nobodys_who_is_kept_to_theirs() {
    let (server, admin) = full().await;
    in_vain(&admin, "ana", json!({"name": "Ana", "email": "ana@example.com"})).await;
    let ana = lead(&server, &admin, "ana").await;
    let there = StationScope::Only(vec![server.company.sacramento]);
    let other = server
        .sign_in_at(&server.company, Role::CustomerSupport, there)
        .await;
    assert_eq!(lead(&server, &other, "ana").await, Value::Null);
    let called = update("called", &ana, json!({"status": "CONTACTED"}));
    assert_eq!(other.refused("leadUpdate", called).await, "NOT_FOUND");
    let looked = looked(
        "here",
        json!({"stationId": global_id("Station", server.company.san_jose)}),
    );
    assert_eq!(other.refused("leadCapture", looked).await, "NOT_FOUND");
}
