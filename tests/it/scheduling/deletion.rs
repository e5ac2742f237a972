//! Bookings that are put away, and taken out again.

use std::time::Duration;

use domain::access::Role;
use serde_json::json;
use tests::http::{Server, party};

use super::{BOOKING, about, as_of, booked};

const LISTS: &str = "{ here: bookings(first: 10) { nodes { number } totalCount { value } }
    deleted: bookings(first: 10, filter: {deleted: true}) { nodes { number deleted } }
    customers(first: 10) { nodes { bookingCount } } }";

#[tokio::test]
async fn a_deleted_booking_is_hidden_and_the_audit_trail_still_tells_it() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let booking = booked(&admin, party("mistake")).await;
    let short = about(&booking, "short", json!({"reason": "oops"}));
    assert_eq!(admin.refused("bookingDelete", short).await, "INVALID_REASON");
    let delete = about(&booking, "delete", json!({"reason": "made by mistake"}));
    let deleted = admin.done("bookingDelete", BOOKING, delete).await;
    assert!(deleted["booking"].is_null());
    server.caught_up(&server.company).await;
    let lists = admin.data(LISTS, json!({})).await;
    assert_eq!(lists["here"]["totalCount"]["value"], 0);
    assert_eq!(
        lists["deleted"]["nodes"],
        json!([{"number": booking["number"], "deleted": true}])
    );
    assert_eq!(lists["customers"]["nodes"][0]["bookingCount"], 0);
    let trail = admin
        .data(
            "query($id: ID!) { booking(id: $id) { id }
                auditLog(first: 10, filter: {entityId: $id}) { nodes { type reason } } }",
            json!({"id": booking["id"]}),
        )
        .await;
    assert!(trail["booking"].is_null());
    assert_eq!(
        trail["auditLog"]["nodes"],
        json!([
            {"type": "booking.deleted", "reason": "made by mistake"},
            {"type": "booking.requested", "reason": null},
        ])
    );
    for command in ["bookingCancel", "bookingDelete"] {
        let again = about(&booking, command, json!({"reason": "made by mistake"}));
        assert_eq!(
            admin.refused(command, again).await,
            "BOOKING_DELETED",
            "{command}"
        );
    }
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_restored_booking_must_win_its_place_again_within_thirty_days() {
    let server = Server::start().await;
    let mut admin = server.sign_in(Role::Admin).await;
    let booking = booked(&admin, party("mistake")).await;
    let restore = |key: &str| about(&booking, key, json!({}));
    assert_eq!(
        admin.refused("bookingRestore", restore("here")).await,
        "NOT_DELETED"
    );
    let delete = about(&booking, "delete", json!({"reason": "made by mistake"}));
    admin.done("bookingDelete", BOOKING, delete).await;
    let rival = booked(&admin, party("rival")).await;
    assert_eq!(
        admin.refused("bookingRestore", restore("lost")).await,
        "SLOT_UNAVAILABLE"
    );
    let gone = about(&rival, "gone", json!({"reason": "made by mistake"}));
    admin.done("bookingDelete", BOOKING, gone).await;
    // A day later the deposit would have been overdue: there is as much time again.
    server.set_clock("2026-02-12T18:00:00Z");
    admin.sign_in_again().await;
    let restored = admin.done("bookingRestore", BOOKING, restore("won")).await["booking"].take();
    assert_eq!(
        (
            &restored["status"],
            &restored["depositDueAt"],
            &restored["number"]
        ),
        (
            &json!("REQUESTED"),
            &json!("2026-02-13T18:00:00+00:00"),
            &booking["number"]
        )
    );
    assert_eq!(
        admin.refused("bookingRequest", party("third")).await,
        "SLOT_UNAVAILABLE"
    );
    server.set_clock("2026-03-12T18:00:01Z");
    admin.sign_in_again().await;
    let late = about(&rival, "late", json!({}));
    assert_eq!(admin.refused("bookingRestore", late).await, "RESTORE_TOO_LATE");
    server.assert_rebuild_changes_nothing(&server.company).await;
    let held = replays::verify_claims(&server.app.log, server.company.tenant, &()).await;
    assert!(held.is_ok(), "{held:?}");
}

#[tokio::test]
async fn money_that_comes_while_a_booking_is_away_confirms_it_once_it_is_back() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let booking = booked(&admin, party("mistake")).await;
    let delete = about(&booking, "delete", json!({"reason": "made by mistake"}));
    admin.done("bookingDelete", BOOKING, delete).await;
    let money = json!({"kind": "DEPOSIT", "method": "ZELLE", "amountMinor": 10_000});
    let recorded = admin
        .done("paymentRecord", "payment { id }", about(&booking, "money", money))
        .await;
    let verify = json!({
        "idempotencyKey": "verify", "paymentId": recorded["payment"]["id"], "accept": true, "note": "seen",
    });
    admin.done("paymentVerify", "", verify).await;
    let restored = admin
        .done("bookingRestore", BOOKING, about(&booking, "restore", json!({})))
        .await;
    // It is confirmed soon after, perhaps before it is shown. Other policies have things to say about it too: the confirmation
    // need not be the next event.
    let mut now = restored["booking"]["status"].clone();
    for _ in 0..400 {
        if now != "REQUESTED" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        let head = server.head(&server.company).await;
        now = as_of(&admin, &booking, head).await["status"].take();
    }
    assert_eq!(now, "CONFIRMED");
    server.assert_rebuild_changes_nothing(&server.company).await;
}
