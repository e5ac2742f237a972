use super::*;

/// A party in Sacramento, where there is place.
fn there(key: &str, customer: Value) -> Value {
    with(
        party(key),
        json!({
            "customer": customer,
            "venue": {"street": "1 Main St", "city": "Sacramento", "state": "CA", "zip": "95814"},
        }),
    )
}

#[tokio::test]
async fn a_booking_of_whoever_asked_in_vain_wins_what_was_kept_of_them_and_nobody_elses() {
    let (server, admin) = full().await;
    let ana = |more: Value| with(json!({"name": "Ana"}), more);
    in_vain(&admin, "by e-mail", ana(json!({"email": "Ana@Example.com"}))).await;
    in_vain(&admin, "by phone", ana(json!({"phone": "408 555 0100"}))).await;
    in_vain(
        &admin,
        "by both",
        ana(json!({"email": "ana@example.com", "phone": "+1 (408) 555-0100"})),
    )
    .await;
    in_vain(
        &admin,
        "another",
        json!({"name": "Ana", "email": "other@example.com"}),
    )
    .await;
    let given_up = lead(&server, &admin, "by phone").await;
    let lost = update(
        "lost",
        &given_up,
        json!({"status": "LOST", "reason": "does not answer"}),
    );
    admin.done("leadUpdate", "", lost).await;
    let asked = there(
        "booked",
        ana(json!({"email": "ana@example.com", "phone": "14085550100"})),
    );
    let booked = admin
        .done("bookingRequest", "booking { id customer { id } }", asked)
        .await;
    react(&server).await;
    for key in ["by e-mail", "by phone", "by both"] {
        let won = lead(&server, &admin, key).await;
        assert_eq!(
            (&won["status"], &won["booking"]["id"]),
            (&json!("WON"), &booked["booking"]["id"]),
            "{key}"
        );
    }
    assert_eq!(lead(&server, &admin, "another").await["status"], "NEW");

    // Known by now, she asks in vain by her id and by her phone alone, and books again.
    let customer = booked["booking"]["customer"]["id"].clone();
    in_vain(&admin, "by id", json!({"id": customer})).await;
    in_vain(&admin, "known by phone", ana(json!({"phone": "4085550100"}))).await;
    assert_eq!(lead(&server, &admin, "known by phone").await["status"], "NEW");
    let again = with(
        there("again", json!({"id": customer})),
        json!({"start": "2026-03-15T18:00:00"}),
    );
    let again = admin.done("bookingRequest", "booking { id }", again).await;
    react(&server).await;
    for key in ["by id", "known by phone"] {
        let won = lead(&server, &admin, key).await;
        assert_eq!(
            (&won["status"], &won["booking"]["id"]),
            (&json!("WON"), &again["booking"]["id"]),
            "{key}"
        );
    }
    let first = lead(&server, &admin, "by e-mail").await;
    assert_eq!(
        first["booking"]["id"], booked["booking"]["id"],
        "it stays won by the first"
    );
    let head = server.quiet(&server.company).await;
    react(&server).await;
    assert_eq!(server.head(&server.company).await, head, "each is won once");
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_lead_that_is_won_by_hand_names_its_booking() {
    let (server, admin) = full().await;
    in_vain(&admin, "ana", json!({"name": "Ana", "email": "ana@example.com"})).await;
    let ana = lead(&server, &admin, "ana").await;
    // Booked by her husband.
    let husband = json!({"name": "Ben", "email": "ben@example.com"});
    let booked = admin
        .done("bookingRequest", "booking { id }", there("ben", husband))
        .await;
    let won = update(
        "won",
        &ana,
        json!({"status": "WON", "bookingId": booked["booking"]["id"]}),
    );
    let won = admin
        .done("leadUpdate", "lead { status booking { id } }", won)
        .await;
    assert_eq!(
        won["lead"],
        json!({"status": "WON", "booking": {"id": booked["booking"]["id"]}})
    );
    react(&server).await;
    server.assert_rebuild_changes_nothing(&server.company).await;
}
