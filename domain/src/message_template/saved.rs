//! The company's own wordings, version by version.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{TemplateError, TemplateWords};
use crate::decider::Decider;
use crate::ids::MessageTemplateId;
use crate::locale::Locale;
use crate::message::{MessageChannel, MessageKind};

crate::events! {
    /// What can happen to a template.
    pub enum MessageTemplateEvent {
        "The company worded a kind of message its own way." Saved(MessageTemplateSaved) = "message_template.saved" v 1;
        "The company's own wording is used no more." Retired(MessageTemplateRetired) = "message_template.retired" v 1;
    }
}

/// What a template is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TemplateOf {
    /// Messages of which kind.
    pub kind: MessageKind,
    /// By which channel.
    pub channel: MessageChannel,
    /// In which language.
    pub locale: Locale,
}

impl TemplateOf {
    /// The id of the template: always the same one, so that there is one at most.
    pub fn id(&self) -> MessageTemplateId {
        const TEMPLATES: Uuid = Uuid::from_u128(0x7c1d_40e9_2b6f_4a35_9d08_61f3_c5ae_8b12);
        let name = format!(
            "{}\n{}\n{}",
            self.kind.as_str(),
            self.channel.as_str(),
            self.locale
        );
        MessageTemplateId(Uuid::new_v5(&TEMPLATES, name.as_bytes()))
    }
}

/// The company worded a kind of message its own way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageTemplateSaved {
    /// What it is for.
    #[serde(flatten)]
    pub template: TemplateOf,
    /// Which wording it is, from 1: what messages that are sent name.
    pub number: i64,
    /// The words until then; absent where the program's own were used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<TemplateWords>,
    /// The words from now on.
    pub words: TemplateWords,
    /// When.
    pub saved_at: DateTime<Utc>,
}

/// The company's own wording is used no more: the one of another language is, or the program's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageTemplateRetired {
    /// What it was for.
    #[serde(flatten)]
    pub template: TemplateOf,
    /// The wording that was used until then.
    pub number: i64,
    /// Why.
    pub reason: String,
    /// When.
    pub retired_at: DateTime<Utc>,
}

/// What can be asked of a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum MessageTemplateCommand {
    /// Use these words from now on.
    Save {
        /// What for.
        template: TemplateOf,
        /// The words.
        words: TemplateWords,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// Use it no more.
    Retire {
        /// Why; 3 to 500 characters.
        reason: String,
        /// The time of asking.
        now: DateTime<Utc>,
    },
}

/// A template as the stream tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageTemplate {
    template: Option<TemplateOf>,
    number: i64,
    words: Option<TemplateWords>,
}

impl MessageTemplate {
    /// The words that are used, and which wording of it they are; none where the template is not used.
    pub fn in_use(&self) -> Option<(i64, &TemplateWords)> {
        self.words.as_ref().map(|words| (self.number, words))
    }
}

impl Decider for MessageTemplate {
    const STREAM: &'static str = "message_template";
    type Command = MessageTemplateCommand;
    type Event = MessageTemplateEvent;
    type Error = TemplateError;

    fn decide(&self, command: MessageTemplateCommand) -> Result<Vec<MessageTemplateEvent>, TemplateError> {
        Ok(vec![match command {
            MessageTemplateCommand::Save { template, words, now } => {
                words.check(template.kind, template.channel)?;
                if self.words.as_ref() == Some(&words) {
                    return Err(TemplateError::Unchanged);
                }
                MessageTemplateEvent::Saved(MessageTemplateSaved {
                    template,
                    number: self.number + 1,
                    before: self.words.clone(),
                    words,
                    saved_at: now,
                })
            }
            MessageTemplateCommand::Retire { reason, now } => {
                let template = self.template.clone().ok_or(TemplateError::NotFound)?;
                if self.words.is_none() {
                    return Err(TemplateError::Retired);
                }
                if !(3..=500).contains(&reason.trim().chars().count()) {
                    return Err(TemplateError::BadReason);
                }
                MessageTemplateEvent::Retired(MessageTemplateRetired {
                    template,
                    number: self.number,
                    reason: reason.trim().to_owned(),
                    retired_at: now,
                })
            }
        }])
    }

    fn evolve(&mut self, event: &MessageTemplateEvent) {
        match event {
            MessageTemplateEvent::Saved(saved) => {
                self.template = Some(saved.template.clone());
                self.number = saved.number;
                self.words = Some(saved.words.clone());
            }
            MessageTemplateEvent::Retired(_) => self.words = None,
        }
    }
}
