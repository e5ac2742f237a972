//! Which messages do customers get, and what became of each?

use chrono::{DateTime, Utc};
use domain::access::{Permission, Viewer};
use domain::envelope::{Position, Sealed, StreamId};
use domain::ids::{BookingId, CustomerId, MessageId, StationId};
use domain::message::{MessageChannel, MessageEvent, MessageKind, MessageStatus, SuppressedBecause};
use domain::recorded::{DomainEvent, Recorded};

use crate::engine::{
    Answer, At, Column, Condition, Fold, Kind, Order, Page, Poison, ReadError, ReadModels, Select, Slice,
    Source, Value, row, station_scope,
};

macro_rules! words {
    ($( $type:ty; )+) => { $(
        impl Column for $type {
            const KIND: Option<Kind> = Some(Kind::Text);

            fn value(&self) -> Option<Value> {
                Some(Value::Text(self.as_str().to_owned()))
            }
        }
    )+ };
}

words! {
    MessageStatus;
    SuppressedBecause;
}

impl Column for MessageId {
    const KIND: Option<Kind> = Some(Kind::Uuid);

    fn value(&self) -> Option<Value> {
        Some(Value::Uuid(self.0))
    }
}

row! {
    /// A message to a customer. What it says stays sealed.
    pub struct MessageRow in "message_list", key (message_id: MessageId) {
        /// The message.
        pub message_id: MessageId,
        /// Events of the message so far.
        pub version: i64,
        /// What for.
        pub kind: MessageKind,
        /// Where it stands.
        pub status: MessageStatus,
        /// To whom.
        pub customer_id: CustomerId,
        /// The booking that it is about.
        pub booking_id: Option<BookingId>,
        /// The station that it speaks for.
        pub station_id: Option<StationId>,
        /// When it was to go out, at the earliest.
        pub due_at: DateTime<Utc>,
        /// How it went out.
        pub channel: Option<MessageChannel>,
        /// Who took it.
        pub carrier: Option<String>,
        /// The carrier's id of it.
        pub carrier_id: Option<String>,
        /// Version of the template that it was written by; 0 for the one that comes with the program.
        pub template_version: Option<i64>,
        /// Language of that template.
        pub template_locale: Option<String>,
        /// Its subject line, sealed.
        pub subject_line: Option<Sealed>,
        /// Its words, sealed.
        pub text: Option<Sealed>,
        /// Why it does not go out.
        pub because: Option<SuppressedBecause>,
        /// Why it could not be handed over, as a stable word.
        pub code: Option<String>,
        /// When it was handed over, put away or given up.
        pub settled_at: Option<DateTime<Utc>>,
    }
}

/// The fold behind the list of messages.
pub struct MessageList;

impl Fold for MessageList {
    type Key = MessageId;
    type Row = MessageRow;
    const NAME: &'static str = "message_list";
    const VERSION: i32 = 1;
    const POISON: Poison = Poison::Park;

    fn event_types() -> &'static [&'static str] {
        &[
            "message.requested",
            "message.sent",
            "message.suppressed",
            "message.failed",
        ]
    }

    fn key(event: &Recorded) -> Option<MessageId> {
        message(event)?;
        event.stream.id.parse().ok()
    }

    fn apply(row: Option<MessageRow>, event: &Recorded) -> Option<MessageRow> {
        let Some(happened) = message(event) else {
            return row;
        };
        let version = event.sequence.0;
        match happened {
            MessageEvent::Requested(requested) => Some(MessageRow {
                message_id: Self::key(event)?,
                version,
                kind: requested.kind,
                status: MessageStatus::Requested,
                customer_id: requested.customer_id,
                booking_id: requested.booking_id,
                station_id: requested.station_id,
                due_at: requested.due_at,
                channel: None,
                carrier: None,
                carrier_id: None,
                template_version: None,
                template_locale: None,
                subject_line: None,
                text: None,
                because: None,
                code: None,
                settled_at: None,
            }),
            MessageEvent::Sent(sent) => row.map(|row| MessageRow {
                version,
                status: MessageStatus::Sent,
                channel: Some(sent.channel),
                carrier: Some(sent.carrier.clone()),
                carrier_id: sent.carrier_id.clone(),
                template_version: Some(sent.template_version),
                template_locale: sent.template_locale.as_ref().map(ToString::to_string),
                subject_line: sent.subject_line.clone(),
                text: Some(sent.text.clone()),
                code: None,
                settled_at: Some(sent.sent_at),
                ..row
            }),
            MessageEvent::Suppressed(suppressed) => row.map(|row| MessageRow {
                version,
                status: MessageStatus::Suppressed,
                because: Some(suppressed.because),
                code: None,
                settled_at: Some(suppressed.suppressed_at),
                ..row
            }),
            MessageEvent::Failed(failed) => row.map(|row| MessageRow {
                version,
                status: MessageStatus::Failed,
                code: Some(failed.code.clone()),
                settled_at: Some(failed.failed_at),
                ..row
            }),
        }
    }

    fn key_of(stream: &StreamId, _: Position) -> Option<MessageId> {
        (stream.kind == "message").then(|| stream.id.parse().ok())?
    }

    fn source(message: &MessageId) -> Source {
        Source::Stream(StreamId::new("message", message.to_string()))
    }
}

fn message(event: &Recorded) -> Option<&MessageEvent> {
    if let DomainEvent::Message(message) = &event.event {
        Some(message)
    } else {
        None
    }
}

/// Which messages to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessageFilter {
    /// To this customer.
    pub customer_id: Option<CustomerId>,
    /// About this booking.
    pub booking_id: Option<BookingId>,
    /// That stand there.
    pub status: Option<MessageStatus>,
}

impl MessageFilter {
    fn conditions(self, viewer: &Viewer) -> Vec<Condition> {
        let mut conditions = station_scope(viewer);
        conditions.extend(
            self.customer_id
                .map(|customer| Condition::Eq("customer_id", Value::Uuid(customer.0))),
        );
        conditions.extend(
            self.booking_id
                .map(|booking| Condition::Eq("booking_id", Value::Uuid(booking.0))),
        );
        conditions.extend(
            self.status
                .map(|status| Condition::Eq("status", Value::Text(status.as_str().to_owned()))),
        );
        conditions
    }
}

/// A page of messages, what was due last first.
///
/// # Errors
/// [`ReadError`] when the viewer may not see messages, or there is no answer.
pub async fn page(
    models: &ReadModels,
    viewer: &Viewer,
    filter: MessageFilter,
    slice: Slice,
    at: At,
) -> Result<Page<MessageRow>, ReadError> {
    viewer.require(Permission::MessageRead)?;
    let select = Select {
        conditions: filter.conditions(viewer),
        order: Order::descending(&["due_at", "message_id"]),
        after: slice.after,
        first: slice.first,
    };
    models.page::<MessageList>(viewer.tenant, select, at).await
}

/// How many messages there are.
///
/// # Errors
/// As [`page`].
pub async fn count(
    models: &ReadModels,
    viewer: &Viewer,
    filter: MessageFilter,
    at: At,
) -> Result<Answer<u64>, ReadError> {
    viewer.require(Permission::MessageRead)?;
    models
        .count::<MessageList>(viewer.tenant, filter.conditions(viewer), at)
        .await
}

#[cfg(test)]
mod tests {
    use domain::locale::Locale;
    use domain::message::{MessageFailed, MessageRequested, MessageSent};
    use uuid::Uuid;

    use super::*;
    use crate::testing::{BOOKING, CUSTOMER, STATION, at, fold, recorded, sealed};

    #[test]
    fn a_message_is_listed_from_when_it_was_asked_for_to_what_became_of_it() {
        let id = MessageId(Uuid::from_u128(5));
        let event =
            |position, event| recorded(position, &id.to_string(), position, DomainEvent::Message(event));
        let kind = MessageKind::EventReminder;
        let (now, later) = (at("2026-11-01T00:00:00Z"), at("2026-11-01T01:00:00Z"));
        let events = [
            event(
                1,
                MessageEvent::Requested(MessageRequested {
                    kind,
                    customer_id: CUSTOMER,
                    booking_id: Some(BOOKING),
                    station_id: Some(STATION),
                    preferred: None,
                    variables: None,
                    due_at: now,
                }),
            ),
            event(
                2,
                MessageEvent::Failed(MessageFailed {
                    kind,
                    customer_id: CUSTOMER,
                    station_id: Some(STATION),
                    attempts: 10,
                    code: "UNREACHABLE".to_owned(),
                    failed_at: later,
                }),
            ),
            event(
                3,
                MessageEvent::Sent(MessageSent {
                    kind,
                    customer_id: CUSTOMER,
                    station_id: Some(STATION),
                    channel: MessageChannel::Sms,
                    carrier: "log".to_owned(),
                    carrier_id: None,
                    template_version: 2,
                    template_locale: Some(Locale::english()),
                    subject_line: None,
                    text: sealed("text"),
                    sent_at: later,
                }),
            ),
        ];
        let row = |count: usize| fold::<MessageList>(&events[..count]).get(&id).cloned().unwrap();
        assert_eq!(
            (row(1).status, row(1).booking_id, row(1).due_at),
            (MessageStatus::Requested, Some(BOOKING), now)
        );
        assert_eq!(row(2).code.as_deref(), Some("UNREACHABLE"));
        let sent = row(3);
        assert_eq!(
            (sent.status, sent.code, sent.version),
            (MessageStatus::Sent, None, 3)
        );
        assert_eq!(
            (
                sent.template_version,
                sent.template_locale.as_deref(),
                sent.settled_at
            ),
            (Some(2), Some("en"), Some(later))
        );
    }
}
