//! The story of one aggregate, event by event, with its state before and after each.

mod find;
mod json;
mod text;
mod woven;

use std::io::Write;

use chrono::SecondsFormat;
use chrono_tz::Tz;
use domain::booking::Booking;
use domain::decider::{Decider, DecodeError, Event};
use domain::envelope::{StoredEvent, StreamId};
use domain::ids::TenantId;
use domain::payment::Payment;
use domain::price_list::PriceList;
use domain::recorded::{KindVisitor, visit_kind};
use domain::station::Station;
use event_log::{EventLog, LogError};
use projections::audit_trail::AuditRow;
use serde_json::Value;

pub use self::find::{Asked, BadStream};
use crate::moment::ReplayError;
use crate::personal::Personal;
use crate::show::Format;

/// A field of an aggregate's state that an event changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateChange {
    /// Where it is, with dots where it is inside another.
    pub path: String,
    /// What it was; none where it was not there.
    pub before: Option<Value>,
    /// What it is; none where it is not there any more.
    pub after: Option<Value>,
}

/// One event of a story.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The stream that it is of: the story's own, or one that belongs to the booking.
    pub stream: StreamId,
    /// Its place in that stream, from 1.
    pub sequence: i64,
    /// What happened, as the audit trail tells it.
    pub entry: AuditRow,
    /// The station's time when it was recorded, with its offset; none where no station is known.
    pub local_time: Option<String>,
    /// The aggregate before it, without personal data; none before its first event.
    pub before: Option<Value>,
    /// The aggregate after it, without personal data.
    pub after: Value,
    /// What differs between the two.
    pub state: Vec<StateChange>,
}

/// The story of one aggregate.
#[derive(Debug, Clone, PartialEq)]
pub struct Story {
    /// Its stream.
    pub stream: StreamId,
    /// The zone of its station; none where it has none.
    pub zone: Option<Tz>,
    /// Its events and those woven in, in the order of the log.
    pub steps: Vec<Step>,
}

/// Why there is no story.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The log has no such stream.
    #[error("there is no stream {0}")]
    NoStream(StreamId),
    /// There is nothing of that kind.
    #[error("there is no kind of stream {kind}; there are: {}", kinds().join(", "))]
    NoKind {
        /// What was asked for.
        kind: String,
    },
    /// An event that this program cannot read.
    #[error("position {position}: {error}")]
    Unreadable {
        /// Where it is.
        position: domain::envelope::Position,
        /// What does not fit.
        error: DecodeError,
    },
    /// No booking, or more than one, has the number.
    #[error(transparent)]
    Stream(#[from] BadStream),
    /// The log did not answer, or the story could not be written.
    #[error(transparent)]
    Replay(#[from] ReplayError),
}

impl From<LogError> for HistoryError {
    fn from(error: LogError) -> Self {
        Self::Replay(error.into())
    }
}

/// The kinds of streams that there are.
fn kinds() -> Vec<&'static str> {
    let mut kinds: Vec<&str> = domain::recorded::catalogue()
        .into_iter()
        .filter_map(|event| event.name.split_once('.'))
        .map(|(kind, _)| kind)
        .collect();
    kinds.dedup();
    kinds
}

/// What is told beside the stream itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Related {
    /// Nothing.
    Left,
    /// What belongs to a booking in other streams: its payments, documents, messages, review, escalations, work items, jobs and
    /// lead.
    Woven,
}

/// The story of a stream.
///
/// # Errors
/// [`HistoryError`] when there is no such stream, or it cannot be read.
pub async fn history(
    log: &EventLog,
    tenant: TenantId,
    stream: StreamId,
    related: Related,
    personal: &Personal,
) -> Result<Story, HistoryError> {
    let streams = match (related, stream.kind.as_ref()) {
        (Related::Woven, Booking::STREAM) => woven::belonging(log, tenant, &stream).await?,
        (Related::Woven | Related::Left, _) => Vec::new(),
    };
    story(log, tenant, stream, &streams, personal).await
}

/// The story of a stream, with those of others woven in.
///
/// # Errors
/// As [`history`].
pub async fn story(
    log: &EventLog,
    tenant: TenantId,
    stream: StreamId,
    related: &[StreamId],
    personal: &Personal,
) -> Result<Story, HistoryError> {
    let mut steps = steps(log, tenant, &stream, personal).await?;
    let zone = zone(log, tenant, &stream, &steps).await?;
    for related in related {
        steps.extend(self::steps(log, tenant, related, personal).await?);
    }
    steps.sort_by_key(|step| step.entry.position);
    for step in &mut steps {
        step.local_time = zone.map(|zone| {
            let local = step.entry.recorded_at.with_timezone(&zone);
            local.to_rfc3339_opts(SecondsFormat::Secs, false)
        });
    }
    Ok(Story { stream, zone, steps })
}

async fn steps(
    log: &EventLog,
    tenant: TenantId,
    stream: &StreamId,
    personal: &Personal,
) -> Result<Vec<Step>, HistoryError> {
    let no_kind = || HistoryError::NoKind {
        kind: stream.kind.to_string(),
    };
    visit_kind(&stream.kind, Known).ok_or_else(no_kind)?;
    let events = log.read_stream(tenant, stream).await?;
    if events.is_empty() {
        return Err(HistoryError::NoStream(stream.clone()));
    }
    let states = visit_kind(&stream.kind, States(&events)).ok_or_else(no_kind)??;
    let mut before = None;
    let mut steps = Vec::with_capacity(events.len());
    for (event, state) in events.iter().zip(states) {
        let after = personal.hide(state);
        steps.push(Step {
            stream: stream.clone(),
            sequence: event.sequence.0,
            entry: crate::diff::told(event)?,
            local_time: None,
            state: changed(before.as_ref(), &after),
            before: before.replace(after.clone()),
            after,
        });
    }
    Ok(steps)
}

/// Whether there is such a kind of stream.
struct Known;

impl KindVisitor for Known {
    type Output = ();

    fn visit<D: Decider>(self) {}
}

/// An aggregate after each of its events, as JSON.
struct States<'a>(&'a [StoredEvent]);

impl KindVisitor for States<'_> {
    type Output = Result<Vec<Value>, HistoryError>;

    fn visit<D: Decider>(self) -> Self::Output {
        let mut aggregate = D::default();
        let after = |stored: &StoredEvent| {
            let event = D::Event::decode(&stored.event_type, stored.event_version, &stored.payload);
            aggregate.evolve(&event.map_err(|error| HistoryError::Unreadable {
                position: stored.position,
                error,
            })?);
            Ok(serde_json::to_value(&aggregate).expect("states have a JSON form"))
        };
        self.0.iter().map(after).collect()
    }
}

/// The zone of the station that a story belongs to.
async fn zone(
    log: &EventLog,
    tenant: TenantId,
    stream: &StreamId,
    steps: &[Step],
) -> Result<Option<Tz>, HistoryError> {
    let Some(last) = steps.last() else { return Ok(None) };
    let of = |state: &Value, path: &str| {
        let zone = state.pointer(path).and_then(Value::as_str);
        zone.and_then(|zone| zone.parse::<Tz>().ok())
    };
    let station = match stream.kind.as_ref() {
        Booking::STREAM => return Ok(of(&last.after, "/requested/start/zone")),
        Station::STREAM => return Ok(of(&last.after, "/created/zone")),
        Payment::STREAM => last
            .after
            .pointer("/terms/booking/station_id")
            .and_then(Value::as_str),
        PriceList::STREAM => Some(stream.id.as_str()),
        _ => None,
    };
    let Some(station) = station else { return Ok(None) };
    let station = StreamId::new(Station::STREAM, station);
    let events = log.read_stream(tenant, &station).await?;
    let states = visit_kind(&station.kind, States(&events)).transpose()?;
    Ok(states
        .unwrap_or_default()
        .last()
        .and_then(|state| of(state, "/created/zone")))
}

/// What differs between two states, leaf by leaf; lists are leaves. What is new and nothing is left out.
fn changed(before: Option<&Value>, after: &Value) -> Vec<StateChange> {
    let mut changes = Vec::new();
    compare("", before.unwrap_or(&Value::Null), after, &mut changes);
    changes
}

fn compare(path: &str, before: &Value, after: &Value, changes: &mut Vec<StateChange>) {
    let empty = serde_json::Map::new();
    let (old, new) = match (before, after) {
        (Value::Object(old), Value::Object(new)) => (old, new),
        (Value::Null, Value::Object(new)) => (&empty, new),
        (Value::Object(old), Value::Null) => (old, &empty),
        _ => {
            if before != after && !(before.is_null() && is_nothing(after)) {
                let some = |value: &Value| (!value.is_null()).then(|| value.clone());
                changes.push(StateChange {
                    path: path.to_owned(),
                    before: some(before),
                    after: some(after),
                });
            }
            return;
        }
    };
    let more = new.keys().filter(|name| !old.contains_key(*name));
    for name in old.keys().chain(more) {
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        let of = |fields: &serde_json::Map<String, Value>| fields.get(name).cloned().unwrap_or_default();
        compare(&path, &of(old), &of(new), changes);
    }
}

/// Whether a value says that there is nothing yet: a list without entries, a count or sum of zero.
fn is_nothing(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty) || value.as_i64() == Some(0)
}

impl Story {
    /// Writes the story: as JSON lines or for people. It has no form as CSV, and takes that for JSON.
    ///
    /// # Errors
    /// [`ReplayError::Write`] when the writer fails.
    pub fn write(&self, format: Format, to: &mut dyn Write) -> Result<(), ReplayError> {
        match format {
            Format::Json | Format::Csv => json::write(self, to),
            Format::Table(screen) => text::write(self, screen, to),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn two_states_are_compared_leaf_by_leaf() {
        let before = json!({"status": "requested", "venue": {"zip": "1", "city": "A"}, "lines": [1, 2], "gone": {"a": 1}});
        let after = json!({"status": "confirmed", "venue": {"zip": "1", "city": "B"}, "lines": [1, 3], "new": {"b": null, "c": 2, "d": [], "e": 0}});
        let found: Vec<(String, Option<Value>, Option<Value>)> = changed(Some(&before), &after)
            .into_iter()
            .map(|change| (change.path, change.before, change.after))
            .collect();
        let expected = [
            ("gone.a", Some(json!(1)), None),
            ("lines", Some(json!([1, 2])), Some(json!([1, 3]))),
            ("status", Some(json!("requested")), Some(json!("confirmed"))),
            ("venue.city", Some(json!("A")), Some(json!("B"))),
            ("new.c", None, Some(json!(2))),
        ];
        assert_eq!(
            found,
            expected.map(|(path, before, after)| (path.to_owned(), before, after))
        );
        assert_eq!(changed(Some(&after), &after), []);
        assert_eq!(changed(None, &json!({"status": null})), []);
    }

    #[test]
    fn the_kinds_of_streams_are_those_of_the_events() {
        let kinds = kinds();
        assert!(
            kinds.contains(&"booking") && kinds.contains(&"price_list"),
            "{kinds:?}"
        );
        assert!(kinds.iter().all(|kind| visit_kind(kind, Known).is_some()));
    }
}
