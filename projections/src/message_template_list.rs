//! How does the company word its messages, and how did it?

use chrono::{DateTime, Utc};
use domain::access::{Permission, Viewer};
use domain::envelope::{Position, StreamId};
use domain::ids::{MessageTemplateId, UserId};
use domain::message::{MessageChannel, MessageKind};
use domain::message_template::{MessageTemplateEvent, TemplateWords};
use domain::recorded::{DomainEvent, Recorded};
use serde::{Deserialize, Serialize};

use crate::engine::{
    Answer, At, Column, Condition, Fold, Kind, Order, Page, Poison, ReadError, ReadModels, Select, Slice,
    Source, Value, row, shown_only,
};

/// Wordings of a template that its row shows, the last ones. The log has all.
const SHOWN: usize = 100;

impl Column for MessageKind {
    const KIND: Option<Kind> = Some(Kind::Text);

    fn value(&self) -> Option<Value> {
        Some(Value::Text(self.as_str().to_owned()))
    }
}

impl Column for MessageChannel {
    const KIND: Option<Kind> = Some(Kind::Text);

    fn value(&self) -> Option<Value> {
        Some(Value::Text(self.as_str().to_owned()))
    }
}

impl Column for MessageTemplateId {
    const KIND: Option<Kind> = Some(Kind::Uuid);

    fn value(&self) -> Option<Value> {
        Some(Value::Uuid(self.0))
    }
}

/// A wording of a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedWording {
    /// Which it is, from 1: what messages that were sent name.
    pub number: i64,
    /// The words.
    pub words: TemplateWords,
    /// The person of the company who wrote them.
    pub by_user: Option<UserId>,
    /// When.
    pub saved_at: DateTime<Utc>,
}

shown_only! {
    TemplateWords;
    Vec<SavedWording>;
}

row! {
    /// A template of the company's own.
    pub struct TemplateRow in "message_template_list", key (template_id: MessageTemplateId) {
        /// The template.
        pub template_id: MessageTemplateId,
        /// Events of the template so far: what a command expects of it.
        pub version: i64,
        /// Of messages of which kind.
        pub kind: MessageKind,
        /// By which channel.
        pub channel: MessageChannel,
        /// In which language.
        pub locale: String,
        /// Which wording of it is the last, from 1.
        pub number: i64,
        /// The last words.
        pub words: TemplateWords,
        /// Its wordings, the first of those that are shown first.
        pub history: Vec<SavedWording>,
        /// When it was saved last.
        pub saved_at: DateTime<Utc>,
        /// Since when it is used no more.
        pub retired_at: Option<DateTime<Utc>>,
        /// Why it is not.
        pub reason: Option<String>,
    }
}

/// The fold behind the list of templates.
pub struct MessageTemplateList;

impl Fold for MessageTemplateList {
    type Key = MessageTemplateId;
    type Row = TemplateRow;
    const NAME: &'static str = "message_template_list";
    const VERSION: i32 = 1;
    const POISON: Poison = Poison::Park;

    fn event_types() -> &'static [&'static str] {
        &["message_template.saved", "message_template.retired"]
    }

    fn key(event: &Recorded) -> Option<MessageTemplateId> {
        template(event)?;
        event.stream.id.parse().ok()
    }

    fn apply(row: Option<TemplateRow>, event: &Recorded) -> Option<TemplateRow> {
        let Some(happened) = template(event) else {
            return row;
        };
        let version = event.sequence.0;
        match happened {
            MessageTemplateEvent::Saved(saved) => {
                let mut history = row.map(|row| row.history).unwrap_or_default();
                history.push(SavedWording {
                    number: saved.number,
                    words: saved.words.clone(),
                    by_user: (event.meta.actor_kind == "user")
                        .then(|| event.meta.actor_id.parse().ok())
                        .flatten(),
                    saved_at: saved.saved_at,
                });
                let hidden = history.len().saturating_sub(SHOWN);
                Some(TemplateRow {
                    template_id: Self::key(event)?,
                    version,
                    kind: saved.template.kind,
                    channel: saved.template.channel,
                    locale: saved.template.locale.to_string(),
                    number: saved.number,
                    words: saved.words.clone(),
                    history: history.split_off(hidden),
                    saved_at: saved.saved_at,
                    retired_at: None,
                    reason: None,
                })
            }
            MessageTemplateEvent::Retired(retired) => row.map(|row| TemplateRow {
                version,
                retired_at: Some(retired.retired_at),
                reason: Some(retired.reason.clone()),
                ..row
            }),
        }
    }

    fn key_of(stream: &StreamId, _: Position) -> Option<MessageTemplateId> {
        (stream.kind == "message_template").then(|| stream.id.parse().ok())?
    }

    fn source(template: &MessageTemplateId) -> Source {
        Source::Stream(StreamId::new("message_template", template.to_string()))
    }
}

fn template(event: &Recorded) -> Option<&MessageTemplateEvent> {
    if let DomainEvent::MessageTemplate(template) = &event.event {
        Some(template)
    } else {
        None
    }
}

/// A page of templates, by what they are for. They are the company's: whoever may see messages sees all of them.
///
/// # Errors
/// [`ReadError`] when the viewer may not see messages, or there is no answer.
pub async fn page(
    models: &ReadModels,
    viewer: &Viewer,
    slice: Slice,
    at: At,
) -> Result<Page<TemplateRow>, ReadError> {
    viewer.require(Permission::MessageRead)?;
    let select = Select {
        conditions: Vec::new(),
        order: Order::ascending(&["kind", "channel", "locale", "template_id"]),
        after: slice.after,
        first: slice.first,
    };
    models
        .page::<MessageTemplateList>(viewer.tenant, select, at)
        .await
}

/// How many templates there are.
///
/// # Errors
/// As [`page`].
pub async fn count(models: &ReadModels, viewer: &Viewer, at: At) -> Result<Answer<u64>, ReadError> {
    viewer.require(Permission::MessageRead)?;
    models
        .count::<MessageTemplateList>(viewer.tenant, Vec::new(), at)
        .await
}

/// One template.
///
/// # Errors
/// As [`page`].
pub async fn one(
    models: &ReadModels,
    viewer: &Viewer,
    id: MessageTemplateId,
    at: At,
) -> Result<Answer<Option<TemplateRow>>, ReadError> {
    viewer.require(Permission::MessageRead)?;
    let conditions = vec![Condition::Eq("template_id", Value::Uuid(id.0))];
    let found = models
        .all::<MessageTemplateList>(viewer.tenant, conditions, at)
        .await?;
    Ok(found.map(|rows| rows.into_iter().next()))
}

#[cfg(test)]
mod tests {
    use domain::locale::Locale;
    use domain::message_template::{MessageTemplateRetired, MessageTemplateSaved, TemplateOf};

    use super::*;
    use crate::testing::{at, fold, recorded};

    fn of() -> TemplateOf {
        TemplateOf {
            kind: MessageKind::EventReminder,
            channel: MessageChannel::Sms,
            locale: Locale::english(),
        }
    }

    fn saved(number: i64) -> Recorded {
        let words = TemplateWords {
            subject: None,
            text: format!("wording {number}"),
        };
        let event = MessageTemplateEvent::Saved(MessageTemplateSaved {
            template: of(),
            number,
            before: None,
            words,
            saved_at: at("2026-11-01T00:00:00Z"),
        });
        recorded(
            number,
            &of().id().to_string(),
            number,
            DomainEvent::MessageTemplate(event),
        )
    }

    #[test]
    fn a_template_is_listed_with_its_last_wordings_also_once_it_is_not_used() {
        let mut events: Vec<Recorded> = (1..=102).map(saved).collect();
        let retired = MessageTemplateEvent::Retired(MessageTemplateRetired {
            template: of(),
            number: 102,
            reason: "nobody reads it".to_owned(),
            retired_at: at("2026-11-02T00:00:00Z"),
        });
        events.push(recorded(
            103,
            &of().id().to_string(),
            103,
            DomainEvent::MessageTemplate(retired),
        ));
        let row = |count: usize| {
            let rows = fold::<MessageTemplateList>(&events[..count]);
            rows.get(&of().id()).cloned().unwrap()
        };
        let used = row(102);
        assert_eq!((used.number, used.words.text.as_str()), (102, "wording 102"));
        let numbers: Vec<i64> = used.history.iter().map(|wording| wording.number).collect();
        assert_eq!(numbers, (3..=102).collect::<Vec<_>>());
        let given_up = row(103);
        assert_eq!((given_up.version, given_up.number), (103, 102));
        assert_eq!(given_up.reason.as_deref(), Some("nobody reads it"));
    }
}
