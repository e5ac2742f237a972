use domain::ids::{MessageId, TenantId};
use domain::message::MessageKind;
use uuid::Uuid;

use super::service::Service;
use super::*;

fn letter(channel: MessageChannel) -> Letter {
    Letter {
        tenant: TenantId(Uuid::nil()),
        company: "Our Hibachi".to_owned(),
        message_id: MessageId(Uuid::nil()),
        kind: Some(MessageKind::ReviewRequest),
        channel,
        to: "14085550123".to_owned(),
        subject_line: None,
        text: "Hello".to_owned(),
    }
}

fn credential() -> Credential {
    Credential::parse(" a_secret_of_ours\n").unwrap()
}

fn whatsapp(url: &str) -> Result<Whatsapp, CarrierSetupError> {
    Whatsapp::new(WhatsappSetup {
        url: url.to_owned(),
        token: credential(),
        phone_id: "123".to_owned(),
        timeout: WhatsappSetup::TIMEOUT,
    })
}

#[tokio::test]
async fn a_channel_that_no_service_was_named_for_is_not_carried() {
    let none = Carriers::default();
    assert!(none.is_empty());
    assert!(!none.carries(MessageChannel::Email));
    assert_eq!(
        none.carry(&letter(MessageChannel::Email)).await,
        Err(CarrierError::Misconfigured)
    );
    let some = none.and(Arc::new(whatsapp(WhatsappSetup::URL).unwrap()));
    assert!(some.carries(MessageChannel::Whatsapp) && !some.carries(MessageChannel::Sms));
    assert_eq!(
        (
            some.name(MessageChannel::Whatsapp),
            some.name(MessageChannel::Sms)
        ),
        ("whatsapp", "none")
    );
}

#[test]
fn a_secret_goes_only_to_https_or_to_this_machine_and_is_shown_nowhere() {
    for good in [
        WhatsappSetup::URL,
        RingCentralSetup::URL,
        "http://127.0.0.1:1",
        "http://localhost:1/x",
    ] {
        assert!(Service::at(good, WhatsappSetup::TIMEOUT).is_ok(), "{good}");
    }
    for bad in [
        "http://graph.facebook.com",
        "ftp://127.0.0.1",
        "data:x",
        "",
        "no address",
    ] {
        assert!(Service::at(bad, WhatsappSetup::TIMEOUT).is_err(), "{bad}");
    }
    let shown = format!("{:?}", whatsapp(WhatsappSetup::URL).unwrap());
    assert!(!shown.contains("of_ours"), "{shown}");
    assert!(Credential::parse(" ").is_none() && Credential::parse("a\r\nb").is_none());
}

#[test]
fn a_mail_server_elsewhere_is_talked_to_by_tls_alone_and_its_password_is_shown_nowhere() {
    let parse = |url: &str| SmtpSetup::parse(url, "My Hibachi <hello@example.com>");
    for good in [
        "smtps://user:a_secret_of_ours@mail.example.com",
        "smtp://mail.example.com:587?tls=required",
        "smtp://localhost:2525",
        "smtp://127.0.0.1:25",
    ] {
        let setup = parse(good).unwrap();
        assert!(!format!("{setup:?}").contains("of_ours"));
        assert!(Smtp::new(setup).is_ok(), "{good}");
    }
    for bad in [
        "smtp://mail.example.com",
        "smtp://user:a_secret_of_ours@mail.example.com?tls=opportunistic",
        "http://mail.example.com",
        "mail.example.com:25",
    ] {
        let error = parse(bad).unwrap_err();
        assert!(!error.to_string().contains("of_ours"), "{error}");
    }
    for nobody in ["", "hello", "hello@", "Our Hibachi"] {
        assert!(SmtpSetup::parse("smtp://localhost", nobody).is_err(), "{nobody}");
    }
}

#[test]
fn a_refusal_of_whatsapp_is_told_from_a_wait_and_from_our_own_mistake() {
    for (status, code, told) in [
        (400, 131_047, CarrierError::Refused),
        (400, 131_026, CarrierError::Refused),
        (400, 130_429, CarrierError::Unreachable),
        (500, 131_000, CarrierError::Unreachable),
        (401, 190, CarrierError::Misconfigured),
        (400, 10, CarrierError::Misconfigured),
        (503, 999_999, CarrierError::Unreachable),
    ] {
        assert_eq!(whatsapp::told_by(status, code), told, "{status} {code}");
    }
}
