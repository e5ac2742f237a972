//! Reading a log a second time, through software that we did not write, and comparing what comes of it.
//!
//! Against a fault of our own reader no hash helps: the log may be as it was written and yet be misread. So every
//! aggregate is rehydrated twice, through postgres-es from its events and through our store as commands do, snapshots
//! included, and both must be in the same state. Only how events are read differs; what they mean, upcasters included, is
//! the domain's both times.

mod reader;

use std::collections::BTreeMap;

use domain::canonical;
use domain::decider::{Decider, DecodeError, Event};
use domain::envelope::{Position, StoredEvent, StreamId};
use domain::ids::TenantId;
use domain::recorded::{KindVisitor, visit_kind};
use event_log::{EventLog, LogError};
use futures::future::BoxFuture;
use futures::stream::{self, StreamExt};
use serde_json::Value;

use crate::Progress;
use reader::{CONNECTIONS, Reader, Rehydrated, SerializedEvent};

/// Streams listed at a time.
const PAGE: u32 = 500;

/// Where the independent reader finds the database: it connects by itself.
#[derive(Clone)]
pub struct Address {
    /// `postgres://…` of the database.
    pub url: String,
    /// User and password, where they are not those of the address.
    pub sign_in: Option<(String, String)>,
}

/// A log that both readers understand alike.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compared {
    /// Aggregates of each kind.
    pub aggregates: BTreeMap<String, u64>,
    /// Events of all of them.
    pub events: i64,
}

/// The first stream on which the two readers do not agree, or that neither can read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{stream}: {what}")]
pub struct Disagreement {
    /// The stream.
    pub stream: StreamId,
    /// What is wrong with it.
    pub what: Mismatch,
}

/// How a stream is read differently, or not at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// No aggregate of this program has streams of that kind.
    #[error("this program knows no aggregate of that kind")]
    UnknownKind,
    /// The independent reader finds a hole.
    #[error("event {0} of the stream is missing")]
    Missing(usize),
    /// Our store does not take the stream for one.
    #[error("our store cannot read it: {0}")]
    Unreadable(LogError),
    /// An event says what this program does not understand.
    #[error("event {sequence}: {error}")]
    Undecodable {
        /// Place in the stream.
        sequence: usize,
        /// What is unknown or does not fit.
        error: DecodeError,
    },
    /// One of the two has events that the other has not.
    #[error("postgres-es reads {theirs} events, our store {ours}")]
    Count {
        /// Events that postgres-es reads.
        theirs: usize,
        /// Events that our store reads.
        ours: usize,
    },
    /// One event is not the same for both.
    #[error("event {sequence} has another {field} for postgres-es than for our store")]
    Event {
        /// Place in the stream.
        sequence: usize,
        /// Which column differs.
        field: &'static str,
    },
    /// The events are the same, and lead elsewhere.
    #[error("the state after event {version} is another for postgres-es than for our store")]
    State {
        /// Events that lead to it.
        version: usize,
    },
}

/// Why a log does not count as understood alike.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IndependentError {
    /// The readers do not agree.
    #[error(transparent)]
    Disagreement(#[from] Disagreement),
    /// Our store did not answer.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The independent reader did not come to the database, or to the end.
    #[error("postgres-es cannot read: {0}")]
    Reader(String),
}

/// Rehydrates every aggregate of a tenant through postgres-es and through our store, and compares event by event and
/// state by state, in bounded memory. What is appended meanwhile is compared as far as both have seen it.
///
/// # Errors
/// [`IndependentError::Disagreement`] with the first stream that is not the same for both, the others when the log
/// cannot be read.
pub async fn compare(
    log: &EventLog,
    tenant: TenantId,
    address: &Address,
    progress: &dyn Progress,
) -> Result<Compared, IndependentError> {
    let head = log.head(tenant).await?.position;
    progress.begins(head.0);
    let reader = Reader::connect(address, tenant).await;
    let both = Both {
        log,
        tenant,
        head,
        reader: reader.map_err(IndependentError::Reader)?,
    };
    let compared = both.compare_all(progress).await;
    both.reader.close().await;
    compared
}

/// The two ways to read one tenant's log.
struct Both<'a> {
    log: &'a EventLog,
    tenant: TenantId,
    /// Where the log ended at the start: what is after it may be seen by one and not by the other.
    head: Position,
    reader: Reader,
}

impl Both<'_> {
    async fn compare_all(&self, progress: &dyn Progress) -> Result<Compared, IndependentError> {
        let at_once = usize::try_from(CONNECTIONS).expect("a few connections");
        let mut compared = Compared::default();
        let mut after: Option<StreamId> = None;
        loop {
            let page = self.log.streams(self.tenant, after.as_ref(), PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(compared);
            };
            after = Some(last.clone());
            let mut pairs = stream::iter(&page)
                .map(async |stream| (stream, self.compare_one(stream).await))
                .buffered(at_once);
            while let Some((stream, events)) = pairs.next().await {
                compared.events += events?;
                *compared
                    .aggregates
                    .entry(stream.kind.clone().into_owned())
                    .or_default() += 1;
                progress.reaches(compared.events);
            }
        }
    }

    /// Compares one stream and says how many events it has.
    async fn compare_one(&self, stream: &StreamId) -> Result<i64, IndependentError> {
        let compared = match visit_kind(&stream.kind, Compare { both: self, stream }) {
            Some(comparing) => comparing.await,
            None => Err(Fault::Mismatch(Mismatch::UnknownKind)),
        };
        compared.map_err(|fault| match fault {
            Fault::Mismatch(what) => IndependentError::Disagreement(Disagreement {
                stream: stream.clone(),
                what,
            }),
            Fault::Failed(error) => error,
        })
    }

    async fn compare_as<D: Decider>(&self, stream: &StreamId) -> Result<i64, Fault> {
        let theirs = self.reader.events::<D>(&stream.id).await;
        let theirs = theirs.map_err(|error| Fault::Failed(IndependentError::Reader(error)))?;
        without_holes(&theirs)?;
        // After the other, so that it holds at least as much.
        let ours = match self.log.read_stream(self.tenant, stream).await {
            Ok(ours) => ours,
            Err(error @ LogError::Corrupt { .. }) => return Err(Mismatch::Unreadable(error).into()),
            Err(error) => return Err(Fault::Failed(error.into())),
        };
        let owed = ours.iter().filter(|event| event.position <= self.head).count();
        if theirs.len() < owed || ours.len() < theirs.len() {
            return Err(Mismatch::Count {
                theirs: theirs.len(),
                ours: ours.len(),
            }
            .into());
        }
        for (ours, theirs) in ours.iter().zip(&theirs) {
            same_event(ours, theirs)?;
        }
        let version = theirs.len();
        let mut rehydrated = Rehydrated::<D>::default();
        for (ours, theirs) in ours.iter().zip(&theirs) {
            let payload = theirs.payload.to_string();
            let event = decode::<D>(theirs.sequence, &ours.event_type, ours.event_version, &payload)?;
            rehydrated.rehydrate(event);
        }
        if let Some(state) = self.load::<D>(stream, version).await?
            && canonical::json(&rehydrated) != canonical::json(&state)
        {
            return Err(Mismatch::State { version }.into());
        }
        Ok(i64::try_from(theirs.len()).expect("a stream's length fits 64 bits"))
    }

    /// The state at a version, as our commands load it: from its snapshot, where there is one. None where the snapshot
    /// is newer than that.
    async fn load<D: Decider>(&self, stream: &StreamId, version: usize) -> Result<Option<D>, Fault> {
        let failed = |error: LogError| Fault::Failed(error.into());
        let schema = Some(&domain::SOURCE_HASH);
        let mut loaded = self.log.load(self.tenant, stream, schema).await.map_err(failed)?;
        let mut state = D::default();
        if let Some(snapshot) = loaded.snapshot {
            if usize::try_from(snapshot.version.0).is_ok_and(|made_at| made_at > version) {
                return Ok(None);
            }
            match serde_json::from_str(&snapshot.state) {
                Ok(kept) => state = kept,
                Err(_) => loaded = self.log.load(self.tenant, stream, None).await.map_err(failed)?,
            }
        }
        for event in &loaded.events {
            let sequence = usize::try_from(event.sequence.0).expect("a place in a stream");
            if sequence <= version {
                let event = decode::<D>(sequence, &event.event_type, event.event_version, &event.payload)?;
                state.evolve(&event);
            }
        }
        Ok(Some(state))
    }
}

/// Reads an event of any version, as the domain does.
fn decode<D: Decider>(
    sequence: usize,
    name: &str,
    version: u16,
    payload: &str,
) -> Result<D::Event, Mismatch> {
    D::Event::decode(name, version, payload).map_err(|error| Mismatch::Undecodable { sequence, error })
}

/// What keeps one stream from being the same for both.
enum Fault {
    Mismatch(Mismatch),
    Failed(IndependentError),
}

impl From<Mismatch> for Fault {
    fn from(mismatch: Mismatch) -> Self {
        Self::Mismatch(mismatch)
    }
}

/// Compares one stream, as an aggregate of its kind.
struct Compare<'a> {
    both: &'a Both<'a>,
    stream: &'a StreamId,
}

impl<'a> KindVisitor for Compare<'a> {
    type Output = BoxFuture<'a, Result<i64, Fault>>;

    fn visit<D: Decider>(self) -> Self::Output {
        Box::pin(self.both.compare_as::<D>(self.stream))
    }
}

fn without_holes(events: &[SerializedEvent]) -> Result<(), Mismatch> {
    let hole = events
        .iter()
        .zip(1..)
        .find(|(event, sequence)| event.sequence != *sequence);
    hole.map_or(Ok(()), |(_, sequence)| Err(Mismatch::Missing(sequence)))
}

fn same_event(ours: &StoredEvent, theirs: &SerializedEvent) -> Result<(), Mismatch> {
    let same_json =
        |text: &str, value: &Value| serde_json::from_str::<Value>(text).is_ok_and(|parsed| parsed == *value);
    let fields = [
        ("type", ours.event_type == theirs.event_type),
        ("version", ours.event_version.to_string() == theirs.event_version),
        ("payload", same_json(&ours.payload, &theirs.payload)),
        ("metadata", same_json(&ours.metadata, &theirs.metadata)),
    ];
    match fields.into_iter().find(|(_, same)| !same) {
        None => Ok(()),
        Some((field, _)) => Err(Mismatch::Event {
            sequence: theirs.sequence,
            field,
        }),
    }
}
