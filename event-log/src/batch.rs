//! One batch of appends as the arrays that `append_batch` takes, and its answer read back.

use chrono::{DateTime, Utc};
use domain::canonical;
use domain::envelope::{Claim, Expectation, NewEvent, Position, Version};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::types::Json;
use sqlx::{FromRow, Row};
use uuid::Uuid;

use crate::append::{Append, Outcome, Receipt};
use crate::error::LogError;
use crate::read::StreamVersion;

/// What became of one append, or why it could not be tried.
pub(crate) type Answer = Result<Outcome, LogError>;

const APPEND_BATCH: &str = "select r_append, r_outcome, r_first, r_last, r_streams from append_batch(
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
    $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29)";

#[derive(Default)]
struct Tenants {
    id: Vec<Uuid>,
    appends: Vec<i32>,
    streams: Vec<i32>,
    events: Vec<i32>,
    claims: Vec<i32>,
}

#[derive(Default)]
struct Appends {
    command: Vec<Uuid>,
    digest: Vec<Vec<u8>>,
    metadata: Vec<String>,
    events: Vec<i32>,
}

#[derive(Default)]
struct Streams<'a> {
    append: Vec<i32>,
    kind: Vec<&'a str>,
    id: Vec<&'a str>,
    expected: Vec<i64>,
    events: Vec<Option<i32>>,
}

#[derive(Default)]
struct Events<'a> {
    append: Vec<i32>,
    stream: Vec<i32>,
    id: Vec<Uuid>,
    name: Vec<&'a str>,
    version: Vec<String>,
    payload: Vec<&'a str>,
}

#[derive(Default)]
struct Claims<'a> {
    append: Vec<i32>,
    stream: Vec<i32>,
    action: Vec<&'static str>,
    name: Vec<&'a str>,
    key: Vec<Option<&'a str>>,
    from: Vec<Option<DateTime<Utc>>>,
    until: Vec<Option<DateTime<Utc>>>,
    units: Vec<Option<i32>>,
    limit: Vec<Option<i32>>,
    claim: Vec<&'a Claim>,
}

/// A batch on its way to the database.
#[derive(Default)]
pub(crate) struct Batch<'a> {
    /// Where the appends stood in the caller's order.
    order: Vec<usize>,
    tenants: Tenants,
    appends: Appends,
    streams: Streams<'a>,
    events: Events<'a>,
    claims: Claims<'a>,
}

impl<'a> Batch<'a> {
    /// Lays out appends that do not touch each other's streams or command ids.
    pub(crate) fn new(appends: &[&'a Append]) -> Self {
        let mut order: Vec<usize> = (0..appends.len()).collect();
        order.sort_by_key(|index| appends[*index].tenant);
        let mut batch = Self::default();
        for index in &order {
            batch.push(appends[*index]);
        }
        batch.order = order;
        batch
    }

    fn push(&mut self, append: &'a Append) {
        if self.tenants.id.last() != Some(&append.tenant.0) {
            self.tenants.id.push(append.tenant.0);
            self.tenants.appends.push(0);
            self.tenants.streams.push(0);
            self.tenants.events.push(0);
            self.tenants.claims.push(0);
        }
        let before = (
            self.streams.id.len(),
            self.events.id.len(),
            self.claims.name.len(),
        );
        self.appends.command.push(append.command_id.0);
        self.appends.digest.push(append.digest.to_vec());
        self.appends.metadata.push(canonical::json(&append.meta));
        for write in &append.streams {
            let count = count(write.events.len());
            self.push_stream(
                &write.stream.kind,
                &write.stream.id,
                expected(write.expected),
                Some(count),
            );
            for event in &write.events {
                self.push_event(event);
            }
        }
        for (stream, Version(version)) in &append.reads {
            self.push_stream(&stream.kind, &stream.id, *version, None);
        }
        self.appends.events.push(count(self.events.id.len() - before.1));
        let added = |now: usize, then: usize| count(now - then);
        *last(&mut self.tenants.appends) += 1;
        *last(&mut self.tenants.streams) += added(self.streams.id.len(), before.0);
        *last(&mut self.tenants.events) += added(self.events.id.len(), before.1);
        *last(&mut self.tenants.claims) += added(self.claims.name.len(), before.2);
    }

    fn push_stream(&mut self, kind: &'a str, id: &'a str, expected: i64, events: Option<i32>) {
        self.streams.append.push(count(self.appends.command.len()));
        self.streams.kind.push(kind);
        self.streams.id.push(id);
        self.streams.expected.push(expected);
        self.streams.events.push(events);
    }

    fn push_event(&mut self, event: &'a NewEvent) {
        self.events.append.push(count(self.appends.command.len()));
        self.events.stream.push(count(self.streams.id.len()));
        self.events.id.push(event.event_id.0);
        self.events.name.push(event.event_type);
        self.events.version.push(event.event_version.to_string());
        self.events.payload.push(&event.payload);
        for claim in &event.claims {
            self.push_claim(claim);
        }
    }

    fn push_claim(&mut self, claim: &'a Claim) {
        let claims = &mut self.claims;
        claims.append.push(count(self.appends.command.len()));
        claims.stream.push(count(self.streams.id.len()));
        claims.claim.push(claim);
        let (action, name, key, capacity) = match claim {
            Claim::TakeUnique { scope, key } => ("take_unique", scope.as_ref(), Some(key.as_str()), None),
            Claim::ReleaseUnique { scope, key } => {
                ("release_unique", scope.as_ref(), Some(key.as_str()), None)
            }
            Claim::TakeCapacity {
                resource,
                from,
                until,
                units,
                limit,
            } => (
                "take_capacity",
                resource.as_str(),
                None,
                Some((*from, *until, *units, *limit)),
            ),
            Claim::ReleaseCapacity { resource } => ("release_capacity", resource.as_str(), None, None),
        };
        claims.action.push(action);
        claims.name.push(name);
        claims.key.push(key);
        claims.from.push(capacity.map(|(from, ..)| from));
        claims.until.push(capacity.map(|(_, until, ..)| until));
        claims.units.push(capacity.map(|(.., units, _)| units));
        claims.limit.push(capacity.map(|(.., limit)| limit));
    }

    /// Carries the batch out in one round trip and one transaction. Answers in the caller's order.
    pub(crate) async fn run(
        &self,
        connection: &mut PgConnection,
        appends: &[&Append],
    ) -> Result<Vec<Answer>, sqlx::Error> {
        let rows: Vec<PgRow> = sqlx::query(APPEND_BATCH)
            .bind(&self.tenants.id)
            .bind(&self.tenants.appends)
            .bind(&self.tenants.streams)
            .bind(&self.tenants.events)
            .bind(&self.tenants.claims)
            .bind(&self.appends.command)
            .bind(&self.appends.digest)
            .bind(&self.appends.metadata)
            .bind(&self.appends.events)
            .bind(&self.streams.append)
            .bind(&self.streams.kind)
            .bind(&self.streams.id)
            .bind(&self.streams.expected)
            .bind(&self.streams.events)
            .bind(&self.events.append)
            .bind(&self.events.stream)
            .bind(&self.events.id)
            .bind(&self.events.name)
            .bind(&self.events.version)
            .bind(&self.events.payload)
            .bind(&self.claims.append)
            .bind(&self.claims.stream)
            .bind(&self.claims.action)
            .bind(&self.claims.name)
            .bind(&self.claims.key)
            .bind(&self.claims.from)
            .bind(&self.claims.until)
            .bind(&self.claims.units)
            .bind(&self.claims.limit)
            .fetch_all(connection)
            .await?;
        let mut answers: Vec<Answer> = vec![Err(LogError::beside("an append has no answer")); appends.len()];
        for row in &rows {
            let row = AnswerRow::from_row(row)?;
            let asked = index(i64::from(row.append)).and_then(|place| self.order.get(place));
            if let Some(asked) = asked {
                answers[*asked] = self.answer(row, appends[*asked]);
            }
        }
        Ok(answers)
    }

    fn answer(&self, row: AnswerRow, append: &Append) -> Answer {
        match row.outcome.as_str() {
            "appended" => Ok(Outcome::Appended(row.receipt()?)),
            "replayed" => Ok(Outcome::Replayed(row.receipt()?)),
            "mismatch" => Ok(Outcome::IdempotencyMismatch),
            "conflict" => self.conflict(&row, append),
            "refused" => {
                let claim = row
                    .first
                    .and_then(index)
                    .and_then(|claim| self.claims.claim.get(claim));
                let claim = claim.ok_or_else(|| LogError::beside("an unknown claim was refused"))?;
                Ok(Outcome::ClaimRefused {
                    claim: (*claim).clone(),
                })
            }
            "unknown_tenant" => Err(LogError::UnknownTenant(append.tenant)),
            other => Err(LogError::beside(format!("unknown outcome {other}"))),
        }
    }

    fn conflict(&self, row: &AnswerRow, append: &Append) -> Answer {
        let unknown = || LogError::beside("an unknown stream is in conflict");
        let place = row.first.and_then(index).ok_or_else(unknown)?;
        let stands_at = self.streams.append.partition_point(|of| *of < row.append);
        let within = place.checked_sub(stands_at).ok_or_else(unknown)?;
        let written = append.streams.iter().map(|write| &write.stream);
        let stream = written
            .chain(append.reads.iter().map(|(stream, _)| stream))
            .nth(within);
        Ok(Outcome::Conflict {
            stream: stream.ok_or_else(unknown)?.clone(),
            actual: Version(row.last.ok_or_else(unknown)?),
        })
    }
}

struct AnswerRow {
    append: i32,
    outcome: String,
    first: Option<i64>,
    last: Option<i64>,
    streams: Option<Json<Vec<StreamVersion>>>,
}

impl FromRow<'_, PgRow> for AnswerRow {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            append: row.try_get("r_append")?,
            outcome: row.try_get("r_outcome")?,
            first: row.try_get("r_first")?,
            last: row.try_get("r_last")?,
            streams: row.try_get("r_streams")?,
        })
    }
}

impl AnswerRow {
    fn receipt(self) -> Result<Receipt, LogError> {
        match (self.first, self.last, self.streams) {
            (Some(first), Some(last), Some(Json(streams))) => Ok(Receipt {
                first: Position(first),
                last: Position(last),
                streams: streams.into_iter().map(StreamVersion::into_pair).collect(),
            }),
            _ => Err(LogError::beside("an append's answer has no place in the log")),
        }
    }
}

/// The place in a Rust slice of an index that SQL counts from 1.
fn index(counted_from_one: i64) -> Option<usize> {
    usize::try_from(counted_from_one).ok()?.checked_sub(1)
}

fn count(length: usize) -> i32 {
    i32::try_from(length).expect("a batch has fewer than two thousand million parts")
}

fn last(counts: &mut [i32]) -> &mut i32 {
    counts.last_mut().expect("a tenant was pushed before its counts")
}

fn expected(expectation: Expectation) -> i64 {
    match expectation {
        Expectation::NoStream => 0,
        Expectation::Exact(Version(version)) => version,
        Expectation::Exists => -2,
        Expectation::Any => -1,
    }
}
