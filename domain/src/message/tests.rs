use uuid::Uuid;

use super::*;
use crate::ids::{BookingId, CustomerId};

fn request() -> MessageCommand {
    MessageCommand::Request(MessageRequested {
        kind: MessageKind::ReviewRequest,
        customer_id: CustomerId(Uuid::nil()),
        booking_id: Some(BookingId(Uuid::nil())),
        station_id: None,
        preferred: None,
        variables: None,
        due_at: "2026-11-21T00:00:00Z".parse().unwrap(),
    })
}

fn suppress() -> MessageCommand {
    MessageCommand::Suppress {
        because: SuppressedBecause::NoConsent,
        now: "2026-11-21T00:00:00Z".parse().unwrap(),
    }
}

fn fail() -> MessageCommand {
    MessageCommand::Fail {
        attempts: 10,
        code: "UNREACHABLE".to_owned(),
        now: "2026-11-21T00:00:00Z".parse().unwrap(),
    }
}

fn send() -> MessageCommand {
    MessageCommand::Send {
        handed: HandedOver {
            channel: MessageChannel::Email,
            carrier: "log".to_owned(),
            carrier_id: None,
            template_version: 0,
            template_locale: None,
            subject_line: None,
            text: Sealed {
                subject: crate::ids::SubjectId(Uuid::nil()),
                sealed: "AAAA".to_owned(),
            },
        },
        now: "2026-11-21T00:00:00Z".parse().unwrap(),
    }
}

fn after(commands: impl IntoIterator<Item = MessageCommand>) -> Message {
    commands
        .into_iter()
        .fold(Message::default(), |mut message, command| {
            message.evolve(&message.decide(command).unwrap()[0]);
            message
        })
}

#[test]
fn a_message_is_asked_for_once() {
    let message = after([request()]);
    assert_eq!(message.decide(request()), Err(MessageError::Exists));
    assert!(message.requested().is_some());
}

#[test]
fn a_message_goes_out_once_or_not_at_all() {
    assert_eq!(Message::default().decide(send()), Err(MessageError::NotFound));
    let sent = after([request(), send()]);
    assert_eq!(sent.status(), Some(MessageStatus::Sent));
    assert_eq!(sent.decide(send()), Err(MessageError::Settled("sent")));
    let suppressed = after([request(), suppress()]);
    assert_eq!(
        suppressed.decide(fail()),
        Err(MessageError::Settled("suppressed"))
    );
}

#[test]
fn a_message_that_nobody_took_may_still_go_out() {
    let late = after([request(), fail(), send()]);
    assert_eq!(late.status(), Some(MessageStatus::Sent));
}

#[test]
fn the_same_cause_asks_for_the_same_message_and_another_kind_for_another() {
    let [request, reminder, ..] = MessageKind::ALL;
    assert_eq!(request.message("a"), request.message("a"));
    assert_ne!(request.message("a"), reminder.message("a"));
    assert_ne!(request.message("a"), request.message("b"));
}
