//! Who is written to, and by which way.

use super::*;

async fn suppressed(server: &Server) -> Vec<SuppressedBecause> {
    let events = events(server, server.company.tenant).await;
    events
        .iter()
        // That the booking is called off is told by itself.
        .filter(|event| message_kind(&event.event) == Some(MessageKind::ReviewRequest))
        .filter_map(|event| {
            let DomainEvent::Message(MessageEvent::Suppressed(suppressed)) = &event.event else {
                return None;
            };
            Some(suppressed.because)
        })
        .collect()
}

#[tokio::test]
async fn nobody_is_texted_who_has_not_agreed_and_nobody_is_written_to_who_is_erased() {
    let double = Arc::new(Double::of(&[MessageChannel::Sms]));
    let (server, mut admin, customer) = open(&double, JobSettings::default()).await;
    let tenant = server.company.tenant;
    let party = booking(&server).await;
    let reaches = |asked: &mut MessageRequested| asked.booking_id = party;
    // There is an e-mail address, and nobody who takes e-mail.
    ask(&server, tenant, customer, 1..2, reaches).await;
    until_told(&server, &["message.suppressed"]).await;
    assert_eq!(suppressed(&server).await, [SuppressedBecause::NoCarrier]);
    let later = "2026-02-11T00:00:00Z".parse().expect("an instant");
    ask(&server, tenant, customer, 2..3, |asked| {
        asked.booking_id = party;
        asked.due_at = later;
    })
    .await;
    let cancel = json!({
        "idempotencyKey": "c", "bookingId": global_id("Booking", party.expect("there is one")), "reason": "plans changed",
    });
    admin.done("bookingCancel", "", cancel).await;
    let erase = json!({
        "idempotencyKey": "e", "customerId": global_id("Customer", customer), "reason": "asked for it",
    });
    admin.done("customerErase", "", erase).await;
    server.set_clock("2026-02-11T00:00:00Z");
    admin.sign_in_again().await;
    until_told(&server, &["message.suppressed"]).await;
    until("the second too", async || {
        suppressed(&server).await == [SuppressedBecause::NoCarrier, SuppressedBecause::Erased]
    })
    .await;
    assert_eq!(double.taken().len(), 0);
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_phone_without_consent_is_not_texted_and_one_with_it_is() {
    for (consent, told) in [(false, "message.suppressed"), (true, "message.sent")] {
        let double = Arc::new(Double::of(&[MessageChannel::Sms]));
        let carrier = double.clone();
        let server = Server::start_as(move |app| App {
            commands: app.commands.sending_through(carrier),
            ..app
        })
        .await;
        let admin = server.sign_in(Role::Admin).await;
        let guest = json!({"customer": {
            "name": "Guest sam", "email": "sam@example.com", "phone": "4085550123", "smsConsent": consent,
        }});
        let customer = book(&server, &admin, guest).await;
        let party = booking(&server).await;
        ask(&server, server.company.tenant, customer, 1..2, |asked| {
            asked.booking_id = party
        })
        .await;
        until_told(&server, &["message.requested", told]).await;
        if consent {
            assert_eq!(double.taken()[0].subject_line, None);
        } else {
            assert_eq!(suppressed(&server).await, [SuppressedBecause::NoConsent]);
        }
    }
}
