//! How a company words its messages.

use async_graphql::{Context, Description, Enum, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use commands::message::{TemplatePreview, TemplateRetire, TemplateSave};
use commands::{CommandError, Written};
use domain::decider::Decider;
use domain::ids::{BookingId, MessageTemplateId};
use domain::message_template::{
    MessageTemplate as Aggregate, SmsAlphabet as DomainAlphabet, SmsLength as DomainLength, TemplateOf,
    TemplateWords,
};
use projections::message_template_list::{self, SavedWording, TemplateRow};

use super::{MessageChannel, MessageKind, language};
use crate::graphql::connection::{connection, counter, payload};
use crate::graphql::error::{UserError, outcome, unread};
use crate::graphql::id::{global, local};
use crate::graphql::read::{AsOf, Freshness, after as read_after, at, cost, slice};
use crate::graphql::session::{app, caller, under_key, viewer};

/// In which alphabet a text message is sent.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainAlphabet")]
pub(in crate::graphql) enum SmsAlphabet {
    /// The seven-bit one of telephones: 160 characters a part.
    Gsm7,
    /// Unicode, for whatever is not in it: 70 characters a part.
    Ucs2,
}

/// How long a text message is.
#[derive(SimpleObject)]
pub(in crate::graphql) struct SmsLength {
    /// In which alphabet it is sent: one character outside of the shorter one makes all of them longer.
    alphabet: SmsAlphabet,
    /// Its length in places of that alphabet.
    length: i32,
    /// Of how many parts it is: what it costs.
    parts: i32,
}

impl From<DomainLength> for SmsLength {
    fn from(length: DomainLength) -> Self {
        Self {
            alphabet: length.alphabet.into(),
            length: i32::try_from(length.length).unwrap_or(i32::MAX),
            parts: i32::try_from(length.parts).unwrap_or(i32::MAX),
        }
    }
}

/// A wording of a template.
#[derive(Description)]
pub(in crate::graphql) struct MessageTemplateVersion(SavedWording);

#[Object(use_type_description)]
impl MessageTemplateVersion {
    /// Which it is, from 1: what messages that were sent name.
    async fn number(&self) -> i32 {
        i32::try_from(self.0.number).unwrap_or(i32::MAX)
    }
    /// Its subject line; of mail alone.
    async fn subject(&self) -> Option<&str> {
        self.0.words.subject.as_deref()
    }
    /// Its words.
    async fn text(&self) -> &str {
        &self.0.words.text
    }
    /// Opaque id of the user who wrote it.
    async fn by(&self) -> Option<ID> {
        self.0.by_user.map(global)
    }
    /// When.
    async fn saved_at(&self) -> DateTime<Utc> {
        self.0.saved_at
    }
}

/// The company's own words for messages of a kind, by a channel and in a language. Needs message:read.
#[derive(Clone, Description)]
pub(in crate::graphql) struct MessageTemplate(TemplateRow);

#[Object(use_type_description)]
impl MessageTemplate {
    /// Opaque id.
    async fn id(&self) -> ID {
        global(self.0.template_id)
    }
    /// Number of changes so far: what `expectedVersion` compares.
    async fn version(&self) -> i32 {
        i32::try_from(self.0.version).unwrap_or(i32::MAX)
    }
    /// Of messages of which kind.
    async fn kind(&self) -> MessageKind {
        self.0.kind.into()
    }
    /// By which channel.
    async fn channel(&self) -> MessageChannel {
        self.0.channel.into()
    }
    /// In which language, as BCP 47 names it.
    async fn locale(&self) -> &str {
        &self.0.locale
    }
    /// Which wording of it is the last, from 1.
    async fn number(&self) -> i32 {
        i32::try_from(self.0.number).unwrap_or(i32::MAX)
    }
    /// The subject line; of mail alone.
    async fn subject(&self) -> Option<&str> {
        self.0.words.subject.as_deref()
    }
    /// The words, variables in double braces.
    async fn text(&self) -> &str {
        &self.0.words.text
    }
    /// The last hundred wordings, the earliest first. The audit trail has all.
    async fn versions(&self) -> Vec<MessageTemplateVersion> {
        self.0
            .history
            .iter()
            .cloned()
            .map(MessageTemplateVersion)
            .collect()
    }
    /// When it was saved last.
    async fn saved_at(&self) -> DateTime<Utc> {
        self.0.saved_at
    }
    /// Since when it is used no more; null while it is.
    async fn retired_at(&self) -> Option<DateTime<Utc>> {
        self.0.retired_at
    }
    /// Why it is not.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }
}

connection!(
    MessageTemplateConnection,
    MessageTemplateEdge,
    MessageTemplate,
    "The company's own templates, by what they are for."
);

/// What a message would say. Nothing is written and nothing goes out.
#[derive(SimpleObject)]
pub(in crate::graphql) struct MessageTemplatePreview {
    /// The subject line with values in place of its variables.
    subject: Option<String>,
    /// The words with values in place of their variables. What there is no value for stays as it is.
    text: Option<String>,
    /// Variables that the booking has no value for.
    missing: Vec<String>,
    /// How long it is, for a text message.
    sms: Option<SmsLength>,
    /// The subject line as it is in the template.
    template_subject: Option<String>,
    /// The words as they are in the template.
    template_text: Option<String>,
    /// Which wording of the company's template it is; 0 for the one that comes with the program, null for words that are
    /// not saved.
    number: Option<i32>,
    /// Why messages cannot be written so; empty when they can.
    user_errors: Vec<UserError>,
}

impl MessageTemplatePreview {
    fn refused(error: UserError) -> Self {
        Self {
            subject: None,
            text: None,
            missing: Vec::new(),
            sms: None,
            template_subject: None,
            template_text: None,
            number: None,
            user_errors: vec![error],
        }
    }
}

/// What to look at.
#[derive(InputObject)]
pub(in crate::graphql) struct MessageTemplatePreviewInput {
    /// Messages of which kind.
    kind: MessageKind,
    /// By which channel.
    channel: MessageChannel,
    /// In which language, as BCP 47 names it: `en`, `es-MX`.
    #[graphql(default = "en")]
    locale: String,
    /// The subject line, with `text`; of mail alone.
    subject: Option<String>,
    /// The words; those in use where absent.
    text: Option<String>,
    /// Opaque id of the booking that it would be about; an example where absent. Needs customer:read.
    booking_id: Option<ID>,
}

/// Questions about templates.
#[derive(Default)]
pub(in crate::graphql) struct MessageTemplateQuery;

#[Object]
impl MessageTemplateQuery {
    /// The company's own templates, by what they are for, those too that are used no more. Messages without one are written
    /// by the words that come with the program. Needs message:read.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn message_templates(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor that the page comes after.")] after: Option<String>,
        #[graphql(desc = "As of a time in the past: the same answer for ever. Not with `fresh`.")]
        as_of: Option<AsOf>,
        #[graphql(desc = "How fresh the answer must be. Not with `asOf`.")] fresh: Option<Freshness>,
    ) -> Result<MessageTemplateConnection> {
        let at = at(ctx, as_of, fresh).await?;
        let (views, viewer) = (&app(ctx).views, viewer(ctx)?);
        let slice = slice(first, after)?;
        let previous = slice.after.is_some();
        let page = message_template_list::page(views, viewer, slice, at)
            .await
            .map_err(unread)?;
        let counter = counter(
            (views.clone(), viewer.clone()),
            move |(views, viewer)| async move { message_template_list::count(&views, &viewer, at).await },
        );
        Ok(MessageTemplateConnection::new(
            page,
            previous,
            counter,
            MessageTemplate,
        ))
    }

    /// What a message would say, by these words or by those in use. Needs message:read; with a booking, customer:read.
    async fn message_template_preview(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to look at.")] input: MessageTemplatePreviewInput,
    ) -> Result<MessageTemplatePreview> {
        let caller = caller(ctx)?;
        let locale = match language(&input.locale) {
            Ok(locale) => locale,
            Err(refused) => return Ok(MessageTemplatePreview::refused(refused)),
        };
        // What is not one of ours is no booking.
        let booking = |id: ID| local(&id).unwrap_or(BookingId(uuid::Uuid::nil()));
        let subject = input.subject;
        let ask = TemplatePreview {
            template: TemplateOf {
                kind: input.kind.into(),
                channel: input.channel.into(),
                locale,
            },
            words: input.text.map(|text| TemplateWords { subject, text }),
            booking_id: input.booking_id.map(booking),
        };
        let done = app(ctx).commands.preview_message_template(caller, ask).await;
        Ok(match outcome(done)? {
            Ok(seen) => MessageTemplatePreview {
                subject: seen.written.subject,
                text: Some(seen.written.text),
                missing: seen
                    .missing
                    .iter()
                    .map(|variable| variable.as_str().to_owned())
                    .collect(),
                sms: seen.sms.map(Into::into),
                template_subject: seen.words.subject,
                template_text: Some(seen.words.text),
                number: seen
                    .number
                    .map(|number| i32::try_from(number).unwrap_or(i32::MAX)),
                user_errors: Vec::new(),
            },
            Err(refused) => MessageTemplatePreview::refused(refused),
        })
    }
}

/// Words to write messages by.
#[derive(InputObject)]
pub(in crate::graphql) struct MessageTemplateSaveInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
    /// Messages of which kind.
    kind: MessageKind,
    /// By which channel.
    channel: MessageChannel,
    /// In which language, as BCP 47 names it: `en`, `es-MX`.
    #[graphql(default = "en")]
    locale: String,
    /// The subject line, at most 200 characters; of mail alone, which has one.
    subject: Option<String>,
    /// The words. In double braces: customer_name, event_date, event_time, guest_count, chef_name, total_amount,
    /// deposit_amount, balance_due, booking_id, payment_link, in messages about reviews review_link, and in those about
    /// refunds refund_amount. At most 20,000 characters of mail, 3,500 by WhatsApp, and ten parts of a text message.
    text: String,
}

/// A template to use no more.
#[derive(InputObject)]
pub(in crate::graphql) struct MessageTemplateRetireInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// The template.
    message_template_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
    /// Why; 3 to 500 characters.
    reason: String,
}

payload!(MessageTemplatePayload, message_template: MessageTemplate);

impl MessageTemplatePayload {
    async fn of(ctx: &Context<'_>, done: std::result::Result<Written, CommandError>) -> Result<Self> {
        let written = match outcome(done)? {
            Ok(written) => written,
            Err(refused) => return Ok(Self::refused(refused)),
        };
        let Ok(id) = written.id_of(Aggregate::STREAM).parse::<MessageTemplateId>() else {
            return Ok(Self::written(None, &written));
        };
        let at = read_after(written.position);
        let found = message_template_list::one(&app(ctx).views, viewer(ctx)?, id, at)
            .await
            .map_err(unread)?;
        Ok(Self::written(found.value.map(MessageTemplate), &written))
    }
}

/// Commands on templates.
#[derive(Default)]
pub(in crate::graphql) struct MessageTemplateMutation;

#[Object]
impl MessageTemplateMutation {
    /// Has messages of a kind, by a channel and in a language, written by these words from now on. What is refused says where
    /// in the text. Needs template:write.
    async fn message_template_save(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")]
        input: MessageTemplateSaveInput,
    ) -> Result<MessageTemplatePayload> {
        let caller = caller(ctx)?;
        let locale = match language(&input.locale) {
            Ok(locale) => locale,
            Err(refused) => return Ok(MessageTemplatePayload::refused(refused)),
        };
        let ask = TemplateSave {
            template: TemplateOf {
                kind: input.kind.into(),
                channel: input.channel.into(),
                locale,
            },
            expected_version: input.expected_version.map(i64::from),
            words: TemplateWords {
                subject: input.subject,
                text: input.text,
            },
        };
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx).commands.save_message_template(caller, key, ask)
        })
        .await;
        MessageTemplatePayload::of(ctx, done).await
    }

    /// Uses a template no more: messages are written by the one of another language that fits, or by the words that come with
    /// the program. Needs template:write.
    async fn message_template_retire(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")]
        input: MessageTemplateRetireInput,
    ) -> Result<MessageTemplatePayload> {
        let caller = caller(ctx)?;
        let Some(template_id) = local::<MessageTemplateId>(&input.message_template_id) else {
            let unknown = UserError::not_found("messageTemplateId", "template");
            return Ok(MessageTemplatePayload::refused(unknown));
        };
        let ask = TemplateRetire {
            template_id,
            expected_version: input.expected_version.map(i64::from),
            reason: input.reason,
        };
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx).commands.retire_message_template(caller, key, ask)
        })
        .await;
        MessageTemplatePayload::of(ctx, done).await
    }
}
