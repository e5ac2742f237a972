use super::*;

#[tokio::test]
async fn a_customer_agrees_to_be_written_to_for_a_text_and_takes_it_back() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let agreed = json!({"customer": {"name": "Ana", "email": "ana@example.com", "smsConsent": true}});
    let object = "booking { id customer { id } }";
    let booked = admin
        .done("bookingRequest", object, with(party("first"), agreed))
        .await;
    let id = booked["booking"]["customer"]["id"].clone();
    server.caught_up(&server.company).await;
    let consents = "smsConsent { givenThrough textVersion } emailConsent { givenThrough textVersion }";
    let query = format!("query($id: ID!) {{ customer(id: $id) {{ {consents} }} }}");
    let now = admin.data(&query, json!({"id": id})).await["customer"].take();
    assert_eq!(
        now,
        json!({"smsConsent": {"givenThrough": "booking_request", "textVersion": "2026-01"}, "emailConsent": null})
    );
    let set = |key: &str, more: Value| with(json!({"idempotencyKey": key, "customerId": id}), more);
    for (more, code) in [
        (json!({"channel": "SMS", "textVersion": "2026-01"}), "UNCHANGED"),
        (json!({"channel": "EMAIL", "textVersion": null}), "UNCHANGED"),
        (
            json!({"channel": "EMAIL", "textVersion": ""}),
            "INVALID_TEXT_VERSION",
        ),
        (
            json!({"channel": "SMS", "textVersion": "2", "through": "By phone"}),
            "INVALID_THROUGH",
        ),
        (
            json!({"channel": "SMS", "textVersion": "2", "expectedVersion": 9}),
            "VERSION_CONFLICT",
        ),
    ] {
        let refused = set(&more.to_string(), more);
        assert_eq!(
            admin.refused("customerConsentSet", refused.clone()).await,
            code,
            "{refused}"
        );
    }
    let object = format!("customer {{ version {consents} }}");
    let given = set(
        "given",
        json!({"channel": "EMAIL", "textVersion": "e-1", "through": "web_form"}),
    );
    let given = admin.done("customerConsentSet", &object, given).await;
    assert_eq!(
        given["customer"]["emailConsent"],
        json!({"givenThrough": "web_form", "textVersion": "e-1"})
    );
    let withdrawn = set("withdrawn", json!({"channel": "SMS", "expectedVersion": 2}));
    let withdrawn = admin.done("customerConsentSet", &object, withdrawn).await;
    assert_eq!(
        withdrawn["customer"],
        json!({
            "version": 3, "smsConsent": null,
            "emailConsent": {"givenThrough": "web_form", "textVersion": "e-1"},
        })
    );
    server.caught_up(&server.company).await;
    let trail = "{ auditLog(first: 2, filter: {entityType: \"customer\"}) { nodes { summary changes { path before after } } } }";
    let trail = admin.data(trail, json!({})).await;
    assert_eq!(
        trail["auditLog"]["nodes"],
        json!([
            {
                "summary": "Customer does not want text messages any more (staff)",
                "changes": [{"path": "consent.sms", "before": "2026-01", "after": null}],
            },
            {
                "summary": "Customer agreed to e-mail (web form)",
                "changes": [{"path": "consent.email", "before": null, "after": "e-1"}],
            },
        ])
    );
    let cancel =
        json!({"idempotencyKey": "c", "bookingId": booked["booking"]["id"], "reason": "plans changed"});
    admin.done("bookingCancel", "", cancel).await;
    let erase = json!({"idempotencyKey": "e", "customerId": id, "reason": "asked for it by letter"});
    let erased = admin.done("customerErase", &object, erase).await;
    assert_eq!(erased["customer"]["emailConsent"], Value::Null);
    let late = set("late", json!({"channel": "SMS", "textVersion": "2"}));
    assert_eq!(admin.refused("customerConsentSet", late).await, "CUSTOMER_ERASED");
    server.assert_rebuild_changes_nothing(&server.company).await;
}
