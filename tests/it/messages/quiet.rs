//! Text messages wait for the morning.

use super::*;

#[tokio::test]
async fn a_text_message_that_is_due_at_night_goes_out_in_the_morning_and_mail_at_once() {
    let double = Arc::new(Double::of(&[MessageChannel::Sms]));
    let (server, mut admin) = open(&double).await;
    // Ten in the evening in San Jose.
    server.set_clock("2026-02-11T06:00:00Z");
    admin.sign_in_again().await;
    let customer = json!({"customer": {"name": "Guest sam", "phone": "408-555-0101", "smsConsent": true}});
    confirmed(&admin, "sam", customer).await;
    server.quiet(&server.company).await;
    let jobs = async || {
        let commands = &server.app.commands;
        commands.do_jobs(server.company.tenant).await.expect("it goes on")
    };
    jobs().await;
    assert_eq!(double.taken().len(), 0);
    // However often it is looked at, it waits, and no attempt is told.
    for at in ["2026-02-11T09:00:00Z", "2026-02-11T15:59:59Z"] {
        server.set_clock(at);
        assert_eq!(jobs().await, 0, "{at}");
    }
    assert_eq!(double.taken().len(), 0);
    server.set_clock("2026-02-11T16:00:00Z");
    let told = taken(&double, MessageKind::BookingConfirmed, 1).await;
    assert_eq!(
        (told[0].to.as_str(), told[0].channel),
        ("14085550101", MessageChannel::Sms)
    );
    admin.sign_in_again().await;
    server.caught_up(&server.company).await;
    let jobs = admin
        .data("{ jobs(first: 10) { totalCount { value } } }", json!({}))
        .await;
    assert_eq!(jobs["jobs"]["totalCount"]["value"], 0);

    let mail = by_mail();
    let (server, mut admin) = open(&mail).await;
    server.set_clock("2026-02-11T06:00:00Z");
    admin.sign_in_again().await;
    confirmed(&admin, "sam", json!({})).await;
    taken(&mail, MessageKind::BookingConfirmed, 1).await;
}

#[tokio::test]
async fn what_is_not_so_any_more_by_the_morning_is_not_told() {
    let double = Arc::new(Double::of(&[MessageChannel::Sms]));
    let (server, mut admin) = open(&double).await;
    server.set_clock("2026-02-11T06:00:00Z");
    admin.sign_in_again().await;
    let customer = json!({"customer": {"name": "Guest sam", "phone": "408-555-0101", "smsConsent": true}});
    let booking = confirmed(&admin, "sam", customer).await;
    server.quiet(&server.company).await;
    let cancel = json!({"idempotencyKey": "c", "bookingId": booking["id"], "reason": "plans changed"});
    admin.done("bookingCancel", "", cancel).await;
    server.quiet(&server.company).await;
    server.set_clock("2026-02-11T16:00:00Z");
    taken(&double, MessageKind::BookingCancelled, 1).await;
    server.quiet(&server.company).await;
    admin.sign_in_again().await;
    server.caught_up(&server.company).await;
    let told = listed(&admin, json!({"bookingId": booking["id"]})).await;
    let of = |kind: &str| {
        let found = told.iter().find(|one| one["kind"] == kind);
        found.map(|one| [one["status"].clone(), one["suppressedBecause"].clone()])
    };
    assert_eq!(
        of("BOOKING_CONFIRMED"),
        Some([json!("SUPPRESSED"), json!("TOO_LATE")])
    );
    assert_eq!(of("BOOKING_CANCELLED"), Some([json!("SENT"), Value::Null]));
}
