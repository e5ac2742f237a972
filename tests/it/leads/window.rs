use super::*;

use replays::erasures::erasures;

/// Lets time pass, and the policies do what is due then.
async fn later(server: &Server, admin: &mut Client, to: &str) {
    server.set_clock(to);
    react(server).await;
    admin.sign_in_again().await;
}

#[tokio::test]
async fn personal_data_of_leads_goes_when_its_time_is_over_and_receipts_say_so() {
    let (server, mut admin) = full().await;
    in_vain(
        &admin,
        "ana",
        json!({"name": "Ana Archer", "email": "ana@example.com", "phone": "4085550100"}),
    )
    .await;
    let ana = lead(&server, &admin, "ana").await;
    let called = update(
        "called",
        &ana,
        json!({"status": "CONTACTED", "note": "Archer calls back"}),
    );
    admin.done("leadUpdate", "", called).await;
    // A customer's lead is sealed with the customer's key, and stays as long as the customer.
    let known = admin
        .data("{ customers(first: 1) { nodes { id } } }", json!({}))
        .await;
    let known = known["customers"]["nodes"][0]["id"].clone();
    in_vain(&admin, "known", json!({"id": known})).await;
    assert_eq!(
        admin.data("{ leadWindow { months } }", json!({})).await["leadWindow"]["months"],
        12
    );

    let captured: chrono::DateTime<chrono::Utc> = server.now();
    let after = |months: u32, secs: i64| {
        let then = captured
            .checked_add_months(chrono::Months::new(months))
            .expect("there is such a day");
        (then + chrono::TimeDelta::seconds(secs)).to_rfc3339()
    };
    later(&server, &mut admin, &after(12, -60)).await;
    assert_eq!(lead(&server, &admin, "ana").await["name"], "Ana Archer");
    later(&server, &mut admin, &after(12, 60)).await;
    let gone = lead(&server, &admin, "ana").await;
    for field in ["name", "email", "phone", "note"] {
        assert_eq!(gone[field], "[erased]", "{field}");
    }
    assert!(gone["purgedAt"].is_string(), "{gone}");
    assert_eq!(gone["status"], "CONTACTED", "what it came to is still told");
    let stays = lead(&server, &admin, "known").await;
    assert_eq!(
        (&stays["name"], &stays["purgedAt"]),
        (&json!("Guest first"), &Value::Null)
    );
    let late = update("late", &ana, json!({"status": "CONTACTED"}));
    assert_eq!(admin.refused("leadUpdate", late).await, "LEAD_PURGED");

    let checked = erasures(&server.app.log, &server.app.vault, server.company.tenant, &())
        .await
        .expect("the log is read");
    assert_eq!(checked.len(), 1);
    let receipt = &checked[0];
    assert_eq!((&receipt.findings, receipt.values), (&vec![], 4));
    assert_eq!(receipt.of.kind, "lead");
    assert_eq!(receipt.receipt.destroyed.len(), 1);
    let trail = "{ auditLog(first: 1, filter: {type: [\"lead.purged\"]}) { nodes { summary } } }";
    let trail = admin.data(trail, json!({})).await;
    assert_eq!(
        trail["auditLog"]["nodes"][0]["summary"],
        "The lead's personal data erased, 12 months after it was captured; 1 keys destroyed"
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_shorter_time_takes_effect_within_a_month_and_an_erased_customers_lead_is_left() {
    let (server, mut admin) = full().await;
    for (key, code) in [("none", 0), ("much", 121)] {
        let set = json!({"idempotencyKey": key, "months": code});
        assert_eq!(admin.refused("leadWindowSet", set).await, "INVALID_WINDOW");
    }
    in_vain(&admin, "ana", json!({"name": "Ana", "email": "ana@example.com"})).await;
    in_vain(&admin, "ben", json!({"name": "Ben", "email": "ben@example.com"})).await;
    // Ben becomes a customer, is won, and is erased with his lead.
    let there = json!({
        "customer": {"name": "Ben", "email": "ben@example.com"},
        "venue": {"street": "1 Main St", "city": "Sacramento", "state": "CA", "zip": "95814"},
    });
    let booked = admin
        .done(
            "bookingRequest",
            "booking { id customer { id } }",
            with(party("ben"), there),
        )
        .await;
    let cancel =
        json!({"idempotencyKey": "c", "bookingId": booked["booking"]["id"], "reason": "plans changed"});
    admin.done("bookingCancel", "", cancel).await;
    let erase = json!({
        "idempotencyKey": "e", "customerId": booked["booking"]["customer"]["id"], "reason": "asked for it by letter",
    });
    admin.done("customerErase", "", erase).await;
    react(&server).await;

    let captured = server.now();
    let at = |months: u32| {
        let then = captured.checked_add_months(chrono::Months::new(months));
        (then.expect("there is such a day") + chrono::TimeDelta::seconds(60)).to_rfc3339()
    };
    later(&server, &mut admin, &at(3)).await;
    let set = json!({"idempotencyKey": "set", "months": 2});
    let set = admin.done("leadWindowSet", "leadWindow { months }", set).await;
    assert_eq!(set["leadWindow"]["months"], 2);
    react(&server).await;
    assert_eq!(lead(&server, &admin, "ana").await["purgedAt"], Value::Null);
    later(&server, &mut admin, &at(4)).await;
    assert!(lead(&server, &admin, "ana").await["purgedAt"].is_string());
    let ben = lead(&server, &admin, "ben").await;
    assert_eq!(
        (&ben["name"], &ben["purgedAt"], &ben["status"]),
        (&json!("[erased]"), &Value::Null, &json!("WON"))
    );
    let checked = erasures(&server.app.log, &server.app.vault, server.company.tenant, &())
        .await
        .expect("the log is read");
    assert_eq!(checked.len(), 2);
    assert!(
        checked.iter().all(|erasure| erasure.findings.is_empty()),
        "{checked:?}"
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
}
