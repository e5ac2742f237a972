//! Text messages by RingCentral and WhatsApp, to doubles of them over HTTP.

use commands::gateways::carriers::Carriers;
use commands::ports::{Letter, MessageCarrier};
use tests::texting::{Instead, SECRET, TextDouble};

use super::*;

fn letter(channel: MessageChannel) -> Letter {
    Letter {
        tenant: TenantId(Uuid::nil()),
        company: "Our Hibachi".to_owned(),
        message_id: message(1),
        kind: Some(MessageKind::ReviewRequest),
        channel,
        to: "14085550123".to_owned(),
        subject_line: None,
        text: "How was it, Zoë? 火鍋".to_owned(),
    }
}

#[tokio::test]
async fn a_text_message_goes_out_by_the_number_of_the_company() {
    let double = TextDouble::start().await;
    let carriers = Carriers::default()
        .and(Arc::new(double.ringcentral(SECRET)))
        .and(Arc::new(double.whatsapp()));
    let server = Server::start_as(move |app| App {
        commands: app.commands.sending_through(Arc::new(carriers)),
        ..app
    })
    .await;
    let admin = server.sign_in(Role::Admin).await;
    let guest = json!({"customer": {
        "name": "Zoë", "email": "zoe@example.com", "phone": "(408) 555-0123", "smsConsent": true,
    }});
    let customer = book(&server, &admin, guest).await;
    let party = booking(&server).await;
    ask(&server, server.company.tenant, customer, 1..2, |asked| {
        asked.booking_id = party;
    })
    .await;
    until_told(&server, &["message.requested", "message.sent"]).await;
    let events = events(&server, server.company.tenant).await;
    let sent = events.iter().find_map(|event| {
        let DomainEvent::Message(MessageEvent::Sent(sent)) = &event.event else {
            return None;
        };
        Some(sent.clone())
    });
    let sent = sent.expect("it is told");
    assert_eq!(
        (sent.channel, sent.carrier.as_str(), sent.carrier_id.as_deref()),
        (MessageChannel::Sms, "ringcentral", Some("1001"))
    );
    let taken = double.taken();
    assert_eq!(taken[0]["from"], json!({"phoneNumber": "+16505550100"}));
    assert_eq!(taken[0]["to"], json!([{"phoneNumber": "+14085550123"}]));
    let text = taken[0]["text"].as_str().expect("a text");
    assert!(text.contains("Zoë"), "{text}");
}

#[tokio::test]
async fn a_token_is_asked_for_once_and_again_when_it_is_good_no_more() {
    let double = TextDouble::start().await;
    let carrier = double.ringcentral(SECRET);
    let sms = letter(MessageChannel::Sms);
    for id in ["1001", "1002"] {
        assert_eq!(carrier.carry(&sms).await, Ok(Some(id.to_owned())));
    }
    assert_eq!(double.sign_ins(), 1);
    double.revoke();
    assert_eq!(carrier.carry(&sms).await, Ok(Some("1003".to_owned())));
    assert_eq!(double.sign_ins(), 2);
    let stranger = double.ringcentral("another-secret");
    assert_eq!(stranger.carry(&sms).await, Err(CarrierError::Misconfigured));
}

#[tokio::test]
async fn what_may_pass_is_told_from_what_lasts() {
    let double = TextDouble::start().await;
    let (ringcentral, whatsapp) = (double.ringcentral(SECRET), double.whatsapp());
    let rest = |code: &str| json!({"errorCode": code, "message": "said of +14085550123"});
    for (instead, expected) in [
        (Instead::Says(400, rest("CMN-101")), CarrierError::Refused),
        (Instead::Says(403, rest("CMN-408")), CarrierError::Misconfigured),
        (Instead::Says(429, rest("CMN-301")), CarrierError::Unreachable),
        (Instead::Says(503, rest("CMN-201")), CarrierError::Unreachable),
        (Instead::Says(302, rest("")), CarrierError::Unreachable),
        (Instead::Late, CarrierError::Unreachable),
    ] {
        double.answer(std::slice::from_ref(&instead));
        let came = ringcentral.carry(&letter(MessageChannel::Sms)).await;
        assert_eq!(came, Err(expected), "{instead:?}");
    }
    let graph = |code: i64| json!({"error": {"code": code, "message": "said of +14085550123"}});
    for (instead, expected) in [
        (Instead::Says(400, graph(131_047)), CarrierError::Refused),
        (Instead::Says(400, graph(130_429)), CarrierError::Unreachable),
        (Instead::Says(401, graph(190)), CarrierError::Misconfigured),
        (Instead::Late, CarrierError::Unreachable),
    ] {
        double.answer(std::slice::from_ref(&instead));
        let came = whatsapp.carry(&letter(MessageChannel::Whatsapp)).await;
        assert_eq!(came, Err(expected), "{instead:?}");
    }
    assert_eq!(double.taken().len(), 0);
    let came = whatsapp.carry(&letter(MessageChannel::Whatsapp)).await;
    assert_eq!(came, Ok(Some("wamid.1".to_owned())));
    let taken = double.taken();
    assert_eq!(
        (&taken[0]["to"], &taken[0]["text"]["body"]),
        (&json!("14085550123"), &json!("How was it, Zoë? 火鍋"))
    );
}
