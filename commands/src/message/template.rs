//! The company's own wordings of messages: saved, given up, looked at.

use domain::access::Permission;
use domain::booking::BookingError;
use domain::decider::Decider;
use domain::ids::{BookingId, MessageTemplateId};
use domain::locale::Locale;
use domain::message::{MessageChannel, MessageKind};
use domain::message_settings::MessageSettings;
use domain::message_template::{
    MessageTemplate, MessageTemplateCommand, SmsLength, Template, TemplateError, TemplateOf, TemplatePart,
    TemplateWords, Variable, Written as WrittenWords, built_in,
};
use domain::organisation::Organisation;
use serde::Serialize;

use crate::execute::{Plan, Written, to_the_end};
use crate::organisation::organisation_id;
use crate::{Caller, CommandError, Commands, IdempotencyKey};

/// Words that messages are to be written by from now on.
#[derive(Debug, Clone, Serialize)]
pub struct TemplateSave {
    /// What for.
    pub template: TemplateOf,
    /// The version that the client saw; none opts out.
    pub expected_version: Option<i64>,
    /// The words.
    pub words: TemplateWords,
}

/// A template to use no more.
#[derive(Debug, Clone, Serialize)]
pub struct TemplateRetire {
    /// Which.
    pub template_id: MessageTemplateId,
    /// The version that the client saw; none opts out.
    pub expected_version: Option<i64>,
    /// Why.
    pub reason: String,
}

/// How a message would look.
#[derive(Debug, Clone)]
pub struct TemplatePreview {
    /// What for.
    pub template: TemplateOf,
    /// The words; those in use where there are none.
    pub words: Option<TemplateWords>,
    /// The booking that it would be about; an example where there is none.
    pub booking_id: Option<BookingId>,
}

/// What a message would say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Previewed {
    /// The words that it is written by.
    pub words: TemplateWords,
    /// Which wording of the company's template they are; 0 for the program's own, none for words that are not saved.
    pub number: Option<i64>,
    /// The message. What there is no value for stays as it is in the template.
    pub written: WrittenWords,
    /// Variables that the booking has no value for.
    pub missing: Vec<Variable>,
    /// How long it is, for a text message.
    pub sms: Option<SmsLength>,
}

/// The words that a message is written by.
pub(super) struct Chosen {
    words: TemplateWords,
    pub(super) template: Template,
    /// Which wording of the template it is; 0 for the program's own.
    pub(super) number: i64,
    /// The language of the template; none for the program's own.
    pub(super) saved_in: Option<Locale>,
}

impl Chosen {
    /// The language that it is written in.
    pub(super) fn language(&self) -> Locale {
        self.saved_in.clone().unwrap_or_default()
    }
}

impl Commands {
    /// Has messages of a kind, by a channel and in a language, written by these words from now on.
    ///
    /// # Errors
    /// `UNKNOWN_VARIABLE`, `VARIABLE_NOT_AVAILABLE`, `INVALID_TEMPLATE`, `TEMPLATE_TOO_LONG`, `NO_PAYMENT_PAGE`, `UNCHANGED`.
    pub async fn save_message_template(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        ask: TemplateSave,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::TemplateWrite)?;
            this.run(&caller, &key, "message_template_save", &ask, || async {
                let TemplateOf { kind, channel, .. } = ask.template;
                let read = ask.words.check(kind, channel).map_err(CommandError::refused)?;
                this.check_payment_page(&caller, &read).await?;
                let command = MessageTemplateCommand::Save {
                    template: ask.template.clone(),
                    words: ask.words.clone(),
                    now: this.ports.now(),
                };
                this.plan_template(&caller, ask.template.id(), ask.expected_version, command)
                    .await
            })
            .await
        })
        .await
    }

    /// Uses a template no more: messages are written by the one of another language, or by the program's own.
    ///
    /// # Errors
    /// `NOT_FOUND`, `WRONG_STATE`, `INVALID_REASON`.
    pub async fn retire_message_template(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        ask: TemplateRetire,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::TemplateWrite)?;
            this.run(&caller, &key, "message_template_retire", &ask, || async {
                let command = MessageTemplateCommand::Retire {
                    reason: ask.reason.clone(),
                    now: this.ports.now(),
                };
                this.plan_template(&caller, ask.template_id, ask.expected_version, command)
                    .await
            })
            .await
        })
        .await
    }

    async fn plan_template(
        &self,
        caller: &Caller,
        id: MessageTemplateId,
        seen: Option<i64>,
        command: MessageTemplateCommand,
    ) -> Result<Plan, CommandError> {
        let id = id.to_string();
        let loaded = self.load::<MessageTemplate>(caller, &id).await?;
        loaded.expect(seen)?;
        let events = loaded.state.decide(command).map_err(CommandError::refused)?;
        Ok(Plan::default().write::<MessageTemplate>(self, id, loaded.version, events))
    }

    async fn check_payment_page(&self, caller: &Caller, read: &Template) -> Result<(), CommandError> {
        let parts = [
            (TemplatePart::Subject, read.subject.as_ref()),
            (TemplatePart::Text, Some(&read.text)),
        ];
        let mut asking = parts.into_iter().filter(|(_, wording)| {
            let mut open = wording.iter().flat_map(|wording| wording.variables());
            open.any(|(variable, _)| variable == Variable::PaymentLink)
        });
        let Some((part, _)) = asking.next() else {
            return Ok(());
        };
        match self.messages_of(caller).await?.payment_page {
            Some(_) => Ok(()),
            None => Err(CommandError::refused(TemplateError::NoPaymentPage { part })),
        }
    }

    /// How the company writes to its customers.
    pub(crate) async fn messages_of(&self, caller: &Caller) -> Result<MessageSettings, CommandError> {
        let company = self
            .load::<Organisation>(caller, &organisation_id(caller.tenant))
            .await?;
        Ok(company.state.messages().clone())
    }

    /// What a message would say, without anything being written.
    ///
    /// # Errors
    /// As [`Self::save_message_template`]; `NOT_FOUND` for a booking that is not there.
    pub async fn preview_message_template(
        &self,
        caller: Caller,
        ask: TemplatePreview,
    ) -> Result<Previewed, CommandError> {
        caller.require(Permission::MessageRead)?;
        let TemplateOf {
            kind,
            channel,
            locale,
        } = &ask.template;
        let (template, words, number, language) = match &ask.words {
            Some(words) => {
                let read = words.check(*kind, *channel).map_err(CommandError::refused)?;
                self.check_payment_page(&caller, &read).await?;
                (read, words.clone(), None, locale.clone())
            }
            None => {
                let chosen = self
                    .template_for(&caller, *kind, *channel, std::slice::from_ref(locale))
                    .await?;
                let language = chosen.language();
                (chosen.template, chosen.words, Some(chosen.number), language)
            }
        };
        let mut values = match ask.booking_id {
            Some(booking) => self.values_of_booking(&caller, booking, &language).await?,
            None => Variable::examples(),
        };
        let mut missing = Vec::new();
        while let Some(variable) = template.missing(&values) {
            missing.push(variable);
            values.insert(variable, format!("{{{{{}}}}}", variable.as_str()));
        }
        let written = template
            .write(&values)
            .map_err(|error| CommandError::refused(TemplateError::Missing(error)))?;
        let sms = (*channel == MessageChannel::Sms).then(|| SmsLength::of(&written.text));
        Ok(Previewed {
            words,
            number,
            written,
            missing,
            sms,
        })
    }

    /// What messages about a booking have in place of their variables, for whoever may see whose it is.
    async fn values_of_booking(
        &self,
        caller: &Caller,
        id: BookingId,
        language: &Locale,
    ) -> Result<super::values::Values, CommandError> {
        caller.require(Permission::CustomerRead)?;
        let missing = || {
            let mut refused = crate::Refused::from(BookingError::NotFound);
            refused.field = vec!["bookingId"];
            refused
        };
        let booking = self.load_booking(caller, id, missing()).await?;
        let requested = booking.state.requested();
        let requested = requested.ok_or_else(|| CommandError::Refused(missing()))?;
        let mut values = self.booking_values(caller, id, language).await?;
        let contact = self.known_contact(caller, requested.customer_id).await?;
        values.extend(contact.map(|contact| (Variable::CustomerName, contact.name)));
        Ok(values)
    }

    /// The words for a message: the company's own in the first of the languages that it has them in, else the program's.
    pub(super) async fn template_for(
        &self,
        caller: &Caller,
        kind: MessageKind,
        channel: MessageChannel,
        languages: &[Locale],
    ) -> Result<Chosen, CommandError> {
        let mut looked_in = Vec::new();
        let wanted = languages.iter().flat_map(Locale::and_language);
        for locale in wanted.chain([Locale::english()]) {
            if looked_in.contains(&locale) {
                continue;
            }
            let of = TemplateOf {
                kind,
                channel,
                locale: locale.clone(),
            };
            let loaded = self.load::<MessageTemplate>(caller, &of.id().to_string()).await?;
            if let Some((number, words)) = loaded.state.in_use() {
                return Ok(Chosen {
                    template: words.parse().map_err(CommandError::refused)?,
                    words: words.clone(),
                    number,
                    saved_in: Some(locale),
                });
            }
            looked_in.push(locale);
        }
        let words = built_in(kind, channel);
        Ok(Chosen {
            template: words.parse().map_err(CommandError::refused)?,
            words,
            number: 0,
            saved_in: None,
        })
    }
}
