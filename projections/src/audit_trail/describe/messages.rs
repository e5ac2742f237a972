//! Messages in plain sentences.

use domain::message::{MessageEvent, MessageKind, MessageStatus};

use super::super::description::{Description, Told, instant};

pub(super) fn describe_message(event: &MessageEvent) -> Description {
    let status = |status: MessageStatus| Told::status(status.as_str());
    match event {
        MessageEvent::Requested(requested) => Description::of(format!(
            "A message to the customer asked for ({}), to go out at {}",
            purpose(requested.kind),
            instant(requested.due_at)
        ))
        .set("status", status(MessageStatus::Requested))
        .redacted(),
        MessageEvent::Sent(sent) => Description::of(format!(
            "A message to the customer ({}) handed over to {}, for {}",
            purpose(sent.kind),
            sent.carrier,
            sent.channel.as_str()
        ))
        .set("status", status(MessageStatus::Sent))
        .set("template_version", sent.template_version)
        .redacted(),
        MessageEvent::Suppressed(suppressed) => Description::of(format!(
            "A message to the customer ({}) does not go out: {}",
            purpose(suppressed.kind),
            suppressed.because.as_str().replace('_', " ")
        ))
        .changed(
            "status",
            Some(status(MessageStatus::Requested)),
            status(MessageStatus::Suppressed),
        ),
        MessageEvent::Failed(failed) => Description::of(format!(
            "A message to the customer ({}) could not be handed over in {} attempts ({})",
            purpose(failed.kind),
            failed.attempts,
            failed.code
        ))
        .set("status", status(MessageStatus::Failed)),
    }
}

fn purpose(kind: MessageKind) -> String {
    kind.as_str().replace('_', " ")
}
