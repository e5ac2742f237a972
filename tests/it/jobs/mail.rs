//! E-mail, to a real mail server.

use commands::gateways::carriers::{Carriers, Smtp, SmtpSetup};
use commands::ports::{Letter, MessageCarrier};
use tests::smtp::{MailServer, header};

use super::*;

const FROM: &str = "hello@hibachi.example";

fn smtp(address: &str, from: &str) -> Smtp {
    let setup = SmtpSetup::parse(address, from).expect("an address");
    Smtp::new(setup).expect("a client")
}

fn letter(to: &str) -> Letter {
    Letter {
        tenant: TenantId(Uuid::nil()),
        company: "Our Hibachi".to_owned(),
        message_id: message(1),
        kind: Some(MessageKind::ReviewRequest),
        channel: MessageChannel::Email,
        to: to.to_owned(),
        subject_line: Some("How was it, Zoë?".to_owned()),
        text: "Hello Zoë,\n\n.\nwas it 火鍋?\n".to_owned(),
    }
}

/// A company that writes by a mail server, and somebody of this address who booked.
async fn open_by(port: u16, email: &str) -> (Server, Client, CustomerId) {
    let carriers = Carriers::default().and(Arc::new(smtp(&format!("smtp://127.0.0.1:{port}"), FROM)));
    let server = Server::start_as(move |app| App {
        commands: app.commands.sending_through(Arc::new(carriers)),
        ..app
    })
    .await;
    let admin = server.sign_in(Role::Admin).await;
    let customer = book(
        &server,
        &admin,
        json!({"customer": {"name": "Zoë 火鍋", "email": email}}),
    )
    .await;
    (server, admin, customer)
}

async fn ask_one(server: &Server, customer: CustomerId) {
    let party = booking(server).await;
    ask(server, server.company.tenant, customer, 1..2, |asked| {
        asked.booking_id = party;
    })
    .await;
}

#[tokio::test]
async fn an_email_arrives_with_its_subject_and_its_words() {
    let mails = MailServer::start();
    let (server, _, customer) = open_by(mails.port(), "zoe@example.com").await;
    ask_one(&server, customer).await;
    until_told(&server, &["message.requested", "message.sent"]).await;
    let [mail] = &mails.taken(1)[..] else {
        panic!("one arrives: {:?}", mails.taken(1))
    };
    assert_eq!(mail["recipients"], json!(["zoe@example.com"]));
    assert_eq!(mail["sender"], FROM);
    assert_eq!(
        header(mail, "from"),
        Some("Company our-hibachi <hello@hibachi.example>")
    );
    let subject = header(mail, "subject").expect("a subject");
    assert!(!subject.is_empty());
    let text = mail["text"].as_str().expect("a text");
    assert!(
        text.contains("Zoë 火鍋") && text.contains("https://review.test/1"),
        "{text}"
    );
    assert_eq!(header(mail, "auto-submitted"), Some("auto-generated"));
    let events = events(&server, server.company.tenant).await;
    let sent = events.iter().find_map(|event| {
        let DomainEvent::Message(MessageEvent::Sent(sent)) = &event.event else {
            return None;
        };
        Some(sent.clone())
    });
    let sent = sent.expect("it is told");
    assert_eq!(sent.carrier, "smtp");
    assert_eq!(header(mail, "message-id"), sent.carrier_id.as_deref());
    server.assert_rebuild_changes_nothing(&server.company).await;
    assert_eq!(mails.taken(1).len(), 1);
}

#[tokio::test]
async fn an_email_to_a_mailbox_that_there_is_not_is_not_tried_again() {
    let mails = MailServer::start();
    let (server, admin, customer) = open_by(mails.port(), "nobody@example.com").await;
    ask_one(&server, customer).await;
    until_told(&server, &["message.requested", "job.died", "message.failed"]).await;
    assert_eq!(job(&server, &admin).await["code"], "REFUSED");
    assert_eq!(mails.taken(0).len(), 0);
}

#[tokio::test]
async fn an_email_waits_for_a_server_that_is_down() {
    let mails = MailServer::start();
    let port = mails.port();
    drop(mails);
    let (server, mut admin, customer) = open_by(port, "zoe@example.com").await;
    ask_one(&server, customer).await;
    until_told(&server, &["message.requested", "job.failed"]).await;
    assert_eq!(job(&server, &admin).await["code"], "UNREACHABLE");
    let mails = MailServer::start_at(port, "");
    server.set_clock("2026-02-10T18:00:38Z");
    until_told(&server, &["message.sent", "job.completed"]).await;
    assert_eq!(mails.taken(1).len(), 1);
    admin.sign_in_again().await;
    assert_eq!(job(&server, &admin).await["status"], "COMPLETED");
}

#[tokio::test]
async fn a_server_that_asks_for_patience_or_another_password_is_tried_again() {
    let mails = MailServer::start();
    let open = smtp(&format!("smtp://127.0.0.1:{}", mails.port()), FROM);
    let later = letter("later@example.com");
    assert_eq!(open.carry(&later).await, Err(CarrierError::Unreachable));
    assert!(open.carry(&later).await.is_ok());
    assert_eq!(
        open.carry(&letter("no address")).await,
        Err(CarrierError::Refused)
    );

    let guarded = MailServer::start_at(0, "the-right-one");
    let by = |password: &str| {
        let address = format!("smtp://hibachi:{password}@127.0.0.1:{}", guarded.port());
        smtp(&address, FROM)
    };
    let mail = letter("zoe@example.com");
    assert_eq!(by("another").carry(&mail).await, Err(CarrierError::Misconfigured));
    assert!(by("the-right-one").carry(&mail).await.is_ok());
    assert_eq!(
        smtp(&format!("smtp://127.0.0.1:{}", guarded.port()), FROM)
            .carry(&mail)
            .await,
        Err(CarrierError::Misconfigured)
    );
    assert_eq!(guarded.taken(1).len(), 1);
}

#[tokio::test]
async fn nothing_that_is_put_into_a_name_or_a_subject_becomes_a_header() {
    let mails = MailServer::start();
    let address = format!("smtp://127.0.0.1:{}", mails.port());
    let mut evil = letter("zoe@example.com");
    evil.company = "Evil\r\nBcc: a@example.com\r\n\r\nBody".to_owned();
    evil.subject_line = Some("Hi\r\nX-Evil: 1\u{0}\n\nBody".to_owned());
    let open = smtp(&address, FROM);
    for _ in 0..2 {
        open.carry(&evil).await.expect("it is taken");
    }
    let named = smtp(&address, "\"Hibachi, Inc.\" <hello@hibachi.example>");
    named
        .carry(&letter("zoe@example.com"))
        .await
        .expect("it is taken");
    let [first, second, third] = &mails.taken(3)[..] else {
        panic!("three arrive: {:?}", mails.taken(3))
    };
    assert_eq!(first["recipients"], json!(["zoe@example.com"]));
    for name in ["bcc", "x-evil"] {
        assert_eq!(header(first, name), None, "{}", first["raw"]);
    }
    assert_eq!(header(first, "subject"), Some("Hi  X-Evil: 1   Body"));
    assert_eq!(header(first, "message-id"), header(second, "message-id"));
    let text = first["text"].as_str().expect("a text");
    assert_eq!(text.replace("\r\n", "\n"), "Hello Zoë,\n\n.\nwas it 火鍋?\n");
    assert_eq!(header(third, "subject"), Some("How was it, Zoë?"));
    assert_eq!(
        header(third, "from"),
        Some("\"Hibachi, Inc.\" <hello@hibachi.example>")
    );
}

/// Otherwise a company that has set up nothing would take every message for sent.
#[tokio::test]
async fn without_a_carrier_nothing_is_sent_and_that_is_said() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let customer = book(&server, &admin, json!({})).await;
    ask_one(&server, customer).await;
    until_told(&server, &["message.requested", "message.suppressed"]).await;
    let events = events(&server, server.company.tenant).await;
    let because = events.iter().find_map(|event| {
        let DomainEvent::Message(MessageEvent::Suppressed(suppressed)) = &event.event else {
            return None;
        };
        Some(suppressed.because)
    });
    assert_eq!(because, Some(SuppressedBecause::NoCarrier));
    server.assert_rebuild_changes_nothing(&server.company).await;
}
