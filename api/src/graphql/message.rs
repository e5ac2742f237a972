//! Messages to customers.

mod settings;
mod template;

use async_graphql::{Context, Description, Enum, ID, InputObject, Object, Result};
use chrono::{DateTime, Utc};
use domain::decider::Decider;
use domain::envelope::{Sealed, StreamId};
use domain::ids::{BookingId, CustomerId};
use domain::message::{
    Message as Aggregate, MessageChannel as DomainChannel, MessageKind as DomainKind,
    MessageStatus as DomainStatus, SuppressedBecause as DomainBecause,
};
use projections::message_list::{self, MessageFilter as Filter, MessageRow};

use super::connection::{connection, counter};
use super::error::{UserError, unread};
use super::id::{global, local};
use super::loaders::Loaders;
use super::read::{AsOf, Freshness, at, cost, slice};
use super::session::{app, viewer};

pub(super) use settings::{MessageSettingsMutation, MessageSettingsQuery};
pub(super) use template::{MessageTemplateMutation, MessageTemplateQuery};

/// What a message is for.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainKind")]
pub(super) enum MessageKind {
    /// How was it? With a link to say so.
    ReviewRequest,
    /// The same question again, to whom has not answered.
    ReviewReminder,
    /// The deposit has come: the party will be held.
    BookingConfirmed,
    /// The deposit has not come, and will soon be too late.
    DepositReminder,
    /// The party is tomorrow.
    EventReminder,
    /// Prices change; the booking keeps its own. Goes to customers who agreed to be written to.
    PriceChanged,
    /// Money was given back.
    RefundGiven,
    /// The party was called off.
    BookingCancelled,
}

/// How a message reaches a customer.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainChannel")]
pub(super) enum MessageChannel {
    /// E-mail.
    Email,
    /// Text message.
    Sms,
    /// WhatsApp.
    Whatsapp,
}

/// Where a message stands.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainStatus")]
pub(super) enum MessageStatus {
    /// It waits to go out.
    Requested,
    /// It was handed over.
    Sent,
    /// It does not go out.
    Suppressed,
    /// Nobody took it; its job may be tried again.
    Failed,
}

/// Why a message does not go out.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainBecause")]
pub(super) enum MessageSuppression {
    /// The customer's data is gone.
    Erased,
    /// The customer has given no address that this installation can reach.
    NoAddress,
    /// There is an address, and nobody here who takes messages to such.
    NoCarrier,
    /// The only way there is one that the customer has not agreed to.
    NoConsent,
    /// What it would tell is over.
    TooLate,
}

/// A message to a customer. Needs message:read.
#[derive(Clone, Description)]
pub(super) struct OutgoingMessage(MessageRow);

impl OutgoingMessage {
    async fn open(
        &self,
        ctx: &Context<'_>,
        field: &'static str,
        sealed: Option<&Sealed>,
    ) -> Result<Option<String>> {
        let Some(sealed) = sealed else { return Ok(None) };
        let stream = StreamId::new(Aggregate::STREAM, self.0.message_id.to_string());
        let text = ctx
            .data_unchecked::<Loaders>()
            .text_or_erased(stream, field, sealed)
            .await?;
        Ok(Some(text))
    }
}

#[Object(use_type_description)]
impl OutgoingMessage {
    /// Opaque id.
    async fn id(&self) -> ID {
        global(self.0.message_id)
    }
    /// What for.
    async fn kind(&self) -> MessageKind {
        self.0.kind.into()
    }
    /// Where it stands.
    async fn status(&self) -> MessageStatus {
        self.0.status.into()
    }
    /// Opaque id of the customer.
    async fn customer_id(&self) -> ID {
        global(self.0.customer_id)
    }
    /// Opaque id of the booking that it is about.
    async fn booking_id(&self) -> Option<ID> {
        self.0.booking_id.map(global)
    }
    /// Opaque id of the station that it speaks for.
    async fn station_id(&self) -> Option<ID> {
        self.0.station_id.map(global)
    }
    /// When it was to go out, at the earliest. A text message waits for the end of the quiet hours.
    async fn due_at(&self) -> DateTime<Utc> {
        self.0.due_at
    }
    /// How it went out; null while it did not.
    async fn channel(&self) -> Option<MessageChannel> {
        self.0.channel.map(Into::into)
    }
    /// Who took it; `log` for the program's own log, which takes it nowhere.
    async fn carrier(&self) -> Option<&str> {
        self.0.carrier.as_deref()
    }
    /// The carrier's id of it, where it gave one.
    async fn carrier_id(&self) -> Option<&str> {
        self.0.carrier_id.as_deref()
    }
    /// Which wording of its template it was written by; 0 for the one that comes with the program.
    async fn template_number(&self) -> Option<i32> {
        let number = self.0.template_version?;
        Some(i32::try_from(number).unwrap_or(i32::MAX))
    }
    /// Language of that template; null for the one that comes with the program.
    async fn template_locale(&self) -> Option<&str> {
        self.0.template_locale.as_deref()
    }
    /// Its subject line, of mail that went out; `[erased]` once the customer's data is gone.
    async fn subject(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        self.open(ctx, "subject_line", self.0.subject_line.as_ref()).await
    }
    /// What it says, once it went out; `[erased]` once the customer's data is gone.
    async fn text(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        self.open(ctx, "text", self.0.text.as_ref()).await
    }
    /// Why it does not go out.
    async fn suppressed_because(&self) -> Option<MessageSuppression> {
        self.0.because.map(Into::into)
    }
    /// Why nobody took it, as a stable word: `UNREACHABLE`, `REFUSED`, `MISSING_VARIABLE`.
    async fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }
    /// When it was handed over, put away or given up.
    async fn settled_at(&self) -> Option<DateTime<Utc>> {
        self.0.settled_at
    }
}

connection!(
    OutgoingMessageConnection,
    OutgoingMessageEdge,
    OutgoingMessage,
    "Messages to customers, what was due last first."
);

/// Which messages.
#[derive(Default, InputObject)]
pub(super) struct MessageFilter {
    /// Opaque id of the customer whom they are to.
    customer_id: Option<ID>,
    /// Opaque id of the booking that they are about.
    booking_id: Option<ID>,
    /// That stand there.
    status: Option<MessageStatus>,
}

impl MessageFilter {
    /// What is not one of ours finds nothing.
    fn read(self) -> Filter {
        let nobody = uuid::Uuid::nil();
        Filter {
            customer_id: self
                .customer_id
                .map(|id| local(&id).unwrap_or(CustomerId(nobody))),
            booking_id: self.booking_id.map(|id| local(&id).unwrap_or(BookingId(nobody))),
            status: self.status.map(DomainStatus::from),
        }
    }
}

/// Questions about messages.
#[derive(Default)]
pub(super) struct MessageQuery;

#[Object]
impl MessageQuery {
    /// Messages to customers within reach, what was due last first. Needs message:read.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn messages(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor that the page comes after.")] after: Option<String>,
        #[graphql(desc = "Which messages; all that are in reach otherwise.")] filter: Option<MessageFilter>,
        #[graphql(desc = "As of a time in the past: the same answer for ever. Not with `fresh`.")]
        as_of: Option<AsOf>,
        #[graphql(desc = "How fresh the answer must be. Not with `asOf`.")] fresh: Option<Freshness>,
    ) -> Result<OutgoingMessageConnection> {
        let (views, viewer) = (&app(ctx).views, viewer(ctx)?);
        let filter = filter.unwrap_or_default().read();
        let at = at(ctx, as_of, fresh).await?;
        let slice = slice(first, after)?;
        let previous = slice.after.is_some();
        let page = message_list::page(views, viewer, filter.clone(), slice, at)
            .await
            .map_err(unread)?;
        let counter = counter(
            (views.clone(), viewer.clone(), filter),
            move |(views, viewer, filter)| async move { message_list::count(&views, &viewer, filter, at).await },
        );
        Ok(OutgoingMessageConnection::new(
            page,
            previous,
            counter,
            OutgoingMessage,
        ))
    }
}

/// The language of a tag.
pub(super) fn language(tag: &str) -> std::result::Result<domain::locale::Locale, UserError> {
    domain::locale::Locale::parse(tag).ok_or_else(|| {
        UserError::new(
            "INVALID_LOCALE",
            &["locale"],
            "a language is two or three lower-case letters, and two upper-case ones of a country after a hyphen",
        )
    })
}
