//! Who writes: a customer by their phone, a stranger, or somebody who was erased; and who wants no more texts.

use replays::erasures::erasures;

use super::*;

/// Somebody of this phone who booked.
async fn known(server: &Server, admin: &Client, key: &str, phone: &str) -> Value {
    let guest = json!({"customer": {
        "name": key, "email": format!("{key}@example.com"), "phone": phone, "smsConsent": true,
    }});
    let booked = admin
        .done("bookingRequest", "booking { id }", with(party(key), guest))
        .await;
    let id = events(server, &server.company)
        .await
        .iter()
        .rev()
        .find(|event| matches!(event.event, DomainEvent::Customer(CustomerEvent::Registered(_))))
        .map(|event| event.stream.id.clone());
    json!({"booking": booked["booking"]["id"], "customer": id.expect("who books is a customer")})
}

#[tokio::test]
async fn a_sender_is_known_by_their_phone_and_a_stranger_is_nobody() {
    let server = open().await;
    let admin = server.sign_in(Role::Admin).await;
    tell_meta(&admin, &whatsapp("1", "14085550199", "hello")).await;
    tell_ringcentral(&admin, &sms("2", "(408) 555-0123", "too early to be known")).await;
    let sam = known(&server, &admin, "sam", "(408) 555-0123").await;
    // Known since: what was told is told again.
    let again = tell_ringcentral(&admin, &sms("2", "(408) 555-0123", "too early to be known")).await;
    assert_eq!(again, (200, "nothing new\n".to_owned()));
    assert_eq!(
        tell_meta(&admin, &whatsapp("3", "14085550123", "hello, it is me"))
            .await
            .0,
        200
    );
    assert_eq!(
        tell_meta(&admin, &whatsapp("4", "14085550123", "again")).await.0,
        200
    );
    let sam_id = sam["customer"].as_str().and_then(|id| id.parse().ok());
    assert_eq!(begun(&server).await, [None, None, sam_id]);
    let said = said(&server, &server.company).await;
    assert_eq!(said.len(), 4);
    assert_eq!(said[2].conversation, said[3].conversation);
    // Neither the words nor the number are in the log in clear.
    let log = events(&server, &server.company).await;
    for event in log
        .iter()
        .filter(|event| matches!(event.event, DomainEvent::Conversation(_)))
    {
        let text = format!("{event:?}");
        assert!(
            !text.contains("it is me") && !text.contains("4085550123"),
            "{text}"
        );
    }
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn who_was_erased_and_writes_again_is_a_stranger() {
    let server = open().await;
    let admin = server.sign_in(Role::Admin).await;
    let sam = known(&server, &admin, "sam", "4085550123").await;
    tell_meta(&admin, &whatsapp("1", "14085550123", "before")).await;
    let cancel = json!({"idempotencyKey": "c", "bookingId": sam["booking"], "reason": "plans changed"});
    admin.done("bookingCancel", "", cancel).await;
    let erase = json!({
        "idempotencyKey": "e", "reason": "they asked for it",
        "customerId": global_id("Customer", sam["customer"].as_str().expect("an id")),
    });
    admin.done("customerErase", "", erase).await;
    for id in ["2", "3"] {
        assert_eq!(
            tell_meta(&admin, &whatsapp(id, "14085550123", "after")).await,
            (200, "recorded\n".to_owned())
        );
    }
    let said = said(&server, &server.company).await;
    let texts: Vec<&str> = said.iter().map(|said| said.text.as_str()).collect();
    assert_eq!(texts, ["erased", "after", "after"]);
    assert_ne!(said[0].conversation, said[1].conversation);
    assert_eq!(said[1].conversation, said[2].conversation);
    assert_eq!(begun(&server).await.last(), Some(&None));
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn what_somebody_wrote_before_anybody_knew_them_goes_with_them() {
    let server = open().await;
    let admin = server.sign_in(Role::Admin).await;
    tell_ringcentral(&admin, &sms("1", "(408) 555-0123", "a stranger")).await;
    tell_meta(&admin, &whatsapp("2", "14085550123", "a stranger")).await;
    tell_meta(&admin, &whatsapp("3", "14085550199", "somebody else")).await;
    let sam = known(&server, &admin, "sam", "4085550123").await;
    tell_meta(&admin, &whatsapp("4", "14085550123", "it is me")).await;
    let cancel = json!({"idempotencyKey": "c", "bookingId": sam["booking"], "reason": "plans changed"});
    admin.done("bookingCancel", "", cancel).await;
    let erase = json!({
        "idempotencyKey": "e", "reason": "they asked for it",
        "customerId": global_id("Customer", sam["customer"].as_str().expect("an id")),
    });
    admin.done("customerErase", "", erase).await;
    let texts = async || -> Vec<String> {
        let said = said(&server, &server.company).await;
        said.into_iter().map(|said| said.text).collect()
    };
    assert_eq!(texts().await, ["erased", "erased", "somebody else", "erased"]);
    // The phone may be another's by now.
    for id in ["5", "6"] {
        let heard = tell_meta(&admin, &whatsapp(id, "14085550123", "after")).await;
        assert_eq!(heard, (200, "recorded\n".to_owned()));
    }
    let told = texts().await;
    assert_eq!(told[4..], ["after", "after"]);
    let said = said(&server, &server.company).await;
    assert_eq!(said[4].conversation, said[5].conversation);
    assert!(
        said[..4]
            .iter()
            .all(|before| before.conversation != said[4].conversation)
    );
    // Whoever has it goes too, and with them nothing that is gone already.
    let max = known(&server, &admin, "max", "4085550123").await;
    let cancel = json!({"idempotencyKey": "d", "bookingId": max["booking"], "reason": "plans changed"});
    admin.done("bookingCancel", "", cancel).await;
    let erase = json!({
        "idempotencyKey": "f", "reason": "they asked for it",
        "customerId": global_id("Customer", max["customer"].as_str().expect("an id")),
    });
    admin.done("customerErase", "", erase).await;
    assert_eq!(
        texts().await,
        ["erased", "erased", "somebody else", "erased", "erased", "erased"]
    );
    let tenant = server.company.tenant;
    let checked = erasures(&server.app.log, &server.app.vault, tenant, &()).await;
    let checked = checked.expect("the log is whole");
    let found: Vec<_> = checked
        .iter()
        .map(|one| (one.receipt.destroyed.len(), one.findings.len()))
        .collect();
    assert_eq!(found, [(3, 0), (2, 0)]);
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn who_texts_stop_has_taken_their_consent_back() {
    let server = open().await;
    let admin = server.sign_in(Role::Admin).await;
    known(&server, &admin, "sam", "4085550123").await;
    for _ in 0..2 {
        assert_eq!(
            tell_ringcentral(&admin, &sms("1", "+14085550123", "STOP"))
                .await
                .0,
            200
        );
    }
    assert_eq!(
        tell_ringcentral(&admin, &sms("2", "+14085550123", "Stop."))
            .await
            .0,
        200
    );
    assert_eq!(
        tell_ringcentral(&admin, &sms("3", "+14085550199", "stop"))
            .await
            .0,
        200
    );
    let withdrawn = events(&server, &server.company).await;
    let withdrawn: Vec<&str> = withdrawn
        .iter()
        .filter_map(|event| {
            let DomainEvent::Customer(CustomerEvent::ConsentWithdrawn(withdrawn)) = &event.event else {
                return None;
            };
            Some(withdrawn.withdrawn_through.as_str())
        })
        .collect();
    assert_eq!(withdrawn, ["sms"]);
    assert_eq!(said(&server, &server.company).await.len(), 3);
    server.assert_rebuild_changes_nothing(&server.company).await;
}
