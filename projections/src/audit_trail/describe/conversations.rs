//! Conversations in plain sentences. What is said is personal, and left out.

use domain::conversation::{ConversationEvent, SilencedBy};

use super::super::description::{Description, Told};

pub(super) fn describe_conversation(event: &ConversationEvent) -> Description {
    let assistant = |before: &str, after: &str| (Some(Told::status(before)), Told::status(after));
    match event {
        ConversationEvent::Started(started) => Description::of(format!(
            "A conversation with a customer began ({})",
            started.channel.as_str()
        ))
        .set("channel", started.channel.as_str())
        .set("assistant", Told::status("active")),
        ConversationEvent::MessagePosted(posted) => {
            let about = posted
                .intent
                .map(|intent| format!(", about {}", intent.as_str()))
                .unwrap_or_default();
            let word = posted
                .human_word
                .map(|word| format!("; only a person may answer: {}", word.as_str()))
                .unwrap_or_default();
            Description::of(format!(
                "Message of the {} posted{about}{word}",
                posted.author.as_str()
            ))
            .redacted()
        }
        ConversationEvent::AssistantSilenced(silenced) => {
            let why = match silenced.by {
                SilencedBy::Escalation => "a person is called for",
                SilencedBy::Person => "a person has taken the conversation over",
            };
            let (before, after) = assistant("active", "silent");
            Description::of(format!("The assistant is silent: {why}"))
                .changed("assistant", before, after)
                .set("escalation", silenced.escalation_id.to_string())
        }
        ConversationEvent::AssistantResumed(resumed) => {
            let (before, after) = assistant("silent", "active");
            Description::of(format!("The assistant may answer again, {}", resumed.by.as_str())).changed(
                "assistant",
                before,
                after,
            )
        }
        ConversationEvent::AnswerSent(sent) => Description::of(format!(
            "Answer sent to the customer ({}, by {})",
            sent.channel.as_str(),
            sent.carrier
        )),
        ConversationEvent::AnswerUndelivered(lost) => {
            let code = lost
                .code
                .as_ref()
                .map(|code| format!(", {code}"))
                .unwrap_or_default();
            Description::of(format!(
                "Answer did not reach the customer: {}{code}",
                lost.because.as_str()
            ))
        }
    }
}
