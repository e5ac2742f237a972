//! Escalations in plain sentences.

use domain::escalation::{EscalationEvent, EscalationStatus};
use domain::ids::UserId;

use super::super::description::{Description, Told, instant};

pub(super) fn describe_escalation(event: &EscalationEvent) -> Description {
    let status = |status: EscalationStatus| Told::status(status.as_str());
    match event {
        EscalationEvent::Opened(opened) => Description::of(format!(
            "A person is called for ({}), severity {}, to be seen to by {}",
            opened.source.as_str(),
            opened.severity.number(),
            instant(opened.target_at)
        ))
        .because(Some(&opened.reason))
        .set("status", status(EscalationStatus::Open))
        .set("severity", i32::from(opened.severity.number()))
        .set("target_at", opened.target_at),
        EscalationEvent::Assigned(assigned) => {
            Description::of("The escalation assigned to a person".to_owned()).changed(
                "assignee",
                assigned.before.as_ref().map(UserId::to_string),
                assigned.assignee.to_string(),
            )
        }
        EscalationEvent::Joined(joined) => {
            Description::of("A person has taken the escalation over".to_owned())
                .changed(
                    "status",
                    Some(status(joined.was)),
                    status(EscalationStatus::Joined),
                )
                .set("assignee", joined.by.to_string())
        }
        EscalationEvent::Resolved(resolved) => Description::of(match resolved.ended_by {
            None => format!("The escalation resolved after {} minutes", resolved.minutes_open),
            Some(_) => format!(
                "The escalation ended by itself after {} minutes",
                resolved.minutes_open
            ),
        })
        .because(Some(&resolved.note))
        .changed(
            "status",
            Some(status(resolved.was)),
            status(EscalationStatus::Resolved),
        ),
        EscalationEvent::AssistantResumed(resumed) => {
            let described =
                Description::of(format!("The assistant may answer again, {}", resumed.by.as_str()));
            if resumed.was == resumed.status {
                described
            } else {
                described.changed("status", Some(status(resumed.was)), status(resumed.status))
            }
        }
        EscalationEvent::Surveyed(surveyed) => Description::of(format!(
            "The customer gives how the escalation was seen to {} of 5",
            surveyed.score
        ))
        .set("score", i32::from(surveyed.score)),
    }
}
