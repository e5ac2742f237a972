//! Stations, chefs and changes of bookings, as clients ask for them.

use commands::{Caller, IdempotencyKey};
use domain::access::{Role, StationScope};
use domain::decider::Decider;
use domain::ids::UserId;
use domain::user::User;
use serde_json::{Value, json};
use tests::http::{Client, Company, PARTY, Server, global_id, party, with};

mod chefs;
mod days;
mod deletion;
mod promises;
mod reach;
mod slots;
mod stations;
mod tasks;

const BOOKING: &str = "booking { id number status version depositDueAt chefsNeeded
    start { local utc offset } guests { total } venue { city zip } total { minor } balanceDue { minor }
    lines { item quantity total { minor } } chefs { id } notes { text } termsVersion }";

pub(crate) async fn booked(client: &Client, input: Value) -> Value {
    client.done("bookingRequest", BOOKING, input).await["booking"].take()
}

/// An input about a booking, under a key of its own.
pub(crate) fn about(booking: &Value, key: &str, fields: Value) -> Value {
    with(json!({"idempotencyKey": key, "bookingId": booking["id"]}), fields)
}

pub(crate) fn sacramento(server: &Server, key: &str, fields: Value) -> Value {
    let there = json!({
        "stationId": global_id("Station", server.company.sacramento),
        "venue": {"street": "1 Main St", "city": "Sacramento", "state": "CA", "zip": "95814"},
    });
    with(with(party(key), there), fields)
}

/// The booking once a position is read, and once what policies do about it is done.
pub(crate) async fn as_of(client: &Client, booking: &Value, at_least: i64) -> Value {
    let query = format!(
        "query($id: ID!, $at: LogPosition!) {{ {} }}",
        BOOKING.replacen(
            "booking",
            "booking(id: $id, fresh: {atLeast: $at, waitMs: 10000})",
            1
        )
    );
    client
        .data(&query, json!({"id": booking["id"], "at": at_least}))
        .await["booking"]
        .take()
}

#[tokio::test]
async fn a_party_that_is_moved_has_the_new_place_and_nobody_has_the_old_one() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let booking = booked(&admin, party("moving")).await;
    let later = json!({"start": "2026-04-04T18:00:00"});
    let moved = admin
        .done(
            "bookingReschedule",
            BOOKING,
            about(&booking, "move", later.clone()),
        )
        .await["booking"]
        .take();
    server.caught_up(&server.company).await;
    for same in [
        "id",
        "number",
        "status",
        "depositDueAt",
        "total",
        "guests",
        "venue",
    ] {
        assert_eq!(moved[same], booking[same], "{same}");
    }
    assert_eq!(
        moved["start"],
        json!({"local": "2026-04-04T18:00:00", "utc": "2026-04-05T01:00:00+00:00", "offset": "-07:00"})
    );
    let trail = admin
        .data(
            "query($id: ID!) { booking(id: $id) { audit(first: 1) { nodes { type summary
                changes { path before after } } } } }",
            json!({"id": booking["id"]}),
        )
        .await;
    let entry = &trail["booking"]["audit"]["nodes"][0];
    assert_eq!(
        (&entry["type"], &entry["changes"][0]),
        (
            &json!("booking.rescheduled"),
            &json!({"path": "start", "before": "2026-03-15T01:00:00Z", "after": "2026-04-05T01:00:00Z"})
        )
    );
    assert_eq!(
        entry["summary"],
        "Booking moved from 2026-03-14 18:00 to 2026-04-04 18:00 at San Jose 95112, total 851.18"
    );
    // The old place is free, the new one is not.
    let next = booked(&admin, party("next")).await;
    assert_eq!(
        admin
            .refused("bookingRequest", with(party("third"), later.clone()))
            .await,
        "SLOT_UNAVAILABLE"
    );
    // A move to where somebody is leaves everything as it was.
    let back = json!({"start": PARTY, "acceptFee": true});
    assert_eq!(
        admin
            .refused("bookingReschedule", about(&moved, "back", back))
            .await,
        "SLOT_UNAVAILABLE"
    );
    let onto = about(&next, "onto", with(later, json!({"acceptFee": true})));
    assert_eq!(admin.refused("bookingReschedule", onto).await, "SLOT_UNAVAILABLE");
    // The second move costs something, and says so first.
    let again = json!({"start": "2026-04-04T12:00:00"});
    assert_eq!(
        admin
            .refused("bookingReschedule", about(&moved, "again", again.clone()))
            .await,
        "FEE_REQUIRED"
    );
    let agreed = with(again, json!({"acceptFee": true}));
    let twice = admin
        .done("bookingReschedule", BOOKING, about(&moved, "again", agreed))
        .await;
    assert_eq!(twice["booking"]["total"]["minor"], 85_118 + 5_000);
    server.assert_rebuild_changes_nothing(&server.company).await;
    let held = replays::verify_claims(&server.app.log, server.company.tenant, &()).await;
    assert!(held.is_ok(), "{held:?}");
}

#[tokio::test]
async fn a_move_to_another_quarter_and_county_is_taxed_as_of_there_and_then() {
    let server = Server::start().await;
    let mut admin = server.sign_in(Role::Admin).await;
    let booking = booked(&admin, party("moving")).await;
    let money = json!({"kind": "DEPOSIT", "method": "CASH", "amountMinor": 10_000});
    let recorded = admin
        .done("paymentRecord", "payment { id }", about(&booking, "money", money))
        .await;
    let verify = json!({
        "idempotencyKey": "verify", "paymentId": recorded["payment"]["id"], "accept": true,
    });
    let verified = admin.done("paymentVerify", "", verify).await["position"]
        .as_i64()
        .unwrap();
    let confirmed = as_of(&admin, &booking, verified + 1).await;
    assert_eq!(confirmed["status"], "CONFIRMED");
    let later = json!({"start": "2026-04-04T18:00:00"});
    admin
        .done("bookingReschedule", BOOKING, about(&booking, "move", later))
        .await;
    server.set_clock("2026-04-05T01:00:00Z");
    admin.sign_in_again().await;
    let held = admin
        .done(
            "bookingComplete",
            "booking { status tax { rate date } }",
            about(&booking, "held", json!({})),
        )
        .await;
    assert_eq!(
        held["booking"],
        json!({"status": "COMPLETED", "tax": {"rate": "0.0975", "date": "2026-04-04"}})
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_deposit_is_due_when_it_was_after_a_move_and_later_only_when_that_was_agreed() {
    let server = Server::start().await;
    let mut admin = server.sign_in(Role::Admin).await;
    let moved = booked(&admin, party("moved")).await;
    let later = json!({"start": "2026-03-21T18:00:00"});
    admin
        .done("bookingReschedule", BOOKING, about(&moved, "move", later))
        .await;
    let patient = booked(&admin, party("patient")).await;
    let due = json!({"dueAt": "2026-02-13T18:00:00Z", "reason": "the bank is slow"});
    let extended = admin
        .done("bookingDepositExtend", BOOKING, about(&patient, "extend", due))
        .await;
    assert_eq!(extended["booking"]["depositDueAt"], "2026-02-13T18:00:00+00:00");
    let at = extended["position"].as_i64().unwrap();
    server.set_clock("2026-02-11T18:00:00Z");
    admin.sign_in_again().await;
    assert_eq!(as_of(&admin, &moved, at + 1).await["status"], "EXPIRED");
    assert_eq!(as_of(&admin, &patient, at + 1).await["status"], "REQUESTED");
    server.set_clock("2026-02-13T18:00:00Z");
    admin.sign_in_again().await;
    assert_eq!(as_of(&admin, &patient, at + 2).await["status"], "EXPIRED");
}

#[tokio::test]
async fn guests_and_extras_change_at_the_prices_of_the_request_and_within_the_places_there_are() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let large = json!({"guests": {"adults": 26}, "addOns": []});
    booked(&admin, sacramento(&server, "large", large)).await;
    let small = json!({"guests": {"adults": 20}, "addOns": [{"item": "sauce", "quantity": 2}]});
    let small = booked(&admin, sacramento(&server, "small", small)).await;
    let dearer = json!({
        "idempotencyKey": "dearer", "stationId": global_id("Station", server.company.sacramento),
        "item": "adult", "priceMinor": 6_995, "reason": "beef costs more",
    });
    admin.done("priceChange", "", dearer).await;
    let to = |key: &str, adults: i32| about(&small, key, json!({"guests": {"adults": adults}}));
    let grown = admin
        .done("bookingGuestCountChange", BOOKING, to("grown", 25))
        .await;
    assert_eq!(grown["booking"]["total"]["minor"], 25 * 5_995 + 2 * 599);
    assert_eq!(
        admin.refused("bookingGuestCountChange", to("too many", 26)).await,
        "SLOT_UNAVAILABLE"
    );
    assert_eq!(
        admin.refused("bookingGuestCountChange", to("same", 25)).await,
        "UNCHANGED"
    );
    let menu = |key: &str, item: &str| about(&small, key, json!({"addOns": [{"item": item, "quantity": 1}]}));
    let changed = admin
        .done("bookingMenuChange", BOOKING, menu("menu", "sauce"))
        .await;
    assert_eq!(changed["booking"]["total"]["minor"], 25 * 5_995 + 599);
    assert_eq!(
        admin.refused("bookingMenuChange", menu("odd", "lobster")).await,
        "ITEM_UNKNOWN"
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn close_to_the_start_staff_changes_a_booking_with_a_reason() {
    let server = Server::start().await;
    let mut admin = server.sign_in(Role::Admin).await;
    let booking = booked(&admin, party("late")).await;
    let due = json!({"dueAt": "2026-03-14T18:00:00Z", "reason": "pays in cash"});
    admin
        .done("bookingDepositExtend", "", about(&booking, "extend", due))
        .await;
    server.set_clock("2026-03-12T01:00:01Z");
    admin.sign_in_again().await;
    let change = |key: &str, reason: Option<&str>| {
        about(&booking, key, json!({"guests": {"adults": 13}, "reason": reason}))
    };
    assert_eq!(
        admin
            .refused("bookingGuestCountChange", change("why", None))
            .await,
        "REASON_REQUIRED"
    );
    let done = admin
        .done(
            "bookingGuestCountChange",
            BOOKING,
            change("why", Some("a cousin comes")),
        )
        .await;
    assert_eq!(done["booking"]["guests"]["total"], 13);
}

#[tokio::test]
async fn notes_and_terms_are_kept_and_notes_go_with_the_customer() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::SuperAdmin).await;
    let booking = booked(&admin, party("noted")).await;
    for (key, note) in [("one", "gate code 1234"), ("two", "dog is friendly")] {
        admin
            .done(
                "bookingNoteAdd",
                BOOKING,
                about(&booking, key, json!({"note": note})),
            )
            .await;
    }
    let terms = about(&booking, "terms", json!({"termsVersion": "2026-01"}));
    let done = admin.done("bookingTermsAccept", BOOKING, terms).await["booking"].take();
    assert_eq!(done["termsVersion"], "2026-01");
    assert_eq!(
        done["notes"],
        json!([{"text": "gate code 1234"}, {"text": "dog is friendly"}])
    );
    let blank = about(&booking, "blank", json!({"note": " "}));
    assert_eq!(admin.refused("bookingNoteAdd", blank).await, "INVALID_NOTE");
    let long = about(&booking, "long", json!({"note": "x".repeat(4_001)}));
    assert_eq!(admin.refused("bookingNoteAdd", long).await, "TOO_LONG");
    let cancel = about(&booking, "cancel", json!({"reason": "plans changed"}));
    let cancelled = admin
        .done("bookingCancel", "booking { customer { id } }", cancel)
        .await;
    let erase = json!({
        "idempotencyKey": "erase", "customerId": cancelled["booking"]["customer"]["id"],
        "reason": "asked for it by letter",
    });
    let erased = admin.done("customerErase", "", erase).await["position"]
        .as_i64()
        .unwrap();
    let after = as_of(&admin, &booking, 0.max(erased - 1)).await;
    assert_eq!(
        after["notes"],
        json!([{"text": "[erased]"}, {"text": "[erased]"}])
    );
}

/// Another user of a company with a role, by a name of their own.
pub(crate) async fn another_user(server: &Server, company: &Company, email: &str, role: Role) -> UserId {
    let caller = Caller::system(company.tenant, "test");
    let key = IdempotencyKey::of_reaction("test", email);
    let commands = &server.app.commands;
    let written = commands
        .create_user(caller, key, email.to_owned(), role, StationScope::All)
        .await
        .expect("the user can be created");
    written.id_of(User::STREAM).parse().expect("an id")
}
